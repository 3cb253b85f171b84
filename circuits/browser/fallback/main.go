// Command fallback builds gnark's prover for web pages into a directory, which a
// release embeds. It does nothing where the directory already holds the build of
// these sources.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	if s, err := gnark.Read(os.DirFS(args[0])); err == nil && s.Source == from {
		return nil
	}
	// The list is written last: a build that is broken off leaves no valid set.
	if err := os.RemoveAll(args[0] + "/" + gnark.List); err != nil {
		return err
	}
	return tool.Build(ctx, args[0])
}
