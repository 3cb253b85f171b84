package receipt_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"strings"
	"testing"

	"filippo.io/torchwood"
	fproof "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

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

// shape is a ledger of which a receipt is made: a log of size leaves in blocks
// of one, the last of count.
type shape struct {
	size, count int
	index       uint32 // of the transaction in that block
	after       int    // transactions in blocks of one after it, the last of which the checkpoint is of
	// change makes the ledger log another link than it should.
	change func(*chain.Link)
	cosign []note.Signer
}

// build makes the ledger and the receipt.
func (s shape) build(t testing.TB) receipt.Receipt {
	t.Helper()
	g := genesis()
	first, height := s.size-s.count, uint64(s.size-s.count)+1
	link := chain.Link{
		Stream: wire.StreamID{1}, Sequence: 7, Height: height, Index: s.index, Time: g.Time + int64(height), Directory: 3,
		Hash: wire.TxHash(wire.Sum("tx", "x")), Previous: wire.Sum("x"),
	}
	if s.change != nil {
		s.change(&link)
	}
	leaves := make([][]byte, s.size+s.after)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "%d", i)
	}
	index := uint64(first) + uint64(s.index)
	leaves[index] = link.Leaf()
	nodes := map[chain.Node][]byte{}
	log := chain.NewLog()
	if err := log.Append(leaves, func(n chain.Node, h []byte) { nodes[n] = h }); err != nil {
		t.Fatal(err)
	}
	root, err := log.Root()
	if err != nil {
		t.Fatal(err)
	}
	path, err := chain.InclusionProof(index, log.Size(), func(ids []chain.Node) ([][]byte, error) {
		out := make([][]byte, len(ids))
		for i, id := range ids {
			out[i] = nodes[id]
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c := chain.Checkpoint{
		Origin: g.Origin, Size: log.Size(), Root: root, Height: height + uint64(s.after),
		Time: g.Time + int64(height) + int64(s.after), Header: wire.Sum("header"),
	}
	return receipt.New(index, link, path, sign(t, c, s.cosign...), nil)
}

func sign(t testing.TB, c chain.Checkpoint, more ...note.Signer) []byte {
	t.Helper()
	msg, err := note.Sign(&note.Note{Text: c.Text()}, append([]note.Signer{chain.NewSigner(c.Origin, key())}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func parse(t testing.TB, text []byte) receipt.Receipt {
	t.Helper()
	r, err := receipt.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]shape{
		"own checkpoint": {size: 20, count: 6, index: 2},
		"later one":      {size: 20, count: 6, index: 2, after: 17},
		"alone":          {size: 1, count: 1},
	} {
		r := s.build(t)
		p, err := parse(t, r.Text()).Verify(genesis(), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Index != uint64(s.size-s.count)+uint64(s.index) || !p.Accepted() || p.Witnessed || p.Link != r.Link || !strings.HasPrefix(p.Notice, "No witness") {
			t.Errorf("%s: proven: %+v", name, p)
		}
		if p.Checkpoint.Size != uint64(s.size+s.after) {
			t.Errorf("%s: under the log of %d", name, p.Checkpoint.Size)
		}
		public(t, name, r)
	}
}

// public checks a receipt with the code of others, as far as the log goes.
func public(t *testing.T, name string, r receipt.Receipt) {
	t.Helper()
	vkey, err := genesis().Keys().VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(genesis().Origin), torchwood.SingleVerifierPolicy(v))
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(r.Link.Leaf()), r.Text()); err != nil {
		t.Errorf("%s: torchwood: %v", name, err)
	}
	if torchwood.VerifyProof(policy, tlog.RecordHash([]byte("another")), r.Text()) == nil {
		t.Errorf("%s: torchwood takes another leaf", name)
	}
	var f fproof.TLogProof
	if err := f.Unmarshal(r.Text()); err != nil || f.Index != r.Index || len(f.Hashes) != len(r.Path) {
		t.Errorf("%s: transparency-dev: %+v %v", name, f, err)
	}
}

// witness is a cosigner of the tests, and quorum a policy that asks for it.
type quorum struct{ torchwood.Policy }

func (q quorum) Check(checkpoint []byte) error {
	n, err := note.Open(checkpoint, q)
	if err != nil {
		return err
	}
	return q.Policy.Check(genesis().Origin, n.Sigs)
}

func witness(t testing.TB) (note.Signer, quorum) {
	t.Helper()
	seed := sha256.Sum256([]byte("trialith test witness"))
	s, err := torchwood.NewCosignatureSigner("witness.example/one", ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return s, quorum{torchwood.SingleVerifierPolicy(s.Verifier())}
}

// The notice goes only when the policy's quorum holds.
func TestWitnessedReceipt(t *testing.T) {
	t.Parallel()
	w, policy := witness(t)
	bare, cosigned := shape{size: 20, count: 6, index: 2}, shape{size: 20, count: 6, index: 2, cosign: []note.Signer{w}}
	for _, c := range []struct {
		name      string
		receipt   receipt.Receipt
		policy    receipt.Policy
		witnessed bool
	}{
		{"cosigned, asked for", cosigned.build(t), policy, true},
		{"cosigned, no policy", cosigned.build(t), nil, false},
		{"not cosigned", bare.build(t), policy, false},
	} {
		p, err := parse(t, c.receipt.Text()).Verify(genesis(), c.policy)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if p.Witnessed != c.witnessed || (p.Notice == "") != c.witnessed {
			t.Errorf("%s: %+v", c.name, p)
		}
		if strings.Contains(p.Sentence(), "quorum of witnesses") != c.witnessed {
			t.Errorf("%s: %s", c.name, p.Sentence())
		}
	}
	// The witness's line over another checkpoint is no cosignature of this one.
	r := cosigned.build(t)
	other := shape{size: 21, count: 6, index: 2, cosign: []note.Signer{w}}.build(t)
	text, lines, _ := strings.Cut(r.Checkpoint, "\n\n")
	node, _, _ := strings.Cut(lines, "\n")
	r.Checkpoint = text + "\n\n" + node + "\n" + other.Checkpoint[strings.Index(other.Checkpoint, "\u2014 witness"):]
	if p, err := r.Verify(genesis(), policy); err == nil && p.Witnessed {
		t.Error("a cosignature of another checkpoint counts")
	}
}

// A receipt of a demonstration says so to whoever verifies it.
func TestReceiptOfADemonstration(t *testing.T) {
	t.Parallel()
	g := genesis()
	g.Demonstration = !g.Demonstration
	// The ledger is another one, so the receipt does not verify; what is known of
	// the ledger stands in the notice all the same.
	p, err := (receipt.Receipt{}).Verify(g, nil)
	if err == nil || strings.HasPrefix(p.Notice, receipt.Demonstration) != g.Demonstration {
		t.Errorf("%q %v", p.Notice, err)
	}
}

// After a rotation the new key signs, and the receipt carries what shows that.
func TestReceiptAfterARotation(t *testing.T) {
	t.Parallel()
	g, r := genesis(), shape{size: 20, count: 6, index: 2}.build(t)
	seed := sha256.Sum256([]byte("trialith test key 9"))
	next := ed25519.NewKeyFromSeed(seed[:])
	c, err := chain.OpenCheckpoint(g.Keys(), []byte(r.Checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Sign(chain.NewSigner(g.Origin, next))
	if err != nil {
		t.Fatal(err)
	}
	rotation := func(height uint64) []chain.Rotation {
		return []chain.Rotation{{Height: height, Envelope: chain.NewRotation(g.ID(), key(), next, 1<<50, tx.Key{1}).Encode()}}
	}
	for _, c := range []struct {
		name       string
		checkpoint []byte
		rotations  []chain.Rotation
		good       bool
	}{
		{"new key, rotated before", msg, rotation(3), true},
		{"new key, rotated in this block", msg, rotation(c.Height), true},
		{"new key, no rotation", msg, nil, false},
		{"new key, rotated later", msg, rotation(c.Height + 1), false},
		{"old key, rotated before", []byte(r.Checkpoint), rotation(3), false},
		{"old key, a rotation that is not needed", []byte(r.Checkpoint), rotation(c.Height + 1), false},
		{"old key, no rotation", []byte(r.Checkpoint), nil, true},
	} {
		x := receipt.New(r.Index, r.Link, r.Path, c.checkpoint, c.rotations)
		if _, err := parse(t, x.Text()).Verify(g, nil); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestReceiptRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*receipt.Receipt){
		"place":            func(r *receipt.Receipt) { r.Index++ },
		"place too far":    func(r *receipt.Receipt) { r.Index = 1 << 40 },
		"previous":         func(r *receipt.Receipt) { r.Link.Previous[0] ^= 1 },
		"stream":           func(r *receipt.Receipt) { r.Link.Stream[0] ^= 1 },
		"sequence":         func(r *receipt.Receipt) { r.Link.Sequence++ },
		"height":           func(r *receipt.Receipt) { r.Link.Height++ },
		"index":            func(r *receipt.Receipt) { r.Link.Index++ },
		"time":             func(r *receipt.Receipt) { r.Link.Time++ },
		"directory":        func(r *receipt.Receipt) { r.Link.Directory++ },
		"hash":             func(r *receipt.Receipt) { r.Link.Hash[0] ^= 1 },
		"code":             func(r *receipt.Receipt) { r.Link.Code = 1 },
		"path":             func(r *receipt.Receipt) { r.Path[0][0] ^= 1 },
		"path shorter":     func(r *receipt.Receipt) { r.Path = r.Path[1:] },
		"path too long":    func(r *receipt.Receipt) { r.Path = make([]wire.Hash, 65) },
		"checkpoint":       func(r *receipt.Receipt) { r.Checkpoint = strings.Replace(r.Checkpoint, "\n20\n", "\n21\n", 1) },
		"no signature":     func(r *receipt.Receipt) { r.Checkpoint, _, _ = strings.Cut(r.Checkpoint, "\u2014") },
		"strange rotation": func(r *receipt.Receipt) { r.Rotations = []chain.Rotation{{Height: 1}} },
	} {
		r := shape{size: 20, count: 6, index: 2}.build(t)
		change(&r)
		if _, err := r.Verify(genesis(), nil); err == nil {
			t.Errorf("%s: changed, and it still verifies", name)
		}
	}
}

// A ledger that logs a link with a time, height or place that cannot be is
// caught by the receipt, however well it is signed.
func TestLinkThatCannotBe(t *testing.T) {
	t.Parallel()
	own, later := shape{size: 20, count: 6, index: 2}, shape{size: 20, count: 6, index: 2, after: 4}
	for _, c := range []struct {
		name   string
		shape  shape
		change func(*chain.Link)
	}{
		{"time", own, func(l *chain.Link) { l.Time-- }},
		{"height", own, func(l *chain.Link) { l.Height-- }},
		{"no block", own, func(l *chain.Link) { l.Height = 0 }},
		{"place in its block", own, func(l *chain.Link) { l.Index = 17 }},
		{"more blocks before than transactions", own, func(l *chain.Link) { l.Index = 3 }},
		{"after the checkpoint", later, func(l *chain.Link) { l.Height += 9 }},
		{"later than the checkpoint", later, func(l *chain.Link) { l.Time += 9 }},
		{"checkpoint's time without its height", later, func(l *chain.Link) { l.Time += 4 }},
		{"more blocks after than transactions", later, func(l *chain.Link) { l.Height -= 4 }},
	} {
		c.shape.change = c.change
		if p, err := c.shape.build(t).Verify(genesis(), nil); err == nil {
			t.Errorf("%s: verifies: %+v", c.name, p)
		}
	}
	if _, err := later.build(t).Verify(genesis(), nil); err != nil {
		t.Errorf("control: %v", err)
	}
}

// Whatever byte of the text is changed, the receipt does not verify: it has no
// byte that means nothing.
func TestMutatedReceipt(t *testing.T) {
	t.Parallel()
	text := shape{size: 20, count: 6, index: 2}.build(t).Text()
	for i := range text {
		for bit := range 8 {
			bad := bytes.Clone(text)
			bad[i] ^= 1 << bit
			r, err := receipt.Parse(bad)
			if err != nil {
				continue
			}
			if _, err := r.Verify(genesis(), nil); err == nil {
				t.Errorf("byte %d of %d, bit %d changed, and it still verifies", i, len(text), bit)
			}
		}
	}
}

func TestParseIsStrict(t *testing.T) {
	t.Parallel()
	text := string(shape{size: 20, count: 6, index: 2}.build(t).Text())
	if _, err := receipt.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"empty":          "",
		"leading zero":   strings.Replace(text, "index ", "index 0", 1),
		"carriage":       strings.Replace(text, "index 16\n", "index 16\r\n", 1),
		"no extra":       text[:strings.Index(text, "extra")] + text[strings.Index(text, "index"):],
		"other extra":    strings.Replace(text, "extra ", "extra AAAA", 1),
		"end cut":        text[:len(text)-1],
		"one line more":  text + "\n",
		"no blank line":  strings.Replace(text, "\n\n", "\n", 1),
		"path too long":  strings.Replace(text, "index 16\n", "index 16\n"+strings.Repeat(strings.Repeat("A", 43)+"=\n", 65), 1),
		"too large":      text + strings.Repeat("x", receipt.MaxBytes),
		"another header": strings.Replace(text, "@v1", "@v2", 1),
	} {
		if _, err := receipt.Parse([]byte(bad)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// Spare bits of a signature in base64: the note's own reader lets them pass.
	r := shape{size: 20, count: 6, index: 2}.build(t)
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	end := len(r.Checkpoint) - len("x=\n")
	spare := digits[strings.IndexByte(digits, r.Checkpoint[end])|1]
	r.Checkpoint = r.Checkpoint[:end] + string(spare) + r.Checkpoint[end+1:]
	if _, err := r.Verify(genesis(), nil); err != nil {
		t.Errorf("control: %v", err)
	}
	if _, err := receipt.Parse(r.Text()); err == nil {
		t.Error("spare bits: taken")
	}
}

// synthetic is a receipt with the path of a log of a size that is too large to make.
func synthetic(t testing.TB, size uint64, cosign ...note.Signer) []byte {
	t.Helper()
	g := genesis()
	l := chain.Link{
		Stream: wire.StreamID(wire.Sum("stream")), Sequence: size / 100, Height: size / 20, Index: 100, Time: g.Time + int64(size),
		Directory: 3000, Hash: wire.TxHash(wire.Sum("tx")), Previous: wire.Sum("p"),
	}
	path := make([]wire.Hash, bits.Len64(size-1))
	for i := range path {
		path[i] = wire.Sum("path", i)
	}
	c := chain.Checkpoint{Origin: g.Origin, Size: size, Root: wire.Sum("root"), Height: l.Height, Time: l.Time, Header: wire.Sum("header")}
	return receipt.New(size/2, l, path, sign(t, c, cosign...), nil).Text()
}

// The text spends 45 bytes on each hash of the path, of which 32 are hash, so it
// passes 1.2 KB in a log of 100,000; compressed, as a server sends it to who
// takes that, it stays below until past a million.
func TestSize(t *testing.T) {
	t.Parallel()
	w, _ := witness(t)
	for _, c := range []struct {
		size       uint64
		cosign     []note.Signer
		text, gzip int
	}{
		{100_000, nil, 1300, 1050},
		{1_000_000, nil, 1450, 1150},
		{10_000_000, nil, 1650, 1280},
		{10_000_000, []note.Signer{w}, 1800, 1400},
	} {
		text := synthetic(t, c.size, c.cosign...)
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("log of %d, %d cosignatures: %d bytes, compressed %d", c.size, len(c.cosign), len(text), b.Len())
		if len(text) > c.text || b.Len() > c.gzip {
			t.Errorf("log of %d: %d bytes, compressed %d; at most %d and %d", c.size, len(text), b.Len(), c.text, c.gzip)
		}
		if _, err := receipt.Parse(text); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	text := shape{size: 20, count: 6, index: 2}.build(f).Text()
	later := shape{size: 20, count: 6, index: 2, after: 3}.build(f).Text()
	f.Add(text)
	f.Add(later)
	f.Fuzz(func(t *testing.T, x []byte) {
		r, err := receipt.Parse(x)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Text(), x) {
			t.Fatal("a second spelling was taken")
		}
		p, err := r.Verify(genesis(), nil)
		if err != nil {
			return
		}
		// Lines of strangers under the signature are not the ledger's to forbid.
		r.Checkpoint = r.Checkpoint[:strings.Index(r.Checkpoint, "\u2014")]
		for _, known := range [][]byte{text, later} {
			k := parse(t, known)
			k.Checkpoint = k.Checkpoint[:strings.Index(k.Checkpoint, "\u2014")]
			if bytes.Equal(r.Text(), k.Text()) {
				return
			}
		}
		t.Fatalf("a forged receipt verifies: %+v", p)
	})
}
