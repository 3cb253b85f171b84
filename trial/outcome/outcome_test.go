package outcome

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

var (
	score = trial.Outcome{ID: "END1", Level: trial.Primary, Name: "Change of the score", Timepoint: "Week 24"}
	pulse = trial.Outcome{ID: "END2", Level: trial.Secondary, Name: "Pulse"}
)

// as reports an outcome as it is registered.
func as(o trial.Outcome) Reported {
	return Reported{ID: o.ID, Level: o.Level, Name: o.Name, Timepoint: o.Timepoint, N: 10}
}

func first(os ...trial.Outcome) Version {
	return Version{Number: 1, Registered: 10, InForce: 20, Outcomes: os}
}

// told writes a comparison as one word for each line.
func told(c Comparison) string {
	var lines []string
	for _, l := range c.Lines {
		w := l.ID + " " + l.Status.String()
		if d := l.Deviation(); d != "" {
			w = d
		}
		lines = append(lines, w)
	}
	return strings.Join(lines, "; ")
}

func TestReportAgainstRegistered(t *testing.T) {
	t.Parallel()
	with := func(r Reported, change func(*Reported)) Reported {
		change(&r)
		return r
	}
	for _, c := range []struct {
		name     string
		reported []Reported
		want     string
	}{
		{"as registered", []Reported{as(score), as(pulse)}, "END1 reported as registered; END2 reported as registered"},
		{"in another order", []Reported{as(pulse), as(score)}, "END1 reported as registered; END2 reported as registered"},
		{"nothing", nil, "END1 missing; END2 missing"},
		{"one", []Reported{as(score)}, "END1 reported as registered; END2 missing"},
		{"other case, spaces, hyphens", []Reported{
			with(as(score), func(r *Reported) { r.Name, r.Timepoint = " change of  the SCORE.", "24 weeks" }), as(pulse),
		}, "END1 reported as registered; END2 reported as registered"},
		{"by words alone", []Reported{
			with(as(score), func(r *Reported) { r.ID = "" }), with(as(pulse), func(r *Reported) { r.ID = "a.2" }),
		}, "END1 reported as registered; END2 reported as registered"},
		{
			"another level",
			[]Reported{with(as(score), func(r *Reported) { r.Level = trial.Secondary }), as(pulse)},
			"END1 changed silently: level; END2 reported as registered",
		},
		{
			"another time",
			[]Reported{with(as(score), func(r *Reported) { r.Timepoint = "Week 8" }), as(pulse)},
			"END1 changed silently: time point; END2 reported as registered",
		},
		{
			"all else under the same id",
			[]Reported{{ID: "END1", Level: trial.Secondary, Name: "Death", Timepoint: "Week 8"}, as(pulse)},
			"END1 changed silently: level, name, time point; END2 reported as registered",
		},
		{
			"another outcome",
			[]Reported{as(score), as(pulse), {Level: trial.Primary, Name: "Mood"}},
			"END1 reported as registered; END2 reported as registered; reported outcome 3 added silently",
		},
		{
			"one twice",
			[]Reported{as(score), as(score), as(pulse)},
			"END1 reported as registered; END2 reported as registered; reported outcome 2 added silently",
		},
		{
			"switched",
			[]Reported{{Level: trial.Primary, Name: "Pulse"}, {Level: trial.Secondary, Name: "Change of the score", Timepoint: "24 wk"}},
			"END1 changed silently: level; END2 changed silently: level",
		},
	} {
		if got := told(Compare([]Version{first(score, pulse)}, Seen{}, c.reported)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestInForceBeforeUnblinding: what was changed before unblinding is registered,
// what was changed after it is a change, and what never came into force nothing.
func TestInForceBeforeUnblinding(t *testing.T) {
	t.Parallel()
	later := score
	later.Timepoint = "Week 8"
	mood := trial.Outcome{ID: "END3", Level: trial.Primary, Name: "Mood"}
	second := Version{Number: 2, Registered: 100, InForce: 120, Outcomes: []trial.Outcome{later, mood}}
	both := []Version{first(score, pulse), second}
	for _, c := range []struct {
		name     string
		versions []Version
		seen     Seen
		version  trial.Version
		reported []Reported
		want     string
	}{
		{
			"amended before", both,
			Seen{Unblinded: 200},
			2,
			[]Reported{as(later), as(mood)},
			"END1 reported as registered; END3 reported as registered; END2 withdrawn by amendment",
		},
		{
			"amended before, reported as at first", both,
			Seen{Unblinded: 200},
			2,
			[]Reported{as(score), as(mood), as(pulse)},
			"END1 changed by version 1: time point; END3 reported as registered; END2 added by version 1",
		},
		{
			"amended after", both,
			Seen{Unblinded: 110},
			1,
			[]Reported{as(later), as(mood)},
			"END1 changed by version 2: time point; END2 missing; END3 added by version 2",
		},
		{
			"amended at that moment", both,
			Seen{Unblinded: 120},
			1,
			[]Reported{as(score), as(pulse)},
			"END1 reported as registered; END2 reported as registered",
		},
		{
			"never in force",
			[]Version{both[0], {Number: 2, Registered: 100, Outcomes: second.Outcomes}},
			Seen{Unblinded: 200},
			1,
			[]Reported{as(score), as(pulse)},
			"END1 reported as registered; END2 reported as registered",
		},
		{
			"never unblinded", both,
			Seen{},
			2,
			[]Reported{as(later), as(mood)},
			"END1 reported as registered; END3 reported as registered; END2 withdrawn by amendment",
		},
	} {
		got := Compare(c.versions, c.seen, c.reported)
		if got.Version != c.version || got.Blind != (c.seen.Unblinded == 0) || told(got) != c.want {
			t.Errorf("%s: against version %v\n got %s\nwant %s", c.name, got.Version, told(got), c.want)
		}
	}
}

// TestHistory: each change of an outcome is told with what had been seen by then.
func TestHistory(t *testing.T) {
	t.Parallel()
	later := score
	later.Level = trial.Secondary
	versions := []Version{
		first(score),
		{Number: 2, Registered: 100, InForce: 120, Outcomes: []trial.Outcome{score, pulse}},
		{Number: 3, Registered: 300, InForce: 320, Outcomes: []trial.Outcome{later}},
	}
	seen := Seen{Enrolled: 50, Unblinded: 250, Moments: []Moment{{Time: 100, Looks: 1, Single: 1}, {Time: 300, Looks: 3, Cuts: 1, Single: 1}}}
	c := Compare(versions, seen, []Reported{as(score), as(pulse)})
	want := []Revision{{
		Version: 3, Time: 300, Changes: []Change{{Field: "level", Before: "primary", After: "secondary"}},
		Known: Known{Enrolled: true, Unblinded: true, Looks: 3, Cuts: 1, Single: 1},
	}}
	if d := cmp.Diff(want, c.Lines[0].History, cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
		t.Error(d)
	}
	h := c.Lines[1].History
	if len(h) != 2 || h[0].Known != (Known{Enrolled: true, Looks: 1, Single: 1}) || h[0].Changes[0].After != "Pulse" || h[1].Changes[0].Before != "Pulse" {
		t.Errorf("%+v", h)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Week 24", "24 weeks", true},
		{"at 24 wk", "week 24", true},
		{"Six months", "6 Months", true},
		{"", "", true},
		{"Week 24", "", false},
		{"Week 24", "Day 24", false},
		{"Week 24", "Week 26", false},
		{"baseline to week 24", "week 24 to baseline", false},
		{"1.5 hours", "15 hours", false},
		{"< 24 h", "> 24 h", false},
	} {
		if sameTime(c.a, c.b) != c.same || sameTime(c.b, c.a) != c.same {
			t.Errorf("%q and %q: same %t", c.a, c.b, !c.same)
		}
	}
}

func TestCheckReported(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]Reported{
		"too many": make([]Reported, MaxReported+1),
		"level":    {{Name: "x"}},
		"no name":  {{Level: trial.Primary}},
		"long":     {{Level: trial.Primary, Name: strings.Repeat("x", maxName+1)}},
		"long id":  {{Level: trial.Primary, Name: "x", ID: strings.Repeat("x", 129)}},
		"long at":  {{Level: trial.Primary, Name: "x", Timepoint: strings.Repeat("x", maxName+1)}},
	} {
		if CheckReported(list) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := CheckReported([]Reported{as(score)}); err != nil {
		t.Error(err)
	}
}

// TestCanonical: a comparison has one encoding, and a list of outcomes one name.
func TestCanonical(t *testing.T) {
	t.Parallel()
	c := Compare([]Version{first(score, pulse)}, Seen{Unblinded: 5}, []Reported{as(pulse)})
	b := wire.Marshal(c)
	var back Comparison
	if err := wire.Unmarshal(b, &back); err != nil || string(wire.Marshal(back)) != string(b) {
		t.Errorf("%v", err)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
	if Digest([]Reported{as(score)}) == Digest([]Reported{as(pulse)}) || Digest(nil) != Digest([]Reported{}) {
		t.Error("a list has not one name of its own")
	}
	if len(Compare(nil, Seen{}, []Reported{as(score)}).Lines) != 0 {
		t.Error("compared with nothing")
	}
}
