package engine

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Accepted is the code of a transaction that was not refused.
const Accepted Code = 0

// The engine's own codes: no table of a state machine may give them another
// meaning. A transaction of the last two does not reach the state machine, and
// uses no idempotency key up.
const (
	TooLarge  Code = 65535 // its effects pass the limits below
	Duplicate Code = 65534 // its signer used its idempotency key in its stream before
	Expired   Code = 65533 // its expiry is not after the block's time
)

// Limits of what one transaction may do. A result and each value of the state
// must decode again, on every machine, for as long as the ledger is read:
// wire.MaxItem is twice as much, and leaves room for the envelope.
const (
	MaxResult = 32 << 20 // bytes of the events, 16 more for each
	MaxEvents = 1 << 19
	MaxValue  = 32 << 20 // bytes of one value written
)

// Base is the committed state that a block executes on. It must not change
// while the block is executed.
type Base interface {
	// Genesis is the ledger's.
	Genesis() chain.Genesis
	// State is a stream's state.
	State(wire.StreamID) state.View
	// Nodes are the nodes of the map over a stream's state.
	Nodes(wire.StreamID) state.View
	// StreamNodes are the nodes of the map over the streams.
	StreamNodes() state.View
	// Stream is a stream's place in that map; zero before its first transaction.
	Stream(wire.StreamID) (chain.Stream, error)
	// Idempotent is the transaction that used a signer's idempotency key up in a stream.
	Idempotent(wire.StreamID, wire.KeyID, tx.Key) (wire.TxHash, bool, error)
}

// Item is a transaction that is to be executed.
type Item struct {
	Hash     wire.TxHash
	Envelope *tx.Envelope
	Raw      []byte // canonical bytes of Envelope
}

// Executed is what a block did.
type Executed struct {
	Entries     []Entry
	Leaves      [][]byte    // of the log, one for each entry
	Heads       []wire.Hash // of the entries' streams after each
	Changed     []Change    // sorted by stream
	StreamNodes []state.Write
	Streams     wire.Hash // root of the map over the streams
	Results     wire.Hash
	Node        tx.PublicKey // the node's key from this block on
}

// Change is what a block changed of one stream.
type Change struct {
	ID     wire.StreamID
	Stream chain.Stream  // after the block
	State  []state.Write // by key
	Nodes  []state.Write // of the map over its state
}

// Link is the entry's link to the head before it.
func (e *Entry) Link(previous wire.Hash) chain.Link {
	return chain.Link{
		Previous: previous, Stream: e.Stream, Sequence: e.Sequence, Height: e.Height, Index: e.Index,
		Time: e.Time, Directory: e.Directory, Hash: e.Hash, Code: uint16(e.Result.Code),
	}
}

// Name is how checks and messages call an entry: "directory/17", "trial/57".
// Entries are numbered from 0.
func (e *Entry) Name() string {
	if e.Stream == wire.Directory {
		return fmt.Sprintf("directory/%d", e.Sequence)
	}
	return fmt.Sprintf("trial/%d", e.Sequence)
}

// Order sorts a block's transactions as they execute: those of the directory
// first, each group in the order of arrival.
func Order(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int {
		return rank(a.Envelope.Stream) - rank(b.Envelope.Stream)
	})
}

func rank(s wire.StreamID) int {
	if s == wire.Directory {
		return 0
	}
	return 1
}

// UsesKey reports whether a transaction of this code used its idempotency key
// up. One that a rule refused did: its signer knows what became of it.
func (c Code) UsesKey() bool { return c != Duplicate && c != Expired }

// Execute runs the ordered transactions of block h on base and seals their
// effects. Of h it reads Ledger, Height and Time.
//
// It asks no one to have kept out what is expired or was there before: those
// get a code of the engine's own, so that every engine judges alike.
func Execute(m StateMachine, base Base, h chain.Header, items []Item) (*Executed, error) {
	b := &block{machine: m, base: base, streams: map[wire.StreamID]*running{}, used: map[claim]bool{}}
	pending, err := b.place(h, items)
	if err != nil {
		return nil, err
	}
	Prepare(m, base.State, pending)
	out := &Executed{
		Entries: make([]Entry, len(items)), Leaves: make([][]byte, len(items)), Heads: make([]wire.Hash, len(items)),
	}
	for i, p := range pending {
		var link chain.Link
		if out.Entries[i], link, err = b.run(p, items[i].Raw); err != nil {
			return nil, err
		}
		r := b.streams[link.Stream]
		r.Head, r.Count = link.Head(), r.Count+1
		out.Heads[i], out.Leaves[i] = r.Head, link.LeafAt(r.Head)
	}
	b.seal(out)
	out.Node = NodeKey(base.Genesis().Node, b.streams[wire.Directory].overlay)
	return out, nil
}

// block is a block while it executes.
type block struct {
	machine StateMachine
	base    Base
	streams map[wire.StreamID]*running
	used    map[claim]bool // idempotency keys, by this block
}

// claim is a signer's idempotency key in a stream.
type claim struct {
	stream wire.StreamID
	signer wire.KeyID
	key    tx.Key
}

