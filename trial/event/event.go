// Package event holds what accepted transactions did, as followers and other
// rules are told it. The set is sealed: a new event is added here, with the
// next number.
package event

import (
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/outcome"
)

// Event is one of the types of this package.
//
//sumtype:decl
type Event interface{ number() uint16 }

// The events of the directory.
type (
	// ActorRegistered tells that an actor may sign from now on.
	ActorRegistered struct {
		_     struct{} `cbor:",toarray"`
		Actor trial.Actor
		Key   [32]byte
	}
	// KeyRotated tells that an actor signs with another key from now on.
	KeyRotated struct {
		_     struct{} `cbor:",toarray"`
		Actor trial.ActorID
		Key   [32]byte
	}
	// ActorRevoked tells that an actor may not sign any more.
	ActorRevoked struct {
		_     struct{} `cbor:",toarray"`
		Actor trial.ActorID
		Time  int64
	}
	// Delegated tells that a site wrote a person on its delegation log.
	Delegated struct {
		_          struct{} `cbor:",toarray"`
		Site       trial.SiteID
		Delegation trial.Delegation
	}
	// DelegationEnded tells that a site ended a person's delegation.
	DelegationEnded struct {
		_      struct{} `cbor:",toarray"`
		Site   trial.SiteID
		Person trial.ActorID
		Time   int64
	}
)

// The events of the protocol.
type (
	// Registered tells that a trial exists, with version 1.
	Registered struct {
		_        struct{} `cbor:",toarray"`
		Sponsor  trial.ActorID
		Protocol trial.Protocol
		FormSet  trial.Digest
	}
	// Amended tells that a later version exists. Nothing opened yet.
	Amended struct {
		_        struct{} `cbor:",toarray"`
		Version  trial.Version
		Protocol trial.Protocol
		FormSet  trial.Digest
		Changes  []trial.Change
		Reason   string
		Effect   trial.Day
	}
	// Decided tells that ethics approved or refused a version, for some sites
	// or, where the list is empty, for all.
	Decided struct {
		_        struct{} `cbor:",toarray"`
		Version  trial.Version
		Form     string
		Sites    []trial.SiteID
		Approved bool
		Reason   string
		Ethics   trial.ActorID
	}
	// Classified tells that ethics overrode the derived impact of a version.
	Classified struct {
		_       struct{} `cbor:",toarray"`
		Version trial.Version
		Impact  trial.Impact
		Reason  string
		Ethics  trial.ActorID
	}
	// Appointed tells who the trial's monitoring board is from now on.
	Appointed struct {
		_     struct{} `cbor:",toarray"`
		Board []trial.ActorID
		Time  int64
	}
	// SiteOpened tells that a version is open at a site.
	SiteOpened struct {
		_       struct{} `cbor:",toarray"`
		Version trial.Version
		Site    trial.SiteID
		Time    int64
	}
)

// The events of re-consent.
type (
	// ImpactDerived tells whom a version affects, derived from its diff.
	ImpactDerived struct {
		_       struct{} `cbor:",toarray"`
		Version trial.Version
		Impact  trial.Impact
	}
	// Opened tells the times of a version at a site.
	Opened struct {
		_        struct{} `cbor:",toarray"`
		Version  trial.Version
		Site     trial.SiteID
		Time     int64
		Deadline int64
		Existing bool // those already enrolled there owe it
	}
)

