package publication

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// study answers what the gate asks, in memory.
type study struct {
	state.Memory
	versions []Version
	consents []Consent
	done     []Completed
	plan     int64
	data     Data
	safety   Safety
}

func (*study) Sponsor() (trial.ActorID, bool) { return trial.ActorID{1}, true }
func (s *study) Versions() []Version          { return s.versions }
func (s *study) Consents(int64) []Consent     { return s.consents }
func (s *study) Completed() []Completed       { return s.done }
func (s *study) PlanLocked() int64            { return s.plan }
func (s *study) Data(trial.Day) Data          { return s.data }
func (s *study) Safety(int64) Safety          { return s.safety }

const now = int64(20000) * 24 * 60 * 60 * 1000

// sound is a study that every check passes, but for what the test changes.
func sound() *study {
	s := &study{
		versions: []Version{{Number: 1, Registered: 1000, InForce: 2000, Protocol: &trial.Protocol{
			Phases: []trial.Phase{{ID: "treatment"}}, Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "score"}},
			ResultsDueDays: 30,
		}}},
		consents: []Consent{{Version: 1, Holds: true, Verdict: "PROVEN"}},
		done:     []Completed{{Phase: "treatment", Day: 19990}},
		data:     Data{Datasets: 1, First: now - 10, Subjects: 2, Unblinded: now - 5},
		safety:   Safety{Looks: 3, Reports: 9},
	}
	state.Put(&s.Memory, factsKey, facts{Openings: 1, Enrolled: 3000, Enrolments: 2, Acts: 8, Proven: 2})
	state.Put(&s.Memory, endingKey, ending{Day: 19990, Time: now - 9})
	state.Put(&s.Memory, siteKey(trial.SiteID{1}), entered{Randomised: 2, Dosed: 2})
	state.Put(&s.Memory, lastKey, last{Stage: 1})
	state.Put(&s.Memory, stageKey(1), StageRecord{
		Outcomes: []outcome.Reported{{ID: "o1", Level: trial.Primary, Name: "score"}},
		Held:     []Holding{{Custodian: trial.ActorID{2}}, {Custodian: trial.ActorID{3}}},
	})
	return s
}

func (s *study) facts(change func(*facts)) { note(&s.Memory, change) }

