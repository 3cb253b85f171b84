package reconsent

import (
	"errors"
	"slices"
	"testing"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

const day = 24 * 60 * 60 * 1000

// study is state with versions of 10 days' deadline and 5 days' grace.
type study struct{ state.Memory }

func (s *study) react(now int64, e event.Event) []event.Event {
	return React(s, trial.Context{Now: now}, e)
}

func (s *study) version(v trial.Version, existing bool, effective trial.Day) {
	terms := trial.Terms{DeadlineDays: 10, AnswerDays: 10, GraceDays: 5}
	if v == 1 {
		s.react(0, event.Registered{Protocol: trial.Protocol{Terms: terms}})
		return
	}
	class := trial.EligibilityChange
	if existing {
		class = trial.RiskChange
	}
	s.react(0, event.Amended{Version: v, Protocol: trial.Protocol{Terms: terms}, Effect: effective, Changes: []trial.Change{{Class: class}}})
}

func (s *study) opens(v trial.Version, site byte, at int64) event.Opened {
	return s.react(at, event.SiteOpened{Version: v, Site: trial.SiteID{site}, Time: at})[0].(event.Opened)
}

func codeOf(t *testing.T, err error) trial.Code {
	t.Helper()
	if err == nil {
		return 0
	}
	var r *trial.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("not a refusal: %v", err)
	}
	return r.Code
}

func TestImpact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		classes               []trial.Class
		substantial, existing bool
		want                  []trial.Class
	}{
		{nil, false, false, nil},
		{[]trial.Class{trial.Administrative}, false, false, []trial.Class{trial.Administrative}},
		{[]trial.Class{trial.EligibilityChange, trial.Administrative}, true, false, []trial.Class{trial.Administrative, trial.EligibilityChange}},
		{[]trial.Class{trial.EligibilityChange, trial.RiskChange}, true, true, []trial.Class{trial.RiskChange, trial.EligibilityChange}},
		{[]trial.Class{trial.FormChange, trial.FormChange}, true, true, []trial.Class{trial.FormChange}},
		{[]trial.Class{trial.DesignChange}, true, true, []trial.Class{trial.DesignChange}},
		{[]trial.Class{trial.DataUseChange}, true, true, []trial.Class{trial.DataUseChange}},
	} {
		var changes []trial.Change
		for _, x := range c.classes {
			changes = append(changes, trial.Change{Class: x})
		}
		i := Impact(changes)
		if i.Substantial != c.substantial || i.Existing != c.existing || i.Decided || !slices.Equal(i.Classes, c.want) {
			t.Errorf("%v: %+v", c.classes, i)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counters     trial.Counters
		notDue       uint64
		want         string
		k, m         uint64
		contradicted uint64
	}{
		{trial.Counters{}, 0, "PROVEN", 0, 0, 0},
		{trial.Counters{Owed: 3, Acts: 3, LeftProved1: 1, LeftWord1: 1}, 0, "PROVEN", 0, 0, 0},
		{trial.Counters{Owed: 4, Acts: 2, LeftProved0: 1, LeftWord0: 1}, 0, "ATTESTED(1)", 1, 0, 0},
		{trial.Counters{Owed: 3, Acts: 1, Superseded: 2}, 0, "PROVEN", 0, 0, 0},
		{trial.Counters{Owed: 3, Acts: 3, LeftWord0: 2}, 0, "PROVEN", 0, 0, 2},
		{trial.Counters{Owed: 4, Acts: 3, LeftWord0: 3}, 0, "ATTESTED(1)", 1, 0, 2},
		{trial.Counters{Owed: 4, Acts: 1, LeftWord0: 1}, 0, "INCOMPLETE(2)", 3, 2, 0},
		{trial.Counters{Owed: 4, Acts: 1, LeftWord0: 1}, 1, "INCOMPLETE(2)", 3, 2, 0},
		{trial.Counters{Owed: 4, Acts: 1, LeftWord0: 1}, 2, "NOT DUE(3)", 3, 0, 0},
		{trial.Counters{Owed: 4, Acts: 1}, 3, "NOT DUE(3)", 3, 0, 0},
		{trial.Counters{Owed: 4, LeftWord1: 4}, 0, "INCOMPLETE(4)", 4, 4, 0},
		// Used, by the account's own proof, is no explanation for one missing.
		{trial.Counters{Owed: 1, LeftProved1: 1}, 0, "INCOMPLETE(1)", 1, 1, 0},
		{trial.Counters{Owed: 2, Acts: 2, LeftProved0: 1}, 0, "FAULT", 1, 0, 0},
		{trial.Counters{Owed: 0, Acts: 1}, 9, "FAULT", 1, 0, 0},
	} {
		v := Judge(c.counters, c.notDue)
		if v.String() != c.want || v.K != c.k || v.M != c.m || v.Contradicted != c.contradicted {
			t.Errorf("%+v, %d not due: %v %+v, want %s", c.counters, c.notDue, v, v, c.want)
		}
	}
}

