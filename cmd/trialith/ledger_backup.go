package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/store"
)

// backupQuestion asks a running node for a backup.
type backupQuestion struct {
	Out string `json:"out"` // absolute path
}

func backupCommand() *cobra.Command {
	var dir, out string
	c := &cobra.Command{
		Use:   "backup --dir NODE --out DIR",
		Short: "Copy a node's ledger, consistently, while it runs or not",
		Long: `Copy the ledger of a node into a new directory, as it is after some block, with its
genesis, its newest checkpoint, and a manifest of every file's sum, written last. A
running node goes on meanwhile, and makes the copy itself.

Keys and the head file are not in it: keep them elsewhere. What a backup is too old
for, "trialith ledger restore" refuses.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			g, err := readGenesis(dir)
			if err != nil {
				return err
			}
			path, err := filepath.Abs(out)
			if err != nil {
				return err
			}
			m, err := ask[store.Manifest](c.Context(), dir, "backup", backupQuestion{Out: path})
			if errors.Is(err, errNotRunning) {
				m, err = store.Backup(filepath.Join(dir, dirLedger), g, nil, path)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "backup of height %d (%s), %d transactions, %d files, in %s\nheader %d %v\n",
				m.Height, instant(m.Time), m.Size, len(m.Files), path, m.Height, m.Header)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().StringVar(&out, "out", "", "a new `directory` for the backup (required)")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	c.MarkFlagRequired("out") //nolint:errcheck // the flag is there
	return c
}
