package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialith/trialith/ledger/tx"
)

// peerSystems are the peers, each with which of ours it is compared: what
// proves and is compared as a ledger with the signed one, a bare store with the
// core alone.
var peerSystems = []struct {
	name   string
	signed bool
}{
	{"tessera", true},
	{"immudb", true},
	{"pebble", false},
	{"tessera-published", true},
	{"comet", true},
	{"sqlite", false},
}

type pairKey struct {
	peer    string
	clients int
}

// rounds takes every system in turn, as often as runs says. Of a pair, ours
// comes first in every other round.
func (b *ledgerBenching) rounds(ctx context.Context) error {
	b.runs, b.pairs = map[ledgerKey][]measuredLoad{}, map[pairKey][][2]measuredLoad{}
	for round := range b.ledgerFlags.runs {
		for _, clients := range b.clients {
			b.say("round %d of %d, %d clients", round+1, b.ledgerFlags.runs, clients)
			if err := b.round(ctx, clients, round%2 == 0); err != nil {
				return err
			}
		}
		single, err := b.single(ctx)
		if err != nil {
			return err
		}
		b.singles = append(b.singles, single)
	}
	return nil
}

func (b *ledgerBenching) round(ctx context.Context, clients int, oursFirst bool) error {
	mine := []ledgerKey{{"solo", clients, true, true}}
	if b.peers == "" {
		mine = append(mine, ledgerKey{"solo", clients, true, false}, ledgerKey{"solo", clients, false, false})
	}
	for _, k := range mine {
		if _, err := b.one(ctx, k); err != nil {
			return err
		}
	}
	if b.peers == "" {
		return nil
	}
	for _, p := range peerSystems {
		turns := [2]ledgerKey{{"solo", clients, p.signed, false}, {p.name, clients, false, false}}
		var pair [2]measuredLoad
		for turn := range turns {
			which := turn
			if !oursFirst {
				which = 1 - turn
			}
			var err error
			if pair[which], err = b.one(ctx, turns[which]); err != nil {
				return err
			}
		}
		b.pairs[pairKey{p.name, clients}] = append(b.pairs[pairKey{p.name, clients}], pair)
	}
	return nil
}

// one is one run of one system.
func (b *ledgerBenching) one(ctx context.Context, k ledgerKey) (m measuredLoad, err error) {
	if k.system == "solo" {
		m, err = b.ours(ctx, benchLoad{Clients: k.clients, N: b.entries, Unsigned: !k.signed, Writing: k.writing})
	} else {
		m, err = b.theirs(ctx, k)
	}
	if err != nil {
		return m, fmt.Errorf("%s, %d clients: %w", k.system, k.clients, err)
	}
	b.runs[k] = append(b.runs[k], m)
	return m, nil
}

// theirs is one run of a peer.
func (b *ledgerBenching) theirs(ctx context.Context, k ledgerKey) (m measuredLoad, err error) {
	dir, remove, err := b.fresh()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	return m, oneLine(exec.CommandContext(ctx, b.peers, //nolint:gosec // built from the directory that the command line names
		"--system", k.system, "--dir", dir, "--transactions", b.file, fmt.Sprintf("--limit=%v", b.limit),
		fmt.Sprintf("--clients=%d", k.clients), fmt.Sprintf("--entries=%d", b.entries), fmt.Sprintf("--size=%d", benchSize)), &m)
}

// summarize takes the medians.
func (b *ledgerBenching) summarize() {
	for _, k := range slices.SortedFunc(maps.Keys(b.runs), compareKeys) {
		r := ledgerRun{System: k.system, Clients: k.clients, Signed: k.signed, measuredLoad: middleLoad(b.runs[k])}
		if k.writing {
			b.result.Writing = append(b.result.Writing, r)
		} else {
			b.result.Runs = append(b.result.Runs, r)
		}
	}
	b.result.Single = middle(b.singles)
	b.result.Ratios = b.ratios()
}

