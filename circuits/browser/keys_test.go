package browser_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// ceremonyKeys are a proving and a verifying key that nobody else has: the
// library's set-up of one party stands for a ceremony.
var ceremonyKeys = sync.OnceValues(newKeys)

func newKeys() (proving, verifying []byte) {
	system, err := membership.Compile(tree.Depth)
	if err != nil {
		panic(err)
	}
	var pk groth16.ProvingKey
	var vk groth16.VerifyingKey
	if err := groth16.Setup(system, &pk, &vk); err != nil {
		panic(err)
	}
	var p, v bytes.Buffer
	if _, err := pk.WriteTo(&p); err != nil {
		panic(err)
	}
	if _, err := vk.WriteTo(&v); err != nil {
		panic(err)
	}
	return p.Bytes(), v.Bytes()
}

func keySet(t testing.TB) *browser.KeySet {
	t.Helper()
	set, err := browser.NewKeySet(ceremonyKeys())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// listed is key.json as a page reads it.
type listed struct {
	VerifyingKey string `json:"verifying_key"`
	Files        map[string]struct {
		File   string `json:"file"`
		SHA256 string `json:"sha256"`
		Bytes  int    `json:"bytes"`
	} `json:"files"`
}

func listOf(t testing.TB, set *browser.KeySet) (l listed) {
	t.Helper()
	f, ok := set.File(browser.KeyList)
	if !ok {
		t.Fatal("no list")
	}
	if err := json.Unmarshal(f.Body, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// A key set holds its key in parts, each under its own hash, and nothing that the
// pages have pinned already.
func TestKeySet(t *testing.T) {
	t.Parallel()
	_, verifying := ceremonyKeys()
	set := keySet(t)
	l := listOf(t, set)
	name := verifier.HashKey(verifying)
	if l.VerifyingKey != hex.EncodeToString(name[:]) || set.Hash != name {
		t.Errorf("the key is named %s", l.VerifyingKey)
	}
	want := []string{"A.bin", "B1.bin", "B2.bin", "K.bin", "Z.bin", "proving.bin", "small.bin", "verifying.bin"}
	if got := slices.Sorted(maps.Keys(l.Files)); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	for plain, e := range l.Files {
		f, ok := set.File(e.File)
		sum := sha256.Sum256(f.Body)
		if !ok || hex.EncodeToString(sum[:]) != e.SHA256 || len(f.Body) != e.Bytes || f.Kind != "application/octet-stream" {
			t.Errorf("%s: %d bytes of kind %q under another hash", plain, len(f.Body), f.Kind)
		}
		if _, builtIn := browser.Lookup(e.File); builtIn {
			t.Errorf("%s is the development key's", plain)
		}
	}
}

// The development key laid out anew is the one that is embedded.
func TestKeySetOfTheDevelopmentKey(t *testing.T) {
	t.Parallel()
	p, err := prover.Development()
	if err != nil {
		t.Fatal(err)
	}
	_, key := p.Parts()
	var proving bytes.Buffer
	if _, err := key.WriteTo(&proving); err != nil {
		t.Fatal(err)
	}
	set, err := browser.NewKeySet(proving.Bytes(), verifier.Development().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	l := listOf(t, set)
	for _, f := range browser.Files() {
		if e, ok := l.Files[f.Name]; ok && browser.Base+e.File != f.Address {
			t.Errorf("%s is %s, and %s is embedded", f.Name, e.File, f.Address)
		}
	}
}

// basesA is where the bases of A begin in a proving key: behind the domain, α, β and
// δ, and their number.
const basesA = 8 + 5*32 + 1 + 3*32 + 4

func TestKeySetRefuses(t *testing.T) {
	t.Parallel()
	proving, verifying := ceremonyKeys()
	others, _ := newKeys()
	change := func(f func(*groth16.ProvingKey), write func(*groth16.ProvingKey, io.Writer) (int64, error)) []byte {
		pk := new(groth16.ProvingKey)
		if _, err := pk.UnsafeReadFrom(bytes.NewReader(proving)); err != nil {
			t.Fatal(err)
		}
		f(pk)
		var out bytes.Buffer
		if _, err := write(pk, &out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, tc := range map[string]struct {
		proving, verifying []byte
		word               string
	}{
		"no proving key":            {nil, verifying, "proving key"},
		"a proving key cut short":   {proving[:len(proving)/2], verifying, "proving key"},
		"bytes behind it":           {slices.Concat(proving, []byte{0}), verifying, "follow its end"},
		"no verifying key":          {proving, nil, "verifying key"},
		"another ceremony's key":    {others, verifying, "one ceremony"},
		"the development key's own": {proving, verifier.Development().Bytes(), "one ceremony"},
		"another δ on G1":           {change(func(k *groth16.ProvingKey) { k.G1.Delta = k.G1.Alpha }, (*groth16.ProvingKey).WriteTo), verifying, "one ceremony"},
		"another δ on G2":           {change(func(k *groth16.ProvingKey) { k.G2.Delta = k.G2.Beta }, (*groth16.ProvingKey).WriteTo), verifying, "one ceremony"},
		"points off the curve":      {slices.Concat(proving[:basesA], offCurve(32)(slices.Clone(proving[basesA:]))), verifying, "proving key"},
		"a point in full":           {change(func(k *groth16.ProvingKey) { k.G1.A[7].Y = k.G1.A[7].X }, (*groth16.ProvingKey).WriteRawTo), verifying, "not compressed"},
		"one base for another":      {change(func(k *groth16.ProvingKey) { k.G1.K[0], k.G1.K[1] = k.G1.K[1], k.G1.K[0] }, (*groth16.ProvingKey).WriteTo), verifying, "does not hold"},
	} {
		if _, err := browser.NewKeySet(tc.proving, tc.verifying); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, tc.word)
		}
	}
}

// The list says why there is nothing to list; all else is answered as before.
func TestKeysHandler(t *testing.T) {
	t.Parallel()
	proving, verifying := ceremonyKeys()
	keys := browser.StartKeys(verifying, func() ([]byte, error) { return proving, nil })
	h := keys.Handler(browser.Handler(nil))
	set, err := keys.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]struct {
		status int
		cache  string
	}{
		"key.json":                                     {200, "no-cache"},
		listOf(t, set).Files["small.bin"].File:         {200, "public, max-age=31536000, immutable"},
		browser.Files()[0].Address[len(browser.Base):]: {200, "public, max-age=31536000, immutable"},
		"small.bin":                                    {404, ""},
		"small.0123456789abcdef.bin":                   {404, ""},
	} {
		if got := answer(h, browser.Base+address); got.StatusCode != want.status || got.Header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d, kept %q", address, got.StatusCode, got.Header.Get("Cache-Control"))
		}
	}
	none := browser.StartKeys(verifying, func() ([]byte, error) { return nil, errors.New("no proving key") }).Handler(browser.Handler(nil))
	if got := answer(none, "/prover/key.json"); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("no key: %d", got.StatusCode)
	}
	if got := answer(none, browser.Files()[0].Address); got.StatusCode != 200 {
		t.Errorf("the built-in files without a key: %d", got.StatusCode)
	}
}

// shop serves the prover below several bases, each with a key of its own.
type shop struct {
	t     *testing.T
	cases map[string]http.Handler
	body  []byte       // what is served as pinned
	rest  http.Handler // the prover without a key of its own; nil: without gnark's
}

func (s *shop) others() http.Handler {
	if s.rest != nil {
		return s.rest
	}
	return browser.Handler(nil)
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/case/"), "/")
	r.URL.Path = browser.Base + file
	h, ok := s.cases[name]
	if !ok {
		h = s.others()
	}
	h.ServeHTTP(w, r)
}

// doctor serves a key set with some files changed and listed anew under their
// hashes, as a hostile node would.
func (s *shop) doctor(name string, set *browser.KeySet, change map[string]func([]byte) []byte, list func(*listed)) {
	l := listOf(s.t, set)
	bodies := map[string][]byte{}
	for plain, e := range l.Files {
		f, _ := set.File(e.File)
		body := f.Body
		if c := change[plain]; c != nil {
			body = c(slices.Clone(body))
		}
		sum := sha256.Sum256(body)
		e.SHA256, e.Bytes = hex.EncodeToString(sum[:]), len(body)
		e.File = strings.TrimSuffix(plain, ".bin") + "." + e.SHA256[:16] + ".bin"
		l.Files[plain] = e
		bodies[e.File] = body
	}
	if list != nil {
		list(&l)
	}
	text, err := json.Marshal(l)
	if err != nil {
		s.t.Fatal(err)
	}
	bodies["key.json"] = text
	s.cases[name] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := bodies[strings.TrimPrefix(r.URL.Path, browser.Base)]; ok {
			w.Write(b) //nolint:errcheck,gosec // the browser has gone
			return
		}
		s.others().ServeHTTP(w, r)
	})
}

