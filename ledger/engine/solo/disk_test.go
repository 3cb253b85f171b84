package solo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// onDisk is a configuration for a disk in memory.
func onDisk(t testing.TB, fs vfs.FS) Config {
	c := config(t)
	c.Dir, c.HeadFile, c.FS = "data", "keys/head", fs
	return c
}

// workload enters transactions one after another until one fails, and keeps
// what was told. After a failure nothing may succeed any more.
func workload(t *testing.T, l *Ledger, told *promises, n int) error {
	ctx := limit(t)
	body := strings.Repeat("x", 8<<10)
	var failed error
	for i := range n {
		raw := toy.GrantTx(toy.Key(2), 0)
		if i > 0 {
			raw = toy.Tx(toy.Key(2), toy.Note, toy.Stream(i%2), fmt.Sprint(body, i), uint64(i))
		}
		e, err := enginetest.Enter(ctx, l, raw)
		switch {
		case err == nil && failed != nil:
			t.Errorf("transaction %d was acknowledged after %v", i, failed)
		case err == nil:
			told.entered(e)
			told.saw(l.Head())
		case !errors.Is(err, engine.ErrStopped):
			t.Errorf("transaction %d: %v", i, err)
			return err
		default:
			failed = err
		}
	}
	if failed != nil && l.Err() == nil {
		t.Errorf("it failed with %v, and says nothing is wrong", failed)
	}
	return failed
}

// survives opens what a disk holds, faultless from now on, and holds it to what
// was told.
func survives(t *testing.T, fs vfs.FS, told *promises) (lost int) {
	l, err := Open(onDisk(t, fs))
	if err != nil {
		t.Errorf("opened again: %v", err)
		return 0
	}
	if lost, err = told.broken(l); err != nil {
		err = fmt.Errorf("opened again: %w", err)
	}
	if audit := enginetest.Audit(l); audit != nil {
		t.Errorf("opened again: %v", audit)
	}
	if lost == 0 {
		if _, err := enginetest.Enter(limit(t), l, toy.GrantTx(toy.Key(2), 99)); err != nil {
			t.Errorf("opened again, it takes nothing: %v", err)
		}
	}
	if closed := l.Close(); closed != nil {
		t.Error(closed)
	}
	return lost
}

// strike runs a ledger on a disk with one fault, and then what a disk may hold
// after a power cut right then. It reports whether the fault came to pass.
func strike(t *testing.T, f faulty.Fault, seed uint64) bool {
	t.Helper()
	mem := crashable(t)
	disk := faulty.New(mem)
	disk.Fail(&f)
	told := newPromises()
	l, err := Open(onDisk(t, disk))
	if err == nil {
		err = workload(t, l, told, 16)
		if e := l.Close(); e != nil && err == nil && !disk.Failed() {
			t.Errorf("%+v: closed with %v, though nothing failed", f, e)
		}
	}
	if err != nil && !disk.Failed() {
		t.Errorf("%+v: it failed without a fault: %v", f, err)
	}
	r := rand.New(rand.NewPCG(seed, 3))
	for _, unsynced := range []int{0, 50, 100} {
		if lost := survives(t, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: r}), told); lost > 0 {
			t.Errorf("%+v: with %d %% of what was not synced, %d promises are broken", f, unsynced, lost)
		}
	}
	return disk.Failed()
}

