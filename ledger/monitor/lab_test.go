package monitor_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/tx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "trialith test key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

func genesis() chain.Genesis {
	return chain.Genesis{
		Version: 1, Name: "Test", Time: 1_700_000_000_000, Epoch: 3600, Rules: 1, Origin: "trialith.example/monitor",
		Node: tx.PublicKey(key(0).Public().(ed25519.PublicKey)),
	}
}

// node is what a node says: whatever history it is told to, well signed.
type node struct {
	headers   []chain.Header
	leaves    [][]byte
	nodes     map[chain.Node][]byte
	rotations []chain.Rotation
	keys      map[tx.PublicKey]ed25519.PrivateKey
	cosigner  note.Signer
	sign      func(chain.Checkpoint) chain.Checkpoint // changes what it signs
}

// script makes a history of blocks, one for each text; the transactions are its letters.
func script(t testing.TB, blocks ...string) *node {
	t.Helper()
	n := &node{keys: map[tx.PublicKey]ed25519.PrivateKey{genesis().Node: key(0)}}
	n.more(t, blocks...)
	return n
}

// more adds blocks. The log of the new headers is that of all leaves as they are now.
func (n *node) more(t testing.TB, blocks ...string) {
	t.Helper()
	for _, b := range blocks {
		prev := genesis().Header()
		if len(n.headers) > 0 {
			prev = n.headers[len(n.headers)-1]
		}
		for _, letter := range []byte(b) {
			n.leaves = append(n.leaves, []byte{letter})
		}
		n.headers = append(n.headers, chain.Header{
			Version: 1, Ledger: genesis().ID(), Height: prev.Height + 1, Time: prev.Time + 1000, First: prev.Size(), Count: uint32(len(b)),
			Previous: prev.Hash(), Root: n.root(t), Rules: 1,
		})
	}
}

func (n *node) root(t testing.TB) [32]byte {
	t.Helper()
	log := chain.NewLog()
	n.nodes = map[chain.Node][]byte{}
	if err := log.Append(n.leaves, func(id chain.Node, hash []byte) { n.nodes[id] = hash }); err != nil {
		t.Fatal(err)
	}
	root, err := log.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func (n *node) Genesis() chain.Genesis { return genesis() }

func (n *node) Keys() (chain.Keys, error) { return chain.NewKeys(genesis(), n.rotations...) }

func (n *node) Checkpoint() []byte {
	h := genesis().Header()
	if len(n.headers) > 0 {
		h = n.headers[len(n.headers)-1]
	}
	c := h.Checkpoint(genesis().Origin)
	if n.sign != nil {
		c = n.sign(c)
	}
	keys, err := n.Keys()
	if err != nil {
		panic(err)
	}
	signers := []note.Signer{chain.NewSigner(c.Origin, n.keys[keys.At(c.Height)])}
	if n.cosigner != nil {
		signers = append(signers, n.cosigner)
	}
	msg, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		panic(err)
	}
	return msg
}

func (n *node) Headers(from, to uint64) ([]chain.Header, error) {
	if from == 0 || to > uint64(len(n.headers)) {
		return nil, engine.ErrUnknown
	}
	return n.headers[from-1 : to], nil
}

func (n *node) Entries(from uint64, limit int) ([]engine.Entry, error) {
	es := make([]engine.Entry, min(limit, len(n.leaves)-int(from)))
	for i := range es {
		at := from + uint64(i)
		block := slices.IndexFunc(n.headers, func(h chain.Header) bool { return at < h.Size() })
		es[i].Height, es[i].Index = uint64(block)+1, uint32(at-n.headers[block].First)
		es[i].Result.Code = 1
	}
	return es, nil
}

func (n *node) Leaves(from uint64, limit int) ([][]byte, error) {
	return n.leaves[from:min(int(from)+limit, len(n.leaves))], nil
}

func (n *node) LogNodes(ids []chain.Node) ([][]byte, error) {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		if out[i] = n.nodes[id]; out[i] == nil {
			return nil, errors.New("no such node")
		}
	}
	return out, nil
}

// rotate gives the node another key from its next block on.
func (n *node) rotate(t testing.TB, number int) {
	t.Helper()
	keys, err := n.Keys()
	if err != nil {
		t.Fatal(err)
	}
	next := key(number)
	n.keys[tx.PublicKey(next.Public().(ed25519.PublicKey))] = next
	n.rotations = append(n.rotations, chain.Rotation{
		Height:   uint64(len(n.headers)) + 1,
		Envelope: chain.NewRotation(genesis().ID(), n.keys[keys.Present()], next, 1<<50, tx.Key{byte(number)}).Encode(),
	})
}

// shown is what the node shows to who asks one of its servers.
func (n *node) shown(t testing.TB) tiles.Reader {
	t.Helper()
	path := t.TempDir()
	if _, err := tiles.Export(t.Context(), n, path); err != nil {
		t.Fatal(err)
	}
	d, err := tiles.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// clock stands where it is set.
type clock int64

func (c clock) Now() int64 { return int64(c) }
