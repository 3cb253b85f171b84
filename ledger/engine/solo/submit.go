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

// item is a transaction between its arrival and its block.
type item struct {
	engine.Item
	checked chan struct{} // closed when the check is over
	refused error         // of the check; read after checked

	done    chan struct{} // closed when settled
	settled bool
	entry   engine.Entry
	err     error
}

func (it *item) settle(e engine.Entry, err error) {
	it.entry, it.err, it.settled = e, err, true
	close(it.done)
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
	it, mine, err := l.reserve(engine.Item{Hash: hash, Envelope: env, Raw: bytes.Clone(raw)})
	if err != nil {
		if dup := new(engine.DuplicateError); errors.As(err, &dup) {
			if dup.Earlier == hash {
				return hash, nil
			}
			return dup.Earlier, err
		}
		return wire.TxHash{}, err
	}
	if mine {
		return hash, l.check(it)
	}
	select {
	case <-it.checked:
		return hash, it.refused
	case <-ctx.Done():
		return hash, ctx.Err()
	}
}

// reserve claims the idempotency key and a place in the queue. If the same
// transaction is pending already, it returns that item, and that it is not the
// caller's to check.
func (l *Ledger) reserve(t engine.Item) (it *item, mine bool, err error) {
	c := claimOf(t.Envelope)
	now := l.cfg.Clock.Now() // before the lock: a clock may read the head
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.running(); err != nil {
		return nil, false, err
	}
	if earlier, ok := l.claims[c]; ok && earlier != t.Hash {
		return nil, false, &engine.DuplicateError{Earlier: earlier}
	} else if ok {
		return l.pending[t.Hash], false, nil
	}
	earlier, ok, err := l.now.Idempotent(c.stream, c.signer, c.key)
	if err != nil {
		return nil, false, err
	}
	if ok {
		return nil, false, &engine.DuplicateError{Earlier: earlier}
	}
	if t.Envelope.Expiry <= max(now, l.now.Head().Time+1) {
		return nil, false, fmt.Errorf("transaction: expiry: %w", engine.ErrExpired)
	}
	if l.queued >= l.cfg.MaxQueue || l.bytes+len(t.Raw) > l.cfg.MaxQueueBytes {
		return nil, false, engine.ErrBusy
	}
	it = &item{Item: t, checked: make(chan struct{}), done: make(chan struct{})}
	l.claims[c], l.pending[t.Hash] = t.Hash, it
	l.queued++
	l.bytes += len(t.Raw)
	return it, true, nil
}

// check asks the state machine, on the committed state, and queues the item.
func (l *Ledger) check(it *item) (err error) {
	err = errors.New("the check panicked") // then this is what others who wait for it are told
	defer func() { err = l.checked(it, err) }()
	err = l.ask(it)
	return err
}

func (l *Ledger) ask(it *item) (err error) {
	if err := l.mayRotate(it.Envelope); err != nil {
		return err
	}
	now, err := l.acquire()
	if err != nil {
		return err
	}
	defer l.release(now)
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
	if it.settled { // the ledger stopped meanwhile
		err = it.err
	} else if err != nil {
		l.forget(it, engine.Entry{}, err)
	} else {
		l.queue = append(l.queue, it)
	}
	it.refused = err
	close(it.checked)
	l.nudge()
	return err
}

// forget settles an item and gives its place free. Call it under mu.
func (l *Ledger) forget(it *item, e engine.Entry, err error) {
	delete(l.pending, it.Hash)
	delete(l.claims, claimOf(it.Envelope))
	l.queued--
	l.bytes -= len(it.Raw)
	it.settle(e, err)
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
