package contract_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

var sites = []string{"A", "B"}

const (
	maxVersions = 4
	maxPeople   = 7
)

// history is one random course of a trial: the real rules on one side, the
// truth on the other, and what they disagree about.
type history struct {
	b      *bench
	w      *truth
	r      *rand.Rand
	honest bool
	judge  func(*history, trial.Version, uint64) reconsent.Verdict

	queue     []flying
	batched   uint64                // the epoch of the last batch that was accepted, counted from 1; 0: none
	last      []consent.Act         // of that batch
	compared  int                   // batches whose acts alone made the same state
	roots     map[string][]snapshot // of each tree, what each root stood for
	approved  trial.Version
	owed      map[trial.Version]uint64
	frozen    map[trial.Version]trial.Counters
	broken    map[string]int
	words     map[reconsent.Word]int
	accepted  int
	narrating bool
	story     []string
}

// flying is an act that was proven and has not arrived.
type flying struct {
	p        *person
	kind     act.Kind
	v, w     trial.Version
	tree     string // that the root is of
	root     field.Root
	sequence uint32
}

type snapshot struct {
	root   field.Root
	leaves []field.Leaf
	end    int64 // the end of the last epoch that it was the root at, 0: of none
}

func newHistory(tb testing.TB, seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 9))
	b := blank(tb)
	b.dir, b.fast = staffed(), true // never written by a history
	b.terms = trial.Terms{
		DeadlineDays: 2 + r.Uint32N(20), AnswerDays: 2 + r.Uint32N(20), GraceDays: r.Uint32N(10), RecordingHours: 24,
	}
	h := &history{
		b: b, r: r, honest: r.IntN(2) == 0, judge: exact, roots: map[string][]snapshot{}, approved: 1,
		owed: map[trial.Version]uint64{}, frozen: map[trial.Version]trial.Counters{}, broken: map[string]int{}, words: map[reconsent.Word]int{},
	}
	h.w = &truth{
		terms: b.terms, latest: 1, existing: map[trial.Version]bool{},
		opened: map[string][]opened{}, settled: map[trial.Version]bool{},
	}
	b.must(b.registerTrial())
	b.approve(1)
	h.open(1, "A")
	if r.IntN(3) > 0 {
		h.open(1, "B")
		for range 3 {
			h.enrol()
		}
	}
	return h
}

// exact is the verdict of the rules.
func exact(h *history, v trial.Version, notDue uint64) reconsent.Verdict {
	return reconsent.Judge(consent.Counters(h.b.stream, v), notDue)
}

func (h *history) breaks(what, format string, args ...any) {
	h.broken[what]++
	h.say("BROKEN "+what+": "+format, args...)
}

func (h *history) say(format string, args ...any) {
	if h.narrating {
		h.story = append(h.story, fmt.Sprintf("day %.2f  ", float64(h.b.now-genesis)/float64(day))+fmt.Sprintf(format, args...))
	}
}

// run takes random steps, then lets everybody who is willing do their duty.
func (h *history) run() {
	willing := h.r.IntN(2) == 0
	for range 20 + h.r.IntN(40) {
		h.pass(h.interval())
		h.step()
	}
	for len(h.queue) > 0 && h.r.IntN(4) > 0 {
		h.deliver()
	}
	h.queue = nil
	if willing {
		h.pass(2 * hour)
		h.duty()
	}
	h.check()
	h.pass(200 * day)
	h.check()
}

func (h *history) interval() int64 {
	switch n := h.r.IntN(20); {
	case n < 12:
		return h.r.Int64N(12 * hour)
	case n < 19:
		return h.r.Int64N(5 * day)
	default:
		return h.r.Int64N(3 * 7 * day)
	}
}

// pass lets time pass. A root that stands at the end of an epoch is kept.
func (h *history) pass(ms int64) {
	before := (h.b.now - genesis) / (epoch * 1000)
	h.b.now += ms
	after := (h.b.now - genesis) / (epoch * 1000)
	if after > before {
		for _, name := range treeNames(h.roots) {
			snaps := h.roots[name]
			snaps[len(snaps)-1].end = genesis + after*epoch*1000
		}
	}
	h.w.settle(h.b.now)
}

func treeNames(m map[string][]snapshot) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (h *history) step() {
	switch n := h.r.IntN(100); {
	case n < 17:
		h.enrol()
	case n < 28:
		h.amendOrOpen()
	case n < 49:
		h.prove()
	case n < 54:
		if p := h.person(); p != nil {
			h.catchUp(p)
		}
	case n < 66:
		h.deliver()
	case n < 73:
		h.withdraw()
	case n < 78:
		h.remove()
	case n < 81:
		h.correct()
	case n < 84:
		h.replace()
	case n < 88:
		h.transfer()
	case n < 92:
		h.visit()
	case n < 97:
		h.batch()
	default:
		h.check()
	}
}

