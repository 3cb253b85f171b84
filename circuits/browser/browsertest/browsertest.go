// Package browsertest runs TypeScript in a real browser, for tests: one headless
// Chromium for each test binary, which loads pages from a server on the loopback
// address.
package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/trialith/trialith/circuits/browser/internal/script"
)

// Needed skips a test for want of a tool, unless TRIALITH_REQUIRE names the tool.
func Needed(t testing.TB, tool, how string) {
	t.Helper()
	if strings.Contains(os.Getenv("TRIALITH_REQUIRE"), tool) {
		t.Fatalf("%s is required: %s", tool, how)
	}
	t.Skipf("%s is not here: %s", tool, how)
}

// Path of the browser; the test is skipped where there is none.
func Path(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Needed(t, "chromium", "install it and have it on the PATH")
	return ""
}

// Axe is the text of axe-core, the checker of accessibility; the test is
// skipped where TRIALITH_AXE does not name its file.
func Axe(t testing.TB) string {
	t.Helper()
	path := os.Getenv("TRIALITH_AXE")
	if path == "" {
		Needed(t, "axe", "set TRIALITH_AXE to axe.min.js of axe-core")
	}
	b, err := os.ReadFile(path) //nolint:gosec // who runs the test names the file
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Context starts a browser with a fresh profile and returns the context that
// chromedp's calls go through. It ends with the test.
func Context(t testing.TB) context.Context {
	t.Helper()
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options,
		chromedp.ExecPath(Path(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// Root is the module's root directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Page is an empty page with one script, whose exports are the global T. Calls on
// one page must not overlap.
type Page struct {
	URL string // of its server, without a slash at the end
	ctx context.Context
	mu  sync.Mutex
}

// Handlers are what the page's server answers besides the page, by pattern as
// http.ServeMux has it ("/prover/").
type Handlers map[string]http.Handler

// Open bundles a TypeScript entry (a path from the module's root), serves it and
// opens it in a browser of its own.
func Open(t testing.TB, entry string, more Handlers) *Page {
	t.Helper()
	ctx := Context(t)
	body, err := script.Bundle(script.Options{Root: Root(t), Entry: entry, Global: "T"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range more {
		mux.Handle(pattern, h)
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><title>test</title><script src="/script.js"></script>`) //nolint:errcheck // the browser has gone
	})
	mux.HandleFunc("/script.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(body) //nolint:errcheck,gosec // the browser has gone
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := &Page{URL: server.URL, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	return p
}

// Context is what chromedp's own calls on the page go through.
func (p *Page) Context() context.Context { return p.ctx }

// Call calls an exported function of the entry with arguments that encode to
// JSON, waits for its promise, and decodes what it returns. A bigint has no JSON:
// functions take and return text for it. An exception fails the test.
func Call[T any](t testing.TB, p *Page, function string, args ...any) T {
	t.Helper()
	v, err := Try[T](p, function, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Try is [Call] for a function that may throw: the error has its words.
func Try[T any](p *Page, function string, args ...any) (T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out struct {
		Value T      `json:"value"`
		Error string `json:"error"`
	}
	if args == nil {
		args = []any{}
	}
	b, err := json.Marshal(args)
	if err != nil {
		return out.Value, err
	}
	call := fmt.Sprintf(`(async () => { try { return JSON.stringify({value: await T.%s(...%s)}) }
		catch (e) { return JSON.stringify({error: (e && e.code ? e.code + ": " : "") + (e && e.message || String(e)) + "\n" + (e && e.stack || "")}) } })()`, function, b)
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Minute)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](call, chromedp.EvalAwaitPromise))
	if err != nil {
		return out.Value, fmt.Errorf("%s: %w", function, err)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return out.Value, fmt.Errorf("%s: %w", function, err)
	}
	if out.Error != "" {
		return out.Value, errors.New(out.Error)
	}
	return out.Value, nil
}
