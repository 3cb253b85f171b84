package solo

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// claim is the right to one transaction under a signer's idempotency key.
type claim struct {
	stream wire.StreamID
	signer wire.KeyID
	key    tx.Key
}

func claimOf(e *tx.Envelope) claim { return claim{e.Stream, e.Key, e.Idempotency} }

// item is a transaction between its arrival and its block. What is not told to
// be fixed is under the ledger's mu.
type item struct {
	engine.Item // fixed
	queued      bool
	over        bool          // the check
	refused     error         // of the check
	checked     chan struct{} // closed when the check is over; made by who waits for it

	done  chan struct{} // fixed; closed when settled
	entry engine.Entry  // read after done
	err   error
}

// Submit admits a transaction and returns its hash. It is then in the queue and
// not yet durable: Wait tells. The same bytes may be submitted again at any
// time, with the same result. Errors are engine's: ErrMalformed, ErrExpired,
// ErrBusy, ErrRefused, ErrDuplicate (with the hash of the transaction that
// stands), ErrClosed and ErrStopped.
func (l *Ledger) Submit(ctx context.Context, raw []byte) (wire.TxHash, error) {
	env, err := tx.Decode(raw)
	if err != nil {
		return wire.TxHash{}, fmt.Errorf("%w: %w", engine.ErrMalformed, err)
	}
	if env.Ledger != l.id {
		return wire.TxHash{}, fmt.Errorf("%w: transaction: ledger: %v; this ledger is %v", engine.ErrMalformed, env.Ledger, l.id)
	}
	hash := tx.Hash(raw)
	it, now, err := l.reserve(ctx, engine.Item{Hash: hash, Envelope: env, Raw: bytes.Clone(raw)})
	switch {
	case err != nil:
		if dup := new(engine.DuplicateError); errors.As(err, &dup) {
			if dup.Earlier == hash {
				return hash, nil
			}
			return dup.Earlier, err
		}
		return wire.TxHash{}, err
	case now != nil:
		return hash, l.check(it, now)
	}
	return hash, l.await(ctx, it)
}

