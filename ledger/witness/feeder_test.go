package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
)

var _ Ledger = (*solo.Ledger)(nil)

// ledger makes a ledger of the given texts, one a block. Equal texts make equal
// histories: the clock stands still.
func ledger(t testing.TB, texts ...string) *solo.Ledger {
	t.Helper()
	dir := t.TempDir()
	l, err := solo.Open(solo.Config{
		Dir: filepath.Join(dir, "data"), HeadFile: filepath.Join(dir, "head"), Key: toy.Key(0), Clock: at(noon),
		Machine: new(toy.Machine), Genesis: toy.Genesis(), MemTable: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if len(texts) > 0 {
		enter(t, l, toy.GrantTx(toy.Key(2), 1))
	}
	for _, text := range texts {
		write(t, l, text)
	}
	return l
}

func write(t testing.TB, l *solo.Ledger, text string) {
	t.Helper()
	enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), text, 100+l.LogSize()))
}

func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func enter(t testing.TB, l *solo.Ledger, raw []byte) {
	t.Helper()
	ctx := limit(t)
	hash, err := l.Submit(ctx, raw)
	if err == nil {
		_, err = l.Wait(ctx, hash)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// post is a witness of the toy ledger on the network.
type outpost struct {
	*Witness
	Endpoint
	server *httptest.Server
	asks   atomic.Int64
}

// outpostOf runs witness n; wrap may misbehave before it.
func outpostOf(t testing.TB, n int, clock Clock, wrap func(http.Handler) http.Handler) *outpost {
	t.Helper()
	name := fmt.Sprintf("witness.example/w%d", n)
	w := open(t, Config{Dir: t.TempDir(), Name: name, Key: key(n), Clock: clock, Logs: []Log{LogOf(toy.Genesis())}})
	k, err := ParseKey(w.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	o := &outpost{Witness: w}
	var h http.Handler = w
	if wrap != nil {
		h = wrap(w)
	}
	o.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		o.asks.Add(1)
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(o.server.Close)
	o.Endpoint = Endpoint{Name: fmt.Sprintf("w%d", n), Key: k, URL: o.server.URL + "/"}
	return o
}

// feeder makes a quick feeder; its reports go to the function's second result.
func feeder(t testing.TB, l Ledger, posts ...*outpost) (*Feeder, func() string) {
	t.Helper()
	c := FeederConfig{Ledger: l, Interval: time.Millisecond, Patience: 20 * time.Millisecond, Rest: 5 * time.Millisecond}
	for _, o := range posts {
		c.Witnesses = append(c.Witnesses, o.Endpoint)
	}
	var mu sync.Mutex
	var reports strings.Builder
	c.Report = func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&reports, "%s: %v\n", name, err)
	}
	f, err := NewFeeder(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, func() string {
		mu.Lock()
		defer mu.Unlock()
		return reports.String()
	}
}

// policyOf asks for all of the witnesses.
func policyOf(t testing.TB, posts ...*outpost) (string, *Policy) {
	t.Helper()
	vkey, err := toy.Genesis().VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	text, names := "log "+vkey+"\n", ""
	for _, o := range posts {
		text += fmt.Sprintf("witness %s %s\n", o.Name, o.VerifierKey())
		names += " " + o.Name
	}
	text += "group every all" + names + "\nquorum every\n"
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, p
}

// eventually waits for a condition that comes about by itself.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for ctx := limit(t); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came about: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// cosigned waits until the newest cosigned checkpoint is of the head and good
// under the policy.
func cosignedHead(t testing.TB, l *solo.Ledger, p *Policy) []byte {
	t.Helper()
	var msg []byte
	eventually(t, "the head is cosigned", func() bool {
		var err error
		if msg, err = l.Cosigned(); err != nil {
			return false
		}
		c, err := chain.OpenCheckpoint(toy.Genesis().Keys(), msg)
		return err == nil && c.Height == l.Head().Height && p.Check(msg) == nil
	})
	return msg
}

func TestFeed(t *testing.T) {
	t.Parallel()
	l := ledger(t, "a", "b")
	one, two := outpostOf(t, 1, at(noon), nil), outpostOf(t, 2, at(noon+60_000), nil)
	f, reports := feeder(t, l, one, two)
	if err := f.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Start()
	text, p := policyOf(t, one, two)
	for i := range 5 {
		write(t, l, fmt.Sprint("more ", i))
		msg := cosignedHead(t, l, p)
		c, err := p.Open(msg)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Cosignatures) != 2 || !c.Quorum || c.First.UnixMilli() != noon || c.Last.UnixMilli() != noon+60_000 || c.Cosignatures[1].Name != "w2" {
			t.Errorf("%+v", c)
		}
		secondOpinion(t, text, msg)
	}
	if got := reports(); got != "" {
		t.Errorf("reported %s", got)
	}
	for _, s := range f.Standings() {
		if s.Err != nil {
			t.Errorf("%s: %v", s.Name, s.Err)
		}
	}
}

// secondOpinion has torchwood judge a cosigned checkpoint by the same policy.
func secondOpinion(t testing.TB, policy string, msg []byte) {
	t.Helper()
	p, err := torchwood.ParsePolicy([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(msg, p)
	if err != nil {
		t.Fatal(err)
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(c.Origin, n.Sigs); err != nil {
		t.Error(err)
	}
}

// TestBadWitnesses: whatever a witness does, the good one's cosignature comes,
// nothing bad is kept, and the trouble is told once.
func TestBadWitnesses(t *testing.T) {
	t.Parallel()
	answer := func(status int, body string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.WriteHeader(status)
				fmt.Fprint(rw, body)
			})
		}
	}
	for name, c := range map[string]struct {
		wrap   func(http.Handler) http.Handler
		reason string
	}{
		"huge":         {answer(200, strings.Repeat("x", 1<<20)), "longer than"},
		"garbage":      {answer(200, "hello"), "malformed"},
		"nothing":      {answer(200, ""), "malformed"},
		"stranger":     {answer(200, cosign("witness.example/other", key(5), time.UnixMilli(noon), "x\n1\nx\n")), "no verifiable"},
		"false":        {answer(200, cosign("witness.example/w2", key(2), time.UnixMilli(noon), "x\n1\nx\n")), "invalid signature"},
		"other key":    {answer(200, cosign("witness.example/w2", key(5), time.UnixMilli(noon), "x\n1\nx\n")), "no verifiable"},
		"unknown":      {answer(404, "who?"), "it answered 404: who?"},
		"redirect":     {answer(307, ""), "it answered 307"},
		"bad size":     {answer(409, "-1\n"), "not a size"},
		"later":        {answer(409, "9000000000\n"), "it knows 9000000000 transactions"},
		"other head":   {answer(422, "no proof\x1b[2J"), "there is no way to this ledger's"},
		"wavering":     {wavering, "names another size each time"},
		"down":         {nil, "refused"},
		"never answer": {silent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledger(t, "a")
			good, bad := outpostOf(t, 1, at(noon), nil), outpostOf(t, 2, at(noon), c.wrap)
			if c.wrap == nil {
				bad.server.Close()
			}
			f, reports := feeder(t, l, good, bad)
			f.Start()
			_, p := policyOf(t, good)
			for i := range 3 {
				write(t, l, fmt.Sprint(i))
				msg := cosignedHead(t, l, p)
				if strings.Count(string(msg), "— ") != 2 {
					t.Errorf("kept more than the node's and the good witness's signatures:\n%s", msg)
				}
			}
			if c.reason == "" {
				return
			}
			eventually(t, "the trouble is told", func() bool { return strings.Contains(reports(), c.reason) })
			f.Close()
			if got := reports(); strings.Count(got, "w2: ") != 1 || strings.Contains(got, "w1: ") || strings.Contains(got, "\x1b") {
				t.Errorf("reported\n%s", got)
			}
		})
	}
}

