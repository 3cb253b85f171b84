package trial

import "slices"

// Check is one named condition of the gate that results pass on their way out:
// what was found, and which role can mend it where it does not hold.
type Check struct {
	_      struct{} `cbor:",toarray"`
	ID     string
	Holds  bool
	Detail string
	Owner  Role
}

// Exception is how a check that does not hold is named beside a label: "check:detail".
func (c Check) Exception() string { return c.ID + ":" + c.Detail }

// Exceptions names every check that does not hold, in the order of the checks.
func Exceptions(checks []Check) (names []string) {
	for _, c := range checks {
		if !c.Holds {
			names = append(names, c.Exception())
		}
	}
	return names
}

// The words of a label: what the contract and the clock say of a trial's
// results.
const (
	Verified                = "VERIFIED"
	PublishedWithExceptions = "PUBLISHED WITH EXCEPTIONS"
	Overdue                 = "OVERDUE"
	Awaited                 = "AWAITED"
)

// The marks that stand beside a label.
const (
	NamedNotHeld = "NAMED, NOT HELD" // no custodian has said that it holds the bytes
	Late         = "LATE"            // released after they fell due
	Corrected    = "CORRECTED"       // stands in place of an earlier release
	Retracted    = "RETRACTED"
)

// Label is the word on a trial's results at a time, and what it rests on.
type Label struct {
	_          struct{} `cbor:",toarray"`
	Word       string
	Marks      []string
	Exceptions []string // check:detail
	Stage      uint32   // its number; 0: nothing is released
	Package    CID      // of the release that stands; zero: none
	Due        int64    // when results are due, milliseconds since 1970 UTC; 0: not known yet
}

// Marked reports whether a mark stands beside the label.
func (l Label) Marked(mark string) bool { return slices.Contains(l.Marks, mark) }
