// Package device_test holds what a participant's device makes in the browser
// against what the ledger's own code makes of the same inputs.
package device_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// vector is what a call answers for one input: a value, or a thrown error's words.
type vector[T any] struct {
	value T
	err   string
}

func (v *vector[T]) UnmarshalJSON(b []byte) error {
	var thrown struct{ Error *string }
	if json.Unmarshal(b, &thrown) == nil && thrown.Error != nil {
		v.err = *thrown.Error
		return nil
	}
	return json.Unmarshal(b, &v.value)
}

// all calls a function of testdata/vectors.ts for many inputs at once.
func all[T, I any](t *testing.T, p *browsertest.Page, function string, inputs []I) []vector[T] {
	t.Helper()
	out := browsertest.Call[[]vector[T]](t, p, function, inputs)
	if len(out) != len(inputs) {
		t.Fatalf("%s: %d answers for %d inputs", function, len(out), len(inputs))
	}
	return out
}

// same compares the browser's answers with ours.
func same[T comparable, I any](t *testing.T, p *browsertest.Page, function string, inputs []I, want []T) {
	t.Helper()
	for i, got := range all[T](t, p, function, inputs) {
		if got.err != "" || got.value != want[i] {
			t.Errorf("%s(%+v) = %v %s, want %v", function, inputs[i], got.value, got.err, want[i])
		}
	}
}

// refused compares the words of the errors.
func refused[I any](t *testing.T, p *browsertest.Page, function string, inputs []I, want string) {
	t.Helper()
	for i, got := range all[json.RawMessage](t, p, function, inputs) {
		if !strings.Contains(got.err, want) {
			t.Errorf("%s(%+v): %q and %s; want the error %q", function, inputs[i], got.err, got.value, want)
		}
	}
}

// TestVectors compares all that is made of numbers and bytes alone.
func TestVectors(t *testing.T) {
	t.Parallel()
	p := browsertest.Open(t, "server/web/app/device/testdata/vectors.ts", nil)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browsertest.Page)
	}{
		{"elements", elements},
		{"hashes", hashes},
		{"trees", trees},
		{"derivation", derivation},
		{"cbor", canonical},
		{"acts", acts},
		{"acts refused", actsRefused},
		{"bodies", bodies},
		{"choices and forms", choices},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, p) })
	}
}

func text(e field.Element) string { return field.RootOf(e).String() }

// some are elements at the edges and random ones.
func some(n int) []field.Element {
	var zero, one, last field.Element
	one.SetOne()
	last.Neg(&one)
	out := []field.Element{zero, one, last}
	for len(out) < n {
		var e field.Element
		e.MustSetRandom()
		out = append(out, e)
	}
	return out
}

func elements(t *testing.T, p *browsertest.Page) {
	var in, want []string
	for _, e := range some(50) {
		in, want = append(in, text(e)), append(want, text(e))
	}
	same(t, p, "elements", in, want)
	if got := browsertest.Call[string](t, p, "fieldOrder"); got != want[2] {
		t.Errorf("r − 1 = %s", got)
	}
	over := make([]string, 0, 4)
	for _, more := range []int64{0, 1} {
		n := new(big.Int).Add(fr.Modulus(), big.NewInt(more))
		over = append(over, fmt.Sprintf("%064x", n))
	}
	refused(t, p, "elements", append(over, strings.Repeat("ff", 32)), "not less than the field's order r")
	refused(t, p, "elements", []string{"", "01", strings.Repeat("00", 31), strings.Repeat("00", 33)}, "want 32")
}

