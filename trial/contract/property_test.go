package contract_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
)

// check compares the rules with the truth: a cut that settles nothing.
func (h *history) check() {
	now := h.b.now
	for v := trial.Version(1); v <= h.w.latest; v++ {
		h.checkCounters(v)
		h.checkVerdict(v, now)
		if got, want := h.settledByRules(v), h.w.settled[v]; got != want {
			h.breaks("SETTLED", "version %v: %t by the rules, %t in truth", v, got, want)
		}
	}
	for _, p := range h.w.people {
		h.checkTrees(p)
		h.checkPerson(p, now)
	}
}

func (h *history) checkCounters(v trial.Version) {
	got := consent.Counters(h.b.stream, v)
	if want := h.w.counters(v); got != want {
		h.breaks("COUNTERS", "version %v: %+v by the rules, %+v in truth", v, got, want)
	}
	if f := h.b.folded.counters[v]; f != got || h.b.folded.sum(v) != got {
		h.breaks("EVENTS", "version %v: events add up to %+v, told %+v, state %+v", v, f, h.b.folded.sum(v), got)
	}
	if got.Owed < h.owed[v] {
		h.breaks("OWED FELL", "version %v: from %d to %d", v, h.owed[v], got.Owed)
	}
	h.owed[v] = got.Owed
	if was, ok := h.frozen[v]; ok && was != got {
		h.breaks("SETTLED", "version %v changed after it settled: %+v, was %+v", v, got, was)
	}
	if h.w.settled[v] {
		h.frozen[v] = got
	}
}

func (h *history) checkVerdict(v trial.Version, now int64) {
	notDue := consent.NotDue(h.b.stream, v, now)
	if want := h.w.notDue(v, now); notDue != want {
		h.breaks("NOT DUE", "version %v: %d by the rules, %d in truth", v, notDue, want)
	}
	verdict, hidden := h.judge(h, v, notDue), h.w.hidden(v)
	h.words[verdict.Word]++
	h.say("version %v: %v of %+v, hidden %d", v, verdict, h.w.counters(v), hidden)
	switch verdict.Word {
	case reconsent.Proven:
		if hidden > 0 {
			h.breaks("FALSE PROVEN", "version %v: %d hidden", v, hidden)
		}
	case reconsent.Attested, reconsent.NotDue:
		if hidden > verdict.K {
			h.breaks("BOUND", "version %v: %v, %d hidden", v, verdict, hidden)
		}
	case reconsent.Incomplete:
		if h.w.dutiful(v, now) {
			h.breaks("FALSE ALARM", "version %v: %v", v, verdict)
		}
	default:
		h.breaks("FAULT", "version %v: %v", v, verdict)
	}
	if h.honest && !h.w.lied && verdict.Contradicted > 0 {
		h.breaks("FALSE ALARM", "version %v: %d words contradicted at honest sites", v, verdict.Contradicted)
	}
}

// checkTrees: a leaf that stays is in the tree of each set it owes and in no
// other, one that left is in none.
func (h *history) checkTrees(p *person) {
	want := map[string]bool{}
	for v, d := range p.owes {
		if p.active {
			want[d.tree] = true
			for w := range d.with {
				want["X-"+v.String()+"-"+w.String()] = true
			}
		}
	}
	for name, leaves := range h.b.folded.trees {
		n := 0
		for _, l := range leaves {
			if l == p.leaf {
				n++
			}
		}
		if want[name] != (n == 1) || n > 1 {
			h.breaks("TREES", "%s stands %d times in %s", p.name, n, name)
		}
		if !slices.Equal(leaves, consent.Leaves(h.b.stream, name)) {
			h.breaks("TREES", "%s: events and state differ", name)
		}
	}
}

func (h *history) checkPerson(p *person, now int64) {
	told := 0
	for _, d := range p.owes {
		if d.left != 0 {
			told = 1
		}
	}
	if n := h.b.folded.firsts[p.leaf]; n != told {
		h.breaks("EVENTS", "%s was told %d times to have left", p.name, n)
	}
	if !p.active {
		return
	}
	if len(h.w.unsettled(p)) == 0 {
		h.breaks("LOCKED", "%s has no unsettled version to withdraw under", p.name)
	}
	if !h.w.good(p, now) {
		return
	}
	floor := h.w.floor(p.site, now)
	tree := h.b.folded.trees["pass-"+floor.String()]
	if !slices.ContainsFunc(tree, func(l field.Leaf) bool { return h.owns(p, l) }) {
		h.breaks("LOCKED", "%s consented to all they owe and holds no pass for floor %v", p.name, floor)
	}
}

func (h *history) owns(p *person, pass field.Leaf) bool {
	for v := range p.passes {
		if passOf(p.name, v) == pass {
			return true
		}
	}
	return false
}

// histories is how many random histories the tests below take: a short form by
// default, any number by TRIALITH_HISTORIES, from TRIALITH_SEED on.
func histories(t *testing.T, short uint64) (from, n uint64) {
	t.Helper()
	number := func(name string, otherwise uint64) uint64 {
		s := os.Getenv(name)
		if s == "" {
			return otherwise
		}
		x, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return x
	}
	return number("TRIALITH_SEED", 1), number("TRIALITH_HISTORIES", short)
}

