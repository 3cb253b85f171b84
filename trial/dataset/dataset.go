// Package dataset holds the rules about a trial's data: what is committed and
// locked up to which cut, and when arms became known.
//
// The ledger never carries a row. A commitment is the root of a salted Merkle
// tree over the rows (package rows): one row can be opened and proven alone.
// Locking before unblinding is a condition of the label, never a veto: the
// rules record the order of things, and the gate judges it.
package dataset

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// State is what the rules of data read and write: the trial's stream, and
// questions that other rooms answer.
type State interface {
	state.Store
	// TrialSponsor is who registered the trial.
	TrialSponsor() (trial.ActorID, bool)
	// OnBoard reports whether an actor is a member of the trial's monitoring board.
	OnBoard(trial.ActorID) bool
	// Delegated reports whether a site had delegated a task to a person at a time.
	Delegated(trial.SiteID, trial.ActorID, trial.Task, int64) bool
}

// Record is a dataset as committed up to a cut.
type Record struct {
	_         struct{} `cbor:",toarray"`
	Name      string
	Cut       trial.Day
	Sequence  uint32 // 1 for the first commitment at this cut; each later one supersedes
	Root      trial.Digest
	Rows      uint64
	Subjects  uint64
	Columns   []string
	File      trial.Commitment
	Committed int64 // block time, milliseconds since 1970 UTC
	Locked    int64 // 0: not locked
}

// standing is what the rules keep of a name.
type standing struct {
	_      struct{}  `cbor:",toarray"`
	Latest trial.Day // the latest cut committed
	Locked trial.Day // the latest cut locked, where Fixed
	Fixed  bool
}

// unblinding is what the rules keep of who may know arms.
type unblinding struct {
	_           struct{} `cbor:",toarray"`
	Allocation  trial.Commitment
	Time        int64   // 0: the study is blinded
	Locks       []fixed // what was locked at that moment
	Emergencies uint64
}

// fixed says up to which cut a dataset is locked.
type fixed struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Cut  trial.Day
}

var (
	firstKey      = []byte("dataset/first")
	unblindingKey = []byte("dataset/unblinding")
	recordPrefix  = []byte("dataset/record/")
	namePrefix    = []byte("dataset/name/")
)

func nameKey(name string) []byte { return append([]byte("dataset/name/"), name...) }

// recordKey sorts by name, then by cut: a day's sign bit is turned so that days
// before 1970 come first.
func recordKey(name string, cut trial.Day) []byte {
	k := append([]byte("dataset/record/"), name...)
	return binary.BigEndian.AppendUint32(append(k, 0), uint32(cut)^1<<31)
}

func emergencyKey(site trial.SiteID) []byte {
	return append([]byte("dataset/unblinded-one/"), site[:]...)
}

// Datasets lists what is committed, by name and then by cut.
func Datasets(v state.View) []Record {
	var out []Record
	v.Scan(recordPrefix, func(key, _ []byte) bool {
		r, _ := state.Load[Record](v, key)
		out = append(out, r)
		return true
	})
	return out
}

// Get returns a dataset as committed up to a cut.
func Get(v state.View, name string, cut trial.Day) (Record, bool) {
	return state.Load[Record](v, recordKey(name, cut))
}

// Latest returns a dataset as committed up to its latest cut.
func Latest(v state.View, name string) (Record, bool) {
	s, ok := state.Load[standing](v, nameKey(name))
	if !ok {
		return Record{}, false
	}
	return Get(v, name, s.Latest)
}

// Locked returns the latest cut up to which a dataset is locked.
func Locked(v state.View, name string) (trial.Day, bool) {
	s, _ := state.Load[standing](v, nameKey(name))
	return s.Locked, s.Fixed
}

// Names lists the datasets that were ever committed, ascending.
func Names(v state.View) []string {
	var out []string
	v.Scan(namePrefix, func(key, _ []byte) bool {
		out = append(out, string(key[len(namePrefix):]))
		return true
	})
	return out
}

// UnlockedBeforeUnblinding lists the datasets that were not locked up to a cut
// when the study was unblinded, those first committed later among them; while
// the study is blinded, those that are not locked now.
func UnlockedBeforeUnblinding(v state.View, cut trial.Day) []string {
	u, _ := state.Load[unblinding](v, unblindingKey)
	locks := u.Locks
	if u.Time == 0 {
		locks = locked(v)
	}
	var out []string
	for _, name := range Names(v) {
		if !slices.ContainsFunc(locks, func(l fixed) bool { return l.Name == name && l.Cut >= cut }) {
			out = append(out, name)
		}
	}
	return out
}

// locked lists the latest lock of each dataset that has one.
func locked(v state.View) []fixed {
	var out []fixed
	for _, name := range Names(v) {
		if cut, ok := Locked(v, name); ok {
			out = append(out, fixed{Name: name, Cut: cut})
		}
	}
	return out
}

// FirstCommitted is when the first dataset was committed, in milliseconds since
// 1970 UTC.
func FirstCommitted(v state.View) (int64, bool) { return state.Load[int64](v, firstKey) }

// Unblinded is when the allocation list was first released, in milliseconds
// since 1970 UTC.
func Unblinded(v state.View) (int64, bool) {
	u, _ := state.Load[unblinding](v, unblindingKey)
	return u.Time, u.Time != 0
}

// Allocation is the commitment to the released allocation list.
func Allocation(v state.View) (trial.Commitment, bool) {
	u, _ := state.Load[unblinding](v, unblindingKey)
	return u.Allocation, u.Time != 0
}

// Emergencies counts the participants whose arm was opened alone.
func Emergencies(v state.View) uint64 {
	u, _ := state.Load[unblinding](v, unblindingKey)
	return u.Emergencies
}

// EmergenciesAt counts those of one site.
func EmergenciesAt(v state.View, site trial.SiteID) uint64 {
	n, _ := state.Load[uint64](v, emergencyKey(site))
	return n
}

func bySponsor(s State, c trial.Context) error {
	sponsor, ok := s.TrialSponsor()
	if !ok {
		return noTrial()
	}
	if c.Signer.ID != sponsor {
		return trial.Refuse(trial.NotAuthorised, "only the sponsor that registered the trial commits and locks its data")
	}
	return nil
}

func noTrial() error {
	return trial.Refuse(trial.UnknownTrial, "no trial is registered in this stream")
}

// MaxName bounds a dataset's name in bytes.
const MaxName = 32

func checkName(field, name string) error {
	if len(name) == 0 || len(name) > MaxName {
		return trial.Refuse(trial.Malformed, "%s: a name of %d bytes; 1 to %d", field, len(name), MaxName)
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return trial.Refuse(trial.Malformed, "%s: %q; write a to z, 0 to 9, - and _ alone, such as adsl", field, name)
		}
	}
	return nil
}
