package browser_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// TestProver is one page with the whole prover, its workers and its files.
func TestProver(t *testing.T) {
	page := browsertest.Open(t, "circuits/browser/testdata/prover.ts", browsertest.Handlers{browser.Base: spoiling(browser.Handler(nil))})
	t.Run("proofs", func(t *testing.T) { testProofs(t, page) })
	t.Run("poisoned cache", func(t *testing.T) { testPoison(t, page) })
	t.Run("vectors", func(t *testing.T) { testVectors(t, page) })
	t.Run("refused", func(t *testing.T) { testRefused(t, page) })
	t.Run("path", func(t *testing.T) { testPath(t, page) })
	t.Run("lives", func(t *testing.T) { testLives(t, page) })
	t.Run("cancel", func(t *testing.T) { testCancel(t, page) })
	t.Run("changed files", func(t *testing.T) { testChanged(t, page) })
	t.Run("without vectors", func(t *testing.T) { testWithoutVectors(t, page) })
}

// spoiling changes a byte of what is asked for with the query "spoilt", and with
// "once" the first time.
func spoiling(h http.Handler) http.Handler {
	var once sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, again := once.LoadOrStore(r.URL.String(), true)
		if r.URL.RawQuery == "spoilt" || r.URL.RawQuery == "once" && !again {
			r.Header.Del("Accept-Encoding")
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			answer.Body.Bytes()[20] ^= 1
			maps.Copy(w.Header(), answer.Header())
			w.Write(answer.Body.Bytes()) //nolint:errcheck,gosec // the browser has gone
			return
		}
		h.ServeHTTP(w, r)
	})
}

// crowd is a tree of random people, with random bounds, contexts and messages.
type crowd struct {
	t      testing.TB
	random *rand.Rand
	people []prover.Witness
	tree   *tree.Tree
}

func newCrowd(t testing.TB, seed uint64, n int) *crowd {
	t.Helper()
	c := &crowd{t: t, random: rand.New(rand.NewPCG(seed, 7))}
	leaves := make([]field.Element, n)
	for i := range leaves {
		w := prover.Witness{Secret: randomScalar(c.random), Trapdoor: randomScalar(c.random)}
		for j := range w.Attributes {
			w.Attributes[j] = c.random.Uint32() >> c.random.UintN(32)
		}
		c.people = append(c.people, w)
		leaves[i] = w.Leaf()
	}
	var err error
	if c.tree, err = tree.Build(tree.Depth, leaves); err != nil {
		t.Fatal(err)
	}
	return c
}

// witness is somebody's, with bounds that are vacuous, tight or in between.
func (c *crowd) witness() prover.Witness {
	c.t.Helper()
	place := c.random.IntN(len(c.people))
	w := c.people[place]
	var err error
	if w.Path, err = c.tree.Path(uint64(place)); err != nil { //nolint:gosec // a place
		c.t.Fatal(err)
	}
	w.Sign(randomScalar(c.random), randomScalar(c.random))
	for i, x := range w.Attributes {
		switch c.random.IntN(3) {
		case 0:
			w.Statement.Min[i], w.Statement.Max[i] = x, x
		case 1:
			w.Statement.Min[i], w.Statement.Max[i] = x-x>>1, x+(1<<32-1-x)>>1
		}
	}
	return w
}

// text is a witness as the page takes it.
func text(t testing.TB, w prover.Witness) plain {
	t.Helper()
	root, err := w.Statement.Root.Element()
	if err != nil {
		t.Fatal(err)
	}
	account, err := w.Statement.Account.Element()
	if err != nil {
		t.Fatal(err)
	}
	p := plain{
		Secret: decimal(w.Secret), Trapdoor: decimal(w.Trapdoor), Attributes: w.Attributes, Root: decimal(root),
		Context: decimal(w.Statement.Context), Account: decimal(account), Min: w.Statement.Min, Max: w.Statement.Max,
	}
	for i := range w.Path {
		var level []string
		for j := range w.Path[i] {
			level = append(level, decimal(w.Path[i][j]))
		}
		p.Path = append(p.Path, level)
	}
	return p
}

// request is a statement to be proven; all messages of one come from one
// preparation.
type request struct {
	Witness  plain    `json:"witness"`
	Messages []string `json:"messages"`
}

// count is the number of proofs of the tests; TRIALITH_PROOFS names another.
func count(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TRIALITH_PROOFS")
	if text == "" {
		return 240
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("TRIALITH_PROOFS: %v", err)
	}
	return n
}