// Where single points lie in small.bin.
const (
	smallAlpha  = 0
	smallDelta1 = 2 * 64
	smallDelta2 = 6*64 + 128
)

// deltas writes other δ into small.bin.
func deltas(one *curve.G1Affine, two *curve.G2Affine) func([]byte) []byte {
	return func(b []byte) []byte {
		if one != nil {
			copy(b[smallDelta1:], slices.Concat(wire(one.X), wire(one.Y)))
		}
		if two != nil {
			copy(b[smallDelta2:], slices.Concat(wire(two.X.A0), wire(two.X.A1), wire(two.Y.A0), wire(two.Y.A1)))
		}
		return b
	}
}

// hostile are ways to change a key such that proofs under it could give secrets
// away, or could not be made. Each names its refusal.
func hostile(t *testing.T) map[string]struct {
	code, word string
	change     map[string]func([]byte) []byte
} {
	t.Helper()
	_, _, one, two := curve.Generators()
	var one2 curve.G1Affine
	var two2 curve.G2Affine
	one2.ScalarMultiplication(&one, big.NewInt(12345))
	two2.ScalarMultiplication(&two, big.NewInt(12345))
	small := func(f func([]byte) []byte) map[string]func([]byte) []byte {
		return map[string]func([]byte) []byte{"small.bin": f}
	}
	type hostileKey = struct {
		code, word string
		change     map[string]func([]byte) []byte
	}
	return map[string]hostileKey{
		"δ at infinity":           {"changed", "δ", small(deltas(&curve.G1Affine{}, &curve.G2Affine{}))},
		"δ on G1 at infinity":     {"changed", "δ", small(deltas(&curve.G1Affine{}, nil))},
		"δ on G2 at infinity":     {"changed", "δ", small(deltas(nil, &curve.G2Affine{}))},
		"another δ in both":       {"changed", "δ", small(deltas(&one2, &two2))},
		"another δ on G1":         {"changed", "δ", small(deltas(&one2, nil))},
		"another δ on G2":         {"changed", "δ", small(deltas(nil, &two2))},
		"α off the curve":         {"changed", "alpha is not on the curve", small(func(b []byte) []byte { b[smallAlpha+40] ^= 1; return b })},
		"α as a number above p":   {"changed", "alpha is not on the curve", small(func(b []byte) []byte { b[smallAlpha+31] = 0xff; return b })},
		"a million bases":         {"changed", "bases", small(func(b []byte) []byte { b[6*64+3*128+2] = 15; return b })},
		"a base fewer in a part":  {"", "says", map[string]func([]byte) []byte{"A.bin": func(b []byte) []byte { return b[:len(b)-32] }}},
		"a base off the curve":    {"changed", "not on its curve", map[string]func([]byte) []byte{"A.bin": offCurve(32)}},
		"a base of B2 off it":     {"changed", "not on its curve", map[string]func([]byte) []byte{"B2.bin": offCurve(64)}},
		"the bases of K crossed":  {"", "does not hold", map[string]func([]byte) []byte{"K.bin": func(b []byte) []byte { return slices.Concat(b[32:64], b[:32], b[64:]) }}},
		"B2 outside of its group": {"", "does not hold", map[string]func([]byte) []byte{"B2.bin": outside(t)}},
	}
}

