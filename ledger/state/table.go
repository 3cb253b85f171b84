package state

import (
	"sort"
	"strings"
)

// chunkSize bounds the pairs of one chunk: an insertion moves at most so many.
const chunkSize = 256

// pair is one key with its value, or with the mark that it is deleted.
type pair struct {
	key   string
	value []byte
	gone  bool
}

// table is a sorted list of pairs in chunks, none empty.
type table struct {
	chunks  [][]pair
	size    int
	version uint64 // counts changes of place, so that an iteration notices them
}

// seek returns the place of the first pair whose key is not less than key, and
// whether it is key's. Past the end the chunk is len(chunks).
func (t *table) seek(key string) (chunk, place int, found bool) {
	chunk = sort.Search(len(t.chunks), func(i int) bool {
		c := t.chunks[i]
		return c[len(c)-1].key >= key
	})
	if chunk == len(t.chunks) {
		return chunk, 0, false
	}
	c := t.chunks[chunk]
	place = sort.Search(len(c), func(i int) bool { return c[i].key >= key })
	return chunk, place, c[place].key == key
}

func (t *table) get(key string) (pair, bool) {
	i, j, found := t.seek(key)
	if !found {
		return pair{}, false
	}
	return t.chunks[i][j], true
}

func (t *table) put(p pair) {
	i, j, found := t.seek(p.key)
	if found {
		t.chunks[i][j] = p
		return
	}
	t.version++
	t.size++
	if len(t.chunks) == 0 {
		t.chunks = [][]pair{{p}}
		return
	}
	if i == len(t.chunks) {
		i--
		j = len(t.chunks[i])
	}
	c := append(t.chunks[i], pair{})
	copy(c[j+1:], c[j:])
	c[j] = p
	t.chunks[i] = c
	if len(c) > chunkSize {
		t.split(i)
	}
}

func (t *table) split(i int) {
	c := t.chunks[i]
	half := len(c) / 2
	right := append(make([]pair, 0, chunkSize+1), c[half:]...)
	clear(c[half:])
	t.chunks[i] = c[:half]
	t.chunks = append(t.chunks, nil)
	copy(t.chunks[i+2:], t.chunks[i+1:])
	t.chunks[i+1] = right
}

func (t *table) remove(key string) {
	i, j, found := t.seek(key)
	if !found {
		return
	}
	t.version++
	t.size--
	c := t.chunks[i]
	copy(c[j:], c[j+1:])
	c[len(c)-1] = pair{}
	t.chunks[i] = c[:len(c)-1]
	if len(t.chunks[i]) == 0 {
		t.chunks = append(t.chunks[:i], t.chunks[i+1:]...)
	}
}

// ascend calls fn for the pairs with the prefix that are not less than from,
// in order, until fn returns false. fn may change the table: what it inserts
// further on is seen, what it removes is not.
func (t *table) ascend(from, prefix string, fn func(pair) bool) {
	i, j, _ := t.seek(from)
	for i < len(t.chunks) {
		p, version := t.chunks[i][j], t.version
		if !strings.HasPrefix(p.key, prefix) || !fn(p) {
			return
		}
		if t.version != version {
			var found bool
			if i, j, found = t.seek(p.key); !found {
				continue
			}
		}
		if j++; j == len(t.chunks[i]) {
			i, j = i+1, 0
		}
	}
}