// Proofs over random statements, by one to four workers, hold for our verifier
// and for gnark's; no two are alike, those of one preparation neither.
func testProofs(t *testing.T, page *browsertest.Page) {
	gnark := new(groth16.VerifyingKey)
	if _, err := gnark.ReadFrom(bytes.NewReader(verifier.Development().Bytes())); err != nil {
		t.Fatal(err)
	}
	c := newCrowd(t, 11, 70)
	seen := map[string]bool{}
	const each = 4 // proofs of one preparation
	for workers := 1; workers <= 4; workers++ {
		steps := browsertest.Call[[]string](t, page, "open", workers)
		if want := []string{"kernel", "check", "download", "expand"}; len(steps) != 4 || !slices.Equal(slices.Sorted(slices.Values(steps[1:])), want[1:]) || steps[0] != want[0] {
			t.Errorf("%d workers: %v ended", workers, steps)
		}
		var witnesses []prover.Witness
		var requests []request
		for range max(1, count(t)/(4*each)) {
			w := c.witness()
			witnesses = append(witnesses, w)
			r := request{Witness: text(t, w)}
			for range each - 1 {
				r.Messages = append(r.Messages, decimal(randomScalar(c.random)))
			}
			requests = append(requests, request{r.Witness, append(r.Messages, r.Messages[0])}) // one message twice
		}
		for i, proofs := range browsertest.Call[[][]string](t, page, "prove", requests) {
			for j, text := range proofs {
				s := witnesses[i].Statement
				if _, err := s.Message.SetString(requests[i].Messages[j]); err != nil {
					t.Fatal(err)
				}
				if seen[text] {
					t.Error("two proofs are the same bytes")
				}
				seen[text] = true
				holds(t, gnark, text, s)
			}
		}
	}
	t.Logf("%d proofs", len(seen))
}

func holds(t *testing.T, gnark *groth16.VerifyingKey, text string, s verifier.Statement) {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(verifier.Proof{}) {
		t.Fatalf("no proof: %q", text)
	}
	if err := verifier.Development().Verify(verifier.Proof(b), s); err != nil {
		t.Errorf("our verifier: %v", err)
	}
	var proof groth16.Proof
	if _, err := proof.Ar.SetBytes(b[:32]); err != nil {
		t.Error(err)
	}
	if _, err := proof.Bs.SetBytes(b[32:96]); err != nil {
		t.Error(err)
	}
	if _, err := proof.Krs.SetBytes(b[96:]); err != nil {
		t.Error(err)
	}
	if err := groth16.Verify(&proof, gnark, fr.Vector(inputsOf(t, s))); err != nil {
		t.Errorf("gnark: %v", err)
	}
}

// A cache with wrong points is not believed.
func testPoison(t *testing.T, page *browsertest.Page) {
	browsertest.Call[[]string](t, page, "open", 2)
	if n := browsertest.Call[int](t, page, "poison"); n != 5 {
		t.Fatalf("%d parts were in the cache", n)
	}
	_, w, _ := someone(t, 9, 2)
	browsertest.Call[[]string](t, page, "open", 2)
	i := browsertest.Call[int](t, page, "prepare", w)
	browsertest.Call[string](t, page, "finish", i, "5")
	browsertest.Call[any](t, page, "discard", i)
}

// verdict is a proof that the page judges.
type verdict struct {
	Proof   string `json:"proof"`
	Witness plain  `json:"witness"`
	Message string `json:"message"`
}

// The page judges the protocol's vectors as every verifier must.
func testVectors(t *testing.T, page *browsertest.Page) {
	browsertest.Call[[]string](t, page, "open", 2)
	_, w, _ := someone(t, 9, 2)
	var list []verdict
	all := vectors(t)
	for _, v := range all {
		w.Root, w.Context, w.Account = "0x"+v.Statement.Root, "0x"+v.Statement.Context, "0x"+v.Statement.Account
		w.Min, w.Max = v.Statement.Min, v.Statement.Max
		list = append(list, verdict{v.Proof, w, "0x" + v.Statement.Message})
	}
	for i, got := range browsertest.Call[[]bool](t, page, "verdicts", list) {
		if got != all[i].Valid {
			t.Errorf("%s: %t, want %t", all[i].Name, got, all[i].Valid)
		}
	}
}

