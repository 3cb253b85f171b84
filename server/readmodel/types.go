package readmodel

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// All times are milliseconds since 1970 UTC; zero says that it has not happened.

// Block is one block of the ledger.
type Block struct {
	Height uint64
	Time   int64
	First  uint64 // place of its first entry in the log
	Count  uint32
}

// Entry is one transaction in the ledger.
type Entry struct {
	Place    uint64 // in the whole log, from 0
	Stream   wire.StreamID
	Sequence uint64 // in its stream, from 0
	Name     string // "directory/3", "trial/57"
	Height   uint64
	Index    uint32 // in its block
	Time     int64
	Hash     wire.TxHash
	Kind     tx.Kind // 0 for a refused one: its body is not kept
	KindName string  // by Config.KindName; empty for a refused one
	Code     engine.Code
	Signer   wire.KeyID // zero for a refused one
}

// Refused reports whether the rules refused the transaction in its block.
func (e Entry) Refused() bool { return e.Code != engine.Accepted }

// Actor is a party that may sign, or might have.
type Actor struct {
	trial.Actor
	Key        wire.KeyID   // the present one
	Public     tx.PublicKey // the present one
	Registered int64        // 0 for an authority of the genesis
	Genesis    bool         // named by the genesis
}

// Delegation is a line of a site's delegation log.
type Delegation struct {
	trial.Delegation
	Site  trial.SiteID
	Name  string // of the person
	Since int64  // when the line was written
}

// Trial is a trial at a glance. Sums are over its events.
type Trial struct {
	ID         trial.ID
	Title      string
	Acronym    string
	Sponsor    string // the primary sponsor, as registered
	SponsorID  trial.ActorID
	Status     string // "registered", "approved", "open"
	Registered int64
	Updated    int64 // time of its latest entry
	Entry      string
	Latest     trial.Version
	Sites      uint64 // where a version is open
	Enrolled   uint64
	Active     uint64
	Randomised uint64 // by proof
	Deviations uint64 // randomised with a recorded deviation
	Visits     uint64
	Doses      uint64
	Attests    uint64
	Entries    uint64 // visits, doses and attestations
	Left       uint64 // all who left
	Withdrawn  uint64 // of those, by proof or by word; a replaced leaf is none of them
	Ended      uint64 // of those, at the end of participation
	Replaced   uint64
	Acts       uint64 // accepted acts on consent accounts
	Refused    uint64 // transactions of its stream that the rules refused
}

// Version is one consent version of a trial. Protocol and Changes are filled by
// Model.Version, not in lists.
type Version struct {
	Trial       trial.ID
	Version     trial.Version
	Registered  int64
	Effective   trial.Day
	Reason      string
	FormSet     trial.Digest
	Impact      trial.Impact
	Counters    trial.Counters // the sum over the sets
	OpenedSites uint64
	FirstOpened int64
	LastDue     int64 // the latest deadline of its openings
	Entry       string
	Protocol    *trial.Protocol
	Changes     []trial.Change // against the version before
}

// Decision is ethics' decision on a form of a version.
type Decision struct {
	Version  trial.Version
	Form     string
	Sites    []trial.SiteID // none: all
	Approved bool
	Reason   string
	Ethics   trial.ActorID
	Name     string // of the committee
	Time     int64
	Entry    string
}

// Opening is a version open at a site.
type Opening struct {
	Site     trial.SiteID
	Version  trial.Version
	Opened   int64
	Deadline int64
	Existing bool // those enrolled there before owe it
	Entry    string
}

// Site is a trial site with what happened there.
type Site struct {
	ID         trial.SiteID
	Name       string
	Country    string
	Openings   []Opening // oldest version first
	Enrolled   uint64
	Active     uint64
	Withdrawn  uint64
	Randomised uint64
	Visits     uint64
	Doses      uint64
}

// Counted is the counters of one set of a version.
type Counted struct {
	Version  trial.Version
	Set      trial.Set
	Counters trial.Counters
}

// Tree names a tree of a trial.
type Tree struct {
	Name   string
	Size   uint64 // places, emptied ones too
	Height uint64 // of the block that changed it last
}

// Leaves are the places of a tree in order, 32 bytes each, zero where emptied.
// The bytes are shared: do not write to them.
type Leaves struct {
	Bytes  []byte
	Height uint64 // the model's when it was read
	Tag    string // changes whenever the bytes do
}

// Member is an enrolled leaf.
type Member struct {
	Leaf     field.Leaf
	Site     trial.SiteID // where it is now
	Version  trial.Version
	Day      trial.Day
	Enrolled int64
	Kiosk    bool
	Active   bool
	Left     int64         // when it left
	By       trial.Leaving // how; 0 while active, or where nothing was left to state
	Replaces field.Leaf    // zero: nobody
	Entry    string
	Owes     []Owing // by version; filled by Model.Member alone
}

// Owing is a leaf's membership in a set of a version.
type Owing struct {
	Version trial.Version
	Set     trial.Set
	Place   uint64        // in the set's tree
	Left    trial.Leaving // 0: has not
	Used    bool          // as shown or said when it left
}

// Account is a consent account, by its latest act. Whose it is nobody knows.
type Account struct {
	Account  field.Account
	Version  trial.Version
	Kind     string // of the latest act: "consent", "options", "withdraw", "superseded"
	Sequence uint32
	First    int64 // time of its first act
	Latest   int64
	Entry    string // of the first act
}

// Randomisation is one participant randomised; nobody's arm is told.
type Randomisation struct {
	Site      trial.SiteID
	Version   trial.Version
	Day       trial.Day
	Account   field.Account // zero for a deviation
	Deviation string        // empty for a proof
	Time      int64
	Entry     string
}

// Visit is an entry under a current consent: a visit, a dose or an attestation.
type Visit struct {
	Kind    string // "visit", "dose", "attest"
	Site    trial.SiteID
	Slot    string
	Rep     uint32
	Day     trial.Day
	Account field.Account
	Floor   trial.Version
	Time    int64
	Entry   string
}

// Leaving is what was shown or said of one version when a leaf left.
type Leaving struct {
	Leaf      field.Leaf
	Site      trial.SiteID
	Version   trial.Version
	Set       trial.Set
	By        trial.Leaving
	Used      bool
	First     bool // the leaf was active until then
	Corrected bool // a word said again
	Time      int64
	Entry     string
}

// Point is one day of a chart.
type Point struct {
	Day   trial.Day
	Count uint64 // on that day
}
