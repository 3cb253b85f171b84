package tiles

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("trialith test key 0"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func genesis() chain.Genesis {
	return chain.Genesis{
		Version: 1, Name: "Test", Time: 1_700_000_000_000, Epoch: 3600, Rules: 1, Origin: "trialith.example/tiles",
		Node: tx.PublicKey(key().Public().(ed25519.PublicKey)),
	}
}

// blockSize is how many transactions a block of the made-up ledger has, so that
// blocks and files never begin together.
const blockSize = 7

// made is a ledger without an engine: made-up transactions, of which every
// third is refused, with the log and headers that they give. Its checkpoint can
// be set back, as if it had not grown yet.
type made struct {
	entries []engine.Entry
	leaves  [][]byte
	headers []chain.Header
	nodes   map[chain.Node][]byte
	height  uint64 // of the checkpoint
	fail    func(place uint64) error
}

// madeOf returns views of one made-up ledger; making it is slow for large sizes.
var madeOf = sync.OnceValue(func() *made {
	m := &made{nodes: map[chain.Node][]byte{}}
	log, head, g := chain.NewLog(), wire.Hash{}, genesis()
	prev := g.Header()
	for len(m.leaves) < 66_003 {
		h := chain.Header{
			Version: 1, Ledger: g.ID(), Height: prev.Height + 1, Time: prev.Time + 10, First: prev.Size(), Count: blockSize,
			Previous: prev.Hash(), Rules: 1,
		}
		for i := range uint32(blockSize) {
			e := entry(h, i, uint64(len(m.entries)))
			link := e.Link(head)
			head = link.Head()
			m.entries, m.leaves = append(m.entries, e), append(m.leaves, link.Leaf())
		}
		if err := log.Append(m.leaves[h.First:], func(n chain.Node, hash []byte) { m.nodes[n] = hash }); err != nil {
			panic(err)
		}
		var err error
		if h.Root, err = log.Root(); err != nil {
			panic(err)
		}
		m.headers, prev = append(m.headers, h), h
	}
	return m
})

func entry(h chain.Header, i uint32, n uint64) engine.Entry {
	e := engine.Entry{Stream: wire.StreamID{1}, Sequence: n, Height: h.Height, Index: i, Time: h.Time}
	envelope := fmt.Appendf(nil, "envelope %d", n)
	e.Hash = tx.Hash(envelope)
	if n%3 == 2 {
		e.Result.Code = 7
	} else {
		e.Envelope = envelope
	}
	return e
}

// ledgerOf is the made-up ledger when it had so many blocks.
func ledgerOf(height uint64) *made {
	m := *madeOf()
	m.height = height
	return &m
}

// sized is the made-up ledger with a checkpoint of any size, also within a
// block, for what concerns the log alone.
type sized struct {
	*made
	size uint64
}

func (s sized) Checkpoint() []byte {
	log, err := s.logAt(s.size)
	if err != nil {
		panic(err)
	}
	root, err := log.Root()
	if err != nil {
		panic(err)
	}
	return sign(chain.Checkpoint{Origin: genesis().Origin, Size: s.size, Root: root, Height: s.size / blockSize, Time: 1, Header: wire.Sum("x")})
}

func (m *made) logAt(size uint64) (*chain.Log, error) {
	edge, err := m.LogNodes(chain.LogEdge(size))
	if err != nil {
		return nil, err
	}
	return chain.ResumeLog(size, edge)
}

func sign(c chain.Checkpoint) []byte {
	msg, err := c.Sign(chain.NewSigner(c.Origin, key()))
	if err != nil {
		panic(err)
	}
	return msg
}

func (m *made) Genesis() chain.Genesis { return genesis() }

func (m *made) Keys() (chain.Keys, error) { return genesis().Keys(), nil }

func (m *made) Checkpoint() []byte {
	if m.height == 0 {
		return sign(genesis().Header().Checkpoint(genesis().Origin))
	}
	return sign(m.headers[m.height-1].Checkpoint(genesis().Origin))
}

func (m *made) Headers(from, to uint64) ([]chain.Header, error) {
	if from == 0 || from > to || to > uint64(len(m.headers)) {
		return nil, engine.ErrUnknown
	}
	return m.headers[from-1 : to], nil
}

func (m *made) Entries(from uint64, limit int) ([]engine.Entry, error) {
	if m.fail != nil {
		if err := m.fail(from); err != nil {
			return nil, err
		}
	}
	return m.entries[from:min(from+uint64(limit), uint64(len(m.entries)))], nil
}

func (m *made) Leaves(from uint64, limit int) ([][]byte, error) {
	return m.leaves[from:min(from+uint64(limit), uint64(len(m.leaves)))], nil
}

func (m *made) LogNodes(ids []chain.Node) ([][]byte, error) {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		if out[i] = m.nodes[id]; out[i] == nil {
			return nil, errors.New("no such node")
		}
	}
	return out, nil
}

func verifier(t testing.TB) note.Verifier {
	t.Helper()
	vkey, err := genesis().Keys().VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
