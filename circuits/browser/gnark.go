package browser

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/trialith/trialith/circuits/browser/internal/gnark"
)

// Unavailable says that gnark's prover is not part of this program and cannot be
// built here. The message is for who runs the server: it may tell what the Go tool
// said of this machine. Visitors are told [Remedy] alone.
type Unavailable struct{ reason error }

// Remedy is what anyone may be told of a prover that is unavailable.
const Remedy = "the prover for browsers without WebAssembly SIMD cannot be built here; use a release, or install Go and run the server from its sources (go generate ./circuits/browser says what is missing)"

// Error names the reason and the remedy.
func (e *Unavailable) Error() string {
	return fmt.Sprintf("the prover for browsers without WebAssembly SIMD cannot be built here: %v; use a release, or install Go and run the server from its sources (go generate ./circuits/browser)", e.reason)
}

// Unwrap returns the reason.
func (e *Unavailable) Unwrap() error { return e.reason }

const (
	// buildTime bounds a build: the first on a slow machine compiles the library.
	buildTime = 15 * time.Minute
	// retryAfter bounds how often a build is tried that fails: anyone may ask.
	retryAfter = time.Minute
)

// Gnark serves gnark's prover: what was embedded, or else what was built before
// on this machine, or else what it builds when it is first asked.
type Gnark struct {
	dir  string
	ctx  context.Context // of builds, which outlive the request that began one
	stop context.CancelFunc

	mu   sync.Mutex
	last *attempt // nil before the first request
}

// attempt is one way to the files, which many requests may wait for.
type attempt struct {
	done  chan struct{} // closed when the rest is there
	files map[string]File
	err   error
	ended time.Time
}

// NewGnark returns the files of gnark's prover. Builds are kept below the user's
// cache directory; where there is none, below dir, and where dir is empty or
// cannot be written to either, in memory alone.
func NewGnark(dir string) *Gnark {
	ctx, stop := context.WithCancel(context.Background())
	return &Gnark{dir: dir, ctx: ctx, stop: stop}
}

// Close ends a build that is under way and waits for its end.
func (g *Gnark) Close() {
	g.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last != nil {
		<-g.last.done
	}
}

// File returns the file that is served under a name below [Base]:
// "gnark.json", whose bytes may change with the program, or one that it lists. It
// waits for a build, which goes on when the context ends. The error is
// fs.ErrNotExist for any other name, or [*Unavailable].
func (g *Gnark) File(ctx context.Context, served string) (File, error) {
	if !gnarkName(served) {
		return File{}, fmt.Errorf("%s: %w", served, fs.ErrNotExist)
	}
	a := g.start()
	select {
	case <-a.done:
	case <-ctx.Done():
		return File{}, ctx.Err()
	}
	if a.err != nil {
		return File{}, a.err
	}
	f, ok := a.files[served]
	if !ok {
		return f, fmt.Errorf("%s: %w", served, fs.ErrNotExist)
	}
	return f, nil
}

// gnarkName spares every mistyped address a build.
func gnarkName(served string) bool {
	for _, pattern := range []string{gnark.List, "gnark.*.wasm", "gnark.*.key", "wasm_exec.*.js"} {
		if match, _ := filepath.Match(pattern, served); match {
			return true
		}
	}
	return false
}

// start begins to load where nothing is loaded or loading. A failure holds for
// retryAfter; the next request tries again.
func (g *Gnark) start() *attempt {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last != nil && !g.last.stale() {
		return g.last
	}
	a := &attempt{done: make(chan struct{})}
	g.last = a
	go func() {
		defer close(a.done)
		a.files, a.err = g.load()
		a.ended = time.Now()
	}()
	return a
}

// stale reports whether a failure is so old that it may be tried again.
func (a *attempt) stale() bool {
	select {
	case <-a.done:
		return a.err != nil && time.Since(a.ended) > retryAfter
	default:
		return false
	}
}

func (g *Gnark) load() (map[string]File, error) {
	set, err := release()
	if err != nil {
		ctx, cancel := context.WithTimeout(g.ctx, buildTime)
		defer cancel()
		if set, err = g.build(ctx); err != nil {
			return nil, &Unavailable{err}
		}
	}
	files := map[string]File{}
	for name, body := range set.Bodies {
		f := newFile(name, body)
		if name == gnark.List { // the one that has no name of its own
			f.Address = Base + name
		}
		files[f.Address[len(Base):]] = f
	}
	return files, nil
}

// release is what was embedded when this program was compiled.
func release() (*gnark.Set, error) {
	dir, err := fs.Sub(embedded, "gnark")
	if err != nil {
		return nil, err
	}
	return gnark.Read(dir)
}

func (g *Gnark) build(ctx context.Context) (*gnark.Set, error) {
	tool, err := gnark.Find()
	if err != nil {
		return nil, err
	}
	var dirs []string
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "trialith", "prover"))
	}
	if g.dir != "" {
		dirs = append(dirs, filepath.Join(g.dir, "prover"))
	}
	set, err := gnark.Cache(ctx, *tool, dirs...)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("the build took more than %v: %w", buildTime, err)
	}
	return set, err
}
