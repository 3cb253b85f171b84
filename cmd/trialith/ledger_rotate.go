package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
)

// rotated is what a rotation came to.
type rotated struct {
	Height   uint64 `json:"height"`   // of its block, the first that the new key signs
	Verifier string `json:"verifier"` // the new key, as public tools take it
}

func rotateCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "rotate --dir NODE",
		Short: "Give the node a new key, by a transaction of the ledger",
		Long: `Make a new key for the node and enter its rotation into the ledger, signed by the
present key and the new one. From its block on the new key signs the checkpoints and
wraps the acts. Receipts and evidence files from before stay good.

The key that was given up stays in NODE/keys as node.key.HEIGHT. Nothing needs it
any more: take it away when its backups are in order.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := ask[rotated](c.Context(), dir, "rotate", struct{}{})
			if errors.Is(err, errNotRunning) {
				r, err = rotateStopped(c.Context(), dir)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "rotated at height %d\n%s\n", r.Height, r.Verifier)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the node's `directory` (required)")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}

// rotateStopped rotates the key of a node that does not run. It signs a block, so
// the witnesses that the node's directory names are asked first, as at a start.
func rotateStopped(ctx context.Context, dir string) (r rotated, err error) {
	g, key, err := readNode(dir)
	if err != nil {
		return r, err
	}
	machine, err := machineOf(dir, g)
	if err != nil {
		return r, err
	}
	if err := hasSigned(dir, g); err != nil {
		return r, err
	}
	keys := newKeyring(dir, key)
	l, err := solo.Open(solo.Config{
		Dir: filepath.Join(dir, dirLedger), Key: key, KeyOf: keys.Of, HeadFile: filepath.Join(dir, dirKeys, fileHead),
		Machine: machine, Genesis: g,
	})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	clock := solo.RealClock{}
	if err := notAhead(l.Head().Time, clock.Now()); err != nil {
		return r, err
	}
	w, err := watchersOf(dir, watcherFlags{})
	if err != nil {
		return r, err
	}
	f, err := asked(ctx, l, w)
	if err != nil {
		return r, err
	}
	if f != nil {
		defer f.Close()
	}
	return rotate(ctx, l, keys, clock)
}

// rotate makes the new key durable, enters the rotation, and settles the files.
func rotate(ctx context.Context, l *solo.Ledger, keys *keyring, clock engine.Clock) (r rotated, err error) {
	keys.turn.Lock()
	defer keys.turn.Unlock()
	if err := settle(l, keys); err != nil { // what an earlier one left
		return r, err
	}
	next, err := keys.Next()
	if err != nil {
		return r, err
	}
	var idempotency tx.Key
	if _, err := rand.Read(idempotency[:]); err != nil {
		return r, err
	}
	expiry := max(clock.Now(), l.Head().Time) + time.Hour.Milliseconds()
	hash, err := l.Submit(ctx, chain.NewRotation(l.ID(), keys.Present(), next, expiry, idempotency).Encode())
	if err != nil {
		return r, err
	}
	e, err := l.Wait(ctx, hash)
	if err != nil {
		return r, err
	}
	if e.Result.Code != engine.Accepted {
		return r, fmt.Errorf("rotation: refused with code %d; another was faster, try again", e.Result.Code)
	}
	r.Height = e.Height
	if err := settle(l, keys); err != nil {
		return r, err
	}
	k, err := l.Keys()
	if err != nil {
		return r, err
	}
	r.Verifier, err = k.VerifierKey()
	return r, err
}

// settle brings the key files in line with the ledger.
func settle(l *solo.Ledger, keys *keyring) error {
	k, err := l.Keys()
	if err != nil {
		return err
	}
	height := uint64(0)
	if rs := k.Rotations(); len(rs) > 0 {
		height = rs[len(rs)-1].Height
	}
	return keys.Settle(k.Present(), height)
}
