package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
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
a ledger again with its new key after its node's key was rotated.

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
	c.AddCommand(witnessKeyCommand())
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
	at := map[string]int{}
	for _, arg := range args {
		l, err := readLog(arg)
		if err != nil {
			return nil, err
		}
		if i, again := at[l.Origin]; again {
			logs[i].Keys = append(logs[i].Keys, l.Keys...)
			continue
		}
		at[l.Origin] = len(logs)
		logs = append(logs, l)
	}
	return logs, nil
}

func readLog(arg string) (witness.Log, error) {
	if origin, vkey, pair := strings.Cut(arg, "="); pair && strings.Contains(vkey, "+") {
		k, err := witness.ParseLogKey(vkey)
		if err == nil && k.Name != origin {
			err = fmt.Errorf("key %q: of the log %q", vkey, k.Name)
		}
		if err != nil {
			return witness.Log{}, fmt.Errorf("--log %s: %w", arg, err)
		}
		return witness.Log{Origin: origin, Keys: []note.Verifier{k.Verifier()}}, nil
	}
	b, err := readLimited(arg, chain.MaxGenesisBytes)
	if err != nil {
		return witness.Log{}, hint(fmt.Errorf("--log: %w", err), "name a genesis file, or ORIGIN=KEY")
	}
	g, err := chain.DecodeGenesis(b)
	if err != nil {
		return witness.Log{}, fmt.Errorf("--log %s: %w", arg, err)
	}
	return witness.LogOf(g), nil
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
