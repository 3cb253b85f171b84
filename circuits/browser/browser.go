// Package browser holds the files with which a participant's browser proves: the
// small prover that is generated and bundled into dist, and gnark's prover for
// browsers that cannot run it.
//
// Every file is served under a name made of its content, below [Base]. The pages'
// scripts have the names and hashes of the small prover's files compiled into
// them (src/pins.ts) and use no other bytes.
package browser

import (
	"crypto/sha256"
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/trialith/trialith/circuits/browser/internal/gnark"
)

// The chain below is in one file because go generate keeps the order of lines
// and not that of packages: each step reads what the ones before it wrote. The
// names of scripts depend on the pins of files, and pages on the names of
// scripts, so pins are written twice.
//
//go:generate go run ./kernel/generate dist/kernel.wasm
//go:generate go run ./split/generate dist
//go:generate go run ./pins src/pins.ts
//go:generate go run ./bundle -root ../.. worker gnark
//go:generate go run ./pins src/pins.ts
//go:generate go run ./bundle -root ../.. participant sw site bench
//go:generate go run ./fallback gnark

// Base is where the files are served.
const Base = "/prover/"

//go:embed dist gnark
var embedded embed.FS

// File is a file as it is served. It never changes under its address.
type File struct {
	Name    string // plain, such as "kernel.wasm"
	Address string // below the site's root, such as "/prover/kernel.0123456789abcdef.wasm"
	Kind    string // media type
	Body    []byte
	Hash    [32]byte // SHA-256 of Body
}

// benchScript is no part of the prover: it is what "trialith bench browser" runs.
const benchScript = "bench.js"

// BenchScript is the bundled script of the benchmark's page.
func BenchScript() ([]byte, error) { return embedded.ReadFile("dist/" + benchScript) }

// Files returns the small prover's files in the order of their names. The bodies
// are shared: do not change them.
func Files() []File { return slices.Clone(files()) }

var files = sync.OnceValue(func() []File {
	entries, err := embedded.ReadDir("dist")
	if err != nil {
		panic(err) // the directory was there when this was compiled
	}
	var out []File
	for _, e := range entries {
		if _, known := kinds[path.Ext(e.Name())]; !known || e.Name() == benchScript {
			continue
		}
		body, err := fs.ReadFile(embedded, "dist/"+e.Name())
		if err != nil {
			panic(err)
		}
		out = append(out, newFile(e.Name(), body))
	}
	return out
})

// Lookup returns the file that is served under a name below [Base].
func Lookup(served string) (File, bool) {
	for _, f := range files() {
		if strings.TrimPrefix(f.Address, Base) == served {
			return f, true
		}
	}
	return File{}, false
}

var kinds = map[string]string{
	".wasm": "application/wasm",
	".bin":  "application/octet-stream",
	".key":  "application/octet-stream",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
}

func newFile(name string, body []byte) File {
	sum := sha256.Sum256(body)
	return File{Name: name, Address: Base + gnark.Served(name, sum), Kind: kinds[path.Ext(name)], Body: body, Hash: sum}
}
