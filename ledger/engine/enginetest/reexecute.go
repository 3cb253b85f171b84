package enginetest

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Reexecute runs a ledger's blocks again, from nothing and in plain maps, and
// compares each header: its streams, its results and its log. The raw bytes of
// every transaction are needed, because the ledger keeps no body of a refused one.
func Reexecute(e engine.Engine, m engine.StateMachine, raw func(wire.TxHash) []byte) error {
	base := newMemory(e.Genesis())
	log := chain.NewLog()
	for height := uint64(1); height <= e.Head().Height; height++ {
		h, err := e.Header(height)
		if err != nil {
			return err
		}
		b, err := e.Block(height)
		if err != nil {
			return err
		}
		items, err := itemsOf(b, raw)
		if err != nil {
			return fmt.Errorf("block %d: %w", height, err)
		}
		done, err := engine.Execute(m, base, h, items)
		if err != nil {
			return fmt.Errorf("block %d: %w", height, err)
		}
		if err := log.Append(done.Leaves, nil); err != nil {
			return err
		}
		root, err := log.Root()
		if err != nil {
			return err
		}
		if done.Streams != h.Streams || done.Results != h.Results || root != h.Root {
			return fmt.Errorf("block %d: executed again it gives streams %v, results %v, root %v; the header says %v, %v, %v",
				height, done.Streams, done.Results, root, h.Streams, h.Results, h.Root)
		}
		base.apply(done, items)
	}
	return nil
}

func itemsOf(b engine.Block, raw func(wire.TxHash) []byte) ([]engine.Item, error) {
	items := make([]engine.Item, len(b.Entries))
	for i, e := range b.Entries {
		bytes := raw(e.Hash)
		env, err := tx.Decode(bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: was never submitted: %w", e.Name(), err)
		}
		items[i] = engine.Item{Hash: e.Hash, Envelope: env, Raw: bytes}
	}
	return items, nil
}

// memory is an engine.Base that is nothing but maps.
type memory struct {
	genesis       chain.Genesis
	states, nodes map[wire.StreamID]*state.Memory
	streamNodes   *state.Memory
	streams       map[wire.StreamID]chain.Stream
	used          map[claim]wire.TxHash
}

// claim is a signer's idempotency key in a stream.
type claim struct {
	stream wire.StreamID
	signer wire.KeyID
	key    tx.Key
}

func newMemory(g chain.Genesis) *memory {
	return &memory{
		genesis: g, states: map[wire.StreamID]*state.Memory{}, nodes: map[wire.StreamID]*state.Memory{},
		streamNodes: new(state.Memory), streams: map[wire.StreamID]chain.Stream{}, used: map[claim]wire.TxHash{},
	}
}

func of(m map[wire.StreamID]*state.Memory, id wire.StreamID) *state.Memory {
	if m[id] == nil {
		m[id] = new(state.Memory)
	}
	return m[id]
}

func (m *memory) Genesis() chain.Genesis                        { return m.genesis }
func (m *memory) State(id wire.StreamID) state.View             { return of(m.states, id) }
func (m *memory) Nodes(id wire.StreamID) state.View             { return of(m.nodes, id) }
func (m *memory) StreamNodes() state.View                       { return m.streamNodes }
func (m *memory) Stream(id wire.StreamID) (chain.Stream, error) { return m.streams[id], nil }

func (m *memory) Idempotent(id wire.StreamID, signer wire.KeyID, key tx.Key) (wire.TxHash, bool, error) {
	h, ok := m.used[claim{id, signer, key}]
	return h, ok, nil
}

func (m *memory) apply(done *engine.Executed, items []engine.Item) {
	for _, c := range done.Changed {
		m.streams[c.ID] = c.Stream
		write(of(m.states, c.ID), c.State)
		write(of(m.nodes, c.ID), c.Nodes)
	}
	write(m.streamNodes, done.StreamNodes)
	for i, e := range done.Entries {
		env := items[i].Envelope
		c := claim{env.Stream, env.Key, env.Idempotency}
		if _, taken := m.used[c]; !taken && e.Result.Code != engine.Expired {
			m.used[c] = e.Hash
		}
	}
}

func write(to *state.Memory, ws []state.Write) {
	for _, w := range ws {
		if w.Delete {
			to.Delete(w.Key)
		} else {
			to.Set(w.Key, w.Value)
		}
	}
}
