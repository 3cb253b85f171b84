package field

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// The second implementations: written from the papers with big integers and full
// matrices, to be compared and never to be fast.

var order = fr.Modulus()

// referenceMatrix is the external matrix: M4 for width 4, else blocks of M4 with
// 2·M4 on the diagonal.
func referenceMatrix(width int) [][]int64 {
	m4 := [4][4]int64{{5, 7, 1, 3}, {4, 6, 1, 1}, {1, 3, 5, 7}, {1, 1, 4, 6}}
	m := make([][]int64, width)
	for i := range m {
		m[i] = make([]int64, width)
		for j := range m[i] {
			m[i][j] = m4[i%4][j%4]
			if width > 4 && i/4 == j/4 {
				m[i][j] *= 2
			}
		}
	}
	return m
}

func referencePermutation(width, full, partial int, state []*big.Int) []*big.Int {
	params := poseidon2.NewParameters(width, full, partial)
	external := referenceMatrix(width)
	multiply := func(at func(i, j int) *big.Int, in []*big.Int) []*big.Int {
		out := make([]*big.Int, width)
		for i := range out {
			out[i] = new(big.Int)
			for j := range in {
				out[i].Add(out[i], new(big.Int).Mul(at(i, j), in[j]))
			}
			out[i].Mod(out[i], order)
		}
		return out
	}
	outer := func(i, j int) *big.Int { return big.NewInt(external[i][j]) }
	inner := func(i, j int) *big.Int {
		if i != j {
			return big.NewInt(1)
		}
		d := params.DiagM1[i].BigInt(new(big.Int))
		return d.Add(d, big.NewInt(1))
	}
	state = multiply(outer, state)
	for round := range full + partial {
		isFull := round < full/2 || round >= full/2+partial
		for i := range state {
			if i == 0 || isFull {
				key := params.RoundKeys[round][i].BigInt(new(big.Int))
				key.Add(key, state[i])
				state[i] = key.Exp(key, big.NewInt(5), order)
			}
		}
		if isFull {
			state = multiply(outer, state)
		} else {
			state = multiply(inner, state)
		}
	}
	return state
}

func referenceCompress(width, full, partial int, in []*big.Int) *big.Int {
	state := append([]*big.Int(nil), in...)
	out := referencePermutation(width, full, partial, state)[width-1]
	out.Add(out, in[width-1])
	return out.Mod(out, order)
}

// referenceHash is RFC 9380, sections 5.2 and 5.3.1, for one element.
func referenceHash(dst string, message []byte) *big.Int {
	prime := append([]byte(dst), byte(len(dst)))
	sum := func(parts ...[]byte) []byte {
		h := sha256.New()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	b0 := sum(make([]byte, 64), message, []byte{0, 48, 0}, prime)
	b1 := sum(b0, []byte{1}, prime)
	mixed := make([]byte, 32)
	for i := range mixed {
		mixed[i] = b0[i] ^ b1[i]
	}
	b2 := sum(mixed, []byte{2}, prime)
	n := new(big.Int).SetBytes(append(b1, b2[:16]...))
	return n.Mod(n, order)
}

// referenceDerive is RFC 5869 with HMAC written out.
func referenceDerive(master [32]byte, tag string, ledger, trial [32]byte, enrolment uint32) *big.Int {
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], enrolment)
	prk := mac(make([]byte, 32), master[:])
	t1 := mac(prk, []byte(tag), ledger[:], trial[:], number[:], []byte{1})
	t2 := mac(prk, t1, []byte(tag), ledger[:], trial[:], number[:], []byte{2})
	n := new(big.Int).SetBytes(append(t1, t2[:16]...))
	return n.Mod(n, order)
}

func elements(r *rand.Rand, n int) ([]Element, []*big.Int) {
	es, bs := make([]Element, n), make([]*big.Int, n)
	for i := range es {
		bs[i] = new(big.Int)
		for range 5 {
			bs[i].Lsh(bs[i], 64).Or(bs[i], new(big.Int).SetUint64(r.Uint64()))
		}
		bs[i].Mod(bs[i], order)
		es[i].SetBigInt(bs[i])
	}
	return es, bs
}

func equal(t *testing.T, name string, got Element, want *big.Int) {
	t.Helper()
	if got.BigInt(new(big.Int)).Cmp(want) != 0 {
		t.Errorf("%s: %v, and the second implementation says %v", name, got.String(), want)
	}
}

func TestAgainstTheSecondImplementation(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		e, b := elements(r, 8)
		narrow := func(in ...*big.Int) *big.Int { return referenceCompress(4, 8, 56, in) }
		equal(t, "identity", Identity(e[0], e[1]), narrow(big.NewInt(1), b[0], b[1], new(big.Int)))
		equal(t, "account", NewAccount(e[0], e[1], e[2]), narrow(big.NewInt(5), b[0], b[1], b[2]))
		equal(t, "node", Node((*[8]Element)(e)), referenceCompress(8, 8, 57, b))

		var a Attributes
		low, high := new(big.Int), new(big.Int)
		for i := range 4 {
			a[i], a[4+i] = r.Uint32(), r.Uint32()
			low.Add(low, new(big.Int).Lsh(big.NewInt(int64(a[i])), uint(32*i)))
			high.Add(high, new(big.Int).Lsh(big.NewInt(int64(a[4+i])), uint(32*i)))
		}
		equal(t, "pack", Pack([4]uint32(a[:4])), low)
		equal(t, "leaf", NewLeaf(e[0], a), narrow(big.NewInt(2), b[0], low, high))

		message := make([]byte, r.IntN(200))
		for i := range message {
			message[i] = byte(r.Uint32())
		}
		equal(t, "hash", Hash("consent", message), referenceHash("trialith/v1/consent", message))

		master, ledger, trial, n := Encode(e[3]), Encode(e[4]), Encode(e[5]), r.Uint32()
		got, err := Derive(master, SecretTag, ledger, trial, n)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "derive", got, referenceDerive(master, SecretTag, ledger, trial, n))
	}
}
