package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, o enginetest.Options) engine.Engine {
	t.Helper()
	l, err := solo.Open(solo.Config{
		Dir: filepath.Join(o.Dir, "data"), Key: o.Key, Genesis: o.Genesis, Machine: o.Machine, Clock: o.Clock,
		Followers: o.Followers, MaxQueue: o.MaxQueue, MemTable: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

// TestEachCaseBites gives each case an engine that breaks what the case is
// about, and the case must fail.
func TestEachCaseBites(t *testing.T) {
	t.Parallel()
	bitten := map[string]bool{}
	for _, f := range faults() {
		for _, name := range f.fails {
			bitten[name] = true
			i := slices.IndexFunc(enginetest.Cases(), func(c enginetest.Case) bool { return c.Name == name })
			if i < 0 {
				t.Fatalf("there is no case %s", name)
			}
			c := enginetest.Cases()[i]
			t.Run(f.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := &probe{TB: t}
				p.run(func() { c.Run(p, f.open) })
				if !p.failed.Load() {
					t.Error("the case passes an engine that is broken")
				}
			})
		}
	}
	for _, c := range enginetest.Cases() {
		if !bitten[c.Name] {
			t.Errorf("no broken engine shows that the case %s can fail", c.Name)
		}
	}
}

// probe is a test that may fail without failing the one around it.
type probe struct {
	testing.TB
	failed   atomic.Bool
	mu       sync.Mutex
	cleanups []func()
}

// run calls fn as a test's goroutine does, and then what it left to clean up.
func (p *probe) run(fn func()) {
	p.alone(fn)
	for _, c := range slices.Backward(p.cleanups) {
		p.alone(c)
	}
}

// alone survives a FailNow, which ends the goroutine, and a panic.
func (p *probe) alone(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				p.failed.Store(true)
			}
		}()
		fn()
	}()
	<-done
}

func (p *probe) Helper() {}

func (p *probe) Cleanup(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, fn)
}

func (p *probe) Failed() bool          { return p.failed.Load() }
func (p *probe) Fail()                 { p.failed.Store(true) }
func (p *probe) Error(...any)          { p.Fail() }
func (p *probe) Errorf(string, ...any) { p.Fail() }
func (p *probe) Fatal(...any)          { p.FailNow() }
func (p *probe) Fatalf(string, ...any) { p.FailNow() }

func (p *probe) FailNow() {
	p.Fail()
	panic(errFailNow)
}

var errFailNow = errors.New("the test has failed")

// fault is an engine broken in one way, and the cases that find it.
type fault struct {
	name  string
	open  enginetest.Open
	fails []string
}

// wrapped opens solo inside a broken engine.
func wrapped(wrap func(engine.Engine) engine.Engine) enginetest.Open {
	return func(t testing.TB, o enginetest.Options) engine.Engine { return wrap(open(t, o)) }
}

// altered opens solo with other options than it was asked for.
func altered(alter func(*enginetest.Options)) enginetest.Open {
	return func(t testing.TB, o enginetest.Options) engine.Engine {
		alter(&o)
		return open(t, o)
	}
}

func followersAs(as func(engine.Follower) engine.Follower) enginetest.Open {
	return altered(func(o *enginetest.Options) {
		o.Followers = slices.Clone(o.Followers)
		for i, f := range o.Followers {
			o.Followers[i] = as(f)
		}
	})
}

