package state

import "bytes"

// Memory is a Store in memory, for replay and for tests. The zero value is
// empty. It is not safe for concurrent use while it is written.
type Memory struct{ t table }

var _ Store = (*Memory)(nil)

// Get returns the value of key, and whether there is one.
func (m *Memory) Get(key []byte) ([]byte, bool) {
	p, ok := m.t.get(string(key))
	return p.value, ok
}

// Scan calls fn for each key with the prefix, in ascending order.
func (m *Memory) Scan(prefix []byte, fn func(key, value []byte) bool) {
	s := string(prefix)
	m.t.ascend(s, s, func(p pair) bool { return fn([]byte(p.key), p.value) })
}

// Set gives key a value, of which it keeps a copy.
func (m *Memory) Set(key, value []byte) {
	m.t.put(pair{key: string(key), value: keep(value)})
}

// Delete removes key.
func (m *Memory) Delete(key []byte) { m.t.remove(string(key)) }

// Len is the number of keys.
func (m *Memory) Len() int { return m.t.size }

// keep copies a value; the copy is never nil, because an empty value is a value.
func keep(value []byte) []byte {
	if len(value) == 0 {
		return []byte{}
	}
	return bytes.Clone(value)
}
