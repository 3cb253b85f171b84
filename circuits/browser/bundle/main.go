// Command bundle writes the scripts that pages and workers are served with, from
// their TypeScript. Names choose some of them; without any it writes all.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/trialith/trialith/circuits/browser/internal/script"
)

// outputs are the bundles, in the order in which one may name the one before.
// Paths are from the module's root.
var outputs = []struct{ name, entry, file string }{
	{"worker", "circuits/browser/src/worker.ts", "circuits/browser/dist/worker.js"},
	{"gnark", "circuits/browser/src/gnarkworker.ts", "circuits/browser/dist/gnark.js"},
	{"participant", "server/web/app/participant/main.ts", "server/web/assets/participant.js"},
	{"sw", "server/web/app/participant/sw.ts", "server/web/assets/sw.js"},
	{"site", "server/web/app/site/main.ts", "server/web/assets/site.js"},
	{"bench", "circuits/browser/src/bench.ts", "circuits/browser/dist/bench.js"},
}

func main() {
	root := flag.String("root", ".", "the module's root `directory`")
	flag.Parse()
	if err := run(*root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(root string, names []string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	written := 0
	for _, o := range outputs {
		if len(names) > 0 && !slices.Contains(names, o.name) {
			continue
		}
		b, err := script.Bundle(script.Options{Root: root, Entry: o.entry, Minify: true})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, o.file), b, 0o644); err != nil { //nolint:gosec // a file of the source tree, for everyone
			return err
		}
		written++
	}
	if written == 0 {
		return errors.New("no bundle has such a name")
	}
	return nil
}