func faults() []fault {
	var homes atomic.Int64
	return []fault{
		{"finds what is not there", wrapped(func(e engine.Engine) engine.Engine { return finder{e} }), []string{"Empty", "Cancelled"}},
		{"head lags", wrapped(func(e engine.Engine) engine.Engine { return &laggard{Engine: e} }), []string{"OneTransaction", "ReadYourWrites", "Linearizable"}},
		{"swaps", wrapped(func(e engine.Engine) engine.Engine { return &swapper{Engine: e} }), []string{"Order"}},
		{"says yes", wrapped(func(e engine.Engine) engine.Engine { return yes{e} }), []string{"Refusals", "SubmitErrors", "Idempotency", "IdempotencyInTheQueue", "IdempotencyAfterRestart", "Busy", "Closed"}},
		{"loses", wrapped(func(e engine.Engine) engine.Engine { return &loser{Engine: e} }), []string{"CloseDrains", "ManySubmitters"}},
		{"tells other codes and times", wrapped(func(e engine.Engine) engine.Engine { return liar{e} }), []string{"TooLarge", "TimeIsMonotone", "ExpiryInTheQueue"}},
		{"trials first", wrapped(func(e engine.Engine) engine.Engine { return backwards{e} }), []string{"DirectoryFirst"}},
		{"forgets at a restart", altered(func(o *enginetest.Options) { o.Dir = filepath.Join(o.Dir, fmt.Sprint(homes.Add(1))) }), []string{"Restart", "IdempotencyAfterRestart", "Consistency", "FollowersAfterRestart", "CloseDrains"}},
		{"another's receipt", wrapped(func(e engine.Engine) engine.Engine { return &mixer{Engine: e} }), []string{"Receipts", "StreamProofs", "ReadYourWrites"}},
		{"another's proof", wrapped(func(e engine.Engine) engine.Engine { return prover{e} }), []string{"Consistency", "Receipts"}},
		{"tells twice", followersAs(func(f engine.Follower) engine.Follower { return twice{f} }), []string{"Followers", "FollowersAfterRestart"}},
		{"tells less", followersAs(func(f engine.Follower) engine.Follower { return &skipper{Follower: f} }), []string{"Followers", "FollowersAfterRestart"}},
		{"hides a failure", followersAs(func(f engine.Follower) engine.Follower { return silent{f} }), []string{"FollowerFails"}},
		{"random machine", altered(func(o *enginetest.Options) { o.Machine = &dice{StateMachine: o.Machine} }), []string{"Reexecution"}},
	}
}

type finder struct{ engine.Engine }

func (f finder) Entry(h wire.TxHash) (engine.Entry, error) { return engine.Entry{Hash: h}, nil }

// laggard shows the head before the last.
type laggard struct {
	engine.Engine
	mu        sync.Mutex
	last, now chain.Header
}

func (l *laggard) Head() chain.Header {
	h := l.Engine.Head()
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.Height > l.now.Height {
		l.last, l.now = l.now, h
	}
	return l.last
}

// swapper lets the second of two go first.
type swapper struct {
	engine.Engine
	held []byte
}

func (s *swapper) Submit(ctx context.Context, raw []byte) (wire.TxHash, error) {
	if e, err := tx.Decode(raw); err != nil || e.Kind != toy.Note {
		return s.Engine.Submit(ctx, raw)
	}
	if s.held == nil {
		s.held = raw
		return tx.Hash(raw), nil
	}
	if _, err := s.Engine.Submit(ctx, raw); err != nil {
		return wire.TxHash{}, err
	}
	_, err := s.Engine.Submit(ctx, s.held)
	s.held = nil
	return tx.Hash(raw), err
}

// yes admits, as it says, whatever comes.
type yes struct{ engine.Engine }

func (y yes) Submit(ctx context.Context, raw []byte) (wire.TxHash, error) {
	_, _ = y.Engine.Submit(ctx, raw)
	return tx.Hash(raw), nil
}

// loser forgets every fourth.
type loser struct {
	engine.Engine
	n atomic.Int64
}

func (l *loser) Submit(ctx context.Context, raw []byte) (wire.TxHash, error) {
	if l.n.Add(1)%4 == 0 {
		return tx.Hash(raw), nil
	}
	return l.Engine.Submit(ctx, raw)
}

// liar says that everything was accepted, long ago.
type liar struct{ engine.Engine }

func (l liar) Wait(ctx context.Context, h wire.TxHash) (engine.Entry, error) {
	e, err := l.Engine.Wait(ctx, h)
	if errors.Is(err, engine.ErrExpired) || errors.Is(err, engine.ErrUnknown) {
		err = nil
	}
	e.Result.Code, e.Time = engine.Accepted, 1
	return e, err
}

