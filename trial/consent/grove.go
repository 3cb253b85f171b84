package consent

import (
	"encoding/binary"
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

func treeKey(kind, name string) []byte { return []byte("consent/" + kind + "/" + name + "\x00") }

// nodes keeps a tree's nodes in the state of the trial's stream.
type nodes struct {
	s    state.Store
	name string
	size uint64 // places used
}

func (n nodes) key(level int, index uint64) []byte {
	return binary.BigEndian.AppendUint64(append(treeKey("node", n.name), byte(level)), index)
}

// Node reads nothing over places that were never used: nothing is kept there,
// and most of a path's siblings lie there.
func (n nodes) Node(level int, index uint64) (field.Element, bool) {
	if index<<(3*level) >= n.size {
		return field.Element{}, false
	}
	b, ok := n.s.Get(n.key(level, index))
	if !ok {
		return field.Element{}, false
	}
	e, err := field.Decode(b)
	if err != nil {
		panic(fmt.Sprintf("consent: node %d/%d of tree %s: %v", level, index, n.name, err))
	}
	return e, true
}

func (n nodes) SetNode(level int, index uint64, e field.Element) {
	b := field.Encode(e)
	n.s.Set(n.key(level, index), b[:])
}

// current is a tree's root now, and the epoch it became that in.
type current struct {
	_     struct{} `cbor:",toarray"`
	Root  field.Root
	Since uint64
	Size  uint64 // places used, emptied ones too
}

func load(s state.View, name string) (current, bool) {
	return state.Load[current](s, treeKey("root", name))
}

// Leaves lists a tree's places in order; an emptied place is zero.
func Leaves(v state.View, name string) []field.Leaf {
	var leaves []field.Leaf
	prefix := append(treeKey("node", name), 0)
	v.Scan(prefix, func(_, value []byte) bool {
		leaves = append(leaves, field.Leaf(value))
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

// plant puts a leaf at the next place of a tree, or zero at a given one, and
// keeps the root that the tree had at the end of the epoch before.
func (r *roll) plant(name string, leaf field.Leaf) (place uint64) {
	t, _ := load(r.s, name)
	place = t.Size
	t.Size++
	r.set(name, t, place, leaf)
	return place
}

func (r *roll) uproot(name string, place uint64) {
	t, _ := load(r.s, name)
	r.set(name, t, place, field.Leaf{})
}

func (r *roll) set(name string, t current, place uint64, leaf field.Leaf) {
	var e field.Element
	if leaf != (field.Leaf{}) {
		// Checked when the leaf came in.
		e, _ = leaf.Element()
	}
	grown := tree.New(tree.Depth, nodes{r.s, name, t.Size})
	if err := grown.Set(place, e); err != nil {
		panic(fmt.Sprintf("consent: tree %s: %v", name, err))
	}
	now := r.c.EpochAt(r.c.Now)
	if t.Root != (field.Root{}) && t.Since < now {
		state.Put(r.s, keptKey(name, t.Root), now-1)
	}
	t.Root, t.Since = field.RootOf(grown.Root()), now
	state.Put(r.s, treeKey("root", name), t)
	r.tell(event.LeafSet{Tree: name, Place: place, Leaf: leaf})
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

func (r *roll) plantPass(floor trial.Version, pass field.Leaf) (place uint64) {
	name := act.PassLeaves(floor)
	place = r.plant(name, pass)
	r.keepPassRoot(name)
	return place
}

func (r *roll) uprootPass(floor trial.Version, place uint64) {
	name := act.PassLeaves(floor)
	g, _ := state.Load[generation](r.s, treeKey("passgen", name))
	state.Put(r.s, endedKey(name, g.Count), r.c.Now)
	g.Count++
	state.Put(r.s, treeKey("passgen", name), g)
	r.uproot(name, place)
	r.keepPassRoot(name)
}

func (r *roll) keepPassRoot(name string) {
	t, _ := load(r.s, name)
	g, _ := state.Load[generation](r.s, treeKey("passgen", name))
	state.Put(r.s, passRootKey(name, t.Root), g.Count)
}

// acceptsPass says why a pass root is not accepted at a site whose floor it is.
func acceptsPass(s State, c trial.Context, floor trial.Version, root field.Root, delay int64) error {
	name := act.PassLeaves(floor)
	made, ok := state.Load[uint64](s, passRootKey(name, root))
	if !ok {
		for below := trial.Version(1); below < floor; below++ {
			if _, older := s.Get(passRootKey(act.PassLeaves(below), root)); older {
				return trial.Refuse(trial.PassBelowFloor, "pass: this site accepts consents to version %v or later; consent to it first", floor)
			}
		}
		return trial.Refuse(trial.UnknownRoot, "root: no root of tree %s; download the passes again", name)
	}
	g, _ := state.Load[generation](s, treeKey("passgen", name))
	if made == g.Count {
		return nil
	}
	if ended, _ := state.Load[int64](s, endedKey(name, made)); c.Now-ended <= delay {
		return nil
	}
	return trial.Refuse(trial.RootExpired, "root: from before a pass was withdrawn; download the passes again")
}
