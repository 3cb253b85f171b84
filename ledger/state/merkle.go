package state

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"sort"

	"github.com/trialith/trialith/ledger/wire"
)

// The Merkle map commits to a set of (key, value) pairs.
//
// Its paths are hashed keys, so an honest set of n pairs has depth about log2 n:
//
//	path(key)        = H("map key", key)
//	leaf(key, value) = H("map leaf", path(key), H("map value", value))
//	node(l, r)       = H("map node", l, r)
//
// A subtree without a pair is 32 zero bytes, one with a single pair is its
// leaf, at whatever depth, and any other is the node of its two halves; the
// bit of the path at depth d, most significant first, chooses the half.

const maxDepth = 8 * wire.Size

// Nodes keeps the inner nodes of a map. Memory and Overlay are such stores.
type Nodes interface {
	Get(key []byte) ([]byte, bool)
	Set(key, value []byte)
	Delete(key []byte)
}

// Map is a Merkle map over a node store. An update reads and writes only the
// nodes between the root and the keys that change.
type Map struct{ nodes Nodes }

// NewMap opens the map kept in nodes; an empty store is the empty map.
func NewMap(nodes Nodes) Map { return Map{nodes: nodes} }

// Root returns the hash that commits to the map; zero when it is empty.
func (m Map) Root() wire.Hash { return m.top().hash() }

// Update applies writes, each key at most once, and returns the new root.
func (m Map) Update(writes []Write) wire.Hash {
	changes := make([]change, len(writes))
	for i, w := range writes {
		changes[i] = change{path: pathOf(w.Key), gone: w.Delete}
		if !w.Delete {
			changes[i].value = valueHash(w.Value)
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return bytes.Compare(a.path[:], b.path[:]) })
	top := m.apply(0, m.top(), changes)
	if top.kind == none {
		m.nodes.Delete(topKey)
	} else {
		m.nodes.Set(topKey, top.encode(nil))
	}
	return top.hash()
}

// Digest computes the root over all pairs of a view, without a node store.
func Digest(v View) wire.Hash {
	var leaves []child
	v.Scan(nil, func(key, value []byte) bool {
		leaves = append(leaves, child{kind: leaf, a: pathOf(key), b: valueHash(value)})
		return true
	})
	slices.SortFunc(leaves, func(x, y child) int { return bytes.Compare(x.a[:], y.a[:]) })
	return Map{nodes: discard{}}.build(0, leaves).hash()
}

type change struct {
	path, value wire.Hash
	gone        bool
}

const (
	none = iota
	leaf
	node
)

// child is what hangs below a node: nothing, a leaf (a its path, b the hash of
// its value), or a node (a its hash).
type child struct {
	kind uint8
	a, b wire.Hash
}

func (c child) hash() wire.Hash {
	switch c.kind {
	case leaf:
		return leafHash(c.a, c.b)
	case node:
		return c.a
	default:
		return wire.Hash{}
	}
}

func (m Map) top() child {
	b, ok := m.nodes.Get(topKey)
	if !ok {
		return child{}
	}
	c, rest := decodeChild(b)
	if len(rest) != 0 {
		panic(fmt.Sprintf("state: map root record has %d bytes too many", len(rest)))
	}
	return c
}

// apply changes the subtree c at the given depth.
func (m Map) apply(depth int, c child, changes []change) child {
	if len(changes) == 0 {
		return c
	}
	if c.kind != node {
		return m.build(depth, merge(c, changes))
	}
	key := nodeKey(depth, changes[0].path)
	l, r := m.load(key)
	cut := sort.Search(len(changes), func(i int) bool { return bit(changes[i].path, depth) == 1 })
	l = m.apply(depth+1, l, changes[:cut])
	r = m.apply(depth+1, r, changes[cut:])
	switch {
	case l.kind == none && r.kind != node:
		m.nodes.Delete(key)
		return r
	case r.kind == none && l.kind != node:
		m.nodes.Delete(key)
		return l
	}
	return m.save(key, l, r)
}

