package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/mirror"
	"github.com/trialith/trialith/ledger/monitor"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a running ledger whose clock stands, so that the same transactions
// give the same blocks again.
type source struct {
	*solo.Ledger
	testing.TB
	n uint64
}

func start(t testing.TB) *source {
	t.Helper()
	l, err := solo.Open(solo.Config{Dir: t.TempDir(), Key: toy.Key(0), Machine: new(toy.Machine), Genesis: toy.Genesis(), Clock: new(toy.Clock), MemTable: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &source{Ledger: l, TB: t}
	s.enter(toy.GrantTx(toy.Key(2), 1))
	return s
}

// enter puts transactions into the ledger, one block after the other.
func (s *source) enter(raws ...[]byte) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, raw := range raws {
		hash, err := s.Submit(ctx, raw)
		if err == nil {
			_, err = s.Wait(ctx, hash)
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

// grow adds transactions to four streams; every third is refused. word tells
// histories apart.
func (s *source) grow(word string, count int) {
	s.Helper()
	for range count {
		s.n++
		body := fmt.Sprint(word, s.n)
		if s.n%3 == 0 {
			body = fmt.Sprint(word, s.n-1)
		}
		s.enter(toy.Tx(toy.Key(2), toy.Add, toy.Stream(int(s.n/3%4)), body, s.n))
	}
}

// burst adds transactions that come together, so that blocks have several.
func (s *source) burst(count int) {
	s.Helper()
	if count == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var last wire.TxHash
	var err error
	for range count {
		s.n++
		if last, err = s.Submit(ctx, toy.Tx(toy.Key(2), toy.Note, toy.Stream(int(s.n%4)), "burst", s.n)); err != nil {
			s.Fatal(err)
		}
	}
	if _, err = s.Wait(ctx, last); err != nil {
		s.Fatal(err)
	}
}

// reader is a copy of what the source shows now.
func (s *source) reader() tiles.Dir {
	s.Helper()
	path := s.TempDir()
	if _, err := tiles.Export(context.Background(), s.Ledger, path); err != nil {
		s.Fatal(err)
	}
	d, err := tiles.OpenDir(path)
	if err != nil {
		s.Fatal(err)
	}
	return d
}

func config(dir string) mirror.Config {
	return mirror.Config{Dir: dir, Genesis: toy.Genesis(), Machine: new(toy.Machine)}
}

func open(t testing.TB, dir string) *mirror.Mirror {
	t.Helper()
	m, err := mirror.Open(context.Background(), config(dir))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// holds checks that a directory shows a checkpoint and everything it covers,
// and that all of it is what the source serves.
func holds(t testing.TB, dir string, from tiles.Reader, height uint64) {
	t.Helper()
	ctx := context.Background()
	d := readOnly{dir}
	msg, err := d.Read(ctx, tiles.Path{Kind: tiles.Checkpoint})
	if errors.Is(err, fs.ErrNotExist) && height == 0 {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	keys := toy.Genesis().Keys()
	c, err := chain.OpenCheckpoint(keys, msg)
	if err != nil || c.Height != height {
		t.Fatalf("it shows block %d, want %d: %v", c.Height, height, err)
	}
	tiles.Since(chain.Checkpoint{}, c, func(p tiles.Path) bool {
		mine, err := d.Read(ctx, p)
		if err != nil {
			t.Errorf("covered and not there: %v", err)
			return true
		}
		if theirs, err := tiles.Fetch(ctx, from, p); err != nil || !bytes.Equal(mine, theirs) {
			t.Errorf("%v is another: %v", p, err)
		}
		return true
	})
}

// readOnly reads a directory as a static server does, without cleaning it.
type readOnly struct{ root string }

func (d readOnly) Read(_ context.Context, p tiles.Path) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.root, filepath.FromSlash(p.String())))
}

func TestMirror(t *testing.T) {
	t.Parallel()
	s := start(t)
	server := httptest.NewServer(tiles.New(s.Ledger, nil))
	t.Cleanup(server.Close)
	remote := tiles.NewRemote(server.URL, server.Client())
	dir := t.TempDir()
	for i, n := range []int{0, 5, 0, 250, 1, 300} {
		s.grow("a", n)
		s.burst(n)
		m := open(t, dir)
		c, err := m.Step(t.Context(), remote)
		if err != nil || c.Height != s.Head().Height || m.Checkpoint() != c {
			t.Fatalf("step %d: %+v, %v", i, c, err)
		}
		holds(t, dir, remote, s.Head().Height)
		s.grow("a", 2)
		if c, err = m.Step(t.Context(), remote); err != nil || c.Height != s.Head().Height {
			t.Fatalf("step %d, again: %+v, %v", i, c, err)
		}
		if again, err := m.Step(t.Context(), remote); err != nil || again != c {
			t.Fatalf("step %d, nothing new: %+v, %v", i, again, err)
		}
	}
	// A mirror of the mirror, from any static server.
	static := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(static.Close)
	second := t.TempDir()
	if _, err := open(t, second).Step(t.Context(), tiles.NewRemote(static.URL, static.Client())); err != nil {
		t.Fatal(err)
	}
	holds(t, second, remote, s.Head().Height)
}

// failing lets so many reads pass and then none.
type failing struct {
	tiles.Reader
	left *int
}

var errGone = errors.New("the network is gone")

func (f failing) Read(ctx context.Context, p tiles.Path) ([]byte, error) {
	if *f.left == 0 {
		return nil, errGone
	}
	*f.left--
	return f.Reader.Read(ctx, p)
}

// Wherever a copy is broken off, the directory shows a checkpoint with all that
// it covers: the one before, until the new one is whole. Opened again or tried
// again it goes on.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.grow("a", 30)
	first := s.reader()
	before := s.Head().Height
	s.grow("a", 240)
	from := s.reader()
	after := s.Head().Height
	done := false
	for cut := 0; !done; cut++ {
		dir := t.TempDir()
		m := open(t, dir)
		if _, err := m.Step(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		left := cut
		_, err := m.Step(t.Context(), failing{from, &left})
		if done = err == nil; !done && !errors.Is(err, errGone) {
			t.Fatalf("cut after %d reads: %v", cut, err)
		}
		if done {
			holds(t, dir, from, after)
			break
		}
		holds(t, dir, from, before)
		if cut%2 == 0 { // killed: what is half-written lies beside
			if err := os.WriteFile(filepath.Join(dir, ".incoming", "half"), []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
			m = open(t, dir)
		}
		if _, err := m.Step(t.Context(), from); err != nil {
			t.Fatalf("cut after %d reads, again: %v", cut, err)
		}
		holds(t, dir, from, after)
		if cut > 200 {
			t.Fatal("it never ends")
		}
	}
}

// changed changes a byte of one file.
type changed struct {
	tiles.Reader
	path string
	at   int
}

func (c changed) Read(ctx context.Context, p tiles.Path) ([]byte, error) {
	b, err := c.Reader.Read(ctx, p)
	if p.String() == c.path && err == nil {
		b[c.at%len(b)] ^= 1
	}
	return b, err
}

// Whatever file a server changes, nothing of it is shown.
func TestChangedOnTheWay(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.grow("a", 280)
	from := s.reader()
	for _, path := range []string{
		"checkpoint", "headers/000", "headers/001.p/25", "transactions/000", "transactions/001.p/25", "tile/0/000", "tile/0/001.p/25",
		"tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/25",
	} {
		for _, at := range []int{0, 5, 100, 4000} {
			if path == "checkpoint" && at > 99 {
				continue // a spare bit of base64
			}
			dir := t.TempDir()
			m := open(t, dir)
			if c, err := m.Step(t.Context(), changed{from, path, at}); err == nil {
				t.Errorf("%s, byte %d: changed, and shown up to block %d", path, at, c.Height)
			}
			holds(t, dir, from, 0)
		}
	}
	if _, err := open(t, t.TempDir()).Step(t.Context(), changed{from, "tile/9", 0}); err != nil {
		t.Errorf("control: %v", err)
	}
}

// A server that forked or was put back is refused, and what it showed is kept.
func TestForkAndRollback(t *testing.T) {
	t.Parallel()
	one, two := start(t), start(t)
	one.grow("a", 10)
	two.grow("a", 10)
	old := one.reader()
	one.grow("b", 3)
	two.grow("c", 7)
	dir := t.TempDir()
	m := open(t, dir)
	if _, err := m.Step(t.Context(), one.reader()); err != nil {
		t.Fatal(err)
	}
	height := m.Checkpoint().Height

	_, err := m.Step(t.Context(), old)
	var kept *mirror.Evidence
	var behind *monitor.BehindError
	if !errors.As(err, &behind) || !errors.As(err, &kept) || behind.Shown != height-3 {
		t.Fatalf("put back: %v", err)
	}
	b, err := os.ReadFile(kept.File)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := chain.OpenCheckpoint(toy.Genesis().Keys(), b); err != nil || c.Height != height-3 {
		t.Errorf("kept: %+v, %v", c, err)
	}

	for range 2 {
		_, err = m.Step(t.Context(), two.reader())
		var twice *monitor.EquivocationError
		if !errors.As(err, &twice) || !errors.As(err, &kept) {
			t.Fatalf("fork: %v", err)
		}
		if b, err = os.ReadFile(kept.File); err != nil {
			t.Fatal(err)
		}
		e, err := monitor.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if sentence, err := e.Check(toy.Genesis()); err != nil || !strings.Contains(sentence, "another block") {
			t.Errorf("evidence: %q, %v", sentence, err)
		}
		m = open(t, dir)
	}
	holds(t, dir, one.reader(), height)
	one.grow("b", 1)
	if c, err := m.Step(t.Context(), one.reader()); err != nil || c.Height != height+1 {
		t.Errorf("the honest server afterwards: %+v, %v", c, err)
	}
}

type never struct{}

func (never) Check([]byte) error { return errors.New("no quorum") }

func TestPolicy(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := config(t.TempDir())
	c.Policy = never{}
	m, err := mirror.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Step(t.Context(), s.reader()); err == nil || !strings.Contains(err.Error(), "no quorum") {
		t.Errorf("not witnessed: %v", err)
	}
	if m.Checkpoint() != (chain.Checkpoint{}) {
		t.Error("it is shown")
	}
}

// A mirror whose own files rotted says so, and goes no further.
func TestRot(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.grow("a", 280)
	from := s.reader()
	dir := t.TempDir()
	if _, err := open(t, dir).Step(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		good, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		bad := bytes.Clone(good)
		bad[len(bad)/3] ^= 4
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			return err
		}
		files++
		if _, err := mirror.Open(t.Context(), config(dir)); err == nil {
			t.Errorf("%s: rotten, and taken", path)
		}
		return os.WriteFile(path, good, 0o600)
	})
	if err != nil || files < 12 {
		t.Fatalf("%d files: %v", files, err)
	}
	open(t, dir)
}

// A ledger whose state machine is another than the mirror's is refused.
func TestAnotherMachine(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.enter(toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "x", 5))
	c := config(t.TempDir())
	c.Machine = other{new(toy.Machine)}
	m, err := mirror.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Step(t.Context(), s.reader()); err == nil || m.Stopped() == nil {
		t.Errorf("taken: %v", err)
	}
	var zero wire.Hash
	if m.Checkpoint().Header != zero {
		t.Error("it is shown")
	}
}

// other is a state machine that writes more than the ledger's.
type other struct{ *toy.Machine }

func (o other) Execute(p engine.Pending, directory state.View, stream state.Store) engine.Result {
	stream.Set([]byte("more"), []byte("x"))
	return o.Machine.Execute(p, directory, stream)
}
