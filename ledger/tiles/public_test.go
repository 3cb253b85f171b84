package tiles

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// serve serves a handler until the test ends.
func serve(t testing.TB, h http.Handler) (url string, c *http.Client) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.Client().CloseIdleConnections()
		s.Close()
	})
	return s.URL, s.Client()
}

// client is the standard's own client of the layout at a URL.
func client(t testing.TB, url string, c *http.Client) (*torchwood.Client, *torchwood.TileFetcher) {
	t.Helper()
	f, err := torchwood.NewTileFetcher(url, torchwood.WithHTTPClient(c))
	if err != nil {
		t.Fatal(err)
	}
	cl, err := torchwood.NewClient(f)
	if err != nil {
		t.Fatal(err)
	}
	return cl, f
}

func tree(t testing.TB, f *torchwood.TileFetcher) tlog.Tree {
	t.Helper()
	msg, err := f.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(genesis().Origin), torchwood.SingleVerifierPolicy(verifier(t)))
	c, _, err := torchwood.VerifyCheckpoint(msg, policy)
	if err != nil {
		t.Fatal(err)
	}
	return c.Tree
}

// The sizes where a tile or a level begins, is full, or is just passed.
var edges = []uint64{1, 2, 255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792, 65_793, 66_000}

// The standard's clients read the log whole, and every proof that they make of
// its tiles is the one that the ledger itself makes.
func TestPublicClients(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range edges {
		m := sized{madeOf(), size}
		url, hc := serve(t, New(m, nil))
		cl, f := client(t, url, hc)
		at := tree(t, f)
		if uint64(at.N) != size {
			t.Fatalf("size %d, not %d", at.N, size)
		}
		readAllEntries(t, cl, at, m, max(size, 600)-600)
		indexes := []uint64{0, size / 2, size - 1, size / 256 * 256 % size}
		for range 6 {
			indexes = append(indexes, r.Uint64N(size))
		}
		for _, i := range indexes {
			inclusion(t, cl, at, m, i)
		}
		ours := NewTree(t.Context(), NewRemote(url, hc), chain.Checkpoint{Size: size, Root: wire.Hash(at.Hash)})
		for _, old := range append(slices.Clone(edges), r.Uint64N(size)+1, r.Uint64N(size)+1) {
			consistency(t, f, ours, at, m, old)
		}
	}
}

func readAllEntries(t *testing.T, cl *torchwood.Client, at tlog.Tree, m sized, from uint64) {
	t.Helper()
	next := from
	for i, e := range cl.AllEntries(t.Context(), at, int64(from)) {
		if uint64(i) != next || !bytes.Equal(e, m.leaves[i]) {
			t.Fatalf("entry %d of %d is another", i, at.N)
		}
		next++
	}
	if err := cl.Err(); err != nil || next != uint64(at.N) {
		t.Fatalf("read to %d of %d: %v", next, at.N, err)
	}
}

func inclusion(t *testing.T, cl *torchwood.Client, at tlog.Tree, m sized, i uint64) {
	t.Helper()
	e, p, err := cl.Entry(t.Context(), at, int64(i))
	if err != nil || !bytes.Equal(e, m.leaves[i]) {
		t.Fatalf("entry %d of %d: %v", i, at.N, err)
	}
	want, err := chain.InclusionProof(i, m.size, m.LogNodes)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := proof(p, nil); !slices.Equal(got, want) {
		t.Errorf("entry %d of %d: another inclusion proof than the ledger's", i, at.N)
	}
}

