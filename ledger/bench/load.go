package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// openEntries opens the file of entries. The entries are read as they are
// needed, so that the memory measured is the system's and not the load's.
func openEntries(c options) (*os.File, error) {
	if c.transactions != "" {
		return os.Open(c.transactions)
	}
	f, err := os.CreateTemp("", "bench-entries-")
	if err != nil {
		return nil, err
	}
	_, err = io.CopyN(f, rand.Reader, int64(c.entries)*int64(c.size))
	return f, errors.Join(err, os.Remove(f.Name()))
}

// drive adds the entries from all clients at once.
func drive(ctx context.Context, c options, entries io.ReaderAt, s system) (result, error) {
	var next, done atomic.Int64
	var took latencies
	errs := make([]error, c.clients)
	used, start := cpuTime(), time.Now()
	client := func() error {
		for {
			i := next.Add(1) - 1
			if i >= int64(c.entries) || time.Since(start) > c.limit {
				return nil
			}
			entry := make([]byte, c.size)
			if _, err := entries.ReadAt(entry, i*int64(c.size)); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
			began := time.Now()
			if err := s.add(ctx, entry); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
			took.add(time.Since(began))
			done.Add(1)
		}
	}
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = client() })
	}
	wg.Wait()
	elapsed, cpu := time.Since(start), cpuTime()-used
	n := done.Load()
	if err := errors.Join(errs...); err != nil || n == 0 {
		return result{}, errors.Join(errors.New("the load did not end well"), err)
	}
	return result{
		System: c.system, Clients: c.clients, Entries: int(n),
		PerS: float64(n) / elapsed.Seconds(), CPU: cpu.Seconds(),
		P50: took.quantile(0.5), P99: took.quantile(0.99),
	}, nil
}

// latencies counts durations in buckets of 1/32 of a power of two of
// nanoseconds, so a quantile is exact to 3 %.
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

// diskUse is how many bytes of the disk the files below dir take.
func diskUse(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			total += s.Blocks * 512
		}
		return nil
	})
	return total, err
}

// peakMemory is the peak of this process's resident set, in 10^6 bytes. What
// getrusage says is not it: that is inherited from the process that started us.
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, found := bytes.Cut(status, []byte("VmHWM:"))
	var kib float64
	if _, err := fmt.Sscan(string(after), &kib); err != nil || !found {
		return 0, errors.New("/proc/self/status does not tell the peak of the memory")
	}
	return kib * 1024 / 1e6, nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
