package client_test

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
)

// wayIn is a node, a relay and a batcher in one, with faults to choose from.
type wayIn struct {
	t      *testing.T
	url    string
	signer ed25519.PrivateKey
	key    hpke.PrivateKey
	actor  trial.ActorID
	ledger wire.LedgerID

	mu    sync.Mutex
	fault string
	got   [][]byte
}

func newWayIn(t *testing.T) *wayIn {
	t.Helper()
	seed := sha256.Sum256([]byte("trialith test key batcher"))
	private, err := hpke.DHKEM(ecdh.P256()).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	w := &wayIn{t: t, signer: ed25519.NewKeyFromSeed(seed[:]), key: private, actor: trial.ActorID{1}, ledger: wire.LedgerID{2}}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

func (w *wayIn) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	public := tx.PublicKey(w.signer.Public().(ed25519.PublicKey))
	encode := func(v any) { json.NewEncoder(rw).Encode(v) } //nolint:errcheck // to a test
	role := "batcher"
	if w.fault == "no batcher" {
		role = "sponsor"
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/in"); path {
	case "/v1/ledger":
		encode(map[string]any{"ledger": w.ledger})
	case "/v1/clock":
		encode(map[string]any{"now": "2023-11-14T22:13:20Z"})
	case "/v1/actors":
		encode([]any{map[string]any{"actor": w.actor, "role": role, "key": public}})
	case "/v1/ways":
		var ways []any
		if w.fault != "no ways" {
			ways = []any{map[string]any{"actor": w.actor, "name": "One", "relays": []string{w.url + "/in"}}}
		}
		encode(map[string]any{"epoch_seconds": 3600, "k_min": 10, "batchers": ways})
	case "/v1/sealed/" + w.actor.String() + "/key":
		s := sealed.Statement{Ledger: w.ledger, Batcher: w.actor, Key: sealed.Key(w.key.PublicKey().Bytes()), NotAfter: 1_800_000_000_000}
		if w.fault == "old key" {
			s.NotAfter = 1_600_000_000_000
		}
		s.Sign(w.signer)
		if w.fault == "relay's key" {
			s.Key[1] ^= 1
		}
		rw.Write(s.Encode()) //nolint:errcheck // to a test
	case "/v1/sealed/" + w.actor.String():
		message, _ := io.ReadAll(r.Body)
		w.got = append(w.got, message)
		p := &sealed.Promise{Ledger: w.ledger, Sealed: sealed.HashOf(message), Epoch: 5}
		p.Sign(w.signer)
		answer := sealed.Answer(p, nil)
		switch w.fault {
		case "used":
			answer = sealed.Answer(nil, sealed.Refuse(sealed.Used, "on the ledger already"))
		case "another promise":
			p.Epoch++
			answer = sealed.Answer(p, nil)
		case "cut":
			answer = answer[1:]
		}
		rw.Write(answer) //nolint:errcheck // to a test
	default:
		http.NotFound(rw, r)
	}
}

func TestSendSealed(t *testing.T) {
	t.Parallel()
	w := newWayIn(t)
	c := client.New(w.url, http.DefaultClient)
	body := map[string]int{"a": 1}
	p, err := c.SendSealed(t.Context(), body)
	if err != nil || p.Promise.Epoch != 5 || p.Batcher != w.actor || len(w.got) != 1 || string(w.got[0]) != string(p.Sealed) {
		t.Fatalf("%+v, %v", p, err)
	}
	act, err := sealed.Open(w.key, w.ledger, w.actor, w.got[0])
	if err != nil || string(act) != string(wire.Marshal(body)) {
		t.Errorf("%x, %v", act, err)
	}
	for fault, want := range map[string]string{
		"no ways": "names no batcher", "no batcher": "the directory has none", "old key": "too old", "relay's key": "not the batcher's",
		"another promise": "not the batcher's", "cut": "255 bytes",
	} {
		w.mu.Lock()
		w.fault = fault
		w.mu.Unlock()
		if _, err := c.SendSealed(t.Context(), body); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", fault, err)
		}
	}
	w.fault = "used"
	_, err = c.SendSealed(t.Context(), body)
	if r, ok := errors.AsType[*sealed.RefusedError](err); !ok || r.Code != sealed.Used {
		t.Errorf("used: %v", err)
	}
}
