package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

const (
	genesisTime = int64(1_700_000_000_000)
	hour        = int64(60 * 60 * 1000)
)

// clock is set by a test.
type clock struct {
	mu  sync.Mutex
	now int64
}

func (c *clock) Now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// fakeVerifier refuses the proofs that begin with 0xff.
type fakeVerifier struct{}

func (fakeVerifier) Verify(p verifier.Proof, _ verifier.Statement) error {
	if p[0] == 0xff {
		return errors.New("the proof does not hold")
	}
	return nil
}

var theTrial = trial.ID{7}

// latest is the latest act under an account.
type latest struct {
	Kind     act.Kind
	Sequence uint32
}

func (l latest) over(a *act.Act) bool {
	return a.Kind == act.Consent || a.Kind == act.Superseded || l.Kind == act.Withdraw || a.Sequence <= l.Sequence
}

// ledger is a node that holds what batches did, as the contract does it.
type ledger struct {
	mu       sync.Mutex
	clock    *clock
	latest   map[field.Account]latest
	effects  map[field.Account]int // acts that counted
	epochs   map[trial.ActorID]uint64
	entered  map[wire.TxHash]error
	keys     map[tx.Key]wire.TxHash
	sizes    []int
	versions []Version
	trees    map[string][]field.Leaf
	asked    uint64
	bad      map[field.Account]trial.Code // accounts whose act the rules refuse

	before, after func() error // a submission; an error is that of the network
}

func newLedger(c *clock) *ledger {
	none := func() error { return nil }
	return &ledger{
		clock: c, latest: map[field.Account]latest{}, effects: map[field.Account]int{}, epochs: map[trial.ActorID]uint64{},
		entered: map[wire.TxHash]error{}, keys: map[tx.Key]wire.TxHash{}, bad: map[field.Account]trial.Code{},
		versions: []Version{{Version: 1, Deadlines: []int64{genesisTime + 1000*hour}}}, before: none, after: none,
	}
}

// clone is the same ledger, for another course of things.
func (l *ledger) clone(c *clock) *ledger {
	out := newLedger(c)
	out.latest, out.effects, out.epochs, out.entered, out.keys, out.bad = maps.Clone(l.latest), maps.Clone(l.effects), maps.Clone(l.epochs), maps.Clone(l.entered), maps.Clone(l.keys), maps.Clone(l.bad)
	out.sizes, out.versions = slices.Clone(l.sizes), l.versions
	return out
}

func (l *ledger) Height(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	return l.asked, nil // there is always a new block
}

func (l *ledger) Trials(context.Context) ([]trial.ID, error) {
	l.count()
	return []trial.ID{theTrial}, nil
}

func (l *ledger) count() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
}

func (l *ledger) Accounts(context.Context, trial.ID) (map[field.Account]Latest, error) {
	l.count()
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[field.Account]Latest{}
	for a, x := range l.latest {
		out[a] = Latest{Withdrawn: x.Kind == act.Withdraw, Sequence: x.Sequence}
	}
	return out, nil
}

func (l *ledger) Leaves(_ context.Context, _ trial.ID, name string) ([]field.Leaf, error) {
	l.count()
	if leaves, ok := l.trees[name]; ok {
		return leaves, nil
	}
	return nil, ErrUnknown
}

func (l *ledger) Versions(context.Context, trial.ID) ([]Version, error) {
	l.count()
	return l.versions, nil
}

func (l *ledger) Submit(_ context.Context, e *tx.Envelope) (wire.TxHash, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hash := tx.Hash(e.Encode())
	if err := l.before(); err != nil {
		return hash, err
	}
	if earlier, again := l.keys[e.Idempotency]; again {
		return earlier, nil
	}
	if l.clock.Now() >= e.Expiry {
		return hash, ErrExpired
	}
	if err := l.enter(e, hash); err != nil {
		return hash, err
	}
	return hash, l.after()
}

func (l *ledger) enter(e *tx.Envelope, hash wire.TxHash) error {
	var t consent.Batch
	if err := wire.Unmarshal(e.Body, &t); err != nil {
		return trial.Refuse(trial.Malformed, "%v", err)
	}
	if err := t.Check(); err != nil {
		return err
	}
	by := trial.ActorID(e.Key)
	if now := uint64((l.clock.Now() - genesisTime) / hour); t.Epoch > now {
		return trial.Refuse(trial.EpochInFuture, "epoch: %d", t.Epoch)
	}
	if last, ok := l.epochs[by]; ok && t.Epoch <= last {
		return trial.Refuse(trial.EpochNotLater, "epoch: %d", t.Epoch)
	}
	for i, a := range t.Acts {
		if c, bad := l.bad[a.Proven.Account]; bad {
			return consent.At(i, trial.Refuse(c, "bad"))
		}
	}
	for _, a := range t.Acts {
		if known, ok := l.latest[a.Proven.Account]; ok && known.over(&a.Proven.Act) {
			continue
		}
		l.effects[a.Proven.Account]++
		l.latest[a.Proven.Account] = latest{Kind: a.Proven.Act.Kind, Sequence: a.Proven.Act.Sequence}
	}
	l.epochs[by] = t.Epoch
	l.entered[hash], l.keys[e.Idempotency] = nil, hash
	l.sizes = append(l.sizes, len(t.Acts))
	return nil
}

