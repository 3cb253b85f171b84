package store

import (
	"bytes"
	"errors"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// walk is what the blocks so far lead to.
type walk struct {
	x       *examination
	log     *chain.Log
	nodes   *logReader                      // the log as it is kept
	streams map[wire.StreamID]*chain.Stream // head and count
	keys    chain.Keys
	seen    map[wire.TxHash]uint64        // place of each transaction, where it was first
	refused map[wire.TxHash]wire.StreamID // those whose envelope is not kept, but which used their idempotency key
	used    uint64                        // transactions that used one
	again   *replay.Whole                 // nil: not executed
}

// blocks reads every block from the base to the head, in order, and ends at the
// first that is wrong: nothing after it can be told from it.
func (x *examination) blocks(machine engine.StateMachine) (err error) {
	nodes := x.snap.logReader()
	defer func() { err = errors.Join(err, nodes.close()) }()
	w := &walk{
		x: x, log: chain.NewLog(), nodes: nodes, streams: map[wire.StreamID]*chain.Stream{}, keys: x.genesis.Keys(),
		seen: map[wire.TxHash]uint64{}, refused: map[wire.TxHash]wire.StreamID{},
	}
	if err := w.resume(); err != nil {
		return err
	}
	if machine != nil {
		if x.base.Height > 0 {
			return wrong(x.base.Height, "base", "a ledger restored from a snapshot has not what came before, so it cannot be executed again")
		}
		w.again = replay.NewWhole(machine, x.genesis)
	}
	prev := x.base
	for prev.Height < x.snap.Head().Height {
		h, err := x.snap.Header(prev.Height + 1)
		if err != nil {
			return wrong(prev.Height+1, "header", "%w", err)
		}
		if err := h.Follows(prev); err != nil {
			return wrong(prev.Height+1, "header", "%w", err)
		}
		if err := w.block(h); err != nil {
			return err
		}
		prev = h
	}
	x.walk, x.whole, x.f.Replayed = w, true, w.again != nil
	return nil
}

// resume takes up a ledger that begins with a snapshot.
func (w *walk) resume() error {
	base := w.x.base
	if base.Height == 0 {
		return nil
	}
	edge, err := w.x.snap.logNodes(chain.LogEdge(base.Size()))
	if err == nil {
		w.log, err = chain.ResumeLog(base.Size(), edge)
	}
	if err != nil {
		return wrong(base.Height, "log", "%w", err)
	}
	if root, err := w.log.Root(); err != nil || root != base.Root {
		return wrong(base.Height, "log", "its edge does not give the root of header %d (%v)", base.Height, err)
	}
	if err := w.x.snap.baseStreams(func(id wire.StreamID, s chain.Stream) { w.streams[id] = &s }); err != nil {
		return wrong(base.Height, "stream index", "%w", err)
	}
	// Which transactions used their keys up before the base only their rows tell.
	keys, err := engine.NodeKeys(w.x.genesis, w.x.snap.State(wire.Directory))
	if err == nil {
		w.keys, err = chain.NewKeys(w.x.genesis, keys.Until(base.Height)...)
	}
	return err
}

func (w *walk) block(h chain.Header) error {
	entries := make([]engine.Entry, 0, h.Count)
	for place := h.First; place < h.Size(); place++ {
		e, err := w.x.snap.At(place)
		if err != nil {
			return wrong(h.Height, "entry", "%w", err)
		}
		if e.Height != h.Height || uint64(e.Index) != place-h.First || e.Time != h.Time {
			return wrong(h.Height, "entry", "log entry %d says it is number %d of block %d, at %d", place, e.Index, e.Height, e.Time)
		}
		entries = append(entries, e)
	}
	if engine.ResultsHash(entries) != h.Results {
		return wrong(h.Height, "entry", "the results of its entries are not those of the header")
	}
	if w.again != nil {
		if _, err := w.again.Block(h, slices.Clone(entries), nil); err != nil {
			return wrong(h.Height, "replay", "%w", err)
		}
	}
	for i := range entries {
		if err := w.entry(h, h.First+uint64(i), &entries[i]); err != nil {
			return err
		}
	}
	root, err := w.log.Root()
	if err != nil || root != h.Root {
		return wrong(h.Height, "entry", "its entries do not lead to the root of the header (%v)", err)
	}
	return w.signed(h)
}

// entry checks one entry, what is said of it elsewhere, and its place in stream and log.
func (w *walk) entry(h chain.Header, place uint64, e *engine.Entry) error {
	env, err := opened(e, h.Ledger)
	if err != nil {
		return wrong(h.Height, "entry", "%s: %w", e.Name(), err)
	}
	s := w.stream(e.Stream)
	directory := w.stream(wire.Directory).Count
	if e.Sequence != s.Count || e.Directory != directory {
		return wrong(h.Height, "entry", "%s: stands where entry %d belongs, and counts %d of %d directory entries", e.Name(), s.Count, e.Directory, directory)
	}
	link := e.Link(s.Head)
	s.Head, s.Count = link.Head(), s.Count+1
	row, err := w.x.snap.get(sequenceKey(e.Stream, e.Sequence))
	if err != nil || !bytes.Equal(row, slices.Concat(numbered(tableEntry, place)[1:], s.Head[:])) {
		return wrong(h.Height, "stream index", "%s: %x (%v); it is at place %d and leads to head %v", e.Name(), row, err, place, s.Head)
	}
	if err := w.indexed(h, place, e, env); err != nil {
		return err
	}
	if env != nil && env.Kind == engine.KindRotate {
		r := chain.Rotation{Height: h.Height, Envelope: e.Envelope}
		if w.keys, err = chain.NewKeys(w.x.genesis, append(w.keys.Rotations(), r)...); err != nil {
			return wrong(h.Height, "entry", "%s: %w", e.Name(), err)
		}
	}
	return w.append(h, link)
}

func (w *walk) stream(id wire.StreamID) *chain.Stream {
	s, ok := w.streams[id]
	if !ok {
		s = new(chain.Stream)
		w.streams[id] = s
	}
	return s
}

// opened decodes the envelope of an accepted entry; a refused one has none.
func opened(e *engine.Entry, ledger wire.LedgerID) (*tx.Envelope, error) {
	if e.Result.Code != engine.Accepted {
		if len(e.Envelope) > 0 || len(e.Result.Events) > 0 {
			return nil, errors.New("refused, yet it has a body or events")
		}
		return nil, nil
	}
	if tx.Hash(e.Envelope) != e.Hash {
		return nil, errors.New("the envelope's hash is not the entry's")
	}
	env, err := tx.Decode(e.Envelope)
	if err != nil {
		return nil, err
	}
	if env.Ledger != ledger || env.Stream != e.Stream || env.Expiry <= e.Time {
		return nil, errors.New("the envelope is of another ledger or stream, or had expired")
	}
	return env, nil
}

// indexed checks that the transaction is found by its hash, where it was first,
// and by its idempotency key.
func (w *walk) indexed(h chain.Header, place uint64, e *engine.Entry, env *tx.Envelope) error {
	first, again := w.seen[e.Hash]
	switch {
	case !again:
		w.seen[e.Hash], first = place, place
	case e.Result.Code.UsesKey():
		return wrong(h.Height, "entry", "%s: the same transaction as log entry %d", e.Name(), first)
	}
	if at, err := w.x.snap.Place(e.Hash); err != nil || at != first && at >= w.x.base.Size() {
		return wrong(h.Height, "transaction index", "%s: leads to log entry %d (%v), it is %d", e.Name(), at, err, first)
	}
	if !e.Result.Code.UsesKey() {
		return nil
	}
	w.used++
	if env == nil {
		w.refused[e.Hash] = e.Stream
		return nil
	}
	by, found, err := w.x.snap.Idempotent(e.Stream, env.Key, env.Idempotency)
	if err != nil || !found || by != e.Hash {
		return wrong(h.Height, "idempotency key", "%s: its key was used by %v (%t, %v)", e.Name(), by, found, err)
	}
	return nil
}

// append adds the entry's leaf to the log and compares each hash that is new.
func (w *walk) append(h chain.Header, link chain.Link) error {
	var bad error
	err := w.log.Append([][]byte{link.Leaf()}, func(n chain.Node, hash []byte) {
		row, err := w.nodes.get(n)
		if bad == nil && (err != nil || !bytes.Equal(row, hash)) {
			bad = wrong(h.Height, "log", "node %d/%d: %x (%v); the entries give %x", n.Level, n.Index, row, err, hash)
		}
	})
	return errors.Join(err, bad)
}

// signed checks the checkpoints of a height, its own and the cosigned one.
func (w *walk) signed(h chain.Header) error {
	for _, table := range []byte{tableCheckpoint, tableCosigned} {
		msg, err := w.x.snap.get(numbered(table, h.Height))
		if errors.Is(err, engine.ErrUnknown) {
			if table == tableCheckpoint {
				w.x.f.Unsigned++
			}
			continue
		}
		c, err := chain.OpenCheckpoint(w.keys, msg)
		if err == nil {
			err = c.Matches(h)
		}
		if err != nil {
			return wrong(h.Height, tableNames[table], "%w", err)
		}
	}
	return nil
}