// took compares what the rules decided with what the truth allows.
func (h *history) took(o outcome, legal, must bool, format string, args ...any) bool {
	what := fmt.Sprintf(format, args...)
	h.say("%s → %d", what, o.Code)
	if o.Code == 0 && !legal {
		h.breaks("ACCEPTED", "%s", what)
	}
	if o.Code != 0 && must {
		h.breaks("LOCKED", "refused with %d: %s", o.Code, what)
	}
	if o.Code == 0 {
		h.accepted++
		h.snap()
	}
	return o.Code == 0
}

// snap keeps what the new roots stand for.
func (h *history) snap() {
	changed := slices.Clone(h.b.folded.changed)
	slices.Sort(changed)
	for _, name := range slices.Compact(changed) {
		s := snapshot{root: h.b.root(name), leaves: slices.Clone(h.b.folded.trees[name])}
		h.roots[name] = append(h.roots[name], s)
	}
}

func (h *history) site() string { return sites[h.r.IntN(len(sites))] }

func (h *history) person() *person {
	if len(h.w.people) == 0 {
		return nil
	}
	return h.w.people[h.r.IntN(len(h.w.people))]
}

func (h *history) newName() string { return fmt.Sprintf("p%d", len(h.w.people)) }

func (h *history) enrol() {
	if len(h.w.people) >= maxPeople {
		return
	}
	at, v, name := h.site(), 1+trial.Version(h.r.Uint32N(uint32(h.w.latest))), h.newName()
	for h.r.IntN(5) > 0 && v > 1 && !h.w.mayEnrol(at, v, h.b.now) {
		v--
	}
	legal := h.w.mayEnrol(at, v, h.b.now)
	if h.took(h.b.enrol(name, at, v), legal, legal, "enrol %s at %s under %v", name, at, v) {
		h.w.enrol(name, at, v, h.b.now)
	}
}

func (h *history) amendOrOpen() {
	if h.w.latest < maxVersions && h.r.IntN(3) == 0 {
		v, existing := h.w.latest+1, h.r.IntN(3) > 0
		h.b.must(h.b.amend(v, existing))
		h.b.approve(v)
		h.w.latest, h.w.existing[v] = v, existing
		h.say("version %v, existing %t", v, existing)
		return
	}
	v := h.w.latest
	if h.r.IntN(3) == 0 {
		v = 1 + trial.Version(h.r.Uint32N(uint32(v)))
	}
	h.open(v, h.site())
}

func (h *history) open(v trial.Version, at string) {
	legal := h.w.ended(v, h.b.now) == 0
	for _, o := range h.w.opened[at] {
		legal = legal && o.version < v
	}
	if h.took(h.b.open(v, at), legal, legal, "open %v at %s", v, at) {
		h.w.open(v, at, h.b.now)
	}
}

// prove makes an act against a root of now. Some devices try what they may not.
func (h *history) prove() {
	p := h.person()
	if p == nil {
		return
	}
	v := h.anyOwed(p)
	d := p.owes[v]
	if d == nil {
		return
	}
	f := flying{p: p, kind: act.Consent, v: v, tree: d.tree}
	switch n := h.r.IntN(10); {
	case n < 3 && v < h.w.latest:
		f.kind, f.w = act.Superseded, h.successor(d, v)
		if d.with[f.w] {
			f.tree = fmt.Sprintf("X-%v-%v", v, f.w)
		}
	case n == 3 && d.consented:
		f.kind, f.sequence = act.Options, d.nextSequence()
	case n == 4:
		f.kind, f.sequence, f.tree = act.Withdraw, d.nextSequence(), ""
	}
	h.launch(f)
}

// anyOwed is a version that a person owes, 0 for none.
func (h *history) anyOwed(p *person) trial.Version {
	var vs []trial.Version
	for v := trial.Version(1); v <= h.w.latest; v++ {
		if p.owes[v] != nil {
			vs = append(vs, v)
		}
	}
	if len(vs) == 0 {
		return 0
	}
	return vs[h.r.IntN(len(vs))]
}

// successor is one that the version may be given up for, if there is any; now
// and then any later one.
func (h *history) successor(d *debt, v trial.Version) trial.Version {
	for w := v + 1; w <= h.w.latest && h.r.IntN(4) > 0; w++ {
		if d.with[w] {
			return w
		}
	}
	return v + 1 + trial.Version(h.r.Uint32N(uint32(h.w.latest-v)))
}

