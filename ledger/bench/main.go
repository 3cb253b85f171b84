// Command bench measures other people's systems for "trialith bench ledger
// --peers": one system, one load, one line of JSON on standard output.
//
// It is a module of its own, so that none of what it stands on is ever a
// dependency of Trialith. The names in the line are those of our own systems'
// measurements; the load is driven as cmd/trialith drives its own.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// options is one measurement.
type options struct {
	system       string
	clients      int
	entries      int
	size         int
	dir          string
	transactions string
	limit        time.Duration
	// batch and age tune how a system groups what comes together; 0 is the
	// best that was found for the number of clients.
	batch int
	age   time.Duration
}

// many clients are those from which on longer waits pay.
const many = 512

// result is what a measurement says. What was not measured is left out.
type result struct {
	System        string  `json:"system"`
	Clients       int     `json:"clients"`
	Entries       int     `json:"entries"`
	PerS          float64 `json:"per_s"`
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	BytesPerEntry float64 `json:"bytes_per_entry"` // on the disk, after closing
	Memory        float64 `json:"memory_mb"`       // peak resident set, 10^6 bytes
	CPU           float64 `json:"cpu_s"`           // while the load ran
	ProofBytes    int     `json:"proof_bytes,omitempty"`
	Proof         float64 `json:"proof_us,omitempty"`
}

// system is one that is measured. Add returns when the entry is durable.
type system interface {
	add(ctx context.Context, entry []byte) error
	// prove makes proofs of n entries; bytes is 0 where the system has none.
	prove(ctx context.Context, n int) (bytes int, each time.Duration, err error)
	close() error
}

var systems = map[string]func(context.Context, options) (system, error){
	"tessera":           openTessera,
	"tessera-published": openTessera,
	"immudb":            openImmudb,
	"sqlite":            openSQLite,
	"pebble":            openPebble,
	"comet":             openComet,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
}

func run() (err error) {
	var c options
	names := slices.Sorted(maps.Keys(systems))
	flag.StringVar(&c.system, "system", "", fmt.Sprintf("one of %v", names))
	flag.IntVar(&c.clients, "clients", 64, "how many add entries at once, each waiting for its own")
	flag.IntVar(&c.entries, "entries", 100_000, "how many entries to add")
	flag.IntVar(&c.size, "size", 300, "bytes of an entry")
	flag.StringVar(&c.dir, "dir", "", "an empty directory for the system's files; one is made and removed if this is not given")
	flag.StringVar(&c.transactions, "transactions", "", "file of the entries, one after another; random bytes if this is not given")
	flag.DurationVar(&c.limit, "limit", time.Minute, "stop adding after this long")
	flag.IntVar(&c.batch, "batch", 0, "entries of a group, where the system groups; 0: the best that was found")
	flag.DurationVar(&c.age, "age", 0, "how long a group waits, where the system waits; 0: the best that was found")
	flag.Parse()
	open, ok := systems[c.system]
	if !ok || c.clients < 1 || c.entries < 1 || c.size < 32 {
		return fmt.Errorf("give --system, one of %v, and --clients, --entries and --size of at least 1, 1 and 32", names)
	}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("", "bench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(c.dir)) }()
	}
	r, err := measure(context.Background(), c, open)
	if err != nil {
		return fmt.Errorf("%s: %w", c.system, err)
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func measure(ctx context.Context, c options, open func(context.Context, options) (system, error)) (result, error) {
	entries, err := openEntries(c)
	if err != nil {
		return result{}, err
	}
	defer entries.Close()
	s, err := open(ctx, c)
	if err != nil {
		return result{}, err
	}
	r, err := drive(ctx, c, entries, s)
	if err == nil {
		var each time.Duration
		r.ProofBytes, each, err = s.prove(ctx, min(200, r.Entries))
		r.Proof = float64(each) / float64(time.Microsecond)
	}
	if err := errors.Join(err, s.close()); err != nil {
		return result{}, err
	}
	disk, err := diskUse(c.dir)
	if err != nil {
		return result{}, err
	}
	r.BytesPerEntry = float64(disk) / float64(r.Entries)
	r.Memory, err = peakMemory()
	return r, err
}
