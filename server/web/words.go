package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
)

func moment(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2 January 2006, 15:04:05 UTC")
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func dayOf(ms int64) string { return time.UnixMilli(ms).UTC().Format("2 January 2006") }

func day(d trial.Day) string { return dayOf(d.Start()) }

// number groups digits by thousands, so that a count can be read.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count is a number with its noun.
func count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func orNone(s string) string {
	if strings.TrimSpace(s) == "" {
		return "Not stated"
	}
	return s
}

func short(hash string) string {
	if len(hash) <= 16 {
		return hash
	}
	return hash[:16] + "…"
}

func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// placeholder reports whether a registered text only promises one. It is shown
// as it stands, and said to be what it is.
func placeholder(s string) bool {
	t := strings.ToLower(strings.TrimSpace(strings.TrimRight(s, ".")))
	switch t {
	case "", "tbd", "tbc", "n/a", "na", "none", "-", "unknown", "pending":
		return true
	}
	for _, p := range []string{"to be determined", "to be confirmed", "to be decided", "to be defined", "to be specified", "placeholder"} {
		if strings.Contains(t, p) {
			return true
		}
	}
	return false
}

// verdictSentence says in plain words what the verdict on a version means.
func verdictSentence(v trial.Version, c trial.Counters, notDue uint64, j reconsent.Verdict) string {
	switch j.Word {
	case reconsent.Proven:
		if c.Owed == 0 {
			return fmt.Sprintf("Nobody has been asked to agree to version %v yet, so nothing is missing.", v)
		}
		return fmt.Sprintf("Everyone who owed consent to version %v has given it, moved to a later version, or left with a proof of their own: all %s. "+
			"Nobody’s word is used.", v, number(c.Owed))
	case reconsent.Attested:
		return fmt.Sprintf("At most %s who stayed could be without consent to version %v. "+
			"Sites state that %s left before consenting; each statement is signed by two people and goes to the audit sample.",
			people(j.K), v, people(c.LeftWord0))
	case reconsent.NotDue:
		return fmt.Sprintf("%s of %s have not yet shown consent to version %v, and %s still %s time to answer. Nothing is late.",
			capital(number(j.K)), number(c.Owed), v, people(notDue), haveWord(notDue))
	case reconsent.Incomplete:
		s := fmt.Sprintf("%s missing: the record shows neither their consent to version %v nor that they left.", areWord(j.M), v)
		if notDue > 0 {
			s += fmt.Sprintf(" %s may still have time to answer.", capital(people(notDue)))
		}
		return s
	case reconsent.Fault:
		return fmt.Sprintf("The counters of version %v contradict each other. That is a fault of the ledger: do not rely on this study.", v)
	default:
		return "This verdict is unknown."
	}
}

func people(n uint64) string { return count(n, "person", "people") }

func haveWord(n uint64) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

func areWord(n uint64) string {
	if n == 1 {
		return "1 person is"
	}
	return number(n) + " people are"
}

// wordMeaning explains a verdict's word wherever it stands.
func wordMeaning(w reconsent.Word) string {
	switch w {
	case reconsent.Proven:
		return "PROVEN: every consent owed is accounted for by proofs alone."
	case reconsent.Attested:
		return "ATTESTED: proofs account for all but a few, and for those two people at the site signed that they had left. The number is the most that could be hidden."
	case reconsent.NotDue:
		return "NOT DUE: some have not answered yet, and their time has not run out."
	case reconsent.Incomplete:
		return "INCOMPLETE: more are missing than anybody’s word or remaining time explains. The number is how many."
	case reconsent.Fault:
		return "FAULT: the counters cannot be right."
	default:
		return ""
	}
}

// tagOf is the colour that goes with a verdict; the word carries the meaning.
func tagOf(w reconsent.Word) string {
	switch w {
	case reconsent.Proven:
		return "govuk-tag--green"
	case reconsent.Attested, reconsent.NotDue:
		return "govuk-tag--yellow"
	default:
		return "govuk-tag--red"
	}
}

// gravity orders verdicts, the worst last.
func gravity(w reconsent.Word) int {
	switch w {
	case reconsent.Proven:
		return 0
	case reconsent.NotDue:
		return 1
	case reconsent.Attested:
		return 2
	case reconsent.Incomplete:
		return 3
	default:
		return 4
	}
}

// treeMeaning says what the leaves of a tree have in common.
func treeMeaning(name string) string {
	part := strings.Split(name, "-")
	switch {
	case name == "eligible":
		return "People whose screening results a site has attested"
	case len(part) == 2 && part[0] == "N":
		return "People enrolled under version " + part[1]
	case len(part) == 2 && part[0] == "E":
		return "People already in the study whom version " + part[1] + " asked again"
	case len(part) == 3 && part[0] == "X":
		return "People who owed version " + part[1] + " and were asked for version " + part[2]
	case len(part) == 2 && part[0] == "pass":
		return "Passes of consents to version " + part[1] + " or later, shown at visits"
	default:
		return "A set of this study"
	}
}