// halves serves keys whose verifying key is itself none of a ceremony, each under
// its own name: with two δ that differ, and with none at all.
func (s *shop) halves(set *browser.KeySet, verifying []byte) map[string]string {
	_, _, one, _ := curve.Generators()
	var other curve.G1Affine
	other.ScalarMultiplication(&one, big.NewInt(12345))
	half := other.Bytes()
	const delta1At, delta2At = 192, 224
	names := map[string]string{}
	for base, change := range map[string]struct{ verifying, small func([]byte) []byte }{
		"halves": {func(b []byte) []byte { return slices.Concat(b[:delta1At], half[:], b[delta1At+32:]) }, deltas(&other, nil)},
		"infinity": {func(b []byte) []byte {
			nothing := append([]byte{0x40}, make([]byte, 31)...)
			return slices.Concat(b[:delta1At], nothing, nothing, make([]byte, 32), b[delta2At+64:])
		}, deltas(&curve.G1Affine{}, &curve.G2Affine{})},
	} {
		name := verifier.HashKey(change.verifying(verifying))
		names[base] = hex.EncodeToString(name[:])
		s.doctor(base, set, map[string]func([]byte) []byte{"verifying.bin": change.verifying, "small.bin": change.small}, func(l *listed) { l.VerifyingKey = names[base] })
	}
	return names
}

