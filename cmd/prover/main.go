//go:build js && wasm

// Command prover is the proving library and our verifier for a web page whose
// browser lacks what the small prover needs: it is built for GOOS=js and runs in
// a worker. It calls the global function trialithProver once with its functions,
// which take and return Uint8Array; what fails returns an Error instead.
//
//	load(key)                   the dump that was made for this build
//	loadKey(proving, verifying, hash)
//	                            another ceremony's keys as it left them; the hash is
//	                            the ledger's name for the verifying key
//	check(witness)              empty; an Error says what is wrong with it
//	prove(witness)              a proof, 128 bytes; verified before it is returned
//	verify(proof, statement)    one byte: 1 where the proof holds, 0 where it does not
//	path(leaves, place)         all children of each node above a leaf's place, and the root
//
// Witness and statement are laid out as package prover reads them.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// The build sets both, in hexadecimal: the SHA-256 of the dump and the name of
// the verifying key that proofs must pass.
var dumpHash, verifyingKey string

func main() {
	js.Global().Call("trialithProver", map[string]any{
		"load":    function(1, load),
		"loadKey": function(3, loadKey),
		"check":   function(1, check),
		"prove":   function(1, prove),
		"verify":  function(2, verify),
		"path":    function(2, path),
	})
	select {} // the functions live as long as the worker
}

// What proofs are made with, and what they must pass.
var (
	loaded *prover.Prover
	key    *verifier.Key
)

func load(args [][]byte) ([]byte, error) {
	var hash [32]byte
	if n, err := hex.Decode(hash[:], []byte(dumpHash)); err != nil || n != len(hash) {
		return nil, errors.New("this build pins no key; build it with go generate ./circuits/browser")
	}
	if got := hex.EncodeToString(verifier.DevelopmentHash[:]); got != verifyingKey {
		return nil, fmt.Errorf("this build verifies under the key %s, and the server that made it under %s; restart the server", got, verifyingKey)
	}
	p, err := prover.Load(tree.Depth, args[0], hash)
	if err != nil {
		return nil, err
	}
	loaded, key = p, verifier.Development()
	return nil, nil
}

func loadKey(args [][]byte) ([]byte, error) {
	if len(args[2]) != 32 {
		return nil, fmt.Errorf("verifying key: a name of %d bytes, want 32", len(args[2]))
	}
	k, err := verifier.ParsePinned(args[1], [32]byte(args[2]))
	if err != nil {
		return nil, err
	}
	p, err := prover.NewPaired(tree.Depth, args[0], k)
	if err != nil {
		return nil, err
	}
	loaded, key = p, k
	return nil, nil
}

func check(args [][]byte) ([]byte, error) {
	w, err := prover.ParseWitness(args[0])
	if err != nil {
		return nil, err
	}
	return nil, w.Check(tree.Depth)
}

// prove checks its own proof: a fault of the machine must not leave it, for a
// wrong proof may say something of the secrets.
func prove(args [][]byte) ([]byte, error) {
	if loaded == nil {
		return nil, errors.New("no key is loaded")
	}
	w, err := prover.ParseWitness(args[0])
	if err != nil {
		return nil, err
	}
	proof, err := loaded.Prove(w)
	if err != nil {
		return nil, err
	}
	if err := key.Verify(proof, w.Statement); err != nil {
		return nil, fmt.Errorf("own proof: %w", err)
	}
	return proof[:], nil
}

func verify(args [][]byte) ([]byte, error) {
	if key == nil {
		return nil, errors.New("no key is loaded")
	}
	s, err := prover.ParseStatement(args[1])
	if err != nil {
		return nil, err
	}
	proof, err := verifier.ParseProof(args[0])
	if err != nil || key.Verify(proof, s) != nil {
		return []byte{0}, nil //nolint:nilerr // bytes that are no proof do not hold either
	}
	return []byte{1}, nil
}

// path takes leaves of 32 bytes, zero where a place was emptied, and the place as
// 4 bytes, most significant first.
func path(args [][]byte) ([]byte, error) {
	if len(args[0])%field.Size != 0 || len(args[1]) != 4 {
		return nil, fmt.Errorf("path: leaves of %d bytes and a place of %d", len(args[0]), len(args[1]))
	}
	leaves := make([]field.Element, len(args[0])/field.Size)
	for i := range leaves {
		var err error
		if leaves[i], err = field.Decode(args[0][i*field.Size:][:field.Size]); err != nil {
			return nil, fmt.Errorf("path: leaf %d: %w", i, err)
		}
	}
	t, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		return nil, err
	}
	var place uint64
	for _, b := range args[1] {
		place = place<<8 | uint64(b)
	}
	p, err := t.Path(place)
	if err != nil {
		return nil, err
	}
	var out []byte // the root last
	for i := range p {
		for j := range p[i] {
			e := field.Encode(p[i][j])
			out = append(out, e[:]...)
		}
	}
	root := field.Encode(p.Root())
	return append(out, root[:]...), nil
}

// function makes a JavaScript function of f. A panic becomes an Error too: the
// page says that something broke instead of waiting for ever.
func function(arguments int, f func([][]byte) ([]byte, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
		defer func() {
			if p := recover(); p != nil {
				result = failure(fmt.Errorf("fault: %v", p))
			}
		}()
		if len(args) != arguments {
			return failure(fmt.Errorf("%d arguments, want %d", len(args), arguments))
		}
		in := make([][]byte, len(args))
		for i, a := range args {
			in[i] = make([]byte, a.Get("byteLength").Int())
			js.CopyBytesToGo(in[i], a)
		}
		out, err := f(in)
		if err != nil {
			return failure(err)
		}
		bytes := js.Global().Get("Uint8Array").New(len(out))
		js.CopyBytesToJS(bytes, out)
		return bytes
	})
}

func failure(err error) js.Value { return js.Global().Get("Error").New(err.Error()) }
