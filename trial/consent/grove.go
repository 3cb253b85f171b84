package consent

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

func treeKey(kind, name string) []byte { return []byte("consent/" + kind + "/" + name + "\x00") }

// nodes keeps a tree's nodes in the state of the trial's stream: the children of
// a node under one key, 32 bytes each, as far as places below them were used.
type nodes struct {
	s    state.Store
	name string
	size uint64 // places used
}

func (n nodes) key(level int, parent uint64) []byte {
	return binary.BigEndian.AppendUint64(append(treeKey("node", n.name), byte(level)), parent)
}

// Children reads nothing over places that were never used: nothing is kept there.
func (n nodes) Children(level int, parent uint64) (c [tree.Arity]field.Element) {
	var b []byte
	if parent<<(3*level+3) < n.size {
		b, _ = n.s.Get(n.key(level, parent))
	}
	for i := range c {
		if len(b) < field.Size {
			c[i] = tree.Empty(level)
			continue
		}
		e, err := field.Decode(b[:field.Size])
		if err != nil {
			panic(fmt.Sprintf("consent: child %d of node %d/%d of tree %s: %v", i, level+1, parent, n.name, err))
		}
		c[i], b = e, b[field.Size:]
	}
	return c
}

func (n nodes) SetNode(level int, index uint64, e field.Element) {
	n.set(level, index, field.Encode(e))
}

// set writes a node that follows those kept beside it, or is one of them.
func (n nodes) set(level int, index uint64, e [field.Size]byte) {
	k := n.key(level, index/tree.Arity)
	old, _ := n.s.Get(k)
	at := int(index%tree.Arity) * field.Size
	b := append(make([]byte, 0, tree.Arity*field.Size), old...)
	copy(b[at:], e[:])
	if len(b) == at {
		b = append(b, e[:]...)
	}
	n.s.Set(k, b)
}

// current is a tree as it was last hashed. Leaves may wait to be hashed, so that
// neighbours share the nodes above them: those of a set until its transaction
// ends, passes until a later block or an entry needs the root.
type current struct {
	_      struct{} `cbor:",toarray"`
	Root   field.Root
	Since  uint64 // the epoch it became that in
	Size   uint64 // places used, emptied ones too
	Hashed uint64 // places that Root knows of
	Height uint64 // of the block that the waiting leaves came in
}

func load(s state.View, name string) (current, bool) {
	return state.Load[current](s, treeKey("root", name))
}

func (t *current) waits() bool { return t.Hashed < t.Size }

// hash brings Root and the nodes in s up to date with the leaves at places
// first to end−1.
func (t *current) hash(s state.Store, name string, first, end uint64) {
	grown := tree.New(tree.Depth, nodes{s, name, t.Size})
	if err := grown.Rehash(first, end); err != nil {
		panic(fmt.Sprintf("consent: tree %s: %v", name, err))
	}
	t.Root, t.Hashed = field.RootOf(grown.Root()), t.Size
}

// Root is the root of a tree's present leaves, zero before its first.
func Root(v state.View, name string) field.Root {
	t, _ := load(v, name)
	if t.waits() {
		t.hash(state.NewOverlay(v), name, t.Hashed, t.Size) // who only reads writes nothing
	}
	return t.Root
}

// Leaves lists a tree's places in order; an emptied place is zero.
func Leaves(v state.View, name string) []field.Leaf {
	var leaves []field.Leaf
	prefix := append(treeKey("node", name), 0)
	v.Scan(prefix, func(_, value []byte) bool {
		for leaf := range slices.Chunk(value, field.Size) {
			leaves = append(leaves, field.Leaf(leaf))
		}
		return true
	})
	return leaves
}

// free is how many places a tree has left.
func free(v state.View, name string) uint64 {
	const places = 1 << (3 * tree.Depth)
	t, _ := load(v, name)
	return places - min(t.Size, places)
}

// full reports whether a tree has no place left.
func full(v state.View, name string) bool { return free(v, name) == 0 }

// room refuses to add a leaf to a full set. A tree X(v, w) never has more leaves
// than E(w), so the sets alone are asked.
func room(v state.View, version trial.Version, set trial.Set) error {
	if full(v, act.SetTree(version, set)) {
		return trial.Refuse(trial.TreeFull, "the set of version %v is full; register the trial with the larger circuit", version)
	}
	return nil
}

// RoomToOpen reports whether E(v) has a place for every leaf there is, so that
// an opening always ends.
func RoomToOpen(v state.View, version trial.Version) bool {
	left := free(v, act.SetTree(version, trial.Existing))
	v.Scan(leafPrefix, func(_, _ []byte) bool {
		left--
		return left != ^uint64(0)
	})
	return left != ^uint64(0)
}

// plant puts a leaf at the next place of a tree, where it waits to be hashed.
func (r *roll) plant(name string, leaf field.Leaf) (place uint64) {
	t, _ := load(r.s, name)
	place = t.Size
	t.Size++
	t.Height = r.c.Height
	state.Put(r.s, treeKey("root", name), t)
	r.write(name, place, leaf)
	return place
}

// add is plant for a set, which is hashed when the transaction ends.
func (r *roll) add(name string, leaf field.Leaf) (place uint64) {
	if !slices.Contains(r.grown, name) {
		r.grown = append(r.grown, name)
	}
	return r.plant(name, leaf)
}

// remove empties a place of a set.
func (r *roll) remove(name string, place uint64) {
	r.settle(name)
	r.write(name, place, field.Leaf{})
	r.rehash(name, place, place+1)
}