func TestOpeningIsWrittenOnce(t *testing.T) {
	t.Parallel()
	var s study
	s.version(1, false, 0)
	s.version(2, true, 0)
	first := s.opens(1, 'A', 0)
	if first.Deadline != 10*day || first.Existing {
		t.Errorf("%+v", first)
	}
	if o := s.opens(2, 'A', 3*day); o.Deadline != 13*day || !o.Existing {
		t.Errorf("%+v", o)
	}
	if o, _ := At(&s, 1, trial.SiteID{'A'}); o.Deadline != first.Deadline {
		t.Errorf("version 2 moved the deadline of version 1 to %d", o.Deadline)
	}
	if _, ok := At(&s, 2, trial.SiteID{'B'}); ok {
		t.Error("open at a site where nobody opened it")
	}
}

func TestEthicsDecides(t *testing.T) {
	t.Parallel()
	var s study
	s.version(1, false, 0)
	s.version(2, true, 0)
	s.react(0, event.Classified{Version: 2, Impact: trial.Impact{Substantial: true}})
	if i := Affected(&s, 2); i.Existing || !i.Decided || !slices.Equal(i.Classes, []trial.Class{trial.RiskChange}) {
		t.Errorf("%+v", i)
	}
	if o := s.opens(2, 'A', 0); o.Existing {
		t.Error("opened for those already enrolled, whom ethics said it does not affect")
	}
}

func TestMayEnrolUnder(t *testing.T) {
	t.Parallel()
	var s study
	s.version(1, false, 0)
	s.version(2, false, 8)
	s.version(3, true, 0)
	a := trial.SiteID{'A'}
	s.opens(1, 'A', 0)
	s.opens(2, 'A', 5*day)
	for _, c := range []struct {
		v    trial.Version
		now  int64
		want trial.Code
	}{
		{1, 0, 0},
		{3, 0, trial.SiteNotOpen},
		{2, 5 * day, trial.NotYetEffective},
		{2, 8*day - 1, trial.NotYetEffective},
		{2, 8 * day, 0},
		{1, 15 * day, 0},
		{1, 15*day + 1, trial.OutdatedVersion}, // whomever version 2 affects
		{2, 15*day + 1, 0},
	} {
		if got := codeOf(t, MayEnrolUnder(&s, c.v, a, c.now)); got != c.want {
			t.Errorf("version %v at day %.2f: %d, want %d", c.v, float64(c.now)/day, got, c.want)
		}
	}
}

func TestFloor(t *testing.T) {
	t.Parallel()
	var s study
	for v := trial.Version(1); v <= 4; v++ {
		s.version(v, v == 2 || v == 4, 0)
	}
	a := trial.SiteID{'A'}
	if f := Floor(&s, a, 0); f != 1 {
		t.Errorf("nothing open: %v", f)
	}
	for v := trial.Version(1); v <= 4; v++ {
		s.opens(v, 'A', int64(v)*20*day)
	}
	for now, want := range map[int64]trial.Version{
		40 * day: 1, 50 * day: 1, 50*day + 1: 2,
		70*day + 1: 2, // version 3 is for new participants only
		90 * day:   2, 90*day + 1: 4,
	} {
		if f := Floor(&s, a, now); f != want {
			t.Errorf("day %.2f: %v, want %v", float64(now)/day, f, want)
		}
	}
	if f := Floor(&s, trial.SiteID{'B'}, 90*day+1); f != 1 {
		t.Errorf("another site's floor is %v", f)
	}
}

func TestEndAndSettled(t *testing.T) {
	t.Parallel()
	var s study
	for v := trial.Version(1); v <= 4; v++ {
		s.version(v, v == 2 || v == 4, 0)
	}
	if _, ended := End(&s, 1, 1000*day); ended {
		t.Error("ended before it opened anywhere")
	}
	s.opens(1, 'A', 0)
	s.opens(1, 'B', 0)
	s.opens(2, 'A', 10*day)
	if _, ended := End(&s, 1, 1000*day); ended {
		t.Error("ended, though site B has nothing later")
	}
	s.opens(3, 'B', 10*day)
	if _, ended := End(&s, 1, 1000*day); ended {
		t.Error("ended by a version for new participants only")
	}
	s.opens(4, 'B', 30*day)
	s.opens(4, 'A', 60*day)
	for now, want := range map[int64]int64{20*day + 1: 0, 40 * day: 0, 40*day + 1: 40 * day, 1000 * day: 40 * day} {
		if end, ended := End(&s, 1, now); ended != (want != 0) || ended && end != want {
			t.Errorf("day %.2f: ended %t, on day %d", float64(now)/day, ended, end/day)
		}
	}
	for _, c := range []struct {
		now, staying int64
		want         bool
	}{
		{45 * day, 0, false},
		{45*day + 1, 0, true},
		{45*day + 1, 41 * day, false},
		{46 * day, 41 * day, false},
		{46*day + 1, 41 * day, true},
	} {
		if got := Settled(&s, 1, c.now, c.staying); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
	if Settled(&s, 4, 1000*day, 0) {
		t.Error("the newest version settled")
	}
}

func TestNextDeadline(t *testing.T) {
	t.Parallel()
	var s study
	s.version(1, false, 0)
	s.opens(1, 'B', 3*day)
	s.opens(1, 'A', 0)
	for after, want := range map[int64]int64{0: 10 * day, 10 * day: 10 * day, 10*day + 1: 13 * day, 13*day + 1: -1} {
		next, ok := NextDeadline(&s, 1, after)
		if ok != (want >= 0) || ok && next != want {
			t.Errorf("after %d: %d, %t", after, next, ok)
		}
	}
}
