package contract_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
)

// packageOf is a fixed CID of a name.
func packageOf(name string) trial.CID {
	c := trial.CID{1, 0x70, 0x12, 32}
	e := element("package %s", name)
	copy(c[4:], e[:])
	return c
}

// reported is the registered outcome, reported as it is.
func reported() []outcomes.Reported {
	return []outcomes.Reported{{ID: "o1", Level: trial.Primary, Name: "Outcome", N: 1}}
}

// house registers the custodians K and L and the board.
func (b *bench) house() {
	b.tb.Helper()
	for _, name := range []string{"K", "L", "chair", "member"} {
		b.must(b.register(name, role(name), "regulator"))
	}
	b.must(b.appoint("chair", "member"))
}

// treated is a trial with one participant who went all the way to a first dose,
// by proof.
func treated(t testing.TB) *bench {
	b := started(t)
	b.house()
	b.treat("P")
	return b
}

func (b *bench) treat(person string) {
	b.tb.Helper()
	b.must(b.enrol(person, "A", 1))
	b.must(b.perform(b.consent(person, 1)))
	b.must(b.screen(person, "A"))
	b.must(b.randomise(person, "A", 1))
	b.must(b.enterEntry(b.entry(person, 1, act.Dose, "A", trial.FirstDose, 0, "pass-1"), "A"))
}

func (b *bench) complete(phases ...string) {
	b.tb.Helper()
	for _, p := range phases {
		b.must(b.send(contract.ProtocolCompletePhase, protocol.CompletePhase{Phase: p, Day: trial.DayOf(b.now)}, "sponsor"))
	}
}

func (b *bench) cut() outcome {
	return b.send(contract.PublicationCut, publication.Cut{AsOf: trial.DayOf(b.now)}, "sponsor")
}

func (b *bench) lockData(subjects uint64) {
	b.tb.Helper()
	b.must(b.commitData(subjects))
	b.must(b.send(contract.DatasetLock, dataset.Lock{Cut: trial.DayOf(b.now)}, "sponsor"))
}

func (b *bench) commitData(subjects uint64) outcome {
	return b.send(contract.DatasetCommit, dataset.Commit{
		Name: "adsl", Root: trial.Digest{1}, Rows: subjects, Subjects: subjects, Columns: []string{"USUBJID"},
		File: trial.Commitment{1}, Cut: trial.DayOf(b.now),
	}, "sponsor")
}

