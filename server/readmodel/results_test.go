package readmodel_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

var (
	custodian = trial.ActorID{31}
	firstCID  = trial.CID{1, 0x70, 0x12, 32, 1}
	secondCID = trial.CID{1, 0x70, 0x12, 32, 2}
)

const huge = ^uint64(0)

func counts(n uint64) []trial.Count {
	return []trial.Count{{Boundary: "severe", Events: n, Highest: n + 1}}
}

// ending is the second half of story: reports, looks, data, and results that
// are corrected and then retracted. Texts hold a NUL, as a sender may write one.
func ending() *script {
	s := story()
	p := trial.Protocol{Title: "A trial", Boundaries: []trial.Boundary{{ID: "severe", Name: "first"}}}
	s.add(stream, 0, event.Amended{Version: 3, Protocol: p, Reason: "boundaries"})
	p.Boundaries = []trial.Boundary{{ID: "severe", Name: "second"}, {ID: "other"}}
	s.add(stream, 0, event.Amended{Version: 4, Protocol: p, Reason: "more"})
	for n := range byte(3) {
		s.add(stream, 0, event.Reported{
			Report: trial.ReportID{n}, Site: siteOne, Clock: trial.FifteenDays, Received: 100, Counted: 101, Serious: n < 2,
			Boundaries: []string{"severe"}, Late: n == 0,
		})
	}
	s.add(stream, 0, event.FollowedUp{Report: trial.ReportID{1}, Site: siteOne, Serious: false, Boundaries: []string{}, Lowered: true})
	s.add(stream, 0, event.Exposed{Site: siteOne, Until: 110, Days: 40})
	s.add(stream, 0, event.Exposed{Site: siteOne, Until: 120, Days: 90})
	s.add(stream, 0, event.Exposed{Site: siteTwo, Until: 120, Days: 10})
	s.add(stream, 0, event.Looked{Look: 1, From: 90, AsOf: 120, Board: trial.Commitment{1}, Sealed: make([]byte, 256)},
		event.PooledLook{Look: 1, AsOf: 120, Days: 100, Counts: counts(3), Flags: []trial.Flag{{Boundary: "other", Look: 1, Crossed: 119, Events: 2, Days: huge, ExpectedMicro: huge}}})
	s.add(stream, 0, event.BoardDecided{Look: 1, Boundary: "other", Decision: trial.Modify, Reason: "a\x00b"})
	s.add(stream, 0, event.UnblindedOne{Site: siteOne, Cause: 1, Number: 1})
	s.add(stream, 0, event.PhaseCompleted{Phase: "treatment", Day: 130})
	s.add(stream, 0, event.PlanLocked{Document: trial.Digest{4}})
	s.add(stream, 0, event.Appointed{Board: []trial.ActorID{{1}, {2}}})
	s.add(stream, 0, event.DatasetCommitted{Name: "ae", Cut: 130, Sequence: 1, Root: trial.Digest{1}, Rows: 5, Subjects: 3, Columns: []string{"A"}})
	s.add(stream, 0, event.DatasetCommitted{Name: "ae", Cut: 130, Sequence: 2, Root: trial.Digest{2}, Rows: 6, Subjects: 3, Columns: []string{"A", "B"}})
	s.add(stream, 0, event.DatasetLocked{Names: []string{"ae"}, Cut: 130})
	s.add(stream, 0, event.Unblinded{Open: []string{"dm"}})
	s.add(stream, 0, event.LookOpened{
		Look: 1, AsOf: 120, Arms: []trial.ArmCount{{Arm: "P", Days: 60, Counts: counts(3)}},
		Flags: []trial.Flag{{Boundary: "severe", Arm: "P", Look: 1, Crossed: 115, Events: 3, Days: 50, ExpectedMicro: 7}},
	})
	publish(s)
	return s
}

func publish(s *script) {
	comparison := outcome.Comparison{Version: 1, Lines: []outcome.Line{{Status: outcome.Missing, ID: "o1"}}}
	checks := []trial.Check{{ID: "bytes-held", Detail: "none", Owner: trial.Custodian}}
	s.add(stream, 0, event.CutMade{Number: 1, AsOf: 131, Checks: checks})
	s.add(stream, 0, event.Staged{Number: 1, Package: firstCID, Outcomes: []outcome.Reported{{ID: "o1"}}, Cut: 1})
	s.add(stream, 0, event.PackageHeld{Stage: 1, Custodian: custodian, Name: "Library", Refusal: "not\x00 complete"})
	s.add(stream, 0, event.PackageHeld{Stage: 1, Custodian: custodian, Name: "Library", Holds: true, Holders: 1})
	s.add(stream, 0, event.Released{Stage: 1, Cut: 1, Package: firstCID, By: sponsor, Label: trial.PublishedWithExceptions, Exceptions: []string{"bytes-held:none"}, Checks: checks, Comparison: comparison})
	s.add(stream, 0, event.Pinned{Stage: 1, By: sponsor, Node: "n\x00", Until: 900})
	s.add(stream, 0, event.Pinned{Stage: 1, By: sponsor, Node: "n\x00", Until: 901})
	s.add(stream, 0, event.Staged{Number: 2, Package: secondCID, Cut: 1, Supersedes: 1, Comparison: comparison})
	s.add(stream, 0, event.Released{Stage: 2, Cut: 1, Package: secondCID, By: sponsor, Label: trial.Verified},
		event.ResultsCorrected{Stage: 2, Corrects: 1, Reason: "a table"})
	s.add(stream, 0, event.ResultsRetracted{Stage: 2, Reason: "all wrong", By: ethics})
}

