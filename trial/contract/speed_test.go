package contract_test

import (
	"fmt"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial/contract"
)

// shelf is a committed ledger in memory, for blocks that are executed and not kept.
type shelf struct {
	states, nodes map[wire.StreamID]*state.Memory
	streams       state.Memory
}

// shelve takes the bench's state, with the maps over it.
func shelve(b *bench) *shelf {
	s := &shelf{states: map[wire.StreamID]*state.Memory{}, nodes: map[wire.StreamID]*state.Memory{}}
	for id, v := range map[wire.StreamID]state.View{wire.Directory: b.dir, wire.StreamID(b.trial): b.stream} {
		s.states[id], s.nodes[id] = copyOf(v), new(state.Memory)
		writes := state.NewOverlay(state.Empty{})
		v.Scan(nil, func(key, value []byte) bool { writes.Set(key, value); return true })
		state.NewMap(s.nodes[id]).Update(writes.Writes())
	}
	return s
}

func (s *shelf) State(id wire.StreamID) state.View          { return s.states[id] }
func (s *shelf) Nodes(id wire.StreamID) state.View          { return s.nodes[id] }
func (s *shelf) StreamNodes() state.View                    { return &s.streams }
func (s *shelf) Stream(wire.StreamID) (chain.Stream, error) { return chain.Stream{}, nil }
func (s *shelf) Genesis() chain.Genesis                     { return chain.Genesis{} }

func (s *shelf) Idempotent(wire.StreamID, wire.KeyID, tx.Key) (wire.TxHash, bool, error) {
	return wire.TxHash{}, false, nil
}

func (b *bench) item(e *tx.Envelope) engine.Item {
	raw := e.Encode()
	return engine.Item{Hash: tx.Hash(raw), Envelope: e, Raw: raw}
}

// BenchmarkConsents executes one block of consents whose proofs hold already, as
// they do when the door has admitted them: what the ledger's one writer does for
// an act before it is written to disk.
func BenchmarkConsents(b *testing.B) {
	for _, n := range []int{64, 512} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := started(b)
			s.fast = true
			for i := range n {
				s.must(s.enrol(fmt.Sprint("P", i), "A", 1))
			}
			items := make([]engine.Item, n)
			for i := range items {
				items[i] = s.item(s.envelope(contract.ConsentAct, s.consent(fmt.Sprint("P", i), 1), "node"))
			}
			base := shelve(s)
			h := chain.Header{Version: chain.HeaderVersion, Ledger: ledgerID, Height: s.count + 1, Time: s.now}
			for b.Loop() {
				done, err := engine.Execute(s.machine, base, h, items)
				if err != nil || done.Entries[n-1].Result.Code != engine.Accepted {
					b.Fatal(err, done)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/act")
		})
	}
}
