package browser

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/trialith/trialith/circuits/browser/internal/gnark"
	"github.com/trialith/trialith/circuits/browser/split"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// The development key is part of this program. A ledger that names another
// verifying key has its files made by its node, from the proving key of the same
// ceremony; [KeyList] lists them.
const (
	KeyList       = "key.json"
	provingFile   = "proving.bin"   // for gnark's prover, which reads the key as the ceremony left it
	verifyingFile = "verifying.bin" // what every proof is verified with on the device
	circuitFile   = "circuit.bin"
)

// KeySet is what a browser needs to prove with one ceremony's key.
type KeySet struct {
	Hash  [32]byte // the verifying key's name
	files map[string]File
}

// keyList is what [KeyList] holds.
type keyList struct {
	VerifyingKey string                 `json:"verifying_key"` // its name, hexadecimal
	Files        map[string]gnark.Entry `json:"files"`         // by plain name
}

// NewKeySet lays out the two keys of a ceremony, each in its one byte form. It
// refuses a proving key that does not belong to the verifying key, or with which
// one proof that it makes does not hold.
func NewKeySet(proving, verifying []byte) (*KeySet, error) {
	key, err := verifier.ParseKey(verifying)
	if err != nil {
		return nil, err
	}
	p, err := prover.NewPaired(tree.Depth, proving, key)
	if err != nil {
		return nil, err
	}
	parts, err := split.Split(p.Parts()) // refuses what the library would stumble over
	if err != nil {
		return nil, err
	}
	if err := p.Try(key); err != nil {
		return nil, err
	}
	s := &KeySet{Hash: key.Hash(), files: map[string]File{}}
	list := keyList{VerifyingKey: hex.EncodeToString(s.Hash[:]), Files: map[string]gnark.Entry{}}
	for _, f := range append(parts, split.File{Name: provingFile, Bytes: proving}, split.File{Name: verifyingFile, Bytes: verifying}) {
		if f.Name == circuitFile { // the same for every key: the pages have it pinned
			if err := sameCircuit(f.Bytes); err != nil {
				return nil, err
			}
			continue
		}
		file := newFile(f.Name, f.Bytes)
		s.put(file)
		list.Files[f.Name] = gnark.Entry{File: strings.TrimPrefix(file.Address, Base), SHA256: hex.EncodeToString(file.Hash[:]), Bytes: len(f.Bytes)}
	}
	body, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, err
	}
	named := newFile(KeyList, append(body, '\n'))
	named.Address = Base + KeyList
	s.put(named)
	return s, nil
}

func (s *KeySet) put(f File) { s.files[strings.TrimPrefix(f.Address, Base)] = f }

func sameCircuit(b []byte) error {
	embedded, err := embedded.ReadFile("dist/" + circuitFile)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, embedded) {
		return errors.New("the circuit is another than the pages'; run go generate ./circuits/browser")
	}
	return nil
}

// File returns the file that is served under a name below [Base].
func (s *KeySet) File(served string) (File, bool) {
	f, ok := s.files[served]
	return f, ok
}

// Keys makes a key set while nobody waits for it: it takes 0.4 s of one core.
type Keys struct {
	done chan struct{} // closed when the rest is there
	set  *KeySet
	err  error
}

// StartKeys begins to make the key set of a verifying key from what read returns
// as its proving key. An error is shown to visitors: it names the remedy, and no
// path of this machine.
func StartKeys(verifying []byte, read func() ([]byte, error)) *Keys {
	k := &Keys{done: make(chan struct{})}
	go func() {
		defer close(k.done)
		proving, err := read()
		if err == nil {
			k.set, err = NewKeySet(proving, verifying)
		}
		k.err = err
	}()
	return k
}

// Set waits for the key set.
func (k *Keys) Set(ctx context.Context) (*KeySet, error) {
	select {
	case <-k.done:
		return k.set, k.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Handler answers for [KeyList] and the files that it lists, and leaves the rest
// to another handler.
func (k *Keys) Handler(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served := strings.TrimPrefix(r.URL.Path, Base)
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		if _, fixed := Lookup(served); fixed || !read || gnarkName(served) {
			rest.ServeHTTP(w, r)
			return
		}
		set, err := k.Set(r.Context())
		if err != nil {
			if served == KeyList {
				http.Error(w, fmt.Sprintf("this node cannot help a browser to prove under its ledger's key: %v", err), http.StatusServiceUnavailable)
				return
			}
			rest.ServeHTTP(w, r)
			return
		}
		if f, ok := set.File(served); ok {
			f.serve(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