// What is wrong with a witness is said before anything is proven.
func testRefused(t *testing.T, page *browsertest.Page) {
	browsertest.Call[[]string](t, page, "open", 2)
	cases := []struct {
		name, word string
		spoil      func(w *plain)
	}{
		{"another secret", "lead up from the leaf", func(w *plain) { w.Secret = "1" }},
		{"another trapdoor", "lead up from the leaf", func(w *plain) { w.Trapdoor = "1" }},
		{"another attribute", "lead up from the leaf", func(w *plain) { w.Attributes[0]++ }},
		{"a broken path", "lead up from the leaf", func(w *plain) { w.Path[3][0] = "1" }},
		{"a short path", "7 levels", func(w *plain) { w.Path = w.Path[:6] }},
		{"a narrow path", "levels of 8", func(w *plain) { w.Path[2] = w.Path[2][:7] }},
		{"another root", "another root", func(w *plain) { w.Root = "1" }},
		{"another context", "account is not the leaf's", func(w *plain) { w.Context = "1" }},
		{"another account", "account is not the leaf's", func(w *plain) { w.Account = "1" }},
		{"no context", "context is zero", func(w *plain) { w.Context = "0" }},
		{"no account", "account is zero", func(w *plain) { w.Account = "0" }},
		{"a root of r", "root is no field element", func(w *plain) { w.Root = fr.Modulus().String() }},
		{"a negative secret", "secret is no field element", func(w *plain) { w.Secret = "-1" }},
		{"max + 1", "outside its bounds", func(w *plain) { w.Min[1], w.Max[1] = 29, 29 }},
		{"min - 1", "outside its bounds", func(w *plain) { w.Min[1] = 31 }},
		{"bounds the wrong way", "minimum", func(w *plain) { w.Min[1], w.Max[1] = 31, 29 }},
	}
	var list []plain
	for _, c := range cases {
		_, w, _ := someone(t, 9, 2)
		c.spoil(&w)
		list = append(list, w)
	}
	_, w, _ := someone(t, 9, 2)
	list = append(list, w)
	for i, got := range browsertest.Call[[]string](t, page, "refusals", list) {
		switch {
		case i == len(cases) && got != "":
			t.Errorf("the witness as it was: %q", got)
		case i < len(cases) && (!strings.HasPrefix(got, "witness: ") || !strings.Contains(got, cases[i].word)):
			t.Errorf("%s: %q, want a refusal that says %q", cases[i].name, got, cases[i].word)
		}
	}
}

