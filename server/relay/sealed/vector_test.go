package sealed

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

const vectorKey = "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"

// TestVectors: the bytes of the way in are those of docs/wire.md.
func TestVectors(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## The way in\n")
	section = strings.ReplaceAll(section, "\n", "")
	key, err := hex.DecodeString(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	ledger, batcher := wire.LedgerID(bytes.Repeat([]byte{0x11}, 32)), trial.ActorID(bytes.Repeat([]byte{0x22}, 32))
	s := Statement{Ledger: ledger, Batcher: batcher, Key: Key(key), NotAfter: 1_700_000_000_000}
	s.Sign(testKey("batcher"))
	p := Promise{Ledger: ledger, Sealed: HashOf(make([]byte, Bytes)), Epoch: 42}
	p.Sign(testKey("batcher"))
	public := publicOf(testKey("batcher"))
	for name, want := range map[string]string{
		"batcher's key": hex.EncodeToString(public[:]), "key id": s.Key.ID().String(),
		"statement": hex.EncodeToString(s.Encode()), "promise": hex.EncodeToString(p.Encode()),
	} {
		if !strings.Contains(section, want) {
			t.Errorf("docs/wire.md lacks the %s: %s", name, want)
		}
	}
	if again, err := ParseStatement(s.Encode()); err != nil || again != s || again.Verify(ledger, batcher, public, 0) != nil {
		t.Errorf("statement: %+v, %v", again, err)
	}
	if again, err := ParsePromise(p.Encode()); err != nil || again != p || again.Verify(ledger, public, make([]byte, Bytes)) != nil {
		t.Errorf("promise: %+v, %v", again, err)
	}
}

// TestRefused: what is not just as it was signed, sealed or answered is refused.
func TestRefused(t *testing.T) {
	t.Parallel()
	ledger, batcher, public := wire.LedgerID{1}, trial.ActorID{2}, publicOf(testKey("batcher"))
	message := make([]byte, Bytes)
	p := Promise{Ledger: ledger, Sealed: HashOf(message), Epoch: 1}
	p.Sign(testKey("batcher"))
	for i := range p.Encode() {
		b := p.Encode()
		b[i] ^= 1
		if q, err := ParsePromise(b); err == nil && q.Verify(ledger, public, message) == nil {
			t.Errorf("promise changed at %d was taken", i)
		}
	}
	private, err := kem.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s := Statement{Ledger: ledger, Batcher: batcher, Key: Key(private.PublicKey().Bytes()), NotAfter: 10}
	s.Sign(testKey("batcher"))
	if s.Verify(ledger, batcher, public, 10) == nil || s.Verify(ledger, batcher, public, 9) != nil {
		t.Error("a statement ends at its time")
	}
	for i := range s.Encode() {
		b := s.Encode()
		b[i] ^= 1
		if q, err := ParseStatement(b); err == nil && q.Verify(ledger, batcher, public, 0) == nil {
			t.Errorf("statement changed at %d was taken", i)
		}
	}
	message, err = Seal(s.Key, ledger, batcher, []byte("act"))
	if err != nil {
		t.Fatal(err)
	}
	for i := KeyIDBytes; i < Bytes; i += 97 {
		b := bytes.Clone(message)
		b[i] ^= 1
		if _, err := Open(private, ledger, batcher, b); err == nil {
			t.Errorf("sealed act changed at %d was opened", i)
		}
	}
	for name, size := range map[string]int{"an empty act": 0, "a long act": MaxActBytes + 1} {
		if _, err := Seal(s.Key, ledger, batcher, make([]byte, size)); err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	if _, err := Open(private, wire.LedgerID{9}, batcher, message); err == nil {
		t.Error("opened for another ledger")
	}
}

// TestForm: what was sealed otherwise than Seal does it is refused.
func TestForm(t *testing.T) {
	t.Parallel()
	private, err := kem.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	key := Key(private.PublicKey().Bytes())
	ledger, batcher := wire.LedgerID{1}, trial.ActorID{2}
	for name, c := range map[string]struct {
		plain func([]byte) []byte
		want  string
	}{
		"an empty act":      {func(b []byte) []byte { return b }, "at least one"},
		"too long an act":   {func(b []byte) []byte { b[0], b[1] = 0x07, 0xff; return b }, "at most"},
		"something behind":  {func(b []byte) []byte { b[1], b[100] = 3, 1; return b }, "zeros"},
		"shorter than all":  {func(b []byte) []byte { b[1] = 3; return b[1:] }, "2136 bytes"},
		"longer than all":   {func(b []byte) []byte { b[1] = 3; return append(b, 0) }, "2138 bytes"},
		"in its right form": {func(b []byte) []byte { b[1] = 3; return b }, ""},
	} {
		message, err := sealPlain(key, ledger, batcher, c.plain(make([]byte, PlainBytes)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Open(private, ledger, batcher, message); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseAnswer: an answer that parses is just what answers so.
func FuzzParseAnswer(f *testing.F) {
	p := Promise{Epoch: 7}
	f.Add(Answer(&p, nil))
	f.Add(Answer(nil, Refuse(Used, "no")))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseAnswer(b)
		if refused, ok := err.(*RefusedError); ok || err == nil { //nolint:errorlint // made there, never wrapped
			var again []byte
			if again = Answer(&p, nil); ok {
				again = Answer(nil, refused)
			}
			if !bytes.Equal(again, b) {
				t.Errorf("%x answers as %x", b, again)
			}
		}
	})
}
