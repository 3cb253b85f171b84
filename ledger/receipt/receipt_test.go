package receipt_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	fproof "github.com/transparency-dev/formats/proof"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func key() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("trialith test key 0"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func genesis() chain.Genesis {
	return chain.Genesis{
		Version: 1, Name: "Test", Time: 1_700_000_000_000, Epoch: 3600, Rules: 1, Origin: "trialith.example/test",
		Node: tx.PublicKey(key().Public().(ed25519.PublicKey)),
	}
}

// build makes a log of size leaves, the last count of which are one block, and
// the receipt of the leaf at index in that block.
func build(t testing.TB, size, count int, index uint32) receipt.Receipt {
	t.Helper()
	return buildWith(t, size, count, index, func(*chain.Link) {})
}

// buildWith is build of a ledger that logs another link than it should.
func buildWith(t testing.TB, size, count int, index uint32, change func(*chain.Link)) receipt.Receipt {
	t.Helper()
	g := genesis()
	nodes := map[chain.Node][]byte{}
	log := chain.NewLog()
	link := chain.Link{
		Stream: wire.StreamID{1}, Sequence: 7, Height: 5, Index: index, Time: g.Time + 5, Directory: 3,
		Hash: wire.TxHash(wire.Sum("tx", "x")), Previous: wire.Sum("x"),
	}
	change(&link)
	first := size - count
	leaves := make([][]byte, size)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "%d", i)
	}
	leaves[first+int(index)] = link.Leaf()
	if err := log.Append(leaves, func(n chain.Node, h []byte) { nodes[n] = h }); err != nil {
		t.Fatal(err)
	}
	root, err := log.Root()
	if err != nil {
		t.Fatal(err)
	}
	h := chain.Header{
		Version: 1, Ledger: g.ID(), Height: 5, Time: g.Time + 5, First: uint64(first), Count: uint32(count),
		Root: root, Previous: wire.Sum("p"), Streams: wire.Sum("s"), Results: wire.Sum("r"), Rules: 1,
	}
	path, err := chain.InclusionProof(uint64(first)+uint64(index), uint64(size), func(ids []chain.Node) ([][]byte, error) {
		out := make([][]byte, len(ids))
		for i, id := range ids {
			out[i] = nodes[id]
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	msg, err := h.Checkpoint(g.Origin).Sign(chain.NewSigner(g.Origin, key()))
	if err != nil {
		t.Fatal(err)
	}
	return receipt.New(h, link, path, msg)
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	r := build(t, 20, 6, 2)
	p, err := r.Verify(genesis())
	if err != nil {
		t.Fatal(err)
	}
	if p.Index != 16 || !p.Accepted() || p.Link != r.Link || !strings.HasPrefix(p.Notice, "No witness") {
		t.Errorf("proven: %+v", p)
	}
	back, err := receipt.Decode(r.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.Verify(genesis()); err != nil {
		t.Error(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fromJSON receipt.Receipt
	if err := json.Unmarshal(b, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fromJSON.Encode(), r.Encode()) {
		t.Error("JSON does not come back as it was")
	}
	var public fproof.TLogProof
	if err := public.Unmarshal(r.TLogProof()); err != nil || public.Index != 16 || len(public.Hashes) != len(r.Path) {
		t.Errorf("as a tlog-proof: %+v %v", public, err)
	}
}

// A receipt of a demonstration says so to whoever verifies it.
func TestReceiptOfADemonstration(t *testing.T) {
	t.Parallel()
	g := genesis()
	g.Demonstration = !g.Demonstration
	// The ledger is another one, so the receipt does not verify; what is known of
	// the ledger stands in the notice all the same.
	p, err := (receipt.Receipt{}).Verify(g)
	if err == nil || strings.HasPrefix(p.Notice, receipt.Demonstration) != g.Demonstration {
		t.Errorf("%q %v", p.Notice, err)
	}
}

func TestReceiptRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*receipt.Receipt){
		"version":        func(r *receipt.Receipt) { r.Version++ },
		"header height":  func(r *receipt.Receipt) { r.Header.Height++ },
		"header streams": func(r *receipt.Receipt) { r.Header.Streams[0] ^= 1 },
		"header first":   func(r *receipt.Receipt) { r.Header.First--; r.Header.Count++ },
		"ledger":         func(r *receipt.Receipt) { r.Header.Ledger[0] ^= 1 },
		"previous":       func(r *receipt.Receipt) { r.Link.Previous[0] ^= 1 },
		"stream":         func(r *receipt.Receipt) { r.Link.Stream[0] ^= 1 },
		"sequence":       func(r *receipt.Receipt) { r.Link.Sequence++ },
		"height":         func(r *receipt.Receipt) { r.Link.Height++ },
		"index":          func(r *receipt.Receipt) { r.Link.Index++ },
		"index too far":  func(r *receipt.Receipt) { r.Link.Index = 6 },
		"time":           func(r *receipt.Receipt) { r.Link.Time++ },
		"directory":      func(r *receipt.Receipt) { r.Link.Directory++ },
		"hash":           func(r *receipt.Receipt) { r.Link.Hash[0] ^= 1 },
		"code":           func(r *receipt.Receipt) { r.Link.Code = 1 },
		"path":           func(r *receipt.Receipt) { r.Path[0][0] ^= 1 },
		"path shorter":   func(r *receipt.Receipt) { r.Path = r.Path[1:] },
		"path too long":  func(r *receipt.Receipt) { r.Path = make([]wire.Hash, 65) },
		"checkpoint":     func(r *receipt.Receipt) { r.Checkpoint = strings.Replace(r.Checkpoint, "\n20\n", "\n21\n", 1) },
		"no signature":   func(r *receipt.Receipt) { r.Checkpoint, _, _ = strings.Cut(r.Checkpoint, "\u2014") },
	} {
		r := build(t, 20, 6, 2)
		change(&r)
		if _, err := r.Verify(genesis()); err == nil {
			t.Errorf("%s: changed, and it still verifies", name)
		}
	}
}

// A ledger that logs a link with another time or height than its header's is
// caught by the receipt, however well it is signed.
func TestLinkOfAnotherTime(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*chain.Link){
		"time":   func(l *chain.Link) { l.Time-- },
		"height": func(l *chain.Link) { l.Height-- },
	} {
		if _, err := buildWith(t, 20, 6, 2, change).Verify(genesis()); err == nil {
			t.Errorf("%s: verifies", name)
		}
	}
}

// Whatever byte of the encoding is changed, the receipt does not verify: it has
// no byte that means nothing.
func TestMutatedReceipt(t *testing.T) {
	t.Parallel()
	b := build(t, 20, 6, 2).Encode()
	for i := range b {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(b)
			bad[i] ^= bit
			r, err := receipt.Decode(bad)
			if err != nil {
				continue
			}
			if _, err := r.Verify(genesis()); err == nil {
				t.Errorf("byte %d of %d changed by %x, and it still verifies", i, len(b), bit)
			}
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	n := len(build(t, 100_000, 50, 20).Encode())
	t.Logf("a receipt in a log of 100,000 has %d bytes", n)
	if n > 1229 {
		t.Errorf("a receipt in a log of 100,000 has %d bytes; at most 1.2 KB", n)
	}
}

func FuzzDecode(f *testing.F) {
	b := build(f, 20, 6, 2).Encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, x []byte) {
		r, err := receipt.Decode(x)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Encode(), x) {
			t.Fatal("a second encoding was taken")
		}
		if _, err := r.Verify(genesis()); err == nil && !bytes.Equal(x, b) {
			t.Fatal("a forged receipt verifies")
		}
	})
}
