// Command pins writes the names, hashes and lengths of the prover's files as
// TypeScript, for the scripts that load them.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/trialith/trialith/circuits/browser"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pins:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: pins FILE")
	}
	return os.WriteFile(args[0], written(browser.Files()), 0o644) //nolint:gosec // a file of the source tree, for everyone
}

// written is the module's text. Scripts stand apart from what they load: a
// script that held its own hash could not be made.
func written(files []browser.File) []byte {
	var out bytes.Buffer
	fmt.Fprint(&out, `// Written by circuits/browser/pins from circuits/browser/dist; run go generate ./circuits/browser.

/** Pin is what a file must be: its name below /prover/, its SHA-256 and its length. */
export interface Pin {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** pins are the files that the prover loads. */
export const pins = {
`)
	list(&out, files, false)
	fmt.Fprint(&out, `} as const satisfies Record<string, Pin>;

/** scripts are the workers. Only a page may name them: a worker's own name depends on its bytes. */
export const scripts = {
`)
	list(&out, files, true)
	fmt.Fprint(&out, "} as const satisfies Record<string, Pin>;\n")
	return out.Bytes()
}

func list(out *bytes.Buffer, files []browser.File, scripts bool) {
	for _, f := range files {
		if (path.Ext(f.Name) == ".js") == scripts {
			fmt.Fprintf(out, "  %q: { file: %q, sha256: \"%x\", bytes: %d },\n", f.Name, strings.TrimPrefix(f.Address, browser.Base), f.Hash, len(f.Body))
		}
	}
}
