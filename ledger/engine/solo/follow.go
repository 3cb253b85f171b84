package solo

import (
	"context"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/engine"
)

// following is one follower and how far it is.
type following struct {
	engine.Follower
	name   string
	height uint64 // applied; under the ledger's mu
	err    error  // why it stopped; under the ledger's mu
}

// FollowerStatus tells how far a follower is, and why it stopped if it did.
type FollowerStatus struct {
	Name   string
	Height uint64
	Err    error
}

// follow starts each follower on its own goroutine, so that a slow one delays
// neither the chain nor the others.
func (l *Ledger) follow() {
	for _, f := range l.cfg.Followers {
		l.followers = append(l.followers, &following{Follower: f, name: fmt.Sprintf("%T", f)})
	}
	for _, f := range l.followers {
		l.work.Go(func() {
			err := l.feed(f)
			l.mu.Lock()
			defer l.mu.Unlock()
			if err != nil && l.stopped.Err() == nil {
				f.err = fmt.Errorf("follower %s: %w", f.name, err)
			}
			l.announce()
		})
	}
}

// feed tells a follower every block after its cursor, until the ledger stops.
func (l *Ledger) feed(f *following) error {
	at, err := f.Cursor(l.stopped)
	if err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if head := l.Head().Height; at > head {
		return fmt.Errorf("cursor: block %d; the ledger ends at %d: the follower belongs to another history, rebuild it", at, head)
	}
	for {
		head, changed := l.reached(f, at)
		if at == head {
			select {
			case <-l.stopped.Done():
				return nil
			case <-changed:
				continue
			}
		}
		if l.stopped.Err() != nil {
			return nil
		}
		b, err := l.Block(at + 1)
		if err != nil {
			return err
		}
		if err := f.Apply(l.stopped, b); err != nil {
			return fmt.Errorf("block %d: %w", at+1, err)
		}
		at++
	}
}

// reached notes how far a follower is, and returns the head and what tells of
// the next change.
func (l *Ledger) reached(f *following, at uint64) (head uint64, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Only a change is announced: two idle followers would wake each other forever.
	if f.height != at {
		f.height = at
		l.announce()
	}
	return l.now.Head().Height, l.changed
}

// Followers tells how far each follower is.
func (l *Ledger) Followers() []FollowerStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]FollowerStatus, len(l.followers))
	for i, f := range l.followers {
		out[i] = FollowerStatus{Name: f.name, Height: f.height, Err: f.err}
	}
	return out
}

// CatchUp waits until every follower has applied the block that is the head
// now. It fails if one of them has stopped.
func (l *Ledger) CatchUp(ctx context.Context) error {
	head := l.Head().Height
	for {
		l.mu.Lock()
		done, err := true, l.running()
		for _, f := range l.followers {
			done = done && f.height >= head
			err = errors.Join(err, f.err)
		}
		changed := l.changed
		l.mu.Unlock()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
