package engine

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// ExecuteGiven executes on base a block that the ledger has made before, from
// what others keep of it: stream, hash and code of each transaction, and the
// envelope of an accepted one. What was refused is taken as given, for nobody
// keeps its body; an Item of it has no envelope. It is for the caller to compare
// Streams and Results with the block's header, which commits to both.
func ExecuteGiven(m StateMachine, base Base, h chain.Header, given []Entry) (*Executed, []Item, error) {
	items := make([]Item, len(given))
	for i := range given {
		e := &given[i]
		items[i] = Item{Hash: e.Hash, Envelope: &tx.Envelope{Stream: e.Stream}}
		if e.Result.Code != Accepted {
			continue
		}
		env, err := tx.Decode(e.Envelope)
		if err != nil {
			return nil, nil, fmt.Errorf("block %d, transaction %d: %w", h.Height, i, err)
		}
		if tx.Hash(e.Envelope) != e.Hash || env.Stream != e.Stream || env.Ledger != h.Ledger {
			return nil, nil, fmt.Errorf("block %d, transaction %d: its envelope is of another transaction, stream or ledger", h.Height, i)
		}
		items[i].Envelope, items[i].Raw = env, e.Envelope
	}
	b := &block{machine: m, base: base, streams: map[wire.StreamID]*running{}, used: map[claim]bool{}}
	pending, err := b.place(h, items)
	if err != nil {
		return nil, nil, err
	}
	var accepted []Pending
	for i, p := range pending {
		if given[i].Result.Code == Accepted {
			accepted = append(accepted, p)
		}
	}
	Prepare(m, func(id wire.StreamID) state.View { return base.State(id) }, accepted)
	out := &Executed{Entries: make([]Entry, len(items)), Leaves: make([][]byte, len(items)), Heads: make([]wire.Hash, len(items))}
	for i, p := range pending {
		if err := b.given(out, i, p, &given[i], items); err != nil {
			return nil, nil, fmt.Errorf("block %d, transaction %d: %w", h.Height, i, err)
		}
	}
	b.seal(out)
	out.Node = NodeKey(base.Genesis().Node, b.streams[wire.Directory].overlay)
	return out, items, nil
}

// given runs one transaction, or takes its refusal, and links it.
func (b *block) given(out *Executed, i int, p Pending, given *Entry, items []Item) error {
	e, link, err := b.refused(p, given.Result.Code)
	if given.Result.Code == Accepted {
		e, link, err = b.run(p, items[i].Raw)
	} else {
		items[i].Envelope = nil
	}
	if err != nil {
		return err
	}
	if e.Result.Code != given.Result.Code {
		return fmt.Errorf("executed again it gives code %d, not %d", e.Result.Code, given.Result.Code)
	}
	r := b.streams[e.Stream]
	r.Head, r.Count = link.Head(), r.Count+1
	out.Entries[i], out.Leaves[i], out.Heads[i] = e, link.Leaf(), r.Head
	return nil
}

func (b *block) refused(p Pending, code Code) (Entry, chain.Link, error) {
	e := Entry{
		Stream: p.Envelope.Stream, Sequence: p.Point.Sequence, Height: p.Point.Height, Index: p.Point.Index,
		Time: p.Point.Time, Directory: p.Point.Directory, Hash: p.Hash, Result: Result{Code: code},
	}
	return e, e.Link(b.streams[e.Stream].Head), nil
}
