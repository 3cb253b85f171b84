// Package solo is the ledger with one writer: crash-safe and tamper-evident.
//
// Transactions are checked as they come, by whoever submits them, and queue.
// Whenever the committer is idle it takes what is queued, executes it as a
// block, and writes the block in one batch. While that is synced it executes
// the next block on it. Behind it a second stage waits for the sync, notes the
// head in the head file, signs it, and only then tells those who wait. There is
// no empty block and no timer.
//
// Nothing that was not synced and signed is ever seen: reads go to a snapshot
// that is shown by the second stage. After a failure to write the ledger stops,
// because what reached the disk is not known; opening it again finds out: what
// was synced stands, and its checkpoints are signed again to the same bytes.
package solo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// Ledger is a running ledger. Its methods are safe for concurrent use.
type Ledger struct {
	cfg   Config
	id    wire.LedgerID
	store *store.Store
	keys  atomic.Pointer[chain.Keys] // the newest that were read

	completed bool // it has blocks that store.Complete appended

	guard guard
	log   *store.Log      // the committer's alone
	tip   *store.Snapshot // the last sealed block; the committer's alone

	mu       sync.Mutex
	now      *committed // what readers see
	changed  chan struct{}
	pending  map[wire.TxHash]*item
	claims   map[claim]*item
	queue    []*item
	admitted int                // transactions from their admission until they are settled
	checking int                // of those, not yet in the queue
	bytes    int                // of the admitted
	shares   map[wire.KeyID]int // of the admitted and checked, by signer
	expired  int64              // the latest expiry that somebody was told has come: a clock set back does not undo it
	closed   bool
	err      error

	unfinished int // blocks from when they are taken from the queue until they are shown
	sealed     int // transactions of the last block taken

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
	g := guard{fsys: cfg.FS, path: cfg.HeadFile}
	if err := g.lock(); err != nil {
		return nil, err
	}
	st, err := store.Open(cfg.Dir, cfg.Genesis, store.Options{FS: cfg.FS, MemTable: cfg.MemTable, NoSync: cfg.NoSync})
	if err != nil {
		return nil, errors.Join(err, g.unlock())
	}
	l := &Ledger{
		cfg: cfg, id: cfg.Genesis.ID(), store: st,
		guard:   g,
		changed: make(chan struct{}),
		pending: map[wire.TxHash]*item{}, claims: map[claim]*item{}, shares: map[wire.KeyID]int{},
		wake: make(chan struct{}, 1),
	}
	if err := l.recover(); err != nil {
		return nil, errors.Join(err, st.Close(), l.guard.unlock())
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
	if l.completed, err = snap.Completed(); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	keys, err := l.keysOf(l.now)
	if err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	if _, err := l.signer(keys.Present()); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	if err := l.signMissing(snap, keys); err != nil {
		return fmt.Errorf("solo: %w", err)
	}
	msg, err := snap.Checkpoint(snap.Head().Height)
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
	snap.Retain()
	l.tip = snap
	return nil
}

// signMissing signs the last heads that have no checkpoint: those whose blocks
// were synced and whose checkpoints were not.
func (l *Ledger) signMissing(snap *store.Snapshot, keys chain.Keys) error {
	var missing []chain.Header // the newest first
	for height := snap.Head().Height; ; height-- {
		_, err := snap.Checkpoint(height)
		if err == nil {
			break
		}
		if !errors.Is(err, engine.ErrUnknown) {
			return err
		}
		h, err := snap.Header(height)
		if err != nil {
			return err
		}
		if missing = append(missing, h); height == 0 {
			break
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := l.guard.allow(snap.Head()); err != nil {
		return err
	}
	for _, h := range slices.Backward(missing) {
		if _, err := l.sign(h, keys.At(h.Height)); err != nil {
			return err
		}
	}
	return nil
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
	return errors.Join(l.store.Close(), l.guard.unlock())
}

// fail stops the ledger for the first reason given: what is queued will not
// enter, and nothing more does.
func (l *Ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = fmt.Errorf("%w: %w", engine.ErrStopped, err)
	for _, it := range l.pending {
		it.err = l.err
		close(it.done)
	}
	clear(l.pending)
	clear(l.claims)
	clear(l.shares)
	l.queue, l.admitted, l.bytes = nil, 0, 0
	l.announce()
	l.nudge()
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
