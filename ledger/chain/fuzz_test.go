package chain

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// FuzzFault15Decoders: what is taken has no second encoding.
func FuzzFault15Decoders(f *testing.F) {
	g, h, l := genesis(), header(), link()
	s := Stream{Head: l.Head(), Count: 1}
	p := streamProof(f)
	for _, b := range [][]byte{g.Encode(), h.Encode(), wire.Marshal(l), s.Encode(), wire.Marshal(p), []byte(h.Checkpoint(g.Origin).Text())} {
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := DecodeGenesis(b); err == nil && !bytes.Equal(g.Encode(), b) {
			t.Fatalf("genesis %x", b)
		}
		if h, err := DecodeHeader(b); err == nil && !bytes.Equal(h.Encode(), b) {
			t.Fatalf("header %x", b)
		}
		if s, err := DecodeStream(b); err == nil && !bytes.Equal(s.Encode(), b) {
			t.Fatalf("stream %x", b)
		}
		if c, err := ParseCheckpoint(string(b)); err == nil && c.Text() != string(b) {
			t.Fatalf("checkpoint %q", b)
		}
		var l Link
		if wire.Unmarshal(b, &l) == nil && !bytes.Equal(wire.Marshal(l), b) {
			t.Fatalf("link %x", b)
		}
		var q StreamProof
		if wire.Unmarshal(b, &q) == nil {
			if !bytes.Equal(wire.Marshal(q), b) {
				t.Fatalf("stream proof %x", b)
			}
			if q.Verify(h) == nil && !bytes.Equal(b, wire.Marshal(p)) && q.Stream.Count > 0 {
				t.Fatalf("a forged stream proof: %x", b)
			}
		}
	})
}

// streamProof proves the one stream of header().
func streamProof(t testing.TB) StreamProof {
	t.Helper()
	id := link().Stream
	s := Stream{Head: link().Head(), Count: 1}
	m := state.NewMap(new(state.Memory))
	m.Update([]state.Write{{Key: id[:], Value: s.Encode()}})
	p := StreamProof{ID: id, Height: 1, Stream: s, Proof: m.Prove(id[:])}
	if err := p.Verify(header()); err != nil {
		t.Fatal(err)
	}
	return p
}

// FuzzFault15Link: what is hashed as a link and written as a leaf is the
// canonical encoding of its fields, whoever writes it.
func FuzzFault15Link(f *testing.F) {
	f.Add([]byte("seed"), uint64(1), uint64(2), uint32(3), int64(4), uint64(5), uint16(6))
	f.Fuzz(func(t *testing.T, b []byte, sequence, height uint64, index uint32, time int64, directory uint64, code uint16) {
		l := Link{
			Previous: wire.Sum("x", b), Stream: wire.StreamID(wire.Sum("y", b)), Sequence: sequence, Height: height, Index: index,
			Time: time, Directory: directory, Hash: wire.TxHash(wire.Sum("z", b)), Code: code,
		}
		want := wire.Sum("stream", l.Previous, l.Stream, l.Sequence, l.Height, l.Index, l.Time, l.Directory, l.Hash, l.Code)
		if l.Head() != want {
			t.Fatalf("%+v: head %v, want %v", l, l.Head(), want)
		}
		if leaf := wire.Marshal([]any{l.Hash, l.Code, want}); !bytes.Equal(l.Leaf(), leaf) {
			t.Fatalf("%+v: leaf %x, want %x", l, l.Leaf(), leaf)
		}
		s := Stream{Head: want, Count: sequence, Digest: l.Previous}
		if !bytes.Equal(s.Encode(), wire.Marshal(s)) {
			t.Fatalf("%+v: %x", s, s.Encode())
		}
	})
}