func TestEnding(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		m := open(t, c)
		tell(t, m, ending().blocks)
		checkHarm(t, m)
		checkData(t, m)
		checkStages(t, m)
	})
}

func checkHarm(t *testing.T, m *readmodel.Model) {
	t.Helper()
	ctx := t.Context()
	want := readmodel.Harm{Reports: 3, Serious: 1, Late: 1, Lowered: 1, Queries: 2, Days: 100, Until: 120}
	if d := cmp.Diff(want, must[readmodel.Harm](t)(m.Harm(ctx, study))); d != "" {
		t.Error("harm:", d)
	}
	if none := must[readmodel.Harm](t)(m.Harm(ctx, trial.ID{9})); none != (readmodel.Harm{}) {
		t.Errorf("harm of no trial: %+v", none)
	}
	reports := must[[]readmodel.Report](t)(m.Reports(ctx, study, 10))
	if len(reports) != 3 || reports[1].Serious || reports[1].FollowUps != 1 || !reports[1].Lowered || len(reports[1].Boundaries) != 0 ||
		!slices.Equal(reports[0].Boundaries, []string{"severe"}) {
		t.Errorf("reports: %+v", reports)
	}
	looks := must[[]readmodel.Look](t)(m.Looks(ctx, study))
	if len(looks) != 1 || looks[0].Days != 100 || looks[0].Counts[0].Highest != 4 || looks[0].Sealed() || looks[0].Arms[0].Days != 60 || looks[0].OpenedIn == "" {
		t.Errorf("looks: %+v", looks)
	}
	flags := must[[]readmodel.Flag](t)(m.Flags(ctx, study))
	if len(flags) != 2 || flags[1].Arm != "P" || flags[1].Raised != looks[0].Time || flags[0].ExpectedMicro != huge>>1 {
		t.Errorf("flags: %+v", flags)
	}
	if d := must[[]readmodel.BoardDecision](t)(m.BoardDecisions(ctx, study)); len(d) != 1 || d[0].Decision != trial.Modify || d[0].Reason != "a\uFFFDb" {
		t.Errorf("decisions of the board: %+v", d)
	}
	if b := must[[]trial.Boundary](t)(m.Boundaries(ctx, study)); len(b) != 2 || b[0].Name != "first" || b[1].ID != "other" {
		t.Errorf("boundaries: %+v", b)
	}
}

func checkData(t *testing.T, m *readmodel.Model) {
	t.Helper()
	ctx := t.Context()
	data := must[[]readmodel.Dataset](t)(m.Datasets(ctx, study))
	if len(data) != 1 || data[0].Root != (trial.Digest{2}) || data[0].Commits != 2 || data[0].Locked == 0 || len(data[0].Columns) != 2 {
		t.Errorf("datasets: %+v", data)
	}
	u := must[[]readmodel.Unblinding](t)(m.Unblindings(ctx, study))
	if len(u) != 2 || u[0].Whole || u[0].Site != siteOne || !u[1].Whole || !slices.Equal(u[1].Open, []string{"dm"}) {
		t.Errorf("unblindings: %+v", u)
	}
	if p := must[[]readmodel.Phase](t)(m.Phases(ctx, study)); len(p) != 1 || p[0].Day != 130 {
		t.Errorf("phases: %+v", p)
	}
	if p := must[[]readmodel.Plan](t)(m.Plans(ctx, study)); len(p) != 1 || p[0].Document != (trial.Digest{4}) {
		t.Errorf("plans: %+v", p)
	}
	if c := must[[]readmodel.Cut](t)(m.Cuts(ctx, study)); len(c) != 1 || c[0].AsOf != 131 || c[0].Checks[0].ID != "bytes-held" {
		t.Errorf("cuts: %+v", c)
	}
}

