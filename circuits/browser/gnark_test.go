package browser_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// plain is a witness as the test's scripts take it.
type plain struct {
	Secret     string           `json:"secret"`
	Trapdoor   string           `json:"trapdoor"`
	Attributes field.Attributes `json:"attributes"`
	Path       [][]string       `json:"path"`
	Root       string           `json:"root"`
	Context    string           `json:"context"`
	Account    string           `json:"account"`
	Min        field.Attributes `json:"min"`
	Max        field.Attributes `json:"max"`
}

func decimal(e field.Element) string { return e.Text(10) }

// someone is a person among n, and all leaves; the witness is signed for some
// context, and for the message 1.
func someone(t testing.TB, n, place uint64) (prover.Witness, plain, []field.Element) {
	t.Helper()
	var leaves []field.Element
	var w prover.Witness
	for i := range n {
		var other prover.Witness
		other.Secret.SetUint64(1000 + i)
		other.Trapdoor.SetUint64(2000 + i)
		other.Attributes = field.Attributes{uint32(i), 30}
		leaves = append(leaves, other.Leaf())
		if i == place {
			w = other
		}
	}
	forest, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		t.Fatal(err)
	}
	if w.Path, err = forest.Path(place); err != nil {
		t.Fatal(err)
	}
	var one field.Element
	one.SetOne()
	w.Sign(field.Hash("context", nil), one)
	w.Statement.Min[1], w.Statement.Max[1] = 30, 31
	root, _ := w.Statement.Root.Element()
	account, _ := w.Statement.Account.Element()
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
	return w, p, leaves
}

// gnark builds into a directory of the test, with Go's own cache.
func gnark(t *testing.T) *browser.Gnark {
	t.Helper()
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	g := browser.NewGnark(t.TempDir())
	t.Cleanup(g.Close)
	return g
}

// A browser without SIMD proves with gnark's program, which a checkout builds.
func TestGnarkInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute where Go's cache is cold")
	}
	page := browsertest.Open(t, "circuits/browser/testdata/gnark.ts", browsertest.Handlers{
		browser.Base: browser.Handler(gnark(t)),
	})
	if got := browsertest.Call[string](t, page, "open"); got != "gnark download true" {
		t.Errorf("opened: %q", got)
	}
	w, p, leaves := someone(t, 100, 42)
	browsertest.Call[any](t, page, "prepare", p)
	message := field.Hash("message", nil)
	text := browsertest.Call[string](t, page, "finish", decimal(message))
	proof, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := verifier.ParseProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	w.Statement.Message = message
	if err := verifier.Development().Verify(parsed, w.Statement); err != nil {
		t.Errorf("the browser's proof: %v", err)
	}
	if !browsertest.Call[bool](t, page, "verify", text, p, decimal(message)) {
		t.Error("the browser refuses its own proof")
	}
	if browsertest.Call[bool](t, page, "verify", text, p, decimal(field.Hash("another", nil))) {
		t.Error("the browser accepts another message")
	}
	if browsertest.Call[bool](t, page, "verify", "00"+text[2:], p, decimal(message)) {
		t.Error("the browser accepts bytes that are no proof")
	}
	t.Run("refusals", func(t *testing.T) { gnarkRefuses(t, page, p) })
	t.Run("path", func(t *testing.T) { gnarkPath(t, page, leaves) })
	t.Run("close", func(t *testing.T) {
		browsertest.Call[any](t, page, "prepare", p)
		browsertest.Call[any](t, page, "discard")
		if _, err := browsertest.Try[string](page, "finish", "5"); err == nil || !strings.Contains(err.Error(), "discarded") {
			t.Errorf("a discarded witness: %v", err)
		}
		browsertest.Call[any](t, page, "close")
		if _, err := browsertest.Try[any](page, "prepare", p); err == nil || !strings.HasPrefix(err.Error(), "cancelled") {
			t.Errorf("a closed prover: %v", err)
		}
	})
}