// The events of consent.
type (
	// LeafSet tells that a tree holds a leaf at a place, or none any more (zero).
	LeafSet struct {
		_     struct{} `cbor:",toarray"`
		Tree  string
		Place uint64
		Leaf  field.Leaf
	}
	// Enrolled tells that a site enrolled a leaf: this person may be asked.
	Enrolled struct {
		_       struct{} `cbor:",toarray"`
		Leaf    field.Leaf
		Site    trial.SiteID
		Version trial.Version
		Day     trial.Day
		Kiosk   bool
	}
	// Acted tells that an act on a consent account was accepted.
	Acted struct {
		_         struct{} `cbor:",toarray"`
		Kind      act.Kind
		Version   trial.Version
		Set       trial.Set
		Account   field.Account
		Sequence  uint32
		Successor trial.Version
	}
	// Batched tells that a batcher's acts of an epoch were taken in, each of which
	// is told behind it. Skipped ones had been overtaken, and count nowhere.
	Batched struct {
		_       struct{} `cbor:",toarray"`
		Batcher trial.ActorID
		Epoch   uint64
		Acts    uint32
		Skipped uint32
	}
	// Countersigned tells a site's commitment to its countersign table as of an
	// epoch, and how many entries it has.
	Countersigned struct {
		_     struct{} `cbor:",toarray"`
		Site  trial.SiteID
		Epoch uint64
		Table trial.Commitment
		Total uint32
		Day   trial.Day
		By    trial.ActorID
	}
	// Left tells that a leaf left: by proof or by word, ended or withdrawn.
	Left struct {
		_       struct{} `cbor:",toarray"`
		Leaf    field.Leaf
		Site    trial.SiteID
		Version trial.Version
		Set     trial.Set
		By      trial.Leaving
		Used    bool
		First   bool // nothing was told of its leaving before
	}
	// WordCorrected tells that a statement made at a removal was corrected.
	WordCorrected struct {
		_       struct{} `cbor:",toarray"`
		Leaf    field.Leaf
		Version trial.Version
		Used    bool
	}
	// Replaced tells that one leaf stands for another from now on.
	Replaced struct {
		_    struct{} `cbor:",toarray"`
		Old  field.Leaf
		New  field.Leaf
		Site trial.SiteID
	}
	// Transferred tells that a leaf belongs to another site.
	Transferred struct {
		_    struct{} `cbor:",toarray"`
		Leaf field.Leaf
		From trial.SiteID
		To   trial.SiteID
	}
	// Counted tells the counters of one set of a version after a change.
	Counted struct {
		_        struct{} `cbor:",toarray"`
		Version  trial.Version
		Set      trial.Set
		Counters trial.Counters
	}
	// Screened tells that a site attested a leaf with screening attributes.
	Screened struct {
		_    struct{} `cbor:",toarray"`
		Leaf field.Leaf
		Site trial.SiteID
		Day  trial.Day
	}
	// Randomised tells that somebody proved the registered criteria, or that a
	// site recorded a deviation from them.
	Randomised struct {
		_         struct{} `cbor:",toarray"`
		Site      trial.SiteID
		Version   trial.Version
		Day       trial.Day
		Account   field.Account // zero for a deviation
		Deviation string        // what the deviation is from; empty for a proof
	}
	// Entered tells that a visit, dose or attestation was recorded under a
	// current consent.
	Entered struct {
		_       struct{} `cbor:",toarray"`
		Kind    act.Kind
		Site    trial.SiteID
		Slot    string
		Rep     uint32
		Day     trial.Day
		Account field.Account
		Floor   trial.Version
	}
)

// The events of safety.
type (
	// Reported tells that an adverse event counts from a day on.
	Reported struct {
		_          struct{} `cbor:",toarray"`
		Report     trial.ReportID
		Site       trial.SiteID
		Clock      trial.Clock
		Received   trial.Day
		Counted    trial.Day
		Serious    bool
		Boundaries []string
		Late       bool // entered after its clock had run out
		Details    trial.Commitment
	}
	// FollowedUp tells the latest assessment of a report.
	FollowedUp struct {
		_          struct{} `cbor:",toarray"`
		Report     trial.ReportID
		Site       trial.SiteID
		Counted    trial.Day
		Serious    bool
		Boundaries []string
		Lowered    bool
		Details    trial.Commitment
		Reason     trial.Commitment // of a lowered assessment
	}
	// Exposed tells that a site closed its days up to a cut-off.
	Exposed struct {
		_     struct{} `cbor:",toarray"`
		Site  trial.SiteID
		Until trial.Day
		Days  uint64 // person-days since the trial began
	}
	// Looked tells that the board looked, and what it committed to.
	Looked struct {
		_      struct{} `cbor:",toarray"`
		Look   uint32
		From   trial.Day
		AsOf   trial.Day
		Board  trial.Commitment
		Sealed []byte
	}
	// PooledLook tells what stands at a look's cut-off with all arms together,
	// and which pooled boundaries it found crossed.
	PooledLook struct {
		_      struct{} `cbor:",toarray"`
		Look   uint32
		AsOf   trial.Day
		Days   uint64
		Counts []trial.Count
		Flags  []trial.Flag
	}
	// LookOpened tells what stood at a look's cut-off in each arm, and which
	// boundaries by arm it had found crossed.
	LookOpened struct {
		_     struct{} `cbor:",toarray"`
		Look  uint32
		AsOf  trial.Day
		Arms  []trial.ArmCount
		Flags []trial.Flag
	}
	// BoardDecided tells the monitoring board's decision on a boundary at a look.
	BoardDecided struct {
		_        struct{} `cbor:",toarray"`
		Look     uint32
		Boundary string
		Decision trial.BoardDecision
		Reason   string
		Time     int64
	}
)

