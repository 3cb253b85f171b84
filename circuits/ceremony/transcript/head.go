package transcript

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/mpcsetup"

	"github.com/trialith/trialith/ledger/wire"
)

// Sizes in bytes of compressed points and of what is made of them.
const (
	g1Size    = curve.SizeOfG1AffineCompressed
	g2Size    = curve.SizeOfG2AffineCompressed
	proofSize = g1Size + g2Size // commitment, proof of knowledge

	first1Size = 3*proofSize + 8 + g2Size + g1Size // proofs of τ, α, β; N; β₂; τ₁
	head1Size  = first1Size + 2*g1Size             // and β₁, α₁
	head2Size  = g1Size + g2Size + proofSize       // δ₁, δ₂, the proof
)

// Where a contribution to phase 1 over a domain of n has its vectors: after the
// first bytes τ²…τ²ⁿ⁻² in G1, τ…τⁿ⁻¹ in G2, then βτⁱ and ατⁱ.
func betaAt(n uint64) uint64  { return first1Size + (2*n-3)*g1Size + (n-1)*g2Size }
func alphaAt(n uint64) uint64 { return betaAt(n) + n*g1Size }

// Size1 is the length of a contribution to phase 1 over a domain of n.
func Size1(n uint64) int { return int(alphaAt(n)+n*g1Size) + 1 + sha256.Size }

// Head1 cuts the head out of a contribution to phase 1 of the right size.
func Head1(file []byte, n uint64) []byte {
	head := bytes.Clone(file[:first1Size])
	head = append(head, file[betaAt(n):betaAt(n)+g1Size]...)
	return append(head, file[alphaAt(n):alphaAt(n)+g1Size]...)
}

// Size2 is the length of a contribution to phase 2 over a domain of n with so
// many private wires. The state that phase 2 starts from is shorter by the 32
// bytes of its challenge.
func Size2(n uint64, private int) int {
	return int(delta2At(n, private)) + g2Size + proofSize + 1 + sha256.Size
}

func delta2At(n uint64, private int) uint64 {
	return 2 + g1Size + 4 + uint64(private)*g1Size + 4 + (n-1)*g1Size
}

// Head2 cuts the head out of a contribution to phase 2 of the right size.
func Head2(file []byte, n uint64, private int) []byte {
	at := delta2At(n, private)
	return append(bytes.Clone(file[2:2+g1Size]), file[at:at+g2Size+proofSize]...)
}

// Start1 is the SHA-256 of what phase 1 starts from: every power is the
// generator, and nobody has proven anything.
func Start1(n uint64) wire.Hash {
	_, _, one1, one2 := curve.Generators()
	var none1 curve.G1Affine
	var none2 curve.G2Affine
	zero1, zero2, g1, g2 := none1.Bytes(), none2.Bytes(), one1.Bytes(), one2.Bytes()
	h := sha256.New()
	write := func(times uint64, parts ...[]byte) {
		for range times {
			for _, p := range parts {
				h.Write(p) // never fails
			}
		}
	}
	write(3, zero1[:], zero2[:])
	write(1, binary.BigEndian.AppendUint64(nil, n), g2[:])
	write(2*n-2, g1[:])
	write(n-1, g2[:])
	write(2*n, g1[:])
	write(1, []byte{0})
	return wire.Hash(h.Sum(nil))
}

// powers is what the heads say of the secrets: each is one until somebody
// contributes.
type powers struct {
	tau, alpha, beta curve.G1Affine
	beta2            curve.G2Affine
	delta            curve.G1Affine
	delta2           curve.G2Affine
}

func ones() powers {
	_, _, g1, g2 := curve.Generators()
	return powers{g1, g1, g1, g2, g1, g2}
}

// points reads a head as a list and keeps the first error.
type points struct {
	rest []byte
	err  error
}

func (p *points) take(n int) []byte {
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *points) g1() (q curve.G1Affine) {
	b := p.take(g1Size)
	p.read(b, func() error { _, err := q.SetBytes(b); return err }, func() []byte { c := q.Bytes(); return c[:] })
	return q
}

func (p *points) g2() (q curve.G2Affine) {
	b := p.take(g2Size)
	p.read(b, func() error { _, err := q.SetBytes(b); return err }, func() []byte { c := q.Bytes(); return c[:] })
	return q
}

func (p *points) proof() (q mpcsetup.UpdateProof) {
	b := p.take(proofSize)
	p.read(b, func() error { _, err := q.ReadFrom(bytes.NewReader(b)); return err }, func() []byte {
		var c bytes.Buffer
		if _, err := q.WriteTo(&c); err != nil {
			p.err = err
		}
		return c.Bytes()
	})
	return q
}

var errEncoding = errors.New("a point has another encoding than the one")

