package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/monitor"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/witness"
)

func witnessCommand() *cobra.Command {
	var f witnessFlags
	c := &cobra.Command{
		Use:   "witness --dir DIR --log LOG",
		Short: "Watch ledgers and cosign what extends what was there",
		Long: `Serve a witness (C2SP tlog-witness). A ledger shows it each new head; it signs a head
only if that extends every head it signed before, and if the head's time is within
five minutes of this machine's clock. What a ledger signed twice over is kept in DIR.

LOG is the genesis file of a ledger, or ORIGIN=KEY with the key of any C2SP log. Name
a ledger again with its new key after its node's key was rotated, and only with that
one once something is cosigned under it: the old key may be in other hands.

A witness is worth as much as it is independent: run it where the sponsor cannot reach
it. DIR holds its key, made at the first start, and what it has signed; a witness that
lost the second must not go on with the first, so back up both together or neither.`,
		Example: "  trialith witness --dir w --name witness.example/w1 --log genesis.cbor\n" +
			"  trialith witness vkey --dir w",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runWitness(c, f) },
	}
	c.Flags().StringVar(&f.dir, "dir", "", "the witness's `directory`; made if it is not there (required)")
	c.Flags().StringVar(&f.name, "name", "", "the `name` of its key, such as witness.example/w1; needed at the first start")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8090", "`address` to serve on; port 0 picks a free one")
	c.Flags().StringArrayVar(&f.logs, "log", nil, "a `log` to watch: a genesis file, or ORIGIN=KEY; may be given again")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	c.AddCommand(witnessKeyCommand(), witnessCheckCommand())
	return c
}

type witnessFlags struct {
	dir, name, listen string
	logs              []string
}

func witnessKeyCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "vkey --dir DIR",
		Short: "Print the key of a witness, as policies name it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := witness.ReadKey(dir)
			if err != nil {
				return hint(err, `"trialith witness --dir %s --name NAME --log LOG" makes one`, dir)
			}
			fmt.Fprintln(c.OutOrStdout(), k)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the witness's `directory` (required)")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	return c
}

