package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/registry/evidence"
)

func verifyCommand() *cobra.Command {
	var policy string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a whole trial from one evidence file, offline",
		Long: `Check an evidence file without a network: replay its streams through the same
contract, and check every proof, signature, inclusion and count.

The verdict comes first, then each check: passed, failed or not checked.
The exit code is 0 verified, 3 valid with reservations, 1 not valid (the entry is
named), 2 unusable.

Whom to trust is said by a policy, never by the file. The built-in policy knows
the keys of demonstrations, and calls them so.`,
		Example: "  trialith verify evidence.trialith\n  trialith verify --json --policy policy.json evidence.trialith",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := verifyFile(c.Context(), args[0], policy)
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "trialith: error: %v\n", err)
				return exit(2)
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(r)
			} else {
				err = r.WriteText(c.OutOrStdout())
			}
			if err != nil {
				return err
			}
			if code := r.ExitCode(); code != 0 {
				return exit(code)
			}
			return nil
		},
	}
	c.Flags().StringVar(&policy, "policy", "", "a policy `file` (JSON): whom to trust (default: built in)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

// verifyFile checks a file by a policy file, or by the built-in policy.
func verifyFile(ctx context.Context, path, policyPath string) (_ *evidence.Report, err error) {
	policy := evidence.Builtin()
	if policyPath != "" {
		b, err := os.ReadFile(policyPath)
		if err != nil {
			return nil, err
		}
		if policy, err = evidence.ParsePolicy(b); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return evidence.Verify(ctx, f, info.Size(), policy)
}
