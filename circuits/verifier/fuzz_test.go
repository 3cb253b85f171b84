package verifier_test

import (
	"bytes"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
)

// FuzzParseProof looks for a proof that is read in two encodings.
func FuzzParseProof(f *testing.F) {
	good := valid()[0].Proof
	f.Add(good[:])
	for _, b := range brokenPoints(good) {
		f.Add(b.proof)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := verifier.ParseProof(b)
		if err == nil && !bytes.Equal(p[:], b) {
			t.Errorf("%x was read as %v", b, p)
		}
		if err != nil && p != (verifier.Proof{}) {
			t.Error("a refused proof was returned")
		}
	})
}

// FuzzParseKey looks for a key that is read in two encodings, or panics.
func FuzzParseKey(f *testing.F) {
	raw := verifier.Development().Bytes()
	f.Add(raw)
	f.Add(raw[:len(raw)-1])
	f.Add(bytes.Repeat([]byte{0xff}, len(raw)))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := verifier.ParseKey(b)
		if err == nil && !bytes.Equal(k.Bytes(), b) {
			t.Errorf("%x was read as %x", b, k.Bytes())
		}
	})
}