func (b *bench) unblind() {
	b.tb.Helper()
	b.must(b.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair", "member"))
}

// finish completes the trial, cuts, locks and unblinds.
func (b *bench) finish() {
	b.tb.Helper()
	b.now += day
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.lockData(1)
	b.unblind()
}

func (b *bench) stage(name string, list []outcomes.Reported, supersedes uint32) outcome {
	return b.send(contract.PublicationStage, publication.Stage{
		Package: packageOf(name), Manifest: trial.Digest{7}, Outcomes: list, Cut: publication.LastCut(b.stream), Supersedes: supersedes,
	}, "sponsor")
}

func (b *bench) holds(by string, stage uint32) outcome {
	s, _ := publication.GetStage(b.stream, stage)
	return b.send(contract.PublicationHeld, publication.Held{
		Stage: stage, Package: s.Package, Outcomes: outcomes.Digest(s.Outcomes), Cells: true,
	}, by)
}

func (b *bench) release(stage uint32, by string) outcome {
	return b.send(contract.PublicationRelease, publication.Release{Stage: stage}, by)
}

func (b *bench) label() trial.Label { return contract.Label(b.stream, b.now) }

func (b *bench) wants(t *testing.T, word string, marks ...string) {
	t.Helper()
	if l := b.label(); l.Word != word || !slices.Equal(l.Marks, marks) {
		t.Errorf("%s %v, want %s %v; %v", l.Word, l.Marks, word, marks, l.Exceptions)
	}
}

func releasedIn(o outcome) *event.Released {
	for _, e := range o.Events {
		if r, ok := e.(event.Released); ok {
			return &r
		}
	}
	return nil
}

// publicationKinds ends a course with a transaction of each kind of phases,
// plans and results.
func publicationKinds(b *bench) {
	b.must(b.register("K", trial.Custodian, "regulator"))
	b.must(b.register("L", trial.Custodian, "regulator"))
	b.must(b.send(contract.ProtocolLockPlan, protocol.LockPlan{Document: trial.Digest{5}}, "sponsor"))
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.must(b.stage("one", reported(), 0))
	b.must(b.holds("K", 1))
	b.must(b.holds("L", 1))
	b.must(b.release(1, "sponsor"))
	b.must(b.send(contract.PublicationPin, publication.Pin{Stage: 1, Node: "node-1"}, "K"))
	b.must(b.stage("two", nil, 1))
	b.must(b.send(contract.PublicationCorrect, publication.Correct{Stage: 2, Reason: "a table was wrong"}, "sponsor"))
	b.must(b.send(contract.PublicationRetract, publication.Retract{Stage: 2, Reason: "so was the other"}, "regulator"))
}

// TestVerified: when everything holds, the second custodian that holds the
// bytes releases them.
func TestVerified(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.wants(t, trial.Awaited)
	b.finish()
	b.must(b.stage("one", reported(), 0))
	if o := b.must(b.holds("K", 1)); releasedIn(o) != nil {
		t.Fatal("released with one custodian")
	}
	b.wants(t, trial.Awaited)
	r := releasedIn(b.must(b.holds("L", 1)))
	if r == nil {
		t.Fatalf("not released: %q", trial.Exceptions(contract.Gate(b.stream, b.now)))
	}
	if r.Label != trial.Verified || len(r.Exceptions) != 0 || r.By != actor("L") || len(r.Checks) < 14 {
		t.Errorf("%+v", r)
	}
	b.wants(t, trial.Verified)
	if l := b.label(); l.Package != packageOf("one") || l.Stage != 1 {
		t.Errorf("%+v", l)
	}
	b.now += 1000 * day // late is what is released late, not what is old
	b.wants(t, trial.Verified)
}

// TestWithExceptions: the sponsor releases whatever the gate says, and each
// check that does not hold stands beside the results.
func TestWithExceptions(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.screen("Q", "A"))
	b.must(b.deviate("Q", "A"))
	b.must(b.cut())
	b.must(b.stage("one", nil, 0))
	r := releasedIn(b.must(b.release(1, "sponsor")))
	want := []string{
		"eligibility:1 deviation", "phases-complete:2 phases open, the first: treatment is not complete",
		"locked-before-unblinding:no data are committed", "outcomes:o1 missing", "bytes-held:0 of 2 custodians hold the bytes",
	}
	if r == nil || r.Label != trial.PublishedWithExceptions || !slices.Equal(r.Exceptions, want) {
		t.Fatalf("%+v", r)
	}
	b.wants(t, trial.PublishedWithExceptions, trial.NamedNotHeld)
	b.must(b.holds("K", 1))
	b.wants(t, trial.PublishedWithExceptions)
	b.must(b.send(contract.PublicationHeld, publication.Held{Stage: 1, Refusal: "the disk is gone"}, "K"))
	b.wants(t, trial.PublishedWithExceptions, trial.NamedNotHeld)
}

// TestOverdue: results that do not come fall due, and then others than the
// sponsor may release what is staged.
func TestOverdue(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.finish()
	b.must(b.stage("one", reported(), 0))
	due := b.label().Due
	if want := (trial.DayOf(b.now) + 1 + 365).Start(); due != want {
		t.Fatalf("due %d, want %d", due, want)
	}
	b.now = due - 1
	b.wants(t, trial.Awaited)
	want(t, b.release(1, "K"), trial.NotOverdue)
	want(t, b.release(1, "regulator"), trial.NotOverdue)
	b.now = due
	b.wants(t, trial.Overdue)
	b.must(b.release(1, "K"))
	b.wants(t, trial.PublishedWithExceptions, trial.NamedNotHeld, trial.Late)
	want(t, b.release(1, "sponsor"), trial.AlreadyReleased)
}

// TestInterimIsNotFinal: results cut before the end do not keep those of the
// whole trial from falling due.
func TestInterimIsNotFinal(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.cut())
	b.must(b.stage("interim", reported(), 0))
	b.must(b.release(1, "sponsor"))
	b.finish()
	b.now = b.label().Due
	b.wants(t, trial.Overdue, trial.NamedNotHeld)
}

