package sealed

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// testKey is the test key of a name.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("trialith test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(key ed25519.PrivateKey) tx.PublicKey {
	return tx.PublicKey(key.Public().(ed25519.PublicKey))
}

// TestPromiseInTheBrowser compares promise.ts in a real browser with this package.
func TestPromiseInTheBrowser(t *testing.T) {
	page := browsertest.Open(t, "server/relay/sealed/testdata/promise.ts", nil)
	text := hex.EncodeToString
	key := testKey("batcher")
	public := publicOf(key)
	ledger, batcher := wire.LedgerID{1, 2}, trial.ActorID{3, 4}
	from := map[string]string{"ledger": text(ledger[:]), "actor": text(batcher[:]), "key": text(public[:])}
	opening, err := kem.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s := Statement{Ledger: ledger, Batcher: batcher, Key: Key(opening.PublicKey().Bytes()), NotAfter: 1_700_000_000_000}
	s.Sign(key)
	said := text(s.Encode())

	got := browsertest.Call[[]string](t, page, "statement", said, from, s.NotAfter-1)
	if got[0] != text(s.Key[:]) || got[1] != "1700000000000" {
		t.Errorf("statement: %q", got)
	}
	act := bytes.Repeat([]byte{7}, MaxActBytes)
	for _, n := range []int{1, 600, MaxActBytes} {
		sealed := browsertest.Call[string](t, page, "sealAct", said, from, 0, text(act[:n]))
		b, err := hex.DecodeString(sealed)
		if err != nil || len(b) != Bytes || KeyID(b[:KeyIDBytes]) != s.Key.ID() {
			t.Fatalf("%d bytes sealed: %d bytes, %v", n, len(b), err)
		}
		if plain, err := Open(opening, ledger, batcher, b); err != nil || !bytes.Equal(plain, act[:n]) {
			t.Errorf("%d bytes sealed there: %x, %v", n, plain, err)
		}
	}
	sealed := make([]byte, Bytes)
	p := Promise{Ledger: ledger, Sealed: HashOf(sealed), Epoch: math.MaxUint64 - 1}
	p.Sign(key)
	promised := text(Answer(&p, nil))
	got = browsertest.Call[[]string](t, page, "answer", promised, from, text(sealed))
	if got[0] != "promise" || got[1] != "18446744073709551614" || got[2] != text(p.Encode()) {
		t.Errorf("promise: %q", got)
	}
	for c := Unreadable; c < codes; c++ {
		got := browsertest.Call[[]string](t, page, "answer", text(Answer(nil, Refuse(c, "é %d", c))), from, text(sealed))
		if got[0] != "refused" || got[1] != words[c] || !strings.HasPrefix(got[2], "é ") {
			t.Errorf("refusal %d: %q", c, got)
		}
	}

	another := map[string]string{"ledger": from["ledger"], "actor": from["actor"], "key": text(make([]byte, 32))}
	elsewhere := map[string]string{"ledger": text(make([]byte, 32)), "actor": from["actor"], "key": from["key"]}
	for name, c := range map[string]struct {
		function string
		args     []any
		want     string
	}{
		"late":                 {"statement", []any{said, from, s.NotAfter}, "too old"},
		"short statement":      {"statement", []any{said[2:], from, 0}, "200 bytes"},
		"statement of another": {"statement", []any{said, elsewhere, 0}, "another ledger"},
		"statement changed":    {"statement", []any{changed(said, 70), from, 0}, "not the batcher's"},
		"statement prolonged":  {"statement", []any{changed(said, 136), from, 0}, "not the batcher's"},
		"statement, other key": {"statement", []any{said, another, 0}, ""},
		"empty act":            {"sealAct", []any{said, from, 0, ""}, "at least one"},
		"long act":             {"sealAct", []any{said, from, 0, text(make([]byte, MaxActBytes+1))}, "2047 bytes"},
		"promise changed":      {"answer", []any{changed(promised, 72), from, text(sealed)}, "not the batcher's"},
		"of another act":       {"answer", []any{promised, from, text(make([]byte, 3))}, "another sealed act"},
		"promise elsewhere":    {"answer", []any{promised, elsewhere, text(sealed)}, "another ledger"},
		"not filled":           {"answer", []any{changed(promised, 255), from, text(sealed)}, "zeros"},
		"short answer":         {"answer", []any{promised[2:], from, text(sealed)}, "255 bytes"},
		"no answer":            {"answer", []any{changed(promised, 0), from, text(sealed)}, "neither"},
	} {
		if _, err := browsertest.Try[[]string](page, c.function, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var words = map[Code]string{
	Unreadable: "unreadable", Malformed: "malformed", Elsewhere: "elsewhere", Unproven: "unproven", Used: "used", Busy: "busy",
}

// changed flips the lowest bit of a byte of hexadecimal text.
func changed(text string, at int) string {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	b[at] ^= 1
	return hex.EncodeToString(b)
}