// running is a stream while a block executes.
type running struct {
	chain.Stream
	overlay *state.Overlay
}

func (b *block) stream(id wire.StreamID) (*running, error) {
	if r, ok := b.streams[id]; ok {
		return r, nil
	}
	s, err := b.base.Stream(id)
	if err != nil {
		return nil, err
	}
	r := &running{Stream: s, overlay: state.NewOverlay(b.base.State(id))}
	b.streams[id] = r
	return r, nil
}

// place gives each transaction its point. Sequences follow from the order
// alone: a refused transaction counts like any other.
func (b *block) place(h chain.Header, items []Item) ([]Pending, error) {
	directory, err := b.stream(wire.Directory)
	if err != nil {
		return nil, err
	}
	next := map[wire.StreamID]uint64{wire.Directory: directory.Count}
	pending := make([]Pending, len(items))
	for i, it := range items {
		id := it.Envelope.Stream
		if i > 0 && rank(items[i-1].Envelope.Stream) > rank(id) {
			return nil, fmt.Errorf("block %d, transaction %d: one of the directory after one of a trial; order them first", h.Height, i)
		}
		r, err := b.stream(id)
		if err != nil {
			return nil, err
		}
		if _, ok := next[id]; !ok {
			next[id] = r.Count
		}
		pending[i] = Pending{Hash: it.Hash, Envelope: it.Envelope, Point: Point{
			Ledger: h.Ledger, Height: h.Height, Index: uint32(i), Time: h.Time,
			Directory: next[wire.Directory], Sequence: next[id],
		}}
		next[id]++
	}
	return pending, nil
}

// run executes one transaction.
func (b *block) run(p Pending, raw []byte) (Entry, chain.Link, error) {
	e := Entry{
		Stream: p.Envelope.Stream, Sequence: p.Point.Sequence, Height: p.Point.Height, Index: p.Point.Index,
		Time: p.Point.Time, Directory: p.Point.Directory, Hash: p.Hash,
	}
	code, err := b.admit(p)
	if err != nil {
		return e, chain.Link{}, err
	}
	if e.Result.Code = code; code == Accepted {
		e.Result = b.judge(p)
	}
	if e.Result.Code == Accepted {
		e.Envelope = raw
	}
	return e, e.Link(b.streams[e.Stream].Head), nil
}

// admit refuses what may not be in the block at all, and takes the
// transaction's idempotency key.
func (b *block) admit(p Pending) (Code, error) {
	e := p.Envelope
	c := claim{e.Stream, e.Key, e.Idempotency}
	used := b.used[c]
	if !used {
		var err error
		if _, used, err = b.base.Idempotent(c.stream, c.signer, c.key); err != nil {
			return 0, err
		}
	}
	switch {
	case used:
		return Duplicate, nil
	case e.Expiry <= p.Point.Time:
		return Expired, nil
	}
	b.used[c] = true
	return Accepted, nil
}

// judge runs the transaction. The effects of a refused transaction are
// discarded here too, so that a rule that writes before it refuses does no harm.
func (b *block) judge(p Pending) Result {
	id := p.Envelope.Stream
	r := b.streams[id]
	try := state.NewOverlay(r.overlay)
	var directory state.View = b.streams[wire.Directory].overlay
	if id == wire.Directory {
		directory = try
	}
	result := Run(b.machine, b.base.Genesis(), p, directory, try)
	if result.Code == Accepted {
		try.Commit(r.overlay)
	}
	return result
}

// fits reports whether events and writes are within the limits.
func fits(events []Event, writes *state.Overlay) bool {
	n := 0
	for i := range events {
		n += len(events[i].Body) + 16
	}
	return n <= MaxResult && len(events) <= MaxEvents && writes.Largest() <= MaxValue
}

// seal brings the maps up to date with what the block wrote.
func (b *block) seal(out *Executed) {
	out.Results = ResultsHash(out.Entries)
	ids := slices.SortedFunc(maps.Keys(b.streams), func(x, y wire.StreamID) int { return bytes.Compare(x[:], y[:]) })
	var heads []state.Write
	for _, id := range ids {
		r := b.streams[id]
		if !b.touched(id, out.Entries) {
			continue
		}
		c := Change{ID: id, State: r.overlay.Writes()}
		nodes := state.NewOverlay(b.base.Nodes(id))
		if len(c.State) > 0 {
			r.Digest = state.NewMap(nodes).Update(c.State)
		}
		c.Stream, c.Nodes = r.Stream, nodes.Writes()
		out.Changed = append(out.Changed, c)
		heads = append(heads, state.Write{Key: id[:], Value: r.Encode()})
	}
	nodes := state.NewOverlay(b.base.StreamNodes())
	out.Streams = state.NewMap(nodes).Update(heads)
	out.StreamNodes = nodes.Writes()
}

func (b *block) touched(id wire.StreamID, entries []Entry) bool {
	if id != wire.Directory {
		return true
	}
	// The directory is opened for every block; it is first if it has a transaction.
	return len(entries) > 0 && entries[0].Stream == wire.Directory
}
