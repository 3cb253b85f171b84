package membership

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark/frontend"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
)

// newPlainSample is a sample with room between every attribute and its bounds, so
// that one change breaks one thing.
func newPlainSample(t *testing.T, depth int) *sample {
	t.Helper()
	s := newSample(t, rand.New(rand.NewPCG(11, 13)), depth)
	for i, v := range s.attributes {
		s.low[i], s.high[i] = v-5, v+5
	}
	return s
}

func plus(v frontend.Variable, n int64) frontend.Variable {
	e := v.(field.Element)
	var d field.Element
	d.SetInt64(n)
	return *d.Add(&d, &e)
}

// One failing witness for each group of constraints; the first column says which
// group alone stands against it. The message has no entry, for every message has
// a solution: it is bound by the proof, and TestNoWireIsFree and the verifier's
// tests say so.
func TestRefuse20Witnesses(t *testing.T) {
	t.Parallel()
	shift := new(big.Int).Lsh(big.NewInt(1), 32)
	cases := []struct {
		group string
		spoil func(s *sample, c *Circuit)
	}{
		{"identity: another secret, its own account", func(s *sample, c *Circuit) {
			c.Secret = plus(c.Secret, 1)
			c.Account = field.NewAccount(c.Secret.(field.Element), s.leaf(), s.context)
		}},
		{"identity: another trapdoor", func(_ *sample, c *Circuit) { c.Trapdoor = plus(c.Trapdoor, 1) }},
		{"leaf: another attribute between the bounds", func(s *sample, c *Circuit) { c.Attributes[0] = s.attributes[0] + 1 }},
		{"leaf: another attribute in the upper half", func(s *sample, c *Circuit) { c.Attributes[7] = s.attributes[7] - 1 }},
		{"root: another", func(_ *sample, c *Circuit) { c.Root = plus(c.Root, 1) }},
		{"root: an inner node", func(s *sample, c *Circuit) { c.Root = field.Node(&s.path[len(s.path)-2]) }},
		{"account: another", func(_ *sample, c *Circuit) { c.Account = plus(c.Account, 1) }},
		{"account: zero", func(_ *sample, c *Circuit) { c.Account = 0 }},
		{"account: of another context", func(_ *sample, c *Circuit) { c.Context = plus(c.Context, 1) }},
		{"account: of another leaf", func(s *sample, c *Circuit) {
			c.Account = field.NewAccount(s.secret, s.path[0][0], s.context)
			if s.path[0][0] == s.leaf() {
				c.Account = field.NewAccount(s.secret, s.path[0][1], s.context)
			}
		}},
		{"range: min - 1", func(s *sample, c *Circuit) { c.Min[2] = s.attributes[2] + 1 }},
		{"range: max + 1", func(s *sample, c *Circuit) { c.Max[2] = s.attributes[2] - 1 }},
		{"range: 2^32 and above, moved up by its neighbour", func(s *sample, c *Circuit) {
			// Packs to the same leaf; without the range check 2^32 + v would pass for v.
			c.Attributes[0] = new(big.Int).Add(big.NewInt(int64(s.attributes[0])), shift)
			c.Attributes[1] = s.attributes[1] - 1
		}},
		{"range: below zero, moved down by its neighbour", func(s *sample, c *Circuit) {
			c.Attributes[0] = new(big.Int).Sub(big.NewInt(int64(s.attributes[0])), shift)
			c.Attributes[1] = s.attributes[1] + 1
		}},
		{"path: a leaf that is not among the lowest children", func(s *sample, c *Circuit) {
			exchange(s, c, 0, s.leaf())
		}},
		{"path: a tree less deep", func(s *sample, c *Circuit) {
			// The leaf stands one level too high; the lowest level is left empty.
			p := tree.OwnLeaf(len(s.path)-1, s.leaf())
			for j := range c.Path[0] {
				c.Path[0][j] = 0
			}
			fill(c.Path[1:], p)
			c.Root = p.Root()
		}},
		{"path: an inner node as the leaf", func(s *sample, c *Circuit) {
			// The person's leaf is where the node over the lowest children would be.
			p := tree.OwnLeaf(len(s.path), s.leaf())
			fill(c.Path[:len(p)-1], p[1:])
			fill(c.Path[len(p)-1:], tree.OwnLeaf(1, p.Root()))
			c.Root = field.Node(&tree.OwnLeaf(1, p.Root())[0])
		}},
	}
	for _, depth := range depths {
		system := compile(t, depth)
		s := newPlainSample(t, depth)
		if err := solve(t, system, s.assignment()); err != nil {
			t.Fatalf("depth %d: the unspoilt witness: %v", depth, err)
		}
		for _, tc := range cases {
			c := s.assignment()
			tc.spoil(s, c)
			if solve(t, system, c) == nil {
				t.Errorf("depth %d: %s: accepted", depth, tc.group)
			}
		}
	}
}

// Each level of the path has its own membership constraint: with the node of one
// level left out of the next, and everything above computed honestly from there,
// that level's constraint alone refuses.
func TestEachLevelIsLinked(t *testing.T) {
	t.Parallel()
	for _, depth := range depths {
		system := compile(t, depth)
		s := newPlainSample(t, depth)
		current := s.leaf()
		for level := range s.path {
			c := s.assignment()
			exchange(s, c, level, current)
			if solve(t, system, c) == nil {
				t.Errorf("depth %d: the break below level %d was accepted", depth, level)
			}
			current = field.Node(&s.path[level])
		}
	}
}

// exchange replaces node among the children at a level by another, and computes
// the levels above and the root honestly from there.
func exchange(s *sample, c *Circuit, level int, node field.Element) {
	path := append(tree.Path(nil), s.path...)
	var stranger field.Element
	stranger.SetUint64(12345)
	for i := level; i < len(path); i++ {
		for j := range path[i] {
			if path[i][j] == node {
				path[i][j] = stranger
			}
		}
		node, stranger = field.Node(&s.path[i]), field.Node(&path[i])
	}
	fill(c.Path, path)
	c.Root = path.Root()
}

func fill(rows [][tree.Arity]frontend.Variable, p tree.Path) {
	for i := range p {
		for j := range p[i] {
			rows[i][j] = p[i][j]
		}
	}
}
