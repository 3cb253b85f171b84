package solo

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
)

// finishLoop finishes the blocks in their order, all that wait together. After
// a failure the ledger has stopped, and what still comes is let go of.
func (l *Ledger) finishLoop(blocks <-chan *sealed) {
	var failed error
	for b := range blocks {
		group := []*sealed{b}
		for more := true; more; {
			select {
			case b, ok := <-blocks:
				if more = ok; ok {
					group = append(group, b)
				}
			default:
				more = false
			}
		}
		if failed == nil {
			if failed = l.finish(group); failed != nil {
				l.fail(failed)
			}
			continue
		}
		for _, b := range group {
			_ = b.written.Wait() // the ledger has stopped, and said why
			b.written.Snapshot().Release()
		}
	}
}

// finish makes blocks durable, signs each, and tells those who wait.
func (l *Ledger) finish(group []*sealed) (err error) {
	last := group[len(group)-1]
	defer func() {
		for _, b := range group {
			if err != nil || b != last {
				b.written.Snapshot().Release()
			}
		}
	}()
	for _, b := range group {
		err = errors.Join(err, b.written.Wait())
	}
	if err != nil {
		return err
	}
	if err = l.guard.allow(last.header); err != nil {
		return err
	}
	var checkpoint []byte
	for _, b := range group {
		if checkpoint, err = l.sign(b.header, b.node); err != nil {
			return err
		}
	}
	l.publish(group, &committed{Snapshot: last.written.Snapshot(), checkpoint: checkpoint})
	return nil
}

// sign signs a durable head with the node's key of its height and keeps the
// checkpoint. The guard must have allowed it, or a later head.
func (l *Ledger) sign(h chain.Header, node tx.PublicKey) ([]byte, error) {
	signer, err := l.signer(node)
	if err != nil {
		return nil, err
	}
	msg, err := h.Checkpoint(l.cfg.Genesis.Origin).Sign(signer)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return msg, l.store.SetCheckpoint(h.Height, msg)
}

// publish shows the new head to readers and settles the blocks' transactions.
func (l *Ledger) publish(group []*sealed, next *committed) {
	l.mu.Lock()
	l.now.Release()
	l.now = next
	l.mu.Unlock()
	for _, b := range group {
		l.settle(b.batch, func(i int) (engine.Entry, error) { return b.entries[i], nil })
	}
	l.finished(len(group))
}

// finished counts blocks that are shown, or were not made.
func (l *Ledger) finished(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unfinished -= n
	l.announce()
	if l.ready() || l.closed {
		l.nudge()
	}
}
