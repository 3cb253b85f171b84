package sealed_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
)

var (
	kem    = hpke.DHKEM(ecdh.P256())
	urn    = []byte("Ode on a Grecian Urn")
	plain  = []byte("Beauty is truth, truth beauty")
	counts = []byte("Count-0")
)

// The vector of RFC 9180, A.3.1, of the first encryption.
const (
	vectorSkE = "4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb"
	vectorEnc = "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4"
	vectorSkR = "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"
	vectorPkR = "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0"
	vectorCt  = "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434"
)

// TestSealInTheBrowser compares seal.ts in a real browser with RFC 9180 and,
// in both directions, with the library of Go.
func TestSealInTheBrowser(t *testing.T) {
	page := browsertest.Open(t, "server/relay/sealed/testdata/seal.ts", nil)
	call := func(name string, args ...any) []byte {
		t.Helper()
		return unhex(t, browsertest.Call[string](t, page, name, args...))
	}
	text := hex.EncodeToString

	t.Run("RFC 9180", func(t *testing.T) {
		got := call("sealFrom", vectorSkE, vectorEnc, vectorPkR, text(urn), text(plain), text(counts))
		if text(got) != vectorEnc+vectorCt {
			t.Errorf("sealed: %x", got)
		}
		if got := call("open", vectorSkR, vectorPkR, text(urn), vectorEnc+vectorCt, text(counts)); !bytes.Equal(got, plain) {
			t.Errorf("opened: %q", got)
		}
	})

	t.Run("Go", func(t *testing.T) {
		for _, length := range []int{0, 1, 15, 16, 17, 2048} {
			key, err := kem.GenerateKey()
			if err != nil {
				t.Fatal(err)
			}
			secret, _ := key.Bytes()
			message := make([]byte, length)
			rand.Read(message) //nolint:errcheck // never fails
			sealed := call("sealTo", text(key.PublicKey().Bytes()), text(urn), text(message), "")
			got, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES128GCM(), urn, sealed)
			if err != nil || !bytes.Equal(got, message) {
				t.Errorf("%d bytes sealed there: %x, %v", length, got, err)
			}
			sealed, err = hpke.Seal(key.PublicKey(), hpke.HKDFSHA256(), hpke.AES128GCM(), urn, message)
			if err != nil {
				t.Fatal(err)
			}
			if got := call("open", text(secret), text(key.PublicKey().Bytes()), text(urn), text(sealed), ""); !bytes.Equal(got, message) {
				t.Errorf("%d bytes sealed here: %x", length, got)
			}
		}
	})

	t.Run("keys", func(t *testing.T) {
		pair := browsertest.Call[[]string](t, page, "newPair")
		key, err := kem.NewPrivateKey(unhex(t, pair[0]))
		if err != nil || text(key.PublicKey().Bytes()) != pair[1] {
			t.Errorf("a pair made there: %v", err)
		}
		if got := browsertest.Call[string](t, page, "closedPair"); got != "InvalidAccessError" {
			t.Errorf("a private key that is not extractable: %s", got)
		}
	})

	t.Run("refused", func(t *testing.T) {
		offCurve := vectorPkR[:len(vectorPkR)-2] + "a1"
		sealed := vectorEnc + vectorCt
		last := flipped(sealed, -1)
		for name, c := range map[string]struct {
			function string
			args     []any
			want     string
		}{
			"short key":         {"sealTo", []any{vectorPkR[2:], "", "", ""}, "public key: want"},
			"compressed key":    {"sealTo", []any{"02" + vectorPkR[2:66], "", "", ""}, "public key: want"},
			"hybrid key":        {"sealTo", []any{"06" + vectorPkR[2:], "", "", ""}, "public key: want"},
			"off the curve":     {"sealTo", []any{offCurve, "", "", ""}, "not a point"},
			"zero point":        {"sealTo", []any{"04" + strings.Repeat("0", 128), "", "", ""}, "not a point"},
			"short message":     {"open", []any{vectorSkR, vectorPkR, text(urn), sealed[:160], ""}, "at least 81"},
			"another info":      {"open", []any{vectorSkR, vectorPkR, "", sealed, text(counts)}, "does not open"},
			"another aad":       {"open", []any{vectorSkR, vectorPkR, text(urn), sealed, ""}, "does not open"},
			"another tag":       {"open", []any{vectorSkR, vectorPkR, text(urn), last, text(counts)}, "does not open"},
			"another text":      {"open", []any{vectorSkR, vectorPkR, text(urn), flipped(sealed, 65), text(counts)}, "does not open"},
			"another enc":       {"open", []any{vectorSkR, vectorPkR, text(urn), flipped(sealed, 3), text(counts)}, "not a point"},
			"short private key": {"open", []any{vectorSkR[2:], vectorPkR, text(urn), sealed, ""}, "private key: 31 bytes"},
			"another's key":     {"open", []any{vectorSkE, vectorPkR, text(urn), sealed, ""}, "private key: not the one"},
		} {
			if _, err := browsertest.Try[string](page, c.function, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestVector opens the RFC's vector with the library of Go: it is what it says.
func TestVector(t *testing.T) {
	t.Parallel()
	key, err := kem.NewPrivateKey(unhex(t, vectorSkR))
	if err != nil {
		t.Fatal(err)
	}
	r, err := hpke.NewRecipient(unhex(t, vectorEnc), key, hpke.HKDFSHA256(), hpke.AES128GCM(), urn)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Open(counts, unhex(t, vectorCt)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%q, %v", got, err)
	}
}

// flipped flips the lowest bit of one byte of hexadecimal text; a negative place
// counts from the end.
func flipped(text string, at int) string {
	b, _ := hex.DecodeString(text)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 1
	return hex.EncodeToString(b)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