// TestFault03DiskErrors has every change of the disk fail in turn, once or for
// good, before it is done, half done, or done and reported as failed: the
// ledger acknowledges nothing after it, and has lost nothing of what it
// acknowledged before.
//
// Where the disk fails under what pebble writes in the background there is
// nobody to tell: pebble ends the process. So the faults strike another process
// than this one.
func TestFault03DiskErrors(t *testing.T) {
	t.Parallel()
	faults := diskFaults(t)
	struck, ended := 0, 0
	for next := 0; next < len(faults); {
		cmd := exec.CommandContext(limit(t), os.Args[0], "-test.run=^TestFault03Strike$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("TRIALITH_STRIKE=%d", next))
		out, err := cmd.CombinedOutput()
		struck += strings.Count(string(out), "struck\n")
		next += strings.Count(string(out), "struck\n") + strings.Count(string(out), "missed\n")
		if err == nil {
			break
		}
		if next == len(faults) || !strings.Contains(string(out), "panic: ") {
			t.Fatalf("%v\n%s", err, out)
		}
		f := faults[next]
		if !slices.ContainsFunc([]string{f.Err.Error(), "Errno", "rotateWAL"}, func(s string) bool { return strings.Contains(string(out), s) }) {
			t.Fatalf("%+v: the process ended for another reason: %v\n%s", f, err, out)
		}
		ended++
		next++
	}
	t.Logf("%d faults, of which %d struck, and %d ended the process", len(faults), struck+ended, ended)
	if struck < len(faults)/2 {
		t.Errorf("%d of %d faults struck; the sweep misses the disk", struck, len(faults))
	}
}

// diskFaults are the faults of the sweep, the same in every process.
func diskFaults(t *testing.T) (out []faulty.Fault) {
	disk := faulty.New(crashable(t))
	l, err := Open(onDisk(t, disk))
	if err != nil {
		t.Fatal(err)
	}
	if err := workload(t, l, newPromises(), 16); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	const total = 160 // about as many changes does a run make
	if n := disk.Changes(); n < total/2 || n > total*2 {
		t.Fatalf("a run makes %d changes", n)
	}
	r := rand.New(rand.NewPCG(3, 3))
	step := int64(8)
	if faulty.Long() {
		step = 1
	}
	for at := int64(1); at <= total; at += step {
		for _, mode := range []faulty.Mode{faulty.Before, faulty.Half, faulty.After} {
			f := faulty.Fault{At: at + r.Int64N(step), Mode: mode, Lasting: r.IntN(2) == 0, Err: faulty.ErrIO}
			if r.IntN(2) == 0 {
				f.Err = faulty.ErrSpace
			}
			out = append(out, f)
		}
	}
	return out
}

// TestFault03Strike is the other process, from a fault on.
func TestFault03Strike(t *testing.T) {
	from, err := strconv.Atoi(os.Getenv("TRIALITH_STRIKE"))
	if err != nil {
		t.Skip("run by TestFault03DiskErrors")
	}
	for i, f := range diskFaults(t)[from:] {
		word := "missed"
		if strike(t, f, uint64(i)) {
			word = "struck"
		}
		if t.Failed() {
			t.FailNow()
		}
		fmt.Println(word)
	}
}

// The control: a disk that says that it synced and did not. What the ledger
// acknowledged must then be missed, else the test above would not notice.
func TestFault03Control(t *testing.T) {
	t.Parallel()
	mem := crashable(t)
	disk := faulty.New(mem)
	disk.Lie()
	c := onDisk(t, disk)
	c.HeadFile = ""
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	told := newPromises()
	if err := workload(t, l, told, 16); err != nil {
		t.Fatal(err)
	}
	after := mem.CrashClone(vfs.CrashCloneCfg{})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := after.MkdirAll("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	if survives(t, after, told) == 0 {
		t.Error("nothing was lost on a disk that does not sync")
	}
}

// TestFault04DiskFull: without room the ledger stops and says so; with room
// again it goes on from where it was.
func TestFault04DiskFull(t *testing.T) {
	t.Parallel()
	for _, room := range []int64{0, 600 << 10, 660 << 10, 1200 << 10} {
		h := &home{t: t, dir: t.TempDir()}
		h.live(fmt.Sprintf("TRIALITH_ROOM=%d", room)) // it fills up
		h.live("TRIALITH_ROOM=0")                     // and is opened while it is full
		if told := h.check(); room > 0 && told < 20 {
			t.Errorf("room for %d bytes: %d transactions were acknowledged", room, told)
		}
	}
}

// TestFault03Background: where the disk fails under what pebble writes in the
// background the process ends. What it had acknowledged is there when the next
// one opens the directory.
func TestFault03Background(t *testing.T) {
	t.Parallel()
	h := &home{t: t, dir: t.TempDir()}
	for range 3 {
		before := len(h.told)
		h.live("TRIALITH_MANIFEST=full")
		h.check()
		if len(h.told) < before+10 {
			t.Errorf("%d transactions were acknowledged before the disk failed", len(h.told)-before)
		}
	}
}

// home is a directory in which ledgers live, each in a process of its own.
type home struct {
	t    *testing.T
	dir  string
	runs int
	told []wire.TxHash
}

// live runs one until its disk fails, and keeps what it acknowledged.
func (h *home) live(env string) {
	h.t.Helper()
	h.runs++
	cmd := exec.CommandContext(limit(h.t), os.Args[0])
	cmd.Env = append(os.Environ(), "TRIALITH_HOME="+h.dir, fmt.Sprintf("TRIALITH_RUN=%d", h.runs), env)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil || !strings.Contains(stderr.String(), faulty.ErrSpace.Error()) {
		h.t.Fatalf("%s: the process ended with %v: %s", env, err, &stderr)
	}
	for word := range strings.FieldsSeq(string(out)) {
		var hash wire.TxHash
		if err := hash.UnmarshalText([]byte(word)); err != nil {
			h.t.Fatal(err)
		}
		h.told = append(h.told, hash)
	}
}

// check opens the directory on a disk that is well, and says how many
// transactions were acknowledged.
func (h *home) check() int {
	h.t.Helper()
	c := config(h.t)
	c.Dir, c.HeadFile = filepath.Join(h.dir, "data"), filepath.Join(h.dir, "head")
	l := open(h.t, c)
	for _, hash := range h.told {
		if _, err := l.Entry(hash); err != nil {
			h.t.Errorf("%v was acknowledged: %v", hash, err)
		}
	}
	audit(h.t, l)
	enter(h.t, l, toy.GrantTx(toy.Key(2), 0))
	if err := l.Close(); err != nil {
		h.t.Fatal(err)
	}
	return len(h.told)
}

// liveMain is the process: it enters transactions and tells of each, until its
// disk fails.
func liveMain(dir string) error {
	disk := faulty.New(vfs.Default)
	if room, err := strconv.ParseInt(os.Getenv("TRIALITH_ROOM"), 10, 64); err == nil {
		disk.Room(room)
	}
	var full atomic.Bool
	l, err := Open(Config{
		Dir: filepath.Join(dir, "data"), HeadFile: filepath.Join(dir, "head"), Key: toy.Key(0), Machine: new(toy.Machine),
		Genesis: toy.Genesis(), MemTable: 256 << 10,
		FS: errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if full.Load() && op.Kind == errorfs.OpFileWrite && strings.Contains(op.Path, "MANIFEST") {
				return faulty.ErrSpace
			}
			return nil
		})),
	})
	full.Store(os.Getenv("TRIALITH_MANIFEST") != "")
	for i := 0; err == nil; i++ {
		raw := toy.GrantTx(toy.Key(2), 0)
		if i > 0 {
			raw = toy.Tx(toy.Key(2), toy.Note, wire.StreamID(wire.Sum("run", os.Getenv("TRIALITH_RUN"))), strings.Repeat("x", 2<<10), uint64(i))
		}
		var e engine.Entry
		if e, err = enginetest.Enter(context.Background(), l, raw); err == nil {
			fmt.Println(e.Hash)
		}
	}
	return err
}

