package relay

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// life of a batch's envelope, in milliseconds.
const life = int64(60 * 60 * 1000)

// close forms the batches of the epochs that are over: one for each trial.
func (b *Batcher) close(now int64) error {
	present := b.epoch(now)
	b.mu.Lock()
	b.state.present(present)
	begun := now-b.context().EpochEnd(present-1) >= b.jitter // if present is 0, nothing is over
	over := present > b.state.closed && begun
	waiting := b.state.waiting(present)
	b.mu.Unlock()
	if !over {
		return nil
	}
	c := change{Closed: present}
	for _, id := range sortedTrials(waiting) {
		formed, finished, err := b.form(id, present-1, waiting[id], now)
		if err != nil { // the epoch stays open: the next tick asks again
			return fmt.Errorf("trial %s: %w", short(id), err)
		}
		c.Formed, c.Finished = append(c.Formed, formed...), append(c.Finished, finished...)
	}
	b.mu.Lock()
	b.draw()
	b.mu.Unlock()
	return b.commit(c)
}

func sortedTrials(m map[trial.ID][]*held) []trial.ID {
	ids := make([]trial.ID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b trial.ID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

// form chooses what of a trial's acts goes out now, in the batch that closes an
// epoch. What the ledger has already is finished: its device sent it by another way.
func (b *Batcher) form(id trial.ID, epoch uint64, acts []*held, now int64) (formed []batch, finished []actID, err error) {
	known, err := b.view.of(id)
	if err != nil {
		return nil, nil, err
	}
	var left []*held
	for _, h := range acts {
		if known.over(&h.act.Proven) {
			finished = append(finished, h.id)
		} else {
			left = append(left, h)
		}
	}
	p := b.pressure(now)
	p.leaving = leaving(left)
	chosen, why := due(firsts(left), known.versions, b.cfg.KMin, p)
	if len(chosen) == 0 {
		return nil, finished, nil
	}
	chosen = most(chosen)
	shuffle(chosen)
	b.cfg.Tell(fmt.Sprintf("trial %s, epoch %d: a batch of %d: %s", short(id), epoch, len(chosen), why))
	return []batch{newBatch(id, epoch, now+life, chosen)}, finished, nil
}

func newBatch(id trial.ID, epoch uint64, expiry int64, acts []*held) batch {
	x := batch{Trial: id, Epoch: epoch, Expiry: expiry}
	for _, h := range acts {
		x.Acts = append(x.Acts, h.id)
	}
	sum := wire.Sum("batch", bodyOf(&x, acts))
	x.Key = tx.Key(sum[:16])
	return x
}

func bodyOf(x *batch, acts []*held) []byte {
	body := consent.Batch{Epoch: x.Epoch}
	for _, h := range acts {
		body.Acts = append(body.Acts, h.act)
	}
	return wire.Marshal(body)
}

// firsts keeps the first act of each account: a later one follows from it, and
// an order within the batch would tell that they belong together. A withdrawal
// makes what would stand in its place moot.
func firsts(acts []*held) []*held {
	at := map[field.Account]int{}
	var out []*held
	for _, h := range acts {
		i, again := at[h.account()]
		switch {
		case !again:
			at[h.account()] = len(out)
			out = append(out, h)
		case earlier(&h.act.Proven.Act, &out[i].act.Proven.Act):
			out[i] = h
		}
	}
	return out
}

func earlier(x, y *act.Act) bool {
	if x.Sequence != y.Sequence {
		return x.Sequence < y.Sequence
	}
	return x.Kind == act.Withdraw && y.Kind != act.Withdraw
}

// leaving are the accounts that a withdrawal waits for.
func leaving(acts []*held) map[field.Account]bool {
	out := map[field.Account]bool{}
	for _, h := range acts {
		if h.act.Proven.Act.Kind == act.Withdraw {
			out[h.account()] = true
		}
	}
	return out
}

// most keeps as many acts as a batch may have, those that wait longest first.
func most(acts []*held) []*held {
	slices.SortStableFunc(acts, func(x, y *held) int { return cmp.Compare(x.epoch, y.epoch) })
	return acts[:min(consent.MaxBatch, len(acts))]
}

// pressure is when a batch that waits now would come too late, and whether the
// night's batch goes out now.
type pressure struct {
	now, next int64 // next: when the following batch may be in a block
	night     bool
	leaving   map[field.Account]bool
}

// slack is for the block that a batch comes into.
const slack = 5 * 60 * 1000

func (b *Batcher) pressure(now int64) pressure {
	c := b.context()
	present := c.EpochAt(now)
	start := c.EpochEnd(present) - int64(c.Epoch)*1000
	return pressure{
		now: now, next: c.EpochEnd(present) + max(0, b.cfg.Jitter.Milliseconds()) + slack,
		// The first epoch that begins on a day, or any that lasts one.
		night: trial.DayOf(start) != trial.DayOf(start-int64(c.Epoch)*1000),
	}
}

// due chooses the acts that go out. All do if they are enough. Else those do
// that cannot wait: for a version with a deadline before the next batch or
// behind it; each night, for one that everybody is asked for the first time;
// and a withdrawal, which names its leaf and so has nobody to hide among, with
// what must come before it.
func due(acts []*held, versions []Version, least int, p pressure) (chosen []*held, why string) {
	if len(acts) >= least {
		return acts, fmt.Sprintf("at least %d", least)
	}
	for _, h := range acts {
		if p.presses(h, versions) {
			chosen = append(chosen, h)
		}
	}
	return chosen, fmt.Sprintf("fewer than %d, which could not wait", least)
}

func (p pressure) presses(h *held, versions []Version) bool {
	a := &h.act.Proven.Act
	if p.leaving[h.account()] {
		return true
	}
	for _, v := range versions {
		if v.Version != a.Version && (a.Kind != act.Superseded || v.Version != a.Successor) {
			continue
		}
		if p.night && (v.First || h.first) || slices.ContainsFunc(v.Deadlines, func(d int64) bool { return d < p.next }) {
			return true
		}
	}
	return false
}

// shuffle puts acts into an order that tells nothing.
func shuffle(acts []*held) {
	for i := len(acts) - 1; i > 0; i-- {
		j := below(uint64(i + 1))
		acts[i], acts[j] = acts[j], acts[i]
	}
}

// below draws a number below n, each with the same chance.
func below(n uint64) uint64 {
	most := math.MaxUint64 - math.MaxUint64%n
	for {
		var b [8]byte
		rand.Read(b[:]) //nolint:errcheck // never fails (crypto/rand)
		if x := binary.BigEndian.Uint64(b[:]); x < most {
			return x % n
		}
	}
}

func short(id trial.ID) string { return id.String()[:12] }