func (p *points) read(b []byte, decode func() error, encode func() []byte) {
	if p.err != nil {
		return
	}
	if p.err = decode(); p.err == nil && !bytes.Equal(encode(), b) {
		p.err = errEncoding
	}
}

// contribute1 checks a head of phase 1 and moves to what it says. The challenge
// is the name of the contribution before.
func (s *powers) contribute1(head []byte, n uint64, challenge wire.Hash) error {
	if len(head) != head1Size {
		return fmt.Errorf("head: %d bytes, want %d", len(head), head1Size)
	}
	p := points{rest: head}
	tau, alpha, beta := p.proof(), p.proof(), p.proof()
	if got := binary.BigEndian.Uint64(p.take(8)); got != n {
		return fmt.Errorf("head: a domain of %d, and the ceremony's is %d", got, n)
	}
	next := *s
	next.beta2, next.tau, next.beta, next.alpha = p.g2(), p.g1(), p.g1(), p.g1()
	if p.err != nil {
		return fmt.Errorf("head: %w", p.err)
	}
	// The numbers separate the three proofs (gnark's DST_TAU, DST_ALPHA, DST_BETA).
	err := errors.Join(
		tau.Verify(challenge[:], 0, mpcsetup.ValueUpdate{Previous: s.tau, Next: next.tau}),
		alpha.Verify(challenge[:], 1, mpcsetup.ValueUpdate{Previous: s.alpha, Next: next.alpha}),
		beta.Verify(challenge[:], 2, mpcsetup.ValueUpdate{Previous: s.beta, Next: next.beta}, mpcsetup.ValueUpdate{Previous: s.beta2, Next: next.beta2}),
	)
	if err != nil {
		return fmt.Errorf("τ, α or β does not follow from the contribution before: %w", err)
	}
	*s = next
	return nil
}

// contribute2 is contribute1 for phase 2.
func (s *powers) contribute2(head []byte, challenge wire.Hash) error {
	if len(head) != head2Size {
		return fmt.Errorf("head: %d bytes, want %d", len(head), head2Size)
	}
	p := points{rest: head}
	next := *s
	next.delta, next.delta2 = p.g1(), p.g2()
	proof := p.proof()
	if p.err != nil {
		return fmt.Errorf("head: %w", p.err)
	}
	err := proof.Verify(challenge[:], 0, mpcsetup.ValueUpdate{Previous: s.delta, Next: next.delta}, mpcsetup.ValueUpdate{Previous: s.delta2, Next: next.delta2})
	if err != nil {
		return fmt.Errorf("δ does not follow from the contribution before: %w", err)
	}
	*s = next
	return nil
}

// The library's names for the beacon's contributions.
var (
	beaconName1 = []byte("Groth16 MPC Setup - Phase 1")
	beaconName2 = []byte("Groth16 MPC Setup - Phase2")
)

// seal1 applies the beacon to phase 1; last is the name of its last contribution.
func (s *powers) seal1(last wire.Hash, beacon []byte) {
	c := mpcsetup.BeaconContributions(last[:], beaconName1, beacon, 3)
	scale1(&s.tau, &c[0])
	scale1(&s.alpha, &c[1])
	scale1(&s.beta, &c[2])
	scale2(&s.beta2, &c[2])
}

// seal2 applies the beacon to phase 2.
func (s *powers) seal2(last wire.Hash, beacon []byte) {
	c := mpcsetup.BeaconContributions(last[:], beaconName2, beacon, 1)
	scale1(&s.delta, &c[0])
	scale2(&s.delta2, &c[0])
}

func scale1(p *curve.G1Affine, by *fr.Element) { p.ScalarMultiplication(p, by.BigInt(new(big.Int))) }

func scale2(p *curve.G2Affine, by *fr.Element) { p.ScalarMultiplication(p, by.BigInt(new(big.Int))) }

// made reports whether a verifying key has these α, β and δ. They are the first
// points of the key, with γ₂ between.
func (s *powers) made(key []byte) bool {
	var want []byte
	for _, b := range [][]byte{bytes1(&s.alpha), bytes1(&s.beta), bytes2(&s.beta2)} {
		want = append(want, b...)
	}
	const gamma = g2Size
	deltaAt := len(want) + gamma
	deltas := append(bytes1(&s.delta), bytes2(&s.delta2)...)
	return len(key) >= deltaAt+len(deltas) && bytes.Equal(key[:len(want)], want) &&
		bytes.Equal(key[deltaAt:deltaAt+len(deltas)], deltas)
}

func bytes1(p *curve.G1Affine) []byte { b := p.Bytes(); return b[:] }
func bytes2(p *curve.G2Affine) []byte { b := p.Bytes(); return b[:] }
