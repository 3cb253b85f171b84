package evidence

import (
	"fmt"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
)

// Study is what a file shows of its trial, for people to read: programs have
// the checks. It is there once the replay has passed.
type Study struct {
	Ledger, Trial           string
	Title, Acronym, Sponsor string
	Consent                 []Consent
	Package                 string               // CID of the newest release; empty: nothing is released
	Comparison              *outcomes.Comparison // of the newest release; nil: nothing is released
	Boundaries              []trial.Boundary
	Looks, Sealed           int // Sealed of Looks hold what is not public
	Flags                   []Flag
}

// Consent is how consent to one version stands.
type Consent struct {
	Version  trial.Version
	Verdict  string
	Sentence string
}

// Flag is a boundary crossed, by the names that were registered.
type Flag struct {
	trial.Flag
	Name     string // of the boundary
	ArmName  string // empty: all arms together
	Decision string // of the board at the look that found it; empty: none
	Reason   string
}

// study reads what the replay has confirmed; nil where it has not.
func (v *verification) study() *Study {
	h, _ := v.told()
	if h == nil || v.genesis == nil {
		return nil
	}
	s := &Study{Ledger: v.genesis.ID().String(), Trial: v.manifest.Trial.String(), Boundaries: h.results.looks.boundaries}
	for _, x := range v.standings {
		s.Consent = append(s.Consent, Consent{Version: x.Version, Verdict: x.Verdict.String(), Sentence: consentSentence(x)})
	}
	if r := h.results.release; r != nil {
		s.Package, s.Comparison = r.Package.String(), &h.results.comparison
	}
	t := teller{study: s, boards: map[string]event.BoardDecided{}}
	for i := range v.streams[1].entries {
		if each(&v.streams[1].entries[i], t.read) != nil {
			return nil
		}
	}
	t.name()
	return s
}

// teller gathers from a trial's events what only they tell.
type teller struct {
	study  *Study
	arms   []trial.Arm
	boards map[string]event.BoardDecided // the latest, by look and boundary
}

func (t *teller) read(e event.Event) {
	switch e := e.(type) {
	case event.Registered:
		t.protocol(&e.Protocol)
	case event.Amended:
		t.protocol(&e.Protocol)
	case event.Looked:
		t.study.Looks++
		if e.Board != (trial.Commitment{}) {
			t.study.Sealed++
		}
	case event.PooledLook:
		t.flags(e.Flags)
	case event.LookOpened:
		t.study.Sealed--
		t.flags(e.Flags)
	case event.BoardDecided:
		t.boards[boardKey(e.Look, e.Boundary)] = e
	default:
	}
}

func (t *teller) protocol(p *trial.Protocol) {
	t.study.Title, t.study.Acronym, t.study.Sponsor, t.arms = p.Title, p.Acronym, p.Sponsor, p.Arms
}

func (t *teller) flags(flags []trial.Flag) {
	for _, f := range flags {
		t.study.Flags = append(t.study.Flags, Flag{Flag: f})
	}
}

func boardKey(look uint32, boundary string) string { return fmt.Sprintf("%d/%s", look, boundary) }

// name gives the flags the names that are known once all events are read.
func (t *teller) name() {
	for i := range t.study.Flags {
		f := &t.study.Flags[i]
		f.Name, f.ArmName = f.Boundary, f.Arm
		for _, b := range t.study.Boundaries {
			if b.ID == f.Boundary && b.Name != "" {
				f.Name = b.Name
			}
		}
		for _, a := range t.arms {
			if a.ID == f.Arm && a.Name != "" {
				f.ArmName = a.Name
			}
		}
		if d, ok := t.boards[boardKey(f.Look, f.Boundary)]; ok {
			f.Decision, f.Reason = d.Decision.String(), d.Reason
		}
	}
}

// consentSentence says in plain words how consent to a version stands.
func consentSentence(s contract.Standing) string {
	owed := s.Counters.Owed
	switch word := s.Verdict.Word.String(); {
	case owed == 0:
		return "Nobody owes consent to this version, so nothing is missing."
	case word == "PROVEN":
		return fmt.Sprintf("All %d who owed consent to this version gave it, moved to a later version, or left with a proof of their own. Nobody's word is used.", owed)
	case word == "ATTESTED":
		return fmt.Sprintf("Proofs account for all but %d of the %d who owed consent to this version. Of these, two people at a site signed that they had left before consenting; no more than %d who stayed can be without consent.",
			s.Verdict.K, owed, s.Verdict.K)
	case word == "NOT DUE":
		return fmt.Sprintf("%d of %d have not shown consent to this version yet. Their time had not run out when the file was made.", s.Verdict.K, owed)
	case word == "INCOMPLETE":
		return fmt.Sprintf("%d of %d are missing: the record shows neither their consent to this version nor that they left.", s.Verdict.M, owed)
	default:
		return "The counts for this version contradict each other. Do not rely on them."
	}
}
