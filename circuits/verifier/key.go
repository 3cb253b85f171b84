package verifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
)

// KeySize is the length in bytes of a verifying key: α₁ β₁ β₂ γ₂ δ₁ δ₂ compressed,
// the number 21 as 4 bytes, K₀ to K₂₀ compressed, and two zero counts of 4 bytes
// (no commitments).
const KeySize = 3*32 + 3*64 + 4 + (Inputs+1)*32 + 8

// Key is a verifying key of the statement. It is safe for concurrent use.
type Key struct {
	raw [KeySize]byte

	alpha, beta1, delta1 curve.G1Affine
	beta, gamma, delta   curve.G2Affine
	k                    [Inputs + 1]curve.G1Affine

	prepare func() *prepared
}

// ParseKey reads a verifying key in its one byte form, which is also the one that
// gnark writes compressed, and refuses one that could not come from a set-up of
// this statement: a point at infinity, a K that repeats, known α, β or δ, γ = ±δ,
// or halves of β and δ that disagree.
//
// γ may be the generator, as ceremonies over powers of tau leave it; a known γ
// alone gives nobody a proof.
func ParseKey(b []byte) (*Key, error) {
	if len(b) != KeySize {
		return nil, fmt.Errorf("verifying key: %d bytes, want %d", len(b), KeySize)
	}
	k := &Key{raw: [KeySize]byte(b)}
	if err := k.decode(); err != nil {
		return nil, fmt.Errorf("verifying key: %w", err)
	}
	if err := k.check(); err != nil {
		return nil, fmt.Errorf("verifying key: %w", err)
	}
	k.prepare = sync.OnceValue(k.tables)
	return k, nil
}

// ParsePinned is [ParseKey] for a key whose hash is already known; it refuses any
// other before looking at a point.
func ParsePinned(b []byte, hash [32]byte) (*Key, error) {
	if got := HashKey(b); got != hash {
		return nil, fmt.Errorf("verifying key: its hash is %x, and %x is pinned; get the ledger's own key", got, hash)
	}
	return ParseKey(b)
}

// HashKey returns the name of a key: SHA-256 over a tag of its own and the bytes.
func HashKey(b []byte) [32]byte {
	return sha256.Sum256(append([]byte("trialith/v1/verifying-key\x00"), b...))
}

// Hash returns the name of the key.
func (k *Key) Hash() [32]byte { return HashKey(k.raw[:]) }

// Bytes returns the key in its one byte form.
func (k *Key) Bytes() []byte { return bytes.Clone(k.raw[:]) }

func (k *Key) decode() (err error) {
	const countAt = 3*32 + 3*64
	r := reader{rest: k.raw[countAt:]} // the counts first: they cost nothing
	r.count("the number of K", Inputs+1)
	r.take(32 * (Inputs + 1))
	r.count("the number of commitments", 0)
	r.count("the number of commitment keys", 0)

	r.rest = k.raw[:]
	k.alpha = r.g1("α₁")
	k.beta1 = r.g1("β₁")
	k.beta = r.g2("β₂")
	k.gamma = r.g2("γ₂")
	k.delta1 = r.g1("δ₁")
	k.delta = r.g2("δ₂")
	r.take(4)
	for i := range k.k {
		k.k[i] = r.g1(fmt.Sprintf("K[%d]", i))
	}
	return r.err
}

func (k *Key) check() error {
	_, _, one1, one2 := curve.Generators()
	switch {
	case sameX1(&k.alpha, &one1), sameX2(&k.beta, &one2), sameX2(&k.delta, &one2):
		return errors.New("α, β or δ is the generator: everyone could forge; use a key from a finished ceremony")
	case sameX2(&k.gamma, &k.delta):
		return errors.New("γ = ±δ: everyone could forge; use a key from a finished ceremony")
	}
	for i := range k.k {
		for j := range i {
			if sameX1(&k.k[i], &k.k[j]) {
				return fmt.Errorf("bases K[%d] = ±K[%d]: one public input could stand for the other", i, j)
			}
		}
	}
	if !sameScalar(&k.beta1, &k.beta) || !sameScalar(&k.delta1, &k.delta) {
		return errors.New("β or δ differs between the groups")
	}
	return nil
}

// sameScalar reports whether p and q are the same multiple of the generators.
func sameScalar(p *curve.G1Affine, q *curve.G2Affine) bool {
	_, _, one1, one2 := curve.Generators()
	one1.Neg(&one1)
	ok, err := curve.PairingCheck([]curve.G1Affine{*p, one1}, []curve.G2Affine{one2, *q})
	return err == nil && ok
}

// sameX1 and sameX2 compare up to the sign.
func sameX1(p, q *curve.G1Affine) bool { return p.X.Equal(&q.X) }
func sameX2(p, q *curve.G2Affine) bool { return p.X.Equal(&q.X) }

// reader keeps the first error, so that a layout reads as a list.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) g1(name string) (p curve.G1Affine) {
	b := r.take(32)
	if r.err != nil { // points cost time: after an error none is read
		return p
	}
	p, err := g1(b)
	r.fail(name, err)
	return p
}

func (r *reader) g2(name string) (p curve.G2Affine) {
	b := r.take(64)
	if r.err != nil {
		return p
	}
	p, err := g2(b)
	r.fail(name, err)
	return p
}

func (r *reader) count(name string, want uint32) {
	if got := binary.BigEndian.Uint32(r.take(4)); got != want {
		r.fail(name, fmt.Errorf("%d, want %d", got, want))
	}
}

func (r *reader) fail(name string, err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
}
