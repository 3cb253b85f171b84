package reconsent

import (
	"fmt"

	"github.com/trialith/trialith/trial"
)

// Word is the verdict on whether everyone consented to a version (C9).
type Word uint8

// The words. Fault cannot happen: it would be a fault of the ledger.
const (
	Proven Word = iota + 1
	Attested
	NotDue
	Incomplete
	Fault
)

func (w Word) String() string {
	switch w {
	case Proven:
		return "PROVEN"
	case Attested:
		return "ATTESTED"
	case NotDue:
		return "NOT DUE"
	case Incomplete:
		return "INCOMPLETE"
	case Fault:
		return "FAULT"
	default:
		return "unknown verdict"
	}
}

// Verdict is counted from the counters, never claimed.
type Verdict struct {
	Word Word
	// K of ATTESTED and NOT DUE bounds those who stayed without consent; M of
	// INCOMPLETE is how many are missing beyond every word.
	K, M uint64
	// Contradicted is how many words the proofs contradict.
	Contradicted uint64
}

func (v Verdict) String() string {
	switch v.Word {
	case Attested, NotDue:
		return fmt.Sprintf("%s(%d)", v.Word, v.K)
	case Incomplete:
		return fmt.Sprintf("%s(%d)", v.Word, v.M)
	default:
		return v.Word.String()
	}
}

// Judge gives the verdict on the sums over all sets of a version. At a data cut
// notDue is the number of staying members whose time has not run out; it is 0
// otherwise.
//
// missing = owed − acts − superseded is exact: one leaf, one account, one
// discharge. Of the missing, those who left by proof with an unused account
// explain themselves; the k that remain must be among those the sites' words
// speak of.
func Judge(c trial.Counters, notDue uint64) Verdict {
	discharged := c.Acts + c.Superseded + c.LeftProved0
	if discharged > c.Owed {
		return Verdict{Word: Fault, K: discharged - c.Owed}
	}
	k := c.Owed - discharged
	v := Verdict{K: k, Contradicted: c.LeftWord0 - min(k, c.LeftWord0)}
	switch {
	case k == 0:
		v.Word = Proven
	case k <= c.LeftWord0:
		v.Word = Attested
	case k <= c.LeftWord0+notDue:
		v.Word = NotDue
	default:
		v.Word, v.M = Incomplete, k-c.LeftWord0
	}
	return v
}
