package verifier_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/verifier"
)

// Where the parts of a key lie.
const (
	alphaAt  = 0
	beta1At  = 32
	beta2At  = 64
	gammaAt  = 128
	delta1At = 192
	delta2At = 224
	countAt  = 288
	kAt      = 292
	tailAt   = kAt + 32*(verifier.Inputs+1)
)

func TestKeyRoundTrip(t *testing.T) {
	t.Parallel()
	key := verifier.Development()
	again, err := verifier.ParseKey(key.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != key.Hash() || !bytes.Equal(again.Bytes(), key.Bytes()) || len(key.Bytes()) != verifier.KeySize {
		t.Error("the key read again is another")
	}
	key.Bytes()[0] ^= 1
	if again.Hash() != key.Hash() {
		t.Error("a caller can write into the key")
	}
	if verifier.DevelopmentHash != key.Hash() {
		t.Errorf("the pin is %x and the key %x", verifier.DevelopmentHash, key.Hash())
	}
}

// Our form is the library's compressed one, so that other tools read our keys.
func TestKeyIsTheLibrarysForm(t *testing.T) {
	t.Parallel()
	var vk groth16.VerifyingKey
	raw := verifier.Development().Bytes()
	if n, err := vk.ReadFrom(bytes.NewReader(raw)); err != nil || n != int64(len(raw)) {
		t.Fatalf("read %d of %d bytes: %v", n, len(raw), err)
	}
	var out bytes.Buffer
	if _, err := vk.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), raw) {
		t.Errorf("written again it is another: %v", err)
	}
	for i := range vk.G1.K {
		if vk.G1.K[i].IsInfinity() {
			t.Errorf("public input %d is used by no constraint", i-1)
		}
	}
}

// forgedKey is a key that must be refused, and a word of the refusal.
type forgedKey struct {
	name, word string
	key        []byte
}

func forgedKeys() []forgedKey {
	raw := verifier.Development().Bytes()
	_, _, one1, one2 := curve.Generators()
	generator1, generator2 := one1.Bytes(), one2.Bytes()
	infinity := append([]byte{0x40}, make([]byte, 63)...)
	put := func(at int, part []byte) []byte { return slices.Concat(raw[:at], part, raw[at+len(part):]) }
	k := func(i int) int { return kAt + 32*i }
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	double := func(at int) []byte {
		var q curve.G2Affine
		if _, err := q.SetBytes(raw[at : at+64]); err != nil {
			panic(err) // of the embedded key
		}
		q.ScalarMultiplication(&q, big.NewInt(2))
		b := q.Bytes()
		return b[:]
	}
	negative := func(at int) []byte { return []byte{raw[at] ^ 0x40} }
	return []forgedKey{
		{"nothing", "bytes", nil},
		{"a byte short", "bytes", raw[:len(raw)-1]},
		{"a trailing byte", "bytes", append(slices.Clone(raw), 0)},
		{"γ = δ", "γ = ±δ", put(gammaAt, raw[delta2At:delta2At+64])},
		{"γ = -δ", "γ = ±δ", put(gammaAt, append(negative(delta2At), raw[delta2At+1:delta2At+64]...))},
		{"γ = δ = generator", "generator", slices.Concat(raw[:gammaAt], generator2[:], generator1[:], generator2[:], raw[countAt:])},
		{"δ the generator", "generator", slices.Concat(raw[:delta1At], generator1[:], generator2[:], raw[countAt:])},
		{"α the generator", "generator", put(alphaAt, generator1[:])},
		{"β the generator", "generator", slices.Concat(raw[:beta1At], generator1[:], generator2[:], raw[gammaAt:])},
		{"α at infinity", "α₁", put(alphaAt, infinity[:32])},
		{"β at infinity", "β₂", put(beta2At, infinity)},
		{"γ at infinity", "γ₂", put(gammaAt, infinity)},
		{"δ at infinity", "δ₂", put(delta2At, infinity)},
		{"γ outside the subgroup", "γ₂", put(gammaAt, offSubgroup())},
		{"δ off the curve", "δ₂", put(delta2At, offCurve(64))},
		{"K₀ at infinity", "K[0]", put(k(0), infinity[:32])},
		{"the last K at infinity", "K[20]", put(k(20), infinity[:32])},
		{"a K twice", "K[7] = ±K[3]", put(k(7), raw[k(3):k(4)])},
		{"a K and its negative", "K[7] = ±K[3]", put(k(7), append(negative(k(3)), raw[k(3)+1:k(4)]...))},
		{"halves of β that differ", "differs", put(beta2At, double(beta2At))},
		{"halves of δ that differ", "differs", put(delta2At, double(delta2At))},
		{"one K fewer by its count", "the number of K", put(countAt, number(20))},
		{"a huge count of K", "the number of K", put(countAt, number(1<<31))},
		{"a commitment", "commitments", put(tailAt, number(1))},
		{"a commitment key", "commitment keys", put(tailAt+4, number(1))},
	}
}

func TestRefuse13Keys(t *testing.T) {
	t.Parallel()
	for _, tc := range forgedKeys() {
		if _, err := verifier.ParseKey(tc.key); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v, want a refusal that says %q", tc.name, err, tc.word)
		}
	}
}

// A key in which two public inputs have changed places is well formed; only its
// hash tells it from the right one, and proofs do not pass under it.
func TestRefuse12AnotherCircuit(t *testing.T) {
	t.Parallel()
	raw := verifier.Development().Bytes()
	swapped := slices.Concat(raw[:kAt+32], raw[kAt+64:kAt+96], raw[kAt+32:kAt+64], raw[kAt+96:])
	if _, err := verifier.ParsePinned(swapped, verifier.DevelopmentHash); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("under the pin: %v", err)
	}
	key, err := verifier.ParseKey(swapped)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range valid() {
		if key.Verify(item.Proof, item.Statement) == nil {
			t.Error("a proof for another circuit was accepted")
		}
	}
	if bad := key.VerifyBatch(repeat(4)); !slices.Equal(bad, []int{0, 1, 2, 3}) {
		t.Errorf("batch: %v", bad)
	}
}

// The library's verifier is the second opinion on ours.
func TestAgainstTheLibrary(t *testing.T) {
	t.Parallel()
	var vk groth16.VerifyingKey
	key := verifier.Development()
	if _, err := vk.ReadFrom(bytes.NewReader(key.Bytes())); err != nil {
		t.Fatal(err)
	}
	items := valid()
	for i, item := range items {
		for j := range items {
			s := items[j].Statement
			ours := key.Verify(item.Proof, s) == nil
			if theirs := libraryVerify(t, &vk, item.Proof, s); ours != theirs || ours != (i == j) {
				t.Errorf("proof %d for statement %d: ours %t, the library's %t", i, j, ours, theirs)
			}
		}
	}
}

func libraryVerify(t *testing.T, vk *groth16.VerifyingKey, p verifier.Proof, s verifier.Statement) bool {
	t.Helper()
	var proof groth16.Proof
	if _, err := proof.ReadFrom(bytes.NewReader(append(p[:], append(make([]byte, 4), infinity32()...)...))); err != nil {
		t.Fatal(err)
	}
	in, err := s.PublicInputs()
	if err != nil {
		t.Fatal(err)
	}
	return groth16.Verify(&proof, vk, in[:]) == nil
}

func infinity32() []byte { return append([]byte{0x40}, make([]byte, 31)...) }
