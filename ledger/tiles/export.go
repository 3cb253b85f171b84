package tiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trialith/trialith/ledger/chain"
)

// Export writes a running ledger's files into a directory, the checkpoint last.
// Killed at any point it is taken up again where it was. A directory of another
// ledger, of another history or of a longer one is refused. It returns the
// checkpoint that the directory has then.
func Export(ctx context.Context, s Source, dir string) (chain.Checkpoint, error) {
	d, err := OpenDir(dir)
	if err != nil {
		return chain.Checkpoint{}, err
	}
	msg := s.Checkpoint()
	if msg == nil {
		return chain.Checkpoint{}, errors.New("tiles: export: the ledger is closed")
	}
	now, err := published(msg)
	if err != nil {
		return now, err
	}
	if err := d.KeepGenesis(ctx, s.Genesis()); err != nil {
		return now, err
	}
	old, err := d.continues(ctx, s, now)
	if err != nil {
		return now, fmt.Errorf("tiles: export: %w", err)
	}
	Since(old, now, func(p Path) bool {
		if p.Full() && d.has(p) {
			return true // full files never change, and none has its name before it is whole
		}
		if err = ctx.Err(); err == nil {
			err = d.fill(p, func(w io.Writer) error { return write(w, s, p) })
		}
		return err == nil
	})
	if err != nil {
		return now, err
	}
	p := Path{Kind: Rotations}
	if err := d.fill(p, func(w io.Writer) error { return write(w, s, p) }); err != nil {
		return now, err
	}
	return now, d.Publish(old, now, msg)
}

// KeepGenesis writes the genesis, or compares it with the one that is there.
func (d Dir) KeepGenesis(ctx context.Context, g chain.Genesis) error {
	p := Path{Kind: Genesis}
	b, err := d.Read(ctx, p)
	switch {
	case errors.Is(err, ErrNotFound):
		return d.Write(p, g.Encode())
	case err != nil:
		return err
	case !bytes.Equal(b, g.Encode()):
		return fmt.Errorf("tiles: %s: holds a ledger of another genesis; name another directory", d.root)
	}
	return nil
}

// continues checks that the ledger goes on from what the directory has.
func (d Dir) continues(ctx context.Context, s Source, now chain.Checkpoint) (chain.Checkpoint, error) {
	_, old, err := d.Published(ctx)
	if errors.Is(err, ErrNotFound) {
		return chain.Checkpoint{}, nil
	}
	if err != nil || old.Height == 0 {
		return old, err
	}
	if old.Height > now.Height {
		return old, fmt.Errorf("%s is at block %d, the ledger at %d: it was put back to an old state", d.root, old.Height, now.Height)
	}
	hs, err := s.Headers(old.Height, old.Height)
	if err != nil {
		return old, err
	}
	if err := old.Matches(hs[0]); err != nil {
		return old, fmt.Errorf("%s holds another history than the ledger: %w", d.root, err)
	}
	return old, nil
}
