package contract_test

import (
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// r, the order of the field, and r + 1.
var tooLarge = field.Leaf{
	0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d,
	0x28, 0x33, 0xe8, 0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
}

func TestRefuse16LeafZeroOrTooLarge(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	for _, leaf := range []field.Leaf{{}, tooLarge, {0xff}} {
		e := c.enrolled("Q", "A", 1)
		e.Leaf = leaf
		want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.Malformed)
		s := c.screened("Q", "A")
		s.Leaf = leaf
		want(t, c.send(contract.ConsentScreen, s, "A1"), trial.Malformed)
		w := c.withdrawn("P", 1, 1)
		w.Leaf = leaf
		want(t, c.perform(w), trial.Malformed)
	}
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	for _, pass := range []field.Leaf{tooLarge, {0xff}} {
		s := c.consent("Q", 1)
		s.Proven.Act.Pass = pass
		c.vacuous(&s.Proven, s.Proven.Root)
		want(t, c.perform(s), trial.Malformed)
	}
}

// TestRefuse16WrongDepth: an own-leaf proof is one at the full depth, where an
// inner node cannot pass for a leaf.
func TestRefuse16WrongDepth(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	for depth := 1; depth <= tree.DeepDepth; depth++ {
		if depth == tree.Depth {
			continue
		}
		e := c.enrolment("Q", "A", 1)
		l, err := e.Leaf.Element()
		if err != nil {
			t.Fatal(err)
		}
		c.vacuous(&e.Proven, field.RootOf(tree.OwnLeafRoot(depth, l)))
		want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.ProofInvalid)
	}
}

func TestRefuse17LeafUsedBefore(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	want(t, c.send(contract.ConsentEnrol, c.enrolled("P", "B", 1), "B1"), trial.LeafUsed)
	want(t, c.send(contract.ConsentScreen, c.screened("P", "A"), "A1"), trial.LeafUsed)
	crossed := c.screened("Q", "A")
	crossed.Leaf = leafOf("P")
	c.vacuous(&crossed.Proven, own(crossed.Leaf))
	want(t, c.send(contract.ConsentScreen, crossed, "A1"), trial.LeafUsed)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	for name, pass := range map[string]field.Leaf{
		"a pass": passOf("P", 1), "an enrolled leaf": leafOf("P"), "a screened leaf": screenedOf("P"),
	} {
		s := c.consent("Q", 1)
		s.Proven.Act.Pass = pass
		c.vacuous(&s.Proven, s.Proven.Root)
		if o := c.perform(s); o.Code != trial.PassUsed {
			t.Errorf("%s as a pass: %d", name, o.Code)
		}
	}
	// Never the reverse: nobody can keep a leaf from being enrolled.
	s := c.consent("Q", 1)
	s.Proven.Act.Pass = leafOf("R")
	c.vacuous(&s.Proven, s.Proven.Root)
	c.must(c.perform(s))
	want(t, c.send(contract.ConsentEnrol, c.enrolled("R", "A", 1), "A1"), 0)
}

func TestRefuse21Withdrawal(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	// Another leaf's account: the proof is of one's own leaf.
	w := c.withdrawn("P", 1, 1)
	w.Leaf = leafOf("Q")
	want(t, c.perform(w), trial.ProofInvalid)
	// No member, an eligible leaf, a pass: own-leaf proofs that hold, of leaves that owe nothing.
	for _, leaf := range []field.Leaf{leafOf("nobody"), screenedOf("P"), passOf("P", 1), element("pay P")} {
		w := c.withdrawal("P", 1, 0)
		w.Leaf = leaf
		w.Proven.Account = accountOf(leaf, &w.Proven.Act)
		c.vacuous(&w.Proven, own(leaf))
		want(t, c.perform(w), trial.NotEnrolled)
	}
	// A root that the ledger does not compute itself.
	named := c.withdrawn("P", 1, 1)
	named.Proven.Root = c.root("N-1")
	want(t, c.perform(named), trial.Malformed)
	shown := c.optioned("P", 1, 1)
	shown.Leaf = leafOf("P")
	want(t, c.perform(shown), trial.Malformed)
}

func TestRefuse21EnrolmentWithoutItsOwnLeaf(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	e := c.enrolled("Q", "A", 1)
	e.Leaf = leafOf("R") // of which nobody proved possession
	want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.ProofInvalid)
	e = c.enrolment("Q", "A", 1)
	e.Proven.Root = c.root("N-1")
	c.vacuous(&e.Proven, e.Proven.Root)
	want(t, c.send(contract.ConsentEnrol, e, "A1"), trial.Malformed)
}