func hashes(t *testing.T, p *browsertest.Page) {
	es := some(24)
	at := func(i int) field.Element { return es[i%len(es)] }
	type leafInput struct {
		Identity   string           `json:"identity"`
		Attributes field.Attributes `json:"attributes"`
	}
	var (
		pairs, triples, eights                   [][]string
		ids, leaves, accounts, nodes, packs, fhs []string
		leafIn                                   []leafInput
		fours                                    [][4]uint32
	)
	for i := range es {
		a, b, c := at(i), at(5*i+1), at(7*i+2)
		attributes := field.Attributes{uint32(i), math.MaxUint32, 0, 1, uint32(i * i), 2, 3, math.MaxUint32 - uint32(i)}
		pairs, ids = append(pairs, []string{text(a), text(b)}), append(ids, text(field.Identity(a, b)))
		leafIn, leaves = append(leafIn, leafInput{text(a), attributes}), append(leaves, text(field.NewLeaf(a, attributes)))
		triples, accounts = append(triples, []string{text(a), text(b), text(c)}), append(accounts, text(field.NewAccount(a, b, c)))
		fours, packs = append(fours, [4]uint32(attributes[:4])), append(packs, text(field.Pack([4]uint32(attributes[:4]))))
		var children [8]field.Element
		names := make([]string, 8)
		for j := range children {
			children[j] = at(3*i + j)
			names[j] = text(children[j])
		}
		eights, nodes = append(eights, names), append(nodes, text(field.Node(&children)))
	}
	same(t, p, "identities", pairs, ids)
	same(t, p, "leaves", leafIn, leaves)
	same(t, p, "accounts", triples, accounts)
	same(t, p, "packs", fours, packs)
	same(t, p, "nodes", eights, nodes)
	type message struct {
		Purpose string `json:"purpose"`
		Message string `json:"message"`
	}
	var messages []message
	for n := range 130 {
		b := make([]byte, n)
		rand.Read(b) //nolint:errcheck // never fails (crypto/rand)
		purpose := strings.Repeat("p", n%64+1)
		messages, fhs = append(messages, message{purpose, hex.EncodeToString(b)}), append(fhs, text(field.Hash(purpose, b)))
	}
	same(t, p, "fieldHashes", messages, fhs)
}

func trees(t *testing.T, p *browsertest.Page) {
	empties := browsertest.Call[[]string](t, p, "empties", tree.Depth+1)
	for level, got := range empties {
		if want := text(tree.Empty(level)); got != want {
			t.Errorf("empty node of level %d: %s, want %s", level, got, want)
		}
	}
	es := some(9)[1:]
	var leaves, roots []string
	for _, e := range es {
		leaves, roots = append(leaves, text(e)), append(roots, text(tree.OwnLeafRoot(tree.Depth, e)))
	}
	same(t, p, "ownRoots", leaves, roots)
	type way struct {
		Leaves string `json:"leaves"`
		Place  int    `json:"place"`
	}
	var ways []way
	var want []string
	for _, n := range []int{1, 2, 7, 8, 9, 63, 64, 65, 130} {
		list := some(n + 3)[3:]
		for i := range list {
			if i%5 == 3 {
				list[i] = field.Element{} // left
			}
		}
		built, err := tree.Build(tree.Depth, list)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range []int{0, n / 2, n - 1} {
			path, err := built.Path(uint64(place))
			if err != nil {
				t.Fatal(err)
			}
			ways = append(ways, way{list2hex(list), place})
			want = append(want, fmt.Sprint(text(built.Root()), names(path)))
		}
	}
	type made struct {
		Root string     `json:"root"`
		Path [][]string `json:"path"`
	}
	for i, got := range all[made](t, p, "paths", ways) {
		if s := fmt.Sprint(got.value.Root, got.value.Path); got.err != "" || s != want[i] {
			t.Errorf("%d leaves, place %d: %s %s", len(ways[i].Leaves)/64, ways[i].Place, got.err, s)
		}
	}
	var none *tree.Tree
	none, _ = tree.Build(tree.Depth, nil)
	same(t, p, "roots", []string{""}, []string{text(none.Root())})
	refused(t, p, "roots", []string{strings.Repeat("00", 33)}, "32 for each leaf")
	refused(t, p, "roots", []string{strings.Repeat("00", 32) + fmt.Sprintf("%064x", fr.Modulus())}, "leaf at place 1: not less than")
	refused(t, p, "paths", []way{{"", 1}, {list2hex(some(3)), 3}, {list2hex(some(3)), -1}}, "place")
}

func list2hex(list []field.Element) string {
	var b strings.Builder
	for _, e := range list {
		b.WriteString(text(e))
	}
	return b.String()
}

func names(p tree.Path) [][]string {
	out := make([][]string, len(p))
	for i := range p {
		for _, e := range p[i] {
			out[i] = append(out[i], text(e))
		}
	}
	return out
}

