package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// ledgerBench is what "trialith bench ledger --json" prints. Each figure is the
// median of some runs.
type ledgerBench struct {
	Runs         []ledgerRun `json:"runs"`
	ReceiptBytes int         `json:"receipt_bytes"` // the largest of many, as text
	Proof        float64     `json:"proof_us"`      // to make a receipt
	Recovery     float64     `json:"recovery_s"`    // after a kill, to the first receipt that verifies

	// More than the fixed form: what the figures are made of.
	Verify          float64       `json:"verify_us"` // a receipt, with the genesis alone
	RecoveryEntries uint64        `json:"recovery_entries"`
	RecoveryMemory  float64       `json:"recovery_memory_mb,omitempty"` // peak while they were entered
	Writing         []ledgerRun   `json:"writing"`                      // solo, signed, 32 bytes of state with every transaction
	Single          float64       `json:"single_verifications_per_s"`   // one by one, on all cores
	Sync            float64       `json:"sync_us"`                      // of 4 KiB to the disk
	Machine         string        `json:"machine"`
	Cores           int           `json:"cores"`
	Ratios          []ledgerRatio `json:"ratios"`
	Growth          []growthStep  `json:"growth,omitempty"`
}

// ledgerRun is one system under one load.
type ledgerRun struct {
	System  string `json:"system"` // solo is ours
	Clients int    `json:"clients"`
	Signed  bool   `json:"signed"` // every transaction's signature is verified
	measuredLoad
}

type ledgerFlags struct {
	json     bool
	entries  int
	recovery int
	runs     int
	clients  []int
	limit    time.Duration
	peers    string
	growth   bool
	top      int
	dir      string
	docs     string
}

func benchLedgerCommand() *cobra.Command {
	var f ledgerFlags
	c := &cobra.Command{
		Use:   "ledger",
		Short: "Measure the ledger: transactions a second, latency, size, memory, receipts, recovery",
		Long: `Measure the ledger on this machine: transactions of 300 bytes, signed beforehand by
16 signers in 16 streams, from 64 and from 1024 clients at once, each of whom
waits until its own is durable and the new head is signed. Each run is a fresh
ledger in a fresh process. Then a ledger with a million transactions is killed
and opened again, and receipts are made and verified.

With --peers, each of our runs is followed, or preceded, by one of another
system with the same bytes: only the ratios of such pairs say much, for disks
and machines differ. The peers verify no signature. With --growth, the ledger is
measured at 10^4, 10^5 … transactions instead.`,
		Example: "  trialith bench ledger\n  trialith bench ledger --peers ledger/bench --docs docs\n  trialith bench ledger --growth --top 10000000 --docs docs",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBenchLedger(c, f) },
	}
	fs := c.Flags()
	fs.BoolVar(&f.json, "json", false, "print the result as JSON on standard output")
	fs.IntVar(&f.entries, "entries", 100_000, "`transactions` of each run")
	fs.IntVar(&f.recovery, "recovery", 1_000_000, "`transactions` of the ledger that is killed and opened again")
	fs.IntVar(&f.runs, "runs", 3, "`runs` of which each figure is the median")
	fs.IntSliceVar(&f.clients, "clients", []int{64, 1024}, "how many `clients` send at once, one figure or several")
	fs.DurationVar(&f.limit, "limit", 10*time.Second, "`time` after which a run is cut short")
	fs.StringVar(&f.peers, "peers", "", "`directory` of the peers' program, which is built first: ledger/bench")
	fs.BoolVar(&f.growth, "growth", false, "measure how the figures grow with the ledger")
	fs.IntVar(&f.top, "top", 1_000_000, "the largest ledger of --growth, in `transactions`")
	fs.StringVar(&f.dir, "dir", "", "`directory` on the disk that is measured (default: that of temporary files)")
	fs.StringVar(&f.docs, "docs", "", "`directory` of ledger.md, whose tables are written anew, with the plot of --growth")
	return c
}

func (f *ledgerFlags) validate() error {
	switch {
	case f.entries < 1000 || f.entries > 10_000_000:
		return hint(fmt.Errorf("--entries %d: 1000 to 10000000", f.entries), "100000 take two to four seconds a run on two cores")
	case f.recovery < 1000 || f.recovery > 10_000_000:
		return hint(fmt.Errorf("--recovery %d: 1000 to 10000000", f.recovery), "1000000 take half a minute on two cores")
	case f.top < 10_000 || f.top > 100_000_000:
		return hint(fmt.Errorf("--top %d: 10000 to 100000000", f.top), "ten million take some minutes and 15 GB of the disk")
	case f.runs < 1 || f.runs > 1000:
		return hint(fmt.Errorf("--runs %d: 1 to 1000", f.runs), "3 give a fair median, 5 a steady one")
	case len(f.clients) == 0 || slices.Min(f.clients) < 1 || slices.Max(f.clients) > 4096 || repeats(f.clients):
		return hint(fmt.Errorf("--clients %v: each 1 to 4096, and once", f.clients), "the ledger's queue has 8192 places")
	case f.limit < time.Second:
		return hint(fmt.Errorf("--limit %v: at least 1s", f.limit), "a shorter run says nothing")
	}
	return nil
}

