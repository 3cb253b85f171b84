package prover

import (
	"encoding/binary"
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// Lengths of what a page hands to its prover, at the default depth.
const (
	StatementSize = 4*field.Size + 2*4*8
	WitnessSize   = 2*field.Size + 4*8 + tree.Depth*tree.Arity*field.Size + StatementSize
)

// ParseStatement reads a statement of exactly [StatementSize] bytes: root,
// context, account and message, 32 bytes each, then the minima and the maxima,
// each number 4 bytes, most significant first.
func ParseStatement(b []byte) (s verifier.Statement, err error) {
	if len(b) != StatementSize {
		return s, fmt.Errorf("statement: %d bytes, want %d", len(b), StatementSize)
	}
	r := layout{rest: b}
	s.Root, s.Context = field.RootOf(r.element("root")), r.element("context")
	s.Account, s.Message = field.AccountOf(r.element("account")), r.element("message")
	s.Min, s.Max = r.numbers(), r.numbers()
	return s, r.err
}

// ParseWitness reads a witness for a tree of the default depth, exactly
// [WitnessSize] bytes: secret and trapdoor, the attributes, all children of each
// node from the leaves up, then the statement.
func ParseWitness(b []byte) (w Witness, err error) {
	if len(b) != WitnessSize {
		return w, fmt.Errorf("witness: %d bytes, want %d", len(b), WitnessSize)
	}
	r := layout{rest: b[:WitnessSize-StatementSize]}
	w.Secret, w.Trapdoor, w.Attributes = r.element("secret"), r.element("trapdoor"), r.numbers()
	w.Path = make(tree.Path, tree.Depth)
	for i := range w.Path {
		for j := range w.Path[i] {
			w.Path[i][j] = r.element("path")
		}
	}
	if r.err != nil {
		return Witness{}, fmt.Errorf("witness: %w", r.err)
	}
	w.Statement, err = ParseStatement(b[WitnessSize-StatementSize:])
	return w, err
}

// layout reads fields in order and keeps the first error.
type layout struct {
	rest []byte
	err  error
}

func (r *layout) take(n int) []byte {
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *layout) element(name string) field.Element {
	e, err := field.Decode(r.take(field.Size))
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return e
}

func (r *layout) numbers() (a field.Attributes) {
	for i := range a {
		a[i] = binary.BigEndian.Uint32(r.take(4))
	}
	return a
}