// hostilePins: the built-in key is looked at in the same way, pinned or not. Whoever
// made the pins made no other δ.
func hostilePins(t *testing.T, page *browsertest.Page, s *shop) {
	var small []byte
	for _, f := range browser.Files() {
		if f.Name == "small.bin" {
			small = f.Body
		}
	}
	for what, h := range hostile(t) {
		change := h.change["small.bin"]
		if change == nil {
			continue
		}
		s.body = change(slices.Clone(small))
		sum := sha256.Sum256(s.body)
		_, err := browsertest.Try[string](page, "openPinned", "small.bin", "/pinned/"+hex.EncodeToString(sum[:8]), hex.EncodeToString(sum[:]), len(s.body))
		if refusedAs(t, what, h.code, err); err != nil && !strings.Contains(err.Error(), h.word) {
			t.Errorf("%s: %v, want a refusal that says %q", what, err, h.word)
		}
	}
}

func (s *shop) pinned(w http.ResponseWriter, _ *http.Request) {
	w.Write(s.body) //nolint:errcheck,gosec // the browser has gone
}

// offCurve changes x of a compressed point until it is of none; half of all x are.
func offCurve(size int) func([]byte) []byte {
	return func(b []byte) []byte {
		// Every x + i for 64 points in turn: not all can be on the curve.
		for i := range 64 {
			b[i*size+8] ^= byte(i + 1)
		}
		return b
	}
}

// outside puts a point of the twist's curve that is not of order r first.
func outside(t *testing.T) func([]byte) []byte {
	t.Helper()
	var q curve.G2Affine
	for x := uint64(1); ; x++ {
		q.X.A0.SetUint64(x)
		var y curve.E2
		y.Square(&q.X).Mul(&y, &q.X)
		_, _, _, two := curve.Generators()
		var b, t3 curve.E2 // the curve's constant, from a point that is on it
		b.Square(&two.Y)
		t3.Square(&two.X).Mul(&t3, &two.X)
		b.Sub(&b, &t3)
		y.Add(&y, &b)
		if y.Legendre() != 1 {
			continue
		}
		q.Y.Sqrt(&y)
		if q.IsOnCurve() && !q.IsInSubGroup() {
			break
		}
	}
	return func(b []byte) []byte {
		sign := wire(q.Y.A0)[0] & 1 << 7
		first := slices.Concat(wire(q.X.A0), wire(q.X.A1))
		first[31] |= sign
		return slices.Concat(first, b[64:])
	}
}

