package store

import (
	"encoding/binary"
	"testing"
)

func TestUsed(t *testing.T) {
	t.Parallel()
	u := newUsed()
	key := func(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte("i"), n) }
	const n = 200_000
	for i := range uint64(n) {
		u.add(key(i))
	}
	if u.never(key(n)) {
		t.Error("it is not whole, and claims to know")
	}
	u.whole.Store(true)
	wrong := 0
	for i := range uint64(n) {
		if u.never(key(i)) {
			t.Fatalf("key %d was used", i)
		}
		if !u.never(key(n + i)) {
			wrong++
		}
	}
	// Five filters: a few in a hundred are asked of the disk in vain.
	if wrong > n/20 {
		t.Errorf("%d of %d that were not used are taken for used", wrong, n)
	}
	t.Logf("%d of %d in vain", wrong, n)
}

func TestUsedGivesUp(t *testing.T) {
	t.Parallel()
	u := newUsed()
	u.whole.Store(true)
	for size := firstFilter; size <= mostUsed; size *= 2 {
		u.filters = append(u.filters, &filter{lines: make([][8]uint64, 1)})
	}
	u.add([]byte("one too many"))
	u.filled() // it was read from the disk meanwhile
	if u.never([]byte("another")) || len(u.filters) != 1 {
		t.Error("it grows without bound, or claims to know what it forgot")
	}
}
