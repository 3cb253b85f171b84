package contract

import (
	"cmp"
	"sync"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
)

// remembered bounds one generation of [recent]; a block holds fewer transactions.
const remembered = 4096

// proofsRemembered is that of proofs: a block of batches holds fewer.
const proofsRemembered = 32 << 10

// recent remembers what was worked out lately, and forgets the oldest
// generation when the present one is full.
type recent[K comparable, V any] struct {
	limit       int // of a generation; 0: remembered
	mu          sync.Mutex
	young, aged map[K]V
}

func (r *recent[K, V]) get(k K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.aged[k]
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.young == nil || len(r.young) >= cmp.Or(r.limit, remembered) {
		r.young, r.aged = make(map[K]V), r.young
	}
	r.young[k] = v
}

// bodies remembers the rules of bodies that carry a proof: the door, Prepare and
// Execute each read one, and its statement is hashed from it.
type bodies struct{ recent[written, rule] }

// written are the very bytes of a body, so that nothing else is taken for it.
type written struct {
	kind  tx.Kind
	bytes string
}

// maxRemembered bounds a body that is remembered; an act has some 500 bytes.
const maxRemembered = 2 << 10

func (b *bodies) read(k Kind, body []byte) (rule, error) {
	if len(body) > maxRemembered {
		return k.bind(body)
	}
	w := written{k.Number, string(body)}
	if r, ok := b.get(w); ok {
		return r, nil
	}
	r, err := k.bind(body)
	if err == nil && r.claims != nil {
		b.put(w, r)
	}
	return r, err
}

// reads spares a transaction from reading a key twice: one that it did not write
// since reads as it did.
type reads struct {
	state.Store
	known map[string]value
}

type value struct {
	bytes []byte
	ok    bool
}

func (r *reads) Get(key []byte) ([]byte, bool) {
	if v, ok := r.known[string(key)]; ok {
		return v.bytes, v.ok
	}
	b, ok := r.Store.Get(key)
	if r.known == nil {
		r.known = map[string]value{}
	}
	r.known[string(key)] = value{b, ok}
	return b, ok
}

func (r *reads) Set(key, value []byte) {
	delete(r.known, string(key))
	r.Store.Set(key, value)
}

func (r *reads) Delete(key []byte) {
	delete(r.known, string(key))
	r.Store.Delete(key)
}
