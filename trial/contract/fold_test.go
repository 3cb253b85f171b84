package contract_test

import (
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// fold adds up the events of a trial, as any follower may, without the rules:
// its counters must be those in the state, and its trees give what each root
// stood for.
type fold struct {
	counters map[trial.Version]trial.Counters
	told     map[countedSet]trial.Counters // the last Counted of each set
	left     map[leftKey]event.Left
	firsts   map[field.Leaf]int // how often a leaf was told to have left for the first time
	trees    map[string][]field.Leaf
	changed  []string // trees that the last transaction wrote
}

type countedSet struct {
	version trial.Version
	set     trial.Set
}

type leftKey struct {
	leaf    field.Leaf
	version trial.Version
}

func (f *fold) add(events []event.Event) {
	if f.counters == nil {
		f.counters, f.told = map[trial.Version]trial.Counters{}, map[countedSet]trial.Counters{}
		f.left, f.trees = map[leftKey]event.Left{}, map[string][]field.Leaf{}
		f.firsts = map[field.Leaf]int{}
	}
	f.changed = f.changed[:0]
	for _, e := range events {
		switch e := e.(type) {
		case event.LeafSet:
			f.leaf(e)
		case event.Acted:
			f.acted(e)
		case event.Left:
			f.leaves(e)
		case event.Counted:
			f.told[countedSet{e.Version, e.Set}] = e.Counters
		default: // nothing that is counted
		}
	}
}

func (f *fold) leaf(e event.LeafSet) {
	t := f.trees[e.Tree]
	for uint64(len(t)) <= e.Place {
		t = append(t, field.Leaf{})
	}
	t[e.Place] = e.Leaf
	f.trees[e.Tree] = t
	f.changed = append(f.changed, e.Tree)
	if e.Leaf == (field.Leaf{}) {
		return
	}
	if set, v, ok := setName(e.Tree); ok && set != "X" {
		c := f.counters[v]
		c.Owed++
		f.counters[v] = c
	}
}

func (f *fold) acted(e event.Acted) {
	c := f.counters[e.Version]
	switch e.Kind {
	case act.Consent:
		c.Acts++
	case act.Superseded:
		c.Superseded++
	default:
	}
	f.counters[e.Version] = c
}

func (f *fold) leaves(e event.Left) {
	if e.First {
		f.firsts[e.Leaf]++
	}
	k := leftKey{e.Leaf, e.Version}
	c := f.counters[e.Version]
	if was, ok := f.left[k]; ok {
		addLeft(&c, was.By, was.Used, ^uint64(0))
	}
	addLeft(&c, e.By, e.Used, 1)
	f.counters[e.Version], f.left[k] = c, e
}

func addLeft(c *trial.Counters, by trial.Leaving, used bool, n uint64) {
	cell := map[bool]*uint64{false: &c.LeftWord0, true: &c.LeftWord1}[used]
	if by == trial.ByProof {
		cell = map[bool]*uint64{false: &c.LeftProved0, true: &c.LeftProved1}[used]
	}
	*cell += n
	if by == trial.Ended {
		c.Ended += n
	}
}

// setName reads "N-1", "E-2", "X-1-2".
func setName(tree string) (set string, v trial.Version, ok bool) {
	parts := strings.Split(tree, "-")
	if len(parts) < 2 || len(parts[0]) != 1 {
		return "", 0, false
	}
	for _, c := range parts[1] {
		v = v*10 + trial.Version(c-'0')
	}
	return parts[0], v, true
}

// sum adds the last told counters of a version's sets.
func (f *fold) sum(v trial.Version) (c trial.Counters) {
	for _, set := range []trial.Set{trial.New, trial.Existing, trial.Successor} {
		c = c.Plus(f.told[countedSet{v, set}])
	}
	return c
}