// launch sends an act if the leaf is in the tree, at once or later. A withdrawal
// is proven against the leaf itself.
func (h *history) launch(f flying) {
	if f.kind != act.Withdraw {
		if !slices.Contains(h.b.folded.trees[f.tree], f.p.leaf) {
			return
		}
		f.root = h.b.root(f.tree)
	}
	h.queue = append(h.queue, f)
	h.say("%s makes %v for %v (%v) against %s", f.p.name, f.kind, f.v, f.w, f.tree)
	if h.r.IntN(2) == 0 {
		h.arrive(len(h.queue) - 1)
	}
}

func (h *history) deliver() {
	if len(h.queue) > 0 {
		h.arrive(h.r.IntN(len(h.queue)))
	}
}

func (h *history) arrive(i int) {
	f := h.queue[i]
	h.queue = slices.Delete(h.queue, i, i+1)
	legal := h.legal(f, f.p.owes[f.v])
	o := h.b.perform(h.flown(f))
	if h.took(o, legal, legal && h.good(f), "%s's %v for %v (%v) arrives", f.p.name, f.kind, f.v, f.w) {
		h.happened(f)
		h.shown(f)
	}
}

// legal reports whether the truth allows an act, under an account as d has it.
func (h *history) legal(f flying, d *debt) bool {
	switch f.kind {
	case act.Consent, act.Superseded:
		return h.member(f) && !d.burnt && !d.accountUsed() && !h.w.settled[f.v]
	case act.Withdraw:
		return !d.burnt && f.sequence == d.nextSequence()
	default:
		return h.member(f) && !d.burnt && d.consented && f.sequence == d.nextSequence()
	}
}

// happened writes an accepted act into the truth.
func (h *history) happened(f flying) {
	if f.kind == act.Withdraw {
		h.w.withdraw(f.p, f.v, h.b.now)
		return
	}
	h.w.act(f.p, f.kind, f.v, f.w)
}

// shown: the receipt of an act that was overtaken by an honest site's word is
// shown to it.
func (h *history) shown(f flying) {
	d := f.p.owes[f.v]
	if h.honest && d.left != 0 && d.left != trial.ByProof && !d.used && d.accountUsed() {
		h.says(f.p, f.v, true)
	}
}

func (h *history) flown(f flying) consent.Act {
	if f.kind == act.Withdraw {
		return h.b.withdrawal(f.p.name, f.v, f.sequence)
	}
	a := h.b.act(f.kind, f.v)
	a.Sequence, a.Successor = f.sequence, f.w
	if f.kind == act.Consent {
		a.Pass = passOf(f.p.name, f.v)
	}
	return consent.Act{Proven: consent.Proven{Act: a, Root: f.root, Account: accountOf(f.p.leaf, &a)}}
}

// member: the root stands, or stood, for a set that its kind is proven against
// and that holds the leaf. Equal sets have equal roots.
func (h *history) member(f flying) bool {
	tree := f.p.owes[f.v].tree
	if f.kind == act.Superseded {
		tree = fmt.Sprintf("X-%v-%v", f.v, f.w)
	}
	return slices.ContainsFunc(h.roots[tree], func(s snapshot) bool {
		return s.root == f.root && slices.Contains(s.leaves, f.p.leaf)
	})
}

// good: the root is the tree's now, or was at the end of an epoch not longer
// ago than the grace.
func (h *history) good(f flying) bool {
	if f.kind == act.Withdraw || f.root == h.b.root(f.tree) {
		return true
	}
	for _, s := range h.roots[f.tree] {
		if s.root == f.root && s.end != 0 && h.b.now <= s.end+trial.Days(h.b.terms.GraceDays) {
			return true
		}
	}
	return false
}

// duty: everybody who stays consents to all they owe.
func (h *history) duty() {
	for _, p := range h.w.people {
		h.catchUp(p)
	}
	for len(h.queue) > 0 {
		h.arrive(0)
	}
}

// catchUp: one person consents to all they owe, from the newest version down,
// giving up for a later version what they may.
func (h *history) catchUp(p *person) {
	for v := h.w.latest; v > 0 && p.active; v-- {
		d := p.owes[v]
		if d == nil || d.accountUsed() || h.w.settled[v] {
			continue
		}
		f := flying{p: p, kind: act.Consent, v: v, tree: d.tree}
		for w := v + 1; w <= h.w.latest; w++ {
			if d.with[w] && p.owes[w].accountUsed() && h.r.IntN(3) > 0 {
				f.kind, f.w, f.tree = act.Superseded, w, fmt.Sprintf("X-%v-%v", v, w)
			}
		}
		h.launch(f)
	}
}

// settledByRules is what the rules say.
func (h *history) settledByRules(v trial.Version) bool {
	return contract.Settled(h.b.stream, v, h.b.now)
}