// backwards turns its blocks around.
type backwards struct{ engine.Engine }

func (b backwards) Block(height uint64) (engine.Block, error) {
	block, err := b.Engine.Block(height)
	slices.Reverse(block.Entries)
	return block, err
}

// mixer gives the first receipt and the first proof to all.
type mixer struct {
	engine.Engine
	mu      sync.Mutex
	receipt *receipt.Receipt
	proofs  map[wire.StreamID]chain.StreamProof
}

func (m *mixer) Receipt(h wire.TxHash) (receipt.Receipt, error) {
	r, err := m.Engine.Receipt(h)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.receipt == nil {
		m.receipt = &r
	}
	return *m.receipt, err
}

func (m *mixer) StreamProof(id wire.StreamID) (chain.StreamProof, error) {
	p, err := m.Engine.StreamProof(id)
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, ok := m.proofs[id]; ok {
		return first, nil
	}
	if m.proofs == nil {
		m.proofs = map[wire.StreamID]chain.StreamProof{}
	}
	m.proofs[id] = p
	return p, err
}

// prover gives paths that are one bit off.
type prover struct{ engine.Engine }

func (p prover) ConsistencyProof(m, n uint64) ([]wire.Hash, error) {
	path, err := p.Engine.ConsistencyProof(m, n)
	return bent(path), err
}

func (p prover) InclusionProof(index, size uint64) ([]wire.Hash, error) {
	path, err := p.Engine.InclusionProof(index, size)
	return bent(path), err
}

func bent(path []wire.Hash) []wire.Hash {
	if len(path) > 0 {
		path[0][0] ^= 1
	}
	return path
}

type twice struct{ engine.Follower }

func (f twice) Apply(ctx context.Context, b engine.Block) error {
	return errors.Join(f.Follower.Apply(ctx, b), f.Follower.Apply(ctx, b))
}

// skipper leaves a block out.
type skipper struct {
	engine.Follower
	n atomic.Int64
}

func (f *skipper) Apply(ctx context.Context, b engine.Block) error {
	if f.n.Add(1) == 2 {
		return nil
	}
	return f.Follower.Apply(ctx, b)
}

type silent struct{ engine.Follower }

func (f silent) Apply(ctx context.Context, b engine.Block) error {
	_ = f.Follower.Apply(ctx, b)
	return nil
}

// dice writes what no other run writes.
type dice struct {
	engine.StateMachine
	n atomic.Int64
}

func (d *dice) Execute(p engine.Pending, directory state.View, stream state.Store) engine.Result {
	stream.Set([]byte("dice"), fmt.Append(nil, d.n.Add(1)*7919))
	return d.StateMachine.Execute(p, directory, stream)
}

// What no growing list could have answered is found in a history by itself.
func TestHistoryControl(t *testing.T) {
	t.Parallel()
	o := enginetest.Options{Dir: t.TempDir(), Genesis: toy.Genesis(), Key: toy.Key(0), Machine: new(toy.Machine)}
	e := open(t, o)
	stale := &laggard{Engine: e}
	for name, read := range map[string]func(*enginetest.History){
		"a size":   func(h *enginetest.History) { h.Size(stale) },
		"a search": func(h *enginetest.History) { h.Look(t, absent{e}, tx.Hash(toy.GrantTx(toy.Key(2), 1))) },
	} {
		h := new(enginetest.History)
		stale.Head()
		h.Write(t, e, toy.GrantTx(toy.Key(2), 1))
		h.Write(t, e, toy.GrantTx(toy.Key(2), 2))
		if err := h.Check(); err != nil {
			t.Fatal(err)
		}
		read(h)
		if h.Check() == nil {
			t.Errorf("%s that goes back was taken", name)
		}
	}
}

// absent finds nothing.
type absent struct{ engine.Engine }

func (absent) Entry(wire.TxHash) (engine.Entry, error) { return engine.Entry{}, engine.ErrUnknown }
