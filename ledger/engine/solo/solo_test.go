package solo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(t testing.TB) Config {
	dir := t.TempDir()
	return Config{
		Dir: filepath.Join(dir, "data"), HeadFile: filepath.Join(dir, "head"), Key: toy.Key(0),
		Machine: new(toy.Machine), Genesis: toy.Genesis(), MemTable: 1 << 20,
	}
}

func open(t testing.TB, c Config) *Ledger {
	t.Helper()
	l, err := Open(c)
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

func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// enter submits a transaction and waits for its entry.
func enter(t testing.TB, l *Ledger, raw []byte) engine.Entry {
	t.Helper()
	ctx := limit(t)
	hash, err := l.Submit(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Wait(ctx, hash)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOneTransaction(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	if h := l.Head(); h != toy.Genesis().Header() {
		t.Fatalf("head of an empty ledger: %+v", h)
	}
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	e := enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "x", 2))
	if e.Result.Code != engine.Accepted || e.Name() != "trial/0" || e.Height != 2 || e.Directory != 1 {
		t.Fatalf("entry: %+v", e)
	}
	r, err := l.Receipt(e.Hash)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Verify(toy.Genesis(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Index != 1 || p.Link.Hash != e.Hash || !p.Accepted() {
		t.Fatalf("proven: %+v", p)
	}
	c, err := chain.OpenCheckpoint(toy.Genesis().Keys(), l.Checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Matches(l.Head()); err != nil {
		t.Fatal(err)
	}
}

func TestOrderAndRefusal(t *testing.T) {
	t.Parallel()
	c := config(t)
	gate := make(chan struct{})
	c.Machine = &toy.Machine{Gate: gate}
	l := open(t, c)
	k := toy.Key(2)
	trial := toy.Stream(1)
	raws := [][]byte{
		// All five are in the queue before any of them is in a block, and the
		// grant, though it arrives last, executes first.
		toy.Tx(k, toy.Add, trial, "x", 1),
		toy.Tx(k, toy.Add, trial, "x", 2),
		toy.Tx(k, toy.Add, trial, "y", 3),
		toy.Tx(k, toy.Note, toy.Stream(2), "n", 4),
		toy.GrantTx(toy.Key(3), 5),
	}
	// A first grant, so that the checks of k's transactions pass.
	go func() { gate <- struct{}{} }()
	enter(t, l, toy.GrantTx(k, 0))
	hashes := together(t, l, gate, raws)
	var entries []engine.Entry
	for _, h := range hashes {
		e, err := l.Wait(limit(t), h)
		if err != nil {
			t.Fatal(err)
		}
		if e.Height != 2 {
			t.Fatalf("%s is in block %d; all were queued before one was made", e.Name(), e.Height)
		}
		entries = append(entries, e)
	}
	for i, want := range []struct {
		index     uint32
		name      string
		code      engine.Code
		directory uint64
	}{{1, "trial/0", 0, 2}, {2, "trial/1", toy.Taken, 2}, {3, "trial/2", 0, 2}, {4, "trial/0", 0, 2}, {0, "directory/1", 0, 1}} {
		e := entries[i]
		if e.Index != want.index || e.Name() != want.name || e.Result.Code != want.code || e.Directory != want.directory {
			t.Errorf("entry %d: index %d %s code %d directory %d, want %+v", i, e.Index, e.Name(), e.Result.Code, e.Directory, want)
		}
		if refused := want.code != 0; refused != (len(e.Envelope) == 0) || refused != (len(e.Result.Events) == 0) {
			t.Errorf("entry %d: code %d with %d bytes of envelope and %d events", i, e.Result.Code, len(e.Envelope), len(e.Result.Events))
		}
	}
	err := l.With(func(s Snapshot) error {
		v := s.View(trial)
		if _, ok := v.Get([]byte("scratch")); ok {
			t.Error("the refused transaction's write is there")
		}
		if x, _ := v.Get([]byte("x")); string(x) != "0" {
			t.Errorf("x was added by %q, want 0", x)
		}
		if d := state.Digest(v); d != stream(t, l, trial).Digest {
			t.Errorf("digest of the state %v, of the stream %v", d, stream(t, l, trial).Digest)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func stream(t *testing.T, l *Ledger, id wire.StreamID) chain.Stream {
	s, err := l.Stream(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// together submits transactions in order so that one block takes them all: the
// committer is held up by the lock until every one is queued.
func together(t *testing.T, l *Ledger, gate chan struct{}, raws [][]byte) []wire.TxHash {
	hashes := make([]wire.TxHash, len(raws))
	var queue []*item
	for i, raw := range raws {
		env, err := tx.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		it, mine, err := l.reserve(engine.Item{Hash: tx.Hash(raw), Envelope: env, Raw: raw})
		if err != nil || !mine {
			t.Fatal(mine, err)
		}
		go func() { gate <- struct{}{} }()
		if err := l.ask(it); err != nil {
			t.Fatal(err)
		}
		close(it.checked)
		hashes[i] = it.Hash
		queue = append(queue, it)
	}
	l.mu.Lock()
	l.queue = append(l.queue, queue...)
	l.mu.Unlock()
	l.nudge()
	return hashes
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	k := toy.Key(2)
	enter(t, l, toy.GrantTx(k, 1))
	raw := toy.Tx(k, toy.Add, toy.Stream(1), "x", 7)
	e := enter(t, l, raw)
	if again := enter(t, l, raw); again.Height != e.Height || again.Result.Code != engine.Accepted {
		t.Errorf("the same bytes again: %+v", again)
	}
	other := toy.Tx(k, toy.Add, toy.Stream(1), "y", 7)
	hash, err := l.Submit(limit(t), other)
	if !errors.Is(err, engine.ErrDuplicate) || hash != e.Hash {
		t.Errorf("another transaction under the same key: %v %v", hash, err)
	}
	// The key is the signer's and the stream's own.
	enter(t, l, toy.Tx(k, toy.Add, toy.Stream(2), "y", 7))
	if l.LogSize() != 3 {
		t.Errorf("%d transactions, want 3", l.LogSize())
	}
}

func TestIdempotencyInTheQueue(t *testing.T) {
	t.Parallel()
	c := config(t)
	gate := make(chan struct{})
	c.Machine = &toy.Machine{Gate: gate}
	l := open(t, c)
	first := toy.Tx(toy.Key(2), toy.Grant, wire.Directory, string(public(2)), 1)
	second := toy.TxUntil(toy.Key(2), toy.Grant, wire.Directory, string(public(2)), 1, toy.Far+1)
	var wg sync.WaitGroup
	for range 3 { // the same bytes three times at once: one of them is checked
		wg.Go(func() {
			if hash, err := l.Submit(context.Background(), first); err != nil || hash != tx.Hash(first) {
				t.Error(hash, err)
			}
		})
	}
	for l.cfg.Machine.(*toy.Machine).Checks.Load() < 1 {
		time.Sleep(time.Millisecond)
	}
	if hash, err := l.Submit(limit(t), second); !errors.Is(err, engine.ErrDuplicate) || hash != tx.Hash(first) {
		t.Errorf("another one while the first waits: %v %v", hash, err)
	}
	close(gate)
	wg.Wait()
	if _, err := l.Wait(limit(t), tx.Hash(first)); err != nil {
		t.Error(err)
	}
	if n := l.cfg.Machine.(*toy.Machine).Checks.Load(); n != 1 || l.LogSize() != 1 {
		t.Errorf("%d checks and %d transactions, want one each", n, l.LogSize())
	}
}

func public(n int) []byte {
	k := toy.Public(toy.Key(n))
	return k[:]
}

func TestSubmitErrors(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1000)
	c.Clock = clock
	l := open(t, c)
	k := toy.Key(2)
	enter(t, l, toy.GrantTx(k, 1))
	foreign, err := tx.Decode(toy.Tx(k, toy.Add, toy.Stream(1), "x", 2))
	if err != nil {
		t.Fatal(err)
	}
	foreign.Ledger[0] ^= 1
	foreign.Sign(k)
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"not CBOR":       {[]byte("x"), engine.ErrMalformed},
		"too large":      {make([]byte, tx.MaxBytes+1), engine.ErrMalformed},
		"another ledger": {foreign.Encode(), engine.ErrMalformed},
		"expired":        {toy.TxUntil(k, toy.Add, toy.Stream(1), "x", 3, clock.Now()), engine.ErrExpired},
		"unknown signer": {toy.Tx(toy.Key(9), toy.Add, toy.Stream(1), "x", 4), engine.ErrRefused},
		"its reason":     {toy.Tx(toy.Key(9), toy.Add, toy.Stream(1), "x", 4), toy.ErrSignature},
	} {
		if _, err := l.Submit(limit(t), c.raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := l.Wait(limit(t), wire.TxHash{}); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("waiting for a transaction that was never sent: %v", err)
	}
	if l.LogSize() != 1 || l.queued != 0 || l.bytes != 0 {
		t.Errorf("log %d, queued %d, %d bytes; nothing of this may enter or stay", l.LogSize(), l.queued, l.bytes)
	}
}

func TestExpiryInTheQueue(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1000)
	gate := make(chan struct{})
	c.Clock, c.Machine = clock, &toy.Machine{Gate: gate}
	l := open(t, c)
	k := toy.Key(2)
	go func() { gate <- struct{}{} }()
	enter(t, l, toy.GrantTx(k, 1))
	raw := toy.TxUntil(k, toy.Add, toy.Stream(1), "x", 2, clock.Now()+100)
	errs := make(chan error, 1)
	go func() {
		_, err := l.Submit(context.Background(), raw)
		if err == nil {
			_, err = l.Wait(context.Background(), tx.Hash(raw))
		}
		errs <- err
	}()
	for l.cfg.Machine.(*toy.Machine).Checks.Load() < 2 {
		time.Sleep(time.Millisecond) // until it waits in Check
	}
	clock.T.Add(100) // block time now equals the expiry
	gate <- struct{}{}
	// Depending on who is first it is told of the drop, or finds nothing.
	if err := <-errs; !errors.Is(err, engine.ErrExpired) && !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("expired before its block: %v", err)
	}
	if l.LogSize() != 1 {
		t.Error("it entered")
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	c := config(t)
	gate := make(chan struct{})
	c.MaxQueue, c.Machine = 2, &toy.Machine{Gate: gate}
	l := open(t, c)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			hash, err := l.Submit(context.Background(), toy.GrantTx(toy.Key(2+i), 1))
			if err == nil {
				_, err = l.Wait(context.Background(), hash)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	for l.cfg.Machine.(*toy.Machine).Checks.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := l.Submit(limit(t), toy.GrantTx(toy.Key(9), 1)); !errors.Is(err, engine.ErrBusy) {
		t.Errorf("the third of two: %v", err)
	}
	close(gate)
	wg.Wait()
	enter(t, l, toy.GrantTx(toy.Key(9), 1))
}

func TestTimeIsMonotone(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(toy.Clock)
	c.Clock = clock
	l := open(t, c)
	day := int64(24 * time.Hour / time.Millisecond)
	last := toy.Genesis().Time
	for i, now := range []int64{last + day, last, last - day, last + day + 1, last + 2*day} {
		clock.T.Store(now)
		e := enter(t, l, toy.GrantTx(toy.Key(2+i), 1))
		if want := max(now, last+1); e.Time != want {
			t.Errorf("block %d: time %d, want %d", i+1, e.Time, want)
		}
		last = e.Time
	}
}

func TestManySubmitters(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	k := toy.Key(2)
	enter(t, l, toy.GrantTx(k, 0))
	const clients, each = 64, 8
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for j := range each {
				// Every second transaction is sent by two clients at once.
				n := uint64(i/2*2*each + i%2*(j%2)*each + j + 1)
				raw := toy.Tx(k, toy.Note, toy.Stream(int(n%5)), fmt.Sprint(n), n)
				hash, err := l.Submit(context.Background(), raw)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := l.Wait(context.Background(), hash); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if want := uint64(1 + clients*each*3/4); l.LogSize() != want {
		t.Errorf("%d transactions, want %d", l.LogSize(), want)
	}
	audit(t, l)
}

// audit checks everything that the ledger's read side says against itself.
func audit(t testing.TB, l *Ledger) {
	t.Helper()
	g, head := l.Genesis(), l.Head()
	headers, err := l.Headers(1, head.Height)
	if err != nil {
		t.Fatal(err)
	}
	if err := chain.CheckHeaders(g, headers); err != nil {
		t.Fatal(err)
	}
	var leaves [][]byte
	heads := map[wire.StreamID]chain.Stream{}
	for _, h := range headers {
		b, err := l.Block(h.Height)
		if err != nil {
			t.Fatal(err)
		}
		if engine.ResultsHash(b.Entries) != h.Results {
			t.Fatalf("block %d: results", h.Height)
		}
		for _, e := range b.Entries {
			s := heads[e.Stream]
			if e.Sequence != s.Count {
				t.Fatalf("%s: sequence, %d expected", e.Name(), s.Count)
			}
			link := e.Link(s.Head)
			leaves = append(leaves, link.Leaf())
			heads[e.Stream] = chain.Stream{Head: link.Head(), Count: s.Count + 1}
			r, err := l.Receipt(e.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Verify(g, nil); err != nil {
				t.Fatalf("%s: %v", e.Name(), err)
			}
		}
	}
	log := chain.NewLog()
	if err := log.Append(leaves, nil); err != nil {
		t.Fatal(err)
	}
	if root, err := log.Root(); err != nil || root != head.Root {
		t.Fatalf("root %v, the header's is %v: %v", root, head.Root, err)
	}
	ids, err := l.Streams()
	if err != nil || len(ids) != len(heads) {
		t.Fatalf("%d streams, want %d: %v", len(ids), len(heads), err)
	}
	for _, id := range ids {
		p, err := l.StreamProof(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(head); err != nil {
			t.Fatal(err)
		}
		v, release := l.View(id)
		digest := state.Digest(v)
		release()
		if p.Stream.Head != heads[id].Head || p.Stream.Count != heads[id].Count || p.Stream.Digest != digest {
			t.Fatalf("stream %v: proven %+v, computed %+v digest %v", id, p.Stream, heads[id], digest)
		}
	}
	if p, err := l.StreamProof(toy.Stream(999)); err != nil || p.Verify(head) != nil {
		t.Fatalf("absence of a stream: %v", err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	for i := range 20 {
		enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(i%3), fmt.Sprint(i), uint64(i)))
	}
	head, checkpoint := l.Head(), string(l.Checkpoint())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Submit(limit(t), toy.GrantTx(toy.Key(5), 1)); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("submitted to a closed ledger: %v", err)
	}
	l = open(t, c)
	if l.Head() != head || string(l.Checkpoint()) != checkpoint {
		t.Errorf("head after a restart %+v, before %+v", l.Head(), head)
	}
	if _, err := Open(c); err == nil {
		t.Error("two writers have the directory open")
	}
	enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "after", 99))
	audit(t, l)
	if p, err := l.ConsistencyProof(head.Size(), l.LogSize()); err != nil ||
		chain.VerifyConsistency(head.Size(), l.LogSize(), p, head.Root, l.Head().Root) != nil {
		t.Errorf("the log does not go on from where it was: %v", err)
	}
	other := c
	other.Genesis.Name = "Another"
	other.HeadFile = ""
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(other); err == nil {
		t.Error("the directory was opened as another ledger's")
	}
}

func TestCloseDrains(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	var hashes []wire.TxHash
	for i := range 50 {
		h, err := l.Submit(limit(t), toy.GrantTx(toy.Key(2+i), 1))
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, h)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, c)
	for _, h := range hashes {
		if _, err := l.Entry(h); err != nil {
			t.Error(err)
		}
	}
}

// headClock is a clock that reads the ledger it serves, as a demonstration's may.
type headClock struct{ l *Ledger }

func (c *headClock) Now() int64 {
	if c.l == nil {
		return toy.Genesis().Time
	}
	return c.l.Head().Time + 1000
}

func TestClockMayReadTheHead(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(headClock)
	c.Clock = clock
	l := open(t, c)
	clock.l = l
	if e := enter(t, l, toy.GrantTx(toy.Key(2), 1)); e.Time != toy.Genesis().Time+1000 {
		t.Errorf("time %d", e.Time)
	}
}

// BenchmarkSubmit waits for each transaction, 64 at a time on two cores.
func BenchmarkSubmit(b *testing.B) {
	l := open(b, config(b))
	k := toy.Key(2)
	enter(b, l, toy.GrantTx(k, 1<<40))
	var n atomic.Uint64
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			raw := toy.Tx(k, toy.Note, toy.Stream(int(i%4)), "body", i)
			hash, err := l.Submit(context.Background(), raw)
			if err == nil {
				_, err = l.Wait(context.Background(), hash)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
}
