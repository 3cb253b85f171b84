package ceremony_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// Anybody can compute the shipped keys again from the public seed, byte by byte.
func TestDevelopmentKeysAreReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("computing the set-up takes a quarter of a minute")
	}
	t.Parallel()
	keys, err := ceremony.Development(tree.Depth)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(keys.Verifying, verifier.Development().Bytes()) {
		t.Error("the embedded verifying key is another; run go generate in this package")
	}
	proving, err := os.ReadFile("../prover/development.pk")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(keys.Proving, proving) {
		t.Error("the embedded proving key is another; run go generate in this package")
	}
}

func TestDevelopmentRefusesADepth(t *testing.T) {
	t.Parallel()
	if _, err := ceremony.Development(0); err == nil {
		t.Error("depth 0 accepted")
	}
}
