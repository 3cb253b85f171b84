package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/mirror"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/trial/contract"
)

// mirrorFlags say what is mirrored.
type mirrorFlags struct {
	out, genesis, policy, key string
	once                      bool
	every                     time.Duration
}

func mirrorCommand() *cobra.Command {
	var f mirrorFlags
	c := &cobra.Command{
		Use:   "mirror SOURCE --out DIR",
		Short: "Keep a copy of a ledger that was executed and compared, for any web server",
		Long: `Copy a ledger from SOURCE, the address of its files (https://node.example/log) or a
directory of them, execute every transaction again by the same contract, and write
the same files of what comes out. Nothing of the source is believed but what its key
signed, and nothing is shown before all of it is verified.

The genesis says which ledger it is: give it with --genesis the first time. A source
that shows another history or an older state is refused, and what it showed is kept
in DIR/evidence.

With --once the exit code is 0 done, 1 the source is false, 2 it could not be read.`,
		Example: "  trialith ledger mirror https://node.example/log --out copy --genesis genesis.cbor",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return runMirror(c, args[0], f) },
	}
	c.Flags().StringVar(&f.out, "out", "", "the `directory` of the copy (required)")
	c.Flags().StringVar(&f.genesis, "genesis", "", "the ledger's genesis `file` (default: the one in --out)")
	c.Flags().StringVar(&f.policy, "policy", "", "a policy `file`: whose cosignatures a checkpoint needs before it is shown")
	c.Flags().StringVar(&f.key, "verifying-key", "", "the verifying key's `file`, which genesis pins (default: built in)")
	c.Flags().BoolVar(&f.once, "once", false, "copy what is there, then end")
	c.Flags().DurationVar(&f.every, "interval", 10*time.Second, "time between two looks")
	c.MarkFlagRequired("out") //nolint:errcheck // the flag is there
	return c
}

func runMirror(c *cobra.Command, source string, f mirrorFlags) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "trialith: verifying what is in %s\n", f.out)
	m, err := mirror.Open(c.Context(), cfg)
	if err != nil {
		return err
	}
	r := readerOf(source)
	return look(c, f.once, f.every, func() (fatal, transient error) {
		before := m.Checkpoint()
		at, err := m.Step(c.Context(), r)
		var caught *mirror.Evidence
		switch {
		case errors.As(err, &caught), m.Stopped() != nil:
			return err, nil
		case err != nil:
			return nil, err
		case at.Height > before.Height || f.once:
			fmt.Fprintf(c.OutOrStdout(), "%d blocks (%s), %d transactions, executed again and the same, in %s\n", at.Height, instant(at.Time), at.Size, f.out)
		}
		return nil, nil
	})
}

// look calls fn once, or again and again until the command is stopped. fn says
// what cannot be gone on after, and what may pass.
func look(c *cobra.Command, once bool, every time.Duration, fn func() (fatal, transient error)) error {
	ticker := time.NewTicker(max(every, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		fatal, transient := fn()
		switch {
		case c.Context().Err() != nil:
			return nil // told to stop
		case fatal != nil:
			return fatal
		case transient != nil && once:
			return unusable(c.ErrOrStderr(), transient)
		case transient != nil:
			fmt.Fprintf(c.ErrOrStderr(), "trialith: %v\n", transient)
		case once:
			return nil
		}
		select {
		case <-c.Context().Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (f mirrorFlags) config() (cfg mirror.Config, err error) {
	cfg.Dir = f.out
	if cfg.Genesis, err = pinned(f.genesis, f.out); err != nil {
		return cfg, err
	}
	if cfg.Policy, err = policyFile(f.policy); err != nil {
		return cfg, err
	}
	key, err := keyOf(f.key, cfg.Genesis)
	if err != nil {
		return cfg, err
	}
	cfg.Machine, err = contract.FromGenesis(cfg.Genesis, key)
	return cfg, err
}

// pinned is the genesis of a file, or of a directory that was begun with one.
func pinned(file, dir string) (chain.Genesis, error) {
	if file != "" {
		return genesisFile(file)
	}
	g, err := genesisFile(filepath.Join(dir, tiles.Path{Kind: tiles.Genesis}.String()))
	if errors.Is(err, fs.ErrNotExist) {
		return g, hint(errors.New("which ledger is it? No genesis is given, and the directory has none"),
			"get the genesis from whom you trust, not from the source, and give it with --genesis")
	}
	return g, err
}

// keyOf is the verifying key that genesis pins: of a file, or built in.
func keyOf(file string, g chain.Genesis) (*verifier.Key, error) {
	if file == "" {
		if key := verifier.Development(); key.Hash() == g.VerifyingKey {
			return key, nil
		}
		return nil, hint(fmt.Errorf("genesis: verifying key %v is not built in", g.VerifyingKey), "give %s of its ceremony with --verifying-key", ceremony.VerifyingFile)
	}
	b, err := os.ReadFile(file) //nolint:gosec // the command line names the file
	if err != nil {
		return nil, err
	}
	return verifier.ParsePinned(b, g.VerifyingKey)
}

// readerOf reads the files of a ledger at an address or in a directory.
func readerOf(source string) tiles.Reader {
	if !strings.HasPrefix(source, "http://") && !strings.HasPrefix(source, "https://") {
		return tiles.ReadDir(source)
	}
	return patient{tiles.NewRemote(source, &http.Client{Timeout: 2 * time.Minute})}
}

// patient asks again when an answer does not come or ends early.
type patient struct{ tiles.Reader }

func (p patient) Read(ctx context.Context, path tiles.Path) (b []byte, err error) {
	for try := range 4 {
		b, err = p.Reader.Read(ctx, path)
		if err == nil || errors.Is(err, tiles.ErrNotFound) {
			return b, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		}
	}
	return nil, err
}

// warn says what is not as it should be, and is not false.
func warn(diagnostics io.Writer, source, doubt string) {
	fmt.Fprintf(diagnostics, "trialith: warning: %s: %s\n", source, doubt)
}
