package replay

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Whole replays a whole ledger, block by block: what a mirror does. Nothing is
// taken from whom the blocks come but envelopes, and the codes of what was
// refused, whose bodies nobody keeps; the header must commit to all that follows.
type Whole struct {
	machine engine.StateMachine
	genesis chain.Genesis
	ledger  wire.LedgerID
	head    chain.Header
	log     *chain.Log
	streams map[wire.StreamID]*part
	nodes   state.Memory    // of the map over the streams
	open    []wire.StreamID // that the block touches
	used    map[claim]uint64
	seen    map[wire.TxHash]engine.Code // of each transaction's first entry
	err     error
}

// part is one stream as far as it is executed.
type part struct {
	stream
	nodes  state.Memory   // of the map over its state
	writes *state.Overlay // of the block that is executed
}

// NewWhole begins with the empty ledger.
func NewWhole(m engine.StateMachine, g chain.Genesis) *Whole {
	w := &Whole{
		machine: m, genesis: g, ledger: g.ID(), head: g.Header(), log: chain.NewLog(),
		streams: map[wire.StreamID]*part{}, used: map[claim]uint64{}, seen: map[wire.TxHash]engine.Code{},
	}
	w.part(wire.Directory)
	return w
}

// Head is the header of the last block.
func (w *Whole) Head() chain.Header { return w.head }

// Keys are the node's keys up to the head.
func (w *Whole) Keys() (chain.Keys, error) {
	return engine.NodeKeys(w.genesis, &w.streams[wire.Directory].kept)
}

// Stream is a stream's place in the map over the streams.
func (w *Whole) Stream(id wire.StreamID) chain.Stream {
	if p, ok := w.streams[id]; ok {
		return p.Stream
	}
	return chain.Stream{}
}

// Streams is the number of streams that have a transaction.
func (w *Whole) Streams() (n int) {
	for _, p := range w.streams {
		if p.Count > 0 {
			n++
		}
	}
	return n
}

// Block executes the next block. Of its entries it reads stream, hash, code and
// envelope, and fills in the rest; visit is told each full subtree of the log
// that is new. It returns the leaves. After an error, a *Divergence, it refuses
// every other block.
func (w *Whole) Block(h chain.Header, entries []engine.Entry, visit func(chain.Node, []byte)) (leaves [][]byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = w.diverge(h, "execution panicked: %v", r)
		}
		if err != nil {
			w.err = err
		}
	}()
	if w.err != nil {
		return nil, w.err
	}
	if err := h.Follows(w.head); err != nil {
		return nil, w.diverge(h, "%v", err)
	}
	if len(entries) != int(h.Count) {
		return nil, w.diverge(h, "%d transactions, its header says %d", len(entries), h.Count)
	}
	pending, err := w.place(h, entries)
	if err != nil {
		return nil, err
	}
	w.prepare(pending)
	leaves = make([][]byte, len(entries))
	for i := range entries {
		if leaves[i], err = w.entry(&entries[i], pending[i]); err != nil {
			return nil, err
		}
	}
	if err := w.seal(h, entries, leaves, visit); err != nil {
		return nil, err
	}
	w.head = h
	return leaves, nil
}

func (w *Whole) diverge(h chain.Header, format string, args ...any) error {
	return diverge(fmt.Sprintf("header/%d", h.Height), format, args...)
}

// at names an entry by its place in the log: there are many streams.
func (w *Whole) at(e *engine.Entry, format string, args ...any) error {
	return diverge(fmt.Sprintf("transaction/%d", w.head.Size()+uint64(e.Index)), format, args...)
}

func (w *Whole) part(id wire.StreamID) *part {
	p, ok := w.streams[id]
	if !ok {
		p = &part{stream: stream{id: id}}
		w.streams[id] = p
	}
	if p.writes == nil {
		p.writes = state.NewOverlay(&p.kept)
		w.open = append(w.open, id)
	}
	return p
}

// place gives each entry its place and decodes its envelope.
func (w *Whole) place(h chain.Header, entries []engine.Entry) ([]engine.Pending, error) {
	next := map[wire.StreamID]uint64{wire.Directory: w.part(wire.Directory).Count}
	pending := make([]engine.Pending, len(entries))
	for i := range entries {
		e := &entries[i]
		if i > 0 && e.Stream == wire.Directory && entries[i-1].Stream != wire.Directory {
			return nil, w.at(e, "one of the directory after one of a trial")
		}
		if _, ok := next[e.Stream]; !ok {
			next[e.Stream] = w.part(e.Stream).Count
		}
		e.Height, e.Time, e.Index = h.Height, h.Time, uint32(i)
		e.Sequence, e.Directory = next[e.Stream], next[wire.Directory]
		e.Result.Events = nil
		next[e.Stream]++
		env, err := w.decode(e)
		if err != nil {
			return nil, err
		}
		pending[i] = engine.Pending{Hash: e.Hash, Envelope: env, Point: engine.Point{
			Ledger: w.ledger, Height: e.Height, Index: e.Index, Time: e.Time, Directory: e.Directory, Sequence: e.Sequence,
		}}
	}
	return pending, nil
}

