// Package publication holds the rules about a trial's results on their way out:
// the data cut, the package that a sponsor stages, the custodians that hold its
// bytes, and the release.
//
// No check is a veto. Results that every check passes are released at once, by
// the second custodian that holds them; all others on the sponsor's demand, with
// each failing check named beside them for good. Nothing is overwritten: a
// correction and a retraction are links.
package publication

import (
	"encoding/binary"
	"strings"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

// Custodians is how many, of different organisations, must hold the bytes.
const Custodians = 2

// Questions is what the gate and the label ask of a trial's state. It only
// reads, so that pages and the verifier ask the same.
type Questions interface {
	state.View

	// Sponsor is who registered the trial.
	Sponsor() (trial.ActorID, bool)
	// Versions lists the registered versions, ascending.
	Versions() []Version
	// Consents judges each registered version at a time (C9).
	Consents(now int64) []Consent
	// Completed lists the completed phases in their order.
	Completed() []Completed
	// PlanLocked is when an analysis plan was first locked; 0: none is.
	PlanLocked() int64
	// Data tells of the datasets, and of unblinding, seen from a data cut.
	Data(cut trial.Day) Data
	// Safety tells of boundaries, looks, flags and reports at a time.
	Safety(now int64) Safety
}

// State is what the rules of publication read and write: the trial's stream,
// and questions that other rooms answer.
type State interface {
	state.Store
	Questions
	// Delegated reports whether a site had delegated a task to a person then.
	Delegated(trial.SiteID, trial.ActorID, trial.Task, int64) bool
	// Approved reports whether ethics has approved a version for a site by now.
	Approved(trial.Version, trial.SiteID) bool
}

// Version is a registered version of the protocol.
type Version struct {
	Number     trial.Version
	Registered int64 // milliseconds since 1970 UTC
	InForce    int64 // from when somebody could be enrolled under it; 0: never
	Protocol   *trial.Protocol
}

// Consent is how consent to one version stands (C9).
type Consent struct {
	Version trial.Version
	Holds   bool // PROVEN, ATTESTED or, at a cut, NOT DUE
	NotDue  bool
	Overdue uint64 // of those not shown to consent, where NOT DUE, at most so many are overdue
	Verdict string
}

// Completed is a phase whose completion the sponsor has recorded.
type Completed struct {
	Phase string
	Day   trial.Day
}

// Data is what the gate must know of datasets and unblinding.
type Data struct {
	Datasets  int      // that were ever committed
	Unlocked  []string // not locked up to the cut before unblinding (or now, if blinded)
	First     int64    // when the first was committed; 0: none
	Subjects  uint64   // most persons in one dataset up to the cut, as the sponsor states
	Beyond    []string // committed up to a later day than the cut
	Unblinded int64    // 0: the trial is blinded
}

// Safety is what the gate must know of boundaries, looks and reports. Lists
// hold words for people: which look, which flag, which report.
type Safety struct {
	Registered []string // boundaries registered after the first look
	Looks      int
	Unopened   []string // looks not shown to open to their commitment
	Unanswered []string // flags that nobody answered in time
	Reports    int
	Late       []string // reports entered or sent after their time
}

// CutRecord is a data cut as it was made.
type CutRecord struct {
	_      struct{} `cbor:",toarray"`
	AsOf   trial.Day
	Time   int64
	Checks []trial.Check // as they stood at that moment
	// NotDue are the versions to be judged again when results come out.
	NotDue  []trial.Version
	Entered Entered
}

// Entered counts who had entered a trial at a data cut.
type Entered struct {
	_          struct{} `cbor:",toarray"`
	Randomised uint64
	Dosed      uint64 // first doses, by account
	Both       uint64 // the lesser of the two, summed over the sites
}

// StageRecord is a package that the sponsor staged, and what became of it.
type StageRecord struct {
	_            struct{} `cbor:",toarray"`
	Package      trial.CID
	Manifest     trial.Digest
	Outcomes     []outcome.Reported
	Cut          uint32
	Supersedes   uint32 // the released stage that it corrects; 0: none
	Time         int64
	Held         []Holding
	Released     int64 // 0: not
	By           trial.ActorID
	Word         string // of the label, as released
	Exceptions   []string
	Comparison   outcome.Comparison // as released
	SupersededBy uint32             // the released stage that corrects it; 0: none
	Reason       string             // of the correction that it is
	Retracted    int64              // 0: not
	Retraction   string             // why
}

// Holding is a custodian's latest answer about a stage.
type Holding struct {
	_            struct{} `cbor:",toarray"`
	Custodian    trial.ActorID
	Organisation string
	Refusal      string // empty: it holds the bytes
	Time         int64
}

var (
	cutPrefix   = []byte("publication/cut/")
	stagePrefix = []byte("publication/stage/")
	lastKey     = []byte("publication/last")
)

// last numbers what was made.
type last struct {
	_        struct{} `cbor:",toarray"`
	Cut      uint32
	Stage    uint32
	Released []uint32 // stages in the order of their release
}

func cutKey(n uint32) []byte { return binary.BigEndian.AppendUint32(append([]byte{}, cutPrefix...), n) }

func stageKey(n uint32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte{}, stagePrefix...), n)
}

func getLast(v state.View) last {
	l, _ := state.Load[last](v, lastKey)
	return l
}

// LastCut numbers the newest data cut; 0: none.
func LastCut(v state.View) uint32 { return getLast(v).Cut }

// ReleasedStages lists the released stages in the order of their release.
func ReleasedStages(v state.View) []uint32 { return getLast(v).Released }

// GetCut returns a data cut.
func GetCut(v state.View, n uint32) (CutRecord, bool) { return state.Load[CutRecord](v, cutKey(n)) }

// GetStage returns a staged package.
func GetStage(v state.View, n uint32) (StageRecord, bool) {
	return state.Load[StageRecord](v, stageKey(n))
}

// Holders counts the custodians that hold the bytes. Their organisations differ.
func (r *StageRecord) Holders() (n int) {
	for _, h := range r.Held {
		if h.Refusal == "" {
			n++
		}
	}
	return n
}

func bySponsor(s State, c trial.Context) error {
	sponsor, ok := s.Sponsor()
	if !ok {
		return noTrial()
	}
	if c.Signer.ID != sponsor {
		return trial.Refuse(trial.NotAuthorised, "only the sponsor that registered the trial may do this")
	}
	return nil
}

func noTrial() error {
	return trial.Refuse(trial.UnknownTrial, "no trial is registered in this stream")
}

func noStage(n uint32) error {
	return trial.Refuse(trial.NoSuchStage, "stage: no package %d is staged in this trial", n)
}

func checkReason(reason string) error {
	if n := len(reason); n == 0 || n > 4096 {
		return trial.Refuse(trial.Malformed, "reason: %d bytes; 1 to 4096: readers will see why", n)
	}
	return nil
}

// organisation folds the name of an actor, so that one house stands once.
func organisation(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(name)), " ")
}

// tell is a short form of one event.
func tell(e event.Event) []event.Event { return []event.Event{e} }
