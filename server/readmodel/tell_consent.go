package readmodel

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// setOf tells which set of which version a tree holds; others hold none.
func setOf(tree string) (trial.Set, trial.Version, bool) {
	word, number, ok := strings.Cut(tree, "-")
	v, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil {
		return 0, 0, false
	}
	switch word {
	case trial.New.String():
		return trial.New, trial.Version(v), true
	case trial.Existing.String():
		return trial.Existing, trial.Version(v), true
	default:
		return 0, 0, false
	}
}

func (a *at) leafSet(e event.LeafSet) error {
	k := listKey{a.trial, e.Tree}
	l := a.stage(k)
	was := l.at(e.Place)
	if err := l.set(e.Place, e.Leaf[:], a.Height); err != nil {
		return fmt.Errorf("tree %s: %w", e.Tree, err)
	}
	a.staged[k] = l
	a.leaves.put(placeKey{k, e.Place}, leafRow{
		Trial: a.Stream[:], Tree: e.Tree, Place: e.Place, Leaf: e.Leaf[:], Height: a.Height,
	})
	set, v, ok := setOf(e.Tree)
	switch {
	case !ok:
		return nil
	case e.Leaf == field.Leaf{}:
		return a.parts(memberKey{a.trial, was})
	default:
		m := memberKey{a.trial, e.Leaf}
		a.memberships.put(membershipKey{m, v}, membershipRow{
			Trial: a.Stream[:], Leaf: e.Leaf[:], Version: uint32(v), MemberSet: uint8(set), Place: e.Place,
		})
		return nil
	}
}

// parts takes a leaf out of the trial: one that is emptied from a set is
// emptied from all, and nothing but leaving empties it.
func (a *at) parts(k memberKey) error {
	m := a.members.change(k)
	if m == nil {
		return fmt.Errorf("leaf %v: taken from a set and never enrolled", k.leaf)
	}
	if !m.Active {
		return nil
	}
	m.Active, m.Departed = false, a.Time
	a.trials.change(a.trial).Active--
	a.trials.change(a.trial).Departed++
	a.site(trial.SiteID(m.Site)).Active--
	a.parted = append(a.parted, k)
	return nil
}

// leftBy notes how a leaf left, in place of what was said before.
func (a *at) leftBy(k memberKey, way trial.Leaving) {
	m := a.members.change(k)
	a.countWay(m, ^uint64(0)) // −1
	m.Way = uint8(way)
	a.countWay(m, 1)
}

// countWay adds to the sums of those who left. A replaced leaf is none of them:
// its person stayed.
func (a *at) countWay(m *memberRow, n uint64) {
	if m.Replaced {
		return
	}
	switch t := a.trials.change(a.trial); trial.Leaving(m.Way) {
	case trial.ByProof, trial.ByWord:
		t.Withdrawn += n
		a.site(trial.SiteID(m.Site)).Withdrawn += n
	case trial.Ended:
		t.Ended += n
	}
}

func (a *at) enrolled(e event.Enrolled) {
	a.members.put(memberKey{a.trial, e.Leaf}, memberRow{
		Trial: a.Stream[:], Leaf: e.Leaf[:], Place: a.place, Site: e.Site[:], Version: uint32(e.Version), Day: int32(e.Day),
		Enrolled: a.Time, Kiosk: e.Kiosk, Active: true, Replaces: []byte{}, Sequence: a.Sequence,
	})
	t, s := a.trials.change(a.trial), a.site(e.Site)
	t.Enrolled++
	t.Active++
	s.Enrolled++
	s.Active++
}

func (a *at) acted(e event.Acted) error {
	t := a.trials.change(a.trial)
	t.Acts++
	a.withdrew = a.withdrew || e.Kind == act.Withdraw
	k := accountKey{a.trial, e.Account}
	if e.Sequence == 0 {
		return a.firstAct(k, e, t)
	}
	r := a.accounts.change(k)
	if r == nil {
		var stored accountRow
		if err := a.db.Where("trial = ? AND account = ?", a.Stream[:], e.Account[:]).Take(&stored).Error; err != nil {
			return fmt.Errorf("account %v: %w", e.Account, err)
		}
		r = a.accounts.put(k, stored)
	}
	r.Kind, r.ActSequence, r.LatestAct = e.Kind.String(), e.Sequence, a.Time
	return nil
}