// decode checks what an entry may hold before it is executed. A refused one has
// no envelope.
func (w *Whole) decode(e *engine.Entry) (*tx.Envelope, error) {
	code := e.Result.Code
	if first, again := w.seen[e.Hash]; again && code != engine.Duplicate && (first != engine.Expired || code != engine.Expired) {
		return nil, w.at(e, "code %d; the same transaction was there before", code)
	} else if !again {
		w.seen[e.Hash] = code
	}
	if code != engine.Accepted {
		if len(e.Envelope) > 0 {
			return nil, w.at(e, "refused with code %d, yet it has a body", code)
		}
		return nil, nil
	}
	if tx.Hash(e.Envelope) != e.Hash {
		return nil, w.at(e, "the envelope's hash is not the entry's")
	}
	env, err := tx.Decode(e.Envelope)
	if err != nil {
		return nil, w.at(e, "%v", err)
	}
	c := claim{env.Stream, env.Key, env.Idempotency}
	other, used := w.used[c]
	switch {
	case env.Ledger != w.ledger:
		return nil, w.at(e, "signed for ledger %v", env.Ledger)
	case env.Stream != e.Stream:
		return nil, w.at(e, "signed for stream %v", env.Stream)
	case env.Expiry <= e.Time:
		return nil, w.at(e, "expired at %d, and entered at %d", env.Expiry, e.Time)
	case used:
		return nil, w.at(e, "its signer used its idempotency key in transaction %d", other)
	}
	w.used[c] = w.head.Size() + uint64(e.Index)
	return env, nil
}

func (w *Whole) prepare(pending []engine.Pending) {
	accepted := slices.DeleteFunc(slices.Clone(pending), func(p engine.Pending) bool { return p.Envelope == nil })
	if len(accepted) == 0 {
		return
	}
	engine.Prepare(w.machine, func(id wire.StreamID) state.View {
		if p, ok := w.streams[id]; ok {
			return &p.kept
		}
		return state.Empty{}
	}, accepted)
}

// entry executes an accepted entry, and links any. It returns the leaf.
func (w *Whole) entry(e *engine.Entry, p engine.Pending) ([]byte, error) {
	s := w.part(e.Stream)
	if e.Result.Code == engine.Accepted {
		if err := w.execute(e, p, s); err != nil {
			return nil, err
		}
	}
	link := e.Link(s.Head)
	s.Head, s.Count = link.Head(), s.Count+1
	return link.Leaf(), nil
}

func (w *Whole) execute(e *engine.Entry, p engine.Pending, s *part) error {
	var directory state.View = w.part(wire.Directory).writes
	if err := engine.Check(w.machine, w.genesis, p.Point, directory, s.writes, p.Envelope); err != nil {
		return w.at(e, "must not have entered: %v", err)
	}
	try := state.NewOverlay(s.writes)
	if e.Stream == wire.Directory {
		directory = try
	}
	e.Result = engine.Run(w.machine, w.genesis, p, directory, try)
	if e.Result.Code != engine.Accepted {
		return w.at(e, "accepted; executed again it gives code %d", e.Result.Code)
	}
	try.Commit(s.writes)
	return nil
}

// seal compares the header with what its block did.
func (w *Whole) seal(h chain.Header, entries []engine.Entry, leaves [][]byte, visit func(chain.Node, []byte)) error {
	if engine.ResultsHash(entries) != h.Results {
		return w.diverge(h, "executed again, its results are not those that it commits to")
	}
	if err := w.log.Append(leaves, visit); err != nil {
		return w.diverge(h, "%v", err)
	}
	root, err := w.log.Root()
	if err != nil {
		return w.diverge(h, "%v", err)
	}
	if root != h.Root {
		return w.diverge(h, "the links of its transactions do not give the log's root")
	}
	if w.fold() != h.Streams {
		return w.diverge(h, "the heads and states of its streams do not give the streams root")
	}
	return nil
}

// fold brings the maps up to date and returns the streams root.
func (w *Whole) fold() wire.Hash {
	var heads []state.Write
	for _, id := range w.open {
		p := w.streams[id]
		if writes := p.writes.Writes(); len(writes) > 0 {
			p.Digest = state.NewMap(&p.nodes).Update(writes)
			p.writes.Commit(&p.kept)
		}
		p.writes = nil
		if p.Count > 0 { // the directory is open in every block, and has none in some ledgers
			heads = append(heads, state.Write{Key: id[:], Value: p.Encode()})
		}
	}
	w.open = nil
	slices.SortFunc(heads, func(a, b state.Write) int { return bytes.Compare(a.Key, b.Key) })
	return state.NewMap(&w.nodes).Update(heads)
}
