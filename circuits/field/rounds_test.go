package field

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// The numbers of docs/poseidon2.md are computed here.

// bounds are the designers' lower bounds on rounds for 128 bits of security, as
// their parameter script has them, for a prime of 254 bits and x⁵. Each but the
// first bounds the sum of full and partial rounds.
type bounds struct{ statistical, interpolation, groebner1, groebner2, groebner3 float64 }

const (
	level  = 128.0
	degree = 5.0
)

func boundsOf(t, partial int) bounds {
	bits := float64(fr.Bits)
	log5 := func(x float64) float64 { return math.Log(x) / math.Log(degree) }
	w := float64(t)
	b := bounds{statistical: 10}
	if level <= math.Floor(bits-(degree-1)/2)*(w+1) {
		b.statistical = 6
	}
	b.interpolation = 1 + math.Ceil(log5(2)*min(level, bits)) + math.Ceil(log5(w))
	b.groebner1 = math.Ceil(log5(2) * min(level, bits))
	b.groebner2 = math.Ceil(w - 1 + log5(2)*min(level/(w+1), bits/2))
	b.groebner3 = math.Ceil((w-2+level/(2*math.Log2(degree))-float64(partial))/(w-1)) + float64(partial)
	return b
}

// most is the least sum of rounds that meets all bounds on the sum.
func (b bounds) most() float64 {
	return max(b.interpolation, b.groebner1, b.groebner2, b.groebner3)
}

// roundModel is the logarithm of the cost of the attack of ePrint 2023/537 as the
// designers' script estimates it, with 2 as the exponent of linear algebra.
func roundModel(t, full, partial int) float64 {
	r := float64(t / 3)
	under := r*float64(full)/2 + float64(partial) + degree
	over := float64((full-1)*t+partial) + r + under
	lg := func(x float64) float64 { y, _ := math.Lgamma(x + 1); return y / math.Ln2 }
	return 2 * (lg(over) - lg(under) - lg(over-under))
}

// The rounds of both instances are the designers' minimum for 128 bits, and
// their margin on top: two full rounds and 7.5 % of the partial ones.
func TestRoundNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, full, partial        int
		interpolation, groebner2    float64
		minimum                     int     // partial rounds beside 6 full ones
		degreeBits, generous, model float64 // logarithms, rounded down
	}{
		{NarrowWidth, NarrowFull, NarrowPartial, 58, 15, 52, 148, 139, 288},
		{WideWidth, WideFull, WidePartial, 59, 14, 53, 150, 132, 345},
	} {
		b := boundsOf(c.width, c.partial)
		if b.statistical != 6 || b.interpolation != c.interpolation || b.groebner1 != 56 || b.groebner2 != c.groebner2 {
			t.Errorf("t=%d: %+v", c.width, b)
		}
		least := int(boundsOf(c.width, c.minimum).most()) - 6
		if least != c.minimum || c.partial != int(math.Ceil(1.075*float64(least))) || c.full != 8 {
			t.Errorf("t=%d: at least %d partial rounds, with the margin %v; taken are %d", c.width, least, math.Ceil(1.075*float64(least)), c.partial)
		}
		log := math.Log2(degree)
		whole := math.Floor(float64(c.full+c.partial) * log)
		// Two full rounds and t-2 partial ones for nothing, both at once.
		generous := math.Floor(float64(c.full+c.partial-2-(c.width-2)) * log)
		model := math.Floor(roundModel(c.width, c.full, c.partial))
		if whole != c.degreeBits || generous != c.generous || model != c.model {
			t.Errorf("t=%d: degree 2^%v, generously 2^%v, the model of 2023/537 2^%v", c.width, whole, generous, model)
		}
	}
	// The library's default does not have the margin.
	if got := math.Ceil(1.075 * (boundsOf(2, 50).most() - 6)); got != 56 {
		t.Errorf("t=2 needs %v partial rounds beside 8 full ones", got)
	}
}

