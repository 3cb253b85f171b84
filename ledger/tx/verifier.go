package tx

import (
	"runtime"
	"sync"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// Verifier verifies signatures that are asked for at the same time together,
// which costs less than half of one by one. Its verdicts are those of
// [Signature.Verify], to the last crafted signature: ZIP-215 is the rule on
// which single and batch verification agree. The zero value is ready. It is
// safe for concurrent use.
//
// There is no timer. Who finds a worker's place free works: it lets those run
// who are about to ask, takes who waits, and hands the place on. So one that
// comes alone waits for nobody, and the more come the larger are the batches.
type Verifier struct {
	keys keyCache

	mu      sync.Mutex
	working int
	waiting []*question
}

// enough questions make a batch nearly as cheap as it gets.
const enough = 128

// question is one signature that is to be verified.
type question struct {
	key     *voi.ExpandedPublicKey
	message []byte
	sig     Signature
	turn    chan bool // true: it is yours to work; false: good is the answer
	called  bool      // it was given the turn and has not taken it; under mu
	good    bool
}

var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// Verify reports whether s is key's signature over message, by ZIP-215.
func (v *Verifier) Verify(key PublicKey, message []byte, s Signature) bool {
	expanded := v.keys.get(key)
	if expanded == nil {
		return false
	}
	q := &question{key: expanded, message: message, sig: s, turn: make(chan bool, 2)}
	v.enter(q)
	for <-q.turn {
		v.work(q)
	}
	return q.good
}

// enter queues a question, and gives it the turn while a worker's place is free.
func (v *Verifier) enter(q *question) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = append(v.waiting, q)
	v.pass(1)
}

// work answers questions, its own among them or not: then another worker has it.
func (v *Verifier) work(q *question) {
	runtime.Gosched()
	batch := v.take(q)
	defer v.leave()
	defer func() {
		for _, q := range batch { // one without an answer is not verified
			q.turn <- false
		}
	}()
	answer(batch)
}

// take takes what waits: its share, if other places are free.
func (v *Verifier) take(q *question) []*question {
	v.mu.Lock()
	defer v.mu.Unlock()
	q.called = false
	// The runtime may have lowered GOMAXPROCS below those who work already.
	free := max(1, runtime.GOMAXPROCS(0)-v.working+1)
	n := min((len(v.waiting)+free-1)/free, enough)
	batch := v.waiting[:n:n]
	v.waiting = v.waiting[n:]
	v.pass(free - 1)
	return batch
}

// leave gives the place up, or hands it on if somebody waits.
func (v *Verifier) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.working--
	v.pass(1)
}

// pass gives up to n free places to the first who wait. Call it under mu.
func (v *Verifier) pass(n int) {
	n = min(n, runtime.GOMAXPROCS(0)-v.working)
	for _, q := range v.waiting {
		if n <= 0 {
			return
		}
		if !q.called {
			q.called = true
			q.turn <- true // there is room for this and for the answer
			v.working++
			n--
		}
	}
}

// answer verifies a batch. The library decides one by one what a batch does
// not accept.
func answer(batch []*question) {
	switch len(batch) {
	case 0:
		return
	case 1:
		q := batch[0]
		q.good = voi.VerifyExpandedWithOptions(q.key, q.message, q.sig[:], zip215)
		return
	}
	b := voi.NewBatchVerifierWithCapacity(len(batch))
	for _, q := range batch {
		b.AddExpandedWithOptions(q.key, q.message, q.sig[:], zip215)
	}
	_, good := b.Verify(nil)
	for i, q := range batch {
		q.good = good[i]
	}
}

// keyCache keeps public keys as points with their multiples, 1.5 KiB each: most
// signatures are of keys that signed before.
type keyCache struct {
	mu          sync.RWMutex
	young, aged map[PublicKey]*voi.ExpandedPublicKey
}

// rememberedKeys bounds one generation of a keyCache.
const rememberedKeys = 4096

// get returns the key's point; nil if it is none.
func (c *keyCache) get(key PublicKey) *voi.ExpandedPublicKey {
	c.mu.RLock()
	k, ok := c.young[key]
	old := c.aged[key]
	c.mu.RUnlock()
	if ok {
		return k
	}
	if old == nil {
		var err error
		if old, err = voi.NewExpandedPublicKey(key[:]); err != nil {
			return nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || len(c.young) >= rememberedKeys {
		c.young, c.aged = make(map[PublicKey]*voi.ExpandedPublicKey), c.young
	}
	c.young[key] = old
	return old
}
