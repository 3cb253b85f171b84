package prover

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/tree"
)

// A key's hash may be its own: what it counts is compared with its length before
// anything is made room for, and no point is taken that is not compressed.
func TestSpoiltKeys(t *testing.T) {
	t.Parallel()
	const counts = 8 + 5*32 + 1 + 3*32 // where A's is
	a := int(binary.BigEndian.Uint32(developmentKey[counts:]))
	last := len(developmentKey) - 4
	wires := len(ready(t).key.InfinityA)
	put := func(at int, b ...byte) func([]byte) []byte {
		return func(key []byte) []byte { copy(key[at:], b); return key }
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		word   string
	}{
		"a large list":           {put(counts, 0x7f), "a list of"},
		"a list of one more":     {put(counts+3, developmentKey[counts+3]+1), ""},
		"a large second list":    {put(counts+4+32*a, 0x7f), "a list of"},
		"a large domain":         {put(4, 0x10, 0, 0, 0), "a domain of"},
		"many wires":             {put(last-2*wires-3*8+2, 1), "wires"},
		"commitments":            {put(last, 0x7f), "commitments"},
		"a point not compressed": {put(counts+4, developmentKey[counts+4]&0x3f), "not compressed"},
		"nothing":                {func([]byte) []byte { return nil }, "too early"},
		"its half":               {func(key []byte) []byte { return key[:len(key)/2] }, "fetch the key again"},
		"all but a byte":         {func(key []byte) []byte { return key[:len(key)-1] }, "too early"},
		"a byte more":            {func(key []byte) []byte { return append(key, 0) }, "1 bytes follow its end"},
	} {
		key := c.change(bytes.Clone(developmentKey))
		if _, err := New(tree.Depth, key, sha256.Sum256(key)); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, c.word)
		}
	}
}
