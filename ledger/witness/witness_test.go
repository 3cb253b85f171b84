package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"filippo.io/torchwood"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "trialith witness test key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(n int) tx.PublicKey { return tx.PublicKey(key(n).Public().(ed25519.PublicKey)) }

const (
	origin = "log.example/test"
	noon   = int64(1_700_000_000_000)
	minute = int64(60_000)
)

// clock is a clock that tests set.
type clock struct{ atomic.Int64 }

func at(ms int64) *clock {
	c := new(clock)
	c.Store(ms)
	return c
}

func (c *clock) Now() int64 { return c.Load() }

// testLog is a log with a header chain of one transaction a block. It can lie.
type testLog struct {
	t     testing.TB
	log   *chain.Log
	nodes map[chain.Node][]byte
	key   int
	time  int64
	heads []chain.Checkpoint
}

func newLog(t testing.TB) *testLog {
	return &testLog{t: t, log: chain.NewLog(), nodes: map[chain.Node][]byte{}, time: noon}
}

// grow appends transactions, the last of which makes the head.
func (l *testLog) grow(texts ...string) *testLog {
	l.t.Helper()
	for _, text := range texts {
		err := l.log.Append([][]byte{[]byte(text)}, func(n chain.Node, hash []byte) { l.nodes[n] = bytes.Clone(hash) })
		if err != nil {
			l.t.Fatal(err)
		}
		root, err := l.log.Root()
		if err != nil {
			l.t.Fatal(err)
		}
		l.time++
		l.heads = append(l.heads, chain.Checkpoint{
			Origin: origin, Size: l.log.Size(), Root: root, Height: l.log.Size(), Time: l.time, Header: wire.Sum("header", text, l.log.Size()),
		})
	}
	return l
}

func (l *testLog) head() chain.Checkpoint { return l.heads[len(l.heads)-1] }

func (l *testLog) sign(c chain.Checkpoint) []byte {
	l.t.Helper()
	msg, err := c.Sign(chain.NewSigner(origin, key(l.key)))
	if err != nil {
		l.t.Fatal(err)
	}
	return msg
}

