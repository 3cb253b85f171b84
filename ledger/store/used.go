package store

import (
	"errors"
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// used tells of an idempotency key that it was never used, mostly, without a
// read: each transaction asks. It is a Bloom filter over all keys, filled from
// the disk after the directory is opened; until it is whole it knows nothing.
type used struct {
	whole atomic.Bool
	stop  atomic.Bool
	work  sync.WaitGroup

	seed    maphash.Seed
	mu      sync.RWMutex
	filters []*filter // each twice as large as the one before; the last is not full
}

// Limits of the filters, in keys of 12 bits each: the first, and all. A ledger
// of more transactions asks the disk again.
const (
	firstFilter = 1 << 14
	mostUsed    = 1 << 24
)

func newUsed() *used { return &used{seed: maphash.MakeSeed()} }

// fill adds the keys of a snapshot, which it releases.
func (u *used) fill(s *Snapshot) {
	u.work.Go(func() {
		defer s.Release()
		prefix := []byte{tableIdempotency}
		it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
		if err != nil {
			return
		}
		for ok := it.First(); ok && !u.stop.Load(); ok = it.Next() {
			u.add(it.Key())
		}
		if errors.Join(it.Error(), it.Close()) == nil {
			u.filled()
		}
	})
}

// filled says that every key is there, unless add gave up meanwhile.
func (u *used) filled() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.whole.Store(!u.stop.Load())
}

func (u *used) close() {
	u.stop.Store(true)
	u.work.Wait()
}

// add notes a key, before anybody can read it.
func (u *used) add(key []byte) {
	h := maphash.Bytes(u.seed, key)
	u.mu.Lock()
	defer u.mu.Unlock()
	n := len(u.filters)
	if n == 0 || u.filters[n-1].left == 0 {
		size := firstFilter << n
		if size > mostUsed {
			u.filters, size = nil, firstFilter
			u.stop.Store(true)
			u.whole.Store(false)
		}
		u.filters = append(u.filters, newFilter(size))
	}
	u.filters[len(u.filters)-1].add(h)
}

// never reports that a key was not used; false says nothing.
func (u *used) never(key []byte) bool {
	if u == nil || !u.whole.Load() {
		return false
	}
	h := maphash.Bytes(u.seed, key)
	u.mu.RLock()
	defer u.mu.RUnlock()
	for _, f := range u.filters {
		if f.has(h) {
			return false
		}
	}
	return u.whole.Load()
}

// filter is a Bloom filter of lines of 512 bits: a key has seven of one line.
type filter struct {
	lines [][8]uint64
	left  int // keys that it takes yet
}

func newFilter(keys int) *filter {
	return &filter{lines: make([][8]uint64, (keys*12+511)/512), left: keys}
}

// places calls fn for each of a hash's bits, until it returns false.
func (f *filter) places(h uint64, fn func(word *uint64, mask uint64) bool) {
	at, _ := bits.Mul64(h, uint64(len(f.lines)))
	line := &f.lines[at]
	// The line was chosen by the high bits; the places are mixed anew.
	for x, i := h*0x9e3779b97f4a7c15, 0; i < 7; i, x = i+1, x>>9 {
		if !fn(&line[x&7], 1<<(x>>3&63)) {
			return
		}
	}
}

func (f *filter) add(h uint64) {
	f.left--
	f.places(h, func(word *uint64, mask uint64) bool {
		*word |= mask
		return true
	})
}

func (f *filter) has(h uint64) bool {
	all := true
	f.places(h, func(word *uint64, mask uint64) bool {
		all = *word&mask != 0
		return all
	})
	return all
}
