package browser_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

var update = flag.Bool("update", false, "write src/vk.ts anew from the verifying key of circuits/verifier")

// wire is an element of the coordinates' field as the prover's files have it:
// x·2^261, where the library keeps x·2^256.
func wire(e fp.Element) []byte {
	var c fp.Element
	c.SetUint64(1 << 5)
	e.Mul(&e, &c)
	out := make([]byte, 0, 32)
	for _, w := range e {
		for i := range 8 {
			out = append(out, byte(w>>(8*i)))
		}
	}
	return out
}

func wire1(p curve.G1Affine) string { return hex.EncodeToString(append(wire(p.X), wire(p.Y)...)) }

func wire2(p curve.G2Affine) string {
	return hex.EncodeToString(bytes.Join([][]byte{wire(p.X.A0), wire(p.X.A1), wire(p.Y.A0), wire(p.Y.A1)}, nil))
}

func hexes(v []fr.Element) string {
	var b strings.Builder
	for i := range v {
		x := v[i].Bytes()
		b.WriteString(hex.EncodeToString(x[:]))
	}
	return b.String()
}

func randomScalar(r *rand.Rand) (e fr.Element) {
	var b [48]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	e.SetBytes(b[:])
	return e
}

// scalars are lists that reach the edges of windows and buckets.
func scalars(r *rand.Rand, n int) map[string][]fr.Element {
	list := func(f func(i int) fr.Element) []fr.Element {
		out := make([]fr.Element, n)
		for i := range out {
			out[i] = f(i)
		}
		return out
	}
	small := func(x uint64) (e fr.Element) { e.SetUint64(x); return e }
	return map[string][]fr.Element{
		"random": list(func(int) fr.Element { return randomScalar(r) }),
		"zeros":  list(func(int) fr.Element { return fr.Element{} }),
		"ones":   list(func(int) fr.Element { return small(1) }),
		"bits":   list(func(i int) fr.Element { return small(uint64(i & 1)) }),
		"small":  list(func(int) fr.Element { return small(r.Uint64N(1 << 20)) }),
		"last":   list(func(i int) fr.Element { e := small(uint64(i%3 + 1)); e.Neg(&e); return e }),
		"sparse": list(func(i int) fr.Element {
			if i%97 != 0 {
				return fr.Element{}
			}
			return randomScalar(r)
		}),
		"halves": list(func(i int) (e fr.Element) { // digits on the edge of their window
			x := new(big.Int).Lsh(big.NewInt(1), uint(i%253))
			e.SetBigInt(x.Add(x, new(big.Int).Lsh(big.NewInt(1), uint(i*7%250))))
			return e
		}),
		"lengths": list(func(i int) (e fr.Element) {
			x := randomScalar(r)
			e.SetBigInt(new(big.Int).Rsh(x.BigInt(new(big.Int)), uint(i*13%250)))
			return e
		}),
	}
}

