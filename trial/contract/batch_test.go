package contract

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
)

// slow is a verifier for which a proof holds when its first byte is even. It
// keeps the first caller until release, so that others gather behind it.
type slow struct {
	release chan struct{}
	singles atomic.Int64
	batches atomic.Int64
	panics  atomic.Bool
}

var errOdd = errors.New("odd")

func (s *slow) Verify(p verifier.Proof, _ verifier.Statement) error {
	s.singles.Add(1)
	if s.release != nil {
		<-s.release
	}
	if s.panics.Load() {
		panic("a fault in the verifier")
	}
	if p[0]%2 != 0 {
		return errOdd
	}
	return nil
}

func (s *slow) VerifyBatch(items []verifier.Item) (bad []int) {
	s.batches.Add(1)
	for i, item := range items {
		if item.Proof[0]%2 != 0 {
			bad = append(bad, i)
		}
	}
	return bad
}

func numbered(first byte, n int) *verifier.Item {
	return &verifier.Item{Proof: verifier.Proof{first}, Statement: verifier.Statement{Account: field.Account{31: byte(n), 30: byte(n >> 8)}}}
}

func just(item *verifier.Item) []*verifier.Item { return []*verifier.Item{item} }

// Whoever knocks together gets each their own verdict, and many together cost
// one batch.
func TestDoorGivesEachTheirVerdict(t *testing.T) {
	t.Parallel()
	v := &slow{release: make(chan struct{})}
	m := &Machine{config: Config{Verifier: v}}
	const n = 60
	errs := make([]error, n)
	var wg sync.WaitGroup
	knock := func(i int) { wg.Go(func() { errs[i] = m.admit(rule{}, just(numbered(byte(i%2), i))) }) }
	knock(0)
	for v.singles.Load() == 0 { // until it is at work, alone, it takes with it whoever waits
		runtime.Gosched()
	}
	for i := 1; i < n; i++ {
		knock(i)
	}
	for waiting := 0; waiting < n-1; runtime.Gosched() {
		m.door.mu.Lock()
		waiting = len(m.door.waiting)
		m.door.mu.Unlock()
	}
	close(v.release)
	wg.Wait()
	for i, err := range errs {
		if r := new(trial.Refusal); (err == nil) != (i%2 == 0) || err != nil && (!errors.As(err, &r) || r.Code != trial.ProofInvalid) {
			t.Errorf("caller %d: %v", i, err)
		}
		if held := m.proven.holds(numbered(byte(i%2), i)); held != (i%2 == 0) {
			t.Errorf("caller %d: remembered as proven: %t", i, held)
		}
	}
	// The first alone, then the bad ones of the batch alone.
	if b, s := v.batches.Load(), v.singles.Load(); b != 1 || s > n/2+1 {
		t.Errorf("%d batches and %d alone", b, s)
	}
	if m.door.working || m.door.waiting != nil {
		t.Error("the door is left at work")
	}
}

// Many proofs of one transaction knock together: the verdict is one, and names
// the first that does not hold. Those of others are not its matter.
func TestDoorWithManyProofs(t *testing.T) {
	t.Parallel()
	v := new(slow)
	m := &Machine{config: Config{Verifier: v}}
	r := rule{place: consent.At}
	many := func(from int, bad ...int) (items []*verifier.Item) {
		for i := range 40 {
			items = append(items, numbered(map[bool]byte{true: 1}[slices.Contains(bad, i)], from+i))
		}
		return items
	}
	for name, c := range map[string]struct {
		items []*verifier.Item
		place int
	}{"good": {many(0), -1}, "two bad": {many(100, 17, 30), 17}, "the last bad": {many(200, 39), 39}} {
		var text string
		if err := m.admit(r, c.items); err != nil {
			var refused *trial.Refusal
			if !errors.As(err, &refused) || refused.Code != trial.ProofInvalid {
				t.Fatalf("%s: %v", name, err)
			}
			text = refused.Text
		}
		if place, ok := consent.BadAct(text); ok != (c.place >= 0) || ok && place != c.place {
			t.Errorf("%s: place %d, %t: %s", name, place, ok, text)
		}
	}
	// Together each time, and alone no more than the first bad one of each.
	if b, s := v.batches.Load(), v.singles.Load(); b != 3 || s != 2 {
		t.Errorf("%d batches and %d alone", b, s)
	}
}

// What was verified counts for the same proof and the same statement only,
// whichever field of either differs.
func TestProvenIsForTheVeryStatement(t *testing.T) {
	t.Parallel()
	v := new(slow)
	m := &Machine{config: Config{Verifier: v}}
	if err := m.admit(rule{}, just(numbered(0, 1))); err != nil {
		t.Fatal(err)
	}
	others := []func(i *verifier.Item){
		func(i *verifier.Item) { i.Proof[127] ^= 1 },
		func(i *verifier.Item) { i.Statement.Root[0] ^= 1 },
		func(i *verifier.Item) { i.Statement.Context.SetUint64(1) },
		func(i *verifier.Item) { i.Statement.Account[0] ^= 1 },
		func(i *verifier.Item) { i.Statement.Message.SetUint64(1) },
		func(i *verifier.Item) { i.Statement.Min[7]++ },
		func(i *verifier.Item) { i.Statement.Max[0]++ },
	}
	for n, change := range others {
		item := numbered(0, 1)
		change(item)
		if m.proven.holds(item) {
			t.Errorf("change %d: counts as verified", n)
		}
	}
	before := v.singles.Load()
	if err := m.proves(rule{}, just(numbered(0, 1))); err != nil || v.singles.Load() != before {
		t.Errorf("the same again: %v, verified %d times more", err, v.singles.Load()-before)
	}
	if err := m.proves(rule{}, just(numbered(1, 1))); err == nil {
		t.Error("a proof that does not hold passed execution")
	}
}

// The memory is bounded; what it has lost is verified again.
func TestProvenForgets(t *testing.T) {
	t.Parallel()
	v := new(slow)
	m := &Machine{config: Config{Verifier: v}}
	for i := range 3 * remembered {
		m.proven.add(numbered(0, i))
	}
	if n := len(m.proven.young) + len(m.proven.aged); n > 2*remembered {
		t.Errorf("%d remembered", n)
	}
	if m.proven.holds(numbered(0, 0)) {
		t.Error("the first is still remembered")
	}
	if err := m.proves(rule{}, just(numbered(0, 0))); err != nil || v.singles.Load() != 1 {
		t.Errorf("%v, verified %d times", err, v.singles.Load())
	}
}

// A fault of the verifier lets nobody in, and does not lock the door.
func TestDoorAfterAFault(t *testing.T) {
	t.Parallel()
	v := new(slow)
	m := &Machine{config: Config{Verifier: v}}
	v.panics.Store(true)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the fault was hidden")
			}
		}()
		t.Errorf("admitted: %v", m.admit(rule{}, just(numbered(0, 1))))
	}()
	v.panics.Store(false)
	if m.proven.holds(numbered(0, 1)) {
		t.Error("remembered as proven")
	}
	if err := m.admit(rule{}, just(numbered(0, 1))); err != nil {
		t.Error(err)
	}
}
