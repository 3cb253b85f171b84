package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tiles"
)

// EquivocationError says that a ledger signed two histories, with the proof.
type EquivocationError struct {
	Evidence *Equivocation
	Sentence string
}

func (e *EquivocationError) Error() string { return e.Sentence }

// BehindError says that a server shows an older head than is known, of the same
// history. One that lags does that, and one that was put back to an old state.
type BehindError struct {
	Shown, Known uint64 // heights
	Signed       []byte // the checkpoint that it shows
}

func (e *BehindError) Error() string {
	return fmt.Sprintf("it shows block %d, and block %d is known: it lags, or was put back to an old state", e.Shown, e.Known)
}

// Known is what is known of a ledger: the newest checkpoint and all headers up
// to it, in a directory of the layout of package tiles.
type Known struct {
	genesis chain.Genesis
	dir     tiles.Dir
	at      chain.Checkpoint // zero: nothing yet
	signed  Signed
}

// OpenKnown reads a directory, and verifies the chain of its headers from
// genesis to its checkpoint.
func OpenKnown(ctx context.Context, g chain.Genesis, dir tiles.Dir) (*Known, error) {
	if err := dir.KeepGenesis(ctx, g); err != nil {
		return nil, err
	}
	k := &Known{genesis: g, dir: dir}
	s, c, err := read(ctx, g, dir)
	if errors.Is(err, tiles.ErrNotFound) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("monitor: the directory's own checkpoint: %w", err)
	}
	prev := g.Header()
	err = EachHeader(ctx, dir, 1, c.Height, func(h chain.Header) error {
		err := h.Follows(prev)
		prev = h
		return err
	})
	if err == nil {
		err = c.Matches(prev)
	}
	if err != nil {
		return nil, fmt.Errorf("monitor: the directory is damaged: %w", err)
	}
	k.at, k.signed = c, s
	return k, nil
}

// Checkpoint is the newest that is known; zero before any.
func (k *Known) Checkpoint() chain.Checkpoint { return k.at }

// Genesis is the ledger's genesis.
func (k *Known) Genesis() chain.Genesis { return k.genesis }

// Seen is a checkpoint that goes on from what is known.
type Seen struct {
	Checkpoint chain.Checkpoint
	Signed     Signed
	Headers    []chain.Header // above the one that is known
}

// Examine reads a server's checkpoint and compares it with what is known. It
// fails with an *EquivocationError if the ledger signed another history, with a
// *BehindError if the server shows less than is known, and with any other error
// if it does not show what it must. What it returns is verified as far as
// headers and log go; nothing is written.
func (k *Known) Examine(ctx context.Context, r tiles.Reader) (*Seen, error) {
	s, c, err := read(ctx, k.genesis, r)
	if err != nil {
		return nil, err
	}
	seen := &Seen{Checkpoint: c, Signed: s}
	if k.at.Origin != "" {
		if err := k.onTheirFace(s, c); err != nil {
			return nil, err
		}
	}
	switch {
	case c.Height < k.at.Height:
		return nil, k.behind(ctx, seen)
	case c.Height == k.at.Height && k.at.Origin != "":
		return seen, nil
	}
	if err := k.ahead(ctx, r, seen); err != nil {
		return nil, err
	}
	return seen, k.log(ctx, r, seen)
}

// Keep takes what was seen as known. The caller has written its files.
func (k *Known) Keep(s *Seen) { k.at, k.signed = s.Checkpoint, s.Signed }

// read reads a checkpoint and verifies its signature.
func read(ctx context.Context, g chain.Genesis, r tiles.Reader) (s Signed, c chain.Checkpoint, err error) {
	msg, err := r.Read(ctx, tiles.Path{Kind: tiles.Checkpoint})
	if err != nil {
		return s, c, err
	}
	// Asked after the checkpoint: a rotation that this one needs is there.
	b, err := r.Read(ctx, tiles.Path{Kind: tiles.Rotations})
	switch {
	case errors.Is(err, tiles.ErrNotFound):
	case err != nil:
		return s, c, err
	default:
		if s.Rotations, err = tiles.DecodeRotations(b); err != nil {
			return s, c, err
		}
	}
	keys, err := chain.NewKeys(g, s.Rotations...)
	if err != nil {
		return s, c, err
	}
	if c, err = chain.OpenCheckpoint(keys, msg); err != nil {
		return s, c, fmt.Errorf("%w; nothing that it shows is the ledger's", err)
	}
	s.Checkpoint, s.Rotations = string(msg), keys.Until(c.Height)
	return s, c, nil
}

// ordered makes evidence of two checkpoints, the one of the lower block first.
func (k *Known) ordered(s Signed, c chain.Checkpoint) (*Equivocation, chain.Checkpoint, chain.Checkpoint) {
	if c.Height < k.at.Height {
		return newEquivocation(k.genesis, s, k.signed), c, k.at
	}
	return newEquivocation(k.genesis, k.signed, s), k.at, c
}

