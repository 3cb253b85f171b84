package evidence

import (
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// lookedAt is a trial's course with two looks by arm, both opened: an event of
// arm x counts on day 10, another on day 12 and one of arm y is lowered there.
func lookedAt() []event.Event {
	b := trial.Boundary{
		ID: "b", Scope: trial.ByArm, Unit: trial.Expected, RateEvents: 1, RateDays: 100, MinEvents: 1, UntilMicro: 4_000_000,
		AlphaMicro: 50_000, Table: []uint64{14_546, 157_112, 4_560_918}, AnswerDays: 14,
	}
	count := func(events, highest uint64) []trial.Count {
		return []trial.Count{{Boundary: "b", Events: events, Highest: highest}}
	}
	arms := func(xDays, x, yDays, y, yHighest uint64) []trial.ArmCount {
		return []trial.ArmCount{{Arm: "x", Days: xDays, Counts: count(x, x)}, {Arm: "y", Days: yDays, Counts: count(y, yHighest)}}
	}
	site, other := trial.SiteID{1}, trial.SiteID{2}
	return []event.Event{
		event.Registered{Protocol: trial.Protocol{Boundaries: []trial.Boundary{b}}},
		event.Reported{Report: trial.ReportID{1}, Counted: 10, Boundaries: []string{"b"}},
		event.Reported{Report: trial.ReportID{2}, Counted: 10, Boundaries: []string{"b"}},
		event.Exposed{Site: site, Until: 11, Days: 40},
		event.Exposed{Site: other, Until: 11, Days: 20},
		event.Looked{Look: 1, From: 9, AsOf: 11, Board: trial.Commitment{1}},
		event.PooledLook{Look: 1, AsOf: 11, Days: 60, Counts: count(2, 2)},
		event.Reported{Report: trial.ReportID{3}, Counted: 12, Boundaries: []string{"b"}},
		event.FollowedUp{Report: trial.ReportID{2}, Counted: 12},
		event.Exposed{Site: site, Until: 13, Days: 41},
		event.Exposed{Site: other, Until: 13, Days: 23},
		event.Looked{Look: 2, From: 12, AsOf: 13, Board: trial.Commitment{2}},
		event.PooledLook{Look: 2, AsOf: 13, Days: 64, Counts: count(2, 3)},
		event.LookOpened{Look: 1, AsOf: 11, Arms: arms(12, 1, 48, 1, 1)},
		event.LookOpened{Look: 2, AsOf: 13, Arms: arms(15, 2, 49, 0, 1), Flags: []trial.Flag{
			{Boundary: "b", Arm: "x", Look: 2, Crossed: 12, Events: 2, Days: 13},
		}},
	}
}

func readLooks(events []event.Event) *looks {
	l := new(looks)
	for i, e := range events {
		l.read(&engine.Entry{Sequence: uint64(i)}, e)
	}
	return l
}

// TestLooksAreCountedAgain alters one number of the course at a time.
func TestLooksAreCountedAgain(t *testing.T) {
	t.Parallel()
	if o := readLooks(lookedAt()).verdict(true); o.status != Passed || !strings.Contains(o.reason, "1 flags") {
		t.Fatalf("%+v", o)
	}
	for name, c := range map[string]struct {
		at    int
		alter func(event.Event) event.Event
	}{
		"a closed day moved":   {7, func(e event.Event) event.Event { r := e.(event.Reported); r.Counted = 11; return r }},
		"a report too late":    {7, func(e event.Event) event.Event { r := e.(event.Reported); r.Counted = 14; return r }},
		"a report that counts": {8, func(e event.Event) event.Event { f := e.(event.FollowedUp); f.Boundaries = []string{"b"}; return f }},
		"exposure":             {4, func(e event.Event) event.Event { x := e.(event.Exposed); x.Days++; return x }},
		"pooled days":          {12, func(e event.Event) event.Event { p := e.(event.PooledLook); p.Days++; return p }},
		"pooled events":        {6, func(e event.Event) event.Event { p := e.(event.PooledLook); p.Counts[0].Events++; return p }},
		"pooled highest":       {6, func(e event.Event) event.Event { p := e.(event.PooledLook); p.Counts[0].Highest--; return p }},
		"an arm's days":        {13, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Arms[1].Days++; return o }},
		"an arm's events":      {13, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Arms[1].Counts[0].Events++; return o }},
		"a flag left out":      {14, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Flags = nil; return o }},
		"a flag of nothing":    {14, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Flags[0].Events = 1; return o }},
		"a flag afterwards":    {14, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Flags[0].Crossed = 14; return o }},
		"no such look":         {14, func(e event.Event) event.Event { o := e.(event.LookOpened); o.Look = 3; return o }},
	} {
		events := lookedAt()
		events[c.at] = c.alter(events[c.at])
		if o := readLooks(events).verdict(true); o.status != Failed || o.exception {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestLooksVerdicts: what is sealed, late or absent is said to be.
func TestLooksVerdicts(t *testing.T) {
	t.Parallel()
	all := lookedAt()
	if o := readLooks(all[:5]).verdict(true); o.status != NotChecked {
		t.Errorf("no look: %+v", o)
	}
	if o := readLooks(all[:14]).verdict(false); o.status != NotChecked {
		t.Errorf("sealed and blinded: %+v", o)
	}
	if o := readLooks(all[:14]).verdict(true); o.status != Failed || !o.exception {
		t.Errorf("sealed and unblinded: %+v", o)
	}
	more := trial.Protocol{Boundaries: []trial.Boundary{{ID: "b"}, {ID: "late"}}}
	if o := readLooks(append(all, event.Amended{Protocol: more})).verdict(true); !o.exception || !strings.Contains(o.reason, "late") {
		t.Errorf("registered late: %+v", o)
	}
	pooled := lookedAt()[:7]
	pooled[5] = event.Looked{Look: 1}
	if o := readLooks(pooled).verdict(false); o.status != Passed {
		t.Errorf("pooled alone: %+v", o)
	}
}
