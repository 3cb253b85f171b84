package web

import (
	"context"
	"errors"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// told is what a fake study has of safety, data and results.
type told struct {
	harm        readmodel.Harm
	boundaries  []trial.Boundary
	looks       []readmodel.Look
	flags       []readmodel.Flag
	decisions   []readmodel.BoardDecision
	unblindings []readmodel.Unblinding
	datasets    []readmodel.Dataset
	stages      []readmodel.Stage
	label       trial.Label
	gate        []trial.Check
}

func severe() trial.Boundary {
	return trial.Boundary{
		ID: "severe", Name: "Severe events in an arm", Scope: trial.ByArm, Events: "Severe events that began under treatment", RateEvents: 6, RateDays: 12_820,
		Unit: trial.Expected, MinEvents: 1, UntilMicro: 4_000_000, AlphaMicro: 50_000, AnswerDays: 7, Method: "Exact Poisson MaxSPRT",
		Table: []uint64{20_000, 190_000, 500_000, 900_000, 1_370_000, 1_880_000, 2_430_000, 3_000_000, 3_600_000, 4_210_000},
	}
}

func serious() trial.Boundary {
	b := severe()
	b.ID, b.Name, b.Scope, b.Events = "serious", "Serious events "+hostile, trial.Pooled, hostile
	return b
}

// counts are, for each of five looks, the events and person-days of each arm.
var fakeCounts = [][]trial.ArmCount{
	{arm("A1", 800, 0), arm("A2", 700, 1), arm("A3", 760, 0)},
	{arm("A1", 2100, 1), arm("A2", 1900, 3), arm("A3", 2000, 2)},
	{arm("A1", 3700, 2), arm("A2", 3300, 5), arm("A3", 3500, 3)},
	{arm("A1", 5600, 2), arm("A2", 4700, 6), arm("A3", 5100, 5)},
	{arm("A1", 7600, 4), arm("A2", 6100, 9), arm("A3", 6700, 7)},
}

func arm(id string, days, events uint64) trial.ArmCount {
	return trial.ArmCount{Arm: id, Days: days, Counts: []trial.Count{{Boundary: "severe", Events: events, Highest: events}}}
}

// watchedStudy is a study under way: five looks, each sealed.
func watchedStudy() told {
	x := told{
		harm: readmodel.Harm{Reports: 412, Serious: 2, Late: 1, Queries: 3, Days: 20_400}, boundaries: []trial.Boundary{severe(), serious()},
		label: trial.Label{Word: trial.Awaited},
		gate: []trial.Check{
			{ID: "registered-before-enrolment", Holds: true, Detail: "registered 2012-07-06, first of 254 enrolments 2012-07-09", Owner: trial.Sponsor},
			{ID: "consent.v2", Detail: "INCOMPLETE(1)", Owner: trial.Site},
			{ID: "outcomes", Detail: "no results are staged", Owner: trial.Sponsor},
			{ID: "looks-open", Detail: "5 looks not opened, the first: look 1 of 2012-07-31", Owner: trial.DSMB},
			{ID: "bytes-held", Detail: "no results are staged", Owner: trial.Custodian},
		},
	}
	for i, arms := range fakeCounts {
		l := readmodel.Look{
			Number: uint32(i + 1), AsOf: trial.DayOf(firstDay) + trial.Day(25+30*i), Time: firstDay + int64(26+30*i)*dayMillis,
			Board: trial.Commitment{1}, Entry: "trial/7", Counts: []trial.Count{{Boundary: "severe"}, {Boundary: "serious", Highest: uint64(i)}},
		}
		for _, a := range arms {
			l.Days += a.Days
			l.Counts[0].Highest += a.Counts[0].Highest
		}
		x.looks = append(x.looks, l)
	}
	return x
}

// publishedStudy is a study that is over: looks opened, results released with
// exceptions by two custodians, after a correction.
func publishedStudy() told {
	x := watchedStudy()
	for i := range x.looks {
		x.looks[i].Opened, x.looks[i].Arms, x.looks[i].OpenedIn = firstDay+300*dayMillis, fakeCounts[i], "trial/100"
	}
	x.flags = []readmodel.Flag{
		{Raised: x.looks[1].Time, Entry: "trial/100", Flag: trial.Flag{Boundary: "severe", Arm: "A2", Look: 2, Crossed: trial.DayOf(firstDay) + 40, Events: 2, Days: 900, ExpectedMicro: 421_216}},
		{Raised: x.looks[4].Time, Entry: "trial/104", Flag: trial.Flag{Boundary: "severe", Arm: "A3", Look: 5, Crossed: trial.DayOf(firstDay) + 130, Events: 7, Days: 6500, ExpectedMicro: 3_042_121}},
	}
	x.decisions = []readmodel.BoardDecision{{Look: 2, Boundary: "severe", Decision: trial.Continue, Reason: "Few events; the board watches. " + hostile, Time: x.looks[1].Time + dayMillis, Entry: "trial/60"}}
	x.unblindings = []readmodel.Unblinding{{Whole: true, Time: firstDay + 290*dayMillis, Entry: "trial/99"}, {Site: siteID, Cause: 1, Time: firstDay + 50*dayMillis}}
	x.datasets = []readmodel.Dataset{
		{Name: "adsl", Cut: trial.DayOf(firstDay) + 280, Root: documents, Rows: 254, Subjects: 254, Locked: firstDay + 285*dayMillis, Entry: "trial/90"},
		{Name: "ae", Cut: trial.DayOf(firstDay) + 280, Root: documents, Rows: 1191, Subjects: 225, Entry: "trial/91"},
	}
	x.gate[2].Detail = "O1 missing"
	x.gate = append(x.gate, trial.Check{ID: "outcomes", Detail: "O2 changed silently: time point", Owner: trial.Sponsor})
	exceptions := []string{"consent.v2:INCOMPLETE(1)", "outcomes:O1 missing", "outcomes:O2 changed silently: time point", "eligibility:2 deviations " + hostile}
	cid := trial.CID{1, 0x70, 0x12, 32, 9}
	x.label = trial.Label{Word: trial.PublishedWithExceptions, Marks: []string{trial.Corrected, trial.Late}, Exceptions: exceptions, Stage: 2, Package: cid}
	first := readmodel.Stage{
		Number: 1, Package: trial.CID{1, 0x70, 0x12, 32, 8}, Time: firstDay + 301*dayMillis, Entry: "trial/106", SupersededBy: 2,
		Release: &readmodel.Release{Label: trial.Verified, Time: firstDay + 303*dayMillis, Entry: "trial/109"},
		Held:    []readmodel.Holding{{Name: "Refuser", Refusal: hostile, Entry: "trial/107"}},
	}
	second := readmodel.Stage{
		Number: 2, Package: cid, Time: firstDay + 310*dayMillis, Entry: "trial/110", Supersedes: 1, Comparison: fakeComparison(),
		Release:    &readmodel.Release{Label: trial.PublishedWithExceptions, Exceptions: exceptions, Time: firstDay + 312*dayMillis, Entry: "trial/113"},
		Correction: &readmodel.Correction{Reason: "A table had the arms in the wrong order.", Time: firstDay + 312*dayMillis, Entry: "trial/113"},
		Held: []readmodel.Holding{
			{Name: "University library of the north", Holds: true, Time: firstDay + 311*dayMillis, Entry: "trial/111"},
			{Name: hostile, Holds: true, Time: firstDay + 311*dayMillis, Entry: "trial/112"},
		},
		Pins: []readmodel.Pin{{Node: "node-1", Entry: "trial/114"}, {Node: hostile, Until: trial.DayOf(firstDay) + 4000}},
	}
	x.stages = []readmodel.Stage{first, second}
	return x
}

func fakeComparison() outcome.Comparison {
	return outcome.Comparison{Version: 1, Lines: []outcome.Line{
		{Status: outcome.Missing, ID: "O1", Level: trial.Primary, Name: "ADAS-Cog (11) total score", Timepoint: "Week 24", History: []outcome.Revision{{
			Version: 2, Time: firstDay + 90*dayMillis, Known: outcome.Known{Enrolled: true, Looks: 3},
			Changes: []outcome.Change{{Field: "time point", Before: "Week 24", After: "Week 24 or at early termination"}},
		}}},
		{
			Status: outcome.Changed, ID: "O2", Level: trial.Secondary, Name: "CIBIC+", Timepoint: "Week 24", Place: 1, N: 230,
			Changes: []outcome.Change{{Field: "time point", Before: "Week 24", After: "Week 16 " + hostile}},
		},
		{Status: outcome.AsRegistered, ID: "O3", Level: trial.Primary, Name: "Adverse events", Timepoint: "Throughout", Place: 2, N: 254},
		{Status: outcome.Added, Level: trial.Exploratory, Name: hostile, Place: 3, N: 12},
	}}
}

const fakeTable = `{"label":"CIBIC+ at week 24 <b>by arm</b>","columns":[{"label":"Week","dataType":"integer"},{"label":"Planned arm","dataType":"string"},{"label":"Mean","dataType":"decimal"}],
"rows":[[24,"Placebo","4.4"],[24,"<script>x</script>",null]]}`

func (f *fake) pack(_ context.Context, cid trial.CID) (registry.Package, error) {
	if f.told.label.Package != cid {
		return registry.Package{}, errors.New("not held")
	}
	return registry.Package{Files: []registry.File{
		{Path: "tables/cibic.json", Data: []byte(fakeTable)},
		{Path: "tables/outcomes.json", Data: []byte(fakeTable)},
		{Path: "tables/broken.json", Data: []byte(`{"label":"x","columns":[{"label":"a"}],"rows":[[1,2]]}`)},
		{Path: "lay-summary.md", Data: []byte("# x")},
	}}, nil
}

func (f *fake) of(id trial.ID) *told {
	if id == studyID {
		return &f.told
	}
	return &told{label: trial.Label{Word: trial.Awaited}}
}

func (f *fake) Boundaries(_ context.Context, id trial.ID) ([]trial.Boundary, error) {
	return f.of(id).boundaries, nil
}

func (f *fake) Harm(_ context.Context, id trial.ID) (readmodel.Harm, error) {
	return f.of(id).harm, nil
}

func (f *fake) Looks(_ context.Context, id trial.ID) ([]readmodel.Look, error) {
	return f.of(id).looks, nil
}

func (f *fake) Flags(_ context.Context, id trial.ID) ([]readmodel.Flag, error) {
	return f.of(id).flags, nil
}

func (f *fake) BoardDecisions(_ context.Context, id trial.ID) ([]readmodel.BoardDecision, error) {
	return f.of(id).decisions, nil
}

func (f *fake) Unblindings(_ context.Context, id trial.ID) ([]readmodel.Unblinding, error) {
	return f.of(id).unblindings, nil
}

func (f *fake) Datasets(_ context.Context, id trial.ID) ([]readmodel.Dataset, error) {
	return f.of(id).datasets, nil
}

func (f *fake) Stages(_ context.Context, id trial.ID) ([]readmodel.Stage, error) {
	return f.of(id).stages, nil
}

func (f *fake) Packages(_ context.Context, cid trial.CID) (map[trial.ID]uint32, error) {
	for _, s := range f.told.stages {
		if s.Package == cid {
			return map[trial.ID]uint32{studyID: s.Number}, nil
		}
	}
	return nil, nil
}

func (f *fake) results(c Config) Config {
	c.Label = func(_ context.Context, id trial.ID) (trial.Label, error) { return f.of(id).label, nil }
	c.Gate = func(_ context.Context, id trial.ID) ([]trial.Check, error) { return f.of(id).gate, nil }
	c.Package = f.pack
	c.Gateway = func(cid trial.CID) string { return "/ipfs/" + cid.String() }
	return c
}
