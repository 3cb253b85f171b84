// Package verifier decides whether a consent proof holds. It needs no proving
// code and no constraint system: a verifying key, a statement and 128 bytes.
//
// The statement must be built by the one who verifies, from the ledger's own
// state; a context, bounds or root taken from the request would prove nothing.
package verifier

import (
	"errors"
	"fmt"
	"math"

	"github.com/trialith/trialith/circuits/field"
)

// Inputs is the number of public inputs of the statement.
const Inputs = 20

// Statement is what a proof shows: the prover holds the secret of a leaf under
// Root whose attributes lie between Min and Max, Account is the one account of
// that leaf for Context, and the prover signs Message.
type Statement struct {
	Root     field.Root
	Context  field.Element
	Account  field.Account
	Message  field.Element
	Min, Max field.Attributes
}

// Vacuous returns the bounds that every attribute meets.
func Vacuous() (low, high field.Attributes) {
	for i := range high {
		high[i] = math.MaxUint32
	}
	return low, high
}

// PublicInputs returns the public inputs in the circuit's order: root, context,
// account, message, the minima, the maxima. It refuses a statement without a
// context or message, values of r and above, and a minimum above its maximum:
// over such an interval the circuit's range check would say nothing.
func (s *Statement) PublicInputs() (in [Inputs]field.Element, err error) {
	if in[0], err = s.Root.Element(); err != nil {
		return in, fmt.Errorf("statement: %w", err)
	}
	if in[2], err = s.Account.Element(); err != nil {
		return in, fmt.Errorf("statement: %w", err)
	}
	if s.Context.IsZero() {
		return in, errors.New("statement: no context; build it from the act's purpose")
	}
	if s.Message.IsZero() {
		return in, errors.New("statement: no message; hash the act's canonical bytes")
	}
	in[1], in[3] = s.Context, s.Message
	for i := range s.Min {
		if s.Min[i] > s.Max[i] {
			return in, fmt.Errorf("statement: attribute %d: minimum %d above maximum %d", i, s.Min[i], s.Max[i])
		}
		in[4+i].SetUint64(uint64(s.Min[i]))
		in[4+len(s.Min)+i].SetUint64(uint64(s.Max[i]))
	}
	return in, nil
}
