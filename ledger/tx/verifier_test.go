package tx

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/hdevalence/ed25519consensus"
	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// vector is a signature with the verdict of the second implementation.
type vector struct {
	name    string
	key     PublicKey
	message []byte
	sig     Signature
	want    bool
}

func judged(name string, key PublicKey, message []byte, sig Signature) vector {
	return vector{name, key, message, sig, ed25519consensus.Verify(key[:], message, sig[:])}
}

// smallOrder are all encodings of the eight points of small order; the last six
// are not canonical.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func seeded(n int) ed25519.PrivateKey {
	s := sha512.Sum512(fmt.Appendf(nil, "verifier test %d", n))
	return ed25519.NewKeyFromSeed(s[:32])
}

func publicOf(k ed25519.PrivateKey) PublicKey { return PublicKey(k.Public().(ed25519.PublicKey)) }

// honest are signatures as they should be, and each altered in every part.
func honest() (out []vector) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		k := seeded(i % 7)
		m := slices.Repeat([]byte{byte(i)}, 1+r.IntN(300))
		sig := Signature(ed25519.Sign(k, m))
		out = append(out, judged("honest", publicOf(k), m, sig))
		key := publicOf(k)
		key[r.IntN(32)] ^= 1 << r.IntN(8)
		out = append(out, judged("altered key", key, m, sig))
		other := slices.Clone(m)
		other[r.IntN(len(m))] ^= 1 << r.IntN(8)
		out = append(out, judged("altered message", publicOf(k), other, sig))
		bad := sig
		bad[r.IntN(32)] ^= 1 << r.IntN(8)
		out = append(out, judged("altered R", publicOf(k), m, bad))
		bad = sig
		bad[32+r.IntN(32)] ^= 1 << r.IntN(8)
		out = append(out, judged("altered s", publicOf(k), m, bad))
		out = append(out, judged("s + l", publicOf(k), m, plusOrder(sig)))
		var random Signature
		for j := range random {
			random[j] = byte(r.Uint32())
		}
		out = append(out, judged("random", publicOf(k), m, random))
	}
	return out
}

// plusOrder adds the order of the group to s: the same equation, and malleable.
func plusOrder(sig Signature) Signature {
	order := [32]byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	carry := 0
	for i, o := range order {
		carry += int(sig[32+i]) + int(o)
		sig[32+i] = byte(carry)
		carry >>= 8
	}
	return sig
}

// crafted are what implementations disagree on.
func crafted(t testing.TB) (out []vector) {
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			var sig Signature
			copy(sig[:], unhex(t, r))
			// s = 0: [8]R = −[8][k]A holds, for both are of small order.
			out = append(out, judged("small order A "+a+" R "+r, PublicKey(unhex(t, a)), []byte("Zcash"), sig))
			sig[32] = 1
			out = append(out, judged("small order, s 1", PublicKey(unhex(t, a)), []byte("Zcash"), sig))
		}
	}
	// Encodings of y above p, most of them of points of large order, and those of no point.
	for y := range byte(40) {
		for _, top := range []byte{0x7f, 0xff} {
			enc := slices.Repeat([]byte{0xff}, 32)
			enc[0], enc[31] = 0xed+y, top
			if y > 18 { // wraps: small y and canonical
				enc = make([]byte, 32)
				enc[0], enc[31] = y, top&0x80
			}
			sig := Signature(ed25519.Sign(seeded(1), []byte("m")))
			out = append(out, judged("encoding of A", PublicKey(enc), []byte("m"), sig))
			copy(sig[:], enc)
			out = append(out, judged("encoding of R", publicOf(seeded(1)), []byte("m"), sig))
		}
	}
	return append(out, torsioned(t)...)
}

// torsioned are signatures whose A and R have a part of small order: right by
// ZIP-215, wrong by the equation without the cofactor, undecided where a batch
// leaves the cofactor out.
func torsioned(t testing.TB) (out []vector) {
	for i, ta := range smallOrder[:8] {
		for j, tr := range smallOrder[:8] {
			seed := sha512.Sum512([]byte{byte(i), byte(j)})
			a, r := wide(t, seed), wide(t, sha512.Sum512(seed[:]))
			key := PublicKey(shifted(t, a, ta))
			sig := Signature(append(shifted(t, r, tr), make([]byte, 32)...))
			m := []byte("torsion")
			k := wide(t, sha512.Sum512(slices.Concat(sig[:32], key[:], m)))
			s := new(scalar.Scalar).Add(r, new(scalar.Scalar).Mul(k, a))
			if err := s.ToBytes(sig[32:]); err != nil {
				t.Fatal(err)
			}
			out = append(out, judged("torsion", key, m, sig))
			sig[40] ^= 1
			out = append(out, judged("torsion, altered", key, m, sig))
		}
	}
	return out
}