// compareKeys puts ours first, the signed before the unsigned, then the peers
// as they are listed.
func compareKeys(x, y ledgerKey) int {
	place := func(k ledgerKey) int {
		for i, p := range peerSystems {
			if p.name == k.system {
				return i + 2
			}
		}
		if k.signed {
			return 0
		}
		return 1
	}
	return cmp.Or(place(x)-place(y), x.clients-y.clients)
}

// middleLoad is the median of each figure.
func middleLoad(ms []measuredLoad) measuredLoad {
	of := func(figure func(measuredLoad) float64) float64 {
		xs := make([]float64, len(ms))
		for i, m := range ms {
			xs[i] = figure(m)
		}
		return middle(xs)
	}
	return measuredLoad{
		Entries:       int(of(func(m measuredLoad) float64 { return float64(m.Entries) })),
		PerS:          of(func(m measuredLoad) float64 { return m.PerS }),
		LastPerS:      of(func(m measuredLoad) float64 { return m.LastPerS }),
		P50:           of(func(m measuredLoad) float64 { return m.P50 }),
		P99:           of(func(m measuredLoad) float64 { return m.P99 }),
		BytesPerEntry: of(func(m measuredLoad) float64 { return m.BytesPerEntry }),
		Memory:        of(func(m measuredLoad) float64 { return m.Memory }),
		CPU:           of(func(m measuredLoad) float64 { return m.CPU }),
		ProofBytes:    int(of(func(m measuredLoad) float64 { return float64(m.ProofBytes) })),
		Proof:         of(func(m measuredLoad) float64 { return m.Proof }),
	}
}

// memorySync is how many microseconds a sync to a disk takes at least.
const memorySync = 15

// machine measures what the figures depend on most.
func (b *ledgerBenching) machine() (err error) {
	b.result.Cores, b.result.Machine = runtime.GOMAXPROCS(0), machineName()
	f, err := os.Create(filepath.Join(b.work, "sync"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	took := make([]float64, 101)
	for i := range took {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return err
		}
		start := time.Now()
		if err := f.Sync(); err != nil {
			return err
		}
		took[i] = microseconds(time.Since(start))
	}
	if b.result.Sync = middle(took); b.result.Sync < memorySync {
		b.say("a sync takes %.0f µs: %s is hardly on a disk; name one with --dir", b.result.Sync, b.work)
	}
	return nil
}

// machineName says what this runs on, as far as the system tells.
func machineName() string {
	name := runtime.GOOS + "/" + runtime.GOARCH
	cpus, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return name
	}
	_, after, found := strings.Cut(string(cpus), "model name")
	if line, _, _ := strings.Cut(after, "\n"); found {
		name += ", " + strings.TrimLeft(line, "\t :")
	}
	return name
}

// single is how many signatures a second all cores verify one by one, by the
// faster of the standard library and the rule of the ledger: the ceiling of
// whoever does not verify them together.
func (b *ledgerBenching) single(ctx context.Context) (float64, error) {
	f, err := os.Open(b.file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	raw := make([]byte, benchSize)
	if _, err := f.ReadAt(raw, 0); err != nil {
		return 0, err
	}
	e, err := tx.Decode(raw)
	if err != nil {
		return 0, err
	}
	key, message := tx.PublicKey(benchSigner(0).Public().(ed25519.PublicKey)), e.SigningBytes()
	best := 0.0
	for _, verify := range []func() bool{
		func() bool { return ed25519.Verify(key[:], message, e.Signature[:]) },
		func() bool { return e.Signature.Verify(key, message) },
	} {
		rate, err := onAllCores(ctx, verify)
		if err != nil {
			return 0, err
		}
		best = max(best, rate)
	}
	return best, nil
}

// onAllCores is how often a second all cores together do something that is to succeed.
func onAllCores(ctx context.Context, work func() bool) (float64, error) {
	const long = 500 * time.Millisecond
	var done, failed atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for time.Since(start) < long {
				if !work() {
					failed.Add(1)
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if failed.Load() > 0 {
		return 0, errors.New("a good signature was refused")
	}
	return float64(done.Load()) / time.Since(start).Seconds(), ctx.Err()
}
