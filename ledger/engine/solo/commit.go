package solo

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
)

// commitLoop makes a block of what is queued whenever there is something, until
// the ledger is closed and the queue empty, or a write fails.
func (l *Ledger) commitLoop() {
	for {
		batch, last := l.take()
		if len(batch) > 0 {
			if err := l.commit(batch); err != nil {
				l.fail(err)
				return
			}
			continue
		}
		if last {
			return
		}
		<-l.wake
	}
}

// take removes the next block's transactions from the queue, dropping the
// expired. It also says whether none will follow.
func (l *Ledger) take() (batch []*item, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes, n := 0, 0
	for _, it := range l.queue {
		if len(batch) == l.cfg.MaxBlock || bytes+len(it.Raw) > l.cfg.MaxBlockBytes && len(batch) > 0 {
			break
		}
		n++
		batch = append(batch, it)
		bytes += len(it.Raw)
	}
	l.queue = l.queue[n:]
	return batch, l.closed && l.queued == 0
}

// commit makes one block durable and tells those who wait for it.
func (l *Ledger) commit(batch []*item) error {
	head := l.now.Head() // written by this goroutine alone
	h := chain.Header{
		Version: chain.HeaderVersion, Ledger: l.id, Height: head.Height + 1,
		Time: max(l.cfg.Clock.Now(), head.Time+1), First: head.Size(),
		Previous: head.Hash(), Rules: head.Rules,
	}
	batch = l.expire(batch, h.Time)
	if len(batch) == 0 {
		return nil
	}
	items := make([]engine.Item, len(batch))
	for i, it := range batch {
		items[i] = it.Item
	}
	engine.Order(items)
	done, err := l.execute(&h, items)
	if err != nil {
		return err
	}
	if err := l.store.Commit(store.Block{Header: h, Executed: done, Items: items, Log: l.log}); err != nil {
		return err
	}
	checkpoint, err := l.sign(h, done.Node)
	if err != nil {
		return err
	}
	return l.publish(batch, done.Entries, checkpoint)
}

// expire drops the transactions that may not enter a block of this time.
func (l *Ledger) expire(batch []*item, time int64) []*item {
	live := batch[:0:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range batch {
		if it.Envelope.Expiry <= time {
			l.forget(it, engine.Entry{}, fmt.Errorf("transaction: expiry: %w", engine.ErrExpired))
			continue
		}
		live = append(live, it)
	}
	return live
}

// execute runs the block and completes its header.
func (l *Ledger) execute(h *chain.Header, items []engine.Item) (done *engine.Executed, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The state machine is at fault, or the disk; either way nothing is written.
			err = fmt.Errorf("block %d: execution panicked: %v", h.Height, r)
		}
	}()
	done, err = engine.Execute(l.cfg.Machine, l.now.Snapshot, *h, items)
	if err != nil {
		return nil, err
	}
	if err := l.log.Append(done.Leaves); err != nil {
		return nil, err
	}
	h.Count = uint32(len(items))
	h.Streams, h.Results = done.Streams, done.Results
	h.Root, err = l.log.Root()
	return done, err
}

// publish shows the new head to readers and settles the block's transactions.
func (l *Ledger) publish(batch []*item, entries []engine.Entry, checkpoint []byte) (err error) {
	defer store.Catch(&err)
	next := &committed{Snapshot: l.store.Snapshot(), checkpoint: checkpoint}
	at := make(map[[32]byte]engine.Entry, len(entries))
	for _, e := range entries {
		at[e.Hash] = e
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now.Release()
	l.now = next
	for _, it := range batch {
		l.forget(it, at[it.Hash], nil)
	}
	l.announce()
	return nil
}
