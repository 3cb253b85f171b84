package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/ledger/engine/solo"
)

// benchSite is a node of an empty ledger in a directory of its own, behind a
// server that notes what is asked for, with the benchmark's page beside it.
type benchSite struct {
	url    string
	node   *node
	server *http.Server
	dir    string

	mu    sync.Mutex
	asked map[string]bool // paths, the benchmark's own left out
	idle  time.Time       // when the last answer ended
}

// peer is the directory of the peer; empty: there is none.
func newBenchSite(peer string) (_ *benchSite, err error) {
	s := &benchSite{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "trialith-bench-"); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.dir, "node")
	if err := writeDemo(dir, time.Now().UnixMilli()-1); err != nil {
		return nil, err
	}
	g, key, err := readNode(dir)
	if err != nil {
		return nil, err
	}
	s.node, err = openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: solo.RealClock{}})
	if err != nil {
		return nil, err
	}
	script, err := browser.BenchScript()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.url = "http://" + listener.Addr().String()
	s.server = newServer(s.handler(script, peer))
	go s.server.Serve(listener) //nolint:errcheck // it ends by close
	return s, nil
}

const (
	benchPage = `<!doctype html><meta charset="utf-8"><title>bench</title><script src="/bench/script.js"></script>`
	// benchLoop is plain arithmetic, so that its time is the processor's.
	benchLoop = `onmessage = (e) => { const n = e.data, t = performance.now(); let x = 0; for (let i = 0; i < n; i++) x = (x + Math.imul(i, i)) | 0; postMessage(performance.now() - t + (x & 0)) }`
)

func (s *benchSite) handler(script []byte, peer string) http.Handler {
	mux := http.NewServeMux()
	text := func(pattern, kind, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body) //nolint:errcheck // the browser has gone
		})
	}
	text("/bench/{$}", "text/html; charset=utf-8", benchPage)
	text("/bench/script.js", "text/javascript", string(script))
	text("/bench/loop.js", "text/javascript", benchLoop)
	if peer != "" {
		mux.Handle("/bench/peer/", http.StripPrefix("/bench/peer/", http.FileServer(http.Dir(peer))))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.node.server.Handler.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.idle = time.Now()
		if s.asked != nil && r.Method == http.MethodGet {
			s.asked[r.URL.RequestURI()] = true
		}
	})
	return mux
}

func (s *benchSite) close() error {
	var errs []error
	if s.server != nil {
		errs = append(errs, s.server.Close())
	}
	if s.node != nil {
		errs = append(errs, s.node.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// note begins to note what is asked for.
func (s *benchSite) note() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.idle = map[string]bool{}, time.Now()
}

// quiet waits until nothing was asked for a while.
func (s *benchSite) quiet(ctx context.Context) error {
	const while = 700 * time.Millisecond
	for {
		s.mu.Lock()
		left := while - time.Since(s.idle)
		s.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(left):
		}
	}
}

// visited is the size of what was noted, each file once, as it is and as it is
// served to a browser that takes brotli. Addresses that answer no file are left
// out: what they say depends on the study.
func (s *benchSite) visited() visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := visit{Files: map[string]int{}}
	for address := range s.asked {
		raw, _ := s.size(address, "identity")
		sent, ok := s.size(address, packed)
		if !ok {
			continue
		}
		v.Raw += raw
		v.Brotli += sent
		v.Files[address] = sent
	}
	s.asked = nil
	return v
}

// packed is the Accept-Encoding of today's browsers.
const packed = "gzip, deflate, br, zstd"

func (s *benchSite) size(address, encoding string) (bytes int, ok bool) {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	s.node.server.Handler.ServeHTTP(w, r)
	return w.Body.Len(), w.Code == http.StatusOK
}

// benchBrowser is one browser with a fresh profile.
type benchBrowser struct {
	ctx   context.Context
	close func()
}

func startBrowser(ctx context.Context) (*benchBrowser, error) {
	path, err := chromiumPath()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "trialith-profile-")
	if err != nil {
		return nil, err
	}
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	options = append(options,
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	allocated, stop := chromedp.NewExecAllocator(ctx, options...)
	tab, end := chromedp.NewContext(allocated)
	b := &benchBrowser{ctx: tab, close: func() {
		end()
		stop()
		os.RemoveAll(profile) //nolint:errcheck,gosec // a directory of temporary files
	}}
	if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
		b.close()
		return nil, hint(fmt.Errorf("chromium: %w", err), "start %s by hand and see what it says", path)
	}
	return b, nil
}

func chromiumPath() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", hint(errors.New("there is no Chromium on this machine's PATH"), "install it, for example with: apt-get install chromium")
}

func (b *benchBrowser) open(url string) error { return chromedp.Do(b.ctx, chromedp.Navigate(url)) }

// callPage calls a function of the benchmark's page and waits for its promise.
func callPage[T any](b *benchBrowser, function string, args ...any) (out T, err error) {
	if args == nil {
		args = []any{}
	}
	in, err := json.Marshal(args)
	if err != nil {
		return out, err
	}
	// The answer is text: a function may return nothing.
	call := fmt.Sprintf("(async () => JSON.stringify(await T.%s(...%s) ?? null))()", function, in)
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](call, chromedp.EvalAwaitPromise))
	if err != nil {
		return out, fmt.Errorf("%s: %w", function, err)
	}
	return out, json.Unmarshal([]byte(text), &out)
}
