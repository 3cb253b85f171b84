package state

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trialith/trialith/ledger/wire"
)

// naive computes the root from the definition: no node store, no sorting.
func naive(pairs map[string]string) wire.Hash {
	leaves := map[[32]byte]string{}
	for k, v := range pairs {
		leaves[sum("map key", cborBytes(k))] = v
	}
	return naiveNode(leaves, "")
}

func naiveNode(leaves map[[32]byte]string, prefix string) wire.Hash {
	in := map[[32]byte]string{}
	for p, v := range leaves {
		if strings.HasPrefix(bits(p), prefix) {
			in[p] = v
		}
	}
	switch len(in) {
	case 0:
		return wire.Hash{}
	case 1:
		for p, v := range in {
			value := sum("map value", cborBytes(v))
			return sum("map leaf", cborBytes(string(p[:])), cborBytes(string(value[:])))
		}
	}
	l, r := naiveNode(in, prefix+"0"), naiveNode(in, prefix+"1")
	return sum("map node", cborBytes(string(l[:])), cborBytes(string(r[:])))
}

func bits(p [32]byte) string {
	var b strings.Builder
	for _, x := range p {
		fmt.Fprintf(&b, "%08b", x)
	}
	return b.String()
}

// sum is H(tag, x…) of encoded arguments, without package wire.
func sum(tag string, xs ...string) [32]byte {
	return sha256.Sum256([]byte("trialith/v1/" + tag + "\x00" + string([]byte{0x80 + byte(len(xs))}) + strings.Join(xs, "")))
}

func cborBytes(s string) string {
	if len(s) < 24 {
		return string([]byte{0x40 + byte(len(s))}) + s
	}
	return string([]byte{0x58, byte(len(s))}) + s
}

// smallKeys makes collisions, deletions of the absent and overwrites likely.
var smallKeys = rapid.StringMatching(`[ab]{0,5}`)

func genWrites(t *rapid.T) []Write {
	set := rapid.MapOf(smallKeys, rapid.StringMatching(`[xy]{0,3}|-`)).Draw(t, "writes")
	var out []Write
	for _, k := range slices.Sorted(maps.Keys(set)) {
		out = append(out, Write{Key: []byte(k), Value: []byte(set[k]), Delete: set[k] == "-"})
	}
	return out
}

func apply(pairs map[string]string, ws []Write) {
	for _, w := range ws {
		if w.Delete {
			delete(pairs, string(w.Key))
		} else {
			pairs[string(w.Key)] = string(w.Value)
		}
	}
}

func TestMapAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var nodes, kept Memory
		m := NewMap(&nodes)
		pairs := map[string]string{}
		for range rapid.IntRange(1, 6).Draw(t, "blocks") {
			ws := genWrites(t)
			apply(pairs, ws)
			for _, w := range ws {
				if w.Delete {
					kept.Delete(w.Key)
				} else {
					kept.Set(w.Key, w.Value)
				}
			}
			got, want := m.Update(ws), naive(pairs)
			if got != want || m.Root() != want {
				t.Fatalf("root %v, stored %v, naive %v, of %v", got, m.Root(), want, pairs)
			}
			if d := Digest(&kept); d != want {
				t.Fatalf("digest %v, naive %v", d, want)
			}
		}
		if len(pairs) < 2 && nodes.Len() > 1 {
			t.Fatalf("%d nodes are left for %d pairs", nodes.Len(), len(pairs))
		}
	})
}

func TestMapProofs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var nodes Memory
		m := NewMap(&nodes)
		pairs := map[string]string{}
		ws := genWrites(t)
		apply(pairs, ws)
		root := m.Update(ws)
		key := smallKeys.Draw(t, "key")
		p := m.Prove([]byte(key))
		value, present := pairs[key]
		if err := p.Present(root, []byte(key), []byte(value)); (err == nil) != present {
			t.Fatalf("presence of %q: %v", key, err)
		}
		if err := p.Absent(root, []byte(key)); (err == nil) == present {
			t.Fatalf("absence of %q: %v", key, err)
		}
		if p.Present(root, []byte(key), []byte(value+"!")) == nil {
			t.Fatal("another value was proven")
		}
		if len(p.Siblings) == 0 {
			return
		}
		// Whatever bit of the proof is changed, it proves nothing.
		bad := rapid.IntRange(0, len(p.Siblings)-1).Draw(t, "sibling")
		p.Siblings = slices.Clone(p.Siblings)
		p.Siblings[bad][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if p.Present(root, []byte(key), []byte(value)) == nil || p.Absent(root, []byte(key)) == nil {
			t.Fatal("a changed proof was taken")
		}
	})
}

