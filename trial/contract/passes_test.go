package contract_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// naive is the root of a tree's present leaves, hashed from all of them.
func (b *bench) naive(name string) field.Root {
	b.tb.Helper()
	leaves := consent.Leaves(b.stream, name)
	elements := make([]field.Element, len(leaves))
	for i, l := range leaves {
		if l == (field.Leaf{}) {
			continue
		}
		e, err := l.Element()
		if err != nil {
			b.tb.Fatal(err)
		}
		elements[i] = e
	}
	t, err := tree.Build(tree.Depth, elements)
	if err != nil {
		b.tb.Fatal(err)
	}
	return field.RootOf(t.Root())
}

// seen is a root of the passes that devices saw when a block ended.
type seen struct {
	root    field.Root
	zeroing int // of the passes before it
}

// blocks is a trial whose blocks hold several consents, withdrawals and visits.
type blocks struct {
	*bench
	r         *rand.Rand
	consented []string
	enrolled  []string
	seen      []seen
	zeroings  []int64 // their times
	visits    uint32
}

// step performs one transaction of a block.
func (b *blocks) step() {
	b.tb.Helper()
	switch k := b.r.IntN(6); {
	case k < 3 && len(b.enrolled) > 0:
		name := b.enrolled[0]
		b.must(b.perform(b.consent(name, 1)))
		b.enrolled, b.consented = b.enrolled[1:], append(b.consented, name)
	case k == 3 && len(b.consented) > 1: // the last pass stays: without it an old root would be new again
		b.must(b.perform(b.withdrawal(b.consented[0], 1, 1)))
		b.consented = b.consented[1:]
		b.zeroings = append(b.zeroings, b.now)
	case k > 3 && len(b.consented) > 0 && len(b.seen) > 0:
		b.visit(b.seen[b.r.IntN(len(b.seen))])
	}
}

// visit enters a visit against a root that devices saw: it is accepted unless a
// pass was zeroed since, longer ago than the recording delay.
func (b *blocks) visit(s seen) {
	b.tb.Helper()
	b.visits++
	t := b.entry(b.consented[0], 1, act.Visit, "A", "rescue", b.visits, "pass-1")
	t.Proven.Root = s.root
	want := trial.Code(0)
	if s.zeroing < len(b.zeroings) && b.zeroings[s.zeroing] < b.now {
		want = trial.RootExpired
	}
	if o := b.enterEntry(t, "A"); o.Code != want {
		b.tb.Fatalf("block %d: a root after %d of %d zeroings: %d %s, want %d", b.height, s.zeroing, len(b.zeroings), o.Code, o.Text, want)
	}
}

// TestRootsOfBlocks: passes are hashed after their block, and every root that a
// block left is accepted until a pass is zeroed, in whatever order consents,
// withdrawals and visits share blocks.
func TestRootsOfBlocks(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		b := &blocks{bench: started(t), r: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // a test's own choices
		for i := range 40 {
			name := fmt.Sprint("P", i)
			b.must(b.enrol(name, "A", 1))
			b.enrolled = append(b.enrolled, name)
		}
		b.height = b.count
		for range 20 {
			b.height++
			b.now += 25 * hour // past the recording delay
			for range b.r.IntN(8) {
				b.step()
			}
			if now := b.root("pass-1"); now != b.naive("pass-1") && len(b.consented) > 0 {
				t.Fatalf("seed %d, block %d: the root is not that of the leaves", seed, b.height)
			}
			if len(b.consented) > 0 {
				b.seen = append(b.seen, seen{b.root("pass-1"), len(b.zeroings)})
			}
		}
		if len(b.zeroings) == 0 || b.visits == 0 || len(b.enrolled) > 25 {
			t.Fatalf("seed %d: %d zeroings, %d visits, %d never consented; it tests nothing", seed, len(b.zeroings), b.visits, len(b.enrolled))
		}
	}
}

// TestRootWithinABlockIsNone: nobody could have read a root that no block left.
func TestRootWithinABlockIsNone(t *testing.T) {
	t.Parallel()
	b := started(t)
	for _, p := range []string{"P", "Q", "R"} {
		b.must(b.enrol(p, "A", 1))
	}
	b.height = b.count + 1
	b.must(b.perform(b.consent("P", 1)))
	within := b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1")
	b.must(b.perform(b.consent("Q", 1)))
	left := b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1")
	b.height++
	b.must(b.perform(b.consent("R", 1)))
	if o := b.enterEntry(within, "A"); o.Code != trial.UnknownRoot {
		t.Fatalf("a root within a block: %d %s", o.Code, o.Text)
	}
	b.must(b.enterEntry(left, "A"))
}

// TestOpeningHashesSetsAsOneByOne: a set that an opening fills at once has the
// root that its leaves have.
func TestOpeningHashesSetsAsOneByOne(t *testing.T) {
	t.Parallel()
	b := started(t)
	for i := range 20 {
		b.must(b.enrol(fmt.Sprint("P", i), "A", 1))
	}
	b.next(2, true, "A", "B")
	b.must(b.remove("P3", "A", trial.ByWord, said("1-", "2-")...))
	for _, name := range []string{"N-1", "E-2", "X-1-2"} {
		if b.root(name) != b.naive(name) {
			t.Errorf("%s: not the root of its leaves", name)
		}
	}
}
