package contract_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// device stands for the prover and the verifying key: a proof holds for the
// very statement that the device made it for, and for no other. What a device
// states it builds itself; it knows nothing of the contract.
type device struct {
	made map[verifier.Proof]verifier.Statement
}

func (d *device) Verify(p verifier.Proof, s verifier.Statement) error {
	if was, ok := d.made[p]; !ok || was != s {
		return errors.New("does not prove the statement")
	}
	return nil
}

func (d *device) VerifyBatch(items []verifier.Item) (bad []int) {
	for i, item := range items {
		if d.Verify(item.Proof, item.Statement) != nil {
			bad = append(bad, i)
		}
	}
	return bad
}

// prove makes a proof of an act against a root, with an account.
func (d *device) prove(a *act.Act, root field.Root, account field.Account, lo, hi field.Attributes) (p verifier.Proof) {
	binary.BigEndian.PutUint64(p[:], uint64(len(d.made)+1))
	d.made[p] = verifier.Statement{Root: root, Context: a.Context(), Account: account, Message: a.Message(), Min: lo, Max: hi}
	return p
}

// own is the root of the tree that holds one leaf alone.
func own(leaf field.Leaf) field.Root {
	e, err := leaf.Element()
	if err != nil {
		panic(err)
	}
	return field.RootOf(tree.OwnLeafRoot(tree.Depth, e))
}

// clinic is a started trial whose P is enrolled, has consented, is screened,
// with proofs that bind.
type clinic struct {
	*bench
	d *device
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	b := started(t)
	c := &clinic{bench: b, d: &device{made: map[verifier.Proof]verifier.Statement{}}}
	b.machine = newMachine(t, c.d)
	b.must(b.send(contract.ConsentEnrol, c.enrolled("P", "A", 1), "A1"))
	b.must(b.perform(c.consented("P", 1)))
	b.must(b.send(contract.ConsentScreen, c.screened("P", "A"), "A1"))
	return c
}

func (c *clinic) vacuous(p *consent.Proven, root field.Root) {
	lo, hi := verifier.Vacuous()
	p.Proof = c.d.prove(&p.Act, root, p.Account, lo, hi)
}

func (c *clinic) enrolled(person, at string, v trial.Version) consent.Enrol {
	t := c.enrolment(person, at, v)
	c.vacuous(&t.Proven, own(t.Leaf))
	return t
}

func (c *clinic) consented(person string, v trial.Version) consent.Act {
	t := c.consent(person, v)
	c.vacuous(&t.Proven, t.Proven.Root)
	return t
}

func (c *clinic) optioned(person string, v trial.Version, sequence uint32) consent.Act {
	t := c.options(person, v, sequence)
	c.vacuous(&t.Proven, t.Proven.Root)
	return t
}

func (c *clinic) withdrawn(person string, v trial.Version, sequence uint32) consent.Act {
	t := c.withdrawal(person, v, sequence)
	c.vacuous(&t.Proven, own(t.Leaf))
	return t
}

func (c *clinic) gaveUp(person string, v, w trial.Version) consent.Act {
	t := c.superseded(person, v, w)
	c.vacuous(&t.Proven, t.Proven.Root)
	return t
}

func (c *clinic) screened(person, at string) consent.Screen {
	a := c.act(act.Screen, 0)
	a.Site, a.Person, a.Day = site(at), actor(at+"1"), trial.DayOf(c.now)
	t := consent.Screen{Leaf: screenedOf(person), Proven: consent.Proven{Act: a, Account: accountOf(screenedOf(person), &a)}}
	c.vacuous(&t.Proven, own(t.Leaf))
	return t
}

func (c *clinic) eligible(person, at string, v trial.Version) consent.Randomise {
	a := c.act(act.Eligible, v)
	a.Site, a.Person, a.Day = site(at), actor(at+"1"), trial.DayOf(c.now)
	t := consent.Randomise{Proven: consent.Proven{Act: a, Account: accountOf(screenedOf(person), &a), Root: c.root("eligible")}}
	t.Proven.Proof = c.d.prove(&a, t.Proven.Root, t.Proven.Account, field.Attributes{18}, criteria())
	return t
}

// criteria are the registered upper bounds.
func criteria() field.Attributes {
	_, hi := verifier.Vacuous()
	hi[0] = 80
	return hi
}

func (c *clinic) visited(person string, v trial.Version, slot string, rep uint32, tree string) consent.Entry {
	t := c.entry(person, v, act.Visit, "A", slot, rep, tree)
	t.Proven.Act.Pay, t.Proven.Act.Kit = element("pay %s", person), trial.Commitment{9}
	c.vacuous(&t.Proven, t.Proven.Root)
	return t
}

func want(t *testing.T, o outcome, code trial.Code) {
	t.Helper()
	if o.Code != code {
		t.Errorf("code %d (%s), want %d", o.Code, o.Text, code)
	}
}