func derivation(t *testing.T, p *browsertest.Page) {
	type input struct {
		Master    string        `json:"master"`
		Tag       string        `json:"tag"`
		Ledger    wire.LedgerID `json:"ledger"`
		Trial     trial.ID      `json:"trial"`
		Enrolment uint32        `json:"enrolment"`
		Version   trial.Version `json:"version"`
	}
	var in []input
	var want, leaves []string
	for i, tag := range []string{"secret", "trapdoor", "secret/pass/1", "trapdoor/pass/4294967295"} {
		for _, n := range []uint32{0, 1, 16, math.MaxUint32} {
			var master [32]byte
			rand.Read(master[:]) //nolint:errcheck // never fails (crypto/rand)
			x := input{hex.EncodeToString(master[:]), tag, wire.LedgerID{byte(i)}, trial.ID{1, byte(n)}, n, trial.Version(i + 1)}
			in = append(in, x)
			want = append(want, text(derive(t, master, tag, x.Ledger, x.Trial, n)))
			leaves = append(leaves, leafOf(t, master, "", x.Ledger, x.Trial, n), leafOf(t, master, fmt.Sprintf("/pass/%d", i+1), x.Ledger, x.Trial, n))
		}
	}
	same(t, p, "derived", in, want)
	type made struct{ Enrolled, Pass string }
	for i, got := range all[made](t, p, "credentials", in) {
		if got.value != (made{leaves[2*i], leaves[2*i+1]}) {
			t.Errorf("credentials of %+v: %+v", in[i], got)
		}
	}
}

func derive(t *testing.T, master [32]byte, tag string, ledger wire.LedgerID, id trial.ID, n uint32) field.Element {
	t.Helper()
	e, err := field.Derive(master, tag, ledger, id, n)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func leafOf(t *testing.T, master [32]byte, use string, ledger wire.LedgerID, id trial.ID, n uint32) string {
	t.Helper()
	idc := field.Identity(derive(t, master, field.SecretTag+use, ledger, id, n), derive(t, master, field.TrapdoorTag+use, ledger, id, n))
	return field.LeafOf(field.NewLeaf(idc, field.Attributes{})).String()
}

// canonical holds the decoder to the encodings that the ledger's own takes: none
// else, and all of them but maps, which no structure has.
func canonical(t *testing.T, p *browsertest.Page) {
	var good, want []string
	for _, v := range []any{
		0, 23, 24, 255, 256, 65535, 65536, uint64(1)<<32 - 1, uint64(1) << 32, uint64(1) << 53, uint64(math.MaxUint64), -1, -24, -25, -256,
		-257, int64(math.MinInt64), true, false, "", "é", "𝔸", strings.Repeat("x", 300),
		[]byte{},
		make([]byte, 24), make([]byte, 65536),
		[]any{},
		[]any{1, "x", []any{[]byte{1}, false}},
		make([]int, 300),
	} {
		b := hex.EncodeToString(wire.Marshal(v))
		good, want = append(good, b), append(want, b)
	}
	same(t, p, "again", good, want)
	bad := []string{
		"", "18", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "5801", "41", "61", "61ff", "63eda080", "7f6161ff", "5f4101ff", "9f01ff",
		"81", "8201", "0000", "8180ff", "f6", "f7", "f0", "f93c00", "fb3ff0000000000000", "c000", "d81800", "ff", "1c", "5803010203" + "00",
		"58020102", "780161", "980101", "9b000000000000000101", "9bffffffffffffffff01", "1bffffffffffffff", strings.Repeat("81", 17) + "00", "f814", "a0", "a10102",
	}
	for _, b := range bad {
		raw, err := hex.DecodeString(b)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := wire.Unmarshal(raw, &v); err == nil && raw[0]>>5 != 5 && b != "f6" && b != "f7" && b != "f0" && !strings.HasPrefix(b, "f9") && !strings.HasPrefix(b, "fb") {
			t.Errorf("control: %s is canonical", b)
		}
	}
	for i, got := range all[string](t, p, "again", bad) {
		if got.err == "" {
			t.Errorf("%s decodes, as %s", bad[i], got.value)
		}
	}
	// Bytes at random: what decodes is what the ledger's decoder takes, and encodes to itself.
	r := mathrand.New(mathrand.NewPCG(1, 2)) //nolint:gosec // a test's inputs
	var random []string
	for range 3000 {
		b := make([]byte, 1+r.IntN(8))
		for i := range b {
			b[i] = []byte{0x81, 0x82, 0x83, 0x18, 0x19, 0x41, 0x42, 0x61, 0x20, 0xf4, 0x00, byte(r.Uint32())}[r.IntN(12)]
		}
		random = append(random, hex.EncodeToString(b))
	}
	taken := 0
	for i, got := range all[string](t, p, "again", random) {
		raw, _ := hex.DecodeString(random[i])
		var v any
		err := wire.Unmarshal(raw, &v)
		if got.err == "" {
			taken++
			if err != nil || got.value != random[i] {
				t.Errorf("%s is taken, and encodes to %s; the ledger says: %v", random[i], got.value, err)
			}
		} else if err == nil && plain(v) {
			t.Errorf("%s is refused (%s), and the ledger takes it", random[i], got.err)
		}
	}
	if taken < 100 {
		t.Errorf("only %d of 3000 decode; the test shows little", taken)
	}
	refused(t, p, "encoded", []any{1.5, 1e300, -0.5}, "whole numbers")
	refused(t, p, "halves", []int{0xd800, 0xdc00}, "half of a surrogate pair")
}

// plain reports whether a value is one of those that the ledger's structures are made of.
func plain(v any) bool {
	switch v := v.(type) {
	case uint64, int64, big.Int, string, []byte, bool:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(x any) bool { return !plain(x) })
	}
	return false
}

