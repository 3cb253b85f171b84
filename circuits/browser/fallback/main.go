// Command fallback builds gnark's prover for web pages into a directory, which a
// release embeds. It does nothing where the directory already holds the build of
// these sources.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/circuits/browser/internal/gnark"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fallback:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: fallback DIRECTORY")
	}
	tool, err := gnark.Find()
	if err != nil {
		return err
	}
	from, err := tool.Source(ctx)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	if s, err := gnark.Read(os.DirFS(dir)); err == nil && s.Source == from {
		return nil
	}
	return tool.Build(ctx, dir)
}