// TestDueIsNeverLater: an amendment cannot put off when results are due.
func TestDueIsNeverLater(t *testing.T) {
	t.Parallel()
	b := treated(t)
	p, _ := protocol.Get(b.stream, 1)
	p.Protocol.ResultsDueDays, p.Protocol.Risks = 700, "more"
	b.must(b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p.Protocol, Reason: "r", Effective: trial.DayOf(b.now)}, "sponsor"))
	b.approve(2)
	b.must(b.open(2, "A"))
	b.finish()
	if want := (trial.DayOf(b.now) + 1 + 365).Start(); b.label().Due != want {
		t.Errorf("due %v", trial.DayOf(b.label().Due))
	}
}

// TestCutKeepsWhatItFound: the checks of a cut stay, whatever comes after.
func TestCutKeepsWhatItFound(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.enrol("Q", "A", 1)) // has not answered: not due
	b.finish()
	b.must(b.screen("R", "A"))
	b.must(b.deviate("R", "A")) // after the cut, and after the end
	b.must(b.stage("one", reported(), 0))
	r := releasedIn(b.must(b.release(1, "sponsor")))
	late := "enrolled-before-end:1 of 4 enrolments and randomisations after the last phase was complete on " + trial.DayOf(b.now).String()
	if r == nil || !slices.Equal(r.Exceptions, []string{late, "bytes-held:0 of 2 custodians hold the bytes"}) {
		t.Fatalf("%+v", r)
	}
	if i := slices.IndexFunc(r.Checks, func(c trial.Check) bool { return c.ID == "consent.v1" }); i < 0 || r.Checks[i].Detail != "NOT DUE(1)" {
		t.Errorf("%+v", r.Checks)
	}
	b.now += day
	b.must(b.cut())
	if c, _ := publication.GetCut(b.stream, 2); !slices.Contains(trial.Exceptions(c.Checks), "eligibility:1 deviation") {
		t.Errorf("%v", trial.Exceptions(c.Checks))
	}
}

// TestIncompleteConsentIsAnException: at a cut after the time has run out, who
// has not consented is counted.
func TestIncompleteConsentIsAnException(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.enrol("Q", "A", 1))
	b.now += 31 * day
	b.finish()
	if got := trial.Exceptions(contract.Gate(b.stream, b.now)); !slices.Contains(got, "consent.v1:INCOMPLETE(1)") {
		t.Errorf("%q", got)
	}
}

// TestCorrection: a correction stands in place of what it corrects, which stays.
func TestCorrection(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.finish()
	b.must(b.stage("one", reported(), 0))
	b.must(b.release(1, "sponsor"))
	b.must(b.stage("two", reported(), 1))
	b.must(b.holds("K", 2))
	if o := b.must(b.holds("L", 2)); releasedIn(o) != nil {
		t.Fatal("a correction was released without a reason")
	}
	want(t, b.release(2, "sponsor"), trial.IsCorrection)
	correct := func(n uint32) outcome {
		return b.send(contract.PublicationCorrect, publication.Correct{Stage: n, Reason: "table 2"}, "sponsor")
	}
	want(t, correct(1), trial.NoCorrection)
	b.must(correct(2))
	b.wants(t, trial.Verified, trial.Corrected)
	was, _ := publication.GetStage(b.stream, 1)
	if was.SupersededBy != 2 || was.Word != trial.PublishedWithExceptions || was.Package != packageOf("one") {
		t.Errorf("%+v", was)
	}
	want(t, b.stage("three", nil, 1), trial.NotStanding)
	b.must(b.stage("three", reported(), 2))
	b.must(b.send(contract.PublicationRetract, publication.Retract{Stage: 2, Reason: "fabricated"}, "regulator"))
	want(t, correct(3), trial.NotStanding)
	b.wants(t, trial.PublishedWithExceptions, trial.Corrected, trial.Retracted)
	b.now = b.label().Due
	b.wants(t, trial.Overdue, trial.Corrected, trial.Retracted) // nothing that is out stands
}