// A ledger with a key of its own gets proofs under it, and no proof where its node
// offers anything else.
func TestLedgerKey(t *testing.T) {
	proving, verifying := ceremonyKeys()
	set := keySet(t)
	name := hex.EncodeToString(set.Hash[:])
	s := &shop{t: t, cases: map[string]http.Handler{
		"good": browser.StartKeys(verifying, func() ([]byte, error) { return proving, nil }).Handler(browser.Handler(nil)),
		"none": browser.StartKeys(verifying, func() ([]byte, error) { return nil, errors.New("the proving key is not here") }).Handler(browser.Handler(nil)),
	}}
	otherProving, otherVerifying := newKeys()
	other, err := browser.NewKeySet(otherProving, otherVerifying)
	if err != nil {
		t.Fatal(err)
	}
	s.doctor("another", other, nil, nil)
	s.doctor("renamed", other, nil, func(l *listed) { l.VerifyingKey = name })
	s.doctor("elsewhere", set, nil, func(l *listed) {
		e := l.Files["A.bin"]
		e.File = "../prover/" + e.File
		l.Files["A.bin"] = e
	})
	s.doctor("short list", set, nil, func(l *listed) { delete(l.Files, "Z.bin") })
	s.doctor("spoilt", set, nil, func(l *listed) {
		e := l.Files["K.bin"]
		e.SHA256 = strings.Repeat("0", 64)
		l.Files["K.bin"] = e
	})
	s.cases["no list"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, browser.KeyList) {
			w.Write([]byte("<!doctype html>")) //nolint:errcheck,gosec // the browser has gone
			return
		}
		browser.Handler(nil).ServeHTTP(w, r)
	})
	for what, h := range hostile(t) {
		s.doctor(what, set, h.change, nil)
	}
	halves := s.halves(set, verifying)
	page := browsertest.Open(t, "circuits/browser/testdata/prover.ts", browsertest.Handlers{"/case/": s, "/pinned/": http.HandlerFunc(s.pinned), browser.Base: browser.Handler(nil)})

	t.Run("proofs", func(t *testing.T) { ledgerProofs(t, page, name, verifying) })
	t.Run("refused", func(t *testing.T) {
		for base, want := range map[string]string{
			"absent": "unsupported: this node does not hold", "none": "unsupported: this node does not hold", "another": "changed: the node offers the files of the key",
			"renamed": "changed: the node offers the verifying key", "elsewhere": "changed: key.json: A.bin", "short list": "changed: key.json: Z.bin",
			"spoilt": "changed: ", "no list": "changed: key.json",
		} {
			_, err := browsertest.Try[string](page, "openKey", "/case/"+base+"/", name, 2, true)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %q", base, err, want)
			}
		}
		_, err := browsertest.Try[string](page, "openKey", "/case/none/", name, 2, true)
		if err == nil || !strings.Contains(err.Error(), "the proving key is not here") {
			t.Errorf("the node's reason is not told: %v", err)
		}
		_, err = browsertest.Try[string](page, "openKey", "/case/good/", name[:63], 2, true)
		refusedAs(t, "half a name", "internal", err)
	})
	t.Run("hostile", func(t *testing.T) { hostileKeys(t, page, name) })
	t.Run("pinned", func(t *testing.T) { hostilePins(t, page, s) })
	t.Run("a forger's verifying key", func(t *testing.T) {
		for base, word := range map[string]string{"halves": "differs between the groups", "infinity": "verifying key"} {
			if _, err := browsertest.Try[string](page, "openKey", "/case/"+base+"/", halves[base], 2, true); err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v, want a refusal that says %q", base, err, word)
			}
		}
	})
	t.Run("the development key", func(t *testing.T) {
		builtIn := verifier.Development().Hash()
		if kind := browsertest.Call[string](t, page, "openKey", "/case/absent/", hex.EncodeToString(builtIn[:]), 2, true); kind != "kernel" {
			t.Errorf("opened %q", kind)
		}
	})
}