// merge returns the leaves after the changes, sorted, of a subtree that had at most one.
func merge(c child, changes []change) []child {
	leaves := make([]child, 0, len(changes)+1)
	for _, ch := range changes {
		if c.kind == leaf && bytes.Compare(c.a[:], ch.path[:]) <= 0 {
			if c.a != ch.path {
				leaves = append(leaves, c)
			}
			c = child{}
		}
		if !ch.gone {
			leaves = append(leaves, child{kind: leaf, a: ch.path, b: ch.value})
		}
	}
	if c.kind == leaf {
		leaves = append(leaves, c)
	}
	return leaves
}

// build makes a new subtree of sorted leaves.
func (m Map) build(depth int, leaves []child) child {
	switch len(leaves) {
	case 0:
		return child{}
	case 1:
		return leaves[0]
	}
	cut := sort.Search(len(leaves), func(i int) bool { return bit(leaves[i].a, depth) == 1 })
	l := m.build(depth+1, leaves[:cut])
	r := m.build(depth+1, leaves[cut:])
	return m.save(nodeKey(depth, leaves[0].a), l, r)
}

func (m Map) save(key []byte, l, r child) child {
	m.nodes.Set(key, r.encode(l.encode(make([]byte, 0, 2*(1+2*wire.Size)))))
	return child{kind: node, a: nodeHash(l.hash(), r.hash())}
}

func (m Map) load(key []byte) (l, r child) {
	b, ok := m.nodes.Get(key)
	if !ok {
		panic(fmt.Sprintf("state: map node %x is missing", key))
	}
	l, b = decodeChild(b)
	r, b = decodeChild(b)
	if len(b) != 0 {
		panic(fmt.Sprintf("state: map node %x has %d bytes too many", key, len(b)))
	}
	return l, r
}

func (c child) encode(b []byte) []byte {
	b = append(b, c.kind)
	switch c.kind {
	case leaf:
		return append(append(b, c.a[:]...), c.b[:]...)
	case node:
		return append(b, c.a[:]...)
	}
	return b
}

func decodeChild(b []byte) (child, []byte) {
	sizes := [...]int{none: 0, leaf: 2 * wire.Size, node: wire.Size}
	if len(b) == 0 || int(b[0]) >= len(sizes) || len(b) < 1+sizes[b[0]] {
		panic(fmt.Sprintf("state: map record %x is damaged", b))
	}
	c := child{kind: b[0]}
	b = b[1:]
	switch c.kind {
	case leaf:
		copy(c.a[:], b)
		copy(c.b[:], b[wire.Size:])
	case node:
		copy(c.a[:], b)
	}
	return c, b[sizes[c.kind]:]
}

// topKey holds the root; it is shorter than every nodeKey.
var topKey = []byte{}

// nodeKey names the node at a depth by the bits of the path above it.
func nodeKey(depth int, path wire.Hash) []byte {
	n := (depth + 7) / 8
	k := append(make([]byte, 0, 1+n), byte(depth))
	k = append(k, path[:n]...)
	if spare := 8*n - depth; spare > 0 {
		k[n] &= 0xff << spare
	}
	return k
}

func bit(path wire.Hash, depth int) byte { return path[depth/8] >> (7 - depth%8) & 1 }

func pathOf(key []byte) wire.Hash      { return wire.SumBytes("map key", key) }
func valueHash(value []byte) wire.Hash { return wire.SumBytes("map value", value) }
func leafHash(path, value wire.Hash) wire.Hash {
	return pairHash("trialith/v1/map leaf\x00", path, value)
}
func nodeHash(l, r wire.Hash) wire.Hash { return pairHash("trialith/v1/map node\x00", l, r) }

// pairHash is wire.Sum of two hashes without its reflection: the map spends
// most of its time here.
func pairHash(domain string, a, b wire.Hash) wire.Hash {
	var buf [128]byte
	s := append(buf[:0], domain...)
	s = append(s, 0x82, 0x58, wire.Size)
	s = append(s, a[:]...)
	s = append(s, 0x58, wire.Size)
	s = append(s, b[:]...)
	return sha256.Sum256(s)
}

// discard is a node store for a root that is computed once.
type discard struct{}

func (discard) Get([]byte) ([]byte, bool) { return nil, false }
func (discard) Set(_, _ []byte)           {}
func (discard) Delete([]byte)             {}
