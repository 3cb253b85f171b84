package consent

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// roll is the sets, accounts and counters of a trial while one transaction
// writes them. Whatever changes a counter does it here.
type roll struct {
	s      State
	c      trial.Context
	events []event.Event
	known  map[trial.Version]bool // versions settled, or not
	grown  []string               // sets whose new leaves wait to be hashed
}

func (r *roll) tell(e event.Event) { r.events = append(r.events, e) }

// member is what the ledger knows of an enrolled leaf.
type member struct {
	_        struct{} `cbor:",toarray"`
	Site     trial.SiteID
	Version  trial.Version // it was enrolled under
	Enrolled int64
	Kiosk    bool
	Active   bool
	Told     bool    // that it left
	Owes     []owing // ascending by version; a leaf is in at most one set of each
}

// owing is a leaf's membership in a set of a version.
type owing struct {
	_       struct{} `cbor:",toarray"`
	Version trial.Version
	Set     trial.Set
	Place   uint64
	Due     int64 // the leaf's own time for the version
	Until   int64 // the same, or that of a later version it owes: the version settles no earlier
	Both    []both
	Left    trial.Leaving // 0: has not
	Used    bool          // as shown or said when it left
}

// both is a leaf's place in X(v, w).
type both struct {
	_     struct{} `cbor:",toarray"`
	With  trial.Version
	Place uint64
}

var leafPrefix = []byte("consent/leaf/")

func memberKey(leaf field.Leaf) []byte   { return append(slices.Clone(leafPrefix), leaf[:]...) }
func screenedKey(leaf field.Leaf) []byte { return append([]byte("consent/screened/"), leaf[:]...) }
func passKey(leaf field.Leaf) []byte     { return append([]byte("consent/pass/"), leaf[:]...) }

func getMember(s state.View, leaf field.Leaf) (member, bool) {
	return state.Load[member](s, memberKey(leaf))
}

func (m *member) owes(v trial.Version) *owing {
	for i := range m.Owes {
		if m.Owes[i].Version == v {
			return &m.Owes[i]
		}
	}
	return nil
}

// unstated lists the unsettled versions of a leaf that nobody has said anything
// about: what a removal must state.
func (m *member) unstated(s State, now int64) (vs []trial.Version) {
	for _, o := range m.Owes {
		if o.Left == 0 && !s.Settled(o.Version, now) {
			vs = append(vs, o.Version)
		}
	}
	return vs
}

// join puts a leaf in a set of a version. With E(w) it enters X(v, w) for each
// v it owes whose own time had not run out when w opened at its site.
func (r *roll) join(leaf field.Leaf, m *member, v trial.Version, set trial.Set, due int64, opened int64) {
	o := owing{Version: v, Set: set, Due: due, Until: due}
	o.Place = r.add(act.SetTree(v, set), leaf)
	for i := range m.Owes {
		earlier := &m.Owes[i]
		if earlier.Version >= v {
			o.Until = max(o.Until, earlier.Until)
			continue
		}
		if set == trial.Existing && opened <= earlier.Due {
			earlier.Both = append(earlier.Both, both{With: v, Place: r.add(act.BothTree(earlier.Version, v), leaf)})
		}
		// What has settled stays settled.
		if due > earlier.Until && !r.settled(earlier.Version) {
			r.until(earlier, due)
		}
	}
	m.Owes = append(m.Owes, o)
	slices.SortFunc(m.Owes, func(a, b owing) int { return int(a.Version) - int(b.Version) })
	r.stays(v, o.Until, +1)
	r.count(v, set, func(c *trial.Counters) { c.Owed++ })
}

// part takes a leaf out of every tree. What it owed it owes: owed never falls.
// Its time runs out now, and not at once: a version that this leaf alone kept
// from settling stays open for the grace, so that its withdrawal from each
// version counts, in whatever order they arrive.
func (r *roll) part(leaf field.Leaf, m *member) {
	if !m.Active {
		return
	}
	m.Active = false
	for i := range m.Owes {
		o := &m.Owes[i]
		r.remove(act.SetTree(o.Version, o.Set), o.Place)
		for _, b := range o.Both {
			r.remove(act.BothTree(o.Version, b.With), b.Place)
		}
		r.until(o, min(o.Until, r.c.Now))
	}
}

// until moves the time before which a version does not settle for a member.
func (r *roll) until(o *owing, t int64) {
	r.stays(o.Version, o.Until, -1)
	o.Until = t
	r.stays(o.Version, o.Until, +1)
}

// settled asks once for each version: an opening asks for every leaf of a site.
func (r *roll) settled(v trial.Version) bool {
	if r.known == nil {
		r.known = map[trial.Version]bool{}
	}
	is, ok := r.known[v]
	if !ok {
		is = r.s.Settled(v, r.c.Now)
		r.known[v] = is
	}
	return is
}

// stays keeps, for each version, until which days its members may act. Days,
// not moments, so that the list stays short.
func (r *roll) stays(v trial.Version, until int64, by int64) {
	k := stayKey(v, trial.DayOf(until)+1)
	n, _ := state.Load[int64](r.s, k)
	if n+by == 0 {
		r.s.Delete(k)
		return
	}
	state.Put(r.s, k, n+by)
}

