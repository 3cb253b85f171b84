package evidence

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/publication"
)

// stage stages a package and has both custodians hold it.
func (l *lab) stage(number uint32, list []outcomes.Reported) {
	l.t.Helper()
	p := trial.CID{1, 0x70, 0x12, 32, byte(number)}
	l.do(contract.PublicationStage, publication.Stage{Package: p, Manifest: trial.Digest{1}, Outcomes: list, Cut: 1}, "sponsor")
	for _, who := range []string{"archive", "library"} {
		l.do(contract.PublicationHeld, publication.Held{Stage: number, Package: p, Outcomes: outcomes.Digest(list), Cells: true}, who)
	}
}

// finished is a trial of one participant, cut, locked and unblinded.
func finished(t *testing.T) *lab {
	t.Helper()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.finish()
	return l
}

// finish runs a whole trial up to its unblinding.
func (l *lab) finish() {
	l.t.Helper()
	t := l.t
	for _, who := range []string{"archive", "library", "chair", "member"} {
		l.keys[who] = demonstration.Key(who)
	}
	l.found()
	l.register(trial.Custodian, "archive", "regulator")
	l.register(trial.Custodian, "library", "regulator")
	l.register(trial.DSMB, "chair", "regulator")
	l.register(trial.DSMB, "member", "regulator")
	l.begin()
	l.appoint("chair", "member")
	p, v1 := l.enrol(1), labProtocol()
	l.consent(p, 1)
	l.do(contract.ConsentScreen, must[consent.Screen](t)(p.Screen(l.site(), l.people["doctor"], l.today(), field.Attributes{70})), "doctor")
	l.do(contract.ConsentRandomise, must[consent.Randomise](t)(p.Eligible(t.Context(), l.site(), l.people["doctor"], 1, &v1, l.today())), "doctor")
	dose := device.Visit{Kind: act.Dose, Site: l.site(), Slot: trial.FirstDose, Day: l.today()}
	l.do(contract.ConsentEntry, must[consent.Entry](t)(p.Entry(t.Context(), dose, 1)), "nurse")
	l.do(contract.PublicationCut, publication.Cut{AsOf: l.today()}, "sponsor")
	l.do(contract.DatasetCommit, dataset.Commit{
		Name: "adsl", Root: trial.Digest{1}, Rows: 1, Subjects: 1, Columns: []string{"USUBJID"}, File: trial.Commitment{1}, Cut: l.today(),
	}, "sponsor")
	l.do(contract.DatasetLock, dataset.Lock{Cut: l.today()}, "sponsor")
	l.do(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair", "member")
}

// TestResults: the label is the contract's, the gate is in the report check by
// check, and the comparison of outcomes is made again.
func TestResults(t *testing.T) {
	t.Parallel()
	l := finished(t)
	l.stage(1, nil)
	l.do(contract.PublicationRelease, publication.Release{Stage: 1}, "sponsor")
	r := check(t, l.file())
	if r.Verdict != Reservations || r.Label != trial.PublishedWithExceptions || !slices.Equal(r.Exceptions, []string{"outcomes:o1 missing"}) ||
		!strings.Contains(r.Sentence, "results PUBLISHED WITH EXCEPTIONS (1 exception)") {
		t.Fatalf("%s", text(r))
	}
	for id, want := range map[string]Status{
		checkOutcomes: Failed, checkGate + "outcomes": Failed, checkGate + "bytes-held": Passed, checkGate + "consent.v1": Passed,
		checkGate + "locked-before-unblinding": Passed, checkPackage: NotChecked, checkMilestones: NotChecked,
	} {
		if c, ok := r.Check(id); !ok || c.Status != want {
			t.Errorf("%s: %+v, want %s", id, c, want)
		}
	}
	var names []string
	for _, m := range r.Milestones {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, ", "); !strings.HasPrefix(got, "registered, version 1 opened at site ") ||
		!strings.HasSuffix(got, ", first enrolment, data locked up to "+l.today().String()+", unblinded, results released") {
		t.Errorf("%s", got)
	}
	l.stage(2, []outcomes.Reported{{ID: "o1", Level: trial.Primary, Name: "Score", Timepoint: "8 weeks", N: 1}})
	r = check(t, l.file())
	if r.Label != trial.Verified || len(r.Exceptions) != 0 || !strings.Contains(r.Sentence, "results VERIFIED.") {
		t.Fatalf("%s", text(r))
	}
	for _, c := range r.Checks {
		if c.Status == Failed {
			t.Errorf("%+v", c)
		}
	}
	anotherComparison(t, l)
}

// anotherComparison: a released comparison that is not the one that the events
// give is a fault of the ledger, no exception.
func anotherComparison(t *testing.T, l *lab) {
	t.Helper()
	parts := unpack(t, l.file())
	h, err := readHistory(list[engine.Entry](t, parts[partDirectory]), list[engine.Entry](t, parts[partTrial]))
	if err != nil {
		t.Fatal(err)
	}
	if o := h.results.compared(); o.status != Passed {
		t.Fatalf("%+v", o)
	}
	h.results.release.Comparison.Lines[0].Status = outcomes.Missing
	if o := h.results.compared(); o.status != Failed || o.exception || o.entry == "" {
		t.Errorf("%+v", o)
	}
	h.results.release = &event.Released{}
	if o := h.results.compared(); o.status != Failed || o.exception {
		t.Errorf("%+v", o)
	}
}
