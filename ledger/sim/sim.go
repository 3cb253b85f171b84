// Package sim lives a ledger's life from one seed: clients who send what is
// right, wrong, late, twice or too much, a clock that jumps, power cuts, disks
// that fail, and restarts. After each it holds the ledger to all it has told
// anyone, and to a model of its own.
//
// A seed gives the same plan every time. Goroutines do not run in the same order
// every time, so that a failure may need its seed more than once.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
)

// Config says which life.
type Config struct {
	Seed  uint64
	Steps int
	Log   io.Writer // told of each step; nil: nobody is

	// What follows is there for the tests that show what a simulation finds.
	Machine engine.StateMachine // nil: the one that the model knows
	Lies    bool                // the disk does not sync its logs when it says so
}

// Report is what there was in a life.
type Report struct {
	Blocks, Transactions uint64
	Acknowledged         int
	Backups              int // taken under load and restored
	Restarts             int // in order
	Cuts                 int // of the power
	Errors               int // of the disk, after which the ledger stopped
}

// Run lives a life. It returns what is wrong with the ledger, and at which step.
func Run(ctx context.Context, c Config) (Report, error) {
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Machine == nil {
		c.Machine = new(toy.Machine)
	}
	w := &world{
		Config: c, ctx: ctx, mem: vfs.NewCrashableMem(),
		plan:  rand.New(rand.NewPCG(c.Seed, 0)), //nolint:gosec // a life is to be lived again
		model: newModel(), follower: new(enginetest.Recorder),
	}
	w.clock.T.Store(toy.Genesis().Time + 1)
	err := w.begin()
	for step := 0; err == nil && step < c.Steps; step++ {
		if err = w.step(step); err != nil {
			err = fmt.Errorf("step %d: %w", step, err)
		}
	}
	if err == nil {
		err = w.settle()
	}
	if err == nil {
		err = w.examine()
	}
	if w.ledger != nil {
		w.report.Acknowledged = len(w.model.entries)
		w.report.Blocks, w.report.Transactions = w.ledger.Head().Height, w.ledger.Head().Size()
		err = errors.Join(err, w.ledger.Close())
	}
	if err != nil {
		err = fmt.Errorf("seed %d: %w", c.Seed, err)
	}
	return w.report, err
}

// world is a ledger and what is around it.
type world struct {
	Config
	ctx      context.Context
	plan     *rand.Rand // the main goroutine's alone
	mem      *vfs.MemFS
	disk     *faulty.Disk
	clock    toy.Clock
	ledger   *solo.Ledger
	follower *enginetest.Recorder
	model    *model
	report   Report
	serial   uint64
}

// begin makes the directory of the keys, which the disk keeps, and opens.
func (w *world) begin() error {
	if err := w.mem.MkdirAll("keys", 0o700); err != nil {
		return err
	}
	root, err := w.mem.OpenDir("")
	if err != nil {
		return err
	}
	if err := errors.Join(root.Sync(), root.Close()); err != nil {
		return err
	}
	return w.open()
}

// open starts the ledger on what the disk holds, and examines it.
func (w *world) open() error {
	w.disk = faulty.New(w.mem)
	head := "keys/head"
	if w.Lies {
		w.disk.Lie()
		head = "" // it would find the lie before the model does
	}
	l, err := solo.Open(solo.Config{
		Dir: "data", HeadFile: head, Key: toy.Key(0), KeyOf: nodeKey, Clock: &w.clock, Machine: w.Machine, Genesis: toy.Genesis(),
		Followers: []engine.Follower{w.follower}, FS: w.disk, MaxQueue: 256,
	})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	w.ledger = l
	return w.examine()
}

// fsck examines the closed directory: nothing that this world does damages it.
func (w *world) fsck() error {
	if w.Lies { // then there is something to find
		return nil
	}
	f, err := solo.Fsck("data", "keys/head", toy.Genesis(), store.FsckOptions{FS: w.mem, Replay: w.Machine})
	if err != nil {
		return fmt.Errorf("fsck: %w", err)
	}
	if first, any := f.First(); any {
		return fmt.Errorf("fsck: %d findings, the first: %v", len(f.Found), first)
	}
	return nil
}

// n draws a number below limit. It takes one draw, whatever the limit, so that
// the plan does not depend on what the ledger did.
func (w *world) n(limit int) int { return int(w.plan.Uint64() % uint64(max(1, limit))) }

// action is what can happen, and how often it does.
type action struct {
	name   string
	weight int
	run    func(*world) error
}

var actions = []action{
	{"one", 30, (*world).one},
	{"burst", 16, (*world).burst},
	{"again", 8, (*world).again},
	{"another under a used key", 6, (*world).usedKey},
	{"grant", 4, (*world).grant},
	{"rotate the node's key", 2, (*world).rotate},
	{"stranger", 3, (*world).stranger},
	{"late", 3, (*world).late},
	{"garbage", 3, (*world).garbage},
	{"clock", 6, (*world).jump},
	{"proofs", 6, (*world).proofs},
	{"backup", 2, (*world).backup},
	{"restart", 3, (*world).restart},
	{"power cut", 4, (*world).powerCut},
	{"power cut under load", 5, (*world).powerCutUnderLoad},
	{"disk error", 3, (*world).diskError},
}

// step does one of the actions.
func (w *world) step(i int) error {
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	at := w.n(total)
	for _, a := range actions {
		if at -= a.weight; at < 0 {
			fmt.Fprintf(w.Log, "%d: %s, at height %d\n", i, a.name, w.ledger.Head().Height)
			if err := a.run(w); err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			return nil
		}
	}
	return nil
}

// settle waits for what nobody waited for, so that the ledger stands still.
func (w *world) settle() error {
	for _, hash := range w.model.unsettled() {
		e, err := w.ledger.Wait(w.ctx, hash)
		if err == nil {
			w.model.told(e)
		} else if !errors.Is(err, engine.ErrUnknown) { // refused, or lost in a power cut
			return err
		}
	}
	return nil
}

// examine holds the ledger to everything. It must stand still.
func (w *world) examine() error {
	if err := w.ledger.CatchUp(w.ctx); err != nil {
		return err
	}
	if err := w.follower.Check(w.ledger); err != nil {
		return fmt.Errorf("follower: %w", err)
	}
	if err := enginetest.Audit(w.ledger); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return w.model.check(w.ledger)
}