func (k *Known) onTheirFace(s Signed, c chain.Checkpoint) error {
	e, a, b := k.ordered(s, c)
	if contradiction(a, b) == "" {
		return nil
	}
	return k.prove(e)
}

// prove makes an error of evidence, having checked it as any reader will.
func (k *Known) prove(e *Equivocation) error {
	sentence, err := e.Check(k.genesis)
	if err != nil {
		return fmt.Errorf("monitor: the ledger shows another history, which could not be made a proof: %w", err)
	}
	return &EquivocationError{Evidence: e, Sentence: sentence}
}

// behind compares an older checkpoint with the known header of its height.
func (k *Known) behind(ctx context.Context, s *Seen) error {
	hs, err := headers(ctx, k.dir, max(s.Checkpoint.Height, 1), k.at.Height)
	if err != nil {
		return err
	}
	mine := k.genesis.Header()
	if s.Checkpoint.Height > 0 {
		mine = hs[0]
	}
	if s.Checkpoint.Matches(mine) == nil {
		return &BehindError{Shown: s.Checkpoint.Height, Known: k.at.Height, Signed: []byte(s.Signed.Checkpoint)}
	}
	e, _, _ := k.ordered(s.Signed, s.Checkpoint)
	e.Headers = hs
	if s.Checkpoint.Height == 0 {
		e.Headers = append([]chain.Header{mine}, hs...)
	}
	return k.prove(e)
}

// ahead reads the headers of a newer checkpoint from the known height on, and
// compares the first with the one that is known.
func (k *Known) ahead(ctx context.Context, r tiles.Reader, s *Seen) error {
	first := k.genesis.Header()
	if k.at.Height == 0 {
		hs, err := headers(ctx, r, 1, s.Checkpoint.Height)
		s.Headers = hs
		return errors.Join(err, chained(s.Checkpoint, first, hs))
	}
	hs, err := headers(ctx, r, k.at.Height, s.Checkpoint.Height)
	if err != nil {
		return err
	}
	if err := chained(s.Checkpoint, hs[0], hs[1:]); err != nil {
		return err
	}
	if k.at.Matches(hs[0]) == nil {
		s.Headers = hs[1:]
		return nil
	}
	e := newEquivocation(k.genesis, k.signed, s.Signed)
	e.Headers = hs
	return k.prove(e)
}

// log checks that the log of a newer checkpoint begins with the known one.
func (k *Known) log(ctx context.Context, r tiles.Reader, s *Seen) error {
	if k.at.Size == 0 {
		return nil
	}
	tree := tiles.NewTree(ctx, r, s.Checkpoint)
	root, err := tree.RootAt(k.at.Size)
	if err != nil {
		return err
	}
	path, err := tree.Consistency(k.at.Size)
	if err != nil {
		return err
	}
	if root != k.at.Root {
		e := newEquivocation(k.genesis, k.signed, s.Signed)
		e.Root, e.Path = root, path
		return k.prove(e)
	}
	// The second opinion, by other code than what read the tiles.
	return chain.VerifyConsistency(k.at.Size, s.Checkpoint.Size, path, k.at.Root, s.Checkpoint.Root)
}

// chained checks that headers go on from prev and end in what c commits to.
func chained(c chain.Checkpoint, prev chain.Header, hs []chain.Header) error {
	for _, h := range hs {
		if err := h.Follows(prev); err != nil {
			return err
		}
		prev = h
	}
	return c.Matches(prev)
}

// maxHeaders bounds how many headers are read at once: they are in memory.
const maxHeaders = 1 << 22

// headers reads the headers from one height to another. The last file is the
// one that a ledger at the last height has.
func headers(ctx context.Context, r tiles.Reader, from, to uint64) (out []chain.Header, err error) {
	if to >= from && to-from >= maxHeaders {
		return nil, fmt.Errorf("monitor: headers %d to %d; at most %d are read at once", from, to, maxHeaders)
	}
	err = EachHeader(ctx, r, from, to, func(h chain.Header) error {
		out = append(out, h)
		return nil
	})
	return out, err
}

// EachHeader calls yield for the headers from one height to another, as they
// are read: nothing checks that they chain.
func EachHeader(ctx context.Context, r tiles.Reader, from, to uint64, yield func(chain.Header) error) error {
	for index := (max(from, 1) - 1) / tiles.Width; from <= to && index*tiles.Width < to; index++ {
		p := tiles.Path{Kind: tiles.Headers, Index: index, Width: int(min(to-index*tiles.Width, tiles.Width))}
		b, err := tiles.Fetch(ctx, r, p)
		if err != nil {
			return err
		}
		hs, err := tiles.DecodeHeaders(p, b)
		if err != nil {
			return err
		}
		for _, h := range hs {
			if h.Height < from {
				continue
			}
			if err := yield(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// KeepEvidence writes evidence into a directory, under a name that it alone
// has, and returns the file's path.
func KeepEvidence(dir string, e *Equivocation) (string, error) {
	return keep(dir, "equivocation", e.Encode())
}

func keep(dir, kind string, b []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // evidence is for everybody
		return "", err
	}
	return writeNamed(dir, kind, b)
}