// TestFault15LogAgainstOthers: on random sizes our log's roots and proofs are
// those of the Go checksum database's code, each verifies the other's, and both
// are taken by the verifier of transparency-dev; a proof with one bit changed,
// one hash more or one less, is taken by none.
func TestFault15LogAgainstOthers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 0))
	for range 12 {
		size := 1 + r.IntN(1500)
		leaves := make([][]byte, size)
		for i := range leaves {
			leaves[i] = fmt.Appendf(nil, "leaf %d of %d", i, size)
		}
		nodes := map[Node][]byte{}
		log := NewLog()
		if err := log.Append(leaves, func(n Node, h []byte) { nodes[n] = h }); err != nil {
			t.Fatal(err)
		}
		theirs := &hashes{}
		theirs.grow(t, leaves)
		for range 8 {
			n := 1 + r.IntN(size)
			m, i := 1+r.IntN(n), r.IntN(n)
			root, err := tlog.TreeHash(int64(n), theirs)
			if err != nil {
				t.Fatal(err)
			}
			old, err := tlog.TreeHash(int64(m), theirs)
			if err != nil {
				t.Fatal(err)
			}
			compareInclusion(t, r, nodes, theirs, leaves[i], uint64(i), uint64(n), wire.Hash(root))
			compareConsistency(t, r, nodes, theirs, uint64(m), uint64(n), wire.Hash(old), wire.Hash(root))
		}
		root, err := tlog.TreeHash(int64(size), theirs)
		if ours, e := log.Root(); err != nil || e != nil || ours != wire.Hash(root) {
			t.Errorf("size %d: root %v, theirs %v", size, ours, root)
		}
	}
}

func compareInclusion(t *testing.T, r *rand.Rand, nodes map[Node][]byte, theirs *hashes, leaf []byte, i, n uint64, root wire.Hash) {
	t.Helper()
	ours, err := InclusionProof(i, n, read(nodes))
	if err != nil {
		t.Fatal(err)
	}
	other, err := tlog.ProveRecord(int64(n), int64(i), theirs)
	if err != nil || !equal(ours, other) {
		t.Fatalf("place %d of %d: %x, theirs %x: %v", i, n, ours, other, err)
	}
	verify := func(p []wire.Hash) []error {
		leafHash := rfc6962.DefaultHasher.HashLeaf(leaf)
		return []error{
			VerifyInclusion(leaf, i, n, p, root),
			tlog.CheckRecord(tlogs(p), int64(n), tlog.Hash(root), int64(i), tlog.RecordHash(leaf)),
			proof.VerifyInclusion(rfc6962.DefaultHasher, i, n, leafHash, raw(p), root[:]),
		}
	}
	taken(t, r, ours, verify)
}

func compareConsistency(t *testing.T, r *rand.Rand, nodes map[Node][]byte, theirs *hashes, m, n uint64, old, root wire.Hash) {
	t.Helper()
	ours, err := ConsistencyProof(m, n, read(nodes))
	if err != nil {
		t.Fatal(err)
	}
	other, err := tlog.ProveTree(int64(n), int64(m), theirs)
	if err != nil || !equal(ours, other) {
		t.Fatalf("sizes %d and %d: %x, theirs %x: %v", m, n, ours, other, err)
	}
	taken(t, r, ours, func(p []wire.Hash) []error {
		return []error{
			VerifyConsistency(m, n, p, old, root),
			tlog.CheckTree(tlogs(p), int64(n), tlog.Hash(root), int64(m), tlog.Hash(old)),
			proof.VerifyConsistency(rfc6962.DefaultHasher, m, n, raw(p), old[:], root[:]),
		}
	})
}

// taken checks that all verifiers take a proof, and none a changed one.
func taken(t *testing.T, r *rand.Rand, p []wire.Hash, verify func([]wire.Hash) []error) {
	t.Helper()
	for i, err := range verify(p) {
		if err != nil {
			t.Errorf("verifier %d refuses a good proof: %v", i, err)
		}
	}
	changed := [][]wire.Hash{append(slices.Clip(p), wire.Hash{1})}
	if len(p) > 0 {
		bent := slices.Clone(p)
		bent[r.IntN(len(p))][r.IntN(wire.Size)] ^= 1 << r.IntN(8)
		changed = append(changed, bent, p[1:], p[:len(p)-1])
	}
	for _, q := range changed {
		for i, err := range verify(q) {
			if err == nil {
				t.Errorf("verifier %d takes a changed proof of %d hashes", i, len(q))
			}
		}
	}
}

// hashes are the stored hashes of the checksum database's log.
type hashes struct{ stored []tlog.Hash }

func (h *hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h.stored[x]
	}
	return out, nil
}

func (h *hashes) grow(t *testing.T, leaves [][]byte) {
	t.Helper()
	for i, leaf := range leaves {
		fresh, err := tlog.StoredHashes(int64(i), leaf, h)
		if err != nil {
			t.Fatal(err)
		}
		h.stored = append(h.stored, fresh...)
	}
}

func tlogs(p []wire.Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(p))
	for i := range p {
		out[i] = tlog.Hash(p[i])
	}
	return out
}

func equal(p []wire.Hash, q []tlog.Hash) bool { return slices.Equal(tlogs(p), q) }
