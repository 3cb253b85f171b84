package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// again is the ledger executed again, in memory.
type again struct {
	machine engine.StateMachine
	genesis chain.Genesis
	streams map[wire.StreamID]*executed
	heads   state.Memory // nodes of the map over the streams
}

type executed struct {
	chain.Stream
	state, nodes state.Memory
}

func newAgain(m engine.StateMachine, g chain.Genesis) *again {
	return &again{machine: m, genesis: g, streams: map[wire.StreamID]*executed{}}
}

func (a *again) stream(id wire.StreamID) *executed {
	s, ok := a.streams[id]
	if !ok {
		s = new(executed)
		a.streams[id] = s
	}
	return s
}

// block executes a block again and compares results and the root of the streams.
func (a *again) block(h chain.Header, entries []engine.Entry) error {
	pending := make([]engine.Pending, len(entries))
	var accepted []engine.Pending
	for i := range entries {
		e := &entries[i]
		env, err := opened(e, h.Ledger)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		pending[i] = engine.Pending{Hash: e.Hash, Envelope: env, Point: engine.Point{
			Ledger: h.Ledger, Height: e.Height, Index: e.Index, Time: e.Time, Directory: e.Directory, Sequence: e.Sequence,
		}}
		if env != nil {
			accepted = append(accepted, pending[i])
		}
	}
	engine.Prepare(a.machine, func(id wire.StreamID) state.View { return &a.stream(id).state }, accepted)
	changed := map[wire.StreamID]*state.Overlay{}
	var order []wire.StreamID
	for i := range entries {
		id := entries[i].Stream
		if changed[id] == nil {
			changed[id] = state.NewOverlay(&a.stream(id).state)
			order = append(order, id)
		}
		if err := a.execute(&entries[i], pending[i], changed); err != nil {
			return fmt.Errorf("%s: %w", entries[i].Name(), err)
		}
	}
	return a.seal(h, order, changed)
}

func (a *again) execute(e *engine.Entry, p engine.Pending, changed map[wire.StreamID]*state.Overlay) error {
	s := a.stream(e.Stream)
	if p.Envelope != nil {
		var directory state.View = &a.stream(wire.Directory).state
		if o := changed[wire.Directory]; o != nil {
			directory = o
		}
		if err := engine.Check(a.machine, a.genesis, p.Point, directory, changed[e.Stream], p.Envelope); err != nil {
			return fmt.Errorf("must not have entered: %w", err)
		}
		try := state.NewOverlay(changed[e.Stream])
		if e.Stream == wire.Directory {
			directory = try
		}
		got := engine.Run(a.machine, a.genesis, p, directory, try)
		if !bytes.Equal(wire.Marshal(got), wire.Marshal(e.Result)) {
			return fmt.Errorf("executed again it gives code %d and %d events, or others than the %d it has", got.Code, len(got.Events), len(e.Result.Events))
		}
		try.Commit(changed[e.Stream])
	}
	link := e.Link(s.Head)
	s.Head, s.Count = link.Head(), s.Count+1
	return nil
}

// seal brings the maps up to date and compares the root.
func (a *again) seal(h chain.Header, order []wire.StreamID, changed map[wire.StreamID]*state.Overlay) error {
	slices.SortFunc(order, func(x, y wire.StreamID) int { return bytes.Compare(x[:], y[:]) })
	var heads []state.Write
	for _, id := range order {
		s := a.stream(id)
		if writes := changed[id].Writes(); len(writes) > 0 {
			s.Digest = state.NewMap(&s.nodes).Update(writes)
			changed[id].Commit(&s.state)
		}
		heads = append(heads, state.Write{Key: bytes.Clone(id[:]), Value: s.Encode()})
	}
	if got := state.NewMap(&a.heads).Update(heads); got != h.Streams {
		return fmt.Errorf("executed again, the streams have the root %v; the header says %v", got, h.Streams)
	}
	return nil
}