func consistency(t *testing.T, f *torchwood.TileFetcher, ours Tree, at tlog.Tree, m sized, old uint64) {
	t.Helper()
	if old > m.size {
		if _, err := ours.Consistency(old); err == nil {
			t.Errorf("a log of %d is said to begin with one of %d", m.size, old)
		}
		return
	}
	hashes := torchwood.TileHashReaderWithContext(t.Context(), at, f)
	p, err := tlog.ProveTree(at.N, int64(old), hashes)
	if err != nil {
		t.Fatal(err)
	}
	want, err := chain.ConsistencyProof(old, m.size, m.LogNodes)
	if err != nil {
		t.Fatal(err)
	}
	log, err := m.logAt(old)
	if err != nil {
		t.Fatal(err)
	}
	root, err := log.Root()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ours.Consistency(old)
	if err != nil {
		t.Fatal(err)
	}
	if theirs, _ := proof(p, nil); !slices.Equal(theirs, want) || !slices.Equal(got, want) {
		t.Errorf("from %d to %d: another consistency proof than the ledger's", old, m.size)
	}
	if r, err := ours.RootAt(old); err != nil || r != root {
		t.Errorf("root at %d of %d: %v, %v", old, m.size, r, err)
	}
	if err := chain.VerifyConsistency(old, m.size, got, root, wire.Hash(at.Hash)); err != nil {
		t.Error(err)
	}
}

// flipping serves the layout with one byte of one file changed.
type flipping struct {
	http.Handler
	path string
	at   int
}

func (f flipping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/"+f.path {
		f.Handler.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	f.Handler.ServeHTTP(rec, r)
	b := rec.Body.Bytes()
	b[f.at%len(b)] ^= 1
	w.Write(b) //nolint:errcheck // the client has gone
}

// Whatever byte of the log is changed on the way, the standard's clients refuse
// it; unchanged they take it all.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	const size = 600
	m := sized{madeOf(), size}
	h := New(m, nil)
	c, err := published(m.Checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	read := func(h http.Handler) error {
		s := httptest.NewServer(h)
		defer s.Close()
		cl, f := client(t, s.URL, s.Client())
		msg, err := f.ReadEndpoint(t.Context(), "checkpoint")
		if err != nil {
			return err
		}
		if _, err := note.Open(msg, note.VerifierList(verifier(t))); err != nil {
			return err
		}
		at := tlog.Tree{N: int64(c.Size), Hash: tlog.Hash(c.Root)}
		for range cl.AllEntries(t.Context(), at, 0) {
			continue
		}
		return cl.Err()
	}
	if err := read(h); err != nil {
		t.Fatalf("control: %v", err)
	}
	paths := []Path{{Kind: Checkpoint}}
	Since(chain.Checkpoint{}, c, func(p Path) bool {
		if p.Kind == Hashes || p.Kind == Entries {
			paths = append(paths, p)
		}
		return true
	})
	if len(paths) != 1+3+3+1 {
		t.Fatalf("files of the log: %v", paths)
	}
	for _, p := range paths {
		for _, at := range []int{0, 1, 2, 31, 40, 97, 1 << 20} {
			if p.Kind == Checkpoint && at > 100 {
				continue // a spare bit of the signature's base64
			}
			if err := read(flipping{h, p.String(), at}); err == nil {
				t.Errorf("%v, byte %d: changed, and taken", p, at)
			}
		}
	}
}