func TestAbsenceNeedsALeafOnThePath(t *testing.T) {
	t.Parallel()
	var nodes Memory
	m := NewMap(&nodes)
	var ws []Write
	for i := range 64 {
		ws = append(ws, Write{Key: fmt.Appendf(nil, "k%d", i), Value: []byte("v")})
	}
	root := m.Update(ws)
	key := []byte("k7")
	p := m.Prove(key)
	// A liar says that another leaf stands at the place of k7.
	p.Other = []Leaf{{Path: pathOf([]byte("k8")), Value: valueHash([]byte("v"))}}
	if p.Absent(root, key) == nil {
		t.Error("a present key was proven absent by another's leaf")
	}
	other := m.Prove([]byte("k8"))
	other.Other = []Leaf{{Path: pathOf([]byte("k8")), Value: valueHash([]byte("v"))}}
	if other.Absent(root, key) == nil {
		t.Error("a present key was proven absent by another's proof")
	}
	p = m.Prove(key)
	p.Other = []Leaf{{Path: pathOf(key), Value: valueHash([]byte("v"))}}
	if p.Absent(root, key) == nil {
		t.Error("a present key was proven absent by its own leaf")
	}
}

// A map that holds a leaf off its own path was not made by these rules, and
// proves nothing absent.
func TestAbsenceByALeafOffItsPath(t *testing.T) {
	t.Parallel()
	key := []byte("key")
	path := pathOf(key)
	for _, flip := range []byte{0x80, 0x01} { // the first bit, and one below the siblings
		other := Leaf{Path: path, Value: wire.Sum("v")}
		other.Path[0] ^= flip
		p := Proof{Siblings: []wire.Hash{wire.Sum("sibling")}, Other: []Leaf{other}}
		l, r := leafHash(other.Path, other.Value), p.Siblings[0]
		if bit(path, 0) == 1 {
			l, r = r, l
		}
		if err := p.Absent(nodeHash(l, r), key); (err == nil) != (flip == 0x01) {
			t.Errorf("bit %#x: %v", flip, err)
		}
	}
}

func TestMapHashesAreSums(t *testing.T) {
	t.Parallel()
	a, b := wire.Sum("a"), wire.Sum("b")
	if nodeHash(a, b) != wire.Sum("map node", a, b) || leafHash(a, b) != wire.Sum("map leaf", a, b) {
		t.Error("the quick hash is not wire.Sum")
	}
}

func TestOverlayAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var base Memory
		pairs := map[string]string{}
		ws := genWrites(t)
		apply(pairs, ws)
		for k, v := range pairs {
			base.Set([]byte(k), []byte(v))
		}
		outer := NewOverlay(&base)
		o := NewOverlay(outer)
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			ws := genWrites(t)
			apply(pairs, ws)
			for _, w := range ws {
				if w.Delete {
					o.Delete(w.Key)
				} else {
					o.Set(w.Key, w.Value)
				}
			}
			compare(t, o, pairs)
			if rapid.Bool().Draw(t, "commit") {
				o.Commit(outer)
				compare(t, outer, pairs)
			}
		}
		o.Commit(outer)
		outer.Commit(&base)
		compare(t, &base, pairs)
		if len(outer.Writes()) != 0 || base.Len() != len(pairs) {
			t.Fatalf("%d writes left, %d of %d pairs", len(outer.Writes()), base.Len(), len(pairs))
		}
	})
}

func compare(t *rapid.T, v View, pairs map[string]string) {
	for _, prefix := range []string{"", "a", "b", "ab", "c"} {
		var got, want []string
		v.Scan([]byte(prefix), func(k, x []byte) bool {
			got = append(got, string(k)+"="+string(x))
			return true
		})
		for _, k := range slices.Sorted(maps.Keys(pairs)) {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k+"="+pairs[k])
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("scan %q: %q, want %q", prefix, got, want)
		}
		n := 0
		v.Scan([]byte(prefix), func(_, _ []byte) bool { n++; return n < 2 })
		if n != min(2, len(want)) {
			t.Fatalf("scan %q: told to stop at 2 of %d, went to %d", prefix, len(want), n)
		}
	}
	for k, x := range pairs {
		if got, ok := v.Get([]byte(k)); !ok || string(got) != x {
			t.Fatalf("get %q: %q %v, want %q", k, got, ok, x)
		}
	}
	if _, ok := v.Get([]byte("never")); ok {
		t.Fatal("found what was never set")
	}
}

