package trial

import "slices"

// Role is what an actor may be. A role is granted by the authority responsible
// for it, never by its holder. The numbers are part of the wire format.
type Role uint8

// The roles of the directory.
const (
	Sponsor Role = iota + 1
	Site
	Investigator
	Ethics
	DSMB
	Regulator
	Depot
	Pharmacist
	Custodian
	Batcher
	Witness
	Processor
	Node
)

var roles = [...]string{
	Sponsor: "sponsor", Site: "site", Investigator: "investigator", Ethics: "ethics", DSMB: "dsmb",
	Regulator: "regulator", Depot: "depot", Pharmacist: "pharmacist", Custodian: "custodian",
	Batcher: "batcher", Witness: "witness", Processor: "processor", Node: "node",
}

func (r Role) String() string {
	if r == 0 || int(r) >= len(roles) {
		return "unknown role"
	}
	return roles[r]
}

// ParseRole finds a role by its word.
func ParseRole(s string) (Role, bool) {
	for r, w := range roles {
		if w != "" && w == s {
			return Role(r), true
		}
	}
	return 0, false
}

// Actor is a party that may sign, as the directory knows it.
type Actor struct {
	_       struct{} `cbor:",toarray"`
	ID      ActorID
	Role    Role
	Name    string
	Country string  // ISO 3166-1 alpha-2
	Site    SiteID  // of an investigator or pharmacist; zero otherwise
	Expires int64   // milliseconds since 1970 UTC; 0: does not
	Revoked int64   // milliseconds since 1970 UTC; 0: not
	Granted ActorID // who granted the role; zero of an authority of the genesis
}

// Serving reports whether the actor may sign at the given time.
func (a Actor) Serving(now int64) bool {
	return a.Role != 0 && (a.Revoked == 0 || now < a.Revoked) && (a.Expires == 0 || now < a.Expires)
}

// Task is a duty on a site's delegation log (ICH E6(R3) 2.3).
type Task uint8

// The tasks that rules ask for. Numbers are part of the wire format.
const (
	// Enrolling: check identity, enrol, attest screening, randomise.
	Enrolling Task = iota + 1
	// Recording: enter visits and doses.
	Recording
	// Countersigning: be the second person where a rule asks for two.
	Countersigning
)

// Delegation is one person's line on a site's delegation log.
type Delegation struct {
	_      struct{} `cbor:",toarray"`
	Person ActorID
	Tasks  []Task // ascending
	From   Day
	Until  Day // the last day; 0: open
	Ended  int64
}

// Covers reports whether the delegation held for the task at a time.
func (d Delegation) Covers(t Task, now int64) bool {
	day := DayOf(now)
	if d.Ended != 0 && now >= d.Ended || day < d.From || d.Until != 0 && day > d.Until {
		return false
	}
	return slices.Contains(d.Tasks, t)
}

// Context is where, when and by whom a transaction is made. The contract has
// checked every signature in it.
type Context struct {
	Ledger    [32]byte
	Trial     ID
	Genesis   int64  // ledger's first moment, milliseconds since 1970 UTC
	Epoch     uint32 // seconds in an epoch
	Now       int64  // block time, milliseconds since 1970 UTC
	Height    uint64
	Unique    [16]byte // the transaction's idempotency key
	Signer    Actor
	Cosigners []Actor
}

// EpochAt numbers the epoch of a time; epochs are counted from genesis.
func (c Context) EpochAt(ms int64) uint64 {
	if ms < c.Genesis {
		return 0
	}
	return uint64(ms-c.Genesis) / (uint64(c.Epoch) * 1000)
}

// EpochEnd is the first millisecond after an epoch.
func (c Context) EpochEnd(epoch uint64) int64 {
	return c.Genesis + int64(epoch+1)*int64(c.Epoch)*1000
}

// Cosigned finds a cosigner for which ok holds.
func (c Context) Cosigned(ok func(Actor) bool) bool {
	return slices.ContainsFunc(c.Cosigners, ok)
}
