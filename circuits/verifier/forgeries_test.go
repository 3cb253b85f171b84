package verifier_test

import (
	"encoding/hex"
	"math/big"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// forgeries are vectors that every verifier must refuse, made from two honest
// acts of different people.
func forgeries(honest, other verifier.Item) (out []vector) {
	statementCase := func(name string, change func(s *statement)) {
		s := text(honest.Statement)
		change(&s)
		out = append(out, vector{name, false, honest.Proof.String(), s})
	}
	proofCase := func(name string, proof []byte) {
		out = append(out, vector{name, false, hex.EncodeToString(proof), text(honest.Statement)})
	}

	statementCase("another root", func(s *statement) { s.Root = other.Statement.Root; s.Root[31] ^= 1 })
	statementCase("another context", func(s *statement) { s.Context = field.RootOf(other.Statement.Context) })
	statementCase("no context", func(s *statement) { s.Context = field.Root{} })
	statementCase("another account", func(s *statement) { s.Account = other.Statement.Account })
	statementCase("no account", func(s *statement) { s.Account = field.Account{} })
	statementCase("another message", func(s *statement) { s.Message = field.RootOf(other.Statement.Message) })
	statementCase("no message", func(s *statement) { s.Message = field.Root{} })
	statementCase("context and message exchanged", func(s *statement) { s.Context, s.Message = s.Message, s.Context })
	statementCase("a higher minimum", func(s *statement) { s.Min[0] = 1 })
	statementCase("a lower maximum", func(s *statement) { s.Max[7]-- })
	statementCase("minima and maxima exchanged", func(s *statement) { s.Min, s.Max = s.Max, s.Min })
	statementCase("account + r", func(s *statement) { s.Account = unreduced(s.Account) })
	statementCase("root + r", func(s *statement) { s.Root = unreduced(s.Root) })
	statementCase("context + r", func(s *statement) { s.Context = unreduced(s.Context) })
	statementCase("message + r", func(s *statement) { s.Message = unreduced(s.Message) })
	statementCase("the other act's statement", func(s *statement) { *s = text(other.Statement) })

	good := honest.Proof
	proofCase("no proof", nil)
	proofCase("a byte short", good[:127])
	proofCase("a trailing byte", append(good[:], 0))
	proofCase("the library's form, with counts", append(good[:], make([]byte, 36)...))
	for _, broken := range brokenPoints(good) {
		proofCase(broken.name, broken.proof)
	}
	_, _, one1, one2 := curve.Generators()
	proofCase("generators", encode(one1, one2, one1))
	proofCase("the other act's proof", other.Proof[:])
	proofCase("A of the other act", with(good, 0, other.Proof[:32]))
	proofCase("B of the other act", with(good, 32, other.Proof[32:96]))
	proofCase("C of the other act", with(good, 96, other.Proof[96:]))
	proofCase("A and C exchanged", append(append(append([]byte(nil), good[96:]...), good[32:96]...), good[:32]...))
	return out
}

// unreduced returns the same residue in another encoding, which fits in 32 bytes.
func unreduced[T ~[32]byte](v T) T {
	n := new(big.Int).SetBytes(v[:])
	n.Add(n, fr.Modulus())
	var out T
	n.FillBytes(out[:])
	return out
}

func encode(a curve.G1Affine, b curve.G2Affine, c curve.G1Affine) []byte {
	ab, bb, cb := a.Bytes(), b.Bytes(), c.Bytes()
	return append(append(append([]byte(nil), ab[:]...), bb[:]...), cb[:]...)
}

func with(p verifier.Proof, at int, part []byte) []byte {
	copy(p[at:], part)
	return p[:]
}

// broken is a proof whose encoding must be refused, and a word of the refusal;
// without a word the points are good and the proof proves nothing.
type broken struct {
	name  string
	proof []byte
	word  string
}

// brokenPoints spoils the encoding of each point in turn. The two highest bits
// say: 00 uncompressed, 01 infinity, 10 and 11 compressed with the smaller or the
// larger root.
func brokenPoints(good verifier.Proof) (out []broken) {
	p := fp.Modulus().FillBytes(make([]byte, 32))
	for _, part := range []struct {
		name     string
		at, size int
	}{{"A", 0, 32}, {"B", 32, 64}, {"C", 96, 32}} {
		zeros := make([]byte, part.size)
		add := func(name, word string, flag byte, x []byte) {
			b := append([]byte(nil), x...)
			b[0] |= flag
			out = append(out, broken{part.name + " " + name, with(good, part.at, b), word})
		}
		add("at infinity", "infinity", 0x40, zeros)
		add("at infinity, with a bit in it", "infinity", 0x40, append(zeros[:part.size-1:part.size-1], 1))
		add("uncompressed", "short buffer", 0, zeros)
		add("with a coordinate of p", "fp.Element", 0x80, append(p[:32:32], zeros[32:]...))
		add("off the curve", "square root", 0x80, offCurve(part.size))
		add("negated", "", 0, []byte{good[part.at] ^ 0x40})
	}
	return append(out,
		broken{"B with a second coordinate of p", with(good, 64, p), "fp.Element"},
		broken{"B outside the subgroup", with(good, 32, offSubgroup()), "subgroup"},
	)
}

// offCurve returns a compressed x that no point of the curve has.
func offCurve(size int) []byte {
	for x := byte(1); ; x++ {
		b := make([]byte, size)
		b[0], b[size-1] = 0x80, x
		if size == 64 {
			var q curve.G2Affine
			if _, err := q.SetBytes(b); err != nil && !onTwist(x) {
				return b
			}
			continue
		}
		var q curve.G1Affine
		if _, err := q.SetBytes(b); err != nil {
			return b
		}
	}
}

// offSubgroup returns a point of the twist that has not order r.
func offSubgroup() []byte {
	for x := byte(1); ; x++ {
		b := make([]byte, 64)
		b[0], b[63] = 0x80, x
		var q curve.G2Affine
		if _, err := q.SetBytes(b); err != nil && onTwist(x) {
			return b
		}
	}
}

// onTwist reports whether some point of the twist has the coordinate x.
func onTwist(x byte) bool {
	var q curve.G2Affine
	q.X.A0.SetUint64(uint64(x))
	_, _, _, one := curve.Generators()
	// b = y² - x³ of the generator
	b, cube := one.Y, one.X
	b.Square(&b)
	cube.Square(&cube).Mul(&cube, &one.X)
	b.Sub(&b, &cube)
	rhs := q.X
	rhs.Square(&rhs).Mul(&rhs, &q.X).Add(&rhs, &b)
	return rhs.Legendre() != -1
}