// jsonAct is an act as the browser's code names its fields.
type jsonAct struct {
	Ledger    wire.LedgerID    `json:"ledger"`
	Trial     trial.ID         `json:"trial"`
	Kind      act.Kind         `json:"kind"`
	Version   trial.Version    `json:"version"`
	FormSet   trial.Digest     `json:"formSet"`
	Sequence  uint32           `json:"sequence"`
	Options   trial.Commitment `json:"options"`
	Pass      field.Leaf       `json:"pass"`
	Successor trial.Version    `json:"successor"`
	Site      trial.SiteID     `json:"site"`
	Person    trial.ActorID    `json:"person"`
	Slot      string           `json:"slot"`
	Rep       uint32           `json:"rep"`
	Day       int32            `json:"day"`
	Kit       trial.Commitment `json:"kit"`
	Pay       field.Leaf       `json:"pay"`
}

func jsonOf(a *act.Act) jsonAct {
	return jsonAct{
		a.Ledger, a.Trial, a.Kind, a.Version, a.FormSet, a.Sequence, a.Options, a.Pass, a.Successor, a.Site, a.Person, a.Slot, a.Rep,
		int32(a.Day), a.Kit, a.Pay,
	}
}

var kinds = []act.Kind{act.Enrol, act.Screen, act.Eligible, act.Consent, act.Options, act.Withdraw, act.Superseded, act.Visit, act.Dose, act.Attest}

func name32[T ~[32]byte]() (n T) {
	rand.Read(n[:]) //nolint:errcheck // never fails (crypto/rand)
	return n
}

// filled is an act of a kind with every field that the kind uses.
func filled(k act.Kind, n uint32, day trial.Day, slot string) *act.Act {
	r, _ := k.Rule()
	a := &act.Act{Ledger: name32[wire.LedgerID](), Trial: name32[trial.ID](), Kind: k}
	for _, f := range []struct {
		used bool
		set  func()
	}{
		{r.Version, func() { a.Version = trial.Version(max(n, 1)) }},
		{r.FormSet, func() { a.FormSet = name32[trial.Digest]() }},
		{r.Sequence, func() { a.Sequence = n }},
		{r.Options, func() { a.Options = name32[trial.Commitment]() }},
		{r.Pass, func() { a.Pass = name32[field.Leaf]() }},
		{r.Successor, func() { a.Successor = trial.Version(max(n, 1)) }},
		{r.Site, func() { a.Site = name32[trial.SiteID]() }},
		{r.Person, func() { a.Person = name32[trial.ActorID]() }},
		{r.Slot, func() { a.Slot, a.Rep = slot, n }},
		{r.Slot && n%2 == 1, func() { a.Kit, a.Pay = name32[trial.Commitment](), name32[field.Leaf]() }},
		{r.Day, func() { a.Day = day }},
	} {
		if f.used {
			f.set()
		}
	}
	return a
}

// everyAct is acts of every kind, at the edges and at random.
func everyAct() (out []*act.Act) {
	for _, k := range kinds {
		out = append(
			out, filled(k, 0, 1, "s"), filled(k, math.MaxUint32, math.MaxInt32, strings.Repeat("é", 64)), filled(k, 23, math.MinInt32, "week-2"),
			filled(k, 24, -1, "ωδή"), filled(k, 65536, -25, "𝔸"),
		)
		for range 10 {
			out = append(out, filled(k, mathrand.Uint32(), trial.Day(mathrand.Int32()+1), "visit "+trial.Version(mathrand.Uint32()).String()))
		}
	}
	return out
}