// TestDataOfTheUndosed: persons in the data whom nobody dosed under a current
// consent, and data locked too late, are exceptions.
func TestDataAgainstDosesAndUnblinding(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.complete("treatment", "follow-up")
	b.must(b.cut())
	b.unblind()
	b.lockData(2)
	got := trial.Exceptions(contract.Gate(b.stream, b.now))
	for _, prefix := range []string{"locked-before-unblinding:adsl not locked up to ", "dataset-within-doses:2 persons in the data as the sponsor states, 1 randomised"} {
		if !slices.ContainsFunc(got, func(x string) bool { return strings.HasPrefix(x, prefix) }) {
			t.Errorf("no %q in %q", prefix, got)
		}
	}
}

// TestSwitchedOutcome: an outcome changed after unblinding is compared with
// what was in force before.
func TestSwitchedOutcome(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.finish()
	p, _ := protocol.Get(b.stream, 1)
	p.Protocol.Outcomes = []trial.Outcome{{ID: "o1", Level: trial.Secondary, Name: "outcome"}, {ID: "o2", Level: trial.Primary, Name: "another"}}
	b.now += day
	b.must(b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p.Protocol, Reason: "r", Effective: trial.DayOf(b.now)}, "sponsor"))
	b.approve(2)
	b.must(b.open(2, "A"))
	b.must(b.stage("one", []outcomes.Reported{{ID: "o1", Level: trial.Secondary, Name: "outcome"}, {ID: "o2", Level: trial.Primary, Name: "another"}}, 0))
	r := releasedIn(b.must(b.release(1, "sponsor")))
	for _, want := range []string{"outcomes:o1 changed by version 2: level", "outcomes:o2 added by version 2"} {
		if r == nil || !slices.Contains(r.Exceptions, want) {
			t.Errorf("no %q: %+v", want, r)
		}
	}
	if k := r.Comparison.Lines[0].History[0].Known; !k.Unblinded || k.Cuts != 1 || !k.Enrolled {
		t.Errorf("%+v", k)
	}
}

// TestNoCheckIsLost: whatever happened, a check that does not hold is among the
// exceptions of the release, and results without exceptions are those alone
// that every check passes.
func TestNoCheckIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := treated(t)
		steps := map[string]func(){
			"deviation": func() {
				b.must(b.screen("Q", "A"))
				b.must(b.deviate("Q", "A"))
			},
			"silent":   func() { b.must(b.enrol("R", "A", 1)); b.now += 31 * day },
			"phases":   func() { b.complete("treatment", "follow-up") },
			"cut":      func() { b.must(b.cut()) },
			"data":     func() { b.lockData(rapid.Uint64Range(1, 2).Draw(rt, "subjects")) },
			"unblind":  func() { b.unblind() },
			"tomorrow": func() { b.now += day },
		}
		for _, name := range rapid.Permutation([]string{"deviation", "silent", "phases", "cut", "data", "unblind", "tomorrow"}).Draw(rt, "order") {
			if name == "cut" || rapid.Bool().Draw(rt, name) {
				steps[name]()
			}
		}
		list := rapid.SampledFrom([][]outcomes.Reported{nil, reported()}).Draw(rt, "reported")
		b.must(b.stage("one", list, 0))
		var r *event.Released
		for _, k := range []string{"K", "L"} {
			if rapid.Bool().Draw(rt, k) {
				r = releasedIn(b.must(b.holds(k, 1)))
			}
		}
		if r != nil && r.Label != trial.Verified {
			rt.Fatalf("released by a custodian with exceptions: %+v", r)
		}
		if r == nil {
			gate := contract.Gate(b.stream, b.now)
			if r = releasedIn(b.must(b.release(1, "sponsor"))); !slices.Equal(trial.Exceptions(gate), r.Exceptions) {
				rt.Fatalf("%v, the gate said %v", r.Exceptions, trial.Exceptions(gate))
			}
		}
		failing := 0
		for _, c := range r.Checks {
			if c.Detail == "" || c.Owner == 0 {
				rt.Fatalf("a check says nothing: %+v", c)
			}
			if !c.Holds {
				failing++
				if !slices.Contains(r.Exceptions, c.ID+":"+c.Detail) {
					rt.Fatalf("%s is lost: %v", c.ID, r.Exceptions)
				}
			}
		}
		if failing != len(r.Exceptions) || (failing == 0) != (r.Label == trial.Verified) {
			rt.Fatalf("%d checks fail, %d exceptions, %s", failing, len(r.Exceptions), r.Label)
		}
	})
}