// ledgerProofs has proofs of one to four workers verified under the ledger's key;
// under the development key none holds.
func ledgerProofs(t *testing.T, page *browsertest.Page, name string, verifying []byte) {
	key, err := verifier.ParseKey(verifying)
	if err != nil {
		t.Fatal(err)
	}
	for workers := 1; workers <= 4; workers++ {
		if kind := browsertest.Call[string](t, page, "openKey", "/case/good/", name, workers, true); kind != "kernel" {
			t.Fatalf("opened %q", kind)
		}
		provesUnder(t, page, key)
	}
}

func provesUnder(t *testing.T, page *browsertest.Page, key *verifier.Key) {
	t.Helper()
	w, p, _ := someone(t, 9, 2)
	w.Statement.Message = field.Hash("message", nil)
	got := browsertest.Call[[][]string](t, page, "prove", []request{{p, []string{decimal(w.Statement.Message)}}})[0][0]
	b, err := hex.DecodeString(got)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := verifier.ParseProof(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Verify(proof, w.Statement); err != nil {
		t.Errorf("under the ledger's key: %v", err)
	}
	if verifier.Development().Verify(proof, w.Statement) == nil {
		t.Error("the proof holds under the development key")
	}
	if !browsertest.Call[[]bool](t, page, "verdicts", []verdict{{got, p, decimal(w.Statement.Message)}})[0] {
		t.Error("the page refuses its own proof")
	}
}

// hostileKeys: a key that could give secrets away is refused when it is loaded, and
// one that cannot prove makes no proof.
func hostileKeys(t *testing.T, page *browsertest.Page, name string) {
	_, w, _ := someone(t, 9, 2)
	for what, h := range hostile(t) {
		_, err := browsertest.Try[string](page, "openKey", "/case/"+what+"/", name, 2, true)
		if h.code != "" {
			refusedAs(t, what, h.code, err)
		} else if err == nil {
			_, err = browsertest.Try[[][]string](page, "prove", []request{{w, []string{"5"}}})
		}
		if err == nil || !strings.Contains(err.Error(), h.word) {
			t.Errorf("%s: %v, want a refusal that says %q", what, err, h.word)
		}
	}
}

// gnark's prover takes the ledger's key too, and refuses what does not belong to it.
func TestLedgerKeyWithoutVectors(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute where Go's cache is cold")
	}
	_, verifying := ceremonyKeys()
	key, err := verifier.ParseKey(verifying)
	if err != nil {
		t.Fatal(err)
	}
	set := keySet(t)
	name := hex.EncodeToString(set.Hash[:])
	otherProving, _ := newKeys()
	rest := browser.Handler(browser.NewGnark(t.TempDir()))
	s := &shop{t: t, cases: map[string]http.Handler{}, rest: rest}
	s.doctor("good", set, nil, nil)
	s.doctor("another", set, map[string]func([]byte) []byte{"proving.bin": func([]byte) []byte { return otherProving }}, nil)
	page := browsertest.Open(t, "circuits/browser/testdata/prover.ts", browsertest.Handlers{"/case/": s, browser.Base: rest})
	if kind := browsertest.Call[string](t, page, "openKey", "/case/good/", name, 1, false); kind != "gnark" {
		t.Fatalf("opened %q", kind)
	}
	provesUnder(t, page, key)
	if _, err := browsertest.Try[string](page, "openKey", "/case/another/", name, 1, false); err == nil || !strings.Contains(err.Error(), "one ceremony") {
		t.Errorf("another ceremony's proving key: %v", err)
	}
	builtIn := verifier.Development().Hash()
	if kind := browsertest.Call[string](t, page, "openKey", "/case/good/", hex.EncodeToString(builtIn[:]), 1, false); kind != "gnark" {
		t.Errorf("opened %q", kind)
	}
}
