// Command generate writes the files of the development key; go generate runs it in
// the directory of package split.
package main

import (
	"fmt"
	"os"

	"github.com/trialith/trialith/circuits/browser/split"
	"github.com/trialith/trialith/circuits/prover"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	p, err := prover.Development()
	if err != nil {
		return err
	}
	files, err := split.Split(p.Parts())
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile("../dist/"+f.Name, f.Bytes, 0o644); err != nil {
			return err
		}
	}
	return nil
}
