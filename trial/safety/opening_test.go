package safety_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/safety"
)

func small() safety.Opening {
	return safety.Opening{From: 15_000, AsOf: 15_002, Arms: []safety.ArmOpening{
		{Arm: "drug", Days: []uint32{1, 2, 2}, Events: []safety.ArmChanges{{Boundary: "severe", Changes: []safety.DayChange{{Day: 15_001, Added: 1}}}}},
		{Arm: "placebo", Days: []uint32{0, 1, 300}, Events: []safety.ArmChanges{{Boundary: "severe"}}},
	}}
}

// TestOpeningVector: the bytes of an opening and its commitment stay, and stand
// in docs/wire.md.
func TestOpeningVector(t *testing.T) {
	t.Parallel()
	o := small()
	commitment := o.Commit([32]byte{7}).String()
	page, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{hex.EncodeToString(wire.Marshal(&o)), commitment} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/wire.md lacks %s", want)
		}
	}
}

// TestEvaluateGoesOn: two looks find what one look over all their days finds,
// each day counted once.
func TestEvaluateGoesOn(t *testing.T) {
	t.Parallel()
	b := trial.Boundary{
		ID: "severe", Scope: trial.ByArm, Unit: trial.Expected, RateEvents: 1, RateDays: 100, MinEvents: 1, UntilMicro: 4_000_000,
		AlphaMicro: 50_000, Table: []uint64{14_546, 4_560_918}, AnswerDays: 14,
	}
	whole := small()
	whole.Arms[0].Events[0].Changes = append(whole.Arms[0].Events[0].Changes, safety.DayChange{Day: 15_002, Added: 2, Lowered: 1})
	one, found, err := safety.Evaluate(1, &whole, nil, []trial.Boundary{b})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Arm != "drug" || found[0].Crossed != 15_002 || found[0].Events != 3 || found[0].Days != 5 {
		t.Errorf("%+v", found)
	}
	if c := one[0].Counts[0]; c.Events != 2 || c.Highest != 3 || one[0].Days != 5 || one[1].Days != 301 {
		t.Errorf("%+v", one)
	}
	first, second := whole, whole
	first.AsOf, second.From = 15_001, 15_002
	first.Arms, second.Arms = nil, nil
	for _, a := range whole.Arms {
		x, y := a, a
		x.Days, y.Days = a.Days[:2], a.Days[2:]
		x.Events, y.Events = split(a.Events[0])
		first.Arms, second.Arms = append(first.Arms, x), append(second.Arms, y)
	}
	before, none, err := safety.Evaluate(1, &first, nil, []trial.Boundary{b})
	if err != nil || len(none) != 0 {
		t.Fatalf("%+v %v", none, err)
	}
	after, again, err := safety.Evaluate(2, &second, before, []trial.Boundary{b})
	if err != nil || len(again) != 1 || again[0].Look != 2 || again[0].Days != 5 {
		t.Fatalf("%+v %v", again, err)
	}
	if string(wire.Marshal(after)) != string(wire.Marshal(one)) {
		t.Errorf("%+v, at once %+v", after, one)
	}
	if _, _, err := safety.Evaluate(1, &whole, nil, nil); err == nil {
		t.Error("a boundary that is not registered was evaluated")
	}
}

func split(c safety.ArmChanges) (early, late []safety.ArmChanges) {
	early, late = []safety.ArmChanges{{Boundary: c.Boundary}}, []safety.ArmChanges{{Boundary: c.Boundary}}
	for _, x := range c.Changes {
		if x.Day <= 15_001 {
			early[0].Changes = append(early[0].Changes, x)
		} else {
			late[0].Changes = append(late[0].Changes, x)
		}
	}
	return early, late
}
