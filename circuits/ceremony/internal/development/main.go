// Command development writes the keys of the development set-up into the packages
// that embed them, and prints the hashes that those packages pin. Run it by go
// generate in package ceremony.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

func main() {
	if err := write(".."); err != nil {
		fmt.Fprintln(os.Stderr, "development:", err)
		os.Exit(1)
	}
}

// write computes the keys and writes them below the circuits folder.
func write(circuits string) error {
	keys, err := ceremony.Development(tree.Depth)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(circuits, "verifier", "development.vk"), keys.Verifying, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(circuits, "prover", "development.pk"), keys.Proving, 0o644); err != nil {
		return err
	}
	fmt.Printf("verifier: developmentHash = %x\n", verifier.HashKey(keys.Verifying))
	fmt.Printf("prover:   developmentHash = %x\n", sha256.Sum256(keys.Proving))
	return nil
}