func witnessCheckCommand() *cobra.Command {
	var genesis, rotations string
	c := &cobra.Command{
		Use:   "check FORK --genesis GENESIS",
		Short: "Check what a witness kept of a ledger that signed two histories, offline",
		Long: `Check a file *.fork of a witness's directory, with nothing but the ledger's genesis,
and the rotations of its node's key if there were any: the file that the ledger and its
mirrors have under that name.

The exit code is 0 if it proves that the ledger's node signed two histories, 1 if it
proves nothing, 2 if it cannot be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			keys, err := keysFile(genesis, rotations)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			b, err := readLimited(args[0], witness.MaxRequestBytes)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			first, second, err := witness.ParseFork(b)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			sentence, err := twoHistories(keys, first, second)
			return sayEvidence(c.OutOrStdout(), sentence, err)
		},
	}
	c.Flags().StringVar(&genesis, "genesis", "", "the ledger's genesis `file` (required)")
	c.Flags().StringVar(&rotations, "rotations", "", "the rotations of the node's key: a `file`")
	c.MarkFlagRequired("genesis") //nolint:errcheck // the flag is there
	return c
}

// keysFile reads the node's keys; no file of rotations is no rotation.
func keysFile(genesis, rotations string) (chain.Keys, error) {
	g, err := genesisFile(genesis)
	if err != nil || rotations == "" {
		return g.Keys(), err
	}
	b, err := readLimited(rotations, int64(tiles.Path{Kind: tiles.Rotations}.Limit()))
	if err != nil {
		return chain.Keys{}, err
	}
	rs, err := tiles.DecodeRotations(b)
	if err != nil {
		return chain.Keys{}, err
	}
	return chain.NewKeys(g, rs...)
}

// twoHistories says what two signed checkpoints prove on their face.
func twoHistories(k chain.Keys, first, second []byte) (string, error) {
	var signed [2]monitor.Signed
	var height [2]uint64
	for i, msg := range [][]byte{first, second} {
		c, err := chain.OpenCheckpoint(k, msg)
		if err != nil {
			return "", err
		}
		signed[i], height[i] = monitor.Signed{Checkpoint: string(msg), Rotations: k.Until(c.Height)}, c.Height
	}
	if height[0] > height[1] {
		slices.Reverse(signed[:])
	}
	g := k.Genesis()
	e := monitor.Equivocation{Ledger: g.ID(), Earlier: signed[0], Later: signed[1]}
	return e.Check(g)
}

func runWitness(c *cobra.Command, f witnessFlags) error {
	logs, err := readLogs(f.logs)
	if err != nil {
		return err
	}
	w, err := witness.Open(witness.Config{
		Dir: f.dir, Name: f.name, Logs: logs, Clock: solo.RealClock{}, Report: newTeller(c.ErrOrStderr()).fault,
	})
	if err != nil {
		if f.name == "" {
			return hint(err, "a new witness needs --name, a name under a domain of yours such as witness.example/w1")
		}
		return err
	}
	defer w.Close() //nolint:errcheck // nothing is written any more
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return hint(err, "choose another address with --listen, for example 127.0.0.1:0")
	}
	fmt.Fprintf(c.OutOrStdout(), "witness %s\nserving http://%s\n", w.VerifierKey(), listener.Addr())
	return serveUntil(c.Context(), newServer(w), listener)
}

// serveUntil serves until ctx ends, and then lets go what is under way.
func serveUntil(ctx context.Context, s *http.Server, l net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.Shutdown(ctx)
}

// readLogs reads the logs that a witness watches, all keys of one origin together.
func readLogs(args []string) ([]witness.Log, error) {
	if len(args) == 0 {
		return nil, hint(errors.New("no log to watch"), "name one with --log: the genesis.cbor of a ledger, or ORIGIN=KEY")
	}
	var logs []witness.Log
	at, begun := map[string]int{}, map[string]bool{}
	for _, arg := range args {
		l, whole, err := readLog(arg)
		if err != nil {
			return nil, err
		}
		if whole && begun[l.Origin] {
			return nil, hint(fmt.Errorf("--log %s: a ledger of the origin %q is named already; two ledgers under one would look like two histories of one", arg, l.Origin),
				"name a ledger once; a further key of it is named ORIGIN=KEY")
		}
		begun[l.Origin] = begun[l.Origin] || whole
		i, again := at[l.Origin]
		if !again {
			at[l.Origin] = len(logs)
			logs = append(logs, l)
			continue
		}
		if k := l.Keys[0]; slices.ContainsFunc(logs[i].Keys, func(other note.Verifier) bool { return other.KeyHash() == k.KeyHash() }) {
			return nil, fmt.Errorf("--log %s: this key of %q is named already", arg, l.Origin)
		}
		logs[i].Keys = append(logs[i].Keys, l.Keys...)
	}
	return logs, nil
}

// readLog reads one argument; whole says that it is a genesis file.
func readLog(arg string) (l witness.Log, whole bool, err error) {
	if origin, vkey, pair := strings.Cut(arg, "="); pair && strings.Contains(vkey, "+") {
		k, err := witness.ParseLogKey(vkey)
		if err == nil && k.Name != origin {
			err = fmt.Errorf("key %q: of the log %q", vkey, k.Name)
		}
		if err != nil {
			return l, false, fmt.Errorf("--log %s: %w", arg, err)
		}
		return witness.Log{Origin: origin, Keys: []note.Verifier{k.Verifier()}}, false, nil
	}
	b, err := readLimited(arg, chain.MaxGenesisBytes)
	if err != nil {
		return l, false, hint(fmt.Errorf("--log: %w", err), "name a genesis file, or ORIGIN=KEY")
	}
	g, err := chain.DecodeGenesis(b)
	if err != nil {
		return l, false, fmt.Errorf("--log %s: %w", arg, err)
	}
	return witness.LogOf(g), true, nil
}

// teller writes diagnostics from many goroutines, a line at a time.
type teller struct {
	mu sync.Mutex
	w  io.Writer
}

func newTeller(w io.Writer) *teller {
	if w == nil {
		w = os.Stderr
	}
	return &teller{w: w}
}

func (t *teller) fault(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.w, "trialith: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
}

// watched says how one who vouches for the ledger does.
func (t *teller) watched(who string, err error) {
	if err == nil {
		err = errors.New("does well again")
	}
	t.fault(fmt.Errorf("%s: %w", who, err))
}
