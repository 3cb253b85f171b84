package sim

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
)

var (
	seed  = flag.Uint64("sim.seed", 0, "live this one life")
	steps = flag.Int("sim.steps", 0, "of so many steps; 0: 100, in the long form 1000")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestFault14Simulation lives lives. One that fails is lived again with
//
//	go test ./ledger/sim -run Fault14Simulation -sim.seed=… -sim.steps=… -v
func TestFault14Simulation(t *testing.T) {
	t.Parallel()
	c := Config{Steps: 100}
	seeds := uint64(3)
	if faulty.Long() {
		c.Steps, seeds = 1000, 40
	}
	if *steps > 0 {
		c.Steps = *steps
	}
	first := uint64(1)
	if *seed > 0 {
		first, seeds, c.Log = *seed, 1, t.Output()
	}
	var total Report
	for c.Seed = first; c.Seed < first+seeds; c.Seed++ {
		r, err := Run(limit(t), c)
		if err != nil {
			t.Errorf("%v\nagain: -sim.seed=%d -sim.steps=%d", err, c.Seed, c.Steps)
		}
		total.Blocks += r.Blocks
		total.Transactions += r.Transactions
		total.Acknowledged += r.Acknowledged
		total.Restarts += r.Restarts
		total.Cuts += r.Cuts
		total.Errors += r.Errors
	}
	t.Logf("%d lives of %d steps: %+v", seeds, c.Steps, total)
	if *seed == 0 && (total.Cuts == 0 || total.Restarts == 0 || total.Errors == 0 || total.Transactions < 100) {
		t.Errorf("uneventful lives: %+v", total)
	}
}

// forgetful is a machine that takes what is taken.
type forgetful struct{ *toy.Machine }

func (f forgetful) Execute(p engine.Pending, directory state.View, stream state.Store) engine.Result {
	r := f.Machine.Execute(p, directory, stream)
	if r.Code == toy.Taken {
		stream.Delete([]byte("scratch"))
		return engine.Result{}
	}
	return r
}

// The controls: a life on a disk that does not sync, and one by other rules than
// the model's, end with what is wrong.
func TestFault14Control(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		Config
		want string
	}{
		"a disk that lies": {Config{Lies: true}, errChanged.Error()},
		"other rules":      {Config{Machine: forgetful{new(toy.Machine)}}, "by the model"},
	} {
		c.Seed, c.Steps = 1, 400
		if r, err := Run(limit(t), c.Config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}