// TestFault19SlowDisk: on a disk that is too slow for its callers the queue
// stays within its limit, who does not fit is told to come again, and who was
// let in gets in.
func TestFault19SlowDisk(t *testing.T) {
	t.Parallel()
	disk := faulty.New(vfs.NewMem())
	if err := disk.MkdirAll("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	c := onDisk(t, disk)
	c.MaxQueue, c.MemTable = 16, 1<<20
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 0))
	disk.Slow(2 * time.Millisecond)
	var busy, entered atomic.Int64
	var wg sync.WaitGroup
	ctx := limit(t)
	for i := range 64 {
		wg.Go(func() {
			for j := range 4 {
				_, err := enginetest.Enter(ctx, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(i), "slow", uint64(10*i+j+1)))
				switch {
				case err == nil:
					entered.Add(1)
				case errors.Is(err, engine.ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if busy.Load() == 0 || entered.Load() == 0 {
		t.Errorf("%d entered, %d were told that the queue is full; the disk is not slow", entered.Load(), busy.Load())
	}
	if n := l.LogSize(); n != uint64(entered.Load())+1 {
		t.Errorf("%d transactions in the log, %d were acknowledged", n, entered.Load()+1)
	}
	audit(t, l)
}

// unchecked is a state machine that admits whatever comes, so that a test can
// send much without signing it.
type unchecked struct{ *toy.Machine }

func (unchecked) Check(engine.Point, state.View, state.View, *tx.Envelope) error { return nil }

// flood makes a transaction of 4 KB by one of many signers.
func flood(n int) []byte {
	e := tx.Envelope{
		Version: tx.Version, Ledger: toy.Genesis().ID(), Kind: toy.Note, Stream: toy.Stream(1), Key: wire.KeyID{byte(n), byte(n >> 8)},
		Expiry: toy.Far, Body: make([]byte, 4<<10),
	}
	binary.BigEndian.PutUint64(e.Idempotency[:], uint64(n))
	return e.Encode()
}

// overloaded submits n transactions to a ledger whose committer does not move,
// and returns how many were let in, and by how much the heap grew.
func overloaded(t *testing.T, c Config, n int) (admitted int, grown int64) {
	hold := make(chan struct{})
	c.Machine = unchecked{&toy.Machine{Hold: hold}}
	l := open(t, c)
	before := heap()
	for i := range n {
		switch _, err := l.Submit(context.Background(), flood(i)); {
		case err == nil:
			admitted++
		case !errors.Is(err, engine.ErrBusy):
			t.Fatal(err)
		}
	}
	grown = heap() - before
	close(hold)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return admitted, grown
}

// heap is what is reachable now.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestFault19Overload: whoever sends more than the ledger can take, in number or
// in bytes, costs it nothing. It does not run beside other tests: it counts the
// heap. The control lets in all.
func TestFault19Overload(t *testing.T) {
	const n = 2000
	few := config(t)
	few.MaxQueue = 64
	admitted, byNumber := overloaded(t, few, n)
	if admitted != few.MaxQueue {
		t.Errorf("%d were let in, %d fit", admitted, few.MaxQueue)
	}
	small := config(t)
	small.MaxQueueBytes = 256 << 10
	fit, byBytes := overloaded(t, small, n)
	if most := small.MaxQueueBytes / len(flood(0)); fit != most {
		t.Errorf("%d were let in, %d bytes fit %d", fit, small.MaxQueueBytes, most)
	}
	all := config(t)
	all.MaxQueue = n
	if admitted, everything := overloaded(t, all, n); admitted != n || byNumber > everything/4 || byBytes > everything/4 {
		t.Errorf("the heap grew by %d and %d bytes with a bounded queue, by %d with %d let in", byNumber, byBytes, everything, admitted)
	}
}
