package prover

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// Witness is what a proof is made of: a person's secrets, the way to their leaf
// and the statement. Everything but the statement stays on the device.
type Witness struct {
	Secret, Trapdoor field.Element
	Attributes       field.Attributes
	Path             tree.Path
	Statement        verifier.Statement
}

// Leaf returns the leaf that the secrets and attributes make.
func (w *Witness) Leaf() field.Element {
	return field.NewLeaf(field.Identity(w.Secret, w.Trapdoor), w.Attributes)
}

// Sign fills the statement for a context and a message with vacuous bounds: the
// root that the path leads to, and the leaf's account for the context.
func (w *Witness) Sign(context, message field.Element) {
	low, high := verifier.Vacuous()
	w.Statement = verifier.Statement{
		Root:    field.RootOf(w.Path.Root()),
		Context: context,
		Account: field.AccountOf(field.NewAccount(w.Secret, w.Leaf(), context)),
		Message: message,
		Min:     low,
		Max:     high,
	}
}

// OwnLeaf returns the witness against the tree of the default depth that holds
// one's own leaf alone, at its first place.
func OwnLeaf(secret, trapdoor field.Element, a field.Attributes, context, message field.Element) Witness {
	w := Witness{Secret: secret, Trapdoor: trapdoor, Attributes: a}
	w.Path = tree.OwnLeaf(tree.Depth, w.Leaf())
	w.Sign(context, message)
	return w
}

// Check refuses, before any proof, a witness that cannot be proven at the given
// depth, and says what is wrong with it.
func (w *Witness) Check(depth int) error {
	_, err := w.check(depth)
	return err
}

// check asks natively what the circuit will ask, so that an error names the
// thing that is wrong instead of a constraint. It returns the public inputs.
func (w *Witness) check(depth int) (in [verifier.Inputs]field.Element, err error) {
	if in, err = w.Statement.PublicInputs(); err != nil {
		return in, err
	}
	if len(w.Path) != depth {
		return in, fmt.Errorf("witness: the path has %d levels and the key's tree %d", len(w.Path), depth)
	}
	leaf := w.Leaf()
	if !w.Path.Holds(leaf) {
		return in, errors.New("witness: the path does not lead up from the leaf of these secrets and attributes")
	}
	if field.RootOf(w.Path.Root()) != w.Statement.Root {
		return in, errors.New("witness: the path leads to another root than the statement's; fetch the leaves again")
	}
	if field.AccountOf(field.NewAccount(w.Secret, leaf, w.Statement.Context)) != w.Statement.Account {
		return in, errors.New("witness: the statement's account is not the leaf's for this context")
	}
	for i, v := range w.Attributes {
		if low, high := w.Statement.Min[i], w.Statement.Max[i]; v < low || v > high {
			return in, fmt.Errorf("witness: attribute %d lies outside the bounds %d to %d", i, low, high)
		}
	}
	return in, nil
}

// assignment fills the circuit with the witness.
func (w *Witness) assignment(in *[verifier.Inputs]field.Element) *membership.Circuit {
	c := membership.New(len(w.Path))
	c.Secret, c.Trapdoor = w.Secret, w.Trapdoor
	c.Root, c.Context, c.Account, c.Message = in[0], in[1], in[2], in[3]
	for i, v := range w.Attributes {
		c.Attributes[i] = v
		c.Min[i], c.Max[i] = in[4+i], in[12+i]
	}
	for i := range w.Path {
		for j := range w.Path[i] {
			c.Path[i][j] = w.Path[i][j]
		}
	}
	return c
}
