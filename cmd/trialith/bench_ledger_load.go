package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// benchLoad is one measurement of one system, in a process of its own, so that
// its memory is its own.
type benchLoad struct {
	Dir, Entries string // the ledger's directory and the file of transactions
	Clients, N   int
	Limit        time.Duration
	Unsigned     bool
	Writing      bool
	// Stay does not close the ledger: the process waits to be killed.
	Stay bool
}

// measuredLoad is the line of JSON that such a process prints; the peers print
// the same. What was not measured is left out.
type measuredLoad struct {
	Entries       int     `json:"entries"`
	PerS          float64 `json:"per_s"`
	LastPerS      float64 `json:"last_per_s,omitempty"` // over the last tenth of the entries
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	BytesPerEntry float64 `json:"bytes_per_entry,omitempty"` // on the disk, after closing
	Memory        float64 `json:"memory_mb,omitempty"`       // peak resident set, 10^6 bytes
	CPU           float64 `json:"cpu_s"`                     // while the load ran
	ProofBytes    int     `json:"proof_bytes,omitempty"`
	Proof         float64 `json:"proof_us,omitempty"`
}

// benchLoadCommand is what the bench starts; nobody else does.
func benchLoadCommand() *cobra.Command {
	var l benchLoad
	c := &cobra.Command{
		Use: "ledger-load", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return l.run(c.Context(), c.OutOrStdout(), c.InOrStdin())
		},
	}
	f := c.Flags()
	f.StringVar(&l.Dir, "dir", "", "")
	f.StringVar(&l.Entries, "transactions", "", "")
	f.IntVar(&l.Clients, "clients", 64, "")
	f.IntVar(&l.N, "entries", 100_000, "")
	f.DurationVar(&l.Limit, "limit", time.Hour, "")
	f.BoolVar(&l.Unsigned, "unsigned", false, "")
	f.BoolVar(&l.Writing, "writing", false, "")
	f.BoolVar(&l.Stay, "stay", false, "")
	return c
}

func (l benchLoad) args() []string {
	return []string{
		"bench", "ledger-load", "--dir", l.Dir, "--transactions", l.Entries,
		fmt.Sprintf("--clients=%d", l.Clients), fmt.Sprintf("--entries=%d", l.N), fmt.Sprintf("--limit=%v", l.Limit),
		fmt.Sprintf("--unsigned=%v", l.Unsigned), fmt.Sprintf("--writing=%v", l.Writing), fmt.Sprintf("--stay=%v", l.Stay),
	}
}

func (l benchLoad) run(ctx context.Context, out io.Writer, in io.Reader) (err error) {
	entries, err := os.Open(l.Entries)
	if err != nil {
		return err
	}
	defer entries.Close()
	ledger, err := openBench(l.Dir, &entryMachine{unsigned: l.Unsigned, writing: l.Writing})
	if err != nil {
		return err
	}
	closing := sync.OnceValue(ledger.Close)
	defer func() { err = errors.Join(err, closing()) }()
	if err := grantSigners(ctx, ledger, time.Now().Add(time.Hour).UnixMilli()); err != nil {
		return err
	}
	m, err := drive(ctx, l, entries, func(raw []byte) error { return enterEntry(ctx, ledger, raw) })
	if err != nil {
		return err
	}
	m.Memory = peakMemory()
	if l.Stay {
		if err := json.NewEncoder(out).Encode(m); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, in) // ends when whoever started us does
		return err
	}
	if err := closing(); err != nil {
		return err
	}
	disk, err := diskUse(l.Dir)
	if err != nil {
		return err
	}
	m.BytesPerEntry = float64(disk) / float64(m.Entries)
	return json.NewEncoder(out).Encode(m)
}

// drive enters transactions from all clients at once, each waiting for its own.
// They are read as they are needed, so that the memory is the ledger's and not
// the load's. The program of the peers drives them in the same way.
func drive(ctx context.Context, l benchLoad, entries io.ReaderAt, enter func([]byte) error) (m measuredLoad, err error) {
	var next, done, nine atomic.Int64
	var took latencies
	errs := make([]error, l.Clients)
	used, start := cpuTime(), time.Now()
	client := func() error {
		for {
			i := next.Add(1) - 1
			if i >= int64(l.N) || time.Since(start) > l.Limit {
				return ctx.Err()
			}
			raw := make([]byte, benchSize)
			if _, err := entries.ReadAt(raw, i*benchSize); err != nil {
				return fmt.Errorf("transaction %d: %w", i, err)
			}
			began := time.Now()
			if err := enter(raw); err != nil {
				return fmt.Errorf("transaction %d: %w", i, err)
			}
			took.add(time.Since(began))
			if int(done.Add(1)) == l.N-l.N/10 {
				nine.Store(int64(time.Since(start)))
			}
		}
	}
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = client() })
	}
	wg.Wait()
	elapsed, cpu, n := time.Since(start), cpuTime()-used, done.Load()
	if err := errors.Join(errs...); err != nil || n == 0 {
		return m, errors.Join(errors.New("the load did not end well"), err)
	}
	m = measuredLoad{
		Entries: int(n), PerS: float64(n) / elapsed.Seconds(), CPU: cpu.Seconds(),
		P50: took.quantile(0.5), P99: took.quantile(0.99),
	}
	if n == int64(l.N) && l.N >= 10 {
		m.LastPerS = float64(l.N/10) / (elapsed - time.Duration(nine.Load())).Seconds()
	}
	return m, nil
}

// latencies counts durations in buckets of 1/32 of a power of two of
// nanoseconds, so that a quantile is exact to 3 %.
type latencies struct{ count [64 * 32]atomic.Int64 }

func (l *latencies) add(d time.Duration) {
	n := uint64(max(d, 32))
	shift := bits.Len64(n) - 6
	l.count[(shift+1)*32+int(n>>shift)-32].Add(1)
}

// quantile is in milliseconds, from the middle of the bucket.
func (l *latencies) quantile(q float64) float64 {
	var total, seen int64
	for i := range l.count {
		total += l.count[i].Load()
	}
	for i := range l.count {
		if seen += l.count[i].Load(); seen > 0 && float64(seen) >= q*float64(total) {
			return (float64(i%32) + 32.5) * float64(uint64(1)<<(i/32)) / 2 / 1e6
		}
	}
	return 0
}

// peakMemory is the peak of this process's resident set in 10^6 bytes, 0 where
// the system does not tell. What getrusage says is not it: that is inherited
// from the process that started this one.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib float64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0
	}
	return kib * 1024 / 1e6
}