// body asks a handler for a path.
func body(t testing.TB, h http.Handler, method, path string) *http.Response {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), method, "/"+path, nil))
	return rec.Result()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	m := ledgerOf(300) // 2,100 transactions
	h := New(m, nil)
	for _, c := range []struct {
		path, kind, cache string
		status            int
	}{
		{"checkpoint", "text/plain; charset=utf-8", cacheShort, 200},
		{"genesis", "application/cbor", cacheForever, 200},
		{"rotations", "application/cbor", cacheShort, 200},
		{"tile/0/007", "application/octet-stream", cacheForever, 200},
		{"tile/0/008.p/52", "application/octet-stream", cacheDay, 200},
		{"tile/0/008.p/3", "application/octet-stream", cacheDay, 200},
		{"tile/1/000.p/8", "application/octet-stream", cacheDay, 200},
		{"tile/entries/007", "application/octet-stream", cacheForever, 200},
		{"headers/000", "application/octet-stream", cacheForever, 200},
		{"headers/001.p/44", "application/octet-stream", cacheDay, 200},
		{"transactions/000", "application/octet-stream", cacheForever, 200},
		{"transactions/008.p/52", "application/octet-stream", cacheDay, 200},
		// Beyond the checkpoint, though the ledger has more.
		{"tile/0/008", "", "no-store", 404},
		{"tile/0/008.p/53", "", "no-store", 404},
		{"tile/1/000.p/9", "", "no-store", 404},
		{"tile/2/000.p/1", "", "no-store", 404},
		{"tile/entries/008.p/53", "", "no-store", 404},
		{"headers/001.p/45", "", "no-store", 404},
		{"transactions/009.p/1", "", "no-store", 404},
		{"tile/0/x281/x474/x976/710/655", "", "no-store", 404},
		{"tile/0/7", "", "no-store", 404},
		{"", "", "no-store", 404},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := body(t, h, method, c.path)
			if r.StatusCode != c.status || r.Header.Get("Cache-Control") != c.cache || (c.kind != "" && r.Header.Get("Content-Type") != c.kind) {
				t.Errorf("%s %s: %d %v", method, c.path, r.StatusCode, r.Header)
			}
		}
	}
	if r := body(t, h, http.MethodPost, "checkpoint"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", r.StatusCode)
	}
	earlier := New(m, ledgerOf(10).Checkpoint)
	if r := body(t, earlier, http.MethodGet, "tile/0/000.p/70"); r.StatusCode != 200 {
		t.Errorf("covered by an earlier checkpoint: %d", r.StatusCode)
	}
	if r := body(t, earlier, http.MethodGet, "tile/0/000.p/71"); r.StatusCode != 404 {
		t.Errorf("beyond the earlier checkpoint that is published: %d", r.StatusCode)
	}
}

// A bundle decodes to what the ledger has, and is refused cut or prolonged.
func TestBundles(t *testing.T) {
	t.Parallel()
	m := ledgerOf(300)
	h := New(m, nil)
	read := func(p Path) []byte {
		b, err := io.ReadAll(body(t, h, http.MethodGet, p.String()).Body)
		if err != nil || len(b) > p.Limit() {
			t.Fatalf("%v: %d bytes, limit %d: %v", p, len(b), p.Limit(), err)
		}
		return b
	}
	p := Path{Kind: Headers, Index: 1, Width: 44}
	b := read(p)
	hs, err := DecodeHeaders(p, b)
	if err != nil || !slices.Equal(hs, m.headers[256:300]) {
		t.Errorf("headers: %v", err)
	}
	refusesDamage(t, p, b, func(b []byte) error { _, err := DecodeHeaders(p, b); return err })
	p = Path{Kind: Transactions, Index: 8, Width: 52}
	b = read(p)
	ts, err := DecodeTransactions(p, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range ts {
		e := m.entries[8*256+i]
		if x.Hash != e.Hash || x.Code != uint16(e.Result.Code) || !bytes.Equal(x.Envelope, e.Envelope) || x.Stream != e.Stream {
			t.Errorf("transaction %d: %+v", i, x)
		}
	}
	refusesDamage(t, p, b, func(b []byte) error { _, err := DecodeTransactions(p, b); return err })
	refused := appendTransaction(nil, Transaction{Code: 7, Envelope: []byte("x")})
	accepted := appendTransaction(nil, Transaction{Hash: wire.TxHash{1}, Envelope: []byte("x")})
	for name, b := range map[string][]byte{"refused with a body": refused, "another hash": accepted} {
		if _, err := DecodeTransactions(Path{Kind: Transactions, Width: 1}, b); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func refusesDamage(t *testing.T, p Path, b []byte, decode func([]byte) error) {
	t.Helper()
	for n := range b {
		if decode(b[:n]) == nil {
			t.Fatalf("%v: cut to %d bytes, and taken", p, n)
		}
	}
	if decode(append(bytes.Clone(b), 0)) == nil {
		t.Errorf("%v: prolonged, and taken", p)
	}
}
