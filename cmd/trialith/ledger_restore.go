package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/witness"
)

// heldCheckpoint is a checkpoint that somebody else kept.
type heldCheckpoint struct{ file, policy string }

func (h *heldCheckpoint) flags(c *cobra.Command) {
	c.Flags().StringVar(&h.file, "checkpoint", "", "the newest checkpoint that a witness, a mirror or a reader has: a `file`")
	c.Flags().StringVar(&h.policy, "policy", "", "witness policy that the checkpoint's cosignatures must meet: a `file`")
}

// known adds it to what a backup must have. Its keys are the backup's.
func (h *heldCheckpoint) known(o *store.RestoreOptions, data string, g chain.Genesis) error {
	if h.file == "" {
		return nil
	}
	_, keys, err := store.ReadKeys(nil, data, g)
	if err != nil {
		return err
	}
	mark, err := h.mark(keys)
	o.Known = append(o.Known, mark)
	return err
}

// mark verifies the checkpoint under the node's keys, and the policy if there is one.
func (h *heldCheckpoint) mark(keys chain.Keys) (store.Mark, error) {
	msg, err := os.ReadFile(h.file)
	if err != nil {
		return store.Mark{}, err
	}
	c, err := chain.OpenCheckpoint(keys, msg)
	if err != nil {
		return store.Mark{}, hint(fmt.Errorf("%s: %w", h.file, err), "a checkpoint after a rotation of the node's key that is not here does not open; then what is here is too old")
	}
	if h.policy == "" {
		return store.Mark{Height: c.Height, Header: c.Header}, nil
	}
	text, err := os.ReadFile(h.policy)
	if err != nil {
		return store.Mark{}, err
	}
	p, err := witness.ParsePolicy(text)
	if err == nil {
		err = p.Check(msg)
	}
	return store.Mark{Height: c.Height, Header: c.Header}, err
}

func restoreCommand() *cobra.Command {
	var from, dir, mirror string
	var held heldCheckpoint
	c := &cobra.Command{
		Use:   "restore --from BACKUP --dir NODE",
		Short: "Bring a backup of the ledger back, unless it is damaged or old",
		Long: `Check a backup against its manifest, copy it, examine the copy as "trialith ledger
fsck" does, and move it in place. Refused are a backup that is not whole, one that
lacks the head that this node signed last (its head file says which) or the given
checkpoint, and a node whose ledger is there: move that away first.

A backup that is too old is never started from: the node would sign a second history
over what it signed before. Bring a newer one, or name a mirror that has the blocks
since: they are executed again, and must lead to the checkpoint that the node signed.
What was refused in them stays refused; which idempotency keys it used nobody keeps.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return restore(c, from, dir, mirror, held)
		},
	}
	c.Flags().StringVar(&from, "from", "", "the backup's `directory` (required)")
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.Flags().StringVar(&mirror, "mirror", "", "complete an old backup with a mirror's blocks: its `directory` or address")
	held.flags(c)
	c.MarkFlagRequired("from") //nolint:errcheck // the flag is there
	c.MarkFlagRequired("dir")  //nolint:errcheck // the flag is there
	return c
}

func restore(c *cobra.Command, from, dir, mirror string, held heldCheckpoint) error {
	out, diagnostics := c.OutOrStdout(), c.ErrOrStderr()
	_, g, err := store.ReadBackup(nil, from)
	if err != nil {
		return err
	}
	if err := adopt(dir, g); err != nil {
		return err
	}
	var o store.RestoreOptions
	last, signed, err := solo.LastSigned(nil, filepath.Join(dir, dirKeys, fileHead), g)
	if err != nil {
		return err
	}
	if signed {
		o.Known = append(o.Known, last)
	}
	if err := held.known(&o, filepath.Join(from, dirLedger), g); err != nil {
		return err
	}
	if mirror != "" {
		machine, err := machineOf(dir, g)
		if err != nil {
			return err
		}
		o.Complete = func(s *store.Store) error { return completionFrom(mirror, machine, g).run(c.Context(), s) }
	}
	_, f, err := store.Restore(from, filepath.Join(dir, dirLedger), o)
	if errors.Is(err, store.ErrOld) {
		return hint(err, "a node that went on from it would sign a second history; a mirror may have what it lacks: --mirror")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "restored height %d, %d transactions, examined whole\nheader %d %v\n", f.Height, f.Size, f.Height, f.Header)
	if !signed && f.Height > 0 {
		fmt.Fprintf(diagnostics, "trialith: warning: no head file in %s: nothing here shows that this is the newest block that was signed\n"+
			"trialith: hint: bring the head file back, or write it with: trialith ledger head --dir %s --checkpoint FILE\n", filepath.Join(dir, dirKeys), dir)
	}
	return nil
}

// adopt checks that a backup is of the node's ledger; a new directory becomes
// that ledger's.
func adopt(dir string, g chain.Genesis) error {
	if _, err := os.Lstat(filepath.Join(dir, fileGenesis)); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Join(dir, dirKeys), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, fileGenesis), g.Encode(), 0o600)
	}
	own, err := readGenesis(dir)
	if err == nil && own.ID() != g.ID() {
		err = fmt.Errorf("the backup is of ledger %v; %s is of %v", g.ID(), dir, own.ID())
	}
	return err
}

func headCommand() *cobra.Command {
	var dir string
	var held heldCheckpoint
	c := &cobra.Command{
		Use:   "head --dir NODE --checkpoint FILE",
		Short: "Write a lost head file anew, after comparing with a checkpoint",
		Long: `Write the head file of a stopped node after it was lost. It keeps a restored old
backup from signing a second history, so it is written only if the ledger has the
block of a checkpoint that somebody else kept: give the newest there is.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			h, err := writeHeadFile(dir, held)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "head file written\nheader %d %v\n", h.Height, h.Hash())
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	held.flags(c)
	c.MarkFlagRequired("dir")        //nolint:errcheck // the flag is there
	c.MarkFlagRequired("checkpoint") //nolint:errcheck // the flag is there
	return c
}

func writeHeadFile(dir string, held heldCheckpoint) (h chain.Header, err error) {
	g, err := readGenesis(dir)
	if err != nil {
		return h, err
	}
	path := filepath.Join(dir, dirKeys, fileHead)
	if _, err := os.Lstat(path); err == nil {
		return h, fmt.Errorf("%s is there; it is not replaced", path)
	}
	data := filepath.Join(dir, dirLedger)
	_, keys, err := store.ReadKeys(nil, data, g)
	if err != nil {
		return h, err
	}
	mark, err := held.mark(keys)
	if err != nil {
		return h, err
	}
	h, err = store.ReadClosed(nil, data, g, func(s *store.Snapshot) error {
		if mark.Height > s.Head().Height {
			return fmt.Errorf("the checkpoint is of height %d, the ledger ends at %d: %w", mark.Height, s.Head().Height, store.ErrOld)
		}
		own, err := s.Header(mark.Height)
		if err == nil && own.Hash() != mark.Header {
			err = fmt.Errorf("the checkpoint is of another block at height %d: %w", mark.Height, solo.ErrRolledBack)
		}
		return err
	})
	if err != nil {
		return h, err
	}
	return h, solo.WriteHeadFile(path, h)
}