func repeats(xs []int) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(xs)))) < len(xs)
}

func runBenchLedger(c *cobra.Command, f ledgerFlags) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if err := f.documentable(); err != nil {
		return err
	}
	work, err := os.MkdirTemp(f.dir, "trialith-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	b := &ledgerBenching{
		ledgerFlags: f, work: work, file: filepath.Join(work, "transactions"),
		say: func(format string, args ...any) { fmt.Fprintf(c.ErrOrStderr(), "trialith: "+format+"\n", args...) },
	}
	if err := b.measure(c.Context()); err != nil {
		return err
	}
	if f.docs != "" {
		if err := b.result.document(f); err != nil {
			return err
		}
	}
	if f.json {
		return json.NewEncoder(c.OutOrStdout()).Encode(b.result)
	}
	return b.result.print(c.OutOrStdout())
}

// ledgerBenching is a measurement under way.
type ledgerBenching struct {
	ledgerFlags
	work, file string // the directory of everything, and the file of transactions
	peers      string // program of the peers; empty: none
	count      int    // of directories used
	say        func(string, ...any)
	result     ledgerBench

	runs    map[ledgerKey][]measuredLoad
	pairs   map[pairKey][][2]measuredLoad
	singles []float64
}

type ledgerKey struct {
	system          string
	clients         int
	signed, writing bool
}

func (b *ledgerBenching) measure(ctx context.Context) (err error) {
	if b.ledgerFlags.peers != "" {
		b.say("building the peers, which takes minutes the first time")
		if b.peers, err = buildPeers(ctx, b.ledgerFlags.peers, b.work); err != nil {
			return err
		}
	}
	if err := b.machine(); err != nil {
		return err
	}
	// What the head of the file holds serves every run.
	n, signed := max(b.entries, b.recovery), b.entries
	if b.growth {
		n, signed = b.top, b.top
	}
	b.say("signing %d transactions", signed)
	if err := writeEntries(ctx, b.file, n, signed, time.Now().Add(24*time.Hour).UnixMilli()); err != nil {
		return err
	}
	if b.growth {
		return b.grow(ctx)
	}
	if err := b.rounds(ctx); err != nil {
		return err
	}
	b.say("entering %d transactions, to be killed and opened again", b.recovery)
	load, r, err := b.killed(ctx, benchLoad{Clients: slices.Max(b.clients), N: b.recovery, Unsigned: true})
	if err != nil {
		return err
	}
	b.result.ReceiptBytes, b.result.Proof, b.result.Verify = r.ReceiptBytes, r.Proof, r.Verify
	b.result.Recovery, b.result.RecoveryEntries, b.result.RecoveryMemory = r.Recovery, r.Entries, load.Memory
	b.summarize()
	return nil
}

// fresh makes an empty directory and returns what removes it again.
func (b *ledgerBenching) fresh() (dir string, remove func() error, err error) {
	b.count++
	dir = filepath.Join(b.work, fmt.Sprint(b.count))
	return dir, func() error { return os.RemoveAll(dir) }, os.Mkdir(dir, 0o700)
}

// ours runs one load on a fresh ledger of ours.
func (b *ledgerBenching) ours(ctx context.Context, l benchLoad) (m measuredLoad, err error) {
	dir, remove, err := b.fresh()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	l.Dir, l.Entries, l.Limit = dir, b.file, b.limit
	cmd, err := ownProcess(ctx, l.args())
	if err != nil {
		return m, err
	}
	return m, oneLine(cmd, &m)
}

// killed runs one load, kills the ledger, and opens it again.
func (b *ledgerBenching) killed(ctx context.Context, l benchLoad) (m measuredLoad, r measuredRecovery, err error) {
	dir, remove, err := b.fresh()
	if err != nil {
		return m, r, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	l.Dir, l.Entries, l.Limit, l.Stay = dir, b.file, time.Hour, true
	cmd, err := ownProcess(ctx, l.args())
	if err == nil {
		err = killedAfterLine(cmd, &m)
	}
	if err != nil {
		return m, r, err
	}
	if cmd, err = ownProcess(ctx, []string{"bench", "ledger-recover", "--dir", dir}); err == nil {
		err = oneLine(cmd, &r)
	}
	if err == nil && r.Entries < uint64(m.Entries) {
		err = fmt.Errorf("%d transactions were durable, and %d came back", m.Entries, r.Entries)
	}
	if err != nil {
		return m, r, err
	}
	disk, err := diskUse(dir)
	m.BytesPerEntry = float64(disk) / float64(m.Entries)
	return m, r, err
}
