package browser_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/trialith/trialith/circuits/browser"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	files := browser.Files()
	found := map[string]bool{}
	for _, f := range files {
		found[f.Name] = true
		if f.Hash != sha256.Sum256(f.Body) || len(f.Body) == 0 || f.Kind == "" {
			t.Errorf("%s: %d bytes of kind %q under another hash", f.Name, len(f.Body), f.Kind)
		}
		if !strings.Contains(f.Address, "."+hex.EncodeToString(f.Hash[:8])+".") {
			t.Errorf("%s is served as %s, which is not named by its content", f.Name, f.Address)
		}
		got, ok := browser.Lookup(strings.TrimPrefix(f.Address, browser.Base))
		if !ok || got.Name != f.Name {
			t.Errorf("%s is not found under its address %s", f.Name, f.Address)
		}
	}
	for _, name := range []string{"kernel.wasm", "small.bin", "circuit.bin", "A.bin", "B1.bin", "K.bin", "Z.bin", "B2.bin", "worker.js", "gnark.js"} {
		if !found[name] {
			t.Errorf("%s is not embedded; run go generate ./circuits/browser", name)
		}
	}
	for _, name := range []string{"", "kernel.wasm", "../dist/kernel.wasm", "bench.js", "README.md"} {
		if f, ok := browser.Lookup(name); ok {
			t.Errorf("%q is served: %s", name, f.Name)
		}
	}
}

func answer(h http.Handler, address string) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	return w.Result()
}

// Every body comes back from its encodings, and an encoding that gains nothing is
// not sent.
func TestEncodings(t *testing.T) {
	t.Parallel()
	text := browser.File{Body: bytes.Repeat([]byte("consent "), 1000)}
	text.Hash = sha256.Sum256(text.Body)
	noise := browser.File{}
	for seed := sha256.Sum256(nil); len(noise.Body) < 1<<16; seed = sha256.Sum256(seed[:]) {
		noise.Body = append(noise.Body, seed[:]...)
	}
	noise.Hash = sha256.Sum256(noise.Body)
	for accept, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip;q=0.5": "gzip", "BR ; q=0.1": "br",
		"gzip;q=0.000": "", "brotli": "", "*": "",
	} {
		body, encoding := text.Encoded(accept)
		if encoding != want {
			t.Errorf("Accept-Encoding %q: %q, want %q", accept, encoding, want)
		}
		if got := decoded(t, body, encoding); !bytes.Equal(got, text.Body) {
			t.Errorf("%s gives another body", encoding)
		}
		if body, encoding := noise.Encoded(accept); encoding != "" || !bytes.Equal(body, noise.Body) {
			t.Errorf("what cannot be compressed is sent as %q", encoding)
		}
	}
}

func decoded(t *testing.T, body []byte, encoding string) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	switch encoding {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHandler(t *testing.T) {
	t.Parallel()
	h := browser.Handler(nil)
	ask := func(method, address string, header ...string) *http.Response {
		r := httptest.NewRequest(method, address, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	f := browser.Files()[0]
	got := ask("GET", f.Address, "Accept-Encoding", "gzip, br")
	body, _ := io.ReadAll(got.Body)
	if got.StatusCode != 200 || !bytes.Equal(decoded(t, body, got.Header.Get("Content-Encoding")), f.Body) {
		t.Errorf("%d: another body of %d bytes", got.StatusCode, len(body))
	}
	for name, want := range map[string]string{
		"Content-Type": f.Kind, "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": browser.WorkerPolicy, "Vary": "Accept-Encoding",
	} {
		if h := got.Header.Get(name); h != want {
			t.Errorf("%s: %q, want %q", name, h, want)
		}
	}
	if again := ask("GET", f.Address, "Accept-Encoding", "gzip, br", "If-None-Match", got.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("the same again: %d", again.StatusCode)
	}
	if head := ask("HEAD", f.Address); head.StatusCode != 200 || head.ContentLength != int64(len(f.Body)) {
		t.Errorf("HEAD: %d, %d bytes", head.StatusCode, head.ContentLength)
	}
	for address, status := range map[string]int{"/prover/": 404, "/prover/kernel.wasm": 404, "/prover/gnark.json": 404, "/prover/x/../y": 404} {
		if got := ask("GET", address); got.StatusCode != status {
			t.Errorf("%s: %d, want %d", address, got.StatusCode, status)
		}
	}
	if got := ask("POST", f.Address); got.StatusCode != 405 {
		t.Errorf("POST: %d", got.StatusCode)
	}
}