func (a *at) firstAct(k accountKey, e event.Acted, t *trialRow) error {
	a.accounts.put(k, accountRow{
		Trial: a.Stream[:], Account: e.Account[:], Number: t.Accounts, Version: uint32(e.Version), Kind: e.Kind.String(),
		Consented: e.Kind == act.Consent, FirstAct: a.Time, LatestAct: a.Time, Sequence: a.Sequence,
	})
	list := listKey{a.trial, accountList}
	l := a.stage(list)
	if err := l.set(t.Accounts, e.Account[:], a.Height); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	a.staged[list] = l
	t.Accounts++
	return nil
}

func (a *at) left(e event.Left) error {
	m := memberKey{a.trial, e.Leaf}
	o := a.memberships.change(membershipKey{m, e.Version})
	if o == nil || a.members.rows[m] == nil {
		return fmt.Errorf("leaf %v: left version %v, which it did not owe", e.Leaf, e.Version)
	}
	o.Way, o.Used = uint8(e.By), e.Used
	a.leftBy(m, e.By)
	a.leavings = append(a.leavings, leavingRow{
		Trial: a.Stream[:], Place: a.place, Version: uint32(e.Version), Leaf: e.Leaf[:], Site: e.Site[:], MemberSet: uint8(e.Set),
		Way: uint8(e.By), Used: e.Used, WasActive: e.First, Time: a.Time, Sequence: a.Sequence,
	})
	return nil
}

// replaced undoes what counted one person twice, once as gone.
func (a *at) replaced(e event.Replaced) error {
	old, now := a.members.change(memberKey{a.trial, e.Old}), a.members.change(memberKey{a.trial, e.New})
	if old == nil || now == nil {
		return fmt.Errorf("leaf %v: replaced and never enrolled", e.Old)
	}
	a.countWay(old, ^uint64(0)) // −1
	old.Replaced, now.Replaces = true, e.Old[:]
	t := a.trials.change(a.trial)
	t.Replaced++
	t.Enrolled--
	t.Departed--
	a.site(e.Site).Enrolled--
	return nil
}

func (a *at) transferred(e event.Transferred) error {
	m := a.members.change(memberKey{a.trial, e.Leaf})
	if m == nil {
		return fmt.Errorf("leaf %v: transferred and never enrolled", e.Leaf)
	}
	m.Site = e.To[:]
	a.site(e.From).Active--
	a.site(e.To).Active++
	return nil
}

func (a *at) counted(e event.Counted) {
	c := e.Counters
	a.counters.put(counterKey{versionKey{a.trial, e.Version}, e.Set}, counterRow{
		Trial: a.Stream[:], Version: uint32(e.Version), MemberSet: uint8(e.Set), Owed: c.Owed, Acts: c.Acts, Superseded: c.Superseded,
		LeftProved0: c.LeftProved0, LeftProved1: c.LeftProved1, LeftWord0: c.LeftWord0, LeftWord1: c.LeftWord1, Ended: c.Ended,
	})
}

func (a *at) randomised(e event.Randomised) {
	a.randomisations = append(a.randomisations, randomisationRow{
		Trial: a.Stream[:], Place: a.place, Site: e.Site[:], Version: uint32(e.Version), Day: int32(e.Day),
		Account: e.Account[:], Deviation: plain(e.Deviation), Time: a.Time, Sequence: a.Sequence,
	})
	t := a.trials.change(a.trial)
	if e.Deviation != "" {
		t.Deviations++
	} else {
		t.Randomised++
	}
	a.site(e.Site).Randomised++
}

func (a *at) entered(e event.Entered) {
	a.visits = append(a.visits, visitRow{
		Trial: a.Stream[:], Place: a.place, Kind: e.Kind.String(), Site: e.Site[:], Slot: plain(e.Slot), Rep: e.Rep, Day: int32(e.Day),
		Account: e.Account[:], Floor: uint32(e.Floor), Time: a.Time, Sequence: a.Sequence,
	})
	t, s := a.trials.change(a.trial), a.site(e.Site)
	switch e.Kind {
	case act.Dose:
		t.Doses++
		s.Doses++
	case act.Attest:
		t.Attests++
	default:
		t.Visits++
		s.Visits++
	}
}
