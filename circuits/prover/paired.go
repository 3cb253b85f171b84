package prover

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// maxKey bounds a proving key. That of the default depth has two thirds of a
// mebibyte.
const maxKey = 16 << 20

// NewPaired returns a prover for trees of the given depth from the two keys of
// one ceremony, and refuses a proving key that does not belong to the verifying
// key, which alone needs to be trusted: α, β and δ must be the verifying key's.
// Its points come compressed, and so lie on their curves (New); that B of a proof
// is in its group is seen when the proof is verified. With δ, A and B are blinded
// and C is what they leave, so that a proof which passes the verifying key says
// nothing but its statement, whatever the rest of the proving key is. A caller
// hands out no proof that it has not verified.
func NewPaired(depth int, proving []byte, verifying *verifier.Key) (*Prover, error) {
	if len(proving) > maxKey {
		return nil, fmt.Errorf("proving key: %d bytes; at most %d", len(proving), maxKey)
	}
	p, err := New(depth, proving, sha256.Sum256(proving))
	if err != nil {
		return nil, err
	}
	return p, p.belongs(verifying)
}

func (p *Prover) belongs(key *verifier.Key) error {
	vk := new(groth16.VerifyingKey)
	if _, err := vk.ReadFrom(bytes.NewReader(key.Bytes())); err != nil {
		return fmt.Errorf("verifying key: %w", err)
	}
	g1, g2 := &p.key.G1, &p.key.G2
	if g1.Alpha != vk.G1.Alpha || g1.Beta != vk.G1.Beta || g2.Beta != vk.G2.Beta || g1.Delta != vk.G1.Delta || g2.Delta != vk.G2.Delta {
		return fmt.Errorf("proving key: it does not belong to the verifying key %x; both come from one ceremony", key.Hash())
	}
	return nil
}

// Try makes one proof, of a statement that says nothing, and verifies it.
func (p *Prover) Try(key *verifier.Key) error {
	number := func(tag string) field.Element { return field.Hash("try", []byte(tag)) }
	w := OwnLeaf(number("secret"), number("trapdoor"), field.Attributes{1, 2, 3, 4, 5, 6, 7, 8}, number("context"), number("message"))
	proof, err := p.Prove(w)
	if err == nil {
		err = key.Verify(proof, w.Statement)
	}
	if err != nil {
		return errors.Join(errors.New("proving key: a proof made with it does not hold; fetch the ceremony's key again"), err)
	}
	return nil
}