func stayPrefix(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("consent/stay/"), uint32(v))
}

func stayKey(v trial.Version, d trial.Day) []byte {
	return binary.BigEndian.AppendUint32(stayPrefix(v), uint32(d))
}

// StayingUntil is when the time of a version's last member runs out or, of those
// who left, ran out; 0 for none.
func StayingUntil(v state.View, n trial.Version) (until int64) {
	prefix := stayPrefix(n)
	v.Scan(prefix, func(key, _ []byte) bool {
		until = trial.Day(binary.BigEndian.Uint32(key[len(prefix):])).Start()
		return true
	})
	return until
}

func countKey(v trial.Version, set trial.Set) []byte {
	return append(binary.BigEndian.AppendUint32([]byte("consent/count/"), uint32(v)), byte(set))
}

func (r *roll) count(v trial.Version, set trial.Set, change func(*trial.Counters)) {
	c, _ := state.Load[trial.Counters](r.s, countKey(v, set))
	change(&c)
	state.Put(r.s, countKey(v, set), c)
	r.tell(event.Counted{Version: v, Set: set, Counters: c})
}

// Counters returns the sums over the sets of a version.
func Counters(v state.View, n trial.Version) (sum trial.Counters) {
	for _, set := range []trial.Set{trial.New, trial.Existing, trial.Successor} {
		c, _ := state.Load[trial.Counters](v, countKey(n, set))
		sum = sum.Plus(c)
	}
	return sum
}

// NotDue counts the members of a version who stay and whose time has not run
// out: what a data cut prints beside the verdict.
func NotDue(v state.View, n trial.Version, now int64) uint64 { return AllNotDue(v, now)[n] }

// AllNotDue is NotDue of every version, in one scan of the members.
func AllNotDue(v state.View, now int64) map[trial.Version]uint64 {
	count := map[trial.Version]uint64{}
	v.Scan(leafPrefix, func(key, _ []byte) bool {
		m, _ := state.Load[member](v, slices.Clone(key))
		for i := range m.Owes {
			if m.Active && now <= m.Owes[i].Due {
				count[m.Owes[i].Version]++
			}
		}
		return true
	})
	return count
}

// account is what the ledger knows of a consent account. Whose it is, it does
// not know.
type account struct {
	_        struct{} `cbor:",toarray"`
	Version  trial.Version
	Kind     act.Kind // of the first act: consent or superseded; 0: only burnt
	Sequence uint32   // of the last act
	Burnt    bool
	Places   []uint64 // of its pass, in the tree of each floor from 1 to Version
}

func accountKey(a field.Account) []byte { return append([]byte("consent/account/"), a[:]...) }

func getAccount(s state.View, a field.Account) (account, bool) {
	return state.Load[account](s, accountKey(a))
}

// did notes an act that is not refused.
func (a *account) did(x *act.Act) {
	a.Version, a.Sequence = x.Version, x.Sequence
	switch x.Kind {
	case act.Consent, act.Superseded:
		a.Kind = x.Kind
	case act.Withdraw:
		a.Burnt = true
	default:
	}
}

// overtaken reports whether the account was burnt or used since the act was
// made: another with its sequence, or a later one, stands there.
func (a *account) overtaken(x *act.Act) bool {
	return a.Burnt || a.Kind != 0 && x.Sequence <= a.Sequence
}

// leaves counts a leaf's leaving under one version, in place of a word said before.
func (r *roll) leaves(leaf field.Leaf, m *member, o *owing, by trial.Leaving, used bool) {
	was, said := o.Left, o.Used
	o.Left, o.Used = by, used
	r.count(o.Version, o.Set, func(c *trial.Counters) {
		if was != 0 {
			tally(c, was, said, ^uint64(0)) // −1: the word is replaced
		}
		tally(c, by, used, 1)
	})
	r.tell(event.Left{Leaf: leaf, Site: m.Site, Version: o.Version, Set: o.Set, By: by, Used: used, First: !m.Told})
	m.Told = true
}

func tally(c *trial.Counters, by trial.Leaving, used bool, n uint64) {
	switch {
	case by == trial.ByProof && used:
		c.LeftProved1 += n
	case by == trial.ByProof:
		c.LeftProved0 += n
	case used:
		c.LeftWord1 += n
	default:
		c.LeftWord0 += n
	}
	if by == trial.Ended {
		c.Ended += n
	}
}

// freshLeaf refuses a leaf that is none, or that was used before: leaves with a
// possession proof are unique among themselves.
func freshLeaf(s State, leaf field.Leaf) error {
	if _, err := leaf.Element(); err != nil {
		return trial.Refuse(trial.Malformed, "leaf: %v", err)
	}
	for _, k := range [][]byte{memberKey(leaf), screenedKey(leaf)} {
		if _, used := s.Get(k); used {
			return trial.Refuse(trial.LeafUsed, "leaf: used before; the device makes a new one for each enrolment")
		}
	}
	return nil
}