func (l *ledger) Outcome(_ context.Context, hash wire.TxHash) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err, ok := l.entered[hash]
	if !ok {
		return ErrUnknown
	}
	return err
}

// lab is a batcher with a ledger of its own.
type lab struct {
	t       testing.TB
	dir     string
	clock   *clock
	ledger  *ledger
	genesis chain.Genesis
	keys    *Keys
	batcher *Batcher

	mu   sync.Mutex
	said []string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	c := &clock{now: genesisTime + hour/2}
	l := &lab{t: t, dir: t.TempDir(), clock: c, ledger: newLedger(c)}
	l.genesis = chain.Genesis{Version: chain.GenesisVersion, Name: "test", Time: genesisTime, Epoch: 3600, Rules: 1, Origin: "trialith.example/test"}
	var err error
	if l.keys, err = InitKeys(l.dir, l.genesis.ID()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.keys.Statement(c.now); err != nil {
		t.Fatal(err)
	}
	l.open()
	t.Cleanup(func() { l.batcher.Close() })
	return l
}

func (l *lab) open() {
	l.t.Helper()
	b, err := OpenBatcher(Config{
		Dir: l.dir, Keys: l.keys, Genesis: l.genesis, Verifier: fakeVerifier{}, Node: l.ledger, Clock: l.clock, KMin: 3, Jitter: -1, Look: 1,
		Tell: func(text string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.said = append(l.said, text)
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.batcher = b
	l.look()
}

func (l *lab) look() {
	l.t.Helper()
	if err := l.batcher.view.look(l.t.Context(), l.ledger); err != nil {
		l.t.Fatal(err)
	}
}

// restart opens the directory again, as after a kill: nothing is closed in order.
func (l *lab) restart() {
	l.t.Helper()
	l.batcher.unlock() //nolint:errcheck // a kill would do it
	keys, err := OpenKeys(l.dir, l.genesis.ID())
	if err != nil {
		l.t.Fatal(err)
	}
	l.keys = keys
	l.open()
}

// act makes the act of a kind of a participant.
func (l *lab) act(k act.Kind, n int) consent.Act {
	t := consent.Act{Proven: consent.Proven{
		Act: act.Act{Ledger: l.genesis.ID(), Trial: theTrial, Kind: k, Version: 1}, Account: accountOf(n), Root: field.Root{31: 1},
	}}
	rand.Read(t.Proven.Proof[1:]) //nolint:errcheck // never fails
	switch a := &t.Proven.Act; k {
	case act.Consent:
		a.FormSet, a.Options, a.Pass = trial.Digest{1}, trial.Commitment{2}, field.Leaf{31: 3}
	case act.Options:
		a.FormSet, a.Options, a.Sequence = trial.Digest{1}, trial.Commitment{2}, 1
	case act.Withdraw:
		t.Leaf, t.Proven.Root = field.Leaf{31: 9}, field.Root{}
	case act.Superseded:
		a.Successor = 2
	default:
		l.t.Fatalf("%v does not go by batch", k)
	}
	return t
}

func accountOf(n int) (a field.Account) {
	big.NewInt(int64(n + 1)).FillBytes(a[:])
	return a
}

func (l *lab) sealed(act []byte) []byte {
	l.t.Helper()
	s, err := l.keys.Statement(l.clock.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	b, err := sealed.Seal(s.Key, l.genesis.ID(), l.keys.Actor(), act)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// take has a participant's consent taken, and checks the promise.
func (l *lab) take(n int) *sealed.Promise {
	l.t.Helper()
	return l.takeAct(l.act(act.Consent, n))
}

func (l *lab) takeAct(a consent.Act) *sealed.Promise {
	l.t.Helper()
	message := l.sealed(wire.Marshal(a))
	p, err := l.batcher.Take(l.t.Context(), message)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := p.Verify(l.genesis.ID(), l.keys.Public(), message); err != nil {
		l.t.Fatal(err)
	}
	return p
}

// tick comes to the beginning of an epoch.
func (l *lab) tick(epoch int64) {
	l.t.Helper()
	l.clock.set(genesisTime + epoch*hour)
	if err := l.batcher.Tick(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) want(sizes ...int) {
	l.t.Helper()
	if !slices.Equal(l.ledger.sizes, sizes) {
		l.t.Errorf("batches of %v, want %v\n%q", l.ledger.sizes, sizes, l.said)
	}
	for a, n := range l.ledger.effects {
		if n != 1 {
			l.t.Errorf("account %v counted %d times", a, n)
		}
	}
}

func (l *lab) journal() string { return filepath.Join(l.dir, fileJournal) }