// The inner matrices let no subspace pass the partial rounds for ever: the
// minimal polynomial of each power up to 2t is irreducible and of degree t (the
// condition of the Poseidon2 paper).
func TestInnerMatrixHasNoLongTrail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ width, full, partial int }{{NarrowWidth, NarrowFull, NarrowPartial}, {WideWidth, WideFull, WidePartial}} {
		if !endsTrails(innerMatrix(poseidon2.NewParameters(c.width, c.full, c.partial))) {
			t.Errorf("t=%d: the minimal polynomial of a power is reducible or too short", c.width)
		}
	}
	// Control: a matrix that keeps subspaces.
	id := innerMatrix(poseidon2.NewParameters(4, 8, 56))
	for i := range id {
		for j := range id {
			id[i][j].SetUint64(uint64((i + 1) * (1 - min(1, (i-j)*(i-j)))))
		}
	}
	if f, whole := minimal(id); whole && irreducible(f) {
		t.Error("a diagonal matrix passes")
	}
}

type matrix [][]fr.Element

// endsTrails is the condition on all powers up to twice the width.
func endsTrails(m matrix) bool {
	power := m
	for range 2 * len(m) {
		if f, whole := minimal(power); !whole || !irreducible(f) {
			return false
		}
		power = product(power, m)
	}
	return true
}

func innerMatrix(p *poseidon2.Parameters) matrix {
	m := make(matrix, p.Width)
	for i := range m {
		m[i] = make([]fr.Element, p.Width)
		for j := range m[i] {
			m[i][j].SetOne()
		}
		m[i][i].Add(&m[i][i], &p.DiagM1[i])
	}
	return m
}

func product(a, b matrix) matrix {
	out := make(matrix, len(a))
	for i := range a {
		out[i] = make([]fr.Element, len(a))
		for j := range a {
			for k := range a {
				var x fr.Element
				out[i][j].Add(&out[i][j], x.Mul(&a[i][k], &b[k][j]))
			}
		}
	}
	return out
}

// minimal is the monic polynomial of least degree that takes a fixed vector to
// zero, lowest coefficient first, and whether its degree is the width: then it
// is the minimal polynomial.
func minimal(m matrix) (f []fr.Element, whole bool) {
	n := len(m)
	rows := make(matrix, n) // augmented: column k is M^k v
	v := make([]fr.Element, n)
	for i := range v {
		v[i].SetUint64(uint64(i*i + 3))
		rows[i] = make([]fr.Element, n+1)
	}
	for k := range n + 1 {
		next := make([]fr.Element, n)
		for i := range n {
			rows[i][k] = v[i]
			for j := range n {
				var x fr.Element
				next[i].Add(&next[i], x.Mul(&m[i][j], &v[j]))
			}
		}
		v = next
	}
	for k := range n {
		at := slices.IndexFunc(rows[k:], func(r []fr.Element) bool { return !r[k].IsZero() })
		if at < 0 {
			return nil, false
		}
		rows[k], rows[k+at] = rows[k+at], rows[k]
		var inv fr.Element
		inv.Inverse(&rows[k][k])
		for j := range rows[k] {
			rows[k][j].Mul(&rows[k][j], &inv)
		}
		for i := range rows {
			if factor := rows[i][k]; i != k {
				subtract(rows[i], rows[k], &factor)
			}
		}
	}
	f = make([]fr.Element, n+1)
	f[n].SetOne()
	for i := range n {
		f[i].Neg(&rows[i][n])
	}
	return f, true
}

func subtract(from, row []fr.Element, times *fr.Element) {
	for j := range row {
		var x fr.Element
		from[j].Sub(&from[j], x.Mul(&row[j], times))
	}
}

// irreducible is Rabin's test for a monic f whose degree is a power of two.
func irreducible(f []fr.Element) bool {
	n := len(f) - 1
	x := make([]fr.Element, n)
	x[1].SetOne()
	y := slices.Clone(x)
	for k := range n {
		if k == n/2 && !coprime(f, difference(y, x)) {
			return false
		}
		y = frobenius(y, f)
	}
	return slices.Equal(y, x)
}

// frobenius is y to the order of the field, modulo f.
func frobenius(y, f []fr.Element) []fr.Element {
	r := fr.Modulus()
	out := make([]fr.Element, len(y))
	out[0].SetOne()
	for i := r.BitLen() - 1; i >= 0; i-- {
		out = times(out, out, f)
		if r.Bit(i) == 1 {
			out = times(out, y, f)
		}
	}
	return out
}

// times multiplies modulo a monic f.
func times(a, b, f []fr.Element) []fr.Element {
	n := len(f) - 1
	out := make([]fr.Element, 2*n-1)
	for i := range a {
		for j := range b {
			var x fr.Element
			out[i+j].Add(&out[i+j], x.Mul(&a[i], &b[j]))
		}
	}
	for k := 2*n - 2; k >= n; k-- {
		top := out[k]
		subtract(out[k-n:k+1], f, &top)
	}
	return out[:n]
}