// TestSpelling: what is kept of an answer has one spelling, else no receipt with
// it could be read.
func TestSpelling(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	o := outpostOf(t, 1, at(noon), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			b := rec.Body.Bytes()
			if i := bytes.Index(b, []byte("==\n")); i > 0 && rec.Code == http.StatusOK {
				b[i-1] = alphabet[strings.IndexByte(alphabet, b[i-1])|1] // a spare bit
			}
			rw.WriteHeader(rec.Code)
			rw.Write(b)
		})
	})
	l := ledger(t, "a")
	f, _ := feeder(t, l, o)
	f.Start()
	_, p := policyOf(t, o)
	for line := range strings.Lines(signatures(cosignedHead(t, l, p))) {
		words := strings.Fields(line)
		if _, err := base64.StdEncoding.Strict().DecodeString(words[len(words)-1]); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// silent reads and does not answer.
func silent(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
}

// wavering answers each request with a size that it does not stay with.
func wavering(http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusConflict)
		fmt.Fprintf(rw, "%d\n", n.Add(1)%2)
	})
}

// TestRecovers: a witness that was down is asked again, on the head of then, and
// that it does well again is told.
func TestRecovers(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	o := outpostOf(t, 1, at(noon), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if down.Load() {
				http.Error(rw, "down", http.StatusBadGateway)
				return
			}
			h.ServeHTTP(rw, r)
		})
	})
	l := ledger(t, "a")
	f, reports := feeder(t, l, o)
	f.Start()
	eventually(t, "the trouble is told", func() bool { return strings.Contains(reports(), "502") })
	write(t, l, "b")
	down.Store(false)
	_, p := policyOf(t, o)
	cosignedHead(t, l, p)
	eventually(t, "that it does well again is told", func() bool {
		return reports() == "witness w1: it answered 502: down\nwitness w1: <nil>\n"
	})
}