func acts(t *testing.T, p *browsertest.Page) {
	type made struct{ Bytes, Context, Message, Again string }
	var in []jsonAct
	var want []made
	for _, a := range everyAct() {
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		b := hex.EncodeToString(a.Bytes())
		in, want = append(in, jsonOf(a)), append(want, made{b, text(a.Context()), text(a.Message()), b})
	}
	same(t, p, "acts", in, want)
}

// actsRefused holds check to the same acts as the ledger's own: each field
// filled where it has no use, and emptied where it is needed.
func actsRefused(t *testing.T, p *browsertest.Page) {
	changes := []func(*act.Act){
		func(a *act.Act) { a.Version ^= 7 }, func(a *act.Act) { flip(&a.FormSet) }, func(a *act.Act) { a.Sequence ^= 7 }, func(a *act.Act) { flip(&a.Options) },
		func(a *act.Act) { flip(&a.Pass) }, func(a *act.Act) { a.Successor ^= 7 }, func(a *act.Act) { flip(&a.Site) }, func(a *act.Act) { flip(&a.Person) },
		func(a *act.Act) {
			if a.Slot == "" {
				a.Slot = "x"
			} else {
				a.Slot = ""
			}
		},
		func(a *act.Act) { a.Rep ^= 7 }, func(a *act.Act) { a.Day ^= 7 }, func(a *act.Act) { flip(&a.Kit) }, func(a *act.Act) { flip(&a.Pay) },
		func(a *act.Act) { a.Kind = 0 }, func(a *act.Act) { a.Kind = 11 }, func(a *act.Act) { a.Slot += strings.Repeat("é", 65) },
	}
	var in []jsonAct
	var encoded []string
	var want []bool
	for _, k := range kinds {
		for _, change := range changes {
			a := filled(k, 7, 7, "s")
			change(a)
			in, encoded, want = append(in, jsonOf(a)), append(encoded, hex.EncodeToString(a.Bytes())), append(want, a.Check() == nil)
		}
	}
	for i, got := range all[json.RawMessage](t, p, "acts", in) {
		if (got.err == "") != want[i] {
			t.Errorf("%+v: taken %t, the ledger takes it: %t (%s)", in[i], got.err == "", want[i], got.err)
		}
	}
	for i, got := range all[json.RawMessage](t, p, "decodedActs", encoded) {
		if (got.err == "") != want[i] {
			t.Errorf("decoded %+v: taken %t, the ledger takes it: %t (%s)", in[i], got.err == "", want[i], got.err)
		}
	}
	if !slices.Contains(want, true) || !slices.Contains(want, false) {
		t.Error("all acts alike; the test shows nothing")
	}
	a := filled(act.Visit, 1, 1, "s")
	b := hex.EncodeToString(a.Bytes())
	for i, got := range all[json.RawMessage](t, p, "decodedActs", []string{b + "00", b[:len(b)-2], "8f" + b[2:], strings.Replace(b, "6173", "780173", 1)}) {
		if got.err == "" {
			t.Errorf("mutation %d decodes", i)
		}
	}
}

// flip makes a name zero, or another one where it was zero.
func flip[T ~[32]byte](n *T) {
	if *n == (T{}) {
		(*n)[31] = 1
	} else {
		*n = T{}
	}
}

// bodies: equal inputs give the bytes that the ledger's code gives.
func bodies(t *testing.T, p *browsertest.Page) {
	type input struct {
		Kind    string        `json:"kind"`
		Act     jsonAct       `json:"act"`
		Root    field.Root    `json:"root"`
		Account field.Account `json:"account"`
		Proof   string        `json:"proof"`
		Leaf    field.Leaf    `json:"leaf"`
		Kiosk   bool          `json:"kiosk"`
	}
	type made struct{ Made, Again string }
	var in []input
	var want []made
	for i, a := range everyAct() {
		proven := consent.Proven{Act: *a, Root: name32[field.Root](), Account: name32[field.Account]()}
		rand.Read(proven.Proof[:]) //nolint:errcheck // never fails (crypto/rand)
		x := input{"", jsonOf(a), proven.Root, proven.Account, hex.EncodeToString(proven.Proof[:]), name32[field.Leaf](), i%2 == 0}
		var body any
		switch a.Kind {
		case act.Enrol:
			x.Kind, body = "enrol", consent.Enrol{Proven: proven, Leaf: x.Leaf, Kiosk: x.Kiosk}
		case act.Visit, act.Dose, act.Attest:
			x.Kind, body = "entry", consent.Entry{Proven: proven}
		case act.Consent, act.Options, act.Withdraw, act.Superseded:
			x.Kind, body = "act", consent.Act{Proven: proven, Leaf: x.Leaf}
		default:
			continue // no phone makes it
		}
		b := hex.EncodeToString(wire.Marshal(body))
		in, want = append(in, x), append(want, made{b, b})
	}
	same(t, p, "bodies", in, want)
	in[0].Proof = in[0].Proof[2:]
	refused(t, p, "bodies", in[:1], "want 128")
}

