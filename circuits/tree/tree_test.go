package tree

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/trialith/trialith/circuits/field"
)

func number(n uint64) (e field.Element) {
	e.SetUint64(n)
	return e
}

// naiveRoot hashes every place of the whole tree, empty ones too.
func naiveRoot(depth int, leaves map[uint64]field.Element) field.Element {
	width := uint64(1)
	for range depth {
		width *= Arity
	}
	level := make([]field.Element, width)
	for i, leaf := range leaves {
		level[i] = leaf
	}
	for len(level) > 1 {
		next := make([]field.Element, len(level)/Arity)
		for i := range next {
			next[i] = field.Node((*[Arity]field.Element)(level[Arity*i:]))
		}
		level = next
	}
	return level[0]
}

// A model of the tree: any order of writes and removals gives the naive root, and
// every leaf's path leads there.
func TestTreeAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(1, 3).Draw(t, "depth")
		tr := New(depth, NewMemory())
		model := make(map[uint64]field.Element)
		for range rapid.IntRange(0, 12).Draw(t, "writes") {
			i := rapid.Uint64Range(0, tr.Capacity()-1).Draw(t, "place")
			leaf := number(rapid.Uint64Range(0, 3).Draw(t, "leaf")) // 0 removes
			if err := tr.Set(i, leaf); err != nil {
				t.Fatal(err)
			}
			model[i] = leaf
		}
		want := naiveRoot(depth, model)
		if tr.Root() != want {
			t.Fatalf("root %v, naively %v", tr.Root(), want)
		}
		for i, leaf := range model {
			path, err := tr.Path(i)
			if err != nil {
				t.Fatal(err)
			}
			if tr.Leaf(i) != leaf || path[0][i%Arity] != leaf || !path.Holds(leaf) || path.Root() != want {
				t.Fatalf("place %d: the path does not lead from the leaf to the root", i)
			}
			if path.Holds(number(99)) {
				t.Fatalf("place %d: the path holds a leaf that was never set", i)
			}
		}
	})
}

func TestRemovalRestoresTheRoot(t *testing.T) {
	t.Parallel()
	memory := NewMemory()
	tr := New(Depth, memory)
	if tr.Root() != Empty(Depth) {
		t.Fatal("the new tree is not the empty one")
	}
	places := []uint64{0, 7, 8, tr.Capacity() - 1}
	for _, i := range places {
		if err := tr.Set(i, number(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	full := tr.Root()
	if err := tr.Set(8, field.Element{}); err != nil {
		t.Fatal(err)
	}
	if tr.Root() == full {
		t.Error("removing a leaf left the root")
	}
	if err := tr.Set(8, number(9)); err != nil || tr.Root() != full {
		t.Errorf("setting it again: %v, root %v, want %v", err, tr.Root(), full)
	}
	for _, i := range places {
		if err := tr.Set(i, field.Element{}); err != nil {
			t.Fatal(err)
		}
	}
	if tr.Root() != Empty(Depth) || len(memory.nodes) != 0 {
		t.Errorf("after removing all: root %v, %d nodes kept", tr.Root(), len(memory.nodes))
	}
}

func TestBuildIsSetInOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, 8, 9, 64, 65, 100} {
		leaves := make([]field.Element, n)
		tr := New(Depth, NewMemory())
		for i := range leaves {
			leaves[i] = number(uint64(i % 5)) // zeros among them
			if err := tr.Set(uint64(i), leaves[i]); err != nil {
				t.Fatal(err)
			}
		}
		built, err := Build(Depth, leaves)
		if err != nil || built.Root() != tr.Root() {
			t.Errorf("%d leaves: %v, root %v, want %v", n, err, built.Root(), tr.Root())
		}
	}
}

// TestRehashIsSetInOrder: leaves written to the store and hashed a run at a time
// give the tree that Set gives one by one.
func TestRehashIsSetInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		memory := NewMemory()
		runs, one := New(3, memory), New(3, NewMemory())
		for first := uint64(0); first < 40; {
			end := first + rapid.Uint64Range(0, 20).Draw(t, "run")
			for i := first; i < end; i++ {
				leaf := number(rapid.Uint64Range(0, 3).Draw(t, "leaf"))
				memory.SetNode(0, i, leaf)
				if err := one.Set(i, leaf); err != nil {
					t.Fatal(err)
				}
			}
			if err := runs.Rehash(first, end); err != nil || runs.Root() != one.Root() {
				t.Fatalf("places %d to %d: %v, root %v, want %v", first, end, err, runs.Root(), one.Root())
			}
			first = end + rapid.Uint64Range(0, 1).Draw(t, "gap")
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	tr := New(2, NewMemory())
	if err := tr.Set(64, number(1)); err == nil {
		t.Error("place 64 of 64 was set")
	}
	if _, err := tr.Path(64); err == nil {
		t.Error("a path to place 64 of 64")
	}
	if tr.Rehash(0, 65) == nil || tr.Rehash(2, 1) == nil {
		t.Error("places outside the tree were hashed")
	}
	if tr.Root() != Empty(2) {
		t.Error("a refused write changed the root")
	}
	if _, err := Build(1, make([]field.Element, 9)); err == nil {
		t.Error("9 leaves in a tree of 8 places")
	}
	if c := New(DeepDepth, NewMemory()).Capacity(); c != 1<<33 {
		t.Errorf("capacity of the deep tree: %d", c)
	}
	for _, depth := range []int{0, DeepDepth + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("depth %d accepted", depth)
				}
			}()
			New(depth, NewMemory())
		}()
	}
}

func TestOwnLeaf(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{1, Depth, DeepDepth} {
		tr := New(depth, NewMemory())
		if err := tr.Set(0, number(42)); err != nil {
			t.Fatal(err)
		}
		path := OwnLeaf(depth, number(42))
		want, err := tr.Path(0)
		if err != nil {
			t.Fatal(err)
		}
		if OwnLeafRoot(depth, number(42)) != tr.Root() || !path.Holds(number(42)) || len(path) != len(want) || path[depth-1] != want[depth-1] {
			t.Errorf("depth %d: the own-leaf tree is not the tree of the leaf at place 0", depth)
		}
	}
}

func TestAnInnerNodeIsNoLeafOfItsPath(t *testing.T) {
	t.Parallel()
	tr, err := Build(3, []field.Element{number(1), number(2)})
	if err != nil {
		t.Fatal(err)
	}
	path, err := tr.Path(0)
	if err != nil {
		t.Fatal(err)
	}
	inner := field.Node(&path[0])
	if path.Holds(inner) || !path[1:].Holds(inner) {
		t.Error("an inner node passes as a leaf at full depth")
	}
	if (Path{}).Holds(number(1)) || (Path{}).Root() != number(0) {
		t.Error("the empty path holds something")
	}
}

func BenchmarkBuild10000(b *testing.B) {
	leaves := make([]field.Element, 10_000)
	for i := range leaves {
		leaves[i] = number(uint64(i + 1))
	}
	for b.Loop() {
		if _, err := Build(Depth, leaves); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSet(b *testing.B) {
	t := New(Depth, NewMemory())
	for i := uint64(0); b.Loop(); i++ {
		if err := t.Set(i%t.Capacity(), number(i+1)); err != nil {
			b.Fatal(err)
		}
	}
}
