package client_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node answers what its script says, one answer a request.
type node struct {
	t      *testing.T
	mu     sync.Mutex
	script []answer
	asked  []*http.Request
	bodies [][]byte
	then   func() // called at each request
}

type answer struct {
	status int
	header string // "Name: value"
	body   string
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		n.t.Error(err)
	}
	n.asked, n.bodies = append(n.asked, r), append(n.bodies, b)
	if len(n.script) == 0 {
		n.t.Errorf("one request too many: %s %s", r.Method, r.URL)
		return
	}
	if n.then != nil {
		n.then()
	}
	a := n.script[0]
	n.script = n.script[1:]
	if name, value, ok := strings.Cut(a.header, ": "); ok {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body) //nolint:errcheck // the client may have gone
}

func open(t *testing.T, script ...answer) (*client.Client, *node) {
	t.Helper()
	n := &node{t: t, script: script}
	server := httptest.NewServer(n)
	t.Cleanup(func() {
		server.Client().CloseIdleConnections()
		server.Close()
		if len(n.script) > 0 {
			t.Errorf("%d answers were not asked for", len(n.script))
		}
	})
	return client.New(server.URL+"/", server.Client()), n
}

var (
	study = trial.ID{1}
	hash  = wire.TxHash{2}
	busy  = answer{503, "Retry-After: 1", `{"status":503,"title":"Busy"}`}
)

func accepted() answer { return answer{202, "", fmt.Sprintf(`{"hash":"%v"}`, hash)} }

func key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) }

func TestBusyIsAskedAgain(t *testing.T) {
	t.Parallel()
	c, n := open(t, busy, busy, accepted())
	got, err := c.Act(t.Context(), []any{"act"})
	if err != nil || got != hash {
		t.Fatalf("%v, %v", got, err)
	}
	if !bytes.Equal(n.bodies[0], n.bodies[2]) || n.asked[2].Header.Get("Content-Type") != "application/cbor" {
		t.Error("it was not the same request again")
	}
	for _, name := range []string{"Cookie", "Authorization"} {
		if n.asked[0].Header.Get(name) != "" {
			t.Errorf("an act carries %s", name)
		}
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answer answer
		want   client.Problem
		says   string
	}{
		{
			answer{403, "", `{"type":"urn:x","status":403,"title":"t","detail":"signature: not the signer's","code":4,"remedy":"sign it"}`},
			client.Problem{Type: "urn:x", Status: 403, Title: "t", Detail: "signature: not the signer's", Code: trial.BadSignature, Remedy: "sign it"},
			"HTTP 403: signature: not the signer's",
		},
		{answer{502, "", "<html>a gateway</html>"}, client.Problem{Status: 502, Title: "Bad Gateway"}, "HTTP 502: Bad Gateway"},
	} {
		api, _ := open(t, c.answer)
		_, err := api.Submit(t.Context(), new(tx.Envelope))
		var p *client.Problem
		if !errors.As(err, &p) || *p != c.want || p.Error() != c.says {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	c, n := open(t, answer{404, "", `{"status":404}`}, answer{200, "", fmt.Sprintf(
		`{"hash":"%v","name":"trial/5","stream":"%v","sequence":5,"height":9,"time":"2024-02-03T06:00:00.000Z","code":306,"refusal":"used"}`, hash, study)})
	o, err := c.Wait(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	want := client.Outcome{
		Hash: hash, Name: "trial/5", Stream: wire.StreamID(study), Sequence: 5, Height: 9,
		Time: time.Date(2024, 2, 3, 6, 0, 0, 0, time.UTC), Code: trial.AccountUsed, Refusal: "used",
	}
	if o != want || o.Accepted() {
		t.Errorf("%+v", o)
	}
	if n.asked[0].URL.Query().Get("wait") == "" {
		t.Error("it does not ask the node to wait")
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	ledger := wire.LedgerID{7}
	c, n := open(t,
		answer{200, "", fmt.Sprintf(`{"ledger":"%v"}`, ledger)},
		answer{200, "", `{"now":"2024-01-01T00:00:00.000Z","kind":"study"}`},
		accepted(), answer{200, "", `{"name":"directory/1"}`},
		// The second time the ledger's name is known, and the expiry given.
		accepted(), answer{200, "", `{"name":"directory/2"}`},
	)
	_, second, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	order := client.Order{Kind: 3, Body: "body", Signer: key(), Cosigners: []ed25519.PrivateKey{second}}
	for i, expiry := range []int64{0, 5} {
		order.Expiry = expiry
		o, err := c.Send(t.Context(), order)
		if err != nil || o.Name != fmt.Sprintf("directory/%d", i+1) {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	first, err := tx.Decode(n.bodies[2])
	if err != nil {
		t.Fatal(err)
	}
	pub := tx.PublicKey(key().Public().(ed25519.PublicKey))
	if !first.Signature.Verify(pub, first.SigningBytes()) || len(first.Cosigners) != 1 || first.Ledger != ledger {
		t.Errorf("the envelope: %+v", first)
	}
	if want := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli(); first.Expiry != want {
		t.Errorf("expiry %d, want a day from the node's time, %d", first.Expiry, want)
	}
	again, err := tx.Decode(n.bodies[4])
	if err != nil || again.Idempotency == first.Idempotency || again.Expiry != 5 {
		t.Errorf("the second: %+v, %v", again, err)
	}
	if _, err := c.Send(t.Context(), client.Order{}); err == nil {
		t.Error("an order without a key was sent")
	}
}

func TestLeaves(t *testing.T) {
	t.Parallel()
	leaf := field.Leaf{31: 1}
	c, n := open(t, answer{200, `ETag: "1"`, string(leaf[:]) + string(make([]byte, 32))}, answer{304, "", ""}, answer{200, "", "odd"})
	for range 2 {
		got, err := c.Leaves(t.Context(), study, "N-1", 4)
		if err != nil || len(got) != 2 || got[0] != leaf || got[1] != (field.Leaf{}) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if n.asked[1].Header.Get("If-None-Match") != `"1"` || n.asked[0].URL.Query().Get("height") != "4" {
		t.Errorf("asked %v %v", n.asked[0].URL, n.asked[1].Header)
	}
	if _, err := c.Leaves(t.Context(), study, "N-1", 5); err == nil {
		t.Error("a list that is not of whole leaves was taken")
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	a := field.Account{31: 9}
	c, _ := open(t, answer{200, "", string(a[:])}, answer{200, "", ""})
	if got, err := c.Accounts(t.Context(), study); err != nil || len(got) != 1 || got[0] != a {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.Accounts(t.Context(), study); err != nil || len(got) != 0 {
		t.Errorf("none: %v, %v", got, err)
	}
}

// TestHostileNode bounds what a node can make the client hold.
func TestHostileNode(t *testing.T) {
	t.Parallel()
	c, _ := open(t, answer{200, "", `{"title":"` + strings.Repeat("x", 9<<20) + `"}`}, answer{200, "", "[]"}, answer{200, "", ""})
	for _, what := range []string{"too long", "of another form", "empty"} {
		if _, err := c.Trial(t.Context(), study); err == nil {
			t.Errorf("an answer %s was taken", what)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	c, n := open(t, busy)
	ctx, cancel := context.WithCancel(t.Context())
	n.then = cancel
	if _, err := c.Act(ctx, "act"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
