package evidence

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"

	"github.com/trialith/trialith/trial"
	outcomes "github.com/trialith/trialith/trial/outcome"
)

// File says which file a report is about.
type File struct {
	Name   string
	Size   int64
	SHA256 trial.Digest
	Policy string // whom to trust, by its name; empty: the built-in one
}

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"asks": asks, "status": statusWords, "label": labelSentence, "mark": markSentence, "verdict": verdictMeaning,
	"micro": micro, "compared": comparisonSentence, "when": whenWords, "deref": func(c *outcomes.Comparison) []outcomes.Line { return c.Lines },
	"unmet": unmetBy, "decided": decidedWords, "clean": clean, "table": func(title string, list []Check) checkTable { return checkTable{title, list} },
}).Parse(reportHTML))

// WriteHTML writes the report for a reader who is no engineer: one document
// that loads nothing and runs nothing.
func (r *Report) WriteHTML(w io.Writer, about File) error {
	return reportPage.Execute(w, struct {
		*Report
		File    File
		Passed  []Check
		Failed  []Check
		Skipped []Check
		Names   map[string]string // of outcomes, by id
	}{r, about, r.with(Passed), r.with(Failed), r.with(NotChecked), r.names()})
}

func (r *Report) names() map[string]string {
	names := map[string]string{}
	if r.Study != nil && r.Study.Comparison != nil {
		for _, l := range r.Study.Comparison.Lines {
			names[l.ID] = l.Name
		}
	}
	return names
}

func (r *Report) with(s Status) (list []Check) {
	for _, c := range r.Checks {
		if c.Status == s {
			list = append(list, c)
		}
	}
	return list
}

// checkTable is the checks of one status.
type checkTable struct {
	Title string
	List  []Check
}

// clean takes away what is not to be seen, such as signs that turn the
// direction of writing around: a reason may quote a hostile file.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return '\uFFFD'
	}, s)
}

func statusWords(s Status) string {
	switch s {
	case Passed:
		return "Passed"
	case Failed:
		return "Failed"
	default:
		return "Not checked"
	}
}

func verdictMeaning(v Verdict) string {
	switch v {
	case Verified:
		return "Every check passed, and independent witnesses vouch for the history that the file tells."
	case Reservations:
		return "Nothing in the file contradicts itself, but something needed for full trust is missing or is an exception. What it is stands below."
	case NotValid:
		return "At least one check failed: the file is not what it claims to be. Do not rely on anything in it."
	default:
		return "This is no evidence file, or it passes a limit of one. Nothing about a study follows from it."
	}
}

func labelSentence(word string) string {
	switch word {
	case trial.Verified:
		return "The results are released, and every condition of the ledger held when they were."
	case trial.PublishedWithExceptions:
		return "The results are released. What did not hold then is listed below, and stays beside them for good."
	case trial.Overdue:
		return "The results were due when the file was made, and were not released."
	case trial.Awaited:
		return "No results were released when the file was made, and none were due."
	default:
		return "The file does not show how the results stand."
	}
}

func markSentence(mark string) string {
	switch mark {
	case trial.NamedNotHeld:
		return "no custodian has said that it holds the results."
	case trial.Late:
		return "they came out after they were due."
	case trial.Corrected:
		return "they stand in place of earlier ones."
	case trial.Retracted:
		return "they are retracted, and not to be relied on."
	default:
		return ""
	}
}

// micro writes millionths with two decimals, rounded down.
func micro(n uint64) string { return fmt.Sprintf("%d.%02d", n/trial.Micro, n%trial.Micro/10_000) }

