package contract_test

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/event"
)

// Batches in the random histories: what flies is gathered, some of it twice, and
// sent together; or the batch before is sent once more.

// planned says which acts of a batch count, whether the truth allows the batch,
// and whether it must be taken. An act may follow another of its account.
func (h *history) planned(acts []flying) (counts []flying, legal, must bool) {
	legal, must = true, true
	after := map[*debt]debt{}
	for _, f := range acts {
		d, ok := after[f.p.owes[f.v]]
		if !ok {
			d = *f.p.owes[f.v]
		}
		if d.burnt || d.accountUsed() && f.sequence <= d.sequence {
			continue
		}
		legal = legal && h.legal(f, &d)
		must = must && legal && h.good(f)
		switch f.kind {
		case act.Consent:
			d.consented = true
		case act.Superseded:
			d.supersededBy = f.w
		case act.Withdraw:
			d.burnt = true
		default:
		}
		d.sequence = f.sequence
		after[f.p.owes[f.v]] = d
		counts = append(counts, f)
	}
	return counts, legal, must
}

// gather takes some of what flies, in any order, some of it twice.
func (h *history) gather() (acts []flying) {
	for _, i := range h.r.Perm(len(h.queue)) {
		if h.r.IntN(4) == 0 {
			continue
		}
		acts = append(acts, h.queue[i])
		if h.r.IntN(6) == 0 {
			acts = append(acts, h.queue[i])
		}
	}
	return acts
}

func (h *history) batch() {
	if h.r.IntN(4) == 0 {
		h.again()
		return
	}
	acts := h.gather()
	if len(acts) == 0 || h.send(acts) {
		return
	}
	// It is formed again from what it could not be refused for.
	acts = slices.DeleteFunc(acts, func(f flying) bool { return !h.legal(f, f.p.owes[f.v]) || !h.good(f) })
	if len(acts) > 0 {
		h.send(acts)
	}
}

// send reports whether the batch was taken.
func (h *history) send(acts []flying) bool {
	counts, legal, must := h.planned(acts)
	ordered := h.b.epoch()+1 > h.batched
	body := h.bodies(acts)
	var alone state.View
	if legal {
		alone = h.alone(acts, counts)
	}
	o := h.b.batch(h.b.epoch(), body...)
	if !h.took(o, legal && ordered, must && ordered, "a batch of %d acts, %d of which count", len(acts), len(counts)) {
		return false
	}
	h.batched, h.last = h.b.epoch()+1, body
	if e := o.Events[0].(event.Batched); int(e.Acts) != len(counts) || int(e.Acts+e.Skipped) != len(acts) {
		h.breaks("BATCHED", "%+v; %d of %d count", e, len(counts), len(acts))
	}
	if alone != nil && !h.same(alone) {
		h.breaks("BATCHED", "the acts one by one make another state")
	}
	for _, f := range counts {
		h.happened(f)
	}
	for _, f := range counts {
		h.shown(f)
	}
	h.queue = slices.DeleteFunc(h.queue, func(f flying) bool { return slices.Contains(acts, f) })
	return true
}

func (h *history) bodies(acts []flying) (body []consent.Act) {
	for _, f := range acts {
		body = append(body, h.flown(f))
	}
	return body
}

// alone sends the acts one by one, in the block that the batch will be in, to a
// copy of the state. Those that a batch skips are refused. It is nil where one
// that counts is refused too: the root of an act, good for the moment only, may
// go with a withdrawal before it, which a batch spares it.
func (h *history) alone(acts, counts []flying) state.View {
	fork := *h.b
	fork.height = h.b.count + 1 // that of the batch
	fork.stream, fork.folded, fork.shim = copyOf(h.b.stream), fold{}, nil
	taken, whole := 0, true
	for _, f := range acts {
		o := fork.perform(h.flown(f))
		counted := taken < len(counts) && counts[taken] == f
		if counted {
			taken++
		}
		switch {
		case o.Code == 0 && !counted && whole:
			h.breaks("BATCHED", "%s's %v for %v is skipped, and taken alone", f.p.name, f.kind, f.v)
		case o.Code != 0 && counted:
			whole = false
		}
	}
	if !whole {
		return nil
	}
	return fork.stream
}

// same compares a state that got the acts one by one with that of the batch.
func (h *history) same(alone state.View) bool {
	h.compared++
	mine := copyOf(h.b.stream)
	key := actor("batcher")
	mine.Delete(append([]byte("consent/batched/"), key[:]...))
	one := copyOf(alone)
	one.Delete(append([]byte("consent/batched/"), key[:]...))
	return state.Digest(mine) == state.Digest(one)
}

// again sends the acts of the last batch once more: refused in its epoch, and
// without effect in a later one.
func (h *history) again() {
	if h.last == nil {
		return
	}
	later := h.b.epoch()+1 > h.batched
	before := map[trial.Version]trial.Counters{}
	for v := trial.Version(1); v <= h.w.latest; v++ {
		before[v] = consent.Counters(h.b.stream, v)
	}
	o := h.b.batch(h.b.epoch(), h.last...)
	if !h.took(o, later, later, "the batch of before again, %d acts", len(h.last)) {
		return
	}
	h.batched = h.b.epoch() + 1
	if e := o.Events[0].(event.Batched); e.Acts != 0 || len(o.Events) != 1 {
		h.breaks("BATCHED", "a replay did %d things, %+v", len(o.Events), e)
	}
	for v, c := range before {
		if consent.Counters(h.b.stream, v) != c {
			h.breaks("BATCHED", "a replay changed the counters of version %v", v)
		}
	}
}
