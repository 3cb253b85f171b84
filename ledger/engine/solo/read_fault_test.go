package solo

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// tabled is a disk whose ledger has lain in tables since it was opened, and what
// the ledger told.
func tabled(t *testing.T) (vfs.FS, *promises) {
	t.Helper()
	mem := vfs.NewMem()
	if err := mem.MkdirAll("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	told := newPromises()
	for run := range 2 { // the second open turns the first one's log into a table
		l, err := Open(onDisk(t, mem))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			raw := toy.GrantTx(toy.Key(2), 0)
			if i > 0 {
				raw = toy.Tx(toy.Key(2), toy.Add, toy.Stream(i%3), fmt.Sprint(i/2, strings.Repeat("x", 600)), uint64(run*100+i))
			}
			told.entered(enter(t, l, raw))
			told.saw(l.Head())
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return mem, told
}

// TestFault03ReadErrors: where a read fails, whoever reads is told; a block that
// cannot be executed for it stops the ledger; and nothing that is shown is wrong.
func TestFault03ReadErrors(t *testing.T) {
	t.Parallel()
	rounds := 12
	if faulty.Long() {
		rounds = 200
	}
	mem, told := tabled(t)
	failures, stops := 0, 0
	for round := range rounds {
		var reads, failing atomic.Int64
		fs := errorfs.Wrap(copied(t, mem), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if failing.Load() > 0 && op.Kind == errorfs.OpFileReadAt && reads.Add(1)%failing.Load() == 0 {
				return faulty.ErrIO
			}
			return nil
		}))
		if round%2 == 0 { // while it is opened, too
			failing.Store(int64(1 + round))
		}
		l, err := Open(onDisk(t, fs))
		if err != nil {
			if failures++; !errors.Is(err, faulty.ErrIO) {
				t.Errorf("round %d: opened with %v", round, err)
			}
			continue
		}
		failing.Store(int64(1 + round%3))
		for i := range 10 {
			_, err := enginetest.Enter(limit(t), l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(i%5), fmt.Sprint("new ", i), uint64(1000+i)))
			if err == nil {
				continue
			}
			failures++
			if errors.Is(err, engine.ErrStopped) {
				stops++
			} else if !errors.Is(err, faulty.ErrIO) {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if _, err := told.broken(l); errors.Is(err, errUntrue) {
			t.Errorf("round %d: %v", round, err)
		}
		if err := enginetest.Audit(l); err != nil {
			if failures++; !errors.Is(err, faulty.ErrIO) {
				t.Errorf("round %d: a read failed, and it looks like %v", round, err)
			}
		}
		failing.Store(0)
		_ = l.Close() // what a stopped ledger says is not the point
	}
	t.Logf("%d opens, submissions and audits failed, %d of them of a ledger that had stopped", failures, stops)
	if failures < rounds/3 {
		t.Errorf("%d failures; all was in memory", failures)
	}
}
