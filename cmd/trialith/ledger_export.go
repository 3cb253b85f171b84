package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

// exportQuestion asks a running node for an export.
type exportQuestion struct {
	Out string `json:"out"` // absolute path
}

// exported is how far an export reaches.
type exported struct {
	Height uint64 `json:"height"`
	Size   uint64 `json:"size"`
	Time   int64  `json:"time"`
}

func exportedOf(c chain.Checkpoint) exported {
	return exported{Height: c.Height, Size: c.Size, Time: c.Time}
}

func exportCommand() *cobra.Command {
	var dir, out string
	c := &cobra.Command{
		Use:   "export --dir NODE --out DIR",
		Short: "Write a node's ledger as files for any web server",
		Long: `Write the ledger of a node as files that never change, in the layout that the node
itself serves below /log: C2SP tlog-tiles, with genesis, headers and transactions
beside it. Any web server can serve the directory, and public tools read it.

Again into the same directory it writes what is new, and it is taken up where it was
broken off. A running node writes the files itself.`,
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
			e, err := ask[exported](c.Context(), dir, "export", exportQuestion{Out: path})
			if errors.Is(err, errNotRunning) {
				e, err = exportStopped(c.Context(), dir, g, path)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%d blocks (%s), %d transactions, in %s\n", e.Height, instant(e.Time), e.Size, path)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().StringVar(&out, "out", "", "the `directory` of the files (required)")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	c.MarkFlagRequired("out") //nolint:errcheck // the flag is there
	return c
}

// export writes the files of a running node.
func (n *node) export(ctx context.Context, q exportQuestion) (exported, error) {
	c, err := tiles.Export(ctx, n.ledger, q.Out)
	return exportedOf(c), err
}

// exportStopped writes the files of a node that does not run.
func exportStopped(ctx context.Context, dir string, g chain.Genesis, out string) (e exported, err error) {
	s, err := store.Open(filepath.Join(dir, dirLedger), g, store.Options{})
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	snap := s.Snapshot()
	defer snap.Release()
	stopped := stored{Snapshot: snap}
	if stopped.Checkpoint() == nil {
		return e, hint(errors.New("the newest block is not signed yet"), "start the node once; it signs its head")
	}
	c, err := tiles.Export(ctx, stopped, out)
	return exportedOf(c), err
}

// stored is the ledger of a node that does not run, as tiles are made of.
type stored struct{ *store.Snapshot }

// Keys are the node's keys up to the head.
func (s stored) Keys() (keys chain.Keys, err error) {
	defer store.Catch(&err)
	return engine.NodeKeys(s.Genesis(), s.State(wire.Directory))
}

// Checkpoint is that of the head, with its cosignatures; nil if it is not signed.
func (s stored) Checkpoint() []byte {
	height := s.Head().Height
	if at, msg, err := s.CosignedFrom(height); err == nil && at == height {
		return msg
	}
	msg, err := s.Snapshot.Checkpoint(height)
	if err != nil {
		return nil
	}
	return msg
}

// Headers returns the headers from one height to another.
func (s stored) Headers(from, to uint64) (out []chain.Header, err error) {
	for height := from; height <= to; height++ {
		h, err := s.Header(height)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