// TestRefuse22TwoAccounts: whatever a device puts into its act, it has one
// account for a version.
func TestRefuse22TwoAccounts(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.next(2, true, "A")
	first := c.consent("P", 1).Proven
	for name, p := range map[string]consent.Proven{
		"options": c.options("P", 1, 7).Proven, "withdraw": c.withdrawal("P", 1, 9).Proven, "superseded": c.superseded("P", 1, 2).Proven,
	} {
		if p.Account != first.Account {
			t.Errorf("%s: has an account of its own", name)
		}
	}
	s := c.consent("P", 1)
	s.Proven.Account = element("an account of no leaf")
	c.vacuous(&c.bench.withdrawalOf(&s).Proven, s.Proven.Root)
	want(t, c.perform(s), trial.ProofInvalid)
}

// withdrawalOf copies an act with the leaf's own account, which alone can be proven.
func (b *bench) withdrawalOf(s *consent.Act) *consent.Act {
	own := *s
	own.Proven.Account = accountOf(leafOf("P"), &own.Proven.Act)
	return &own
}

// TestRefuse23OwnLeafProofElsewhere: in a set of one member the set's root is
// the own-leaf root, and only the message separates the kinds.
func TestRefuse23OwnLeafProofElsewhere(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	if c.root("N-1") != own(leafOf("P")) {
		t.Fatal("the set is not of one member")
	}
	leave, opt := c.withdrawn("P", 1, 1), c.optioned("P", 1, 1)
	a, b := c.d.made[leave.Proven.Proof], c.d.made[opt.Proven.Proof]
	if a.Root != b.Root || a.Context != b.Context || a.Account != b.Account || a.Message == b.Message {
		t.Fatalf("%+v and %+v differ in more than the message", a, b)
	}
	swapped := leave
	swapped.Proven.Proof = opt.Proven.Proof
	want(t, c.perform(swapped), trial.ProofInvalid)
	swapped = opt
	swapped.Proven.Proof = leave.Proven.Proof
	want(t, c.perform(swapped), trial.ProofInvalid)
	// Enrolment and screening share a word; an enrolment is no screening.
	enrol := c.enrolled("Q", "A", 1)
	screen := c.screened("Q", "A")
	screen.Leaf, screen.Proven.Account, screen.Proven.Proof = enrol.Leaf, enrol.Proven.Account, enrol.Proven.Proof
	want(t, c.send(contract.ConsentScreen, screen, "A1"), trial.ProofInvalid)
}

// TestRefuse23Show: no kind of the ledger accepts the context of a private proof.
func TestRefuse23Show(t *testing.T) {
	t.Parallel()
	for k := act.Enrol; k <= act.Attest; k++ {
		if r, ok := k.Rule(); !ok || r.Word == "show" {
			t.Errorf("%v: %q", k, r.Word)
		}
	}
}

func TestRefuse24SupersededWithoutSuccessor(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	c.must(c.send(contract.ConsentEnrol, c.enrolled("R", "B", 1), "B1"))
	c.next(2, true, "A") // Q owes it, R does not
	// Of the sets that R is a member of, none is one of those who owe version 2.
	p := c.superseded("R", 1, 2)
	p.Proven.Root = c.root("N-1")
	c.vacuous(&p.Proven, p.Proven.Root)
	want(t, c.perform(p), trial.UnknownRoot)
	want(t, c.perform(c.gaveUp("Q", 1, 2)), 0)
}

func TestRefuse25EntryOtherThanProven(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	for _, f := range []string{"pay", "day", "slot", "rep", "kit"} {
		e := c.visited("P", 1, "week-2", 0, "pass-1")
		fieldsOf[f](&e.Proven.Act)
		if o := c.enterEntry(e, "A"); o.Code != trial.ProofInvalid {
			t.Errorf("%s: %d", f, o.Code)
		}
	}
	e := c.visited("P", 1, "week-2", 0, "pass-1")
	e.Proven.Act.Site = site("B")
	want(t, c.enterEntry(e, "B"), trial.ProofInvalid)
}

// TestRefuse09CopiesDoNotEnter: whoever sees a proof can make others for the
// same statement, each in a transaction of its own. None enters the ledger.
func TestRefuse09CopiesDoNotEnter(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.must(c.send(contract.ConsentEnrol, c.enrolled("Q", "A", 1), "A1"))
	say := c.consented("Q", 1)
	c.must(c.perform(say))
	for range 3 {
		c.vacuous(&say.Proven, say.Proven.Root)
		if o := c.perform(say); !o.Door || o.Code != trial.AccountUsed {
			t.Errorf("a copy: code %d, at the door %t", o.Code, o.Door)
		}
	}
	// Nor does a proof that holds, against a tree that somebody made up.
	forged := c.consent("Q", 1)
	forged.Proven.Account = element("account of a stranger")
	forged.Proven.Act.Pass, forged.Proven.Root = element("pass of a stranger"), element("root of a tree of strangers")
	c.vacuous(&forged.Proven, forged.Proven.Root)
	if o := c.perform(forged); !o.Door || o.Code != trial.UnknownRoot {
		t.Errorf("a stranger's tree: code %d, at the door %t", o.Code, o.Door)
	}
}
