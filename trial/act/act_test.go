package act

import (
	"reflect"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

var all = []Kind{Enrol, Screen, Eligible, Consent, Options, Withdraw, Superseded, Visit, Dose, Attest}

// filled is an act of a kind with every field that the kind uses, and no other.
func filled(k Kind) *Act {
	r, _ := k.Rule()
	a := &Act{Ledger: wire.LedgerID{1}, Trial: trial.ID{2}, Kind: k}
	set := func(used bool, f func()) {
		if used {
			f()
		}
	}
	set(r.Version, func() { a.Version = 1 })
	set(r.FormSet, func() { a.FormSet = trial.Digest{3} })
	set(r.Sequence, func() { a.Sequence = 4 })
	set(r.Options, func() { a.Options = trial.Commitment{5} })
	set(r.Pass, func() { a.Pass = field.Leaf{6} })
	set(r.Successor, func() { a.Successor = 7 })
	set(r.Site, func() { a.Site = trial.SiteID{8} })
	set(r.Person, func() { a.Person = trial.ActorID{9} })
	set(r.Slot, func() { a.Slot, a.Rep, a.Kit, a.Pay = "week-2", 10, trial.Commitment{11}, field.Leaf{12} })
	set(r.Day, func() { a.Day = 13 })
	return a
}

// mutations change one field each; each makes the field set where it was zero.
var mutations = map[string]func(*Act){
	"Ledger":    func(a *Act) { a.Ledger[0]++ },
	"Trial":     func(a *Act) { a.Trial[0]++ },
	"Version":   func(a *Act) { a.Version++ },
	"FormSet":   func(a *Act) { a.FormSet[0]++ },
	"Sequence":  func(a *Act) { a.Sequence++ },
	"Options":   func(a *Act) { a.Options[0]++ },
	"Pass":      func(a *Act) { a.Pass[0]++ },
	"Successor": func(a *Act) { a.Successor++ },
	"Site":      func(a *Act) { a.Site[0]++ },
	"Person":    func(a *Act) { a.Person[0]++ },
	"Slot":      func(a *Act) { a.Slot += "x" },
	"Rep":       func(a *Act) { a.Rep++ },
	"Day":       func(a *Act) { a.Day++ },
	"Kit":       func(a *Act) { a.Kit[0]++ },
	"Pay":       func(a *Act) { a.Pay[0]++ },
}

func TestEveryFieldHasAMutation(t *testing.T) {
	t.Parallel()
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Act]()) {
		if _, ok := mutations[f.Name]; !ok && f.Name != "_" && f.Name != "Kind" {
			t.Errorf("%s has none", f.Name)
		}
	}
}

// TestUnusedFieldsAreZero: a field that the kind has no use for could carry
// what only one person's device knows.
func TestUnusedFieldsAreZero(t *testing.T) {
	t.Parallel()
	uses := func(r Rule) map[string]bool {
		return map[string]bool{
			"Ledger": true, "Trial": true, "Version": r.Version, "FormSet": r.FormSet, "Sequence": r.Sequence,
			"Options": r.Options, "Pass": r.Pass, "Successor": r.Successor, "Site": r.Site, "Person": r.Person,
			"Slot": r.Slot, "Rep": r.Slot, "Kit": r.Slot, "Pay": r.Slot, "Day": r.Day,
		}
	}
	for _, k := range all {
		if err := filled(k).Check(); err != nil {
			t.Errorf("%v: %v", k, err)
		}
		r, _ := k.Rule()
		for name, used := range uses(r) {
			a := filled(k)
			mutations[name](a)
			err := a.Check()
			if used && err != nil {
				t.Errorf("%v: %s: %v", k, name, err)
			}
			if !used && (err == nil || !strings.Contains(err.Error(), "leave")) {
				t.Errorf("%v: %s has no use and was taken: %v", k, name, err)
			}
		}
	}
}

func TestUsedFieldsAreNamed(t *testing.T) {
	t.Parallel()
	for _, k := range all {
		r, _ := k.Rule()
		for name, empty := range map[string]struct {
			used bool
			set  func(*Act)
		}{
			"version":   {r.Version, func(a *Act) { a.Version = 0 }},
			"form set":  {r.FormSet, func(a *Act) { a.FormSet = trial.Digest{} }},
			"options":   {r.Options, func(a *Act) { a.Options = trial.Commitment{} }},
			"pass":      {r.Pass, func(a *Act) { a.Pass = field.Leaf{} }},
			"successor": {r.Successor, func(a *Act) { a.Successor = 0 }},
			"site":      {r.Site, func(a *Act) { a.Site = trial.SiteID{} }},
			"person":    {r.Person, func(a *Act) { a.Person = trial.ActorID{} }},
			"slot":      {r.Slot, func(a *Act) { a.Slot = "" }},
			"day":       {r.Day, func(a *Act) { a.Day = 0 }},
		} {
			a := filled(k)
			empty.set(a)
			if err := a.Check(); empty.used && (err == nil || !strings.Contains(err.Error(), name+": empty")) {
				t.Errorf("%v without %s: %v", k, name, err)
			}
		}
	}
}

