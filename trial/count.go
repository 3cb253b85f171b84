package trial

// Set says by which rule a leaf owes a version.
type Set uint8

// The sets of a version (PROTOCOL.md section 3). Counters of acts proven
// against X(v, w) cannot tell which of v's sets the leaf is in; they are
// counted in a set of their own, and verdicts are on the sums.
const (
	New       Set = iota + 1 // N(v): enrolled under it
	Existing                 // E(v): in the trial when it opened
	Successor                // X(v, ·): discharged by a later version
)

func (s Set) String() string {
	switch s {
	case New:
		return "N"
	case Existing:
		return "E"
	case Successor:
		return "X"
	default:
		return "unknown set"
	}
}

// Leaving says how a leaf left.
type Leaving uint8

// The ways to leave.
const (
	ByProof Leaving = iota + 1 // withdrew, by own proof
	ByWord                     // withdrew, by the site's word
	Ended                      // end of participation, by the site's word
)

func (l Leaving) String() string {
	switch l {
	case ByProof:
		return "withdrew by proof"
	case ByWord:
		return "withdrew by word"
	case Ended:
		return "ended"
	default:
		return "unknown way of leaving"
	}
}

// Counters of one set of one version. All are sums over events; nobody states them.
type Counters struct {
	_           struct{} `cbor:",toarray"`
	Owed        uint64
	Acts        uint64
	Superseded  uint64
	LeftProved0 uint64 // left by proof, account not used
	LeftProved1 uint64 // left by proof, account used
	LeftWord0   uint64 // left by word, said not used (withdrawn or ended)
	LeftWord1   uint64
	Ended       uint64 // of LeftWord0 + LeftWord1, those whose participation ended
}

// Plus adds two sets' counters.
func (c Counters) Plus(d Counters) Counters {
	c.Owed += d.Owed
	c.Acts += d.Acts
	c.Superseded += d.Superseded
	c.LeftProved0 += d.LeftProved0
	c.LeftProved1 += d.LeftProved1
	c.LeftWord0 += d.LeftWord0
	c.LeftWord1 += d.LeftWord1
	c.Ended += d.Ended
	return c
}

// Impact says whom a version affects.
type Impact struct {
	_           struct{} `cbor:",toarray"`
	Substantial bool
	Existing    bool    // those already enrolled must be asked again
	Classes     []Class // what it was derived from, ascending
	Decided     bool    // by ethics, not derived
}

// Opening tells the times of a version at a site.
type Opening struct {
	_         struct{} `cbor:",toarray"`
	Version   Version
	Opened    int64 // block time, milliseconds since 1970 UTC
	Deadline  int64
	Effective Day
	Existing  bool // those already enrolled there owe it
}

// InForce reports whether the version may be enrolled under at a time.
func (o Opening) InForce(now int64) bool { return DayOf(now) >= o.Effective || now > o.Deadline }
