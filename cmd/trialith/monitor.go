package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/monitor"
	"github.com/trialith/trialith/ledger/tiles"
)

// monitorFlags say what is watched.
type monitorFlags struct {
	dir, genesis, policy string
	once                 bool
	every                time.Duration
}

func monitorCommand() *cobra.Command {
	var f monitorFlags
	c := &cobra.Command{
		Use:   "monitor SOURCE… --genesis GENESIS --dir STATE",
		Short: "Watch a ledger for a second history",
		Long: `Watch a ledger through one server or several, each the address of its files
(https://node.example/log) or a directory of them. Whatever a server shows is compared
with all that was seen before, there and elsewhere: the chain of blocks, the log, the
clock, the cosignatures.

A ledger that signed two histories is given away by them: both go into a file in
STATE/evidence, which "trialith monitor check" verifies anywhere, without a network.

The exit code is 1 if the ledger signed two histories; with --once 0 all is well, 3
something is doubtful (no quorum of witnesses, a wrong clock, a server that lags), 2
a server could not be read or does not show what it must.`,
		Example: "  trialith monitor https://node.example/log https://mirror.example --genesis genesis.cbor --dir watch --policy witnesses.txt",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return runMonitor(c, args, f) },
	}
	c.Flags().StringVar(&f.dir, "dir", "", "the `directory` of what was seen (required)")
	c.Flags().StringVar(&f.genesis, "genesis", "", "the ledger's genesis `file` (default: the one in --dir)")
	c.Flags().StringVar(&f.policy, "policy", "", "a policy `file`: whose cosignatures are expected")
	c.Flags().BoolVar(&f.once, "once", false, "look once, then end")
	c.Flags().DurationVar(&f.every, "interval", 10*time.Second, "time between two looks")
	c.MarkFlagRequired("dir") //nolint:errcheck // the flag is there
	c.AddCommand(monitorCheckCommand())
	return c
}

// source is one server that is watched.
type source struct {
	name string
	tiles.Reader
}

func runMonitor(c *cobra.Command, args []string, f monitorFlags) error {
	cfg := monitor.Config{Dir: f.dir, Clock: solo.RealClock{}}
	var err error
	if cfg.Genesis, err = pinned(f.genesis, f.dir); err != nil {
		return err
	}
	if cfg.Policy, err = policyFile(f.policy); err != nil {
		return err
	}
	m, err := monitor.Open(c.Context(), cfg)
	if err != nil {
		return err
	}
	var sources []source
	for _, a := range args {
		sources = append(sources, source{a, readerOf(a)})
	}
	return look(c, f.once, f.every, func() (fatal, transient error) {
		doubtful := false
		for _, s := range sources {
			doubts, err := lookAt(c, m, s, f.once)
			var twice *monitor.EquivocationError
			if errors.As(err, &twice) {
				return err, nil
			}
			doubtful = doubtful || doubts
			transient = errors.Join(transient, err)
		}
		if f.once && doubtful && transient == nil {
			return exit(3), nil
		}
		return nil, transient
	})
}

func lookAt(c *cobra.Command, m *monitor.Monitor, s source, always bool) (doubts bool, err error) {
	r, err := m.Look(c.Context(), s)
	if r.Evidence != "" {
		fmt.Fprintf(c.OutOrStdout(), "TWO HISTORIES: the proof is in %s\n", r.Evidence)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", s.name, err)
	}
	if r.New > 0 || always {
		fmt.Fprintf(c.OutOrStdout(), "%s: block %d (%s), %d transactions, %d new blocks, one history\n",
			s.name, r.Checkpoint.Height, instant(r.Checkpoint.Time), r.Checkpoint.Size, r.New)
	}
	for _, d := range r.Doubts {
		warn(c.ErrOrStderr(), s.name, d)
	}
	return len(r.Doubts) > 0, nil
}

func monitorCheckCommand() *cobra.Command {
	var genesis string
	c := &cobra.Command{
		Use:   "check EVIDENCE --genesis GENESIS",
		Short: "Check a proof that a ledger signed two histories, offline",
		Long: `Check a file that a monitor or a mirror wrote, with nothing but the ledger's genesis.

The exit code is 0 if it proves that the ledger's node signed two histories, 1 if it
proves nothing, 2 if it cannot be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			g, err := genesisFile(genesis)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			b, err := readLimited(args[0], monitor.MaxEvidence)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			e, err := monitor.Parse(b)
			if err != nil {
				return unusable(c.ErrOrStderr(), err)
			}
			sentence, err := e.Check(g)
			return sayEvidence(c.OutOrStdout(), sentence, err)
		},
	}
	c.Flags().StringVar(&genesis, "genesis", "", "the ledger's genesis `file` (required)")
	c.MarkFlagRequired("genesis") //nolint:errcheck // the flag is there
	return c
}

func sayEvidence(out io.Writer, sentence string, err error) error {
	if err != nil {
		fmt.Fprintf(out, "NOT PROVEN: %v\n", err)
		return exit(1)
	}
	fmt.Fprintf(out, "PROVEN: %s\n", sentence)
	return nil
}