// The events of data.
type (
	// DatasetCommitted tells that the rows of a dataset are fixed up to a cut. A
	// sequence above 1 supersedes the commitment before it at the same cut.
	DatasetCommitted struct {
		_        struct{} `cbor:",toarray"`
		Name     string
		Cut      trial.Day
		Sequence uint32
		Root     trial.Digest
		Rows     uint64
		Subjects uint64
		Columns  []string
		File     trial.Commitment
		Time     int64
	}
	// DatasetLocked tells that datasets cannot change any more up to a cut.
	DatasetLocked struct {
		_     struct{} `cbor:",toarray"`
		Names []string
		Cut   trial.Day
		Time  int64
	}
	// Unblinded tells that the allocation list was released for the first time,
	// and which datasets were open then.
	Unblinded struct {
		_          struct{} `cbor:",toarray"`
		Allocation trial.Commitment
		Open       []string
		Time       int64
	}
	// UnblindedOne tells that one participant's arm was opened: 1 in an
	// emergency, 2 after a suspected reaction. Number counts them in the trial.
	UnblindedOne struct {
		_      struct{} `cbor:",toarray"`
		Site   trial.SiteID
		Cause  uint8
		Number uint64
		Time   int64
	}
)

// The events of phases and plans.
type (
	// PhaseCompleted tells that a phase of the trial is over.
	PhaseCompleted struct {
		_     struct{} `cbor:",toarray"`
		Phase string
		Day   trial.Day
		Time  int64
	}
	// PlanLocked tells that an analysis plan is fixed.
	PlanLocked struct {
		_        struct{} `cbor:",toarray"`
		Document trial.Digest
		Time     int64
	}
)

// The events of publication.
type (
	// CutMade tells of a data cut, and what the gate found at that moment.
	CutMade struct {
		_      struct{} `cbor:",toarray"`
		Number uint32
		AsOf   trial.Day
		Time   int64
		Checks []trial.Check
	}
	// Staged tells that the sponsor named a results package. It is not out. The
	// comparison is as of now; that of the release counts.
	Staged struct {
		_          struct{} `cbor:",toarray"`
		Number     uint32
		Package    trial.CID
		Manifest   trial.Digest
		Outcomes   []outcome.Reported
		Cut        uint32
		Supersedes uint32
		Comparison outcome.Comparison
		Time       int64
	}
	// PackageHeld tells a custodian's answer: it holds the bytes, or why not.
	PackageHeld struct {
		_         struct{} `cbor:",toarray"`
		Stage     uint32
		Custodian trial.ActorID
		Name      string
		Holds     bool
		Refusal   string
		Holders   uint32 // now
		Time      int64
	}
	// Released tells that a package is the trial's results: the word of its
	// label, every check of the gate, and each exception as check:detail.
	Released struct {
		_          struct{} `cbor:",toarray"`
		Stage      uint32
		Cut        uint32
		Package    trial.CID
		By         trial.ActorID
		Label      string
		Exceptions []string
		Checks     []trial.Check
		Comparison outcome.Comparison
		Time       int64
	}
	// Pinned tells that a node of the registry keeps the bytes.
	Pinned struct {
		_     struct{} `cbor:",toarray"`
		Stage uint32
		By    trial.ActorID
		Node  string
		Until trial.Day
		Time  int64
	}
	// ResultsCorrected tells that one release stands in place of another. The
	// earlier stays, with this link.
	ResultsCorrected struct {
		_        struct{} `cbor:",toarray"`
		Stage    uint32
		Corrects uint32
		Reason   string
		Time     int64
	}
	// ResultsRetracted tells that released results are not to be relied on.
	ResultsRetracted struct {
		_      struct{} `cbor:",toarray"`
		Stage  uint32
		Reason string
		By     trial.ActorID
		Time   int64
	}
)

