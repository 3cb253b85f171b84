package device_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
)

// page holds the vectors of docs/wire.md to what the browser makes, and to what
// Go makes.
func page(t *testing.T, p *browsertest.Page) {
	text, err := os.ReadFile("../../../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## What a participant's device sends\n")
	var master [32]byte
	for i := range master {
		master[i] = byte(i)
	}
	ledger, id := wire.LedgerID(bytes.Repeat([]byte{0x11}, 32)), trial.ID(bytes.Repeat([]byte{0x22}, 32))
	check := wire.Sum("recovery", master[:])
	groups := browsertest.Call[[]string](t, p, "sheet", hex.EncodeToString(master[:]))
	if strings.Join(groups, "") != crockford(append(master[:], check[:2]...)) {
		t.Errorf("sheet %v", groups)
	}
	code, err := client.ParseCode("K7QM-2RTX-9PWD")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := pbkdf2.Key(sha256.New, string(code), []byte("trialith/v1/card"), 65536, 32)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "trialith/v1/card/key", 32)
	if err != nil {
		t.Fatal(err)
	}
	if made := browsertest.Call[madeCard](t, p, "card", string(code)); made != (madeCard{string(code), code.String(), code.Box().String(), code.From()}) {
		t.Errorf("card %+v", made)
	}
	for name, want := range map[string]string{
		"leaf": leafOf(t, master, "", ledger, id, 1), "pass": leafOf(t, master, "/pass/1", ledger, id, 1), "sheet": strings.Join(groups, "-"),
		"code": code.String(), "box": code.Box().String(), "key": hex.EncodeToString(key), "from": code.From(), "inbox": client.InboxBox(make([]byte, 65)).String(),
	} {
		if !strings.Contains(section, want) {
			t.Errorf("docs/wire.md lacks the %s: %s", name, want)
		}
	}
}
