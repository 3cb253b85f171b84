package contract_test

import (
	"fmt"
	"slices"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

func (h *history) withdraw() {
	p := h.person()
	if p == nil {
		return
	}
	phoneDies := h.r.IntN(4) == 0
	for v := trial.Version(1); v <= h.w.latest; v++ {
		d := p.owes[v]
		if d == nil || h.w.settled[v] && h.r.IntN(2) == 0 {
			continue
		}
		o := h.b.perform(h.b.withdrawal(p.name, v, d.nextSequence()))
		if h.took(o, !d.burnt, !d.burnt, "%s withdraws from %v", p.name, v) {
			h.w.withdraw(p, v, h.b.now)
		}
		if phoneDies {
			return
		}
	}
}

// words are a site's statements: what it knows from receipts, or anything.
func (h *history) statements(p *person) (ss []consent.Statement, used map[trial.Version]bool) {
	used = map[trial.Version]bool{}
	for _, v := range h.w.unstated(p) {
		u := p.owes[v].accountUsed()
		if !h.honest && h.r.IntN(2) == 0 {
			u = !u
			h.w.lied = true
		}
		used[v] = u
		ss = append(ss, consent.Statement{Version: v, Used: u})
	}
	return ss, used
}

func (h *history) remove() {
	p := h.person()
	if p == nil {
		return
	}
	class := trial.ByWord
	if h.r.IntN(3) == 0 {
		class = trial.Ended
	}
	ss, used := h.statements(p)
	legal := p.active || len(ss) > 0
	if h.took(h.b.remove(p.name, p.site, class, ss...), legal, legal, "site removes %s, %v %v", p.name, class, used) {
		h.w.word(p, class, used, h.b.now)
	}
}

func (h *history) correct() {
	p := h.person()
	if p == nil {
		return
	}
	v := 1 + trial.Version(h.r.Uint32N(uint32(h.w.latest)))
	d := p.owes[v]
	if d == nil || h.honest && d.used == d.accountUsed() {
		return
	}
	h.says(p, v, !d.used)
}

func (h *history) says(p *person, v trial.Version, used bool) {
	d := p.owes[v]
	legal := (d.left == trial.ByWord || d.left == trial.Ended) && d.used != used && !h.w.settled[v]
	if h.took(h.b.correct(p.name, p.site, v, used), legal, legal, "site corrects %s on %v to %t", p.name, v, used) {
		d.used = used
		h.w.lied = h.w.lied || used != d.accountUsed()
	}
}

func (h *history) replace() {
	p := h.person()
	if p == nil || len(h.w.people) >= maxPeople {
		return
	}
	ss, used := h.statements(p)
	name := h.newName()
	if h.took(h.b.replace(p.name, name, p.site, p.version, ss...), p.active, p.active, "%s replaces %s, %v", name, p.name, used) {
		h.w.replace(p, name, h.b.now)
		h.w.word(p, trial.ByWord, used, h.b.now)
	}
}

func (h *history) transfer() {
	p := h.person()
	if p == nil {
		return
	}
	to := h.site()
	legal := p.active && to != p.site && len(h.w.opened[to]) > 0
	if h.took(h.b.transfer(p.name, p.site, to), legal, legal, "%s moves to %s", p.name, to) {
		h.w.transfer(p, to, h.b.now)
	}
}

// visit tries a pass: the newest against the site's tree of now, or any against
// any root that ever held it.
func (h *history) visit() {
	p := h.person()
	if p == nil || len(p.passes) == 0 || len(h.w.opened[p.site]) == 0 {
		return
	}
	floor := h.w.floor(p.site, h.b.now)
	v := h.newest(p)
	tree := fmt.Sprintf("pass-%v", floor)
	root, leaves := h.b.root(tree), h.b.folded.trees[tree]
	if h.r.IntN(2) == 0 {
		v = h.anyPass(p)
		snaps := h.roots[fmt.Sprintf("pass-%v", 1+h.r.Uint32N(uint32(v)))]
		s := snaps[h.r.IntN(len(snaps))]
		root, leaves = s.root, s.leaves
	}
	if !slices.Contains(leaves, passOf(p.name, v)) {
		return // no proof can be made
	}
	p.next++
	e := h.b.entry(p.name, v, act.Visit, p.site, "rescue", p.next, tree)
	e.Proven.Root = root
	zeroed := p.passes[v]
	legal := v >= floor && (zeroed == 0 || h.b.now-zeroed <= trial.Hours(24))
	must := v >= floor && zeroed == 0 && root == h.b.root(tree)
	h.took(h.b.enterEntry(e, p.site), legal, must, "%s visits %s with the pass of %v, floor %v", p.name, p.site, v, floor)
	if h.broken["ACCEPTED"] > 0 && !legal {
		h.breaks("DOSED", "%s on a lapsed consent to %v, floor %v", p.name, v, floor)
	}
}

func (h *history) newest(p *person) (v trial.Version) {
	for x := range p.passes {
		v = max(v, x)
	}
	return v
}

func (h *history) anyPass(p *person) trial.Version {
	var vs []trial.Version
	for v := trial.Version(1); v <= h.w.latest; v++ {
		if _, ok := p.passes[v]; ok {
			vs = append(vs, v)
		}
	}
	return vs[h.r.IntN(len(vs))]
}