// TestEachCheckCanFail: each check of the gate passes a sound study, and fails
// alone where what it asks for is missing.
func TestEachCheckCanFail(t *testing.T) {
	t.Parallel()
	if got := trial.Exceptions(Missing(sound(), now)); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	ids := map[string]bool{}
	for _, c := range Missing(sound(), now) {
		ids[c.ID] = true
	}
	for _, c := range []struct {
		change func(*study)
		want   string
	}{
		{func(s *study) { s.facts(func(f *facts) { f.Enrolled = 999 }) }, CheckRegistered + ":registered 1970-01-01, after the first enrolment"},
		{func(s *study) { s.facts(func(f *facts) { f.Unapproved = 1 }) }, CheckApproved + ":1 of 1 openings of a version at a site before ethics approved it there"},
		{func(s *study) { s.facts(func(f *facts) { f.Openings = 0 }) }, CheckApproved + ":no version has opened anywhere"},
		{func(s *study) { s.consents[0] = Consent{Version: 1, Verdict: "INCOMPLETE(2)"} }, "consent.v1:INCOMPLETE(2)"},
		{func(s *study) { s.facts(func(f *facts) { f.Undelegated = 1 }) }, CheckDelegated + ":1 of 8 enrolments and entries by a person not delegated then"},
		{func(s *study) { s.facts(func(f *facts) { f.Deviations = 1 }) }, CheckEligibility + ":1 deviation"},
		{func(s *study) { s.facts(func(f *facts) { f.Deviations = 2 }) }, CheckEligibility + ":2 deviations"},
		{func(s *study) { state.Put(&s.Memory, siteKey(trial.SiteID{2}), entered{Dosed: 1}) }, CheckEligibility + ":1 dosed without randomisation"},
		{func(s *study) { s.done = nil }, CheckPhases + ":treatment is not complete"},
		{func(s *study) { s.safety.Late = []string{"report 1", "report 2"} }, CheckReports + ":2 late, the first: report 1"},
		{func(s *study) { s.data.Unlocked = []string{"ae", "ex"} }, CheckLocked + ":ae, ex not locked up to 2024-10-04 before unblinding on 2024-10-03"},
		{func(s *study) { s.data = Data{} }, CheckLocked + ":no data are committed"},
		{func(s *study) { s.versions[0].Protocol.Blinding = "Open label" }, CheckPlan + ":no analysis plan is locked"},
		{func(s *study) { s.versions[0].Protocol.Blinding, s.plan = "None (Open Label)", now }, CheckPlan + ":the plan was locked on 2024-10-04, after data were committed on 2024-10-03"},
		{func(s *study) {
			s.versions[0].Protocol.Outcomes = append(s.versions[0].Protocol.Outcomes, trial.Outcome{ID: "o2"})
		}, CheckOutcomes + ":o2 missing"},
		{func(s *study) { s.safety.Registered = []string{"severe"} }, CheckBoundaries + ":severe registered after the first look"},
		{func(s *study) { s.safety.Unopened = []string{"look 1"} }, CheckLooks + ":look 1"},
		{func(s *study) { s.safety.Unanswered = []string{"severe not answered"} }, CheckFlags + ":severe not answered"},
		{func(s *study) { s.data.Subjects = 3 }, CheckSubjects + ":3 persons in the data as the sponsor states, 2 randomised and dosed at the cut; doses are counted by account, not by person"},
		{func(s *study) { s.data.Subjects = 0 }, CheckSubjects + ":no person is in the data up to 2024-10-04"},
		{func(s *study) { s.data.Beyond = []string{"ae up to 2024-10-05"} }, CheckBeyond + ":data beyond the cut of 2024-10-04: ae up to 2024-10-05"},
		{func(s *study) { s.facts(func(f *facts) { f.Enrolments = 0 }) }, CheckEnrolled + ":nobody is enrolled"},
		{func(s *study) { s.facts(func(f *facts) { f.Afterwards = 3 }) }, CheckEnrolled + ":3 of 4 enrolments and randomisations after the last phase was complete on 2024-09-24"},
		{func(s *study) { s.data.Unblinded = 0 }, CheckLocked + ":1 datasets locked up to 2024-10-04, but the study is blinded: no release of the allocation is recorded"},
		{func(s *study) {
			s.versions[0].Protocol.Blinding = "Double blind, then open label"
			s.data.Unlocked = []string{"ae"}
		}, CheckLocked + ":ae not locked up to 2024-10-04 before unblinding on 2024-10-03"},
		{func(s *study) { state.Put(&s.Memory, stageKey(1), held1()) }, CheckHeld + ":1 of 2 custodians hold the bytes"},
	} {
		s := sound()
		c.change(s)
		if got := trial.Exceptions(Missing(s, now)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("got %q, want %q", got, c.want)
		}
		id, _, _ := strings.Cut(c.want, ":")
		delete(ids, id)
	}
	if len(ids) != 0 {
		t.Errorf("no test fails %v", ids)
	}
}

// held1 is the sound stage with one custodian that holds it and one that refused.
func held1() StageRecord {
	return StageRecord{
		Outcomes: []outcome.Reported{{ID: "o1", Level: trial.Primary, Name: "score"}},
		Held:     []Holding{{Custodian: trial.ActorID{2}}, {Custodian: trial.ActorID{3}, Refusal: "small cells"}},
	}
}

// TestNothingStaged: before there are results the gate says what is missing, and
// whose it is.
func TestNothingStaged(t *testing.T) {
	t.Parallel()
	s := sound()
	s.Delete(stageKey(1))
	owners := map[string]trial.Role{}
	for _, c := range Missing(s, now) {
		if !c.Holds {
			owners[c.ID] = c.Owner
		}
	}
	if len(owners) != 2 || owners[CheckOutcomes] != trial.Sponsor || owners[CheckHeld] != trial.Custodian {
		t.Errorf("%v", owners)
	}
}

// TestLabelIsOfTime: one state, other times.
func TestLabelIsOfTime(t *testing.T) {
	t.Parallel()
	s := sound()
	due := trial.Day(19990 + 1 + 30).Start()
	for at, want := range map[int64]string{now: trial.Awaited, due - 1: trial.Awaited, due: trial.Overdue} {
		if l := Label(s, at); l.Word != want || l.Due != due {
			t.Errorf("%v: %+v", trial.DayOf(at), l)
		}
	}
	s.done = nil
	s.Delete(endingKey)
	if l := Label(s, due); l.Word != trial.Awaited || l.Due != 0 {
		t.Errorf("due while a phase is open: %+v", l)
	}
}
