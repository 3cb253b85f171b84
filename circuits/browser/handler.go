package browser

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/trialith/trialith/circuits/browser/internal/gnark"
)

// WorkerPolicy is the content security policy of a worker, which takes its own
// from the file it is started with: scripts of this site, WebAssembly, and
// nothing from anywhere else.
const WorkerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

// Find returns the file that is served under a name below [Base], gnark's
// included; g may be nil. Errors are those of [Gnark.File].
func Find(ctx context.Context, g *Gnark, served string) (File, error) {
	if f, ok := Lookup(served); ok {
		return f, nil
	}
	if g == nil {
		return File{}, fs.ErrNotExist
	}
	return g.File(ctx, served)
}

// Handler answers for every address below [Base]. It keeps no log and sets no
// cookie.
func Handler(g *Gnark) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		f, err := Find(r.Context(), g, strings.TrimPrefix(r.URL.Path, Base))
		var unavailable *Unavailable
		switch {
		case err == nil:
			f.serve(w, r)
		case errors.As(err, &unavailable):
			http.Error(w, Remedy, http.StatusServiceUnavailable)
		case errors.Is(err, fs.ErrNotExist):
			http.Error(w, "no such file; the page is older than the server: load it again", http.StatusNotFound)
		default: // the visitor has gone
			http.Error(w, "cancelled", http.StatusServiceUnavailable)
		}
	})
}

func (f File) serve(w http.ResponseWriter, r *http.Request) {
	body, encoding := f.Encoded(r.Header.Get("Accept-Encoding"))
	h := w.Header()
	h.Set("Content-Type", f.Kind)
	h.Set("Content-Security-Policy", WorkerPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if f.Name == gnark.List || f.Name == KeyList {
		h.Set("Cache-Control", "no-cache")
	}
	tag := `"` + hex.EncodeToString(f.Hash[:16]) + encoding + `"`
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		w.Write(body) //nolint:errcheck,gosec // the visitor has gone
	}
}
