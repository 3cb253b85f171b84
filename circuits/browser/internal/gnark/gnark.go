// Package gnark builds the proving library for web pages (cmd/prover) and keeps
// what it built: the program, the key it loads, the script of the Go release that
// starts it, and a list of the three with their hashes.
package gnark

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// The files of a set.
const (
	List    = "gnark.json"
	Program = "gnark.wasm"
	Key     = "gnark.key"
	Starter = "wasm_exec.js"
)

var names = []string{Program, Key, Starter}

// Set is a whole build, held in memory.
type Set struct {
	Manifest
	Bodies map[string][]byte // by plain name, List included
}

// Manifest is what [List] holds.
type Manifest struct {
	Source string           `json:"source"` // what it was built from, see [Source]
	Files  map[string]Entry `json:"files"`  // by plain name
}

// Entry is one file of a set.
type Entry struct {
	File   string `json:"file"` // name below /prover/
	SHA256 string `json:"sha256"`
	Bytes  int    `json:"bytes"`
}

// Read reads a set from a directory. A file that is missing or differs from the
// list makes the whole set an error.
func Read(dir fs.FS) (*Set, error) {
	s := &Set{Bodies: map[string][]byte{}}
	list, err := fs.ReadFile(dir, List)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(list, &s.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", List, err)
	}
	s.Bodies[List] = list
	for _, name := range names {
		body, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		if got := entry(name, body); got != s.Files[name] {
			return nil, fmt.Errorf("%s: SHA-256 %s, and %s has %s; build it again", name, got.SHA256, List, s.Files[name].SHA256)
		}
		s.Bodies[name] = body
	}
	return s, nil
}

func entry(name string, body []byte) Entry {
	sum := sha256.Sum256(body)
	return Entry{File: Served(name, sum), SHA256: hex.EncodeToString(sum[:]), Bytes: len(body)}
}

// Served is the name under which a file is served: 16 digits of its SHA-256 make
// it the name of these very bytes, so that a browser may keep them for good.
func Served(name string, sum [32]byte) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
}
