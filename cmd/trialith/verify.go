package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/registry/evidence"
	"github.com/trialith/trialith/trial"
)

func verifyCommand() *cobra.Command {
	var policy, page string
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
		Example: "  trialith verify evidence.trialith\n  trialith verify --html report.html evidence.trialith\n  trialith verify --json --policy policy.json evidence.trialith",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := verifyFile(c.Context(), args[0], policy)
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "trialith: error: %v\n", err)
				return exit(2)
			}
			if page != "" {
				if err := writePage(page, args[0], policy, r); err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "trialith: error: %v\n", err)
					return exit(2)
				}
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
	c.Flags().StringVar(&page, "html", "", "write the report as one HTML `file` for readers, too")
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

// writePage writes the report as a page, whole or not at all.
func writePage(to, path, policy string, r *evidence.Report) (err error) {
	about, err := aboutFile(path, to)
	if err != nil {
		return err
	}
	if policy != "" {
		about.Policy = filepath.Base(policy)
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".trialith-*.html")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = r.WriteHTML(f, about); err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), to)
}

// aboutFile describes the evidence file, and refuses to write over it.
func aboutFile(path, to string) (about evidence.File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return about, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return about, err
	}
	if target, bad := os.Stat(to); bad == nil && os.SameFile(info, target) {
		return about, fmt.Errorf("--html %s: this is the evidence file itself; name another file for the report", to)
	}
	about = evidence.File{Name: filepath.Base(path), Size: info.Size()}
	sum := sha256.New()
	if _, err = io.Copy(sum, f); err == nil {
		about.SHA256 = trial.Digest(sum.Sum(nil))
	}
	return about, err
}
