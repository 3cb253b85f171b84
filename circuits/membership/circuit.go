// Package membership is the one circuit of the consent proof: somebody holds the
// secret of a leaf in a tree, the leaf's attributes lie inside bounds, this is
// the leaf's account for a context, and a message is signed.
//
// Every act of a participant uses it; they differ in tree, context, bounds and
// message only. The bounds must be 32 bits wide and ordered, which the verifier
// checks (package verifier); the circuit alone does not.
package membership

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/std/math/bits"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
)

// Circuit is the statement over a tree of len(Path) levels. The order of the
// public fields is that of verifier.Statement.PublicInputs.
type Circuit struct {
	Secret     frontend.Variable
	Trapdoor   frontend.Variable
	Attributes [8]frontend.Variable
	Path       [][tree.Arity]frontend.Variable // from the leaves up, all children of each node

	Root    frontend.Variable    `gnark:",public"`
	Context frontend.Variable    `gnark:",public"`
	Account frontend.Variable    `gnark:",public"`
	Message frontend.Variable    `gnark:",public"`
	Min     [8]frontend.Variable `gnark:",public"`
	Max     [8]frontend.Variable `gnark:",public"`
}

// New returns the empty circuit over a tree of the given depth.
func New(depth int) *Circuit {
	return &Circuit{Path: make([][tree.Arity]frontend.Variable, depth)}
}

// Compile returns the constraint system of the circuit at a depth of 1 to
// tree.DeepDepth, with its sides balanced ([balance]). The result depends on the
// depth alone.
func Compile(depth int) (*cs_bn254.R1CS, error) {
	if depth < 1 || depth > tree.DeepDepth {
		return nil, fmt.Errorf("membership: depth %d, want 1 to %d", depth, tree.DeepDepth)
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, New(depth))
	if err != nil {
		return nil, fmt.Errorf("membership: depth %d: %w", depth, err)
	}
	return balanced(ccs)
}

func balanced(ccs constraint.ConstraintSystem) (*cs_bn254.R1CS, error) {
	system, ok := ccs.(*cs_bn254.R1CS)
	if !ok {
		return nil, fmt.Errorf("membership: compiled to %T, want an R1CS on BN254", ccs)
	}
	balance(system)
	return system, nil
}

// Define lays out the constraints.
func (c *Circuit) Define(api frontend.API) error {
	h, err := newHasher(api)
	if err != nil {
		return err
	}
	idc := h.tagged(field.TagIdentity, c.Secret, c.Trapdoor, 0)
	leaf := h.tagged(field.TagLeaf, idc, pack(api, c.Attributes[:4]), pack(api, c.Attributes[4:]))

	api.AssertIsEqual(h.climb(leaf, c.Path), c.Root)
	api.AssertIsEqual(h.tagged(field.TagAccount, c.Secret, leaf, c.Context), c.Account)
	for i := range c.Attributes {
		assertBetween(api, c.Attributes[i], c.Min[i], c.Max[i])
	}

	// An input that no constraint uses could be exchanged in a finished proof.
	api.Mul(c.Message, c.Message)
	return nil
}

// climb returns the root that the path leads to, and asserts that at each level
// the node reached so far is one of the children: a product of differences is
// zero. Which child it is stays unsaid, and no position needs to be proven.
func (h *hasher) climb(leaf frontend.Variable, path [][tree.Arity]frontend.Variable) frontend.Variable {
	current := leaf
	for i := range path {
		product := h.api.Sub(current, path[i][0])
		for _, child := range path[i][1:] {
			product = h.api.Mul(product, h.api.Sub(current, child))
		}
		h.api.AssertIsEqual(product, 0)
		current = h.node(path[i][:])
	}
	return current
}

// assertBetween asserts low ≤ v ≤ high, for bounds below 2^32 with low ≤ high:
// both differences fit in 32 bits, so neither has wrapped around the field.
func assertBetween(api frontend.API, v, low, high frontend.Variable) {
	bits.ToBinary(api, api.Sub(v, low), bits.WithNbDigits(32))
	bits.ToBinary(api, api.Sub(high, v), bits.WithNbDigits(32))
}

// pack is [field.Pack]. It is one to one because every attribute lies between
// bounds of 32 bits.
func pack(api frontend.API, four []frontend.Variable) frontend.Variable {
	var sum frontend.Variable = 0
	for i, v := range four {
		sum = api.Add(sum, api.Mul(v, new(big.Int).Lsh(big.NewInt(1), uint(32*i))))
	}
	return sum
}
