package tx

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
)

var update = flag.Bool("update", false, "write the golden files")

func key(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "trialith test key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

func sample() *Envelope {
	e := &Envelope{
		Ledger: wire.LedgerID(wire.Sum("ledger", "golden")), Kind: 7, Stream: wire.StreamID(wire.Sum("trial", "golden")),
		Expiry: 1_800_000_000_000, Idempotency: Key([]byte("0123456789abcdef")), Body: []byte("body"),
	}
	e.Sign(key(1))
	e.Cosign(key(2))
	e.Cosign(key(3))
	return e
}

func TestGolden(t *testing.T) {
	t.Parallel()
	e := sample()
	b := e.Encode()
	got := fmt.Sprintf("signing %x\nenvelope %x\nhash %v\nsigner %v\n", e.SigningBytes(), b, Hash(b), e.Key)
	path := filepath.Join("testdata", "envelope.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	back, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Encode(), b) {
		t.Error("it does not come back as it was")
	}
	for i, n := range []int{1, 2, 3} {
		pub := PublicKey(key(n).Public().(ed25519.PublicKey))
		signature := back.Signature
		for _, c := range back.Cosigners {
			if c.Key == pub.ID() {
				signature = c.Signature
			}
		}
		if !signature.Verify(pub, back.SigningBytes()) {
			t.Errorf("signature %d does not verify", i)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Envelope){
		"version":             func(e *Envelope) { e.Version = 2 },
		"cosigners unsorted":  func(e *Envelope) { e.Cosigners[0], e.Cosigners[1] = e.Cosigners[1], e.Cosigners[0] },
		"cosigner twice":      func(e *Envelope) { e.Cosigners[1] = e.Cosigners[0] },
		"signer as cosigner":  func(e *Envelope) { e.Cosigners = []Cosignature{{Key: e.Key}} },
		"too many cosigners":  func(e *Envelope) { e.Cosigners = manyCosigners() },
		"more than its limit": func(e *Envelope) { e.Body = make([]byte, MaxBytes) },
	} {
		e := sample()
		change(e)
		if _, err := Decode(e.Encode()); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	b := sample().Encode()
	if _, err := Decode(append(b, 0)); err == nil {
		t.Error("trailing byte: was taken")
	}
	if _, err := Decode(b[:len(b)-1]); err == nil {
		t.Error("cut off: was taken")
	}
}

func manyCosigners() []Cosignature {
	out := make([]Cosignature, MaxCosigners+1)
	for i := range out {
		out[i].Key[0] = byte(i)
	}
	return out
}

func TestSignatureCoversEveryField(t *testing.T) {
	t.Parallel()
	pub := PublicKey(key(1).Public().(ed25519.PublicKey))
	for name, change := range map[string]func(*Envelope){
		"ledger":      func(e *Envelope) { e.Ledger[0] ^= 1 },
		"kind":        func(e *Envelope) { e.Kind++ },
		"stream":      func(e *Envelope) { e.Stream[0] ^= 1 },
		"key":         func(e *Envelope) { e.Key[0] ^= 1 },
		"expiry":      func(e *Envelope) { e.Expiry++ },
		"idempotency": func(e *Envelope) { e.Idempotency[0] ^= 1 },
		"body":        func(e *Envelope) { e.Body = []byte("bodY") },
	} {
		e := sample()
		if !e.Signature.Verify(pub, e.SigningBytes()) {
			t.Fatal("the sample does not verify")
		}
		change(e)
		if e.Signature.Verify(pub, e.SigningBytes()) {
			t.Errorf("%s: changed, and the signature still verifies", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	b := sample().Encode()
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		agree(t, b)
	})
}