func wide(t testing.TB, b [64]byte) *scalar.Scalar {
	t.Helper()
	s, err := scalar.NewFromBytesModOrderWide(b[:])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shifted is the encoding of [s]B + T.
func shifted(t testing.TB, s *scalar.Scalar, torsion string) []byte {
	t.Helper()
	var y curve.CompressedEdwardsY
	var p, sum curve.EdwardsPoint
	if _, err := y.SetBytes(unhex(t, torsion)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.SetCompressedY(&y); err != nil {
		t.Fatal(err)
	}
	sum.Add(new(curve.EdwardsPoint).MulBasepoint(curve.ED25519_BASEPOINT_TABLE, s), &p)
	y.SetEdwardsPoint(&sum)
	return slices.Clone(y[:])
}

// TestVerdictsAreZIP215 compares every path with another implementation: alone,
// in a batch of right ones, in batches of all kinds, and many at a time.
func TestVerdictsAreZIP215(t *testing.T) {
	t.Parallel()
	all := append(honest(), crafted(t)...)
	var yes, no int
	for _, c := range all {
		if c.want {
			yes++
		} else {
			no++
		}
	}
	if yes < 40+196+64 || no < 400 {
		t.Fatalf("%d valid and %d invalid vectors; the crafted ones are not what they should be", yes, no)
	}
	var v Verifier
	good := honest()[0]
	for _, c := range all {
		if got := v.Verify(c.key, c.message, c.sig); got != c.want {
			t.Errorf("%s: alone %t, want %t", c.name, got, c.want)
		}
		if got := c.sig.Verify(c.key, c.message); got != c.want {
			t.Errorf("%s: single %t, want %t", c.name, got, c.want)
		}
		for i, got := range batched(&v, good, c, good) {
			if want := i != 1 || c.want; got != want {
				t.Errorf("%s: place %d of a batch: %t, want %t", c.name, i, got, want)
			}
		}
	}
	valid := slices.DeleteFunc(slices.Clone(all), func(c vector) bool { return !c.want })
	for name, list := range map[string][]vector{"all": all, "valid": valid} {
		for _, size := range []int{2, 7, 128, len(list)} {
			for part := range slices.Chunk(list, size) {
				for i, got := range batched(&v, part...) {
					if got != part[i].want {
						t.Errorf("%s in %s by %d: %t", part[i].name, name, size, got)
					}
				}
			}
		}
	}
}

func batched(v *Verifier, vs ...vector) []bool {
	out := make([]bool, len(vs))
	var batch []*question
	var at []int
	for i, c := range vs {
		if key := v.keys.get(c.key); key != nil {
			batch = append(batch, &question{key: key, message: c.message, sig: c.sig})
			at = append(at, i)
		}
	}
	answer(batch)
	for i, q := range batch {
		out[at[i]] = q.good
	}
	return out
}

func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	all := append(honest(), torsioned(t)...)
	var v Verifier
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range all {
				c := &all[(i*7+j)%len(all)]
				if got := v.Verify(c.key, c.message, c.sig); got != c.want {
					t.Errorf("%s: %t, want %t", c.name, got, c.want)
				}
			}
		})
	}
	wg.Wait()
	if v.working != 0 || len(v.waiting) != 0 {
		t.Errorf("%d work and %d wait, and nobody asks", v.working, len(v.waiting))
	}
}

// The runtime lowers GOMAXPROCS while a program runs, when a container's share
// is cut: more work than there are places for then.
func TestPlacesAreTakenAwayMeanwhile(t *testing.T) {
	t.Parallel()
	c := honest()[0]
	for over := range 3 {
		var v Verifier
		v.working = runtime.GOMAXPROCS(0) + over // with the one who asks below
		q := &question{key: v.keys.get(c.key), message: c.message, sig: c.sig, turn: make(chan bool, 2)}
		v.waiting = []*question{q}
		v.work(q)
		if len(q.turn) != 1 || <-q.turn || q.good != c.want || len(v.waiting) != 0 {
			t.Errorf("%d work too many: %t, %d wait", over, q.good, len(v.waiting))
		}
		if v.working != runtime.GOMAXPROCS(0)+over-1 {
			t.Errorf("%d work", v.working)
		}
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c keyCache
	first := publicOf(seeded(0))
	for i := range rememberedKeys*2 + 10 {
		var k PublicKey
		for n := uint64(i) << 20; ; n++ {
			binary.LittleEndian.PutUint64(k[:], n)
			if c.get(k) != nil {
				break
			}
		}
		if c.get(first) == nil {
			t.Fatal("a good key is refused")
		}
		if len(c.young)+len(c.aged) > 2*rememberedKeys {
			t.Fatalf("%d keys are kept", len(c.young)+len(c.aged))
		}
	}
}

// BenchmarkVerifier asks from as many sides as a busy node: each operation is
// one signature over 300 bytes, of 64 keys.
func BenchmarkVerifier(b *testing.B) {
	all := make([]vector, 1024)
	for i := range all {
		k := seeded(i % 64)
		m := append(make([]byte, 300), byte(i), byte(i>>8))
		all[i] = vector{key: publicOf(k), message: m, sig: Signature(ed25519.Sign(k, m))}
	}
	for _, callers := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			var v Verifier
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(p *testing.PB) {
				for i := rand.IntN(len(all)); p.Next(); i++ {
					c := &all[i%len(all)]
					if !v.Verify(c.key, c.message, c.sig) {
						b.Error("a good signature is refused")
					}
				}
			})
		})
	}
}
