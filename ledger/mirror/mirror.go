// Package mirror keeps a copy of a ledger that its keeper need not trust. It
// takes nothing from the server that it copies but the signed checkpoint and
// the transactions: these it executes again, and what its own files say of
// headers, log, streams and states is what came out. What the server's files
// say must be the same.
//
// Its directory has the layout of package tiles, so that any web server can
// serve it. It shows the last checkpoint that was reached whole, whenever the
// mirror is stopped.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/monitor"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

// Config says what a mirror keeps. All but Policy is needed.
type Config struct {
	Dir     string
	Genesis chain.Genesis
	Machine engine.StateMachine // what executes the transactions again
	// Policy is whose cosignatures a checkpoint needs before it is shown; nil: nobody's.
	Policy receipt.Policy
}

// Mirror is an open mirror. It is for one goroutine, and one process has its
// directory.
type Mirror struct {
	cfg   Config
	dir   tiles.Dir
	known *monitor.Known
	whole *replay.Whole
	files map[tiles.Path]*file // that are not full yet, by kind and level
	full  []file               // that are, and not written yet
	err   error                // why it cannot go on
}

// The part of the directory that is not of the layout.
const dirEvidence = "evidence"

// Open opens or makes a mirror's directory. What it holds is executed again
// from the first block on and compared, file by file.
func Open(ctx context.Context, c Config) (*Mirror, error) {
	if c.Dir == "" || c.Machine == nil {
		return nil, errors.New("mirror: name a directory, and give the state machine")
	}
	dir, err := tiles.OpenDir(c.Dir)
	if err != nil {
		return nil, err
	}
	m := &Mirror{cfg: c, dir: dir, whole: replay.NewWhole(c.Machine, c.Genesis), files: map[tiles.Path]*file{}}
	if m.known, err = monitor.OpenKnown(ctx, c.Genesis, dir); err != nil {
		return nil, err
	}
	at := m.known.Checkpoint()
	headers := func(yield func(chain.Header) error) error { return monitor.EachHeader(ctx, dir, 1, at.Height, yield) }
	if err := m.advance(ctx, copying{from: dir, to: at}, headers); err != nil {
		return nil, fmt.Errorf("mirror: its own directory is damaged; remove what is named here, or begin in an empty one: %w", err)
	}
	return m, nil
}

// Checkpoint is what the mirror shows; zero before any.
func (m *Mirror) Checkpoint() chain.Checkpoint { return m.known.Checkpoint() }

// Stopped is why the mirror cannot go on in memory; open it again.
func (m *Mirror) Stopped() error { return m.err }

// Evidence is an error with the file that shows what a server did.
type Evidence struct {
	Err  error
	File string
}

func (e *Evidence) Error() string { return fmt.Sprintf("%v (kept in %s)", e.Err, e.File) }

// Unwrap returns the error that it is about.
func (e *Evidence) Unwrap() error { return e.Err }

// Step copies what a server has beyond the mirror's checkpoint, and shows it
// once all of it is verified and written. It returns the checkpoint that is
// shown then. A server that shows another history or an older one is refused,
// with an *Evidence.
func (m *Mirror) Step(ctx context.Context, r tiles.Reader) (chain.Checkpoint, error) {
	if m.err != nil {
		return m.Checkpoint(), m.err
	}
	seen, err := m.known.Examine(ctx, r)
	if err != nil {
		return m.Checkpoint(), m.keepEvidence(err)
	}
	if m.cfg.Policy != nil {
		if err := m.cfg.Policy.Check([]byte(seen.Signed.Checkpoint)); err != nil {
			return m.Checkpoint(), fmt.Errorf("mirror: not shown until witnesses have cosigned it: %w", err)
		}
	}
	at := m.known.Checkpoint()
	if at.Origin != "" && seen.Checkpoint.Height == at.Height {
		return at, nil
	}
	// A step that was broken off has executed more than what is shown.
	done := m.whole.Head().Height - at.Height
	if done > uint64(len(seen.Headers)) {
		return at, fmt.Errorf("mirror: the server shows block %d, after it showed %d", seen.Checkpoint.Height, m.whole.Head().Height)
	}
	headers := func(yield func(chain.Header) error) error {
		for _, h := range seen.Headers[done:] {
			if err := yield(h); err != nil {
				return err
			}
		}
		return nil
	}
	if err := m.advance(ctx, copying{from: r, to: seen.Checkpoint, write: true}, headers); err != nil {
		return m.Checkpoint(), fmt.Errorf("mirror: %w", err)
	}
	return seen.Checkpoint, m.show(seen)
}

func (m *Mirror) keepEvidence(err error) error {
	dir := filepath.Join(m.cfg.Dir, dirEvidence)
	var twice *monitor.EquivocationError
	var behind *monitor.BehindError
	var file string
	var bad error
	switch {
	case errors.As(err, &twice):
		file, bad = monitor.KeepEvidence(dir, twice.Evidence)
	case errors.As(err, &behind):
		file, bad = monitor.KeepBehind(dir, behind)
	default:
		return err
	}
	if bad != nil {
		return errors.Join(err, bad)
	}
	return &Evidence{Err: err, File: file}
}

// show publishes what was copied.
func (m *Mirror) show(s *monitor.Seen) error {
	keys, err := m.whole.Keys()
	if err != nil {
		return err
	}
	// Until now the rotations were the server's word, signed by each key for the
	// next; only the directory shows that they are the ledger's.
	same := func(a, b chain.Rotation) bool {
		return a.Height == b.Height && slices.Equal(a.Envelope, b.Envelope)
	}
	if !slices.EqualFunc(keys.Until(s.Checkpoint.Height), s.Signed.Rotations, same) {
		m.err = errors.New("mirror: the checkpoint is signed under rotations that are not in the ledger's directory")
		return m.err
	}
	if err := m.dir.Write(tiles.Path{Kind: tiles.Rotations}, wire.Marshal(keys.Rotations())); err != nil {
		return err
	}
	if err := m.dir.Publish(m.known.Checkpoint(), s.Checkpoint, []byte(s.Signed.Checkpoint)); err != nil {
		return err
	}
	m.known.Keep(s)
	return nil
}