func difference(a, b []fr.Element) []fr.Element {
	out := make([]fr.Element, len(a))
	for i := range a {
		out[i].Sub(&a[i], &b[i])
	}
	return out
}

// coprime is Euclid's algorithm.
func coprime(a, b []fr.Element) bool {
	a, b = trimmed(a), trimmed(b)
	for len(b) > 0 {
		for len(a) >= len(b) {
			var q fr.Element
			q.Div(&a[len(a)-1], &b[len(b)-1])
			subtract(a[len(a)-len(b):], b, &q)
			a = trimmed(a)
		}
		a, b = b, a
	}
	return len(a) == 1
}

func trimmed(a []fr.Element) []fr.Element {
	a = slices.Clone(a)
	for len(a) > 0 && a[len(a)-1].IsZero() {
		a = a[:len(a)-1]
	}
	return a
}

// The S-box is a permutation: 5 is prime to r − 1, and 3 is not.
func TestSBoxDegree(t *testing.T) {
	t.Parallel()
	less := new(big.Int).Sub(fr.Modulus(), big.NewInt(1))
	for d, want := range map[int64]bool{3: false, 5: true} {
		if got := new(big.Int).GCD(nil, nil, big.NewInt(d), less).Cmp(big.NewInt(1)) == 0; got != want {
			t.Errorf("%d", d)
		}
	}
	if poseidon2.DegreeSBox() != degree {
		t.Errorf("the library's S-box is x^%d", poseidon2.DegreeSBox())
	}
}

// grain is the self-shrinking Grain LFSR of the designers' generator, seeded by
// field, S-box and sizes alone: nobody chose a constant.
type grain struct{ bits []byte }

func newGrain(width, full, partial int) *grain {
	g := new(grain)
	for _, f := range []struct{ value, length int }{{1, 2}, {0, 4}, {fr.Bits, 12}, {width, 12}, {full, 10}, {partial, 10}, {1<<30 - 1, 30}} {
		for i := f.length - 1; i >= 0; i-- {
			g.bits = append(g.bits, byte(f.value>>i&1))
		}
	}
	for range 160 {
		g.step()
	}
	return g
}

func (g *grain) step() byte {
	b := g.bits
	next := b[62] ^ b[51] ^ b[38] ^ b[23] ^ b[13] ^ b[0]
	g.bits = append(b[1:], next)
	return next
}

func (g *grain) bit() byte {
	for g.step() == 0 {
		g.step()
	}
	return g.step()
}

func (g *grain) number() *big.Int {
	n := new(big.Int)
	for range fr.Bits {
		n.Lsh(n, 1)
		n.Or(n, big.NewInt(int64(g.bit())))
	}
	return n
}

// element draws until a number is below the order.
func (g *grain) element() (e fr.Element) {
	for {
		if n := g.number(); n.Cmp(order) < 0 {
			e.SetBigInt(n)
			return e
		}
	}
}

// The round constants are the generator's, drawn in order. The inner matrix has
// the first diagonal drawn after them that ends all trails.
func TestConstantsAreTheGenerators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ width, full, partial int }{{NarrowWidth, NarrowFull, NarrowPartial}, {WideWidth, WideFull, WidePartial}} {
		g := newGrain(c.width, c.full, c.partial)
		p := poseidon2.NewParameters(c.width, c.full, c.partial)
		for round := range c.full + c.partial {
			lanes := c.width
			if round >= c.full/2 && round < c.full/2+c.partial {
				lanes = 1
			}
			for lane := range lanes {
				if want := g.element(); !p.RoundKeys[round][lane].Equal(&want) {
					t.Fatalf("t=%d: round %d, lane %d: another constant than the generator's", c.width, round, lane)
				}
			}
		}
		if got, want := innerMatrix(p), g.matrix(c.width); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("t=%d: another inner matrix than the generator's", c.width)
		}
	}
}

func (g *grain) matrix(width int) matrix {
	for {
		m := make(matrix, width)
		for i := range m {
			m[i] = make([]fr.Element, width)
			for j := range m[i] {
				m[i][j].SetOne()
			}
			m[i][i].SetBigInt(g.number())
		}
		if endsTrails(m) {
			return m
		}
	}
}
