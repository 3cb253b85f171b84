package chain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

var update = flag.Bool("update", false, "write the golden files")

func key(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "trialith test key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(n int) tx.PublicKey { return tx.PublicKey(key(n).Public().(ed25519.PublicKey)) }

func genesis() Genesis {
	return Genesis{
		Version: 1, Name: "Golden ledger", Time: 1_700_000_000_000, Epoch: 3600, Rules: 1,
		Origin: "trialith.example/golden", Node: public(0), VerifyingKey: wire.Sum("x", "verifying key"),
		Authorities: []Authority{
			{Role: "regulator", Name: "Swissmedic", Country: "CH", Key: public(1)},
			{Role: "ethics", Name: "Ethikkommission", Country: "DE", Key: public(2)},
		},
		Demonstration: true,
	}
}

func link() Link {
	return Link{
		Stream: wire.StreamID(wire.Sum("trial", "golden")), Height: 1, Time: 1_700_000_000_001,
		Hash: wire.TxHash(wire.Sum("tx", "golden")), Code: 3,
	}
}

func header() Header {
	g := genesis()
	log := NewLog()
	if err := log.Append([][]byte{link().Leaf()}, nil); err != nil {
		panic(err)
	}
	root, err := log.Root()
	if err != nil {
		panic(err)
	}
	id := link().Stream
	s := Stream{Head: link().Head(), Count: 1}
	return Header{
		Version: 1, Ledger: g.ID(), Height: 1, Time: link().Time, Count: 1, Previous: g.Header().Hash(), Root: root,
		Streams: state.NewMap(new(state.Memory)).Update([]state.Write{{Key: id[:], Value: s.Encode()}}),
		Results: wire.Sum("results", []any{uint16(3), []any{}}), Rules: 1,
	}
}

func vectors(t *testing.T) []string {
	g, l, h := genesis(), link(), header()
	msg, err := h.Checkpoint(g.Origin).Sign(NewSigner(g.Origin, key(0)))
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := g.VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	s := Stream{Head: l.Head(), Count: 1}
	return []string{
		fmt.Sprintf("genesis %x", g.Encode()),
		fmt.Sprintf("ledger %v", g.ID()),
		fmt.Sprintf("header0 %x", g.Header().Encode()),
		fmt.Sprintf("header0.hash %v", g.Header().Hash()),
		fmt.Sprintf("link %x", wire.Marshal(l)),
		fmt.Sprintf("link.head %v", l.Head()),
		fmt.Sprintf("leaf %x", l.Leaf()),
		fmt.Sprintf("stream %x", s.Encode()),
		fmt.Sprintf("header1 %x", h.Encode()),
		fmt.Sprintf("header1.hash %v", h.Hash()),
		fmt.Sprintf("verifier %s", vkey),
		fmt.Sprintf("rotation %x", wire.Marshal(rotation(0, 20, 2))),
		fmt.Sprintf("checkpoint\n%s", msg),
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	got := strings.Join(vectors(t), "\n")
	path := filepath.Join("testdata", "chain.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The document of the formats carries the vectors that the tests check.
func TestDocumentHasTheVectors(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "wire.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(doc)), "")
	for _, path := range []string{filepath.Join("testdata", "chain.txt"), filepath.Join("..", "tx", "testdata", "envelope.txt")} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			if value != "" && !strings.Contains(text, strings.Join(strings.Fields(value), "")) {
				t.Errorf("docs/wire.md lacks the vector %q of %s", name, path)
			}
		}
	}
}

func TestGenesis(t *testing.T) {
	t.Parallel()
	g := genesis()
	back, err := DecodeGenesis(g.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Encode(), g.Encode()) || back.ID() != g.ID() {
		t.Error("it does not come back as it was")
	}
	for name, change := range map[string]func(*Genesis){
		"version":             func(g *Genesis) { g.Version = 2 },
		"name empty":          func(g *Genesis) { g.Name = "" },
		"name too long":       func(g *Genesis) { g.Name = strings.Repeat("x", MaxNameBytes+1) },
		"name with a newline": func(g *Genesis) { g.Name = "a\nb" },
		"time":                func(g *Genesis) { g.Time = 0 },
		"epoch":               func(g *Genesis) { g.Epoch = 0 },
		"rules":               func(g *Genesis) { g.Rules = 0 },
		"origin with +":       func(g *Genesis) { g.Origin = "a+b" },
		"origin with space":   func(g *Genesis) { g.Origin = "a b" },
		"node":                func(g *Genesis) { g.Node = tx.PublicKey{} },
		"authority key twice": func(g *Genesis) { g.Authorities[1].Key = g.Authorities[0].Key },
		"node as authority":   func(g *Genesis) { g.Authorities[1].Key = g.Node },
		"country":             func(g *Genesis) { g.Authorities[0].Country = "che" },
		"role":                func(g *Genesis) { g.Authorities[0].Role = "" },
		"authorities":         func(g *Genesis) { g.Authorities = make([]Authority, MaxAuthorities+1) },
	} {
		bad := genesis()
		change(&bad)
		if _, err := DecodeGenesis(bad.Encode()); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func TestHeaderFollows(t *testing.T) {
	t.Parallel()
	g, h := genesis(), header()
	if err := CheckHeaders(g, []Header{h}); err != nil {
		t.Fatal(err)
	}
	next := h
	next.Height, next.Time, next.First, next.Previous = 2, h.Time+1, 1, h.Hash()
	if err := CheckHeaders(g, []Header{h, next}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Header){
		"version":  func(h *Header) { h.Version++ },
		"ledger":   func(h *Header) { h.Ledger[0] ^= 1 },
		"height":   func(h *Header) { h.Height++ },
		"time":     func(h *Header) { h.Time-- },
		"first":    func(h *Header) { h.First++ },
		"count":    func(h *Header) { h.Count = 0 },
		"previous": func(h *Header) { h.Previous[0] ^= 1 },
		"rules":    func(h *Header) { h.Rules-- },
	} {
		bad := next
		change(&bad)
		if err := CheckHeaders(g, []Header{h, bad}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	if err := CheckHeaders(g, []Header{next}); err == nil {
		t.Error("a chain that begins at height 2 was taken")
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	g, h := genesis(), header()
	msg, err := h.Checkpoint(g.Origin).Sign(NewSigner(g.Origin, key(0)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckpoint(g.Keys(), msg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Matches(h); err != nil {
		t.Fatal(err)
	}
	other := h
	other.Results[0] ^= 1
	if err := c.Matches(other); err == nil {
		t.Error("it matches another header of the same log")
	}
	later := c
	later.Time++
	if err := later.Matches(h); err == nil {
		t.Error("a checkpoint with another time matches the header")
	}
	vkey, err := g.VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(msg, note.VerifierList(v)); err != nil {
		t.Errorf("the standard verifier: %v", err)
	}
	for i := range msg {
		bad := bytes.Clone(msg)
		bad[i] ^= 1
		if c, err := OpenCheckpoint(g.Keys(), bad); err == nil && c.Matches(h) != nil {
			t.Errorf("byte %d changed, and it opens as %+v", i, c)
		}
	}
	if _, err := OpenCheckpoint(g.Keys(), mustSign(t, h.Checkpoint(g.Origin), g.Origin, 1)); err == nil {
		t.Error("another key's signature was taken")
	}
	if _, err := OpenCheckpoint(g.Keys(), mustSign(t, h.Checkpoint("other"), g.Origin, 0)); err == nil {
		t.Error("another origin was taken")
	}
	for _, text := range []string{
		"", "o\n1\n", strings.Replace(c.Text(), "\n1\n", "\n01\n", 1), strings.Replace(c.Text(), "header 1", "header 01", 1),
		c.Text() + "more\n", strings.Replace(c.Text(), "header", "head", 1),
		strings.Replace(c.Text(), "header 1 1", "header 1 -1", 1), strings.Replace(c.Text(), "header 1 1", "header 1 +1", 1),
		strings.Replace(c.Text(), "header 1 1700000000001 ", "header 1 ", 1),
	} {
		if _, err := ParseCheckpoint(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func mustSign(t *testing.T, c Checkpoint, origin string, n int) []byte {
	msg, err := c.Sign(NewSigner(origin, key(n)))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// naiveRoot is RFC 6962 section 2.1 as it stands.
func naiveRoot(leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func TestLog(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "size")
		leaves := make([][]byte, n)
		for i := range leaves {
			leaves[i] = fmt.Appendf(nil, "leaf %d", i)
		}
		nodes := map[Node][]byte{}
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		grow(t, NewLog(), leaves[:cut], nodes)
		// Taken up again after the cut, from stored nodes.
		edge, err := read(nodes)(LogEdge(uint64(cut)))
		if err != nil {
			t.Fatal(err)
		}
		log, err := ResumeLog(uint64(cut), edge)
		if err != nil {
			t.Fatal(err)
		}
		old := rootOf(t, log)
		grow(t, log, leaves[cut:], nodes)
		root := rootOf(t, log)
		if naive := naiveRoot(leaves); root != naive {
			t.Fatalf("root %x, naive %x", root, naive)
		}
		if sum := sumdb(t, leaves); root != sum {
			t.Fatalf("root %x, x/mod/sumdb %x", root, sum)
		}
		if n == 0 {
			return
		}
		i := rapid.IntRange(0, n-1).Draw(t, "index")
		p, err := InclusionProof(uint64(i), uint64(n), read(nodes))
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyInclusion(leaves[i], uint64(i), uint64(n), p, root); err != nil {
			t.Fatal(err)
		}
		if VerifyInclusion([]byte("another"), uint64(i), uint64(n), p, root) == nil {
			t.Fatal("another leaf was proven")
		}
		if cut > 0 {
			p, err := ConsistencyProof(uint64(cut), uint64(n), read(nodes))
			if err != nil {
				t.Fatal(err)
			}
			if err := VerifyConsistency(uint64(cut), uint64(n), p, old, root); err != nil {
				t.Fatal(err)
			}
			if VerifyConsistency(uint64(cut), uint64(n), p, wire.Sum("x"), root) == nil {
				t.Fatal("another history was proven")
			}
		}
	})
}

func grow(t *rapid.T, log *Log, leaves [][]byte, nodes map[Node][]byte) *Log {
	if err := log.Append(leaves, func(n Node, h []byte) { nodes[n] = h }); err != nil {
		t.Fatal(err)
	}
	return log
}

func rootOf(t *rapid.T, log *Log) wire.Hash {
	root, err := log.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func read(nodes map[Node][]byte) func([]Node) ([][]byte, error) {
	return func(ids []Node) ([][]byte, error) {
		out := make([][]byte, len(ids))
		for i, id := range ids {
			if out[i] = nodes[id]; out[i] == nil {
				return nil, fmt.Errorf("node %v was never told", id)
			}
		}
		return out, nil
	}
}

// sumdb computes the root with the Go checksum database's own code.
func sumdb(t *rapid.T, leaves [][]byte) wire.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, leaf := range leaves {
		hs, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hs...)
	}
	root, err := tlog.TreeHash(int64(len(leaves)), reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(leaves) == 0 {
		return naiveRoot(nil) // the checksum database says zero here, RFC 6962 the hash of nothing
	}
	return wire.Hash(root)
}

func TestLinkIsWires(t *testing.T) {
	t.Parallel()
	for _, l := range []Link{{}, link(), {Sequence: 1 << 40, Height: 300, Index: 70000, Time: -3, Directory: 25, Code: 65535}} {
		want := wire.Sum("stream", l.Previous, l.Stream, l.Sequence, l.Height, l.Index, l.Time, l.Directory, l.Hash, l.Code)
		if l.Head() != want {
			t.Errorf("head of %+v: %v, want %v", l, l.Head(), want)
		}
		if got, want := l.Leaf(), wire.Marshal([]any{l.Hash, l.Code, want}); !bytes.Equal(got, want) {
			t.Errorf("leaf of %+v: %x, want %x", l, got, want)
		}
		s := Stream{Head: want, Count: l.Sequence, Digest: l.Previous}
		if got, want := s.Encode(), wire.Marshal(s); !bytes.Equal(got, want) {
			t.Errorf("stream %+v: %x, want %x", s, got, want)
		}
		if back, err := DecodeStream(s.Encode()); err != nil || back != s {
			t.Errorf("stream %+v comes back as %+v: %v", s, back, err)
		}
		if _, err := DecodeStream(append(s.Encode(), 0)); err == nil {
			t.Error("a longer stream record was taken")
		}
	}
}
