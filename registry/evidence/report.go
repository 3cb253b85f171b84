package evidence

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Verdict is the verifier's word on a file.
type Verdict string

// The verdicts.
const (
	Verified     Verdict = "VERIFIED"
	Reservations Verdict = "VALID WITH RESERVATIONS"
	NotValid     Verdict = "NOT VALID"
	Unusable     Verdict = "UNUSABLE"
)

// Status of a check.
type Status string

// The statuses.
const (
	Passed     Status = "passed"
	Failed     Status = "failed"
	NotChecked Status = "not_checked"
)

// Check is one question asked of a file, and its answer. Entry names what the
// answer is about, where that is one thing: "directory/17", "trial/57",
// "file:headers.cbor@812".
type Check struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Reason string `json:"reason"`
	Entry  string `json:"entry"`
	// exception: what failed is the trial's conduct, which the file shows truly.
	exception bool
}

// Report is what verification found.
type Report struct {
	Verdict Verdict `json:"verdict"`
	// Label is the contract's word on the results; empty if it is not known.
	Label    string   `json:"label"`
	Marks    []string `json:"marks,omitempty"`
	Sentence string   `json:"sentence"`
	// AsOf is the time of the last header, by the ledger's own clock; empty if
	// the headers do not tell.
	AsOf string `json:"as_of"`
	// Exceptions are those that the results were released with, as check:detail.
	Exceptions []string    `json:"exceptions,omitempty"`
	Milestones []Milestone `json:"milestones,omitempty"`
	Checks     []Check     `json:"checks"`
	// Study is nil where the record did not replay.
	Study *Study `json:"-"`
}

// Milestone is a moment that the trial's credibility rests on, by the ledger's
// own clock.
type Milestone struct {
	Name  string `json:"name"`
	Time  string `json:"time"`
	Entry string `json:"entry"`
	// Witnessed is when witnesses had cosigned a checkpoint that holds it, by
	// their clocks; empty where none within seven days is in the file.
	Witnessed string `json:"witnessed,omitempty"`
	// Stamped is when an authority that the policy believes stamped a checkpoint
	// that holds it; empty where none within seven days is in the file.
	Stamped string `json:"stamped,omitempty"`

	height uint64
	time   int64
}

// ExitCode is the exit status of a command that prints the report.
func (r *Report) ExitCode() int {
	switch r.Verdict {
	case Verified:
		return 0
	case Reservations:
		return 3
	case NotValid:
		return 1
	case Unusable:
		return 2
	default:
		return 2
	}
}

// Check finds a check by its id.
func (r *Report) Check(id string) (Check, bool) {
	for _, c := range r.Checks {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}

// WriteText writes the report for a reader: the sentence, then each check.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", printable(r.Sentence))
	if r.Label != "" {
		fmt.Fprintf(&b, "Results: %s\n", strings.Join(append([]string{r.Label}, r.Marks...), " · "))
	}
	if r.AsOf != "" {
		fmt.Fprintf(&b, "As of %s, by the ledger's own clock\n", r.AsOf)
	}
	b.WriteString("\n")
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-11s  %s", strings.ReplaceAll(string(c.Status), "_", " "), printable(c.ID))
		if c.Entry != "" {
			fmt.Fprintf(&b, "  [%s]", printable(c.Entry))
		}
		fmt.Fprintf(&b, "\n             %s\n", printable(c.Reason))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable takes away what could steer a terminal: a reason may quote a
// hostile file.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func instant(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// ledgerEntry reports whether a name is that of an entry, not of a part.
func ledgerEntry(name string) bool {
	return strings.HasPrefix(name, "trial/") || strings.HasPrefix(name, "directory/")
}

// fault is the check that the sentence of NOT VALID names: the first that
// points to an entry of the ledger, else the first that failed at all.
func (r *Report) fault() (Check, bool) {
	var first *Check
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Status != Failed || c.exception {
			continue
		}
		if ledgerEntry(c.Entry) {
			return *c, true
		}
		if first == nil {
			first = c
		}
	}
	if first == nil {
		return Check{}, false
	}
	return *first, true
}

// conclude finds the verdict and its sentence. summary tells what was found in
// a file without a fault.
func (r *Report) conclude(demonstration bool, summary string) {
	if c, found := r.fault(); found {
		r.Verdict = NotValid
		where := c.Entry
		if where == "" {
			where = c.ID
		}
		r.Sentence = fmt.Sprintf("%s: %s: %s (check %s).", NotValid, where, c.Reason, c.ID)
		return
	}
	r.Verdict = Verified
	var words []string
	for _, c := range r.Checks {
		if c.Status != Passed {
			r.Verdict = Reservations
		}
		if c.ID == checkWitnesses && c.Status != Passed {
			words = append(words, "consistent, not independently witnessed")
		}
		if c.Status == Failed && !strings.HasPrefix(c.ID, checkGate) && c.ID != checkOutcomes { // counted with the label
			words = append(words, fmt.Sprintf("exception %s: %s", c.ID, c.Reason))
		}
	}
	if demonstration {
		r.Verdict = Reservations
	}
	r.Sentence = string(r.Verdict) + ": " + strings.Join(append(words, summary), "; ") + "."
	if demonstration {
		r.Sentence = "Demonstration keys: anyone can sign and prove with them. " + r.Sentence
	}
}
