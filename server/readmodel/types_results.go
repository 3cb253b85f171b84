package readmodel

import (
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// Report is an adverse event as the ledger knows it: neither who nor what.
type Report struct {
	ID         trial.ReportID
	Site       trial.SiteID
	Clock      trial.Clock
	Received   trial.Day // by the sponsor's side
	Counted    trial.Day // from when it counts
	Serious    bool      // by the latest assessment
	Boundaries []string  // that it counts for, by the latest assessment
	Late       bool      // entered after its clock had run out
	Lowered    bool      // an assessment of it was lowered
	FollowUps  uint32
	Time       int64
	Entry      string
}

// Harm is the sums over a trial's reports.
type Harm struct {
	Reports uint64
	Serious uint64
	Late    uint64
	Lowered uint64
	Queries uint64 // a clock runs, and the latest assessment says not serious
	Days    uint64 // person-days, by each site's latest cut-off
	Until   trial.Day
}

// Look is a look of the monitoring board.
type Look struct {
	Number   uint32
	From     trial.Day
	AsOf     trial.Day
	Time     int64
	Board    trial.Commitment // zero: no boundary by arm was registered
	Days     uint64           // person-days of all arms together
	Counts   []trial.Count    // of all arms together
	Opened   int64            // 0: what it says of the arms is sealed, or it says nothing
	Arms     []trial.ArmCount // none until it is opened
	Entry    string
	OpenedIn string // entry; empty until it is opened
}

// Sealed reports whether the look holds something of the arms that is not public.
func (l *Look) Sealed() bool { return l.Board != (trial.Commitment{}) && l.Opened == 0 }

// Flag is a boundary crossed, and since when the board could know.
type Flag struct {
	trial.Flag
	Raised int64
	Entry  string // that made it public
}

// BoardDecision is a decision of the monitoring board.
type BoardDecision struct {
	Look     uint32
	Boundary string
	Decision trial.BoardDecision
	Reason   string
	Time     int64
	Entry    string
}

// Dataset is a dataset as committed up to a cut. No row is in the model.
type Dataset struct {
	Name      string
	Cut       trial.Day
	Commits   uint32 // how often it was committed at this cut; the last counts
	Root      trial.Digest
	Rows      uint64
	Subjects  uint64
	Columns   []string
	Committed int64
	Locked    int64 // 0: not
	Entry     string
}

// Unblinding is the release of the allocation list, or of one participant's arm.
type Unblinding struct {
	Whole bool
	Site  trial.SiteID // of one participant
	Cause uint8        // of one participant: 1 emergency, 2 suspected reaction
	Open  []string     // of the whole trial: datasets not locked by then
	Time  int64
	Entry string
}

// Phase is a completed phase.
type Phase struct {
	Phase string
	Day   trial.Day
	Time  int64
	Entry string
}

// Plan is a locked analysis plan.
type Plan struct {
	Document trial.Digest
	Time     int64
	Entry    string
}

// Cut is a data cut with what the gate found at its moment.
type Cut struct {
	Number uint32
	AsOf   trial.Day
	Time   int64
	Checks []trial.Check
	Entry  string
}

// Stage is a results package that the sponsor named, and what became of it.
type Stage struct {
	Number       uint32
	Package      trial.CID
	Manifest     trial.Digest
	Outcomes     []outcome.Reported
	Cut          uint32
	Supersedes   uint32
	Comparison   outcome.Comparison // as of its release, else as of its staging
	Time         int64
	Entry        string
	Held         []Holding // the latest answer of each custodian, oldest first
	Pins         []Pin
	Release      *Release    // nil: not released
	SupersededBy uint32      // 0: none
	Correction   *Correction // of the earlier one, with its reason; nil: it corrects none
	Retraction   *Correction // nil: not retracted
}

// Holding is a custodian's latest answer about a package.
type Holding struct {
	Custodian trial.ActorID
	Name      string
	Holds     bool
	Refusal   string
	Time      int64
	Entry     string
}

// Release is what a package was released with, for good.
type Release struct {
	By         trial.ActorID
	Label      string
	Exceptions []string
	Checks     []trial.Check
	Time       int64
	Entry      string
}

// Pin is a receipt: a node of the registry keeps the bytes.
type Pin struct {
	By    trial.ActorID
	Node  string
	Until trial.Day // 0: open
	Time  int64
	Entry string
}

// Correction is why results were replaced or retracted.
type Correction struct {
	Reason string
	Time   int64
	Entry  string
}
