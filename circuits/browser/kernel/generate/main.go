// Command generate writes the kernel; go generate runs it in the kernel's directory.
package main

import (
	"fmt"
	"os"

	"github.com/trialith/trialith/circuits/browser/kernel"
)

func main() {
	if err := os.WriteFile("../dist/kernel.wasm", kernel.Generate(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
