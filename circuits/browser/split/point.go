package split

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// The library keeps x·2^256; the kernel wants x·2^261.
const more = 1 << 5

var (
	moreP = fp.NewElement(more)
	moreR = fr.NewElement(more)
)

// coordinate and scalar append an element.
func coordinate(out []byte, e *fp.Element) []byte {
	var x fp.Element
	x.Mul(e, &moreP)
	return words(out, x)
}

func scalar(out []byte, e *fr.Element) []byte {
	var x fr.Element
	x.Mul(e, &moreR)
	return words(out, x)
}

func words(out []byte, w [4]uint64) []byte {
	for _, x := range w {
		out = binary.LittleEndian.AppendUint64(out, x)
	}
	return out
}

// compressG1 and compressG2 write x with the lowest bit of y, or of y's real part,
// in the highest bit of its first element. The orders have 254 bits, so that bit is
// free; and they are odd, so that y and -y differ in it unless y is zero (usable).
func compressG1(points []curve.G1Affine) []byte {
	out := make([]byte, 0, 32*len(points))
	for i := range points {
		out = coordinate(out, &points[i].X)
		mark(out, len(out)-1, &points[i].Y)
	}
	return out
}

func compressG2(points []curve.G2Affine) []byte {
	out := make([]byte, 0, 64*len(points))
	for i := range points {
		out = coordinate(out, &points[i].X.A0)
		mark(out, len(out)-1, &points[i].Y.A0)
		out = coordinate(out, &points[i].X.A1)
	}
	return out
}

func mark(out []byte, at int, y *fp.Element) {
	out[at] |= coordinate(nil, y)[0] & 1 << 7
}

// repeat is a base of the same x as an earlier one: sign is 1 if they are equal and
// 0 if they are opposite.
type repeat struct{ at, first, sign int }

// repeats lists the bases that the kernel's addition cannot take beside the first
// of their x; the prover adds their scalars instead.
func repeats[P any, X comparable](points []P, of func(*P) (x, y X)) (out []repeat) {
	seen := make(map[X]int, len(points))
	for i := range points {
		x, y := of(&points[i])
		first, found := seen[x]
		if !found {
			seen[x] = i
			continue
		}
		sign := 0
		if _, other := of(&points[first]); y == other {
			sign = 1
		}
		out = append(out, repeat{i, first, sign})
	}
	return out
}

func g1(p *curve.G1Affine) (x, y fp.Element) { return p.X, p.Y }
func g2(p *curve.G2Affine) (x, y curve.E2)   { return p.X, p.Y }

// usable refuses a key whose points the prover could not use: at infinity, not to
// be compressed, or repeated otherwise than small.bin can say.
func usable(key *groth16.ProvingKey) error {
	for _, part := range []struct {
		name   string
		points []curve.G1Affine
	}{
		{"A", key.G1.A},
		{"B1", key.G1.B},
		{"K", key.G1.K},
		{"Z", key.G1.Z},
		{"constants on G1", []curve.G1Affine{key.G1.Alpha, key.G1.Beta, key.G1.Delta}},
	} {
		if i := slices.IndexFunc(part.points, func(p curve.G1Affine) bool { return p.IsInfinity() }); i >= 0 {
			return fmt.Errorf("split: point %d of %s is at infinity; this is no key of a ceremony", i, part.name)
		}
	}
	for i, p := range slices.Concat(key.G2.B, []curve.G2Affine{key.G2.Beta, key.G2.Delta}) {
		if p.IsInfinity() || p.Y.A0.IsZero() {
			return fmt.Errorf("split: point %d of B2 and the constants on G2 is at infinity or has no real part of y", i)
		}
	}
	if n := len(repeats(key.G1.Z, g1)); n != 0 {
		return fmt.Errorf("split: Z repeats %d bases, and the prover adds up none there; this is no key of a ceremony", n)
	}
	if !slices.Equal(repeats(key.G1.B, g1), repeats(key.G2.B, g2)) {
		return errors.New("split: B repeats other bases on G1 than on G2; this is no key of a ceremony")
	}
	return nil
}
