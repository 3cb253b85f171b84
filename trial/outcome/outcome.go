// Package outcome compares the outcomes that a trial registered with those it
// reports: which are reported as registered, which were changed, how and when,
// which are missing, and which were added. It is pure: contract, pages and
// verifier compute the same comparison from the same versions.
//
// What counts as registered is the version that was in force before anybody
// could know the data by arm: before unblinding, before the data cut of the
// report and, where everybody knows the arms all along, before the first data
// were committed (CONSORT 2025 items 6a and 26; COMPare). A change made before
// that is shown with what had been seen of the data then. It is no fault, but
// for a primary or secondary outcome taken back once somebody was enrolled.
package outcome

import (
	"fmt"
	"strings"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Version is a registered version, as far as outcomes go.
type Version struct {
	Number     trial.Version
	Registered int64 // milliseconds since 1970 UTC
	InForce    int64 // from when somebody could be enrolled under it; 0: never
	Open       bool  // it registers that everybody knows the arms all along
	Outcomes   []trial.Outcome
}

// Reported is an outcome that a results package reports.
type Reported struct {
	_         struct{} `cbor:",toarray"`
	ID        string   // of the registered outcome; empty: the package names none
	Level     trial.Level
	Name      string
	Timepoint string
	N         uint32 // participants analysed
}

// Limits on a list of reported outcomes, so that nothing staged can stall a reader.
const (
	MaxReported = 256
	maxName     = 4096
)

// CheckReported refuses a list that the comparison cannot work with.
func CheckReported(list []Reported) error {
	if len(list) > MaxReported {
		return fmt.Errorf("outcomes: %d; at most %d", len(list), MaxReported)
	}
	for i, r := range list {
		switch {
		case r.Level < trial.Primary || r.Level > trial.Exploratory:
			return fmt.Errorf("outcomes: %d: level %d; 1 primary, 2 secondary, 3 exploratory", i+1, r.Level)
		case r.Name == "" || len(r.Name) > maxName || len(r.Timepoint) > maxName || len(r.ID) > 128:
			return fmt.Errorf("outcomes: %d: a name of 1 to %d bytes, a time point of at most %d and an id of at most 128", i+1, maxName, maxName)
		}
	}
	return nil
}

// Digest names a list of reported outcomes, so that who holds the package can
// say which list it read there.
func Digest(list []Reported) trial.Digest {
	return trial.Digest(wire.Sum("outcomes", list))
}

// Seen is what had been seen of the data, and when: milliseconds since 1970
// UTC, ascending; 0 for what has not happened.
type Seen struct {
	Enrolled  int64 // first enrolment
	Unblinded int64 // the whole trial
	Data      int64 // the first commitment to data
	Cut       int64 // the data cut that the report speaks as of
	Moments   []Moment
}

// Moment counts what had been seen when a version was registered.
type Moment struct {
	_      struct{} `cbor:",toarray"`
	Time   int64    // milliseconds since 1970 UTC
	Looks  uint32
	Cuts   uint32
	Single uint32 // one participant unblinded, in an emergency
}

// Known counts what had been seen before a moment.
type Known struct {
	_         struct{} `cbor:",toarray"`
	Enrolled  bool
	Unblinded bool
	Looks     uint32
	Cuts      uint32
	Single    uint32
}

func (s Seen) before(t int64) Known {
	var last Moment
	for _, m := range s.Moments {
		if m.Time <= t {
			last = m
		}
	}
	return Known{
		Enrolled: s.Enrolled != 0 && s.Enrolled <= t, Unblinded: s.Unblinded != 0 && s.Unblinded <= t,
		Looks: last.Looks, Cuts: last.Cuts, Single: last.Single,
	}
}

// Status of a line of a comparison.
type Status uint8

// The statuses.
const (
	AsRegistered Status = iota + 1
	Changed
	Missing
	Added     // reported, and not registered in the version compared with
	Withdrawn // registered once, taken back by an amendment in force by then
)

func (s Status) String() string {
	switch s {
	case AsRegistered:
		return "reported as registered"
	case Changed:
		return "changed"
	case Missing:
		return "missing"
	case Added:
		return "added"
	case Withdrawn:
		return "withdrawn by amendment"
	default:
		return "unknown status"
	}
}

// whole is the field of a change by which an outcome comes or goes.
const whole = "outcome"

// Change is one difference of an outcome, in words to be read side by side.
type Change struct {
	_      struct{} `cbor:",toarray"`
	Field  string   // "level", "name", "time point"; "outcome" for one added or taken back whole
	Before string
	After  string
}

// Revision is a change by a registered version, and what had been seen by then.
type Revision struct {
	_       struct{} `cbor:",toarray"`
	Version trial.Version
	Time    int64
	Changes []Change
	Known   Known
}

// Line is one outcome, registered or reported or both.
type Line struct {
	_         struct{} `cbor:",toarray"`
	Status    Status
	ID        string // as registered; empty for one never registered
	Level     trial.Level
	Name      string
	Timepoint string
	Place     uint32 // in the reported list, from 1; 0: not reported
	N         uint32 // participants analysed
	Changes   []Change
	// Since is the version that first registered what is reported where that is
	// not in the version compared with; 0: none did, the change is silent.
	Since   trial.Version
	History []Revision
}

// Comparison is the whole of it: lines of the registered outcomes in their
// order, then of those added in the order of the report, then of those taken back.
type Comparison struct {
	_       struct{}      `cbor:",toarray"`
	Version trial.Version // compared with: in force before data were known by arm
	Blind   bool          // the trial has not been unblinded
	Lines   []Line
}

// Counts tells how many lines have each status.
func (c *Comparison) Counts() (n map[Status]int) {
	n = map[Status]int{}
	for _, l := range c.Lines {
		n[l.Status]++
	}
	return n
}

// Deviation says in words what is wrong with a line; empty where nothing is.
func (l *Line) Deviation() string {
	switch l.Status {
	case Missing:
		return l.ID + " missing"
	case Added:
		return l.label() + " added " + l.how()
	case Changed:
		var words strings.Builder
		words.WriteString(l.label() + " changed " + l.how() + ":")
		for i, c := range l.Changes {
			if i > 0 {
				words.WriteString(",")
			}
			words.WriteString(" " + c.Field)
		}
		return words.String()
	case Withdrawn:
		return l.takenBack()
	default:
		return ""
	}
}

// takenBack is a deviation once somebody is enrolled for the outcome.
func (l *Line) takenBack() string {
	if l.Level != trial.Primary && l.Level != trial.Secondary {
		return ""
	}
	for _, r := range l.History {
		for _, c := range r.Changes {
			if c.Field == whole && c.After == "" && r.Known.Enrolled {
				return fmt.Sprintf("%s (%v) withdrawn by version %v, after the first enrolment", l.ID, l.Level, r.Version)
			}
		}
	}
	return ""
}

func (l *Line) label() string {
	if l.ID != "" {
		return l.ID
	}
	return fmt.Sprintf("reported outcome %d", l.Place)
}

func (l *Line) how() string {
	if l.Since == 0 {
		return "silently"
	}
	return fmt.Sprintf("by version %v", l.Since)
}
