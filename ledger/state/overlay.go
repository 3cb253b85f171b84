package state

// Write is one change of a key: a new value, or its removal.
type Write struct {
	Key    []byte
	Value  []byte
	Delete bool
}

// Overlay is a Store whose writes stay in memory above a View that they hide.
// What a transaction writes lies in one until the transaction is accepted.
type Overlay struct {
	base   View
	writes table
}

var _ Store = (*Overlay)(nil)

// NewOverlay returns an overlay without writes. base must not change while it is used.
func NewOverlay(base View) *Overlay { return &Overlay{base: base} }

// Get returns the value of key, and whether there is one.
func (o *Overlay) Get(key []byte) ([]byte, bool) {
	if o.writes.size > 0 {
		if p, ok := o.writes.get(string(key)); ok {
			return p.value, !p.gone
		}
	}
	return o.base.Get(key)
}

// Set gives key a value, of which it keeps a copy.
func (o *Overlay) Set(key, value []byte) {
	o.writes.put(pair{key: string(key), value: keep(value)})
}

// Delete removes key.
func (o *Overlay) Delete(key []byte) { o.writes.put(pair{key: string(key), gone: true}) }

// Scan calls fn for each key with the prefix, in ascending order, until fn
// returns false. fn may write to the overlay.
func (o *Overlay) Scan(prefix []byte, fn func(key, value []byte) bool) {
	s := string(prefix)
	next, more := s, true // the least key of the overlay that was not told yet
	tell := func(limit string, limited bool) {
		o.writes.ascend(next, s, func(p pair) bool {
			if limited && p.key >= limit {
				return false
			}
			next = p.key + "\x00"
			more = p.gone || fn([]byte(p.key), p.value)
			return more
		})
	}
	o.base.Scan(prefix, func(key, value []byte) bool {
		k := string(key)
		if tell(k, true); !more {
			return false
		}
		// Looked up only now: fn may have written this very key.
		if p, ok := o.writes.get(k); ok {
			more = p.gone || fn(key, p.value)
		} else {
			more = fn(key, value)
		}
		next = k + "\x00"
		return more
	})
	if more {
		tell("", false)
	}
}

// Writes returns the writes, sorted by key, each key once.
func (o *Overlay) Writes() []Write {
	out := make([]Write, 0, o.writes.size)
	o.writes.ascend("", "", func(p pair) bool {
		out = append(out, Write{Key: []byte(p.key), Value: p.value, Delete: p.gone})
		return true
	})
	return out
}

// Largest is the length in bytes of the longest value written.
func (o *Overlay) Largest() (n int) {
	o.writes.ascend("", "", func(p pair) bool {
		n = max(n, len(p.value))
		return true
	})
	return n
}

// Touches reports whether a key with the prefix was written or deleted.
func (o *Overlay) Touches(prefix []byte) (yes bool) {
	s := string(prefix)
	o.writes.ascend(s, s, func(pair) bool {
		yes = true
		return false
	})
	return yes
}

// Commit applies the writes to a store and leaves the overlay empty.
func (o *Overlay) Commit(to Store) {
	o.writes.ascend("", "", func(p pair) bool {
		if p.gone {
			to.Delete([]byte(p.key))
		} else {
			to.Set([]byte(p.key), p.value)
		}
		return true
	})
	o.Discard()
}

// Discard forgets the writes.
func (o *Overlay) Discard() { o.writes = table{} }

// Empty is a View without keys.
type Empty struct{}

// Get finds nothing.
func (Empty) Get([]byte) ([]byte, bool) { return nil, false }

// Scan calls nothing.
func (Empty) Scan([]byte, func(key, value []byte) bool) {}
