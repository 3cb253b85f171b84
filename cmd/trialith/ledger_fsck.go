package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/trial/contract"
)

// exitDamaged is the exit code of a ledger that is not whole.
const exitDamaged exit = 3

func fsckCommand() *cobra.Command {
	var dir string
	var asJSON, replay bool
	c := &cobra.Command{
		Use:   "fsck --dir NODE",
		Short: "Read everything in a stopped node's ledger and check it",
		Long: `Read every file, block, index and state of a stopped node's ledger and compare each
with all that determines it. It changes nothing.

It exits with 0 if the ledger is whole and with 3 if it is not; then the first bad
height is named, with the table and the remedy.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, err := readGenesis(dir)
			if err != nil {
				return err
			}
			var o store.FsckOptions
			if replay {
				if o.Replay, err = machineOf(dir, g); err != nil {
					return err
				}
			}
			f, err := solo.Fsck(filepath.Join(dir, dirLedger), filepath.Join(dir, dirKeys, fileHead), g, o)
			if err != nil {
				return err
			}
			return reportFindings(c.OutOrStdout(), c.ErrOrStderr(), f, asJSON)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	c.Flags().BoolVar(&replay, "replay", false, "also execute every block again and compare")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}

// machineOf is the state machine of a node's directory.
func machineOf(dir string, g chain.Genesis) (*contract.Machine, error) {
	key, err := verifyingKey(dir, g)
	if err != nil {
		return nil, err
	}
	return contract.FromGenesis(g, key)
}

func reportFindings(out, diagnostics io.Writer, f *store.Findings, asJSON bool) error {
	first, damaged := f.First()
	switch {
	case asJSON:
		if f.Found == nil {
			f.Found = []store.Finding{}
		}
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(f); err != nil {
			return err
		}
	case damaged:
		for _, x := range f.Found {
			fmt.Fprintln(out, x)
		}
		fmt.Fprintf(out, "NOT WHOLE: the first bad height is %d (%s)\n", first.Height, first.Table)
	default:
		again := ""
		if f.Replayed {
			again = "; every block was executed again"
		}
		fmt.Fprintf(out, "WHOLE: %d blocks, %d transactions, %d streams, %d files%s\nheader %d %v\n",
			f.Height, f.Size, f.Streams, f.Files, again, f.Height, f.Header)
	}
	if !damaged {
		return nil
	}
	fmt.Fprintf(diagnostics, "trialith: hint: %s\n", remedy(first))
	return exitDamaged
}

// remedy says what to do about a damaged ledger.
func remedy(f store.Finding) string {
	if f.Table == "head file" {
		return "bring the head file back from beside the key, or write it with: trialith ledger head"
	}
	return "keep this directory as it is; bring back the newest backup with: trialith ledger restore --from BACKUP. " +
		"It must reach the last signed head; ask whoever mirrors the ledger for a newer one if it does not"
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
