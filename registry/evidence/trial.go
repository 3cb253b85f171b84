package evidence

import (
	"fmt"
	"strings"

	"github.com/trialith/trialith/trial/contract"
)

// The checks of the trial's conduct.

// told is the history that the replay has confirmed.
func (v *verification) told() (*history, outcome) {
	if v.replayed == nil {
		return nil, after(checkReplay)
	}
	if v.histories == nil {
		h, err := readHistory(v.streams[0].entries, v.streams[1].entries)
		if err != nil {
			return nil, failed("", "%v", err)
		}
		v.histories = h
	}
	return v.histories, outcome{}
}

func (v *verification) registered() outcome {
	h, o := v.told()
	switch {
	case h == nil:
		return o
	case h.registeredLate != nil:
		return *h.registeredLate
	case h.registered == "":
		return failed("trial/0", "no protocol is registered in this stream")
	case h.enrolments == 0:
		return passed("registered in %s; nobody is enrolled yet", h.registered)
	}
	return passed("registered in %s, before the first of %d enrolments", h.registered, h.enrolments)
}

func (v *verification) approved() outcome {
	h, o := v.told()
	switch {
	case h == nil:
		return o
	case h.unapproved != nil:
		return *h.unapproved
	}
	return passed("each of %d openings of a version at a site came after ethics' approval, and before the enrolments under it", len(h.openings))
}

func (v *verification) delegated() outcome {
	h, o := v.told()
	switch {
	case h == nil:
		return o
	case h.undelegated != nil:
		return *h.undelegated
	}
	return passed("%d enrolments, screenings, randomisations, entries and countersign tables, each signed by a person whom the site had delegated it to then", h.delegatedActs)
}

// consent judges each version (C9) as of the last header, and eligibility.
func (v *verification) consent() {
	h, o := v.told()
	if h == nil {
		v.add(checkConsent+"1", o)
		v.add(checkEligible, o)
		return
	}
	v.standings = contract.Standings(v.replayed.TrialState, v.headers[len(v.headers)-1].Time)
	for _, s := range v.standings {
		v.add(checkConsent+s.Version.String(), consented(s))
	}
	v.add(checkEligible, eligible(h))
}

func consented(s contract.Standing) outcome {
	c := s.Counters
	numbers := fmt.Sprintf("%v: owed %d, acts %d, superseded %d, left by proof %d before and %d after consenting, by word %d and %d",
		s.Verdict, c.Owed, c.Acts, c.Superseded, c.LeftProved0, c.LeftProved1, c.LeftWord0, c.LeftWord1)
	switch {
	case c.Owed == 0:
		return passed("%v: nobody owes consent to it", s.Verdict)
	case impossible(s):
		return failed("", "%s; more were discharged than owed, which no ledger that follows the rules shows", numbers)
	case s.Verdict.M > 0:
		return except("", "%s", numbers)
	}
	return passed("%s", numbers)
}

// impossible reports whether more were discharged than owed.
func impossible(s contract.Standing) bool {
	return s.Counters.Acts+s.Counters.Superseded+s.Counters.LeftProved0 > s.Counters.Owed
}

func eligible(h *history) outcome {
	if n := len(h.deviations); n > 0 {
		return except(h.deviations[0], "%d randomised by proof of the registered criteria, %d by a recorded deviation from them", h.proven, n)
	}
	return passed("%d randomised, each by proof of the registered criteria", h.proven)
}

// later adds who else vouches for the record, and the results.
func (v *verification) later() {
	v.add(checkWitnesses, v.witnessed())
	if o, asked := v.stamps(); asked {
		v.add(checkStamps, o)
	}
	v.add(checkMilestones, v.milestones())
	v.add(checkCeremony, v.ceremony())
	v.results()
}

// summary says in one clause what a file without a fault shows.
func (v *verification) summary() string {
	if v.replayed == nil {
		return ""
	}
	words := []string{fmt.Sprintf("as of %s by the ledger's own clock, %d transactions follow the rules and %d proofs hold",
		v.report.AsOf, v.recorder.checked, len(v.recorder.items))}
	for _, s := range v.standings {
		words = append(words, fmt.Sprintf("consent to version %v: %v", s.Version, s.Verdict))
	}
	return strings.Join(append(words, v.verdictOnResults()), "; ")
}
