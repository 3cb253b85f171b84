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

// Node returns a node, and whether it differs from the empty one of its level.
func (m *Memory) Node(level int, index uint64) (field.Element, bool) {
	e, ok := m.nodes[place{level, index}]
	return e, ok
}

// SetNode stores a node.
func (m *Memory) SetNode(level int, index uint64, e field.Element) {
	if e == Empty(level) {
		delete(m.nodes, place{level, index})
		return
	}
	m.nodes[place{level, index}] = e
}
