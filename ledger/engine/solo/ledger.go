// Package solo is the ledger with one writer: crash-safe and tamper-evident.
//
// Transactions are checked as they come, by whoever submits them, and queue.
// Whenever the committer is idle it takes what is queued, executes it as a
// block, writes the block in one synced batch, signs the new head, and only
// then tells those who wait. There is no empty block and no timer.
//
// Nothing that was not synced is ever seen: reads go to a snapshot taken after
// the sync. After a failure to write the ledger stops, because what reached the
// disk is not known; opening it again finds out.
package solo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Ledger is a running ledger. Its methods are safe for concurrent use.
type Ledger struct {
	cfg   Config
	id    wire.LedgerID
	store *store.Store
	keys  atomic.Pointer[chain.Keys] // the newest that were read
	guard guard
	log   *store.Log // the committer's alone

	mu      sync.Mutex
	now     *committed // what readers see
	changed chan struct{}
	pending map[wire.TxHash]*item
	claims  map[claim]wire.TxHash
	queue   []*item
	queued  int // transactions admitted or being checked
	bytes   int // of those
	closed  bool
	err     error

	wake      chan struct{} // to the committer, at most one
	stop      context.CancelFunc
	stopped   context.Context
	work      sync.WaitGroup // committer and followers
	readers   sync.WaitGroup // who hold a committed state
	followers []*following
}

// committed is the last durable state.
type committed struct {
	*store.Snapshot
	checkpoint []byte
}

// Open opens or creates a ledger and starts it. It refuses a directory that is
// not whole, or not the one whose head was signed last.
func Open(cfg Config) (*Ledger, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	st, err := store.Open(cfg.Dir, cfg.Genesis, store.Options{FS: cfg.FS, MemTable: cfg.MemTable, NoSync: cfg.NoSync})
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		cfg: cfg, id: cfg.Genesis.ID(), store: st,
		guard:   guard{fsys: cfg.FS, path: cfg.HeadFile},
		changed: make(chan struct{}),
		pending: map[wire.TxHash]*item{}, claims: map[claim]wire.TxHash{},
		wake: make(chan struct{}, 1),
	}
	if err := l.recover(); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	l.stopped, l.stop = context.WithCancel(context.Background())
	l.work.Go(l.commitLoop)
	l.follow()
	return l, nil
}

// recover takes up the head: it compares it with the head file and signs it
// unless its checkpoint is there.
func (l *Ledger) recover() (err error) {
	defer store.Catch(&err)
	snap := l.store.Snapshot()
	l.now = &committed{Snapshot: snap}
	defer func() {
		if err != nil {
			snap.Release()
		}
	}()
	if err := l.guard.open(snap.Head(), snap.Header); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	if l.log, err = snap.Log(); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	keys, err := l.keysOf(l.now)
	if err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	if _, err := l.signer(keys.Present()); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	msg, err := snap.Checkpoint(snap.Head().Height)
	if errors.Is(err, engine.ErrUnknown) {
		msg, err = l.sign(snap.Head(), keys.Present())
	}
	if err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	c, err := chain.OpenCheckpoint(keys, msg)
	if err == nil {
		err = c.Matches(snap.Head())
	}
	if err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	l.now.checkpoint = msg
	return nil
}

// sign signs a durable head with the node's key of its height, once the guard
// has synced that it will be.
func (l *Ledger) sign(h chain.Header, node tx.PublicKey) ([]byte, error) {
	signer, err := l.signer(node)
	if err != nil {
		return nil, err
	}
	if err := l.guard.allow(h); err != nil {
		return nil, err
	}
	msg, err := h.Checkpoint(l.cfg.Genesis.Origin).Sign(signer)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return msg, l.store.SetCheckpoint(h.Height, msg)
}

// Err returns why the ledger stopped, or why a follower did; nil while all run.
func (l *Ledger) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	for _, f := range l.followers {
		err = errors.Join(err, f.err)
	}
	return err
}

// Close refuses further submissions, puts what is queued into a block, waits
// for the committer and the followers' current block, and closes the directory.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return engine.ErrClosed
	}
	l.closed = true
	l.mu.Unlock()
	l.nudge()
	l.stop()
	l.work.Wait()
	l.mu.Lock()
	now := l.now
	l.now = nil
	close(l.changed)
	l.mu.Unlock()
	now.Release()
	l.readers.Wait()
	return l.store.Close()
}

// fail stops the ledger: what is queued will not enter, and nothing more does.
func (l *Ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = fmt.Errorf("%w: %w", engine.ErrStopped, err)
	for _, it := range l.pending {
		if !it.settled {
			it.settle(engine.Entry{}, l.err)
		}
	}
	clear(l.pending)
	clear(l.claims)
	l.queue, l.queued, l.bytes = nil, 0, 0
	l.announce()
}

// announce wakes whoever waits for a change. Call it under mu.
func (l *Ledger) announce() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Ledger) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
