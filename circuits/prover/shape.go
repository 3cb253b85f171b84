package prover

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
)

// shape walks over a proving key in the library's compressed form, before the
// library reads it: what it reads makes room for whatever a count says, and takes
// points that are not compressed without a look at their curve.
type shape struct {
	rest []byte
	err  error
}

// shaped refuses a key that is not as long as its counts say, or not of the
// constraint system's size, or of another form.
func shaped(key []byte, system *cs_bn254.R1CS) error {
	wires := system.GetNbInternalVariables() + system.GetNbPublicVariables() + system.GetNbSecretVariables()
	places := ecc.NextPowerOfTwo(uint64(system.GetNbConstraints())) //nolint:gosec // a count
	const one, two = 32, 64                                         // bytes of a point
	s := &shape{rest: key}
	if got := s.number(8); s.err == nil && got != places {
		return fmt.Errorf("proving key: a domain of %d places, and the circuit's has %d; fetch the key again", got, places)
	}
	s.take(5*fr.Bytes + 1)
	s.points(one, 3) // α, β, δ
	for range 4 {    // A, B, Z, K
		s.points(one, s.number(4))
	}
	s.points(two, 2) // β, δ
	s.points(two, s.number(4))
	if got := s.number(8); s.err == nil && got != uint64(wires) { //nolint:gosec // a count
		return fmt.Errorf("proving key: %d wires, and the circuit has %d; fetch the key again", got, wires)
	}
	s.take(8 + 8 + 2*wires) // how many have no base in A and in B, and which
	if got := s.number(4); s.err == nil && got != 0 {
		return fmt.Errorf("proving key: %d commitments, which a proof's form has no room for", got)
	}
	if s.err == nil && len(s.rest) != 0 {
		s.err = fmt.Errorf("proving key: %d bytes follow its end", len(s.rest))
	}
	return s.err
}

func (s *shape) take(n int) []byte {
	if s.err != nil || n > len(s.rest) {
		if s.err == nil {
			s.err = fmt.Errorf("proving key: it ends %d bytes too early; fetch the key again", n-len(s.rest))
		}
		return nil
	}
	out := s.rest[:n]
	s.rest = s.rest[n:]
	return out
}

// number takes a big-endian number of 4 or 8 bytes.
func (s *shape) number(size int) uint64 {
	b := s.take(size)
	if b == nil {
		return 0
	}
	if size == 4 {
		return uint64(binary.BigEndian.Uint32(b))
	}
	return binary.BigEndian.Uint64(b)
}

// points takes so many compressed points: the top bits of the first byte say that
// they are.
func (s *shape) points(size int, count uint64) {
	if s.err == nil && count > uint64(len(s.rest)/size) {
		s.err = fmt.Errorf("proving key: a list of %d points, and %d bytes left; fetch the key again", count, len(s.rest))
	}
	for range count {
		if b := s.take(size); b == nil || b[0]>>6 == 0 {
			if s.err == nil {
				s.err = errors.New("proving key: a point is not compressed; fetch the key again")
			}
			return
		}
	}
}
