package contract_test

import (
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// truth is a second, dumb implementation of who owes what: lists of people, and
// for each what they did. It knows what the ledger cannot know: whose an
// account is.
type truth struct {
	terms    trial.Terms
	existing map[trial.Version]bool
	latest   trial.Version
	opened   map[string][]opened // by site, oldest first
	people   []*person
	settled  map[trial.Version]bool // for good
	lied     bool
}

type opened struct {
	version      trial.Version
	at, deadline int64
	existing     bool
}

type person struct {
	name     string
	leaf     field.Leaf
	site     string
	version  trial.Version // enrolled under
	enrolled int64
	active   bool
	owes     map[trial.Version]*debt
	passes   map[trial.Version]int64 // when the pass was zeroed; 0: it lives
	next     uint32                  // repetition of the next visit
}

// debt is one consent that a person owes.
type debt struct {
	tree         string
	due          int64
	until        int64                  // the last time of this one and those it may be given up for
	with         map[trial.Version]bool // X(v, w)
	consented    bool
	supersededBy trial.Version
	sequence     uint32
	burnt        bool
	left         trial.Leaving
	used         bool // as said or shown when they left
}

func (d *debt) accountUsed() bool { return d.consented || d.supersededBy != 0 }

func (d *debt) nextSequence() uint32 {
	if d.accountUsed() {
		return d.sequence + 1
	}
	return 0
}

// openAt finds a version at a site.
func (w *truth) openAt(site string, v trial.Version) (opened, bool) {
	for _, o := range w.opened[site] {
		if o.version == v {
			return o, true
		}
	}
	return opened{}, false
}

func (w *truth) mayEnrol(site string, v trial.Version, now int64) bool {
	if _, ok := w.openAt(site, v); !ok {
		return false
	}
	return !slices.ContainsFunc(w.opened[site], func(o opened) bool { return o.version > v && now > o.deadline })
}

func (w *truth) floor(site string, now int64) trial.Version {
	floor := trial.Version(1)
	for i, o := range w.opened[site] {
		if i == 0 || o.existing && now > o.deadline {
			floor = o.version
		}
	}
	return floor
}

// endedAt is when a version ended at a site, 0: it has not.
func (w *truth) endedAt(site string, v trial.Version, now int64) (end int64) {
	for _, o := range w.opened[site] {
		if o.version > v && o.existing && now > o.deadline && (end == 0 || o.deadline < end) {
			end = o.deadline
		}
	}
	return end
}

// ended is when a version ended wherever it opened, 0: it has not.
func (w *truth) ended(v trial.Version, now int64) (end int64) {
	for _, site := range sites {
		if _, ok := w.openAt(site, v); !ok {
			continue
		}
		at := w.endedAt(site, v, now)
		if at == 0 {
			return 0
		}
		end = max(end, at)
	}
	return end
}

// settle marks what has settled by now. Settling is for good. Times of members
// count to the end of their day; the time of who leaves runs out then.
func (w *truth) settle(now int64) {
	for v := trial.Version(1); v <= w.latest; v++ {
		end := w.ended(v, now)
		if w.settled[v] || end == 0 {
			continue
		}
		for _, p := range w.people {
			if d := p.owes[v]; d != nil {
				end = max(end, (trial.DayOf(d.until) + 1).Start())
			}
		}
		w.settled[v] = now > end+trial.Days(w.terms.GraceDays)
	}
}

func (w *truth) unsettled(p *person) (vs []trial.Version) {
	for v := trial.Version(1); v <= w.latest; v++ {
		if p.owes[v] != nil && !w.settled[v] {
			vs = append(vs, v)
		}
	}
	return vs
}

// unstated are the versions that a removal must speak of.
func (w *truth) unstated(p *person) []trial.Version {
	return slices.DeleteFunc(w.unsettled(p), func(v trial.Version) bool { return p.owes[v].left != 0 })
}

func (w *truth) join(p *person, v trial.Version, set string, due, at int64) {
	d := &debt{tree: set + "-" + v.String(), due: due, until: due, with: map[trial.Version]bool{}}
	for e := trial.Version(1); e <= w.latest; e++ {
		other := p.owes[e]
		switch {
		case other == nil:
		case e > v:
			d.until = max(d.until, other.until)
		case !w.settled[e]:
			other.until = max(other.until, due)
			fallthrough
		default:
			if set == "E" && at <= other.due {
				other.with[v] = true
			}
		}
	}
	p.owes[v] = d
}

func (w *truth) enrol(name, site string, v trial.Version, now int64) *person {
	p := w.newcomer(name, site, v, now)
	w.join(p, v, "N", now+trial.Days(w.terms.AnswerDays), now)
	for _, o := range w.opened[site] {
		if o.version > v && o.existing {
			w.join(p, o.version, "E", max(o.deadline, now+trial.Days(w.terms.AnswerDays)), o.at)
		}
	}
	return p
}

func (w *truth) newcomer(name, site string, v trial.Version, now int64) *person {
	p := &person{
		name: name, leaf: leafOf(name), site: site, version: v, enrolled: now, active: true,
		owes: map[trial.Version]*debt{}, passes: map[trial.Version]int64{},
	}
	w.people = append(w.people, p)
	return p
}

func (w *truth) open(v trial.Version, site string, now int64) {
	o := opened{version: v, at: now, deadline: now + trial.Days(w.terms.DeadlineDays), existing: w.existing[v]}
	w.opened[site] = append(w.opened[site], o)
	for _, p := range w.people {
		if o.existing && p.active && p.site == site && p.owes[v] == nil {
			w.join(p, v, "E", o.deadline, now)
		}
	}
}

// transfer joins every version that is open at the new site, has not ended
// there, and is not owed yet.
func (w *truth) transfer(p *person, to string, now int64) {
	p.site = to
	for _, o := range w.opened[to] {
		if p.owes[o.version] == nil && w.endedAt(to, o.version, now) == 0 {
			w.join(p, o.version, "E", max(o.deadline, now+trial.Days(w.terms.AnswerDays)), o.at)
		}
	}
}

func (w *truth) replace(old *person, name string, now int64) *person {
	p := w.newcomer(name, old.site, old.version, now)
	for _, v := range w.unstated(old) {
		o, _ := w.openAt(old.site, v)
		due := now + trial.Days(w.terms.AnswerDays)
		if old.owes[v].tree[0] == 'E' {
			due = max(due, o.deadline)
		}
		w.join(p, v, old.owes[v].tree[:1], due, o.at)
	}
	return p
}

func (p *person) leave(now int64) {
	if p.active {
		for _, d := range p.owes {
			d.until = min(d.until, now)
		}
	}
	p.active = false
}

func (w *truth) word(p *person, class trial.Leaving, used map[trial.Version]bool, now int64) {
	p.leave(now)
	for v, u := range used {
		p.owes[v].left, p.owes[v].used = class, u
	}
}

func (w *truth) withdraw(p *person, v trial.Version, now int64) {
	p.leave(now)
	d := p.owes[v]
	d.sequence, d.burnt = d.nextSequence(), true
	if _, ok := p.passes[v]; ok {
		p.passes[v] = now
	}
	if !w.settled[v] {
		d.left, d.used = trial.ByProof, d.accountUsed()
	}
}

func (w *truth) act(p *person, k act.Kind, v, successor trial.Version) {
	d := p.owes[v]
	switch k {
	case act.Consent:
		d.consented, d.sequence, p.passes[v] = true, 0, 0
	case act.Superseded:
		d.supersededBy, d.sequence = successor, 0
	default:
		d.sequence++
	}
}

// counters are counted over everybody, from nothing but what they did.
func (w *truth) counters(v trial.Version) (c trial.Counters) {
	for _, p := range w.people {
		d := p.owes[v]
		if d == nil {
			continue
		}
		c.Owed++
		if d.consented {
			c.Acts++
		}
		if d.supersededBy != 0 {
			c.Superseded++
		}
		if d.left != 0 {
			addLeft(&c, d.left, d.used, 1)
		}
	}
	return c
}

// covered: consented, or gave it up for a later version that is owed, whose own
// count must show it.
func (w *truth) covered(p *person, v trial.Version) bool {
	d := p.owes[v]
	return d.consented || d.supersededBy > v && p.owes[d.supersededBy] != nil
}

// hidden counts who stays, owes the version and has not consented.
func (w *truth) hidden(v trial.Version) (n uint64) {
	for _, p := range w.people {
		if p.active && p.owes[v] != nil && !w.covered(p, v) {
			n++
		}
	}
	return n
}

func (w *truth) notDue(v trial.Version, now int64) (n uint64) {
	for _, p := range w.people {
		if d := p.owes[v]; d != nil && p.active && now <= d.due {
			n++
		}
	}
	return n
}

// dutiful: no site lied, everybody whose time ran out did their duty, and of
// everybody who left it was said or shown.
func (w *truth) dutiful(v trial.Version, now int64) bool {
	if w.lied {
		return false
	}
	for _, p := range w.people {
		d := p.owes[v]
		switch {
		case d == nil || w.covered(p, v):
		case p.active && w.overdue(p, v, now), !p.active && d.left == 0:
			return false
		}
	}
	return true
}

func (w *truth) overdue(p *person, from trial.Version, now int64) bool {
	for v := from; v <= w.latest; v++ {
		if d := p.owes[v]; d != nil && now > d.due {
			return true
		}
	}
	return false
}

// good: consented, and to all that is due.
func (w *truth) good(p *person, now int64) bool {
	if !p.active || len(p.passes) == 0 {
		return false
	}
	for v := trial.Version(1); v <= w.latest; v++ {
		d := p.owes[v]
		if d == nil || w.covered(p, v) && d.supersededBy == 0 {
			continue
		}
		o, open := w.openAt(p.site, v)
		lapsed := now > d.due || d.tree[0] == 'E' && open && now > o.deadline
		if lapsed && !w.consentedAfter(p, v) {
			return false
		}
	}
	return true
}

func (w *truth) consentedAfter(p *person, v trial.Version) bool {
	for x := v + 1; x <= w.latest; x++ {
		if d := p.owes[x]; d != nil && d.consented {
			return true
		}
	}
	return false
}
