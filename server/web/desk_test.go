package web

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// The frame of the site's page is the same for everyone, under a policy that lets
// it run our script and speak with this server alone.
func TestDesk(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	for lang, heading := range map[string]string{"en": "This page needs JavaScript", "es": "Esta página necesita JavaScript", "ar": "تحتاج هذه الصفحة إلى JavaScript"} {
		w := get(h, "/site?lang="+lang)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), heading) || !strings.Contains(w.Body.String(), `<html lang="`+lang+`"`) {
			t.Errorf("%s: %d %s", lang, w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" {
			t.Errorf("policy %q", got)
		}
		if w.Header().Get("Set-Cookie") != "" || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("headers %v", w.Header())
		}
		if bytes.Contains(w.Body.Bytes(), []byte("style=")) || strings.Count(w.Body.String(), "<script") != 1 {
			t.Error("the frame has a style or a script of its own")
		}
	}
}

func deskPage(t *testing.T) *browsertest.Page {
	t.Helper()
	return browsertest.Open(t, "server/web/testdata/desk.ts", nil)
}

// What the page signs is byte for byte what the ledger's own code makes.
func TestDeskSigns(t *testing.T) {
	page := deskPage(t)
	keys := []ed25519.PrivateKey{}
	seeds := []string{}
	for _, name := range []string{"first", "second", "third"} {
		seed := sha256.Sum256([]byte("desk test " + name))
		keys, seeds = append(keys, ed25519.NewKeyFromSeed(seed[:])), append(seeds, hex.EncodeToString(seed[:]))
	}
	const now, day = 1_341_554_400_000, 24 * 60 * 60 * 1000
	for _, body := range [][]byte{{}, bytes.Repeat([]byte{7}, 23), bytes.Repeat([]byte{7}, 24), bytes.Repeat([]byte{7}, 700)} {
		for n := range 4 {
			e := &tx.Envelope{
				Ledger: wire.LedgerID(sum("ledger")), Kind: contract.ConsentEnrol, Stream: wire.StreamID(studyID), Expiry: now + day,
				Idempotency: tx.Key([]byte("0123456789abcdef")), Body: body,
			}
			order := map[string]any{
				"ledger": e.Ledger, "kind": e.Kind, "stream": e.Stream, "now": now, "body": hex.EncodeToString(body),
				"unique": hex.EncodeToString(e.Idempotency[:]), "seeds": seeds[:max(1, n)],
			}
			e.Sign(keys[0])
			for i := 1; i < n; i++ {
				e.Cosign(keys[i])
			}
			got := browsertest.Call[struct{ Envelope, Hash, Key string }](t, page, "signed", order)
			if want := e.Encode(); got.Envelope != hex.EncodeToString(want) || got.Hash != tx.Hash(want).String() || got.Key != e.Key.String() {
				t.Errorf("%d bytes, %d signers: %+v", len(body), n, got)
			}
		}
	}
}

func TestDeskBodies(t *testing.T) {
	page := deskPage(t)
	reason, table := trial.Commitment(sum("reason")), trial.Commitment(sum("table"))
	remove := consent.Remove{
		Leaf: leafName, Class: trial.ByWord, Reason: reason,
		Statements: []consent.Statement{{Version: 2, Used: true}, {Version: 300, Used: false}},
	}
	// The page sorts what it states.
	said := []map[string]any{{"version": 300, "used": false}, {"version": 2, "used": true}}
	check(t, "remove", wire.Marshal(remove), browsertest.Call[string](t, page, "remove", leafName, 2, said, reason))
	ended := consent.Remove{Leaf: leafName, Class: trial.Ended, Reason: reason}
	check(t, "ended", wire.Marshal(ended), browsertest.Call[string](t, page, "remove", leafName, 3, []any{}, reason))
	for _, c := range []consent.Countersign{{Site: siteID, Table: table}, {Site: siteID, Epoch: 70_000, Table: table, Total: 256, Day: 20_000}, {Site: siteID, Table: table, Day: -3}} {
		check(t, "countersign", wire.Marshal(c), browsertest.Call[string](t, page, "countersign", c.Site, c.Epoch, c.Table, c.Total, int32(c.Day)))
	}
	seed := sum("desk seed")
	register := directory.Register{Role: trial.Investigator, Name: "Dr Müller"}
	register.Prove(wire.LedgerID(sum("ledger")), ed25519.NewKeyFromSeed(seed[:]))
	asked := browsertest.Call[struct{ Key, Possession string }](t, page, "register", wire.LedgerID(sum("ledger")), "Dr Müller", hex.EncodeToString(seed[:]))
	check(t, "possession", register.Possession[:], asked.Possession)
	check(t, "key", register.Key[:], asked.Key)
	salt := [32]byte(sum("salt"))
	text := "2012-07-06 told the site; prefers not to say más"
	committed := act.Commit("reason", salt, []byte(text))
	check(t, "reason", committed[:], browsertest.Call[string](t, page, "reason", hex.EncodeToString(salt[:]), text))
	type line struct {
		_       struct{} `cbor:",toarray"`
		Leaf    field.Leaf
		Version trial.Version
		Form    string
		Day     trial.Day
	}
	lines := []line{{Leaf: leafName, Version: 1, Form: "icf-en", Day: 15_527}, {Leaf: leafName, Version: 2, Form: "icf-es", Day: 15_600}}
	committed = act.Commit("countersign", salt, wire.Marshal(lines))
	shown := []map[string]any{
		{"leaf": leafName, "version": 1, "form": "icf-en", "day": 15_527}, {"leaf": leafName, "version": 2, "form": "icf-es", "day": 15_600},
	}
	check(t, "table", committed[:], browsertest.Call[string](t, page, "table", hex.EncodeToString(salt[:]), shown))
}

// The vectors of docs/wire.md.
func TestDeskVectors(t *testing.T) {
	page := deskPage(t)
	salt, leaf := strings.Repeat("11", 32), strings.Repeat("22", 32)
	row := map[string]any{"leaf": leaf, "version": 1, "form": "f", "day": 15_527}
	if got, want := browsertest.Call[string](t, page, "table", salt, []any{row}), "2037c73f03aeda9fe41f446ad933b49cc61c3479046d79852197e7f47cbedbc2"; got != want {
		t.Errorf("table: %s, want %s", got, want)
	}
	if got, want := browsertest.Call[string](t, page, "reason", salt, "2012-07-06 told the site"), "ef94d35752400e18e8b5d98048173a9e3ff93a15cf49a850f6f798bc25a56faf"; got != want {
		t.Errorf("reason: %s, want %s", got, want)
	}
}

func check(t *testing.T, what string, want []byte, got string) {
	t.Helper()
	if got != hex.EncodeToString(want) {
		t.Errorf("%s:\n%s, want\n%x", what, got, want)
	}
}

// What is kept opens with the right passphrase alone, and not at all once it was
// changed; a file that is no backup is none.
func TestDeskKeeps(t *testing.T) {
	want := map[string]string{
		"wrong passphrase": "passphrase", "unknown person": "file", "changed tables": "file", "same key again": "twice", "short passphrase": "passphrase",
		"no JSON": "file", "another format": "file", "nobody in it": "file", "short key": "key", "no hex": "key",
		"right passphrase": "07-0012", "key in capitals": "32",
	}
	if diff := cmp.Diff(want, browsertest.Call[map[string]string](t, deskPage(t), "refused")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
