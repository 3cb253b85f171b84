package solo

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// sealed is a block that lies in the store and is not told of: its sync may
// still run, and nobody has signed it.
type sealed struct {
	header  chain.Header
	node    tx.PublicKey // who signs it
	written *store.Written
	batch   []*item        // in the entries' order
	entries []engine.Entry // of the batch
}

// commitLoop runs the two stages of a block: one seals it, and the other waits
// for its sync, signs it and tells of it, while the first is at the next. Both
// end when the ledger is closed and the queue empty, or when a write fails.
func (l *Ledger) commitLoop() {
	blocks := make(chan *sealed, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		l.finishLoop(blocks)
	}()
	err := l.sealLoop(blocks)
	close(blocks)
	<-finished // what was sealed before the failure stands
	l.tip.Release()
	if err != nil {
		l.fail(err)
	}
}

// sealLoop makes a block of what is queued whenever there is something.
func (l *Ledger) sealLoop(blocks chan<- *sealed) error {
	for {
		batch, last := l.take()
		if len(batch) == 0 {
			if last {
				return nil
			}
			<-l.wake
			continue
		}
		b, err := l.seal(batch)
		if err != nil {
			return err
		}
		if b == nil {
			l.finished(1)
			continue
		}
		blocks <- b
	}
}

// worth is how many transactions a block has at least that is sealed while
// another is synced, unless that one was larger: a block has its price, and
// those who come meanwhile are with the next one as soon.
const worth = 32

// ready reports whether the next block should be sealed. Call it under mu.
func (l *Ledger) ready() bool {
	n := len(l.queue)
	return n > 0 && (l.unfinished == 0 || l.closed || n >= min(max(l.sealed, worth), l.cfg.MaxBlock))
}

// take removes the next block's transactions from the queue, if it is time. It
// also says whether none will follow.
func (l *Ledger) take() (batch []*item, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready() {
		return nil, l.err != nil || l.closed && l.checking == 0 && len(l.queue) == 0
	}
	bytes, n := 0, 0
	for _, it := range l.queue {
		if n == l.cfg.MaxBlock || bytes+len(it.Raw) > l.cfg.MaxBlockBytes && n > 0 {
			break
		}
		n++
		bytes += len(it.Raw)
	}
	batch, l.queue = l.queue[:n:n], l.queue[n:]
	l.unfinished, l.sealed = l.unfinished+1, n
	return batch, false
}

// seal executes a block on the one before and writes it. There is none if all
// of the batch has expired.
func (l *Ledger) seal(batch []*item) (*sealed, error) {
	tip := l.tip.Head()
	h := chain.Header{
		Version: chain.HeaderVersion, Ledger: l.id, Height: tip.Height + 1,
		Time: max(l.cfg.Clock.Now(), tip.Time+1), First: tip.Size(),
		Previous: tip.Hash(), Rules: tip.Rules,
	}
	batch = ordered(l.expire(batch, h.Time))
	if len(batch) == 0 {
		return nil, nil
	}
	items := make([]engine.Item, len(batch))
	for i, it := range batch {
		items[i] = it.Item
	}
	done, err := l.execute(&h, items)
	if err != nil {
		return nil, err
	}
	written, err := l.store.Write(store.Block{Header: h, Executed: done, Items: items, Log: l.log})
	if err != nil {
		return nil, err
	}
	l.tip.Release()
	l.tip = written.Snapshot()
	l.tip.Retain()
	return &sealed{header: h, node: done.Node, written: written, batch: batch, entries: done.Entries}, nil
}

// expire drops the transactions that may not enter a block of this time.
func (l *Ledger) expire(batch []*item, time int64) []*item {
	live := batch[:0]
	var late []*item
	for _, it := range batch {
		if it.Envelope.Expiry <= time {
			late = append(late, it)
		} else {
			live = append(live, it)
		}
	}
	l.mu.Lock()
	for _, it := range late {
		l.expired = max(l.expired, it.Envelope.Expiry)
	}
	l.mu.Unlock()
	l.settle(late, func(int) (engine.Entry, error) {
		return engine.Entry{}, fmt.Errorf("transaction: expiry: %w", engine.ErrExpired)
	})
	return live
}

// ordered is the batch in the order of engine.Order.
func ordered(batch []*item) []*item {
	out := make([]*item, 0, len(batch))
	for _, directory := range []bool{true, false} {
		for _, it := range batch {
			if (it.Envelope.Stream == wire.Directory) == directory {
				out = append(out, it)
			}
		}
	}
	return out
}

// admitted is what a block of this engine executes on.
type admitted struct{ *store.Snapshot }

// Idempotent answers for transactions that hold their claim: the door has
// looked for the key in what was durable, and a claim is let go of only when
// its transaction is.
func (admitted) Idempotent(wire.StreamID, wire.KeyID, tx.Key) (wire.TxHash, bool, error) {
	return wire.TxHash{}, false, nil
}

// execute runs the block and completes its header.
func (l *Ledger) execute(h *chain.Header, items []engine.Item) (done *engine.Executed, err error) {
	defer func() {
		if r := recover(); r != nil {
			// The state machine is at fault, or the disk; either way nothing is written.
			err = fmt.Errorf("block %d: execution panicked: %v", h.Height, r)
		}
	}()
	done, err = engine.Execute(l.cfg.Machine, admitted{l.tip}, *h, items)
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
