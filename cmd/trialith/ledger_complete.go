package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

// completion appends to a restored backup the blocks that it lacks, from a
// mirror: its directory, or its address.
type completion struct {
	from    tiles.Reader
	machine engine.StateMachine
	genesis chain.Genesis
}

func completionFrom(source string, m engine.StateMachine, g chain.Genesis) completion {
	if strings.Contains(source, "://") {
		return completion{tiles.NewRemote(source, &http.Client{Timeout: time.Minute}), m, g}
	}
	return completion{tiles.ReadDir(source), m, g}
}

// run appends every block up to the mirror's checkpoint, and keeps it only if
// the node signed that: the chain of headers says the rest.
func (c completion) run(ctx context.Context, s *store.Store) error {
	msg, err := c.from.Read(ctx, tiles.Path{Kind: tiles.Checkpoint})
	if err != nil {
		return err
	}
	text, _, _ := strings.Cut(string(msg), "\n\n")
	claimed, err := chain.ParseCheckpoint(text + "\n")
	if err != nil {
		return err
	}
	if err := c.blocks(ctx, s, claimed); err != nil {
		return fmt.Errorf("the mirror: %w", err)
	}
	snap := s.Snapshot()
	defer snap.Release()
	keys, err := engine.NodeKeys(c.genesis, snap.State(wire.Directory))
	if err != nil {
		return err
	}
	signed, err := chain.OpenCheckpoint(keys, msg)
	if err == nil {
		var h chain.Header
		if h, err = snap.Header(signed.Height); err == nil {
			err = signed.Matches(h)
		}
	}
	if err != nil {
		return fmt.Errorf("the mirror: %w", err)
	}
	return nil
}

// blocks appends the blocks after the store's head, one after the other.
func (c completion) blocks(ctx context.Context, s *store.Store, to chain.Checkpoint) error {
	snap := s.Snapshot()
	head := snap.Head()
	snap.Release()
	transactions := items[tiles.Transaction]{from: c.from, kind: tiles.Transactions, of: to, decode: tiles.DecodeTransactions}
	headers := items[chain.Header]{from: c.from, kind: tiles.Headers, of: to, decode: tiles.DecodeHeaders}
	for height := head.Height + 1; height <= to.Height; height++ {
		h, err := headers.at(ctx, height-1)
		if err != nil {
			return err
		}
		if h.Size() > to.Size || h.Size() < h.First {
			return fmt.Errorf("header %d: %d transactions, the checkpoint says %d", height, h.Size(), to.Size)
		}
		given := make([]engine.Entry, 0, min(h.Count, tiles.Width))
		for place := h.First; place < h.Size(); place++ {
			t, err := transactions.at(ctx, place)
			if err != nil {
				return err
			}
			given = append(given, t.Entry())
		}
		if err := s.Complete(c.machine, h, given); err != nil {
			return err
		}
	}
	return nil
}

// items reads the items of a kind in order, a bundle at a time.
type items[T any] struct {
	from   tiles.Reader
	kind   tiles.Kind
	of     chain.Checkpoint
	decode func(tiles.Path, []byte) ([]T, error)
	path   tiles.Path
	bundle []T
}

func (x *items[T]) at(ctx context.Context, n uint64) (item T, err error) {
	if p := x.pathOf(n); p != x.path {
		b, err := tiles.Fetch(ctx, x.from, p)
		if err != nil {
			return item, err
		}
		if x.bundle, err = x.decode(p, b); err != nil {
			return item, err
		}
		x.path = p
	}
	if n%tiles.Width >= uint64(len(x.bundle)) {
		return item, errors.New("a bundle is too short")
	}
	return x.bundle[n%tiles.Width], nil
}

func (x *items[T]) pathOf(n uint64) tiles.Path {
	p := tiles.Path{Kind: x.kind, Index: n / tiles.Width, Width: tiles.Width}
	if rest := tiles.Items(x.of, x.kind, 0) - p.Index*tiles.Width; rest < tiles.Width {
		p.Width = int(rest) //nolint:gosec // below Width
	}
	return p
}