func (ActorRegistered) number() uint16 { return 1 }
func (KeyRotated) number() uint16      { return 2 }
func (ActorRevoked) number() uint16    { return 3 }
func (Delegated) number() uint16       { return 4 }
func (DelegationEnded) number() uint16 { return 5 }
func (Registered) number() uint16      { return 16 }
func (Amended) number() uint16         { return 17 }
func (Decided) number() uint16         { return 18 }
func (Classified) number() uint16      { return 19 }
func (SiteOpened) number() uint16      { return 20 }
func (ImpactDerived) number() uint16   { return 32 }
func (Opened) number() uint16          { return 33 }
func (LeafSet) number() uint16         { return 48 }
func (Enrolled) number() uint16        { return 49 }
func (Acted) number() uint16           { return 50 }
func (Left) number() uint16            { return 51 }
func (WordCorrected) number() uint16   { return 52 }
func (Replaced) number() uint16        { return 53 }
func (Transferred) number() uint16     { return 54 }
func (Counted) number() uint16         { return 55 }
func (Screened) number() uint16        { return 56 }
func (Randomised) number() uint16      { return 57 }
func (Entered) number() uint16         { return 58 }
func (Batched) number() uint16         { return 59 }
func (Countersigned) number() uint16   { return 60 }

func (Reported) number() uint16         { return 64 }
func (FollowedUp) number() uint16       { return 65 }
func (Exposed) number() uint16          { return 66 }
func (Looked) number() uint16           { return 67 }
func (PooledLook) number() uint16       { return 68 }
func (LookOpened) number() uint16       { return 69 }
func (BoardDecided) number() uint16     { return 70 }
func (DatasetCommitted) number() uint16 { return 80 }
func (DatasetLocked) number() uint16    { return 81 }
func (Unblinded) number() uint16        { return 82 }
func (UnblindedOne) number() uint16     { return 83 }

func (PhaseCompleted) number() uint16   { return 21 }
func (PlanLocked) number() uint16       { return 22 }
func (Appointed) number() uint16        { return 23 }
func (CutMade) number() uint16          { return 96 }
func (Staged) number() uint16           { return 97 }
func (PackageHeld) number() uint16      { return 98 }
func (Released) number() uint16         { return 99 }
func (Pinned) number() uint16           { return 100 }
func (ResultsCorrected) number() uint16 { return 101 }
func (ResultsRetracted) number() uint16 { return 102 }

// Encode gives an event's number and canonical CBOR.
func Encode(e Event) (uint16, []byte) { return e.number(), wire.Marshal(e) }

// Decode is the reverse of Encode.
func Decode(number uint16, body []byte) (Event, error) {
	read, ok := readers[number]
	if !ok {
		return nil, fmt.Errorf("event %d is unknown", number)
	}
	return read(body)
}

var readers = map[uint16]func([]byte) (Event, error){}

func init() {
	add[ActorRegistered]()
	add[KeyRotated]()
	add[ActorRevoked]()
	add[Delegated]()
	add[DelegationEnded]()
	add[Registered]()
	add[Amended]()
	add[Decided]()
	add[Classified]()
	add[SiteOpened]()
	add[ImpactDerived]()
	add[Opened]()
	add[LeafSet]()
	add[Enrolled]()
	add[Acted]()
	add[Left]()
	add[WordCorrected]()
	add[Replaced]()
	add[Transferred]()
	add[Counted]()
	add[Screened]()
	add[Randomised]()
	add[Entered]()
	add[Batched]()
	add[Countersigned]()
	add[Reported]()
	add[FollowedUp]()
	add[Exposed]()
	add[Looked]()
	add[PooledLook]()
	add[LookOpened]()
	add[BoardDecided]()
	add[DatasetCommitted]()
	add[DatasetLocked]()
	add[Unblinded]()
	add[UnblindedOne]()
	add[PhaseCompleted]()
	add[PlanLocked]()
	add[Appointed]()
	add[CutMade]()
	add[Staged]()
	add[PackageHeld]()
	add[Released]()
	add[Pinned]()
	add[ResultsCorrected]()
	add[ResultsRetracted]()
}

func add[E Event]() {
	var zero E
	if _, twice := readers[zero.number()]; twice {
		panic(fmt.Sprintf("event: number %d stands twice", zero.number()))
	}
	readers[zero.number()] = func(b []byte) (Event, error) {
		var e E
		if err := wire.Unmarshal(b, &e); err != nil {
			return nil, fmt.Errorf("event %T: %w", e, err)
		}
		return e, nil
	}
}