func (l *testLog) proof(m, n uint64) []wire.Hash {
	l.t.Helper()
	if m == 0 || m == n {
		return nil
	}
	p, err := chain.ConsistencyProof(m, n, func(nodes []chain.Node) ([][]byte, error) {
		out := make([][]byte, len(nodes))
		for i, node := range nodes {
			out[i] = l.nodes[node]
		}
		return out, nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

// request is an honest one for a head.
func (l *testLog) request(old uint64, c chain.Checkpoint) []byte {
	return Request{Old: old, Proof: l.proof(old, c.Size), Checkpoint: l.sign(c)}.Encode()
}

func config(t testing.TB, c Clock) Config {
	return Config{
		Dir: t.TempDir(), Name: "witness.example/w1", Key: key(1), Clock: c,
		Logs: []Log{{Origin: origin, Keys: []note.Verifier{chain.NewVerifier(origin, public(0))}}},
	}
}

func open(t testing.TB, c Config) *Witness {
	t.Helper()
	w, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// status is what the witness answers, 200 for a cosignature.
func status(t testing.TB, w *Witness, body []byte) (int, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", bytes.NewReader(body)))
	return rec.Code, rec.Body.String()
}

func want(t testing.TB, w *Witness, body []byte, code int, text string) {
	t.Helper()
	got, answer := status(t, w, body)
	if got != code || !strings.Contains(answer, text) {
		t.Errorf("%d %q; want %d and %q", got, answer, code, text)
	}
}

func TestCosign(t *testing.T) {
	t.Parallel()
	w := open(t, config(t, at(noon+17_500)))
	l := newLog(t).grow("a", "b", "c")
	var known uint64
	for range 4 {
		c := l.head()
		code, line := status(t, w, l.request(known, c))
		if code != http.StatusOK {
			t.Fatalf("%d %s", code, line)
		}
		signed := append(l.sign(c), line...)
		// Torchwood is the second opinion on key, line and signed message.
		v, err := torchwood.NewCosignatureVerifier(w.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open(signed, note.VerifierList(v))
		if err != nil {
			t.Fatal(err)
		}
		if at, err := torchwood.CosignatureTimestamp(n.Sigs[0]); err != nil || at != noon/1000+17 {
			t.Errorf("time %d, %v", at, err)
		}
		known = c.Size
		l.grow(fmt.Sprint("d", known), fmt.Sprint("e", known))
	}
	// The same head again has the same answer, and its state is not written again.
	c := l.heads[len(l.heads)-3]
	want(t, w, l.request(c.Size, c), http.StatusOK, "witness.example/w1")
}

// TestShow: the witness shows the newest head that it has cosigned.
func TestShow(t *testing.T) {
	t.Parallel()
	w := open(t, config(t, at(noon)))
	l := newLog(t).grow("a", "b")
	get := func(path string) (int, string) {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec.Code, rec.Body.String()
	}
	if code, text := get("/checkpoint/" + origin); code != http.StatusNotFound || !strings.Contains(text, "nothing of it") {
		t.Errorf("%d %s", code, text)
	}
	want(t, w, l.request(0, l.head()), http.StatusOK, "")
	hashed := fmt.Sprintf("/prefix/%x/checkpoint", sha256.Sum256([]byte(origin)))
	policy, err := ParsePolicy([]byte("witness w " + w.VerifierKey() + "\nquorum w\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/prefix/checkpoint/" + origin, hashed} {
		code, text := get(path)
		if code != http.StatusOK || !strings.HasPrefix(text, string(l.sign(l.head()))) {
			t.Errorf("%s: %d %s", path, code, text)
		}
		if err := policy.Check([]byte(text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if code, _ := get(fmt.Sprintf("/%x/checkpoint", sha256.Sum256([]byte("another")))); code != http.StatusNotFound {
		t.Errorf("another log's: %d", code)
	}
	if code, text := get("/checkpoint/log.example/other"); code != http.StatusNotFound || !strings.Contains(text, "does not watch") {
		t.Errorf("%d %s", code, text)
	}
}

// TestWitnessOverHTTP holds the routes and methods, and the limit of a body.
func TestWitnessOverHTTP(t *testing.T) {
	t.Parallel()
	w := open(t, config(t, at(noon)))
	l := newLog(t).grow("a")
	for _, c := range []struct {
		method, path string
		body         []byte
		code         int
	}{
		{http.MethodPost, "/add-checkpoint", l.request(0, l.head()), http.StatusOK},
		{http.MethodPost, "/prefix/add-checkpoint", l.request(1, l.head()), http.StatusOK},
		{http.MethodGet, "/add-checkpoint", nil, http.StatusMethodNotAllowed},
		{http.MethodPost, "/", l.request(1, l.head()), http.StatusNotFound},
		{http.MethodPost, "/add-checkpoint", bytes.Repeat([]byte{'x'}, MaxRequestBytes+1), http.StatusBadRequest},
		{http.MethodPost, "/add-checkpoint", nil, http.StatusBadRequest},
	} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, bytes.NewReader(c.body)))
		if rec.Code != c.code {
			t.Errorf("%s %s: %d %s; want %d", c.method, c.path, rec.Code, rec.Body, c.code)
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", bytes.NewReader(l.request(0, l.grow("b").head()))))
	if rec.Code != http.StatusConflict || rec.Header().Get("Content-Type") != "text/x.tlog.size" || rec.Body.String() != "1\n" {
		t.Errorf("%d %v %q", rec.Code, rec.Header(), rec.Body)
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	clock := at(noon)
	w := open(t, config(t, clock))
	l := newLog(t).grow("a", "b", "c", "d")
	want(t, w, l.request(0, l.heads[1]), http.StatusOK, "")
	head := l.head()

	stranger := newLog(t).grow("a", "b", "c", "d")
	stranger.key = 7
	want(t, w, stranger.request(2, head), http.StatusForbidden, "no verifiable signatures")
	bad := l.request(2, head)
	bad[len(bad)-10] ^= 1
	want(t, w, bad, http.StatusForbidden, "invalid signature")

	other := head
	other.Origin = "log.example/other"
	msg, err := other.Sign(chain.NewSigner(other.Origin, key(0)))
	if err != nil {
		t.Fatal(err)
	}
	want(t, w, Request{Checkpoint: msg}.Encode(), http.StatusNotFound, "does not watch")

	want(t, w, l.request(3, head), http.StatusConflict, "2\n")
	want(t, w, l.request(0, head), http.StatusConflict, "2\n")
	want(t, w, Request{Old: 5, Checkpoint: l.sign(head)}.Encode(), http.StatusBadRequest, "old size 5")
	// An older head again, as an attacker would replay it.
	want(t, w, l.request(0, l.heads[0]), http.StatusConflict, "2\n")
	want(t, w, Request{Old: 2, Checkpoint: l.sign(l.heads[0])}.Encode(), http.StatusBadRequest, "old size 2")

	proof := l.proof(2, 4)
	proof[0][3] ^= 1
	want(t, w, Request{Old: 2, Proof: proof, Checkpoint: l.sign(head)}.Encode(), http.StatusUnprocessableEntity, "no proof")
	want(t, w, Request{Old: 2, Proof: append(l.proof(2, 4), wire.Hash{}), Checkpoint: l.sign(head)}.Encode(), http.StatusUnprocessableEntity, "no proof")

	// Height and time go on, whatever the log says.
	back := head
	back.Height = 2
	want(t, w, l.request(2, back), http.StatusUnprocessableEntity, "height 2 after 2")
	back = head
	back.Time = l.heads[1].Time
	want(t, w, l.request(2, back), http.StatusUnprocessableEntity, "time")

	// A head without the header line, of a log that has shown one: the rule on
	// times could be walked around.
	text := fmt.Sprintf("%s\n", strings.Join(strings.Split(head.Text(), "\n")[:3], "\n"))
	bare, err := note.Sign(&note.Note{Text: text}, chain.NewSigner(origin, key(0)))
	if err != nil {
		t.Fatal(err)
	}
	want(t, w, Request{Old: 2, Proof: l.proof(2, 4), Checkpoint: bare}.Encode(), http.StatusUnprocessableEntity, "no header line")

	// None of it moved the state.
	want(t, w, l.request(2, head), http.StatusOK, "")
}

// TestClock: a head is cosigned up to five minutes off the witness's clock, to
// either side, and not a millisecond more.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		off  int64
		code int
	}{
		{0, 200},
		{5 * minute, 200},
		{-5 * minute, 200},
		{5*minute + 1, 412},
		{-5*minute - 1, 412},
		{24 * 60 * minute, 412},
		{-24 * 60 * minute, 412},
	} {
		l := newLog(t).grow("a")
		w := open(t, config(t, at(l.head().Time+c.off)))
		want(t, w, l.request(0, l.head()), c.code, "")
	}
	// The head that was cosigned in time is not cosigned again when it is old:
	// the cosignature's time would not be near the head's.
	clock := at(noon)
	w := open(t, config(t, clock))
	l := newLog(t).grow("a")
	want(t, w, l.request(0, l.head()), http.StatusOK, "")
	clock.Store(noon + 6*minute)
	want(t, w, l.request(1, l.head()), http.StatusPreconditionFailed, "this witness's clock")
}

// TestForeignLog cosigns a C2SP log that has no times, by its roots alone.
func TestForeignLog(t *testing.T) {
	t.Parallel()
	w := open(t, config(t, at(noon+1000*minute)))
	l := newLog(t).grow("a", "b")
	sign := func(c chain.Checkpoint) []byte {
		text := fmt.Sprintf("%s\nsome extension\n", strings.Join(strings.Split(c.Text(), "\n")[:3], "\n"))
		msg, err := note.Sign(&note.Note{Text: text}, chain.NewSigner(origin, key(0)))
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	want(t, w, Request{Checkpoint: sign(l.heads[0])}.Encode(), http.StatusOK, "")
	want(t, w, Request{Old: 1, Checkpoint: sign(l.heads[0])}.Encode(), http.StatusOK, "")
	want(t, w, Request{Old: 1, Proof: l.proof(1, 2), Checkpoint: sign(l.heads[1])}.Encode(), http.StatusOK, "")
}

// TestFork: the node shows two histories, each under its good signature. The
// witness cosigns the first alone, and keeps both.
func TestFork(t *testing.T) {
	t.Parallel()
	c := config(t, at(noon))
	var mu sync.Mutex
	var reported []string
	c.Report = func(err error) {
		mu.Lock()
		defer mu.Unlock()
		reported = append(reported, err.Error())
	}
	w := open(t, c)
	honest, lie := newLog(t).grow("a", "b", "consent withdrawn"), newLog(t).grow("a", "b", "nothing", "more")
	want(t, w, honest.request(0, honest.heads[1]), http.StatusOK, "")
	want(t, w, honest.request(2, honest.head()), http.StatusOK, "")
	same, longer := lie.heads[2], lie.heads[3]

	// The control: nothing but the memory of the witness tells the two apart. One
	// that has seen only "a" and "b" cosigns the lie, by its good proof.
	other := open(t, config(t, at(noon)))
	want(t, other, lie.request(0, lie.heads[1]), http.StatusOK, "")
	want(t, other, lie.request(2, longer), http.StatusOK, "")

	want(t, w, lie.request(3, same), http.StatusUnprocessableEntity, "two heads of size 3")
	want(t, w, lie.request(2, same), http.StatusConflict, "3\n")
	want(t, w, lie.request(2, longer), http.StatusConflict, "3\n")
	want(t, w, lie.request(3, longer), http.StatusUnprocessableEntity, "no proof")
	// The same log and another header is a fork of the headers.
	forged := honest.head()
	forged.Header[0] ^= 1
	want(t, w, honest.request(3, forged), http.StatusUnprocessableEntity, "two heads of size 3")

	if len(reported) != 4 || !strings.Contains(reported[0], "FORK: two heads of size 3") {
		t.Errorf("reported %q", reported)
	}
	names, err := vfs.Default.List(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, n := range names {
		kinds[vfs.Default.PathBase(n)[strings.LastIndexByte(n, '.')+1:]]++
		if !strings.HasSuffix(n, extFork) {
			continue
		}
		b, err := readFile(vfs.Default, vfs.Default.PathJoin(c.Dir, n))
		if err != nil {
			t.Fatal(err)
		}
		first, second, err := ParseFork(b)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []uint64
		for _, msg := range [][]byte{first, second} {
			n, err := note.Open(msg, note.VerifierList(chain.NewVerifier(origin, public(0))))
			if err != nil {
				t.Fatal(err)
			}
			c, err := chain.ParseCheckpoint(n.Text)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, c.Size)
		}
		if sizes[0] != 3 || sizes[1] != 3 || bytes.Equal(first, second) {
			t.Errorf("%s: sizes %v", n, sizes)
		}
	}
	if kinds["fork"] != 2 || kinds["unproven"] != 1 {
		t.Errorf("kept %v of %q", kinds, names)
	}
	want(t, w, honest.request(3, honest.head()), http.StatusOK, "")
}

// TestKeepsLittle: a log cannot fill the witness's disk with its lies.
func TestKeepsLittle(t *testing.T) {
	t.Parallel()
	c := config(t, at(noon))
	w := open(t, c)
	l := newLog(t).grow("a")
	want(t, w, l.request(0, l.head()), http.StatusOK, "")
	for i := range 2 * maxKept {
		forged := l.head()
		binary.BigEndian.PutUint32(forged.Header[:], uint32(i))
		want(t, w, l.request(1, forged), http.StatusUnprocessableEntity, "")
	}
	names, err := vfs.Default.List(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, n := range names {
		if strings.HasSuffix(n, extFork) {
			kept++
		}
	}
	if kept != maxKept {
		t.Errorf("%d kept", kept)
	}
}

// TestReopen: what was cosigned is remembered, and a file that is not whole
// keeps the witness from opening.
func TestReopen(t *testing.T) {
	t.Parallel()
	c := config(t, at(noon))
	l := newLog(t).grow("a", "b")
	w := open(t, c)
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two witnesses with one directory: %v", err)
	}
	want(t, w, l.request(0, l.head()), http.StatusOK, "")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, c)
	want(t, w, l.request(0, l.grow("c").head()), http.StatusConflict, "2\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	path := newRecord(vfs.Default, c.Dir, origin).path(extState)
	whole, err := readFile(vfs.Default, path)
	if err != nil {
		t.Fatal(err)
	}
	// Every length, and a flipped bit in every byte.
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		for _, damaged := range [][]byte{whole[:i], flipped} {
			if err := replaceFile(vfs.Default, c.Dir, path, damaged); err != nil {
				t.Fatal(err)
			}
			if w, err := Open(c); err == nil {
				w.Close()
				t.Fatalf("byte %d: a damaged state was taken", i)
			}
		}
		if i > 200 {
			break // past the format and into the checkpoint; the hash covers the rest alike
		}
	}
	if err := replaceFile(vfs.Default, c.Dir, path, whole); err != nil {
		t.Fatal(err)
	}
	want(t, open(t, c), l.request(2, l.head()), http.StatusOK, "")
}

// TestPowerCut cuts the power right after each answer: what was cosigned is on
// the disk. The control loses it: the same cut before the request.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		c := config(t, at(noon))
		mem := vfs.NewCrashableMem()
		c.FS, c.Dir = mem, "/w"
		l := newLog(t).grow("a", "b", "c")
		w := open(t, c)
		want(t, w, l.request(0, l.heads[0]), http.StatusOK, "")
		before := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed * 5), RNG: rng(seed)})
		want(t, w, l.request(1, l.heads[1]), http.StatusOK, "")
		after := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed * 5), RNG: rng(seed)})

		c.FS = after
		w2 := open(t, c)
		want(t, w2, l.request(1, l.heads[2]), http.StatusConflict, "2\n")
		// The answer was lost on its way: the head is cosigned again.
		want(t, w2, l.request(2, l.heads[1]), http.StatusOK, "")
		c.FS = before
		want(t, open(t, c), l.request(1, l.heads[2]), http.StatusOK, "")
	}
}