func (r *roll) write(name string, place uint64, leaf field.Leaf) {
	nodes{s: r.s, name: name}.set(0, place, leaf)
	r.tell(event.LeafSet{Tree: name, Place: place, Leaf: leaf})
}

// done hashes the sets that grew, and returns what the transaction did.
func (r *roll) done() []event.Event {
	for _, name := range r.grown {
		r.settle(name)
	}
	return r.events
}

// settle hashes the leaves of a set that wait.
func (r *roll) settle(name string) {
	if t, _ := load(r.s, name); t.waits() {
		r.rehash(name, t.Hashed, t.Size)
	}
}

// rehash gives a set its new root, and keeps the one that it had at the end of
// the epoch before.
func (r *roll) rehash(name string, first, end uint64) {
	t, _ := load(r.s, name)
	now := r.c.EpochAt(r.c.Now)
	if t.Root != (field.Root{}) && t.Since < now {
		state.Put(r.s, keptKey(name, t.Root), now-1)
	}
	t.hash(r.s, name, first, end)
	t.Since = now
	state.Put(r.s, treeKey("root", name), t)
}

func keptKey(name string, root field.Root) []byte {
	return append(treeKey("kept", name), root[:]...)
}

// accepted says why a root of a tree is not accepted now: it is the tree's now,
// or it was at the end of an epoch whose life has not run out.
func accepted(s State, c trial.Context, name string, root field.Root, life func(epochEnd int64) int64) error {
	t, ok := load(s, name)
	if ok && t.Root == root {
		return nil
	}
	epoch, ok := state.Load[uint64](s, keptKey(name, root))
	if !ok {
		return trial.Refuse(trial.UnknownRoot, "root: no root of tree %s, now or at the end of an epoch; download the leaves again", name)
	}
	if limit := life(c.EpochEnd(epoch)); c.Now > limit {
		return trial.Refuse(trial.RootExpired, "root: of tree %s, but its time ran out; download the leaves again", name)
	}
	return nil
}

// The pass trees are strict: a root from before a pass was zeroed is refused,
// but for the registered recording delay. Each zeroing begins a generation.
type generation struct {
	_     struct{} `cbor:",toarray"`
	Count uint64
}

func passRootKey(name string, root field.Root) []byte {
	return append(treeKey("passroot", name), root[:]...)
}

func endedKey(name string, generation uint64) []byte {
	return binary.BigEndian.AppendUint64(treeKey("passend", name), generation)
}

// generationOf is the present generation of a tree of passes.
func generationOf(v state.View, name string) uint64 {
	g, _ := state.Load[generation](v, treeKey("passgen", name))
	return g.Count
}

// passes returns the name of the tree of a floor, after what earlier blocks left
// waiting is hashed. Devices see the tree as a block leaves it: of the roots that
// grow with it, those are recorded and none within a block.
func (r *roll) passes(floor trial.Version) string {
	name := act.PassLeaves(floor)
	if t, _ := load(r.s, name); t.Height < r.c.Height {
		r.settlePasses(name)
	}
	return name
}

// zeroPass zeroes a pass. It counts at once, as does the root without it.
func (r *roll) zeroPass(floor trial.Version, place uint64) {
	name := act.PassLeaves(floor)
	r.settlePasses(name)
	g := generationOf(r.s, name)
	state.Put(r.s, endedKey(name, g), r.c.Now)
	state.Put(r.s, treeKey("passgen", name), generation{Count: g + 1})
	r.write(name, place, field.Leaf{})
	r.rehashPasses(name, place, place+1)
}

// settlePasses hashes the passes that wait.
func (r *roll) settlePasses(name string) {
	if t, _ := load(r.s, name); t.waits() {
		r.rehashPasses(name, t.Hashed, t.Size)
	}
}

// rehashPasses gives a tree of passes its new root, of the present generation.
func (r *roll) rehashPasses(name string, first, end uint64) {
	t, _ := load(r.s, name)
	t.hash(r.s, name, first, end)
	state.Put(r.s, treeKey("root", name), t)
	state.Put(r.s, passRootKey(name, t.Root), generationOf(r.s, name))
}

// madeIn is the generation that a root of a tree of passes is from.
func madeIn(v state.View, name string, root field.Root) (uint64, bool) {
	if made, ok := state.Load[uint64](v, passRootKey(name, root)); ok {
		return made, true
	}
	t, _ := load(v, name)
	return generationOf(v, name), t.waits() && Root(v, name) == root
}

// acceptsPass says why a pass root is not accepted at a site whose floor it is.
func acceptsPass(s State, c trial.Context, floor trial.Version, root field.Root, delay int64) error {
	name := act.PassLeaves(floor)
	made, ok := madeIn(s, name, root)
	if !ok {
		for below := trial.Version(1); below < floor; below++ {
			if _, older := madeIn(s, act.PassLeaves(below), root); older {
				return trial.Refuse(trial.PassBelowFloor, "pass: this site accepts consents to version %v or later; consent to it first", floor)
			}
		}
		return trial.Refuse(trial.UnknownRoot, "root: no root of tree %s; download the passes again", name)
	}
	if made == generationOf(s, name) {
		return nil
	}
	if ended, _ := state.Load[int64](s, endedKey(name, made)); c.Now-ended <= delay {
		return nil
	}
	return trial.Refuse(trial.RootExpired, "root: from before a pass was withdrawn; download the passes again")
}
