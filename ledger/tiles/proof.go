package tiles

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// Tree reads proofs from the tiles of a log whose size and root are known. Each
// tile is verified against the root before anything is made of it.
type Tree struct {
	ctx    context.Context //nolint:containedctx // of one call: the checksum database's reader has no room for it
	reader Reader
	size   uint64
	root   wire.Hash
}

// NewTree makes a tree of the log of a checkpoint, which the caller has verified.
func NewTree(ctx context.Context, r Reader, c chain.Checkpoint) Tree {
	return Tree{ctx, r, c.Size, c.Root}
}

func (t Tree) hashes() tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: int64(t.size), Hash: tlog.Hash(t.root)}, tileReader{t})
}

// check refuses a size that the tiles of the log cannot show. 2^48 is far
// beyond what a ledger has, and keeps the sizes within the signed ones.
func (t Tree) check(size uint64) error {
	if size == 0 || size > t.size || t.size >= maxIndex {
		return fmt.Errorf("tiles: no log of %d transactions in one of %d", size, t.size)
	}
	return nil
}

// RootAt is the root that the log had at an earlier size.
func (t Tree) RootAt(size uint64) (wire.Hash, error) {
	if err := t.check(size); err != nil {
		return wire.Hash{}, err
	}
	h, err := tlog.TreeHash(int64(size), t.hashes())
	if err != nil {
		return wire.Hash{}, fmt.Errorf("tiles: root at %d: %w", size, err)
	}
	return wire.Hash(h), nil
}

// Consistency proves that the log begins with the one of an earlier size.
func (t Tree) Consistency(size uint64) ([]wire.Hash, error) {
	if err := t.check(size); err != nil {
		return nil, err
	}
	p, err := tlog.ProveTree(int64(t.size), int64(size), t.hashes())
	return proof(p, err)
}

// Inclusion proves that the log has a leaf at a place.
func (t Tree) Inclusion(index uint64) ([]wire.Hash, error) {
	if err := t.check(index + 1); err != nil {
		return nil, err
	}
	p, err := tlog.ProveRecord(int64(t.size), int64(index), t.hashes())
	return proof(p, err)
}

func proof[P ~[]tlog.Hash](p P, err error) ([]wire.Hash, error) {
	if err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	out := make([]wire.Hash, len(p))
	for i, h := range p {
		out[i] = wire.Hash(h)
	}
	return out, nil
}

// tileReader gives the checksum database's reader our files.
type tileReader struct{ Tree }

func (tileReader) Height() int { return LogWidth }

func (t tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, x := range tiles {
		p := Path{Kind: Hashes, Level: uint8(x.L), Index: uint64(x.N), Width: x.W}
		b, err := Fetch(t.ctx, t.reader, p)
		if err != nil {
			return nil, err
		}
		if len(b) != p.Limit() {
			return nil, fmt.Errorf("tiles: %v: %d bytes, not %d", p, len(b), p.Limit())
		}
		out[i] = b
	}
	return out, nil
}

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
