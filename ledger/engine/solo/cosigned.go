package solo

import (
	"context"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
)

// AwaitBlock returns when the head is above a height. It fails when ctx ends or
// the ledger is closed.
func (l *Ledger) AwaitBlock(ctx context.Context, above uint64) error {
	for {
		l.mu.Lock()
		now, changed := l.now, l.changed
		reached := now != nil && now.Head().Height > above
		l.mu.Unlock()
		switch {
		case now == nil:
			return engine.ErrClosed
		case reached:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.stopped.Done():
			return engine.ErrClosed
		case <-changed:
		}
	}
}

// SetCosigned keeps the checkpoint of a height with the cosignatures of
// witnesses, which the caller has verified. The checkpoint itself must be this
// ledger's own.
func (l *Ledger) SetCosigned(height uint64, msg []byte) error {
	return l.beside(func(now *committed) error {
		keys, err := l.keysOf(now)
		if err != nil {
			return err
		}
		c, err := chain.OpenCheckpoint(keys, msg)
		if err != nil {
			return err
		}
		h, err := now.Header(height)
		if err != nil {
			return err
		}
		if err := c.Matches(h); err != nil {
			return err
		}
		return l.store.SetCosigned(height, msg)
	})
}

// SetStamp keeps the RFC 3161 time stamp of the checkpoint of a height, which
// the caller has verified.
func (l *Ledger) SetStamp(height uint64, token []byte) error {
	return l.beside(func(*committed) error { return l.store.SetStamp(height, token) })
}

// beside writes what does not belong to a block.
func (l *Ledger) beside(write func(*committed) error) error {
	_, err := read(l, func(c *committed) (struct{}, error) { return struct{}{}, write(c) })
	return err
}

// Cosigned returns the newest checkpoint that witnesses have cosigned, or
// engine.ErrUnknown. It may be of an older block than the head.
func (l *Ledger) Cosigned() ([]byte, error) {
	_, msg, err := besides(l, func(s *store.Snapshot) (uint64, []byte, error) { return s.NewestCosigned() })
	return msg, err
}

// CosignedFrom returns the first cosigned checkpoint of a height or above, or
// engine.ErrUnknown.
func (l *Ledger) CosignedFrom(height uint64) (at uint64, msg []byte, err error) {
	return besides(l, func(s *store.Snapshot) (uint64, []byte, error) { return s.CosignedFrom(height) })
}

// CosignedAt returns the cosigned checkpoint of a height, or engine.ErrUnknown.
func (l *Ledger) CosignedAt(height uint64) ([]byte, error) {
	at, msg, err := l.CosignedFrom(height)
	if err == nil && at != height {
		return nil, engine.ErrUnknown
	}
	return msg, err
}

// StampFrom returns the first time stamp of a checkpoint of a height or above,
// or engine.ErrUnknown.
func (l *Ledger) StampFrom(height uint64) (at uint64, token []byte, err error) {
	return besides(l, func(s *store.Snapshot) (uint64, []byte, error) { return s.StampFrom(height) })
}

// besides reads what does not belong to a block as it is now: it came after the
// snapshot of the head.
func besides(l *Ledger, fn func(*store.Snapshot) (uint64, []byte, error)) (at uint64, b []byte, err error) {
	_, err = read(l, func(*committed) (_ struct{}, err error) {
		snap := l.store.Snapshot()
		defer snap.Release()
		at, b, err = fn(snap)
		return struct{}{}, err
	})
	return at, b, err
}
