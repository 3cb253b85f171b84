package mirror

import (
	"bytes"
	"context"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tiles"
)

// copying is where blocks come from, up to which checkpoint, and whether what
// they give is written.
type copying struct {
	from  tiles.Reader
	to    chain.Checkpoint
	write bool
}

// file is one file that is being filled.
type file struct {
	path tiles.Path
	data []byte
}

// advance executes the blocks of the headers and fills the files. If a read
// fails it can be called again, and goes on where it was; after a block that
// does not give what its header says, the mirror has to be opened again.
func (m *Mirror) advance(ctx context.Context, c copying, headers func(func(chain.Header) error) error) error {
	if err := m.settleFull(ctx, c); err != nil {
		return err
	}
	feed := &feed{copying: c, next: m.whole.Head().Size()}
	err := headers(func(h chain.Header) error {
		entries, err := feed.take(ctx, int(h.Count))
		if err != nil {
			return err
		}
		if m.err = m.block(h, entries); m.err != nil {
			return m.err
		}
		return m.settleFull(ctx, c)
	})
	if err != nil {
		return err
	}
	for _, f := range m.files {
		if err := m.settle(ctx, c, *f); err != nil {
			return err
		}
	}
	return nil
}

// settleFull settles the files that became full.
func (m *Mirror) settleFull(ctx context.Context, c copying) error {
	for ; len(m.full) > 0; m.full = m.full[1:] {
		if err := m.settle(ctx, c, m.full[0]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// block executes one block and adds to the files what it gives.
func (m *Mirror) block(h chain.Header, entries []engine.Entry) error {
	leaves, err := m.whole.Block(h, entries, func(n chain.Node, hash []byte) {
		if n.Level%tiles.LogWidth == 0 && n.Level/tiles.LogWidth <= tiles.MaxLevel {
			m.add(tiles.Path{Kind: tiles.Hashes, Level: uint8(n.Level / tiles.LogWidth)}, hash)
		}
	})
	if err != nil {
		return err
	}
	m.add(tiles.Path{Kind: tiles.Headers}, tiles.EncodeHeaders([]chain.Header{h}))
	for i := range leaves {
		m.add(tiles.Path{Kind: tiles.Entries}, tiles.AppendEntry(nil, leaves[i]))
		m.add(tiles.Path{Kind: tiles.Transactions}, tiles.EncodeTransactions([]tiles.Transaction{tiles.TransactionOf(&entries[i])}))
	}
	return nil
}

// add adds an item to the file of a kind and level that is being filled.
func (m *Mirror) add(which tiles.Path, item []byte) {
	f := m.files[which]
	if f == nil {
		f = &file{path: which}
		m.files[which] = f
	}
	f.data = append(f.data, item...)
	if f.path.Width++; f.path.Full() {
		m.full = append(m.full, *f)
		f.path.Index, f.path.Width, f.data = f.path.Index+1, 0, nil
	}
}

// settle compares a file with the other's, and writes it.
func (m *Mirror) settle(ctx context.Context, c copying, f file) error {
	if f.path.Width == 0 {
		return nil
	}
	theirs, err := tiles.Fetch(ctx, c.from, f.path)
	if err != nil {
		return err
	}
	if !bytes.Equal(theirs, f.data) {
		return fmt.Errorf("%v: not what the transactions give when they are executed again", f.path)
	}
	if !c.write {
		return nil
	}
	return m.dir.Write(f.path, f.data)
}

// feed reads transactions in their order.
type feed struct {
	copying
	next uint64
	have []tiles.Transaction
}

// take returns the next n transactions, as entries that are not placed yet.
func (f *feed) take(ctx context.Context, n int) ([]engine.Entry, error) {
	for len(f.have) < n {
		at := f.next + uint64(len(f.have))
		index := at / tiles.Width
		if at >= f.to.Size {
			return nil, fmt.Errorf("transaction %d: beyond the checkpoint's log of %d", at, f.to.Size)
		}
		p := tiles.Path{Kind: tiles.Transactions, Index: index, Width: int(min(f.to.Size-index*tiles.Width, tiles.Width))}
		b, err := tiles.Fetch(ctx, f.from, p)
		if err != nil {
			return nil, err
		}
		ts, err := tiles.DecodeTransactions(p, b)
		if err != nil {
			return nil, err
		}
		f.have = append(f.have, ts[at-index*tiles.Width:]...)
	}
	out := make([]engine.Entry, n)
	for i := range out {
		out[i] = f.have[i].Entry()
	}
	f.have, f.next = f.have[n:], f.next+uint64(n)
	return out, nil
}