func checkStages(t *testing.T, m *readmodel.Model) {
	t.Helper()
	ctx := t.Context()
	stages := must[[]readmodel.Stage](t)(m.Stages(ctx, study))
	if len(stages) != 2 {
		t.Fatalf("stages: %+v", stages)
	}
	one, two := stages[0], stages[1]
	if len(one.Held) != 1 || !one.Held[0].Holds || one.Held[0].Refusal != "" || one.SupersededBy != 2 || one.Release == nil ||
		one.Release.Exceptions[0] != "bytes-held:none" || one.Comparison.Lines[0].ID != "o1" || len(one.Pins) != 1 || one.Pins[0].Until != 901 {
		t.Errorf("the first: %+v", one)
	}
	if two.Package != secondCID || two.Correction == nil || two.Correction.Reason != "a table" || two.Retraction == nil || two.Retraction.Reason != "all wrong" || two.Release.Label != trial.Verified {
		t.Errorf("the second: %+v", two)
	}
	if in := must[map[trial.ID]uint32](t)(m.Packages(ctx, secondCID)); len(in) != 1 || in[study] != 2 {
		t.Errorf("where the package is named: %v", in)
	}
}

func secondHalf(t *testing.T, m *readmodel.Model) []any {
	t.Helper()
	ctx := t.Context()
	return append(everything(t, m),
		must[[]readmodel.Report](t)(m.Reports(ctx, study, 10)), must[[]readmodel.Look](t)(m.Looks(ctx, study)), must[[]readmodel.Flag](t)(m.Flags(ctx, study)),
		must[[]readmodel.Dataset](t)(m.Datasets(ctx, study)), must[[]readmodel.Stage](t)(m.Stages(ctx, study)), must[readmodel.Harm](t)(m.Harm(ctx, study)))
}

// The second half too can be told twice, dropped, and told on by a process that
// starts anew between any two blocks.
func TestEndingRepeatReopenRebuild(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		s := ending()
		m := open(t, c)
		tell(t, m, s.blocks)
		want := secondHalf(t, m)
		tell(t, m, s.blocks[20:])
		if d := cmp.Diff(want, secondHalf(t, m)); d != "" {
			t.Error("blocks told twice change something:", d)
		}
		if err := m.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := must[[]readmodel.Stage](t)(m.Stages(t.Context(), study)); len(left) != 0 {
			t.Fatal("not empty after Drop")
		}
		for i := range s.blocks {
			if i%6 == 0 {
				m = open(t, c)
			}
			tell(t, m, s.blocks[i:i+1])
		}
		if d := cmp.Diff(want, secondHalf(t, m)); d != "" {
			t.Error("rebuilt, it differs:", d)
		}
	})
}

// What speaks of something that never was is a fault, and changes nothing.
func TestEndingRefusesWhatNeverWas(t *testing.T) {
	t.Parallel()
	m := open(t, readmodel.Config{Dir: t.TempDir()})
	s := story()
	tell(t, m, s.blocks)
	for _, e := range []event.Event{
		event.FollowedUp{Report: trial.ReportID{9}}, event.PooledLook{Look: 9}, event.LookOpened{Look: 9}, event.DatasetLocked{Names: []string{"zz"}, Cut: 1},
	} {
		bad := &script{blocks: slices.Clone(s.blocks), count: s.count}
		bad.add(stream, 0, e)
		if err := m.Apply(t.Context(), bad.blocks[len(bad.blocks)-1]); err == nil {
			t.Errorf("%T was applied", e)
		}
	}
}

// PostgreSQL has no NUL in a text; no sender may stop a follower by writing one.
func TestNULInEveryText(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, c readmodel.Config) {
		const nul = "a\x00b"
		s := new(script)
		s.add(wire.Directory, 0, event.ActorRegistered{Actor: trial.Actor{ID: person, Name: nul, Country: nul}})
		p := trial.Protocol{Title: nul, Acronym: nul, Sponsor: nul, Risks: nul}
		s.add(stream, 0, event.Registered{Sponsor: sponsor, Protocol: p})
		s.add(stream, 0, event.Amended{Version: 2, Protocol: p, Reason: nul, Changes: []trial.Change{{Field: nul, After: nul}}})
		s.add(stream, 0, event.Decided{Version: 1, Form: nul, Reason: nul})
		s.add(stream, 0, event.Randomised{Site: siteOne, Version: 1, Deviation: nul})
		s.add(stream, 0, event.Entered{Kind: act.Visit, Site: siteOne, Slot: nul})
		s.add(stream, 0, event.DatasetCommitted{Name: nul}, event.DatasetLocked{Names: []string{nul}})
		m := open(t, c)
		tell(t, m, s.blocks)
		if got := must[readmodel.Trial](t)(m.Trial(t.Context(), study)); got.Title != "a\uFFFDb" {
			t.Errorf("title %q", got.Title)
		}
	})
}