// TestDiskFails: a witness that cannot write its state signs nothing more, as it
// does not know what the disk holds.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	c := config(t, at(noon))
	failing := &failingFS{FS: vfs.NewMem()}
	c.FS, c.Dir = failing, "/w"
	w := open(t, c)
	l := newLog(t).grow("a", "b")
	want(t, w, l.request(0, l.heads[0]), http.StatusOK, "")
	failing.fail.Store(true)
	want(t, w, l.request(1, l.head()), http.StatusInternalServerError, "no space")
	failing.fail.Store(false)
	want(t, w, l.request(1, l.head()), http.StatusInternalServerError, "restart it")
}

type failingFS struct {
	vfs.FS
	fail atomic.Bool
}

func (f *failingFS) Rename(from, to string) error {
	if f.fail.Load() {
		return errors.New("no space left")
	}
	return f.FS.Rename(from, to)
}

// TestRace: of two histories that come at once, one is cosigned.
func TestRace(t *testing.T) {
	t.Parallel()
	w := open(t, config(t, at(noon)))
	base := newLog(t).grow("a")
	want(t, w, base.request(0, base.head()), http.StatusOK, "")
	bodies := make([][]byte, 16)
	for i := range bodies {
		l := newLog(t).grow("a", fmt.Sprint(i))
		bodies[i] = l.request(1, l.head())
	}
	var cosigned atomic.Int64
	var work sync.WaitGroup
	for _, b := range bodies {
		work.Go(func() {
			if _, err := w.Add(b); err == nil {
				cosigned.Add(1)
			}
		})
	}
	work.Wait()
	if cosigned.Load() != 1 {
		t.Errorf("%d histories were cosigned", cosigned.Load())
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"no directory":    func(c *Config) { c.Dir = "" },
		"no name":         func(c *Config) { c.Key, c.Name = nil, "" },
		"short key":       func(c *Config) { c.Key = c.Key[:32] },
		"no clock":        func(c *Config) { c.Clock = nil },
		"name with space": func(c *Config) { c.Name = "a b" },
		"name with plus":  func(c *Config) { c.Name = "a+b" },
		"log twice":       func(c *Config) { c.Logs = append(c.Logs, c.Logs[0]) },
		"log without key": func(c *Config) { c.Logs[0].Keys = nil },
		"another's key": func(c *Config) {
			c.Logs[0].Keys = []note.Verifier{chain.NewVerifier("log.example/other", public(0))}
		},
	} {
		c := config(t, at(noon))
		change(&c)
		if w, err := Open(c); err == nil {
			w.Close()
			t.Errorf("%s: opened", name)
		}
	}
}

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// TestKeyFile: a witness makes its key once, keeps it to itself, and does not
// go on without it.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	c := config(t, at(noon))
	c.Key = nil
	w := open(t, c)
	vkey := w.VerifierKey()
	l := newLog(t).grow("a")
	want(t, w, l.request(0, l.head()), http.StatusOK, "")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if k, err := ReadKey(c.Dir); err != nil || k.String() != vkey {
		t.Errorf("%v, %v", k, err)
	}
	path := filepath.Join(c.Dir, fileKey)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, name := range []string{"", c.Name} {
		c.Name = name
		w := open(t, c)
		if w.VerifierKey() != vkey {
			t.Errorf("another key: %s", w.VerifierKey())
		}
		w.Close()
	}
	for name, spoil := range map[string]func(){
		"another name":        func() { c.Name = "witness.example/w2" },
		"a damaged file":      func() { c.Name = ""; flip(t, path) },
		"a file that is gone": func() { c.Name = "witness.example/w1"; os.Remove(path) },
	} {
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spoil()
		if w, err := Open(c); err == nil {
			w.Close()
			t.Errorf("%s: it opened", name)
		}
		if err := os.WriteFile(path, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func flip(t *testing.T, path string) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-10] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