// TestEveryoneConsented holds the rules of consent, re-consent and visits
// against the truth over random histories (C8, C9).
func TestEveryoneConsented(t *testing.T) {
	t.Parallel()
	from, n := histories(t, 400)
	words, accepted, compared := map[reconsent.Word]int{}, 0, 0
	for seed := from; seed < from+n; seed++ {
		h := newHistory(t, seed)
		h.run()
		if len(h.broken) > 0 {
			tell(t, seed, h.broken)
		}
		for w, k := range h.words {
			words[w] += k
		}
		accepted, compared = accepted+h.accepted, compared+h.compared
	}
	t.Logf("%d histories, %d transactions accepted, %d batches like their acts alone, verdicts %v", n, accepted, compared, words)
	if compared == 0 {
		t.Error("no history had a batch to compare with its acts alone: the generator is too poor")
	}
	for _, w := range []reconsent.Word{reconsent.Proven, reconsent.Attested, reconsent.NotDue, reconsent.Incomplete} {
		if words[w] == 0 {
			t.Errorf("no history reached %v: the generator is too poor", w)
		}
	}
}

// tell runs a history again and prints its story.
func tell(t *testing.T, seed uint64, broken map[string]int) {
	t.Helper()
	h := newHistory(t, seed)
	h.narrating = true
	h.run()
	t.Fatalf("history %d: %v\n%s", seed, broken, strings.Join(h.story, "\n"))
}

// The controls: each rule weakened as a plausible design had it must break
// within the same histories, or the property test tests nothing.
func TestControls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weaken func(*history)
		breaks []string
	}{
		"acts equal active leaves and leaves said to have consented": {
			func(h *history) { h.judge = byActiveLeaves }, []string{"FALSE PROVEN"},
		},
		"superseded without X": {
			func(h *history) { h.b.shim = h.withoutX }, []string{"FALSE PROVEN", "BOUND"},
		},
		"a leaver who had superseded had not consented": {
			func(h *history) { h.judge = supersededNotUsed }, []string{"FALSE PROVEN", "FAULT"},
		},
		"any pass": {
			func(h *history) { h.b.shim = h.anyFloor }, []string{"DOSED"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, n := histories(t, 3000)
			for seed := from; seed < from+n; seed++ {
				h := newHistory(t, seed)
				c.weaken(h)
				h.run()
				for _, what := range c.breaks {
					if h.broken[what] > 0 {
						t.Logf("history %d: %v", seed, h.broken)
						return
					}
				}
			}
			t.Errorf("%d histories, and none broke the weakened rule", n)
		})
	}
}

func byActiveLeaves(h *history, v trial.Version, _ uint64) reconsent.Verdict {
	c := consent.Counters(h.b.stream, v)
	want := c.LeftProved1 + c.LeftWord1
	for _, p := range h.w.people {
		if p.active && p.owes[v] != nil {
			want++
		}
	}
	if c.Acts+c.Superseded == want {
		return reconsent.Verdict{Word: reconsent.Proven}
	}
	return reconsent.Verdict{Word: reconsent.Attested, K: c.Owed}
}

func supersededNotUsed(h *history, v trial.Version, notDue uint64) reconsent.Verdict {
	c := consent.Counters(h.b.stream, v)
	for _, p := range h.w.people {
		if d := p.owes[v]; d != nil && d.left == trial.ByProof && d.supersededBy != 0 {
			c.LeftProved0, c.LeftProved1 = c.LeftProved0+1, c.LeftProved1-1
		}
	}
	return reconsent.Judge(c, notDue)
}

// shimmed is a state in which some keys read otherwise.
type shimmed struct {
	state.Store
	get func(key string) ([]byte, bool)
}

func (s shimmed) Get(key []byte) ([]byte, bool) {
	if v, ok := s.get(string(key)); ok {
		return v, true
	}
	return s.Store.Get(key)
}

// withoutX lets a root of N(v) or E(v) pass as one of X(v, w).
func (h *history) withoutX(s state.Store) state.Store {
	return shimmed{Store: s, get: func(key string) ([]byte, bool) {
		rest, ok := strings.CutPrefix(key, "consent/kept/X-")
		if !ok {
			return nil, false
		}
		name, root, _ := strings.Cut(rest, "\x00")
		v, _, _ := strings.Cut(name, "-")
		for _, set := range []string{"N-", "E-"} {
			if now := h.b.root(set + v); string(now[:]) == root {
				return wire.Marshal(uint64((h.b.now - genesis) / (epoch * 1000))), true
			}
			if kept, ok := s.Get([]byte("consent/kept/" + set + v + "\x00" + root)); ok {
				return kept, true
			}
		}
		return nil, false
	}}
}

// anyFloor lets a root of any tree of passes pass as one of the floor's.
func (h *history) anyFloor(s state.Store) state.Store {
	return shimmed{Store: s, get: func(key string) ([]byte, bool) {
		rest, ok := strings.CutPrefix(key, "consent/passroot/pass-")
		if !ok {
			return nil, false
		}
		name, root, _ := strings.Cut(rest, "\x00")
		for v := trial.Version(1); v <= h.w.latest; v++ {
			now := consent.Root(s, "pass-"+v.String()) // recorded by a later block
			if _, ok := s.Get([]byte("consent/passroot/pass-" + v.String() + "\x00" + root)); ok || string(now[:]) == root {
				g, _ := state.Load[struct {
					_     struct{} `cbor:",toarray"`
					Count uint64
				}](s, []byte("consent/passgen/pass-"+name+"\x00"))
				return wire.Marshal(g.Count), true
			}
		}
		return nil, false
	}}
}
