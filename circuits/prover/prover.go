// Package prover makes consent proofs. It runs on a participant's own device, or
// on the computer of someone who helps them; no service of a trial needs it.
//
// Proving is not constant in time: whoever can measure the device closely while
// it proves may learn something of the secrets.
package prover

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"

	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// Prover holds the constraint system and the proving key of one depth of tree.
// It is safe for concurrent use. A proof uses all cores.
type Prover struct {
	depth  int
	system *cs_bn254.R1CS
	key    *groth16.ProvingKey
}

// New returns a prover for trees of the given depth. The key is the library's
// compressed form, and its SHA-256 must be the given one: loading checks no
// point, so a key from elsewhere could give the secrets away.
func New(depth int, key []byte, hash [32]byte) (*Prover, error) {
	if got := sha256.Sum256(key); got != hash {
		return nil, fmt.Errorf("proving key: its SHA-256 is %x, and %x is pinned; fetch the key again", got, hash)
	}
	system, err := membership.Compile(depth)
	if err != nil {
		return nil, err
	}
	if err := shaped(key, system); err != nil {
		return nil, err
	}
	pk := new(groth16.ProvingKey)
	if _, err := pk.UnsafeReadFrom(bytes.NewReader(key)); err != nil {
		return nil, fmt.Errorf("proving key: %w", err)
	}
	return (&Prover{depth: depth, system: system, key: pk}).fitting()
}

// fitting refuses a key, a constraint system and a depth that do not belong
// together.
func (p *Prover) fitting() (*Prover, error) {
	secret := p.system.GetNbSecretVariables()
	if want := 2 + 8 + p.depth*tree.Arity; secret != want {
		return nil, fmt.Errorf("constraint system: %d secret inputs, and the circuit of depth %d has %d", secret, p.depth, want)
	}
	if wires := p.system.GetNbInternalVariables() + p.system.GetNbPublicVariables() + secret; len(p.key.InfinityA) != wires {
		return nil, fmt.Errorf("proving key: %d wires, and the circuit of depth %d has %d", len(p.key.InfinityA), p.depth, wires)
	}
	return p, nil
}

// developmentHash is the SHA-256 of the embedded key; the command that makes the key
// prints it.
const developmentHash = "1971294670f2935efbadbf6f579e37bc0c40f15c3d26da04c96a0d33cdd97f49"

//go:embed development.pk
var developmentKey []byte

// Development returns the prover of the development set-up, for trees of the
// default depth; see verifier.DevelopmentNotice.
func Development() (*Prover, error) {
	development.once.Do(func() {
		var hash [32]byte
		if _, development.err = hex.Decode(hash[:], []byte(developmentHash)); development.err == nil {
			development.prover, development.err = New(tree.Depth, developmentKey, hash)
		}
	})
	return development.prover, development.err
}

// A program that never asks for the development prover is linked without its
// key: no value that is made at the start refers to it.
var development struct {
	once   sync.Once
	prover *Prover
	err    error
}

// Depth is the depth of the trees that the prover proves membership of.
func (p *Prover) Depth() int { return p.depth }

// Parts returns the constraint system and the key, for who lays them out for
// another machine. Neither may be changed.
func (p *Prover) Parts() (*cs_bn254.R1CS, *groth16.ProvingKey) { return p.system, p.key }

// Prove returns a proof of the witness's statement. Two proofs of one statement
// differ, and neither says anything more than the statement.
func (p *Prover) Prove(w Witness) (verifier.Proof, error) {
	in, err := w.check(p.depth)
	if err != nil {
		return verifier.Proof{}, err
	}
	full, err := frontend.NewWitness(w.assignment(&in), ecc.BN254.ScalarField())
	if err != nil {
		return verifier.Proof{}, fmt.Errorf("witness: %w", err)
	}
	proof, err := groth16.Prove(p.system, p.key, full)
	if err != nil {
		return verifier.Proof{}, fmt.Errorf("prove: %w", err)
	}
	if len(proof.Commitments) != 0 {
		return verifier.Proof{}, errors.New("prove: the circuit has commitments, which the proof's form has no room for")
	}
	return encode(proof), nil
}

// encode writes A, B and C compressed.
func encode(p *groth16.Proof) (out verifier.Proof) {
	a, b, c := p.Ar.Bytes(), p.Bs.Bytes(), p.Krs.Bytes()
	copy(out[:32], a[:])
	copy(out[32:96], b[:])
	copy(out[96:], c[:])
	return out
}
