package ceremony

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/ledger/wire"
)

// HashCircuit names a constraint system: SHA-256 over a tag, the numbers of
// public, secret and internal wires and of constraints, and each constraint's
// three sides as counted pairs of wire and coefficient. It is what the keys
// depend on and nothing else: no order of solving, no version of a library.
func HashCircuit(system *cs_bn254.R1CS) wire.Hash {
	h := sha256.New()
	number := func(n int) { h.Write(binary.BigEndian.AppendUint32(nil, uint32(n))) } // never fails
	side := func(terms constraint.LinearExpression) {
		number(len(terms))
		for _, t := range terms {
			number(t.WireID())
			c := system.Coefficients[t.CoeffID()].Bytes()
			h.Write(c[:])
		}
	}
	h.Write([]byte("trialith/v1/circuit\x00"))
	for _, n := range []int{system.GetNbPublicVariables(), system.GetNbSecretVariables(), system.GetNbInternalVariables(), system.GetNbConstraints()} {
		number(n)
	}
	it := system.GetR1CIterator()
	for c := it.Next(); c != nil; c = it.Next() {
		side(c.L)
		side(c.R)
		side(c.O)
	}
	return wire.Hash(h.Sum(nil))
}

// circuit is a compiled circuit with the sizes of what contributors to it make.
type circuit struct {
	system  *cs_bn254.R1CS
	hash    wire.Hash
	domain  uint64
	private int // wires in the key's K
}

// Compile compiles the circuit over trees of a depth; membership.Compile does.
type Compile func(depth int) (*cs_bn254.R1CS, error)

func (c Compile) circuit(depth int) (*circuit, error) {
	system, err := c(depth)
	if err != nil {
		return nil, err
	}
	if n := len(system.CommitmentInfo.CommitmentIndexes()); n != 0 {
		return nil, fmt.Errorf("ceremony: the circuit has %d commitments, want none", n)
	}
	return &circuit{
		system: system, hash: HashCircuit(system), domain: ecc.NextPowerOfTwo(uint64(system.GetNbConstraints())),
		private: system.GetNbInternalVariables() + system.GetNbSecretVariables(),
	}, nil
}

// matches compares with what a ceremony was begun for.
func (c *circuit) matches(m transcript.Manifest) error {
	if c.hash != m.Circuit {
		return fmt.Errorf("ceremony: it is for the circuit %v, and this program's of depth %d is %v; use the version that began it", m.Circuit, m.Depth, c.hash)
	}
	if c.domain != m.Domain {
		return errors.New("ceremony: domain: not that of the circuit")
	}
	return nil
}