// reserve claims the idempotency key and a place in the queue, and returns the
// committed state to check the transaction on, which it holds. There is none
// if the same transaction is pending already: another caller checks it.
func (l *Ledger) reserve(ctx context.Context, t engine.Item) (*item, *committed, error) {
	c := claimOf(t.Envelope)
	clock := l.cfg.Clock.Now() // before the lock: a clock may read the head
	for {
		now, err := l.acquire()
		if err != nil {
			return nil, nil, err
		}
		// Without the lock, for it reads the disk. So it holds for this state alone.
		earlier, used, err := now.Idempotent(c.stream, c.signer, c.key)
		if err == nil && used {
			err = &engine.DuplicateError{Earlier: earlier}
		}
		if err == nil {
			err = l.entered(now, t.Hash)
		}
		var it *item
		mine, again := false, false
		if err == nil {
			it, mine, again, err = l.admit(t, c, now, clock)
		}
		if mine {
			return it, now, nil
		}
		l.release(now)
		if !again {
			return it, nil, err
		}
		if it != nil {
			_ = l.await(ctx, it) // what became of it shows then
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
}

// admit takes the claim. It is to be called again if the committed state has
// moved on, and after the check of a transaction that has the claim and may not
// be who it says.
func (l *Ledger) admit(t engine.Item, c claim, now *committed, clock int64) (it *item, mine, again bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.running(); err != nil {
		return nil, false, false, err
	}
	switch other := l.claims[c]; {
	case other == nil:
	case other.Hash == t.Hash:
		return other, false, false, nil
	case !other.over:
		return other, false, true, nil
	default:
		return nil, false, false, &engine.DuplicateError{Earlier: other.Hash}
	}
	switch {
	case l.now != now:
		return nil, false, true, nil
	case t.Envelope.Expiry <= max(clock, now.Head().Time+1, l.expired):
		l.expired = max(l.expired, t.Envelope.Expiry)
		return nil, false, false, fmt.Errorf("transaction: expiry: %w", engine.ErrExpired)
	case l.admitted >= l.cfg.MaxQueue || l.bytes+len(t.Raw) > l.cfg.MaxQueueBytes:
		return nil, false, false, engine.ErrBusy
	case l.shares[c.signer] > 0 && l.shares[c.signer] >= l.cfg.MaxQueue-l.admitted:
		return nil, false, false, engine.ErrShare
	}
	it = &item{Item: t, done: make(chan struct{})}
	l.claims[c], l.pending[t.Hash] = it, it
	l.admitted++
	l.checking++
	l.bytes += len(t.Raw)
	return it, true, false, nil
}

// check asks the state machine, on the committed state, and queues the item.
func (l *Ledger) check(it *item, now *committed) (err error) {
	defer l.release(now)
	err = errors.New("the check panicked") // then this is what others who wait for it are told
	defer func() { err = l.checked(it, err) }()
	err = l.ask(it, now)
	return err
}

func (l *Ledger) ask(it *item, now *committed) (err error) {
	if err := l.mayRotate(it.Envelope); err != nil {
		return err
	}
	defer store.Catch(&err)
	at, err := l.point(now.Snapshot, it.Envelope.Stream)
	if err != nil {
		return err
	}
	err = engine.Check(l.cfg.Machine, l.cfg.Genesis, at, now.State(wire.Directory), now.State(it.Envelope.Stream), it.Envelope)
	if err != nil {
		return &engine.RefusedError{Err: err}
	}
	return nil
}

// point is where the transaction would execute were it alone in the next block.
func (l *Ledger) point(s *store.Snapshot, id wire.StreamID) (engine.Point, error) {
	directory, err := s.Stream(wire.Directory)
	if err != nil {
		return engine.Point{}, err
	}
	stream, err := s.Stream(id)
	if err != nil {
		return engine.Point{}, err
	}
	h := s.Head()
	return engine.Point{
		Ledger: l.id, Height: h.Height + 1, Time: max(l.cfg.Clock.Now(), h.Time+1),
		Directory: directory.Count, Sequence: stream.Count,
	}, nil
}

// checked ends the check: the item is queued, or forgotten.
func (l *Ledger) checked(it *item, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checking--
	if l.err != nil { // the ledger stopped meanwhile
		err = l.err
	} else if err != nil {
		l.forget(it)
		it.err = err
		close(it.done)
	} else {
		it.queued = true
		l.shares[it.Envelope.Key]++
		l.queue = append(l.queue, it)
	}
	it.over, it.refused = true, err
	if it.checked != nil {
		close(it.checked)
	}
	if l.ready() || l.closed {
		l.nudge()
	}
	return err
}

// await waits for the check of a transaction by another caller.
func (l *Ledger) await(ctx context.Context, it *item) error {
	l.mu.Lock()
	if it.over {
		defer l.mu.Unlock()
		return it.refused
	}
	if it.checked == nil {
		it.checked = make(chan struct{})
	}
	l.mu.Unlock()
	select {
	case <-it.checked:
		return it.refused
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forget gives an item's place free, and says whether it had one. Call it under mu.
func (l *Ledger) forget(it *item) bool {
	if l.pending[it.Hash] != it {
		return false
	}
	delete(l.pending, it.Hash)
	delete(l.claims, claimOf(it.Envelope))
	l.admitted--
	l.bytes -= len(it.Raw)
	if k := it.Envelope.Key; it.queued {
		if l.shares[k]--; l.shares[k] == 0 {
			delete(l.shares, k)
		}
	}
	return true
}

// settle gives the items' places free and tells those who wait for them.
func (l *Ledger) settle(items []*item, outcome func(int) (engine.Entry, error)) {
	if len(items) == 0 {
		return
	}
	mine := make([]bool, len(items)) // not settled by fail
	l.mu.Lock()
	for i, it := range items {
		mine[i] = l.forget(it)
	}
	l.mu.Unlock()
	for i, it := range items {
		if mine[i] {
			it.entry, it.err = outcome(i)
			close(it.done)
		}
	}
}

// running says why nothing can be submitted. Call it under mu.
func (l *Ledger) running() error {
	switch {
	case l.err != nil:
		return l.err
	case l.closed:
		return engine.ErrClosed
	}
	return nil
}

// Wait returns the entry of a submitted transaction when it is durable in a
// block, refused or not. It fails with engine.ErrExpired if it expired before,
// and with engine.ErrUnknown if it was never admitted.
func (l *Ledger) Wait(ctx context.Context, hash wire.TxHash) (engine.Entry, error) {
	l.mu.Lock()
	it := l.pending[hash]
	l.mu.Unlock()
	if it == nil {
		return l.Entry(hash)
	}
	select {
	case <-it.done:
		return it.entry, it.err
	case <-ctx.Done():
		return engine.Entry{}, ctx.Err()
	}
}
