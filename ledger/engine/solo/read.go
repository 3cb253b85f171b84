package solo

import (
	"fmt"
	"sync"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// acquire takes hold of what is committed; release it.
func (l *Ledger) acquire() (*committed, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil {
		return nil, engine.ErrClosed
	}
	l.now.Retain()
	l.readers.Add(1)
	return l.now, nil
}

func (l *Ledger) release(c *committed) {
	c.Release()
	l.readers.Done()
}

// read runs fn on what is committed.
func read[T any](l *Ledger, fn func(*committed) (T, error)) (out T, err error) {
	now, err := l.acquire()
	if err != nil {
		return out, err
	}
	defer l.release(now)
	defer store.Catch(&err)
	return fn(now)
}

// Genesis is the ledger's genesis, ID its name.
func (l *Ledger) Genesis() chain.Genesis { return l.cfg.Genesis }

// ID is the ledger's name.
func (l *Ledger) ID() wire.LedgerID { return l.id }

// Head returns the last header; of an empty ledger genesis's, at height 0.
// After Close it is the zero header.
func (l *Ledger) Head() chain.Header {
	h, _ := read(l, func(c *committed) (chain.Header, error) { return c.Head(), nil })
	return h
}

// LogSize is the number of transactions in the log.
func (l *Ledger) LogSize() uint64 { return l.Head().Size() }

// Checkpoint returns the signed checkpoint of the head; nil after Close.
func (l *Ledger) Checkpoint() []byte {
	b, _ := read(l, func(c *committed) ([]byte, error) { return c.checkpoint, nil })
	return b
}

// CheckpointAt returns the signed checkpoint of a height.
func (l *Ledger) CheckpointAt(height uint64) ([]byte, error) {
	return read(l, func(c *committed) ([]byte, error) { return c.at(height) })
}

func (c *committed) at(height uint64) ([]byte, error) {
	if height == c.Head().Height {
		return c.checkpoint, nil
	}
	return c.Checkpoint(height)
}

// Header returns the header at a height; genesis's at 0.
func (l *Ledger) Header(height uint64) (chain.Header, error) {
	return read(l, func(c *committed) (chain.Header, error) { return c.Header(height) })
}

// Headers returns the headers from one height to another, both included.
func (l *Ledger) Headers(from, to uint64) ([]chain.Header, error) {
	return read(l, func(c *committed) ([]chain.Header, error) {
		if from > to || to > c.Head().Height {
			return nil, fmt.Errorf("headers %d to %d: %w; the head is %d", from, to, engine.ErrUnknown, c.Head().Height)
		}
		out := make([]chain.Header, 0, min(to-from+1, 1<<16))
		for height := from; height <= to; height++ {
			h, err := c.Header(height)
			if err != nil {
				return nil, err
			}
			out = append(out, h)
		}
		return out, nil
	})
}

// Entry returns the entry of a transaction, or engine.ErrUnknown.
func (l *Ledger) Entry(hash wire.TxHash) (engine.Entry, error) {
	return read(l, func(c *committed) (engine.Entry, error) { return c.Entry(hash) })
}

// Entries returns up to limit entries of the log from a place on, which counts from 0.
func (l *Ledger) Entries(from uint64, limit int) ([]engine.Entry, error) {
	return read(l, func(c *committed) ([]engine.Entry, error) { return c.Entries(from, limit) })
}

// StreamEntries returns up to limit entries of a stream from a sequence on.
func (l *Ledger) StreamEntries(id wire.StreamID, from uint64, limit int) ([]engine.Entry, error) {
	return read(l, func(c *committed) ([]engine.Entry, error) { return c.StreamEntries(id, from, limit) })
}

// Block returns the block at a height.
func (l *Ledger) Block(height uint64) (engine.Block, error) {
	return read(l, func(c *committed) (engine.Block, error) { return c.Block(height) })
}

// Streams returns the ids of all streams that have a transaction, in order.
func (l *Ledger) Streams() ([]wire.StreamID, error) {
	return read(l, func(c *committed) ([]wire.StreamID, error) { return c.Streams() })
}

// Stream returns a stream's head, count and digest; zero before its first transaction.
func (l *Ledger) Stream(id wire.StreamID) (chain.Stream, error) {
	return read(l, func(c *committed) (chain.Stream, error) { return c.Stream(id) })
}

// StreamProof shows what the head's streams root says of a stream. The proof
// names the height it was made for.
func (l *Ledger) StreamProof(id wire.StreamID) (chain.StreamProof, error) {
	return read(l, func(c *committed) (chain.StreamProof, error) { return c.StreamProof(id) })
}

// InclusionProof shows that the log of the given size has a leaf at index.
func (l *Ledger) InclusionProof(index, size uint64) ([]wire.Hash, error) {
	return read(l, func(c *committed) ([]wire.Hash, error) { return c.InclusionProof(index, size) })
}

// ConsistencyProof shows that the log of size n begins with that of size m.
func (l *Ledger) ConsistencyProof(m, n uint64) ([]wire.Hash, error) {
	return read(l, func(c *committed) ([]wire.Hash, error) { return c.ConsistencyProof(m, n) })
}

// Snapshot is the committed state at one head, for reading several streams as
// they are together.
type Snapshot struct {
	Head chain.Header
	View func(wire.StreamID) state.View
}

// With runs fn on a snapshot, which is not to be kept.
func (l *Ledger) With(fn func(Snapshot) error) error {
	_, err := read(l, func(c *committed) (struct{}, error) {
		return struct{}{}, fn(Snapshot{Head: c.Head(), View: c.State})
	})
	return err
}

// View returns a stream's committed state and what releases it, which is to be
// called, else Close waits for it. Prefer With. After Close the state is empty.
func (l *Ledger) View(id wire.StreamID) (state.View, func()) {
	now, err := l.acquire()
	if err != nil {
		return state.Empty{}, func() {}
	}
	return now.State(id), sync.OnceFunc(func() { l.release(now) })
}
