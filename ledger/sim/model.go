package sim

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// model is what the world knows of a ledger: what was sent to it, what it told,
// and the rules of its state machine, in plain maps.
type model struct {
	mu      sync.Mutex
	raws    map[wire.TxHash][]byte
	order   []wire.TxHash // of raws
	entries map[wire.TxHash]engine.Entry
	heads   map[uint64]chain.Header
}

func newModel() *model {
	return &model{raws: map[wire.TxHash][]byte{}, entries: map[wire.TxHash]engine.Entry{}, heads: map[uint64]chain.Header{}}
}

// sent keeps a transaction before it is sent.
func (m *model) sent(raw []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := tx.Hash(raw)
	if m.raws[h] == nil {
		m.order = append(m.order, h)
	}
	m.raws[h] = raw
}

// told keeps an entry that Wait has returned, saw a head that was shown.
func (m *model) told(e engine.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[e.Hash] = e
}

func (m *model) saw(h chain.Header) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heads[h.Height] = h
}

// unsettled are the transactions of which nothing was told.
func (m *model) unsettled() (out []wire.TxHash) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range m.order {
		if _, ok := m.entries[h]; !ok {
			out = append(out, h)
		}
	}
	return out
}

// clone is the model as it is at this moment.
func (m *model) clone() *model {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &model{raws: maps.Clone(m.raws), order: append([]wire.TxHash(nil), m.order...), entries: maps.Clone(m.entries), heads: maps.Clone(m.heads)}
}

// any is some transaction that was sent.
func (m *model) any(n func(int) int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := n(len(m.order))
	if len(m.order) == 0 {
		return nil
	}
	return m.raws[m.order[i]]
}

func (m *model) isTold(h wire.TxHash) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.entries[h]
	return ok
}

// mayRefuse: a signer whose grant was acknowledged is refused nothing.
func (m *model) mayRefuse(raw []byte) error {
	e, err := tx.Decode(raw)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for h := range m.entries {
		g, err := tx.Decode(m.raws[h])
		if err != nil {
			return err
		}
		if g.Kind == toy.Grant && g.Key == e.Key {
			return errors.New("refused, though its signer was granted to")
		}
	}
	return nil
}

// claim is a signer's idempotency key in a stream.
type claim struct {
	stream wire.StreamID
	signer wire.KeyID
	key    tx.Key
}

func claimOf(e *tx.Envelope) claim { return claim{e.Stream, e.Key, e.Idempotency} }

// mayBeDuplicate checks that what is said to stand was sent, under the same key.
func (m *model) mayBeDuplicate(raw []byte, answer error) error {
	dup := new(engine.DuplicateError)
	if !errors.As(answer, &dup) {
		return answer
	}
	m.mu.Lock()
	earlier := m.raws[dup.Earlier]
	m.mu.Unlock()
	a, err := tx.Decode(raw)
	if err != nil {
		return err
	}
	b, err := tx.Decode(earlier)
	if err != nil || claimOf(a) != claimOf(b) || dup.Earlier == tx.Hash(raw) {
		return fmt.Errorf("said to be a duplicate of %v, which is none", dup.Earlier)
	}
	return nil
}

// prove checks the receipt of something that was told, and a head against the log.
func (m *model) prove(e engine.Engine, n func(int) int) error {
	raw := m.any(n)
	if raw == nil || !m.isTold(tx.Hash(raw)) {
		return nil
	}
	r, err := e.Receipt(tx.Hash(raw))
	if err != nil {
		return err
	}
	p, err := enginetest.VerifyReceipt(e.Genesis(), r)
	if err != nil {
		return err
	}
	if p.Link.Hash != tx.Hash(raw) {
		return fmt.Errorf("the receipt proves %v", p.Link.Hash)
	}
	m.mu.Lock()
	h, ok := m.heads[p.Link.Height]
	m.mu.Unlock()
	if !ok {
		return nil
	}
	return extends(e, h)
}

// check holds a ledger to what it told, and executes all that is in it anew.
func (m *model) check(e engine.Engine) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for hash, want := range m.entries {
		got, err := e.Entry(hash)
		if err != nil || got.Height != want.Height || got.Index != want.Index || got.Result.Code != want.Result.Code {
			return fmt.Errorf("%s was told to be in block %d at %d with code %d, now %d at %d with %d: %w",
				want.Name(), want.Height, want.Index, want.Result.Code, got.Height, got.Index, got.Result.Code, errors.Join(err, errChanged))
		}
	}
	for _, h := range m.heads {
		if err := extends(e, h); err != nil {
			return err
		}
	}
	return m.execute(e)
}

// execute runs the blocks by the model's own rules.
func (m *model) execute(e engine.Engine) error {
	x := execution{node: toy.Genesis().Node.ID(), keys: map[wire.KeyID]bool{}, used: map[claim]bool{}, added: map[wire.StreamID]map[string]string{}}
	head := e.Head()
	for height := uint64(1); height <= head.Height; height++ {
		b, err := e.Block(height)
		if err != nil {
			return err
		}
		for _, entry := range b.Entries {
			env, err := tx.Decode(m.raws[entry.Hash])
			if err != nil {
				return fmt.Errorf("block %d: %s was never sent: %w", height, entry.Name(), err)
			}
			if want := x.run(env, entry); entry.Result.Code != want {
				return fmt.Errorf("block %d: %s has code %d, by the model %d", height, entry.Name(), entry.Result.Code, want)
			}
		}
	}
	return x.compare(e)
}

// execution is the state by the model.
type execution struct {
	node  wire.KeyID
	keys  map[wire.KeyID]bool
	used  map[claim]bool
	added map[wire.StreamID]map[string]string
}

func (x *execution) run(env *tx.Envelope, entry engine.Entry) engine.Code {
	if x.used[claimOf(env)] {
		return engine.Duplicate
	}
	if env.Expiry <= entry.Time {
		return engine.Expired
	}
	x.used[claimOf(env)] = true
	switch env.Kind {
	case engine.KindRotate:
		if env.Key != x.node {
			return engine.BadRotation
		}
		x.node = env.Cosigners[0].Key
		return engine.Accepted
	case toy.Grant:
		x.keys[env.Key] = true
		return engine.Accepted
	}
	if !x.keys[env.Key] {
		return toy.NotBefore
	}
	of := x.added[env.Stream]
	if of == nil {
		of = map[string]string{}
		x.added[env.Stream] = of
	}
	if _, taken := of[string(env.Body)]; taken {
		return toy.Taken
	}
	of[string(env.Body)] = fmt.Sprint(entry.Sequence)
	return engine.Accepted
}

// compare compares the trials' states with the ledger's.
func (x *execution) compare(e engine.Engine) error {
	for n := range trials {
		got := map[string]string{}
		v, release := e.View(toy.Stream(n))
		v.Scan(nil, func(key, value []byte) bool {
			got[string(key)] = string(value)
			return true
		})
		release()
		if !maps.Equal(got, x.added[toy.Stream(n)]) {
			return fmt.Errorf("the state of trial %d has %d pairs, by the model %d, or others", n, len(got), len(x.added[toy.Stream(n)]))
		}
	}
	return nil
}