// Paths and roots are those of package tree.
func testPath(t *testing.T, page *browsertest.Page) {
	browsertest.Call[[]string](t, page, "open", 2)
	r := rand.New(rand.NewPCG(9, 9))
	for _, n := range []int{1, 7, 8, 9, 16, 17, 64, 65, 585} {
		leaves := make([]field.Element, n)
		for i := range leaves {
			if r.IntN(5) > 0 { // some are emptied
				leaves[i] = randomScalar(r)
			}
		}
		built, err := tree.Build(tree.Depth, leaves)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range []int{0, n / 2, n - 1} {
			want, err := built.Path(uint64(place)) //nolint:gosec // a place
			if err != nil {
				t.Fatal(err)
			}
			got := browsertest.Call[struct {
				Path [][]string
				Root string
			}](t, page, "path", hexes(leaves), place)
			if got.Root != decimal(built.Root()) {
				t.Fatalf("%d leaves: root %s, want %s", n, got.Root, decimal(built.Root()))
			}
			for i := range want {
				for j := range want[i] {
					if got.Path[i][j] != decimal(want[i][j]) {
						t.Fatalf("%d leaves, place %d: child %d of level %d is another", n, place, j, i)
					}
				}
			}
		}
	}
	one := hexes([]field.Element{number(1)})
	for name, c := range map[string]struct {
		leaves string
		place  int
	}{
		"a place behind the last": {one, 1}, "a negative place": {one, -1}, "no leaf": {"", 0},
		"half a leaf": {one[:32], 0}, "a leaf of r": {hexPlus(one, fr.Modulus()), 0},
	} {
		if _, err := browsertest.Try[any](page, "path", c.leaves, c.place); err == nil || !strings.HasPrefix(err.Error(), "witness: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func refusedAs(t *testing.T, what, code string, err error) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), code+": ") {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}

// A prepared proof lives until it is discarded or its prover closed.
func testLives(t *testing.T, page *browsertest.Page) {
	_, w, _ := someone(t, 9, 2)
	browsertest.Call[[]string](t, page, "open", 2)
	first, second := browsertest.Call[int](t, page, "prepare", w), browsertest.Call[int](t, page, "prepare", w)
	for _, message := range []string{"0", "-1", fr.Modulus().String()} {
		_, err := browsertest.Try[string](page, "finish", first, message)
		refusedAs(t, "message "+message, "witness", err)
	}
	browsertest.Call[any](t, page, "discard", first)
	_, err := browsertest.Try[string](page, "finish", first, "1")
	refusedAs(t, "after discard", "cancelled", err)
	browsertest.Call[string](t, page, "finish", second, "1")
	browsertest.Call[any](t, page, "crash")
	_, err = browsertest.Try[string](page, "finish", second, "1")
	refusedAs(t, "after a worker failed", "internal", err)
	second = browsertest.Call[int](t, page, "prepare", w)
	browsertest.Call[string](t, page, "finish", second, "1")
	browsertest.Call[any](t, page, "close")
	_, err = browsertest.Try[string](page, "finish", second, "1")
	refusedAs(t, "after close", "cancelled", err)
	_, err = browsertest.Try[int](page, "prepare", w)
	refusedAs(t, "prepare after close", "cancelled", err)
}

// A signal ends opening and preparing at once; the prover works again after it.
func testCancel(t *testing.T, page *browsertest.Page) {
	_, w, _ := someone(t, 9, 2)
	for _, after := range []int{-1, 0} {
		_, err := browsertest.Try[string](page, "cancelOpen", after)
		refusedAs(t, "opening", "cancelled", err)
	}
	browsertest.Call[[]string](t, page, "open", 2)
	for _, after := range []int{-1, 0, 5} {
		_, err := browsertest.Try[any](page, "cancelPrepare", w, after)
		refusedAs(t, "preparing", "cancelled", err)
		i := browsertest.Call[int](t, page, "prepare", w)
		browsertest.Call[string](t, page, "finish", i, "1")
	}
}

// A file other than the pinned one is not used, whichever it is.
func testChanged(t *testing.T, page *browsertest.Page) {
	for _, name := range []string{"kernel.wasm", "small.bin", "circuit.bin", "A.bin", "B1.bin", "K.bin", "Z.bin", "B2.bin", "worker.js"} {
		_, err := browsertest.Try[string](page, "openChanged", name, "sha256")
		refusedAs(t, name+" of another hash", "changed", err)
	}
	for _, name := range []string{"kernel.wasm", "circuit.bin", "worker.js"} {
		if _, err := browsertest.Try[string](page, "openChanged", name, "?once"); err != nil {
			t.Errorf("%s spoilt in the browser's cache: %v", name, err)
		}
		_, err := browsertest.Try[string](page, "openChanged", name, "?spoilt")
		refusedAs(t, name+" spoilt", "changed", err)
		_, err = browsertest.Try[string](page, "openChanged", name, "bytes")
		refusedAs(t, name+" of another length", "changed", err)
		_, err = browsertest.Try[string](page, "openChanged", name, "file")
		refusedAs(t, name+" that is not there", "download", err)
	}
}

// A browser without vector instructions goes to gnark's prover, which is not
// served here.
func testWithoutVectors(t *testing.T, page *browsertest.Page) {
	_, err := browsertest.Try[string](page, "openWithoutVectors")
	refusedAs(t, "opening", "download", err)
	if err == nil || !strings.Contains(err.Error(), "gnark.json") {
		t.Errorf("without vectors: %v", err)
	}
}

// BenchmarkProver reports milliseconds by the browser's clock: of opening with the
// key in the cache, and of one proof ahead of the message and behind it. What it
// says of a busy machine is worth nothing; "trialith bench browser" measures in turns
// with a peer.
func BenchmarkProver(b *testing.B) {
	page := browsertest.Open(b, "circuits/browser/testdata/prover.ts", browsertest.Handlers{browser.Base: browser.Handler(nil)})
	w := newCrowd(b, 3, 70).witness()
	for _, workers := range []int{1, 2} {
		b.Run(strconv.Itoa(workers)+"-workers", func(b *testing.B) {
			for name, ms := range browsertest.Call[map[string]float64](b, page, "times", text(b, w), workers, max(b.N, 5)) {
				b.ReportMetric(ms, name+"-ms")
			}
		})
	}
}

// BenchmarkVerify reports the page's verifier alone, of a proof and all its public inputs.
func BenchmarkVerify(b *testing.B) {
	page := browsertest.Open(b, "circuits/browser/testdata/arithmetic.ts", browsertest.Handlers{browser.Base: browser.Handler(nil)})
	proof, w := honest(b, 3)
	c := claim{Proof: hex.EncodeToString(proof[:]), Inputs: hexes(inputsOf(b, w.Statement))}
	for name, ms := range browsertest.Call[map[string]float64](b, page, "verifyTime", c, max(b.N, 5)) {
		b.ReportMetric(ms, name+"-ms")
	}
}
