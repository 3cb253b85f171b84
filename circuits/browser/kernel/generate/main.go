// Command generate writes the kernel to the file that its argument names.
package main

import (
	"fmt"
	"os"

	"github.com/trialith/trialith/circuits/browser/kernel"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: generate FILE")
		return 2
	}
	if err := os.WriteFile(args[0], kernel.Generate(), 0o644); err != nil { //nolint:gosec // a file of the source tree, for everyone
		fmt.Fprintln(os.Stderr, "kernel:", err)
		return 1
	}
	return 0
}
