package browser

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Encoded returns the body in the best encoding that a request's
// Accept-Encoding admits, and the encoding's name: "br", "gzip", or empty for the
// body as it is. Points of a key do not compress: what gains less than a
// thirtieth is left as it is. Each encoding is made once.
func (f File) Encoded(accept string) (body []byte, encoding string) {
	for _, e := range encodings {
		if !accepts(accept, e.name) {
			continue
		}
		if b := f.encode(e.name, e.make); len(b) < len(f.Body)-len(f.Body)/30 {
			return b, e.name
		}
		return f.Body, ""
	}
	return f.Body, ""
}

// encodings in the order of preference.
var encodings = []struct {
	name string
	make func(io.Writer, int) io.WriteCloser
}{
	{"br", func(w io.Writer, size int) io.WriteCloser {
		// The highest quality takes half a minute for gnark's prover.
		if size > 2<<20 {
			return brotli.NewWriterLevel(w, 6)
		}
		return brotli.NewWriterLevel(w, brotli.BestCompression)
	}},
	{"gzip", func(w io.Writer, _ int) io.WriteCloser { return gzip.NewWriter(w) }},
}

// encoded holds each encoding of each body by its hash, so that copies of a File
// share them.
var encoded sync.Map

type encodedKey struct {
	hash [32]byte
	name string
}

func (f File) encode(name string, start func(io.Writer, int) io.WriteCloser) []byte {
	once, _ := encoded.LoadOrStore(encodedKey{f.Hash, name}, sync.OnceValue(func() []byte {
		var out bytes.Buffer
		w := start(&out, len(f.Body))
		w.Write(f.Body) //nolint:errcheck,gosec // a buffer takes everything
		w.Close()
		return out.Bytes()
	}))
	return once.(func() []byte)()
}

// accepts reports whether an Accept-Encoding header names an encoding with a
// weight above zero.
func accepts(header, name string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), name) {
			continue
		}
		value, weighted := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !weighted || strings.Trim(value, "0.") != ""
	}
	return false
}
