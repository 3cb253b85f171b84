package publication

import (
	"fmt"
	"strings"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// The ids of the checks. They are part of what a release says for good.
const (
	CheckRegistered  = "registered-before-enrolment"
	CheckApproved    = "approved-before-use"
	CheckConsent     = "consent.v" // and the number of the version
	CheckDelegated   = "sites-delegated"
	CheckEligibility = "eligibility"
	CheckPhases      = "phases-complete"
	CheckEnrolled    = "enrolled-before-end"
	CheckReports     = "reports-in-time"
	CheckLocked      = "locked-before-unblinding"
	CheckPlan        = "plan-locked-before-data"
	CheckOutcomes    = "outcomes"
	CheckBoundaries  = "boundaries-registered"
	CheckLooks       = "looks-open"
	CheckFlags       = "flags-answered"
	CheckSubjects    = "dataset-within-doses"
	CheckBeyond      = "data-within-cut"
	CheckHeld        = "bytes-held"
)

// Gate lists every check that results pass on their way out, for a staged
// package (0: none is staged yet) and its data cut (0: none is made yet; then
// what a cut would find now). What a cut found stands as it was found then; what
// can only come after it is asked of the state at hand.
func Gate(q Questions, cut, stage uint32, now int64) []trial.Check {
	asOf := trial.DayOf(now)
	var checks []trial.Check
	in := atCut(q)
	if c, ok := GetCut(q, cut); ok {
		asOf, in = c.AsOf, c.Entered
		checks = again(q, &c, now)
	} else {
		checks = AtCut(q, now)
	}
	checks = append(checks, within(q), locked(q, asOf), beyond(q, asOf))
	checks = append(checks, outcomes(q, stage)...)
	checks = append(checks, safety(q.Safety(now))...)
	return append(checks, subjects(q, asOf, in), held(q, stage))
}

// Missing is the gate for the newest package or, before one is staged, the
// newest cut: what stands between these results and VERIFIED, and who can mend it.
func Missing(q Questions, now int64) []trial.Check {
	l := getLast(q)
	cut := l.Cut
	if s, ok := GetStage(q, l.Stage); ok {
		cut = s.Cut
	}
	return Gate(q, cut, l.Stage, now)
}

// AtCut lists the checks that a data cut keeps as they stand at its moment.
func AtCut(q Questions, now int64) []trial.Check {
	checks := []trial.Check{registered(q), approved(q)}
	for _, c := range q.Consents(now) {
		checks = append(checks, consentCheck(c))
	}
	return append(checks, delegated(q), eligible(q), phases(q), reports(q.Safety(now)))
}

func passed(id string, owner trial.Role, format string, args ...any) trial.Check {
	return trial.Check{ID: id, Holds: true, Detail: fmt.Sprintf(format, args...), Owner: owner}
}

func failed(id string, owner trial.Role, format string, args ...any) trial.Check {
	return trial.Check{ID: id, Detail: fmt.Sprintf(format, args...), Owner: owner}
}

// firstOf quotes a list in words: its length and its first.
func firstOf(what string, list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return fmt.Sprintf("%d %s, the first: %s", len(list), what, list[0])
}

func registered(q Questions) trial.Check {
	f, versions := getFacts(q), q.Versions()
	switch {
	case len(versions) == 0:
		return failed(CheckRegistered, trial.Sponsor, "no protocol is registered")
	case f.Enrolled == 0:
		return passed(CheckRegistered, trial.Sponsor, "registered %v; nobody is enrolled", trial.DayOf(versions[0].Registered))
	case f.Enrolled < versions[0].Registered:
		return failed(CheckRegistered, trial.Sponsor, "registered %v, after the first enrolment", trial.DayOf(versions[0].Registered))
	}
	return passed(CheckRegistered, trial.Sponsor, "registered %v, first of %d enrolments %v",
		trial.DayOf(versions[0].Registered), f.Enrolments, trial.DayOf(f.Enrolled))
}

func approved(q Questions) trial.Check {
	f := getFacts(q)
	switch {
	case f.Unapproved > 0:
		return failed(CheckApproved, trial.Ethics, "%d of %d openings of a version at a site before ethics approved it there", f.Unapproved, f.Openings)
	case f.Openings == 0:
		return failed(CheckApproved, trial.Ethics, "no version has opened anywhere")
	}
	return passed(CheckApproved, trial.Ethics, "%d openings of a version at a site, each after approval", f.Openings)
}

func delegated(q Questions) trial.Check {
	f := getFacts(q)
	if f.Undelegated > 0 {
		return failed(CheckDelegated, trial.Site, "%d of %d enrolments and entries by a person not delegated then", f.Undelegated, f.Acts)
	}
	return passed(CheckDelegated, trial.Site, "%d enrolments and entries, each by a person delegated then", f.Acts)
}

func eligible(q Questions) trial.Check {
	f := getFacts(q)
	randomised, dosed, _ := bySite(q) // sums: a transfer may come between the two
	var wrong []string
	if f.Deviations == 1 {
		wrong = append(wrong, "1 deviation")
	} else if f.Deviations > 1 {
		wrong = append(wrong, fmt.Sprintf("%d deviations", f.Deviations))
	}
	if dosed > randomised {
		wrong = append(wrong, fmt.Sprintf("%d dosed without randomisation", dosed-randomised))
	}
	if len(wrong) > 0 {
		return failed(CheckEligibility, trial.Site, "%s", strings.Join(wrong, ", "))
	}
	return passed(CheckEligibility, trial.Site, "%d randomised, each by proof of the registered criteria", randomised)
}

// inForce is the newest version that was ever in force, else the first.
func inForce(q Questions) *trial.Protocol {
	var p *trial.Protocol
	for _, v := range q.Versions() {
		if p == nil || v.InForce != 0 {
			p = v.Protocol
		}
	}
	return p
}

func phases(q Questions) trial.Check {
	done := q.Completed()
	open := openPhases(q, done)
	switch {
	case len(open) > 0:
		return failed(CheckPhases, trial.Sponsor, "%s is not complete", firstOf("phases open", open))
	case len(done) == 0:
		return passed(CheckPhases, trial.Sponsor, "the protocol has no phases")
	}
	return passed(CheckPhases, trial.Sponsor, "%d phases, the last on %v", len(done), done[len(done)-1].Day)
}

func reports(s Safety) trial.Check {
	if len(s.Late) > 0 {
		return failed(CheckReports, trial.Sponsor, "%s", firstOf("late", s.Late))
	}
	return passed(CheckReports, trial.Sponsor, "%d reports, none late", s.Reports)
}

// locked asks for data locked up to the cut before unblinding, and for that
// unblinding; where everybody knows the arms all along, for a plan locked before
// the first data.
func locked(q Questions, asOf trial.Day) trial.Check {
	d := q.Data(asOf)
	if outcome.OpenLabel(registeredOutcomes(q), d.Unblinded) {
		return planned(q.PlanLocked(), d.First)
	}
	switch {
	case d.Datasets == 0:
		return failed(CheckLocked, trial.Sponsor, "no data are committed")
	case len(d.Unlocked) > 0:
		return failed(CheckLocked, trial.Sponsor, "%s not locked up to %v%s", strings.Join(d.Unlocked, ", "), asOf, beforeUnblinding(d))
	case d.Unblinded == 0:
		return failed(CheckLocked, trial.DSMB, "%d datasets locked up to %v, but the study is blinded: no release of the allocation is recorded", d.Datasets, asOf)
	}
	return passed(CheckLocked, trial.Sponsor, "%d datasets locked up to %v%s", d.Datasets, asOf, beforeUnblinding(d))
}

func beforeUnblinding(d Data) string {
	if d.Unblinded == 0 {
		return ""
	}
	return fmt.Sprintf(" before unblinding on %v", trial.DayOf(d.Unblinded))
}

func planned(plan, data int64) trial.Check {
	switch {
	case plan == 0:
		return failed(CheckPlan, trial.Sponsor, "no analysis plan is locked")
	case data == 0:
		return failed(CheckPlan, trial.Sponsor, "no data are committed")
	case data < plan:
		return failed(CheckPlan, trial.Sponsor, "the plan was locked on %v, after data were committed on %v", trial.DayOf(plan), trial.DayOf(data))
	}
	return passed(CheckPlan, trial.Sponsor, "the plan was locked on %v", trial.DayOf(plan))
}

// outcomes has one check for each outcome that is not reported as registered,
// so that each is an exception of its own.
func outcomes(q Questions, stage uint32) (checks []trial.Check) {
	s, ok := GetStage(q, stage)
	if !ok {
		return []trial.Check{failed(CheckOutcomes, trial.Sponsor, "no results are staged")}
	}
	c := Compare(q, s.Cut, s.Outcomes)
	for i := range c.Lines {
		if d := c.Lines[i].Deviation(); d != "" {
			checks = append(checks, failed(CheckOutcomes, trial.Sponsor, "%s", d))
		}
	}
	if len(checks) > 0 {
		return checks
	}
	n := c.Counts()
	x := passed(CheckOutcomes, trial.Sponsor, "%d outcomes of version %v, each reported as registered", n[outcome.AsRegistered], c.Version)
	if w := n[outcome.Withdrawn]; w > 0 {
		x.Detail += fmt.Sprintf("; %d withdrawn by amendment", w)
	}
	return append(checks, x)
}

func safety(s Safety) []trial.Check {
	boundaries := passed(CheckBoundaries, trial.Sponsor, "registered before the first of %d looks", s.Looks)
	if len(s.Registered) > 0 {
		boundaries = failed(CheckBoundaries, trial.Sponsor, "%s registered after the first look", strings.Join(s.Registered, ", "))
	}
	looks := passed(CheckLooks, trial.DSMB, "%d looks, each opened to its commitment", s.Looks)
	if len(s.Unopened) > 0 {
		looks = failed(CheckLooks, trial.DSMB, "%s", firstOf("looks not opened", s.Unopened))
	}
	flags := passed(CheckFlags, trial.DSMB, "no flag is unanswered")
	if len(s.Unanswered) > 0 {
		flags = failed(CheckFlags, trial.DSMB, "%s", firstOf("flags", s.Unanswered))
	}
	return []trial.Check{boundaries, looks, flags}
}

// subjects holds the persons in the data up to a cut against those who were
// randomised and dosed by then under a current consent. The rows are not on the
// ledger and a dose has no name: neither number is of persons that it has seen.
func subjects(q Questions, asOf trial.Day, in Entered) trial.Check {
	d := q.Data(asOf)
	words := fmt.Sprintf("%d persons in the data as the sponsor states, %d randomised and dosed at the cut; doses are counted by account, not by person",
		d.Subjects, in.Both)
	switch {
	case d.Subjects > in.Both:
		return failed(CheckSubjects, trial.Sponsor, "%s", words)
	case d.Datasets > 0 && d.Subjects == 0:
		return failed(CheckSubjects, trial.Sponsor, "no person is in the data up to %v", asOf)
	}
	return passed(CheckSubjects, trial.Sponsor, "%s", words)
}

func held(q Questions, stage uint32) trial.Check {
	s, ok := GetStage(q, stage)
	if !ok {
		return failed(CheckHeld, trial.Custodian, "no results are staged")
	}
	if n := s.Holders(); n < Custodians {
		return failed(CheckHeld, trial.Custodian, "%d of %d custodians hold the bytes", n, Custodians)
	}
	return passed(CheckHeld, trial.Custodian, "%d custodians of different organisations hold the bytes", s.Holders())
}