func provingKey(t *testing.T) *groth16.ProvingKey {
	t.Helper()
	b, err := os.ReadFile("../prover/development.pk")
	if err != nil {
		t.Fatal(err)
	}
	key := new(groth16.ProvingKey)
	if _, err := key.UnsafeReadFrom(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return key
}

// TestArithmetic is one page for all of the prover's arithmetic.
func TestArithmetic(t *testing.T) {
	page := browsertest.Open(t, "circuits/browser/testdata/arithmetic.ts", browsertest.Handlers{browser.Base: browser.Handler(nil)})
	t.Run("sums", func(t *testing.T) { testSums(t, page) })
	t.Run("leftovers", func(t *testing.T) { testLeftovers(t, page) })
	t.Run("meetings", func(t *testing.T) { testMeetings(t, page) })
	t.Run("expand", func(t *testing.T) { testExpand(t, page) })
	t.Run("quotient", func(t *testing.T) { testQuotient(t, page) })
	t.Run("solver", func(t *testing.T) { testSolver(t, page) })
	t.Run("verifying key", func(t *testing.T) { testVerifyingKey(t, page) })
	t.Run("pairing", func(t *testing.T) { testPairing(t, page) })
	t.Run("cache", func(t *testing.T) { testCache(t, page) })
}

// Each multi-exponentiation over the key is gnark-crypto's.
func testSums(t *testing.T, page *browsertest.Page) {
	key := provingKey(t)
	r := rand.New(rand.NewPCG(1, 2))
	for name, bases := range map[string][]curve.G1Affine{"A": key.G1.A, "B1": key.G1.B, "K": key.G1.K, "Z": key.G1.Z} {
		for kind, list := range scalars(r, len(bases)) {
			var want curve.G1Affine
			if _, err := want.MultiExp(bases, list, ecc.MultiExpConfig{}); err != nil {
				t.Fatal(err)
			}
			expectSums(t, page, name+" "+kind, name, list, windows(kind), want.IsInfinity(), wire1(want))
		}
	}
	for kind, list := range scalars(r, len(key.G2.B)) {
		var want curve.G2Affine
		if _, err := want.MultiExp(key.G2.B, list, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		expectSums(t, page, "B2 "+kind, "B2", list, windows(kind), want.IsInfinity(), wire2(want))
	}
}

// windows are the window in use, and for some lists others, of odd and even sizes.
func windows(kind string) []int {
	switch kind {
	case "random":
		return []int{10, 7, 11}
	case "halves":
		return []int{10, 8}
	}
	return []int{10}
}

func expectSums(t *testing.T, page *browsertest.Page, what, part string, list []fr.Element, windows []int, infinity bool, want string) {
	t.Helper()
	want = unless(infinity, want)
	for i, got := range browsertest.Call[[]string](t, page, "sums", part, []string{hexes(list)}, windows) {
		if got != want {
			t.Errorf("%s, window %d: %s, want %s", what, windows[i], got, want)
		}
	}
}

// What a multi-exponentiation leaves in memory does not depend on its scalars:
// lists that are sorted by their digits are as secret as they are.
func testLeftovers(t *testing.T, page *browsertest.Page) {
	type leftovers struct {
		Made int
		Left string
	}
	random := func(seed uint64) leftovers {
		list := scalars(rand.New(rand.NewPCG(seed, 6)), len(provingKey(t).G1.B))["random"]
		return browsertest.Call[leftovers](t, page, "leftovers", hexes(list))
	}
	first, second := random(1), random(2)
	if first.Made < 8 || first.Left == "" {
		t.Errorf("%d lists were seen, and of those that are not secret %q", first.Made, first.Left)
	}
	if first.Left != second.Left {
		t.Error("other scalars leave something else in memory")
	}
}

// Sums that come to a point and its like are right all the same: bases that add up
// to others, with equal scalars, among many that do not.
func testMeetings(t *testing.T, page *browsertest.Page) {
	r := rand.New(rand.NewPCG(5, 5))
	_, _, g1, g2 := curve.Generators()
	const n = 600
	p, q := randomScalar(r), randomScalar(r)
	var sum, minus fr.Element
	sum.Add(&p, &q)
	minus.Neg(&sum)
	multiples := []fr.Element{p, q, minus, p, q, sum} // each triple with a scalar of its own; no two have equal x there
	list := make([]fr.Element, n)
	for len(multiples) < n {
		multiples = append(multiples, randomScalar(r))
	}
	for i := range list {
		list[i] = randomScalar(r)
	}
	for name, change := range map[string]func(){
		"a triple without a rest": func() {
			list[0], list[1], list[2], list[3], list[4], list[5] = p, p, p, fr.Element{}, fr.Element{}, fr.Element{}
		},
		"ones": func() { list[0], list[1], list[2] = number(1), number(1), number(1) },
		"a sum": func() {
			list[0], list[1], list[2], list[3], list[4], list[5] = fr.Element{}, fr.Element{}, fr.Element{}, q, q, q
		},
	} {
		change()
		bases1, bases2 := curve.BatchScalarMultiplicationG1(&g1, multiples), curve.BatchScalarMultiplicationG2(&g2, multiples)
		var x1, x2 []byte
		for i := range multiples {
			x1, x2 = append(x1, compress1(bases1[i])...), append(x2, compress2(bases2[i])...)
		}
		var want1 curve.G1Affine
		var want2 curve.G2Affine
		if _, err := want1.MultiExp(bases1, list, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if _, err := want2.MultiExp(bases2, list, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if got := browsertest.Call[string](t, page, "sumOver", 1, hex.EncodeToString(x1), hexes(list)); got != wire1(want1) {
			t.Errorf("%s in G1: %s, want %s", name, got, wire1(want1))
		}
		if got := browsertest.Call[string](t, page, "sumOver", 2, hex.EncodeToString(x2), hexes(list)); got != wire2(want2) {
			t.Errorf("%s in G2: %s, want %s", name, got, wire2(want2))
		}
	}
}

func unless(infinity bool, point string) string {
	if infinity {
		return ""
	}
	return point
}

func compress1(p curve.G1Affine) []byte {
	x, y := wire(p.X), wire(p.Y)
	x[31] |= y[0] & 1 << 7
	return x
}

func compress2(p curve.G2Affine) []byte {
	x, y := wire(p.X.A0), wire(p.Y.A0)
	x[31] |= y[0] & 1 << 7
	return append(x, wire(p.X.A1)...)
}

// Points come out of their compressed form as they went in, of both signs; a y
// that is not theirs is refused.
func testExpand(t *testing.T, page *browsertest.Page) {
	key := provingKey(t)
	const n = 33 // odd: the last one has no neighbour
	var x1, y1, x2, y2, other []byte
	for _, p := range key.G1.A[:n] {
		x1, y1 = append(x1, compress1(p)...), append(y1, wire(p.Y)...)
	}
	for _, p := range key.G2.B[:n] {
		x2 = append(x2, compress2(p)...)
		y2 = append(append(y2, wire(p.Y.A0)...), wire(p.Y.A1)...)
		p.Neg(&p)
		other = append(append(other, wire(p.Y.A0)...), wire(p.Y.A1)...)
	}
	for group, c := range map[int][2][]byte{1: {x1, y1}, 2: {x2, y2}} {
		x, y := hex.EncodeToString(c[0]), hex.EncodeToString(c[1])
		if got := browsertest.Call[string](t, page, "expand", group, x); got != y {
			t.Errorf("group %d: other y than the points'", group)
		}
		if !browsertest.Call[bool](t, page, "agrees", group, x, y) {
			t.Errorf("group %d: the points' own y is refused", group)
		}
		for _, at := range []int{0, 32, len(c[1]) - 32} {
			spoilt := bytes.Clone(c[1])
			spoilt[at] ^= 2
			if browsertest.Call[bool](t, page, "agrees", group, x, hex.EncodeToString(spoilt)) {
				t.Errorf("group %d: a y off the curve at %d is taken", group, at)
			}
		}
		if browsertest.Call[bool](t, page, "agrees", group, x, y[:len(y)-64]) {
			t.Errorf("group %d: too few y are taken", group)
		}
	}
	if browsertest.Call[bool](t, page, "agrees", 2, hex.EncodeToString(x2), hex.EncodeToString(other)) {
		t.Error("the negatives of points are taken for them")
	}
	unreduced := bytes.Clone(y1) // y + p: the same point of the curve, with the other sign
	carry := 0
	for i, b := range littleEndian(fp.Modulus()) {
		carry += int(unreduced[i]) + int(b)
		unreduced[i] = byte(carry)
		carry >>= 8
	}
	if browsertest.Call[bool](t, page, "agrees", 1, hex.EncodeToString(x1), hex.EncodeToString(unreduced)) {
		t.Error("a y of p and above is taken")
	}
}

func littleEndian(x *big.Int) []byte {
	b := x.FillBytes(make([]byte, 32))
	for i := range 16 {
		b[i], b[31-i] = b[31-i], b[i]
	}
	return b
}

// computeH is what gnark's prover makes of the rows (backend/groth16/bn254, computeH).
func computeH(a, b, c []fr.Element, d *fft.Domain) []fr.Element {
	lift := func(v []fr.Element) []fr.Element {
		out := append([]fr.Element(nil), v...)
		d.FFTInverse(out, fft.DIF)
		d.FFT(out, fft.DIT, fft.OnCoset())
		return out
	}
	a, b, c = lift(a), lift(b), lift(c)
	var den, one fr.Element
	one.SetOne()
	den.Exp(d.FrMultiplicativeGen, big.NewInt(int64(d.Cardinality))) //nolint:gosec // a size
	den.Sub(&den, &one).Inverse(&den)
	for i := range a {
		a[i].Mul(&a[i], &b[i]).Sub(&a[i], &c[i]).Mul(&a[i], &den)
	}
	d.FFTInverse(a, fft.DIF, fft.OnCoset())
	return a
}

// h₀ + m·h₁ + m²·h₂ is gnark's quotient for the rows with the message in its place.
func testQuotient(t *testing.T, page *browsertest.Page) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, log := range []int{3, 8, 12} {
		n := 1 << log
		d := fft.NewDomain(uint64(n)) //nolint:gosec // a size
		late := r.IntN(n)
		m := randomScalar(r)
		a, b, c, e := make([]fr.Element, n), make([]fr.Element, n), make([]fr.Element, n), make([]fr.Element, n)
		for i := range n - n/8 { // the last rows are empty, as they are in a circuit
			if i != late {
				a[i], b[i] = randomScalar(r), randomScalar(r)
				c[i].Mul(&a[i], &b[i])
			}
		}
		got := browsertest.Call[map[string][]string](t, page, "quotient", log, late, hexes(a), hexes(b), hexes(c))
		e[late].SetOne()
		square := computeH(e, e, e, d)
		a[late], b[late] = m, m
		c[late].Square(&m)
		want := computeH(a, b, c, d)
		for i := range n - 1 {
			h := parse(t, got["constant"][i])
			var x fr.Element
			linear := parse(t, got["linear"][i])
			h.Add(&h, x.Mul(&linear, &m))
			h.Add(&h, x.Mul(&square[i], x.Square(&m)))
			if !h.Equal(&want[i]) {
				t.Fatalf("2^%d rows: coefficient %d is %v, want %v", log, i, h, want[i])
			}
		}
		if !want[n-1].IsZero() {
			t.Fatal("the rows do not hold")
		}
	}
}

func parse(t *testing.T, s string) (e fr.Element) {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SetBytesCanonical(b); err != nil {
		t.Fatal(err)
	}
	return e
}

// The verifying key in the page is that of circuits/verifier.
func testVerifyingKey(t *testing.T, page *browsertest.Page) {
	want := hex.EncodeToString(verifier.Development().Bytes())
	if *update {
		writeVerifyingKey(t, want)
	}
	if got := browsertest.Call[string](t, page, "key"); got != want {
		t.Error("src/vk.ts holds another key; run go test ./circuits/browser -run TestArithmetic -update")
	}
}

func writeVerifyingKey(t *testing.T, key string) {
	t.Helper()
	var lines []string
	for i := 0; i < len(key); i += 128 {
		lines = append(lines, fmt.Sprintf("  %q", key[i:min(i+128, len(key))]))
	}
	text := "// Written by go test ./circuits/browser -run TestArithmetic -update, from the key of circuits/verifier.\n\nconst HEX =\n" +
		strings.Join(lines, " +\n") + ";\n\n/** The verifying key of the proving key that the prover loads. */\nexport function verifyingKey(): Uint8Array {\n" +
		"  return Uint8Array.from({ length: HEX.length / 2 }, (_, i) => Number.parseInt(HEX.slice(2 * i, 2 * i + 2), 16));\n}\n"
	if err := os.WriteFile("src/vk.ts", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func testCache(t *testing.T, page *browsertest.Page) {
	got := browsertest.Call[map[string]bool](t, page, "cached")
	if !got["same"] || got["otherFile"] || got["otherHash"] {
		t.Errorf("what the cache gives back: %v, want the same file and nothing for another file or hash", got)
	}
}

// full are the circuit's inputs but for the constant: the public ones, then the secret ones.
func full(t *testing.T, w plain) []fr.Element {
	t.Helper()
	text := func(s string) (e fr.Element) {
		if _, err := e.SetString(s); err != nil {
			t.Fatal(err)
		}
		return e
	}
	out := []fr.Element{text(w.Root), text(w.Context), text(w.Account), number(1)}
	for _, bounds := range [2]field.Attributes{w.Min, w.Max} {
		for _, x := range bounds {
			out = append(out, number(uint64(x)))
		}
	}
	out = append(out, text(w.Secret), text(w.Trapdoor))
	for _, x := range w.Attributes {
		out = append(out, number(uint64(x)))
	}
	for _, level := range w.Path {
		for _, x := range level {
			out = append(out, text(x))
		}
	}
	return out
}

// Each input in turn, public or secret, makes the circuit's solver refuse when it
// changes; the message alone is free, for it is bound last.
func testSolver(t *testing.T, page *browsertest.Page) {
	_, w, _ := someone(t, 20, 11)
	w.Min, w.Max = w.Attributes, w.Attributes // tight, so that no neighbour fits
	in := full(t, w)
	lists := []string{hexes(in)}
	want := []string{""}
	const message, firstMax, secrets = 3, 12, 20
	for i := range in {
		for _, by := range []fr.Element{number(1), randomScalar(rand.New(rand.NewPCG(uint64(i), 1)))} {
			changed := append([]fr.Element(nil), in...)
			if firstMax <= i && i < secrets && by.IsOne() {
				by.Neg(&by) // a higher maximum holds
			}
			changed[i].Add(&changed[i], &by)
			lists = append(lists, hexes(changed))
			if want = append(want, "witness"); i == message {
				want[len(want)-1] = ""
			}
		}
	}
	for i, got := range browsertest.Call[[]string](t, page, "solve", lists) {
		if got != want[i] {
			t.Errorf("list %d, input %d: %q, want %q", i, (i-1)/2, got, want[i])
		}
	}
	for name, spoilt := range map[string]string{"too few": hexes(in[1:]), "too many": hexes(in) + hexes(in[:1]), "of r": hexPlus(hexes(in), fr.Modulus())} {
		if got := browsertest.Call[[]string](t, page, "solve", []string{spoilt}); got[0] != "witness" {
			t.Errorf("inputs %s: %q", name, got[0])
		}
	}
	testTraces(t, page, in)
}

// After it is wiped, the memory holds none of the secret inputs.
func testTraces(t *testing.T, page *browsertest.Page, in []fr.Element) {
	got := browsertest.Call[map[string][]int](t, page, "traces", hexes(in))
	if len(got["before"]) < 3 || len(got["after"]) != 0 {
		t.Errorf("secrets found in memory: %v, want some before it is wiped and none after", got)
	}
}