func choices(t *testing.T, p *browsertest.Page) {
	type choice struct {
		Form     string   `json:"form"`
		Language string   `json:"language"`
		Taken    []string `json:"taken"`
	}
	type input struct {
		Choice choice `json:"choice"`
		Salt   string `json:"salt"`
	}
	var in []input
	var want []string
	for _, c := range []act.Choice{
		{Form: "main", Language: "en", Taken: []string{}},
		{Form: "", Language: ""},
		{Form: "main", Language: "ar", Taken: []string{"results", "biobank"}},
		{Form: "main", Language: "ar", Taken: []string{"biobank", "results"}},
		{Form: strings.Repeat("ف", 30), Language: "zh-Hant", Taken: []string{"", "é", strings.Repeat("x", 300)}},
	} {
		salt := name32[[32]byte]()
		in = append(in, input{choice{c.Form, c.Language, append([]string{}, c.Taken...)}, hex.EncodeToString(salt[:])})
		want = append(want, c.Commit(salt).String())
	}
	same(t, p, "choices", in, want)
	var sets [][]jsonForm
	var digests []string
	for _, forms := range [][]trial.Form{{}, {{}}, someForms()} {
		sets, digests = append(sets, jsonForms(forms)), append(digests, act.FormSet(forms).String())
	}
	same(t, p, "formSets", sets, digests)
}

// jsonForm is a form under the names that the API gives its fields.
type jsonForm struct {
	ID        string         `json:"id"`
	Language  string         `json:"language"`
	Title     string         `json:"title"`
	Sections  []jsonSection  `json:"sections"`
	Options   []jsonOption   `json:"options"`
	Questions []jsonQuestion `json:"questions"`
	Example   bool           `json:"example"`
}

type (
	jsonSection struct {
		Heading string `json:"heading"`
		Text    string `json:"text"`
	}
	jsonOption struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	jsonQuestion struct {
		ID      string   `json:"id"`
		Text    string   `json:"text"`
		Answers []string `json:"answers"`
		Right   uint32   `json:"right"`
		Why     string   `json:"why"`
	}
)

func jsonForms(forms []trial.Form) []jsonForm {
	out := []jsonForm{}
	for _, f := range forms {
		j := jsonForm{f.ID, f.Language, f.Title, []jsonSection{}, []jsonOption{}, []jsonQuestion{}, f.Example}
		for _, s := range f.Sections {
			j.Sections = append(j.Sections, jsonSection{s.Heading, s.Text})
		}
		for _, o := range f.Options {
			j.Options = append(j.Options, jsonOption{o.ID, o.Text})
		}
		for _, q := range f.Questions {
			j.Questions = append(j.Questions, jsonQuestion{q.ID, q.Text, q.Answers, q.Right, q.Why})
		}
		out = append(out, j)
	}
	return out
}

func someForms() []trial.Form {
	return []trial.Form{
		{
			ID: "main", Language: "en", Title: "A trial <b>&amp; more</b>\u2028", Example: true,
			Sections:  []trial.Section{{Heading: "Why", Text: "Because.\n\nAnd \"so\"."}, {Heading: "", Text: strings.Repeat("Text. ", 5000)}},
			Options:   []trial.Option{{ID: "results", Text: "Tell me."}, {ID: "biobank", Text: "Keep my blood."}},
			Questions: []trial.Question{{ID: "q", Text: "May you stop?", Answers: []string{"Yes", "No"}, Right: 1, Why: "Always."}},
		},
		{ID: "main-ar", Language: "ar", Title: "استمارة", Sections: []trial.Section{{Heading: "لماذا", Text: "لأن."}}},
	}
}
