package verifier

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

// ProofSize is the length of a proof in bytes.
const ProofSize = 128

// Proof is a Groth16 proof on BN254: A (32 bytes), B (64) and C (32), compressed.
//
// A proof is no name of anything: whoever sees one can make another for the same
// statement. Uniqueness rests on the account.
type Proof [ProofSize]byte

// ParseProof reads a proof strictly: exactly 128 bytes, three compressed points
// with coordinates below p, on the curve, in the subgroup and not at infinity.
func ParseProof(b []byte) (Proof, error) {
	if len(b) != ProofSize {
		return Proof{}, fmt.Errorf("proof: %d bytes, want %d", len(b), ProofSize)
	}
	p := Proof(b)
	q, err := p.points()
	if err != nil {
		return Proof{}, err
	}
	if !q.b.IsInSubGroup() {
		return Proof{}, errOutside
	}
	return p, nil
}

// String returns the proof in lower-case hexadecimal.
func (p Proof) String() string { return hex.EncodeToString(p[:]) }

// MarshalText returns 256 lower-case hexadecimal digits.
func (p Proof) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, p[:]), nil }

// UnmarshalText reads exactly 256 lower-case hexadecimal digits; the points are
// read when the proof is verified.
func (p *Proof) UnmarshalText(text []byte) error { return field.DecodeHex("proof", p[:], text) }

// points are the three points of a proof. A and C are of order r; whether B is, a
// walk tells.
type points struct {
	a, c curve.G1Affine
	b    curve.G2Affine
}

func (p *Proof) points() (q points, err error) {
	if q.a, err = g1(p[:32]); err != nil {
		return points{}, fmt.Errorf("proof: A: %w", err)
	}
	if q.b, err = twisted(p[32:96]); err != nil {
		return points{}, fmt.Errorf("proof: B: %w", err)
	}
	if q.c, err = g1(p[96:]); err != nil {
		return points{}, fmt.Errorf("proof: C: %w", err)
	}
	return q, nil
}

var (
	errOutside  = errors.New("proof: B: not in its subgroup")
	errInfinity = errors.New("the point at infinity")
	errNotOne   = errors.New("not the one encoding of its point")
)

// g1 reads one compressed point. The slice has exactly the compressed length, so
// that an uncompressed encoding is refused as too short. The group has cofactor
// 1: a point on the curve is in the subgroup.
func g1(b []byte) (p curve.G1Affine, err error) {
	if _, err := p.SetBytes(b); err != nil {
		return p, err
	}
	if p.IsInfinity() {
		return p, errInfinity
	}
	if p.Bytes() != [32]byte(b) {
		return p, errNotOne
	}
	return p, nil
}

// g2 is [g1] for the larger group.
func g2(b []byte) (p curve.G2Affine, err error) {
	if p, err = twisted(b); err != nil {
		return p, err
	}
	if !p.IsInSubGroup() {
		return p, errors.New("not in its subgroup")
	}
	return p, nil
}

// twisted reads a point of the second group's curve, in the subgroup or not.
func twisted(b []byte) (p curve.G2Affine, err error) {
	err = curve.NewDecoder(bytes.NewReader(b), curve.NoSubgroupChecks()).Decode(&p)
	if errors.Is(err, io.EOF) { // an uncompressed encoding is longer
		err = io.ErrShortBuffer
	}
	if err != nil {
		return p, err
	}
	if p.IsInfinity() {
		return p, errInfinity
	}
	if p.Bytes() != [64]byte(b) {
		return p, errNotOne
	}
	return p, nil
}
