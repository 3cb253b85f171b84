package contract

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// proven remembers proofs that hold, each together with its whole statement. It
// speeds up, and cannot change, what execution decides: a proof counts as
// verified only for the very statement that execution builds again, and one
// that was forgotten is verified again.
type proven struct {
	recent[verifier.Item, struct{}]
}

func (p *proven) holds(item *verifier.Item) bool {
	_, ok := p.get(*item)
	return ok
}

func (p *proven) add(item *verifier.Item) { p.put(*item, struct{}{}) }

// Prepare verifies the proofs of a block together, against the statements as
// the state before the block makes them, but for those that hold already.
func (m *Machine) Prepare(view func(wire.StreamID) state.View, block []engine.Pending) {
	var items []*verifier.Item
	for _, p := range block {
		items = append(items, m.claimed(view, p)...)
	}
	m.verify(items)
}

// verify remembers those of the items that hold.
func (m *Machine) verify(items []*verifier.Item) {
	var open []verifier.Item
	for _, item := range items {
		if !m.proven.holds(item) {
			open = append(open, *item)
		}
	}
	bad := m.config.Verifier.VerifyBatch(open) // in ascending order
	for i := range open {
		if len(bad) > 0 && bad[0] == i {
			bad = bad[1:]
			continue
		}
		m.proven.add(&open[i])
	}
}

func (m *Machine) claimed(view func(wire.StreamID) state.View, p engine.Pending) []*verifier.Item {
	k, ok := KindOf(p.Envelope.Kind)
	if !ok {
		return nil
	}
	r, err := m.bodies.read(k, p.Envelope.Body)
	if err != nil || r.claims == nil || r.check() != nil {
		return nil
	}
	dir := view(wire.Directory)
	if _, err := m.context(p.Point, dir, p.Envelope); err != nil {
		return nil
	}
	items, err := r.claims(m.world(dir, state.NewOverlay(view(p.Envelope.Stream))))
	if err != nil {
		return nil
	}
	return items
}

// proves verifies the proofs of one transaction, but for those that are known to
// hold. Execution uses it, so it depends on nobody else's transactions, and
// verifies one by one what was not verified together before: without chance.
func (m *Machine) proves(r rule, items []*verifier.Item) error {
	for i, item := range items {
		if m.proven.holds(item) {
			continue
		}
		if err := m.config.Verifier.Verify(item.Proof, item.Statement); err != nil {
			err = trial.Refuse(trial.ProofInvalid, "proof: %v; the device makes it again from the present leaves", err)
			if r.place != nil {
				err = r.place(i, err)
			}
			return err
		}
		m.proven.add(item)
	}
	return nil
}

// door verifies together the proofs of transactions that knock at the same
// time. Who finds nobody at work works: it takes all who wait, and hands the
// work over to the first of those who came meanwhile. Where the last had
// company, who works first gives the next ones a moment to gather; an act that
// comes alone waits for nobody.
type door struct {
	mu      sync.Mutex
	working bool
	company bool // of the last who worked
	waiting []*caller
	proofs  int           // of those who wait
	full    chan struct{} // tells who works that enough wait
}

const (
	// enough proofs make a batch nearly as cheap as it gets; with 64
	// submitters, half are verified while the block of the others is made.
	enough = 32
	// moment is short beside the sync of a block, which every act waits for.
	moment = 2 * time.Millisecond
)

type caller struct {
	rule  rule
	items []*verifier.Item
	turn  chan struct{} // to do the work
	done  chan error    // the verdict
}

// errBroken is told to those whose verification ended without a verdict.
var errBroken = errors.New("contract: the verification of proofs broke off; send the transaction again")

// admit is [Machine.proves] for the door.
func (m *Machine) admit(r rule, items []*verifier.Item) error {
	if !slices.ContainsFunc(items, func(i *verifier.Item) bool { return !m.proven.holds(i) }) {
		return nil
	}
	me := &caller{rule: r, items: items, turn: make(chan struct{}, 1), done: make(chan error, 1)}
	m.door.enter(me)
	select {
	case err := <-me.done:
		return err
	case <-me.turn:
		m.work()
		return <-me.done
	}
}

// enter queues a caller, and gives it the turn when nobody is at work.
func (d *door) enter(c *caller) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = append(d.waiting, c)
	d.proofs += len(c.items)
	if d.full != nil && d.proofs >= enough {
		close(d.full)
		d.full = nil
	}
	if !d.working {
		d.working = true
		c.turn <- struct{}{}
	}
}

// leave gives the turn to the first who waits.
func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.working = len(d.waiting) > 0
	if d.working {
		d.waiting[0].turn <- struct{}{}
	}
}

// take returns all who wait, who works among them.
func (d *door) take() []*caller {
	d.gather()
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.waiting
	d.waiting, d.proofs, d.full, d.company = nil, 0, nil, len(all) > 1
	return all
}

func (d *door) gather() {
	d.mu.Lock()
	full := make(chan struct{})
	wait := d.company && d.proofs < enough
	if wait {
		d.full = full
	}
	d.mu.Unlock()
	if !wait {
		return
	}
	select {
	case <-full:
	case <-time.After(moment): //nolint:forbidigo // the door's pace: no verdict and no state depends on it
	}
}

// work verifies what waits. A batch only accepts: what it does not accept is
// verified alone, which decides and says why.
func (m *Machine) work() {
	callers := m.door.take()
	defer m.door.leave()
	defer func() {
		for _, c := range callers { // none, unless the verifier panicked
			c.done <- errBroken
		}
	}()
	m.together(callers)
	for len(callers) > 0 {
		err := m.proves(callers[0].rule, callers[0].items)
		callers[0].done <- err
		callers = callers[1:]
	}
}

func (m *Machine) together(callers []*caller) {
	var items []*verifier.Item
	for _, c := range callers {
		items = append(items, c.items...)
	}
	if len(items) > 1 {
		m.verify(items)
	}
}