func gnarkRefuses(t *testing.T, page *browsertest.Page, good plain) {
	const r = "21888242871839275222246405745257275088548364400416034343698204186575808495617"
	for name, spoil := range map[string]func(*plain){
		"secret":                func(p *plain) { p.Secret = r },
		"trapdoor":              func(p *plain) { p.Trapdoor = "-1" },
		"lead up from the leaf": func(p *plain) { p.Secret = "5" },
		"another root":          func(p *plain) { p.Root = "5" },
		"account":               func(p *plain) { p.Account = "5" },
		"lies outside":          func(p *plain) { p.Min[1] = 31 },
		"7 levels":              func(p *plain) { p.Path = p.Path[:6] },
	} {
		p := good
		spoil(&p)
		if _, err := browsertest.Try[any](page, "prepare", p); err == nil || !strings.HasPrefix(err.Error(), "witness: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	browsertest.Call[any](t, page, "prepare", good)
	for _, message := range []string{"0", r} {
		if _, err := browsertest.Try[string](page, "finish", message); err == nil || !strings.HasPrefix(err.Error(), "witness: ") {
			t.Errorf("message %s: %v", message, err)
		}
	}
}

func gnarkPath(t *testing.T, page *browsertest.Page, leaves []field.Element) {
	leaves[7] = field.Element{} // emptied
	forest, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, leaf := range leaves {
		b := field.Encode(leaf)
		text.WriteString(hex.EncodeToString(b[:]))
	}
	path, err := forest.Path(11)
	if err != nil {
		t.Fatal(err)
	}
	got := browsertest.Call[[]string](t, page, "path", text.String(), 11)
	if len(got) != tree.Depth*tree.Arity+1 {
		t.Fatalf("%d numbers", len(got))
	}
	for i := range path {
		for j := range path[i] {
			if at := i*tree.Arity + j; got[at] != decimal(path[i][j]) {
				t.Fatalf("number %d of the path differs", at)
			}
		}
	}
	if got[len(got)-1] != decimal(forest.Root()) {
		t.Error("the root differs")
	}
}

// Many visitors wait for one build, and a mistyped address starts none.
func TestGnarkFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute where Go's cache is cold")
	}
	g := gnark(t)
	for _, name := range []string{"", "gnark.wasm.gz", "x.json", "../gnark.json"} {
		if _, err := g.File(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", name, err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			f, err := g.File(t.Context(), "gnark.json")
			if err != nil || f.Kind != "application/json" || f.Address != "/prover/gnark.json" {
				t.Errorf("%v: %+v", err, f.Address)
			}
		})
	}
	wg.Wait()
	if _, err := g.File(t.Context(), "gnark.0123456789abcdef.wasm"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another program than the one that is there: %v", err)
	}
}

// A visitor who leaves does not end the build, and the server's end does.
func TestGnarkClose(t *testing.T) {
	if _, err := os.Stat(filepath.Join("gnark", "gnark.json")); err == nil {
		t.Skip("gnark's prover is embedded here: nothing needs building")
	}
	// This tool begins and never ends.
	slow := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(slow)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	g := browser.NewGnark(t.TempDir())
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := g.File(left, "gnark.json"); !errors.Is(err, context.Canceled) {
		t.Errorf("a visitor who left: %v", err)
	}
	g.Close()
	var unavailable *browser.Unavailable
	if _, err := g.File(t.Context(), "gnark.json"); !errors.As(err, &unavailable) {
		t.Errorf("a closed one: %v", err)
	}
}

// Without a Go tool the answer names the remedy.
func TestGnarkUnavailable(t *testing.T) {
	if _, err := os.Stat(filepath.Join("gnark", "gnark.json")); err == nil {
		t.Skip("gnark's prover is embedded here: nothing needs building")
	}
	none := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(none, []byte("#!/bin/sh\necho broken >&2\nexit 1\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(none))
	g := browser.NewGnark(t.TempDir())
	_, err := g.File(t.Context(), "gnark.json")
	var unavailable *browser.Unavailable
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "broken") || !strings.Contains(err.Error(), "go generate") {
		t.Errorf("a Go tool that does not work: %v", err)
	}
	w := answer(browser.Handler(g), "/prover/gnark.json")
	if w.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", w.StatusCode)
	}
}