func TestScanWhileWriting(t *testing.T) {
	t.Parallel()
	var base Memory
	for _, k := range []string{"a", "c", "e", "g"} {
		base.Set([]byte(k), []byte("1"))
	}
	o := NewOverlay(&base)
	o.Set([]byte("b"), []byte("1"))
	var got []string
	o.Scan(nil, func(k, _ []byte) bool {
		got = append(got, string(k))
		o.Delete(k)
		o.Delete([]byte("e"))
		o.Set([]byte("f"), nil)
		o.Set([]byte("a0"), nil) // behind when b comes
		return len(got) < 20
	})
	if want := []string{"a", "a0", "b", "c", "f", "g"}; !slices.Equal(got, want) {
		t.Errorf("scanned %q, want %q", got, want)
	}
}

func TestManyKeys(t *testing.T) {
	t.Parallel()
	var m Memory
	const n = 5000
	for i := range n {
		m.Set(fmt.Appendf(nil, "%08d", i*7919%n), []byte{byte(i)})
	}
	var last []byte
	count := 0
	m.Scan(nil, func(k, _ []byte) bool {
		if bytes.Compare(last, k) >= 0 {
			t.Fatalf("%q after %q", k, last)
		}
		last = k
		count++
		return true
	})
	if count != n || m.Len() != n {
		t.Errorf("%d keys scanned, %d counted, want %d", count, m.Len(), n)
	}
	for i := range n {
		m.Delete(fmt.Appendf(nil, "%08d", i))
	}
	if m.Len() != 0 || len(m.t.chunks) != 0 {
		t.Errorf("%d keys are left", m.Len())
	}
}

// BenchmarkUpdate is a block of 50 writes over 100,000 keys.
func BenchmarkUpdate(b *testing.B) {
	var nodes Memory
	m := NewMap(&nodes)
	ws := make([]Write, 100_000)
	for i := range ws {
		ws[i] = Write{Key: fmt.Appendf(nil, "key/%d", i), Value: []byte("value")}
	}
	m.Update(ws)
	for b.Loop() {
		o := NewOverlay(&nodes)
		NewMap(o).Update(ws[1000:1050])
		o.Commit(&nodes)
	}
}

// TestPagesFollowFromTheSet: whatever the order of the changes, the rows are
// those of a map that is made at once; and they are few.
func TestPagesFollowFromTheSet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var nodes Memory
	m := NewMap(&nodes)
	pairs := map[string]string{}
	for block := range 60 {
		written := map[string]Write{}
		for range 1 + r.IntN(80) {
			k := fmt.Sprint(r.IntN(1500))
			written[k] = Write{Key: []byte(k), Value: fmt.Append(nil, block), Delete: r.IntN(3) == 0 || block >= 50}
		}
		var ws []Write
		for _, k := range slices.Sorted(maps.Keys(written)) {
			ws = append(ws, written[k])
		}
		apply(pairs, ws)
		root := m.Update(ws)
		var all []Write
		for _, k := range slices.Sorted(maps.Keys(pairs)) {
			all = append(all, Write{Key: []byte(k), Value: []byte(pairs[k])})
		}
		var built Memory
		if want := NewMap(&built).Update(all); root != want || nodes.Len() != built.Len() {
			t.Fatalf("block %d: root %v with %d rows; made at once %v with %d", block, root, nodes.Len(), want, built.Len())
		}
		nodes.Scan(nil, func(k, v []byte) bool {
			if want, ok := built.Get(k); !ok || !bytes.Equal(v, want) {
				t.Fatalf("block %d: row %x is %x; made at once it is %x", block, k, v, want)
			}
			return true
		})
		if len(pairs) > 100 && nodes.Len() > len(pairs)/2 {
			t.Fatalf("block %d: %d rows for %d pairs", block, nodes.Len(), len(pairs))
		}
	}
}
