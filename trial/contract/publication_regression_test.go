package contract_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
)

// outWith releases stage 1 by the second custodian or, where a check fails, by
// the sponsor, and wants each exception that a prefix names.
func (b *bench) outWith(t *testing.T, prefixes ...string) *event.Released {
	t.Helper()
	b.must(b.holds("K", 1))
	r := releasedIn(b.must(b.holds("L", 1)))
	if r != nil {
		t.Fatalf("the custodians released it as %s", r.Label)
	}
	r = releasedIn(b.must(b.release(1, "sponsor")))
	for _, p := range prefixes {
		if !slices.ContainsFunc(r.Exceptions, func(x string) bool { return strings.HasPrefix(x, p) }) {
			t.Errorf("no %q in %q", p, r.Exceptions)
		}
	}
	return r
}

// amendTo registers a version 2, which ethics approves and site A opens.
func (b *bench) amendTo(change func(*trial.Protocol)) {
	b.tb.Helper()
	p := b.protocol()
	change(&p)
	b.must(b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "r", Effective: trial.DayOf(b.now)}, "sponsor"))
	b.approve(2)
	b.must(b.open(2, "A"))
}

// another is an outcome that came out well, in place of the registered one.
func another(p *trial.Protocol) {
	p.Outcomes = []trial.Outcome{{ID: "o9", Level: trial.Primary, Name: "what came out well"}}
}

func anotherReported() []outcomes.Reported {
	return []outcomes.Reported{{ID: "o9", Level: trial.Primary, Name: "what came out well", N: 1}}
}

// TestCutBeforeAnybodyIsEnrolled: phases completed and a cut made on the first
// day say nothing of a trial that runs afterwards.
func TestCutBeforeAnybodyIsEnrolled(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.house()
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.now += day
	b.treat("P")
	b.now += 200 * day
	b.lockData(1)
	b.unblind()
	b.must(b.stage("one", reported(), 0))
	b.outWith(t, "enrolled-before-end:2 of 2 ", "data-within-cut:data beyond the cut of ", "dataset-within-doses:no person is in the data up to ")
}

// TestDataSaidToBeOlder: data that claim the day of an early cut hold more
// people than had been dosed then.
func TestDataSaidToBeOlder(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.house()
	b.must(b.cut())
	early := trial.DayOf(b.now)
	b.now += day
	b.treat("P")
	b.must(b.send(contract.DatasetCommit, dataset.Commit{
		Name: "adsl", Root: trial.Digest{1}, Rows: 1, Subjects: 1, Columns: []string{"USUBJID"}, File: trial.Commitment{1}, Cut: early,
	}, "sponsor"))
	b.must(b.stage("one", reported(), 0))
	b.outWith(t, "dataset-within-doses:1 persons in the data as the sponsor states, 0 ")
}

// TestOutcomeSwitchedAfterTheCut: where no unblinding is recorded, outcomes are
// compared with what was in force at the cut, and the blind is an exception.
func TestOutcomeSwitchedAfterTheCut(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.now += day
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.lockData(1)
	b.now += 100 * day
	b.amendTo(another)
	b.must(b.stage("one", anotherReported(), 0))
	r := b.outWith(t, "outcomes:o1 missing", "outcomes:o9 added by version 2", "locked-before-unblinding:1 datasets locked ")
	if r.Comparison.Version != 1 {
		t.Errorf("compared with version %v", r.Comparison.Version)
	}
}

// TestOutcomeSwitchedBehindAnOpenLabel: a label opened by the amendment that
// switches the outcome excuses nothing.
func TestOutcomeSwitchedBehindAnOpenLabel(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.plan(5))
	b.must(b.commitData(1))
	b.now += day
	b.amendTo(func(p *trial.Protocol) { another(p); p.Blinding = "Open label" })
	b.now += day
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.must(b.stage("one", anotherReported(), 0))
	b.outWith(t, "outcomes:o1 (primary) withdrawn by version 2, after the first enrolment", "locked-before-unblinding:adsl not locked ")
}

// TestOpenLabelSaidAfterwards: a trial unblinded with open data does not become
// open label by an amendment.
func TestOpenLabelSaidAfterwards(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.plan(5))
	b.must(b.commitData(1))
	b.unblind()
	b.now += day
	b.amendTo(func(p *trial.Protocol) { p.Blinding = "Open label" })
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.must(b.stage("one", reported(), 0))
	b.outWith(t, "locked-before-unblinding:adsl not locked ")
}

// TestRowsOfNobody: rows are about somebody, and a trial of nobody is not verified.
func TestRowsOfNobody(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.house()
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	commit := dataset.Commit{
		Name: "adsl", Root: trial.Digest{1}, Rows: 500, Columns: []string{"USUBJID"}, File: trial.Commitment{1}, Cut: trial.DayOf(b.now),
	}
	want(t, b.send(contract.DatasetCommit, commit, "sponsor"), trial.Malformed)
	commit.Rows = 0
	b.must(b.send(contract.DatasetCommit, commit, "sponsor"))
	b.must(b.send(contract.DatasetLock, dataset.Lock{Cut: trial.DayOf(b.now)}, "sponsor"))
	b.unblind()
	b.must(b.stage("one", reported(), 0))
	b.outWith(t, "enrolled-before-end:nobody is enrolled", "dataset-within-doses:no person is in the data ")
}

// TestOverdueStaysOverdue: a phase added once the last was complete does not put
// off what is due.
func TestOverdueStaysOverdue(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.complete("treatment", "follow-up")
	due := b.label().Due
	b.now += 400 * day
	b.wants(t, trial.Overdue)
	b.amendTo(func(p *trial.Protocol) {
		p.Phases = append(p.Phases, trial.Phase{ID: "long", Name: "long-term follow-up"})
	})
	b.wants(t, trial.Overdue)
	if got := b.label().Due; got != due || due == 0 {
		t.Errorf("due %v, then %v", trial.DayOf(due), trial.DayOf(got))
	}
}

// TestNotDueIsJudgedAgain: who was overdue at the cut, hidden behind a newcomer
// whose time had not run out, is an exception of the release.
func TestNotDueIsJudgedAgain(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.enrol("S", "A", 1)) // never answers
	b.now += 31 * day
	b.must(b.enrol("T", "A", 1))
	b.must(b.perform(b.consent("T", 1)))
	b.finish()
	c, _ := publication.GetCut(b.stream, 1)
	if i := slices.IndexFunc(c.Checks, func(c trial.Check) bool { return c.ID == "consent.v1" }); i < 0 ||
		c.Checks[i].Detail != "NOT DUE(1), of whom up to 1 may be overdue" || !c.Checks[i].Holds {
		t.Errorf("%+v", c.Checks)
	}
	b.now += 31 * day
	b.must(b.stage("one", reported(), 0))
	b.outWith(t, "consent.v1:NOT DUE(1), of whom up to 1 may be overdue at the cut, INCOMPLETE(1) since")
}
