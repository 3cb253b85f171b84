package contract

import (
	"sync"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// batch holds what Prepare verified for the block at hand. It speeds up, and
// cannot change, what execution decides: a proof counts as verified only for
// the very statement that execution builds again.
type batch struct {
	mu   sync.Mutex
	held map[wire.TxHash]verifier.Item
}

// Prepare verifies the proofs of a block together, against the statements as
// the state before the block makes them.
func (m *Machine) Prepare(view func(wire.StreamID) state.View, block []engine.Pending) {
	var items []verifier.Item
	var names []wire.TxHash
	for _, p := range block {
		if item := m.claimed(view, p); item != nil {
			items, names = append(items, *item), append(names, p.Hash)
		}
	}
	held := make(map[wire.TxHash]verifier.Item, len(items))
	for i, name := range names {
		held[name] = items[i]
	}
	for _, i := range m.config.Verifier.VerifyBatch(items) {
		delete(held, names[i])
	}
	m.batch.mu.Lock()
	defer m.batch.mu.Unlock()
	m.batch.held = held
}

func (m *Machine) claimed(view func(wire.StreamID) state.View, p engine.Pending) *verifier.Item {
	k, ok := KindOf(p.Envelope.Kind)
	if !ok {
		return nil
	}
	body, err := k.Decode(p.Envelope.Body)
	if err != nil {
		return nil
	}
	r := k.rule(body)
	if r.claim == nil || r.check() != nil {
		return nil
	}
	dir := view(wire.Directory)
	c, err := m.context(p.Point, dir, p.Envelope)
	if err != nil {
		return nil
	}
	item, err := r.claim(m.world(dir, state.NewOverlay(view(p.Envelope.Stream))), c)
	if err != nil {
		return nil
	}
	return item
}

func (b *batch) proves(v Verifier, name wire.TxHash, item *verifier.Item) error {
	b.mu.Lock()
	held, ok := b.held[name]
	b.mu.Unlock()
	if ok && held == *item {
		return nil
	}
	return proves(v, item)
}
