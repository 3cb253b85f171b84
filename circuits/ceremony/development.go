// Package ceremony makes the keys of the consent proof.
//
// A ceremony of several people has two phases, first for the powers of τ and
// then for the circuit. In each, one after the other adds a secret and forgets
// it, and a public beacon that was announced before the last of them closes it.
// The keys are sound if one contributor of each phase was honest. The record of
// it is package transcript; this one holds the contributions, in a directory.
//
// The development set-up has no contributor at all: both phases are sealed by a
// sentence printed below, so that anybody can compute the same keys again, and
// anybody can compute the secret behind them and forge proofs. It exists so that
// the software runs, is tested and can be shown without trusting any file. No
// trial may use its keys; verifier.DevelopmentNotice says so wherever they are.
package ceremony

import (
	"bytes"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"

	"github.com/trialith/trialith/circuits/membership"
)

//go:generate go run ./internal/development

// DevelopmentSeed is the public sentence that seals the development set-up.
const DevelopmentSeed = "Trialith development set-up 1: everyone knows this seed, so everyone can forge. For demonstrations only."

// Keys are the two keys of one set-up, in the compressed form of the library.
type Keys struct {
	Proving   []byte
	Verifying []byte
}

// Development computes the development keys for trees of the given depth. The
// result is the same bytes on every machine; it takes seconds of all cores.
func Development(depth int) (Keys, error) {
	system, err := membership.Compile(depth)
	if err != nil {
		return Keys{}, err
	}
	return sealed(system, []byte(DevelopmentSeed))
}

// sealed runs both phases with no contribution but the beacon's. It needs no
// check of a transcript, for there is none.
func sealed(system *cs_bn254.R1CS, beacon []byte) (Keys, error) {
	size := ecc.NextPowerOfTwo(uint64(system.GetNbConstraints()))
	commons := mpcsetup.NewPhase1(size).Seal(beacon)
	var second mpcsetup.Phase2
	evaluations := second.Initialize(system, &commons)
	return encodeKeys(second.Seal(&commons, &evaluations, beacon))
}

func encodeKeys(pk, vk io.WriterTo) (Keys, error) {
	var proving, verifying bytes.Buffer
	if _, err := pk.WriteTo(&proving); err != nil {
		return Keys{}, fmt.Errorf("ceremony: proving key: %w", err)
	}
	if _, err := vk.WriteTo(&verifying); err != nil {
		return Keys{}, fmt.Errorf("ceremony: verifying key: %w", err)
	}
	return Keys{Proving: proving.Bytes(), Verifying: verifying.Bytes()}, nil
}
