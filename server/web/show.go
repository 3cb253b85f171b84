package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// countRow is a line of the table of consent counts.
type countRow struct {
	Text string
	Of   func(trial.Counters) uint64
}

var countRows = []countRow{
	{"owed consent", func(c trial.Counters) uint64 { return c.Owed }},
	{"consented, by proof", func(c trial.Counters) uint64 { return c.Acts }},
	{"moved to a later version, by proof", func(c trial.Counters) uint64 { return c.Superseded }},
	{"left by proof before consenting", func(c trial.Counters) uint64 { return c.LeftProved0 }},
	{"left by proof after consenting", func(c trial.Counters) uint64 { return c.LeftProved1 }},
	{"left by the site’s word, said not to have consented", func(c trial.Counters) uint64 { return c.LeftWord0 }},
	{"left by the site’s word, said to have consented", func(c trial.Counters) uint64 { return c.LeftWord1 }},
	{"of those by word, finished or stopped", func(c trial.Counters) uint64 { return c.Ended }},
	{"are not accounted for by a proof", unproven},
}

// unproven is the k of the verdict: owed − acts − superseded − left by proof.
func unproven(c trial.Counters) uint64 {
	return c.Owed - min(c.Owed, c.Acts+c.Superseded+c.LeftProved0)
}

// refusalSentence says what a refusal code means. A refused transaction keeps its
// hash and code alone, so the words that it was refused with are gone.
func refusalSentence(code trial.Code) string { return capital(problem.Meaning(code)) + "." }

// openedWords says where and until when a version is asked for.
func openedWords(v counted) string {
	s := count(v.OpenedSites, "site", "sites")
	if v.FirstOpened > 0 {
		s += ", the first on " + dayOf(v.FirstOpened)
	}
	if v.LastDue > 0 && v.Impact.Existing {
		s += "; those already in the study may answer until " + dayOf(v.LastDue) + " at the latest"
	}
	return s
}

// studyStatus is a study's standing in a list, in one line.
func studyStatus(t readmodel.Trial) string {
	return fmt.Sprintf("%s. %s. Registered %s. %s, %s enrolled.",
		standing(t), orNone(t.Sponsor), dayOf(t.Registered), count(t.Sites, "site", "sites"), number(t.Enrolled))
}

func newestFirst(versions []counted) []counted {
	r := slices.Clone(versions)
	slices.Reverse(r)
	return r
}

func commas(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" }), ", ")
}

func listed(items []string) string { return orNone(commas(slices.Clone(items)...)) }

func impactWords(i trial.Impact) string {
	var s string
	switch {
	case i.Existing && i.Substantial:
		s = "Everyone already in the study: the change is substantial."
	case i.Existing:
		s = "Everyone already in the study."
	case i.Substantial:
		s = "Only new participants: the change is substantial."
	default:
		s = "Only new participants: the change is not substantial."
	}
	if i.Decided {
		return s + " An ethics committee decided this."
	}
	if len(i.Classes) == 0 {
		return s + " The ledger’s rules decided this."
	}
	var words []string
	for _, c := range i.Classes {
		words = append(words, c.String())
	}
	return s + " The ledger’s rules decided this, as it touches: " + strings.Join(words, ", ") + "."
}

func decisionWords(d readmodel.Decision) string {
	word := "Refused"
	if d.Approved {
		word = "Approved"
	}
	where := "for all sites"
	if n := len(d.Sites); n > 0 {
		where = "for " + count(uint64(n), "site", "sites")
	}
	s := fmt.Sprintf("%s by %s, form %s, %s, on %s", word, orNone(d.Name), d.Form, where, dayOf(d.Time))
	if d.Reason != "" {
		s += ": " + d.Reason
	}
	return s
}

func changeWord(c trial.Change) string {
	switch {
	case c.Before == "":
		return "added"
	case c.After == "":
		return "removed"
	default:
		return "changed"
	}
}

func signedBy(p ledgerPage, e readmodel.Entry) string {
	if e.Refused() {
		return "Not kept"
	}
	return p.Signers[e.Signer]
}

func owingWords(o readmodel.Owing) string {
	s := fmt.Sprintf("version %v (%s)", o.Version, treeMeaning(fmt.Sprintf("%v-%v", o.Set, o.Version)))
	if o.Left == 0 {
		return s
	}
	used := "its account had not been used"
	if o.Used {
		used = "its account had been used"
	}
	return s + ": " + o.Left.String() + ", " + used
}

func hasPlaceholder(p *trial.Protocol) bool {
	return slices.ContainsFunc(p.Outcomes, func(o trial.Outcome) bool {
		return o.Text != "" && placeholder(o.Text) || o.Timepoint != "" && placeholder(o.Timepoint)
	})
}

func visitWords(v trial.Visit) string {
	var words []string
	if v.Dose {
		words = append(words, "dose")
	}
	if v.Repeatable {
		words = append(words, "can be repeated")
	}
	return strings.Join(words, ", ")
}

func criteriaOf(p *trial.Protocol, exclusion bool) []trial.Criterion {
	return slices.DeleteFunc(slices.Clone(p.Criteria), func(c trial.Criterion) bool { return c.Exclusion != exclusion })
}

func criteriaWord(exclusion bool) string {
	if exclusion {
		return "Cannot take part if"
	}
	return "Can take part if"
}

func boundWords(a trial.Attribute) string {
	s := fmt.Sprintf("%s: %d to %d %s", a.Name, a.Min, a.Max, a.Unit)
	if a.Screening {
		s += " (measured at screening, after consent)"
	}
	return s
}

func statements(p *trial.Protocol) (n int) {
	for _, s := range []string{p.Risks, p.Burden, p.Payment, p.DataUse, p.DataSharing} {
		if s != "" {
			n++
		}
	}
	return n
}

func describedBy(wrong string) string {
	if wrong != "" {
		return "q-hint q-error"
	}
	return "q-hint"
}

func fileDescribedBy(wrong string) string {
	if wrong != "" {
		return "file-hint file-error"
	}
	return "file-hint"
}