// TestMessageBindsEveryField: an act altered in any field needs another proof.
func TestMessageBindsEveryField(t *testing.T) {
	t.Parallel()
	for _, k := range all {
		message := filled(k).Message()
		for name, change := range mutations {
			a := filled(k)
			change(a)
			if a.Message() == message {
				t.Errorf("%v: %s is not bound", k, name)
			}
		}
		for _, other := range all {
			a := filled(k)
			a.Kind = other
			if other != k && a.Message() == message {
				t.Errorf("%v passes for %v", k, other)
			}
		}
	}
}

// TestContextHoldsNothingPersonal: an account depends on purpose, ledger and
// trial, for consent on the version, for entries on slot and repetition, and on
// nothing else: else one leaf had several accounts.
func TestContextHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	for _, k := range all {
		r, _ := k.Rule()
		in := map[string]bool{"Ledger": true, "Trial": true, "Version": r.Word == "consent", "Slot": r.Slot, "Rep": r.Slot}
		context := filled(k).Context()
		for name, change := range mutations {
			a := filled(k)
			change(a)
			if changed := a.Context() != context; changed != in[name] {
				t.Errorf("%v: %s changes the context: %t", k, name, changed)
			}
		}
	}
}

// TestContextsDiffer: only kinds on one account share a context.
func TestContextsDiffer(t *testing.T) {
	t.Parallel()
	words := map[string]string{}
	for _, k := range all {
		r, _ := k.Rule()
		a := Act{Kind: k, Version: 1, Slot: "s"}
		e := a.Context()
		if w, ok := words[e.String()]; ok && w != r.Word {
			t.Errorf("%v: shares the context of %s", k, w)
		}
		words[e.String()] = r.Word
	}
	if len(words) != 6 {
		t.Errorf("%d contexts, want enrol, eligible, consent, visit, dose, attest", len(words))
	}
}

// TestTableOfKinds is the table as the consent protocol has it.
func TestTableOfKinds(t *testing.T) {
	t.Parallel()
	for k, want := range map[Kind]struct {
		word     string
		tree     Tree
		criteria bool
	}{
		Enrol: {"enrol", OwnLeaf, false}, Screen: {"enrol", OwnLeaf, false}, Eligible: {"eligible", EligibleTree, true},
		Consent: {"consent", Owing, false}, Options: {"consent", Owing, false}, Withdraw: {"consent", OwnLeaf, false},
		Superseded: {"consent", OwingBoth, false}, Visit: {"visit", PassTree, false}, Dose: {"dose", PassTree, false},
		Attest: {"attest", PassTree, false},
	} {
		r, ok := k.Rule()
		if !ok || r.Word != want.word || r.Tree != want.tree || r.Criteria != want.criteria {
			t.Errorf("%v: %+v", k, r)
		}
		// Only a consent carries a pass, or it would show whose it is.
		if r.Pass != (k == Consent) {
			t.Errorf("%v: pass %t", k, r.Pass)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, k := range all {
		a := filled(k)
		b, err := Decode(a.Bytes())
		if err != nil || *b != *a {
			t.Errorf("%v: %+v, %v", k, b, err)
		}
		if _, err := Decode(append(a.Bytes(), 0)); err == nil {
			t.Errorf("%v: trailing byte accepted", k)
		}
	}
	for name, change := range map[string]func(*Act){
		"kind 0":    func(a *Act) { a.Kind = 0 },
		"kind 11":   func(a *Act) { a.Kind = 11 },
		"long slot": func(a *Act) { a.Slot = strings.Repeat("s", 129) },
	} {
		a := filled(Visit)
		change(a)
		if _, err := Decode(a.Bytes()); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestCommitmentHides(t *testing.T) {
	t.Parallel()
	c := Choice{Form: "main", Language: "en", Taken: []string{"biobank"}}
	if c.Commit([32]byte{1}) == c.Commit([32]byte{2}) {
		t.Error("the salt does not count")
	}
	for _, other := range []Choice{
		{Form: "child", Language: "en", Taken: c.Taken},
		{Form: "main", Language: "de", Taken: c.Taken},
		{Form: "main", Language: "en"},
	} {
		if other.Commit([32]byte{1}) == c.Commit([32]byte{1}) {
			t.Errorf("%+v opens the commitment to %+v", other, c)
		}
	}
	if Commit("options", [32]byte{}, nil) == Commit("reason", [32]byte{}, nil) {
		t.Error("the kind does not count")
	}
}

func TestNamesOfActors(t *testing.T) {
	t.Parallel()
	var l wire.LedgerID
	if ActorID(l, trial.Site, [32]byte{1}) == ActorID(l, trial.Sponsor, [32]byte{1}) {
		t.Error("a site and an actor of one key share a name")
	}
	if TrialID(l, trial.ActorID{}, [16]byte{1}) == TrialID(l, trial.ActorID{}, [16]byte{2}) {
		t.Error("two registrations of a sponsor share a name")
	}
}