func comparisonSentence(c *outcomes.Comparison) string {
	n := c.Counts()
	var words []string
	for _, s := range []outcomes.Status{outcomes.AsRegistered, outcomes.Changed, outcomes.Missing, outcomes.Added, outcomes.Withdrawn} {
		if n[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	if len(words) == 0 {
		return "No outcome is registered or reported."
	}
	return fmt.Sprintf("Compared with version %v, which was in force before anybody could know the arms: %s.", c.Version, strings.Join(words, ", "))
}

// whenWords says when what differs came about.
func whenWords(l outcomes.Line) []string {
	var out []string
	for _, r := range l.History {
		var fields []string
		for _, c := range r.Changes {
			fields = append(fields, c.Field)
		}
		when := "before unblinding"
		if r.Known.Unblinded {
			when = "after unblinding"
		}
		out = append(out, fmt.Sprintf("Version %v changed its %s, %s, after %s of the safety board and %s.",
			r.Version, strings.Join(fields, ", "), when, plural(r.Known.Looks, "look"), plural(r.Known.Cuts, "data cut")))
	}
	if l.Status == outcomes.Changed || l.Status == outcomes.Added {
		if l.Since == 0 {
			return append(out, "No version registered this: the change is silent.")
		}
		out = append(out, fmt.Sprintf("First registered in version %v, which was not in force before the data could be known by arm.", l.Since))
	}
	switch {
	case l.Status == outcomes.Missing:
		out = append(out, "It was registered and is not reported.")
	case len(out) == 0:
		out = append(out, "Nothing.")
	}
	return out
}

func plural(n uint32, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// unmet is what one condition asked, and all that was found instead.
type unmet struct {
	Asks  string
	Found []string
}

// unmetBy reads exceptions, each check:detail, with an outcome's name beside
// the id that its detail begins with.
func unmetBy(names map[string]string, exceptions []string) (list []unmet) {
	for _, e := range exceptions {
		id, found, _ := strings.Cut(e, ":")
		if outcome, rest, _ := strings.Cut(found, " "); id == "outcomes" && names[outcome] != "" {
			found = outcome + " " + rest + ": " + names[outcome]
		}
		words := asks(checkGate + id)
		words = strings.ToLower(words[:1]) + words[1:]
		if n := len(list); n > 0 && list[n-1].Asks == words {
			list[n-1].Found = append(list[n-1].Found, found)
			continue
		}
		list = append(list, unmet{words, []string{found}})
	}
	return list
}

func decidedWords(decision string) string {
	switch decision {
	case trial.Continue.String():
		return "to go on"
	case trial.Modify.String():
		return "to have the study changed"
	case trial.Pause.String():
		return "to pause enrolment and first doses"
	case trial.Stop.String():
		return "to stop enrolment and first doses"
	default:
		return ""
	}
}

// asks is what a check asks, in plain words; its id where there are none.
func asks(id string) string {
	of, gate := strings.CutPrefix(id, checkGate)
	if v, ok := strings.CutPrefix(of, checkConsent); ok {
		return "Everyone who owed consent to version " + v + " is accounted for"
	}
	words, known := questions[id]
	if gate {
		words, known = conditions[of]
	}
	if !known {
		return id
	}
	return words
}

var questions = map[string]string{
	checkUsable:     "It is an evidence file, within its limits",
	checkCanonical:  "The file has the one form that such a file can have, and hides nothing",
	checkManifest:   "Each part of the file is the one that its list names",
	checkGenesis:    "The file belongs to the ledger that it names",
	checkKeyPinned:  "The key that proofs are checked with is the ledger's own",
	checkKeyTrusted: "The ledger's keys are ones that the policy trusts",
	checkHeaders:    "The blocks follow one another without a gap",
	checkTime:       "Time never runs backwards",
	checkRules:      "This program knows the ledger's rules",
	checkCheckpoint: "The ledger signed the state that the file ends with",
	checkDirectory:  "The list of who may sign is whole and unchanged",
	checkTrial:      "The record of the study is whole and unchanged",
	checkStreams:    "Nothing was left out of either record",
	checkSignatures: "Each entry was signed by somebody who was allowed to sign then",
	checkReplay:     "Each entry follows the rules, executed again",
	checkProofs:     "Each zero-knowledge proof holds",
	checkDigest:     "The state that results is the one that the ledger signed",
	checkLogRoot:    "Each entry is in the log that the ledger signed",
	checkRegistered: "The plan was registered before the first person was enrolled",
	checkApproved:   "Ethics approved each version before it was used at a site",
	checkSites:      "Whoever enrolled people or recorded data was delegated to do so",
	checkEligible:   "Everyone randomised proved the registered criteria",
	checkWitnesses:  "Independent witnesses vouch that this is the ledger's only history",
	checkStamps:     "Time stamping authorities vouch for when checkpoints were there",
	checkMilestones: "Independent witnesses vouch for the times of the important moments",
	checkCeremony:   "The keys of the proofs were made in a ceremony that nobody could cheat in",
	checkPackage:    "The results in the file are the released ones",
	checkOutcomes:   "Registered and reported outcomes agree",
	checkLooks:      "What the safety board saw was committed to beforehand, and adds up",
	checkData:       "The data were fixed, row by row, and locked",
}

// conditions are the checks of the gate that results pass on their way out.
var conditions = map[string]string{
	"registered-before-enrolment": "The plan was registered before the first person was enrolled",
	"approved-before-use":         "Ethics approved each version before it was used at a site",
	"sites-delegated":             "Whoever enrolled people or recorded data was delegated to do so",
	"eligibility":                 "Everyone randomised proved the registered criteria, and nobody else was given a dose",
	"phases-complete":             "Every registered phase of the study was complete",
	"enrolled-before-end":         "People were enrolled, and none of them after the last phase was complete",
	"reports-in-time":             "Safety reports were entered in time",
	"locked-before-unblinding":    "The data were locked before anybody could know the arms",
	"plan-locked-before-data":     "The analysis plan was locked before the first data",
	"outcomes":                    "Every registered outcome is reported as registered",
	"boundaries-registered":       "The stopping boundaries were registered before the first look",
	"looks-open":                  "What the safety board saw at each look is published, and agrees with its sealed record",
	"flags-answered":              "The safety board answered each crossed boundary in time",
	"dataset-within-doses":        "The data hold no more people than were randomised and given a dose by then, as far as accounts and the sponsor tell",
	"data-within-cut":             "No data go beyond the day that the results speak as of",
	"bytes-held":                  "Two independent custodians hold the results",
}
