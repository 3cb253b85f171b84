// Package tree keeps the sets that people prove membership of: an 8-ary Merkle
// tree of fixed depth over a store of nodes.
//
// A leaf of zero is an empty place; the value of an empty subtree depends on its
// level alone ([Empty]). A tree is a pure function of its leaves and their
// places, so that every node of the ledger and every device compute one root.
package tree

import (
	"fmt"
	"slices"

	"github.com/trialith/trialith/circuits/field"
)

const (
	// Arity is the number of children of a node.
	Arity = field.Arity
	// Depth is the default depth, with places for 2^21 leaves.
	Depth = 7
	// DeepDepth is the depth of the large circuit, with places for 2^33 leaves.
	DeepDepth = 11
)

// Nodes stores the nodes of one tree; level 0 holds the leaves. Siblings are
// always read together.
type Nodes interface {
	// Children returns the nodes of a level below one parent, with [Empty] in
	// the place of each that was never set.
	Children(level int, parent uint64) [Arity]field.Element
	// SetNode must be seen by the next Children.
	SetNode(level int, index uint64, e field.Element)
}

// Path holds, for each level from the leaves up, all children of the node passed.
// The proof shows that the node below is one of them, and not which.
type Path [][Arity]field.Element

// Tree is a tree over a store. It is not safe for concurrent use unless the
// store is and nobody writes.
type Tree struct {
	depth int
	nodes Nodes
}

// New returns the tree of the given depth, 1 to [DeepDepth], over nodes. The
// depth is a constant of the caller: any other value panics.
func New(depth int, nodes Nodes) *Tree {
	if depth < 1 || depth > DeepDepth {
		panic(fmt.Sprintf("tree: depth %d, want 1 to %d", depth, DeepDepth))
	}
	return &Tree{depth: depth, nodes: nodes}
}

// Build returns a tree in memory with the leaves at places 0, 1, 2 and so on. It
// hashes each node once; a device builds from all leaves of a trial, so that
// nobody learns which path it asks for.
func Build(depth int, leaves []field.Element) (*Tree, error) {
	t := New(depth, NewMemory())
	if uint64(len(leaves)) > t.Capacity() {
		return nil, fmt.Errorf("tree: %d leaves, and depth %d has %d places", len(leaves), depth, t.Capacity())
	}
	for i, leaf := range leaves {
		t.nodes.SetNode(0, uint64(i), leaf)
	}
	t.rehash(0, uint64(len(leaves)))
	return t, nil
}

// Capacity is the number of places for leaves.
func (t *Tree) Capacity() uint64 { return 1 << (3 * t.depth) }

// Set writes a leaf at a place; the zero element empties the place.
func (t *Tree) Set(index uint64, leaf field.Element) error {
	if index >= t.Capacity() {
		return fmt.Errorf("tree: place %d, and depth %d has %d", index, t.depth, t.Capacity())
	}
	t.nodes.SetNode(0, index, leaf)
	t.rehash(index, index+1)
	return nil
}

// Rehash brings the nodes above the leaves at places first to end−1 up to date,
// each hashed once, after leaves were written to the store itself.
func (t *Tree) Rehash(first, end uint64) error {
	if first > end || end > t.Capacity() {
		return fmt.Errorf("tree: places %d to %d, and depth %d has %d", first, end, t.depth, t.Capacity())
	}
	t.rehash(first, end)
	return nil
}

// Leaf returns the leaf at a place, zero where it is empty.
func (t *Tree) Leaf(index uint64) field.Element { return t.node(0, index) }

// Root returns the root.
func (t *Tree) Root() field.Element { return t.node(t.depth, 0) }

// Path returns the children of every node between a place and the root.
func (t *Tree) Path(index uint64) (Path, error) {
	if index >= t.Capacity() {
		return nil, fmt.Errorf("tree: place %d, and depth %d has %d", index, t.depth, t.Capacity())
	}
	p := make(Path, t.depth)
	for level := range p {
		index /= Arity
		p[level] = t.nodes.Children(level, index)
	}
	return p, nil
}

// Root returns the root that the path leads to.
func (p Path) Root() field.Element {
	if len(p) == 0 {
		return field.Element{}
	}
	return field.Node(&p[len(p)-1])
}

// Holds reports whether leaf is among the lowest children and each level's node
// among the children of the next: what the circuit asks.
func (p Path) Holds(leaf field.Element) bool {
	current := leaf
	for i := range p {
		if !slices.Contains(p[i][:], current) {
			return false
		}
		current = field.Node(&p[i])
	}
	return len(p) > 0
}

// OwnLeaf returns the path of a leaf that stands alone, at place 0.
func OwnLeaf(depth int, leaf field.Element) Path {
	p := make(Path, depth)
	current := leaf
	for level := range p {
		for i := 1; i < Arity; i++ {
			p[level][i] = Empty(level)
		}
		p[level][0] = current
		current = field.Node(&p[level])
	}
	return p
}

// OwnLeafRoot returns the root of the tree that holds one leaf alone, at place 0.
// Anybody can compute it from the public leaf.
func OwnLeafRoot(depth int, leaf field.Element) field.Element {
	return OwnLeaf(depth, leaf).Root()
}

// Empty returns the value of a node at the given level, 0 to [DeepDepth], whose
// leaves are all empty.
func Empty(level int) field.Element { return empty[level] }

var empty = emptyLevels()

func emptyLevels() (levels [DeepDepth + 1]field.Element) {
	for i := 1; i < len(levels); i++ {
		var children [Arity]field.Element
		for j := range children {
			children[j] = levels[i-1]
		}
		levels[i] = field.Node(&children)
	}
	return levels
}

func (t *Tree) rehash(first, end uint64) {
	for level := 1; level <= t.depth && first < end; level++ {
		first, end = first/Arity, (end+Arity-1)/Arity
		for i := first; i < end; i++ {
			children := t.nodes.Children(level-1, i)
			t.nodes.SetNode(level, i, node(level, &children))
		}
	}
}

func (t *Tree) node(level int, index uint64) field.Element {
	return t.nodes.Children(level, index/Arity)[index%Arity]
}

// node spares the permutation where all children are empty.
func node(level int, children *[Arity]field.Element) field.Element {
	for i := range children {
		if children[i] != empty[level-1] {
			return field.Node(children)
		}
	}
	return empty[level]
}
