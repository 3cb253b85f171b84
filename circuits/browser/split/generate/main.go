// Command generate writes the files of the development key to the directory that
// its argument names.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/circuits/browser/split"
	"github.com/trialith/trialith/circuits/prover"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: generate DIRECTORY")
		return 2
	}
	if err := write(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func write(dir string) error {
	p, err := prover.Development()
	if err != nil {
		return err
	}
	files, err := split.Split(p.Parts())
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Bytes, 0o644); err != nil { //nolint:gosec // a file of the source tree, for everyone
			return err
		}
	}
	return nil
}
