package device_test

import (
	"slices"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// joins takes the page's device from its card to the list.
func joins(l *lab) {
	l.Helper()
	call[any](l, "begin", "trialith")
	call[memory](l, "invite", string(l.code))
	call[string](l, "ask")
	var enrol consent.Enrol
	l.check(wire.Unmarshal(l.reads("enrol").Body, &enrol))
	l.must("doctor", contract.ConsentEnrol, l.stream(), enrol)
}

// TestOvertaken: who left since the last epoch's end cannot be told from the
// lists. The ledger then knows no such root, and the act is made again against
// the list of now.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	l := open(t, "server/web/app/device/testdata/course.ts")
	other := l.enrolsAnother(1)
	joins(l)
	l.clock.ms.Add(hour)
	gone, err := other.Withdraw(1)
	l.check(err)
	l.must("node", contract.ConsentAct, l.stream(), gone)
	l.enrolsAnother(1)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	if s := call[synced](l, "sync", false); len(s.Waiting) != 1 || s.Waiting[0].State != "stale" {
		t.Errorf("overtaken: %+v", s)
	}
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, []act.Kind{act.Consent}) {
		t.Errorf("made again: %+v", s)
	}
}

// TestRemoved: the site's word, a wrong one, is replaced by the person's own proof.
func TestRemoved(t *testing.T) {
	t.Parallel()
	l := open(t, "server/web/app/device/testdata/course.ts")
	joins(l)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	call[synced](l, "sync", true)
	var leaf field.Leaf
	l.check(leaf.UnmarshalText([]byte(call[string](l, "leaf"))))
	l.must("doctor", contract.ConsentRemove, l.stream(), consent.Remove{
		Leaf: leaf, Class: trial.ByWord, Statements: []consent.Statement{{Version: 1}}, Reason: trial.Commitment{1},
	}, "nurse")
	if s := call[synced](l, "sync", true).Status; !s.Left || s.Current {
		t.Errorf("removed: %+v", s)
	}
	call[any](l, "leave")
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, []act.Kind{act.Withdraw}) {
		t.Errorf("left: %+v", s)
	}
	if c := l.counters(1); c.LeftProved1 != 1 || c.LeftWord0 != 0 {
		t.Errorf("counters %+v", c)
	}
}