// TestCoalesces: heads that come while a witness is busy are passed over.
func TestCoalesces(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	o := outpostOf(t, 1, at(noon), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			<-gate
			h.ServeHTTP(rw, r)
		})
	})
	l := ledger(t, "a")
	f, _ := feeder(t, l, o)
	f.Start()
	eventually(t, "the witness is asked", func() bool { return o.asks.Load() > 0 })
	for i := range 50 {
		write(t, l, fmt.Sprint(i)) // no block waits for the witness
	}
	close(gate)
	_, p := policyOf(t, o)
	cosignedHead(t, l, p)
	if n := o.asks.Load(); n > 5 {
		t.Errorf("asked %d times for 52 blocks", n)
	}
}

// TestLostAnswer: the witness has cosigned and its answer is lost; it is asked
// for the same head again, from the size it then names.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	o := outpostOf(t, 1, at(noon), func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if lost.CompareAndSwap(false, true) {
				panic(http.ErrAbortHandler)
			}
			rw.WriteHeader(rec.Code)
			rw.Write(rec.Body.Bytes())
		})
	})
	l := ledger(t, "a")
	f, _ := feeder(t, l, o)
	f.Start()
	_, p := policyOf(t, o)
	cosignedHead(t, l, p)
	if !lost.Load() {
		t.Error("no answer was lost")
	}
}

// TestOldBackup: before it signs anything new, a node whose data are not what
// its witnesses have seen is told.
func TestOldBackup(t *testing.T) {
	t.Parallel()
	clock := at(noon)
	o := outpostOf(t, 1, clock, nil)
	now := ledger(t, "a", "b", "c")
	f, _ := feeder(t, now, o)
	f.Start()
	_, p := policyOf(t, o)
	cosignedHead(t, now, p)
	f.Close()

	for _, c := range []struct {
		name   string
		texts  []string
		reason string // empty: it may run
	}{
		{"the same", []string{"a", "b", "c"}, ""},
		{"an old backup", []string{"a", "b"}, "it knows 4 transactions, this ledger has 3"},
		{"nothing", nil, "it knows 4 transactions, this ledger has 0"},
		{"another last block", []string{"a", "b", "x"}, "another head of 4 transactions"},
		{"a longer history", []string{"a", "b", "x", "d", "e"}, "no way to this ledger's of 6"},
		{"a shorter and forked", []string{"x"}, "it knows 4 transactions, this ledger has 2"},
		{"gone on", []string{"a", "b", "c", "d"}, ""}, // the last: the witness goes on with it
	} {
		f, reports := feeder(t, ledger(t, c.texts...), o)
		err := f.Check(t.Context())
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.reason != "" && (!errors.Is(err, ErrRolledBack) || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%s: %v; want %q", c.name, err, c.reason)
		case c.reason == "" && reports() != "":
			t.Errorf("%s: reported %s", c.name, reports())
		}
		// The head is old by now: that is no trouble, and what is wrong still is.
		clock.Store(noon + 3_600_000)
		if err := f.Check(t.Context()); (err != nil) != (c.reason != "") {
			t.Errorf("%s, an hour later: %v", c.name, err)
		}
		clock.Store(noon)
	}
}

// TestCheckWithoutAnswer: a witness that cannot be reached keeps nobody from
// running, and is told of.
func TestCheckWithoutAnswer(t *testing.T) {
	t.Parallel()
	o := outpostOf(t, 1, at(noon), nil)
	o.server.Close()
	f, reports := feeder(t, ledger(t, "a"), o)
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(reports(), "w1: ") {
		t.Errorf("reported %q", reports())
	}
}

func TestFeederConfig(t *testing.T) {
	t.Parallel()
	l := ledger(t)
	e := Endpoint{Name: "w", Key: KeyOf("w.example", public(1)), URL: "http://127.0.0.1:1"}
	for name, c := range map[string]FeederConfig{
		"no ledger": {Witnesses: []Endpoint{e}},
		"no URL":    {Ledger: l, Witnesses: []Endpoint{{Name: "w", Key: e.Key}}},
		"file URL":  {Ledger: l, Witnesses: []Endpoint{{Name: "w", Key: e.Key, URL: "file:///etc"}}},
		"twice":     {Ledger: l, Witnesses: []Endpoint{e, e}},
		"no roots":  {Ledger: l, Authority: &Authority{URL: e.URL}},
	} {
		if _, err := NewFeeder(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAddLine(t *testing.T) {
	t.Parallel()
	l := newLog(t).grow("a")
	signed := l.sign(l.head())
	text, err := TextOf(signed)
	if err != nil {
		t.Fatal(err)
	}
	first := cosign("w.example", key(1), time.UnixMilli(noon), text)
	both := addLine(addLine(signed, first), cosign("w.example", key(2), time.UnixMilli(noon), text))
	again := addLine(both, cosign("w.example", key(1), time.UnixMilli(noon+minute), text))
	if !bytes.Equal(again, both) || strings.Count(string(both), "— ") != 3 || !bytes.HasPrefix(both, append(bytes.Clone(signed), first...)) {
		t.Errorf("%s", again)
	}
}
