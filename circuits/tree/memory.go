package tree

import "github.com/trialith/trialith/circuits/field"

// Memory is a store of nodes in memory. Nodes of empty subtrees take no room.
type Memory struct {
	nodes map[place]field.Element
}

type place struct {
	level int
	index uint64
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{nodes: make(map[place]field.Element)} }

// Children returns the nodes of a level below one parent.
func (m *Memory) Children(level int, parent uint64) (c [Arity]field.Element) {
	for i := range c {
		e, ok := m.nodes[place{level, parent*Arity + uint64(i)}]
		if !ok {
			e = Empty(level)
		}
		c[i] = e
	}
	return c
}

// SetNode stores a node.
func (m *Memory) SetNode(level int, index uint64, e field.Element) {
	if e == Empty(level) {
		delete(m.nodes, place{level, index})
		return
	}
	m.nodes[place{level, index}] = e
}
