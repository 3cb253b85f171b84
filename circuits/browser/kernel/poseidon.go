package kernel

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"

	"github.com/trialith/trialith/circuits/field"
)

// wide is the permutation of a tree's nodes (field.Node) on eight pairs: two
// nodes at once. Everything in and out is reduced.
type wide struct {
	*kernel
	f        *function
	state    [field.WideWidth]place
	t        [4]place
	key      place // the spread key of a round
	keys     local // the next key, a plain element without its padding
	diagonal [field.WideWidth]place
}

const keySize = 4 * limbs

// image returns the limbs of a scalar in Montgomery form.
func image(e fr.Element) [limbs]uint32 {
	return split(montgomery(e.BigInt(new(big.Int)), fr.Modulus()))
}

// roundKeys writes the keys in the order of their use: eight for a full round
// and one for a partial one.
func (k *kernel) roundKeys(p *poseidon2.Parameters) place {
	start := fixed(k.memory.top)
	for i, round := range p.RoundKeys {
		if half := field.WideFull / 2; i >= half && i < half+field.WidePartial {
			round = round[:1]
		}
		for _, key := range round {
			k.memory.put(image(key), 1)
		}
	}
	return start
}

// poseidon makes poseidon8(to, children), from eight pairs, and nodes on it.
func (k *kernel) poseidon() {
	p := poseidon2.NewParameters(field.WideWidth, field.WideFull, field.WidePartial)
	w := &wide{kernel: k}
	for i := range w.diagonal {
		w.diagonal[i] = k.memory.pair(image(p.DiagM1[i]))
	}
	keys := k.roundKeys(p)
	for i := range w.state {
		w.state[i] = scratch(i)
	}
	for i := range w.t {
		w.t[i] = scratch(field.WideWidth + i)
	}
	w.key = k.inner
	full, partial := w.fullRound(), w.partialRound()
	k.nodes(w.node(keys, full, partial))
}

// node makes poseidon8.
func (w *wide) node(keys place, full, partial *function) *function {
	f, arg := w.function("poseidon8", 2)
	w.f = f
	to, children := arg[0].at(0), arg[1]
	w.keys = f.number()
	round := f.number()
	rounds := func(n int, g *function, size int) {
		f.num(n).set(round)
		f.repeat(round, func() {
			f.get(w.keys).call(g)
			f.step(w.keys, size)
		})
	}
	for i, s := range w.state {
		f.copy(s, children.at(pair*i))
	}
	f.address(keys).set(w.keys)
	w.outer()
	rounds(field.WideFull/2, full, field.WideWidth*keySize)
	rounds(field.WidePartial, partial, keySize)
	rounds(field.WideFull/2, full, field.WideWidth*keySize)
	last := field.WideWidth - 1
	f.add(w.fr, to, w.state[last], children.at(pair*last)) // the feed-forward
	return f
}

// fullRound makes the round on the state whose keys its argument names.
func (w *wide) fullRound() *function {
	f, arg := w.function("", 1)
	w.f, w.keys = f, arg[0]
	for i, s := range w.state {
		w.addKey(s, i)
		w.fifth(s)
	}
	w.outer()
	return f
}

// partialRound makes the round of one power: a key and the power in place 0, then
// the inner matrix, each element times its diagonal and the sum of all.
func (w *wide) partialRound() *function {
	f, arg := w.function("", 1)
	w.f, w.keys = f, arg[0]
	w.addKey(w.state[0], 0)
	w.fifth(w.state[0])
	sum := w.t[0]
	f.add(w.fr, sum, w.state[0], w.state[1])
	for _, s := range w.state[2:] {
		f.add(w.fr, sum, sum, s)
	}
	for i, s := range w.state {
		f.mul(w.fr, s, s, w.diagonal[i])
		f.add(w.fr, s, s, sum)
	}
	return f
}

// addKey adds the i-th key of a round.
func (w *wide) addKey(s place, i int) {
	w.f.spread(w.key, w.keys.at(keySize*i), 1)
	w.f.add(w.fr, s, s, w.key)
}

func (w *wide) fifth(s place) {
	t := w.t[0]
	w.f.square(w.fr, t, s)
	w.f.square(w.fr, t, t)
	w.f.mul(w.fr, s, s, t)
}

// outer multiplies by the outer matrix: M4 on each half, then the sum of the
// halves on both.
func (w *wide) outer() {
	s := w.state
	w.quarter([4]place(s[:4]))
	w.quarter([4]place(s[4:]))
	for i := range 4 {
		w.f.add(w.fr, w.t[0], s[i], s[4+i])
		w.f.add(w.fr, s[i], s[i], w.t[0])
		w.f.add(w.fr, s[4+i], s[4+i], w.t[0])
	}
}

// quarter multiplies by M4 (Poseidon2, section 5.1).
func (w *wide) quarter(s [4]place) {
	t := w.t
	add := func(to, a, b place) { w.f.add(w.fr, to, a, b) }
	add(t[0], s[0], s[1])
	add(t[1], s[2], s[3])
	add(t[2], s[1], s[1])
	add(t[2], t[2], t[1])
	add(t[3], s[3], s[3])
	add(t[3], t[3], t[0])
	add(s[3], t[1], t[1])
	add(s[3], s[3], s[3])
	add(s[3], s[3], t[3])
	add(s[1], t[0], t[0])
	add(s[1], s[1], s[1])
	add(s[1], s[1], t[2])
	add(s[0], t[3], s[1])
	add(s[2], t[2], s[3])
}

// nodes makes nodes(to, from, n): the parents of 16n plain elements, 2n of them,
// plain as well: a level of a tree without change of form. to may be from.
func (k *kernel) nodes(node *function) {
	const lane = field.WideWidth * plain // from one node's children to the next one's
	f, arg := k.function("nodes", 3)
	to, from, n := arg[0], arg[1], arg[2]
	// behind the key of a round
	parents, children := k.inner.plus(pair), k.inner.plus(2*pair)
	f.repeat(n, func() {
		for i := range field.WideWidth {
			f.invoke(k.gather, children.plus(pair*i), from.at(plain*i), from.at(lane+plain*i))
		}
		f.invoke(node, parents, children)
		f.invoke(k.scatter, parents, to.at(0), to.at(plain))
		f.step(from, 2*lane)
		f.step(to, 2*plain)
	})
}
