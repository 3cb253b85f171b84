// Package replay executes entries again, in memory, and compares: what an
// offline verifier does with the directory's stream and one trial's.
//
// It trusts nothing in an entry. Each one is decoded, checked and executed by
// the state machine again; its result, its place and its link must be what the
// entry and the headers say. A refused entry has no body: it adds its link.
// What the last header says of the streams is compared by Result.Match.
package replay

import (
	"bytes"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Divergence says where a replay and what it replays part.
type Divergence struct {
	Entry  string // "directory/17", "trial/57", "header/3"
	Reason string
}

func (d *Divergence) Error() string { return d.Entry + ": " + d.Reason }

func diverge(entry, format string, args ...any) error {
	return &Divergence{Entry: entry, Reason: fmt.Sprintf(format, args...)}
}

// Result is what the entries lead to.
type Result struct {
	TrialID   wire.StreamID
	Directory chain.Stream
	Trial     chain.Stream
	// The states at the end.
	DirectoryState state.View
	TrialState     state.View
}

// Match compares the result with what a header's streams root says of the two
// streams. Counts name a missing entry; an altered one that no block gave away
// shows in the head.
func (r Result) Match(directory, trial chain.Stream) error {
	if err := match("directory", r.Directory, directory); err != nil {
		return err
	}
	return match("trial", r.Trial, trial)
}

func match(name string, got, want chain.Stream) error {
	last := func(n uint64) string { return fmt.Sprintf("%s/%d", name, max(n, 1)-1) }
	switch {
	case got.Count < want.Count:
		return diverge(fmt.Sprintf("%s/%d", name, got.Count), "missing; the header counts %d entries", want.Count)
	case got.Count > want.Count:
		return diverge(fmt.Sprintf("%s/%d", name, want.Count), "one too many; the header counts %d entries", want.Count)
	case got.Head != want.Head:
		return diverge(last(got.Count), "the entries up to here do not chain to the head in the header; one of the refused was altered")
	case got.Digest != want.Digest:
		return diverge(last(got.Count), "the state after it is not the one in the header")
	}
	return nil
}

// Run executes the entries of the directory and of one trial. headers are those
// of the whole ledger from height 1 on. The error is a *Divergence.
func Run(m engine.StateMachine, g chain.Genesis, directory, trial []engine.Entry, headers []chain.Header) (Result, error) {
	prev := g.Header()
	for i, h := range headers {
		if err := h.Follows(prev); err != nil {
			return Result{}, diverge(fmt.Sprintf("header/%d", i+1), "%v", err)
		}
		prev = h
	}
	r := &run{
		machine: m, genesis: g, ledger: g.ID(), headers: headers, log: chain.NewLog(),
		directory: newStream(wire.Directory), used: map[claim]string{}, seen: map[wire.TxHash]*engine.Entry{},
	}
	if err := gapless("directory", directory); err != nil {
		return Result{}, err
	}
	if err := gapless("trial", trial); err != nil {
		return Result{}, err
	}
	if len(trial) > 0 {
		if trial[0].Stream == wire.Directory {
			return Result{}, diverge("trial/0", "belongs to the directory")
		}
		r.trial = newStream(trial[0].Stream)
	} else {
		r.trial = newStream(wire.StreamID{})
	}
	for len(directory) > 0 || len(trial) > 0 {
		var block []*engine.Entry
		block, directory, trial = next(directory, trial)
		if err := r.block(block); err != nil {
			return Result{}, err
		}
	}
	return r.result(), nil
}

// gapless finds a missing entry before anything that follows from it.
func gapless(name string, entries []engine.Entry) error {
	for i := range entries {
		if n := entries[i].Sequence; n != uint64(i) {
			return diverge(fmt.Sprintf("%s/%d", name, i), "missing; entry %d stands in its place", n)
		}
	}
	return nil
}

// next takes the entries of the lowest height from both lists, the directory's
// first, as they executed.
func next(directory, trial []engine.Entry) (block []*engine.Entry, restDirectory, restTrial []engine.Entry) {
	height := ^uint64(0)
	for _, list := range [][]engine.Entry{directory, trial} {
		if len(list) > 0 {
			height = min(height, list[0].Height)
		}
	}
	for len(directory) > 0 && directory[0].Height == height {
		block, directory = append(block, &directory[0]), directory[1:]
	}
	for len(trial) > 0 && trial[0].Height == height {
		block, trial = append(block, &trial[0]), trial[1:]
	}
	return block, directory, trial
}

// claim is a signer's idempotency key in a stream.
type claim struct {
	stream wire.StreamID
	signer wire.KeyID
	key    tx.Key
}

// stream is one stream as far as it is executed.
type stream struct {
	chain.Stream
	id   wire.StreamID
	kept state.Memory
}

func newStream(id wire.StreamID) *stream { return &stream{id: id} }

type run struct {
	machine   engine.StateMachine
	genesis   chain.Genesis
	ledger    wire.LedgerID
	headers   []chain.Header
	directory *stream
	trial     *stream
	used      map[claim]string
	seen      map[wire.TxHash]*engine.Entry // where each was first
	// log is the log of the whole ledger, for as long as it has no other streams.
	log *chain.Log
}

func (r *run) result() Result {
	r.directory.Digest = state.Digest(&r.directory.kept)
	r.trial.Digest = state.Digest(&r.trial.kept)
	return Result{
		TrialID: r.trial.id, Directory: r.directory.Stream, Trial: r.trial.Stream,
		DirectoryState: &r.directory.kept, TrialState: &r.trial.kept,
	}
}

// stream is the entry's stream by what the entry says; place checks that.
func (r *run) stream(e *engine.Entry) *stream {
	if e.Stream == wire.Directory {
		return r.directory
	}
	return r.trial
}

// block executes the given entries of one block.
func (r *run) block(entries []*engine.Entry) error {
	first := entries[0]
	if first.Height == 0 || first.Height > uint64(len(r.headers)) {
		return diverge(first.Name(), "height %d; the headers end at %d", first.Height, len(r.headers))
	}
	h := r.headers[first.Height-1]
	pending := make([]engine.Pending, len(entries))
	if err := r.place(h, entries, pending); err != nil {
		return err
	}
	r.prepare(pending)
	var leaves [][]byte
	for i, e := range entries {
		if e.Result.Code == engine.Accepted {
			if err := r.execute(e, pending[i]); err != nil {
				return err
			}
		}
		s := r.stream(e)
		link := e.Link(s.Head)
		s.Head, s.Count = link.Head(), s.Count+1
		leaves = append(leaves, link.Leaf())
	}
	if err := r.results(h, entries); err != nil {
		return err
	}
	return r.extend(h, entries, leaves)
}

// place checks where each entry stands and decodes its envelope.
func (r *run) place(h chain.Header, entries []*engine.Entry, pending []engine.Pending) error {
	next := map[wire.StreamID]uint64{r.directory.id: r.directory.Count, r.trial.id: r.trial.Count}
	index := int64(-1)
	for i, e := range entries {
		sequence, known := next[e.Stream]
		switch {
		case !known:
			return diverge(e.Name(), "belongs to stream %v; the one replayed is %v", e.Stream, r.trial.id)
		case e.Sequence != sequence:
			return diverge(e.Name(), "comes where entry %d belongs", sequence)
		case int64(e.Index) <= index:
			return diverge(e.Name(), "index %d comes after %d in block %d", e.Index, index, e.Height)
		case e.Index >= h.Count:
			return diverge(e.Name(), "index %d in block %d of %d transactions", e.Index, e.Height, h.Count)
		case e.Time != h.Time:
			return diverge(e.Name(), "time %d; block %d has %d", e.Time, e.Height, h.Time)
		case e.Directory != next[wire.Directory]:
			return diverge(e.Name(), "directory sequence %d; the directory has %d entries before it", e.Directory, next[wire.Directory])
		}
		if err := r.once(e); err != nil {
			return err
		}
		env, err := r.open(e)
		if err != nil {
			return err
		}
		pending[i] = engine.Pending{Hash: e.Hash, Envelope: env, Point: engine.Point{
			Ledger: r.ledger, Height: e.Height, Index: e.Index, Time: e.Time, Directory: e.Directory, Sequence: e.Sequence,
		}}
		index = int64(e.Index)
		next[e.Stream]++
	}
	return nil
}

// once checks that a transaction that comes again was refused for that: as a
// duplicate, or, if it expired the first time, as expired.
func (r *run) once(e *engine.Entry) error {
	first, again := r.seen[e.Hash]
	if !again {
		r.seen[e.Hash] = e
		return nil
	}
	late := first.Result.Code == engine.Expired && e.Result.Code == engine.Expired
	if e.Result.Code != engine.Duplicate && !late {
		return diverge(e.Name(), "code %d; it is the same transaction as %s", e.Result.Code, first.Name())
	}
	return nil
}

// open decodes an accepted entry's envelope and compares it with the entry. A
// refused one has none.
func (r *run) open(e *engine.Entry) (*tx.Envelope, error) {
	if e.Result.Code != engine.Accepted {
		if len(e.Envelope) > 0 || len(e.Result.Events) > 0 {
			return nil, diverge(e.Name(), "refused with code %d, yet it has a body or events", e.Result.Code)
		}
		return nil, nil
	}
	if tx.Hash(e.Envelope) != e.Hash {
		return nil, diverge(e.Name(), "the envelope's hash is not the entry's")
	}
	env, err := tx.Decode(e.Envelope)
	if err != nil {
		return nil, diverge(e.Name(), "%v", err)
	}
	c := claim{env.Stream, env.Key, env.Idempotency}
	other, used := r.used[c]
	switch {
	case env.Ledger != r.ledger:
		return nil, diverge(e.Name(), "signed for ledger %v", env.Ledger)
	case env.Stream != e.Stream:
		return nil, diverge(e.Name(), "signed for stream %v", env.Stream)
	case env.Expiry <= e.Time:
		return nil, diverge(e.Name(), "expired at %d, and entered at %d", env.Expiry, e.Time)
	case used:
		return nil, diverge(e.Name(), "its signer used its idempotency key in %s", other)
	}
	r.used[c] = e.Name()
	return env, nil
}

// results checks the codes and events against the header, if all of the block is here.
func (r *run) results(h chain.Header, entries []*engine.Entry) error {
	if len(entries) != int(h.Count) {
		return nil
	}
	all := make([]engine.Entry, len(entries))
	for i, e := range entries {
		all[i] = *e
	}
	if engine.ResultsHash(all) == h.Results {
		return nil
	}
	// The accepted were executed again and gave what they say. So it is a
	// refused one; if there is none, the header itself is wrong.
	for _, e := range entries {
		if e.Result.Code != engine.Accepted {
			return diverge(e.Name(), "code %d: the results of block %d are others", e.Result.Code, h.Height)
		}
	}
	return diverge(entries[0].Name(), "executed again, block %d has other results than its header says", h.Height)
}

func (r *run) prepare(pending []engine.Pending) {
	var accepted []engine.Pending
	for _, p := range pending {
		if p.Envelope != nil {
			accepted = append(accepted, p)
		}
	}
	if len(accepted) == 0 {
		return
	}
	engine.Prepare(r.machine, func(id wire.StreamID) state.View {
		switch id {
		case r.directory.id:
			return &r.directory.kept
		case r.trial.id:
			return &r.trial.kept
		default:
			return state.Empty{}
		}
	}, accepted)
}

// execute checks and runs an accepted entry on the state before it.
func (r *run) execute(e *engine.Entry, p engine.Pending) error {
	s := r.stream(e)
	if err := engine.Check(r.machine, r.genesis, p.Point, &r.directory.kept, &s.kept, p.Envelope); err != nil {
		return diverge(e.Name(), "must not have entered: %v", err)
	}
	try := state.NewOverlay(&s.kept)
	var directory state.View = &r.directory.kept
	if s == r.directory {
		directory = try
	}
	got := engine.Run(r.machine, r.genesis, p, directory, try)
	if got.Code != e.Result.Code {
		return diverge(e.Name(), "code %d; executed again it gives %d", e.Result.Code, got.Code)
	}
	if !bytes.Equal(wire.Marshal(got), wire.Marshal(e.Result)) {
		return diverge(e.Name(), "its events are not those that it gives when executed again")
	}
	try.Commit(&s.kept)
	return nil
}

// extend compares the log's root while every block so far was whole.
func (r *run) extend(h chain.Header, entries []*engine.Entry, leaves [][]byte) error {
	if r.log == nil || r.log.Size() != h.First || len(entries) != int(h.Count) {
		r.log = nil
		return nil
	}
	if err := r.log.Append(leaves, nil); err != nil {
		return diverge(entries[0].Name(), "%v", err)
	}
	root, err := r.log.Root()
	if err != nil {
		return diverge(entries[0].Name(), "%v", err)
	}
	if root != h.Root {
		return diverge(entries[0].Name(), "the links of block %d are not in the log whose root its header has", h.Height)
	}
	return nil
}
