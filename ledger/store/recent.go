package store

import "sync"

// recent keeps rows that are read again and again in memory: streams, the upper
// nodes of the maps, rows of the state. A row is kept with its last versions by
// height, so that the readers of a block that is not shown yet, and those of the
// block that is, each get their own.
type recent struct {
	mu          sync.RWMutex
	height      uint64 // of the last block written
	young, aged map[string]*row
	size        int // bytes of the young
}

// row is a row's last versions, the oldest first. It holds for every height
// from the first version's on: whoever writes the row adds to it.
type row struct {
	versions [4]version
	n        int
}

type version struct {
	height uint64
	value  []byte // nil: there is none
}

// Limits of one of the two generations, and of a value that is kept.
const (
	recentRows  = 1 << 14
	recentBytes = 8 << 20
	recentValue = 4 << 10
)

// keeps reports whether rows of a key's table are kept.
func (r *recent) keeps(key []byte) bool {
	if r == nil {
		return false
	}
	switch key[0] {
	case tableState, tableNode, tableStream, tableStreamNode:
		return true
	}
	return false
}

// get returns the row as it was after the block of a height, and whether that
// is known. A value of nil is a row that is not there.
func (r *recent) get(height uint64, key []byte) (value []byte, known bool) {
	r.mu.RLock()
	x := r.young[string(key)]
	if x != nil {
		value, known = x.at(height)
		r.mu.RUnlock()
		return value, known
	}
	x = r.aged[string(key)]
	r.mu.RUnlock()
	if x == nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if x = r.aged[string(key)]; x == nil { // meanwhile it was moved, or forgotten
		return nil, false
	}
	delete(r.aged, string(key))
	r.put(string(key), x)
	return x.at(height)
}

func (x *row) at(height uint64) ([]byte, bool) {
	for i := x.n - 1; i >= 0; i-- {
		if v := &x.versions[i]; v.height <= height {
			return v.value, true
		}
	}
	return nil, false
}

func (x *row) add(v version) {
	if x.n == len(x.versions) {
		copy(x.versions[:], x.versions[1:])
		x.n--
	}
	x.versions[x.n] = v
	x.n++
}

// read keeps what was read after the block of a height, if no block was written
// since: then nobody can have changed the row.
func (r *recent) read(height uint64, key, value []byte) {
	if len(value) > recentValue {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if height != r.height || r.young[string(key)] != nil || r.aged[string(key)] != nil {
		return
	}
	x := new(row)
	x.add(version{height, value})
	r.put(string(key), x)
}

// put makes a row one of the young. Call it under mu.
func (r *recent) put(key string, x *row) {
	if r.young == nil || len(r.young) >= recentRows || r.size >= recentBytes {
		r.young, r.aged, r.size = make(map[string]*row), r.young, 0
	}
	r.young[key] = x
	r.size += len(key)
	for i := range x.n {
		r.size += len(x.versions[i].value)
	}
}

// write notes what a block writes, before anybody can read it: each calls its
// argument for every row. Large values are forgotten.
func (r *recent) write(height uint64, each func(func(key, value []byte))) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.height = height
	each(func(key, value []byte) {
		for _, m := range []map[string]*row{r.young, r.aged} {
			x := m[string(key)]
			switch {
			case x == nil:
			case len(value) > recentValue:
				delete(m, string(key))
			default:
				x.add(version{height, value})
				r.size += len(value)
			}
		}
	})
}
