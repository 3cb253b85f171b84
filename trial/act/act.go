// Package act is what a participant's device proves: the Act, its canonical
// bytes, the context of its account, and the one table that fixes for each kind
// of act which tree, context and bounds it may be proven with.
//
// The device builds every field itself from the page it shows. The proof binds
// all of them, so an act cannot be copied, altered or credited to another.
package act

import (
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Kind of an act. The numbers are part of the wire format.
type Kind uint8

// The kinds.
const (
	// Enrol proves possession of the leaf a site enrols.
	Enrol Kind = iota + 1
	// Screen proves possession of the leaf with the screening attributes.
	Screen
	// Eligible proves the registered criteria, once, for randomisation.
	Eligible
	// Consent is the agreement to a version, options included.
	Consent
	// Options changes the options of a consent given.
	Options
	// Withdraw ends participation, by proof.
	Withdraw
	// Superseded gives up a version for a later one that is owed too.
	Superseded
	// Visit, Dose and Attest are entries that need a current consent.
	Visit
	Dose
	Attest
)

// Tree says which set of leaves a kind is proven against.
type Tree uint8

// The trees of a trial.
const (
	// OwnLeaf is the tree that holds the leaf alone; anybody computes its root.
	OwnLeaf Tree = iota + 1
	// Owing is N(v) or E(v): those who owe consent to v.
	Owing
	// OwingBoth is X(v, w): those of v who also owe w.
	OwingBoth
	// EligibleTree holds the leaves with screening attributes.
	EligibleTree
	// PassTree holds the passes of all versions from a floor on.
	PassTree
)

// Rule fixes what one kind is proven with. Bounds are vacuous but where Criteria is set.
type Rule struct {
	Word     string // the purpose in its context
	Tree     Tree
	Criteria bool
	// Which fields of the act the kind uses; all others are zero.
	Version, FormSet, Sequence, Options, Pass, Successor, Site, Person, Slot, Day bool
}

// rules is the one table (PROTOCOL.md section 1).
var rules = map[Kind]Rule{
	Enrol:      {Word: "enrol", Tree: OwnLeaf, Version: true, Site: true, Person: true, Day: true},
	Screen:     {Word: "enrol", Tree: OwnLeaf, Site: true, Person: true, Day: true},
	Eligible:   {Word: "eligible", Tree: EligibleTree, Criteria: true, Version: true, Site: true, Person: true, Day: true},
	Consent:    {Word: "consent", Tree: Owing, Version: true, FormSet: true, Sequence: true, Options: true, Pass: true},
	Options:    {Word: "consent", Tree: Owing, Version: true, FormSet: true, Sequence: true, Options: true},
	Withdraw:   {Word: "consent", Tree: OwnLeaf, Version: true, Sequence: true},
	Superseded: {Word: "consent", Tree: OwingBoth, Version: true, Successor: true},
	Visit:      {Word: "visit", Tree: PassTree, Site: true, Slot: true, Day: true},
	Dose:       {Word: "dose", Tree: PassTree, Site: true, Slot: true, Day: true},
	Attest:     {Word: "attest", Tree: PassTree, Site: true, Slot: true, Day: true},
}

var names = map[Kind]string{
	Enrol: "enrol", Screen: "screen", Eligible: "eligible", Consent: "consent", Options: "options",
	Withdraw: "withdraw", Superseded: "superseded", Visit: "visit", Dose: "dose", Attest: "attest",
}

func (k Kind) String() string {
	if s, ok := names[k]; ok {
		return s
	}
	return fmt.Sprintf("act kind %d", uint8(k))
}

// Rule returns the kind's row of the table.
func (k Kind) Rule() (Rule, bool) {
	r, ok := rules[k]
	return r, ok
}

// Act is everything that one proof says besides membership. A field that the
// kind does not use is zero.
type Act struct {
	_         struct{} `cbor:",toarray"`
	Ledger    wire.LedgerID
	Trial     trial.ID
	Kind      Kind
	Version   trial.Version
	FormSet   trial.Digest     // all forms of the version; language and form are inside Options
	Sequence  uint32           // 0 for the first act under an account, then last + 1
	Options   trial.Commitment // salted: form, language, each option
	Pass      field.Leaf       // fresh, made by the device
	Successor trial.Version
	Site      trial.SiteID
	Person    trial.ActorID // the investigator who enrols
	Slot      string        // the protocol's visit id
	Rep       uint32        // 0, or the repetition in a repeatable slot
	Day       trial.Day
	Kit       trial.Commitment // of the kit dispensed; zero without supply
	Pay       field.Leaf       // the pay leaf; zero where the protocol pays nothing
}

// Bytes are the canonical bytes of the act.
func (a *Act) Bytes() []byte { return wire.Marshal(a) }

// Message is the public input that binds every field of the act.
func (a *Act) Message() field.Element { return field.Hash("act", a.Bytes()) }

// Context is the public input that the act's account is a function of. It
// holds nothing that could vary for one person.
func (a *Act) Context() field.Element {
	return context(a.Kind, a.Ledger, a.Trial, a.Version, a.Slot, a.Rep)
}

type contextBytes struct {
	_       struct{} `cbor:",toarray"`
	Word    string
	Ledger  wire.LedgerID
	Trial   trial.ID
	Version trial.Version
	Slot    string
	Rep     uint32
}

func context(k Kind, ledger wire.LedgerID, t trial.ID, v trial.Version, slot string, rep uint32) field.Element {
	r := rules[k]
	c := contextBytes{Word: r.Word, Ledger: ledger, Trial: t}
	if r.Word == "consent" {
		c.Version = v
	}
	if r.Slot {
		c.Slot, c.Rep = slot, rep
	}
	return field.Hash("context", wire.Marshal(c))
}

// Decode parses canonical bytes and checks that the kind uses just its fields.
func Decode(b []byte) (*Act, error) {
	a := new(Act)
	if err := wire.Unmarshal(b, a); err != nil {
		return nil, fmt.Errorf("act: %w", err)
	}
	return a, a.Check()
}

// Check refuses an act of an unknown kind, or one that fills a field its kind
// has no use for: such a field could carry what only one person's device knows.
func (a *Act) Check() error {
	r, ok := rules[a.Kind]
	if !ok {
		return fmt.Errorf("act: kind %d is unknown", a.Kind)
	}
	for _, f := range []struct {
		name        string
		used, empty bool
	}{
		{"version", r.Version, a.Version == 0},
		{"form set", r.FormSet, a.FormSet == trial.Digest{}},
		{"options", r.Options, a.Options == trial.Commitment{}},
		{"pass", r.Pass, a.Pass == field.Leaf{}},
		{"successor", r.Successor, a.Successor == 0},
		{"site", r.Site, a.Site == trial.SiteID{}},
		{"person", r.Person, a.Person == trial.ActorID{}},
		{"slot", r.Slot, a.Slot == ""},
		{"day", r.Day, a.Day == 0},
	} {
		if f.used && f.empty {
			return fmt.Errorf("act: %s: empty; a %s names it", f.name, a.Kind)
		}
		if !f.used && !f.empty {
			return fmt.Errorf("act: %s: a %s has no use for it; leave it empty", f.name, a.Kind)
		}
	}
	if !r.Sequence && a.Sequence != 0 {
		return fmt.Errorf("act: sequence: a %s has none; leave it 0", a.Kind)
	}
	if !r.Slot && (a.Rep != 0 || a.Kit != trial.Commitment{} || a.Pay != field.Leaf{}) {
		return fmt.Errorf("act: rep, kit, pay: a %s has no use for them; leave them empty", a.Kind)
	}
	if len(a.Slot) > 128 {
		return fmt.Errorf("act: slot: %d bytes; at most 128", len(a.Slot))
	}
	return nil
}
