package device_test

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// batcher is one behind a relay of the test's, with faults to choose from.
type batcher struct {
	l     *lab
	name  string
	actor trial.ActorID
	key   hpke.PrivateKey

	mu    sync.Mutex
	fault string
	held  []consent.Act
}

func (l *lab) batcher(name string) *batcher {
	l.Helper()
	raw, err := ecdh.P256().GenerateKey(rand.Reader)
	l.check(err)
	k, err := hpke.NewDHKEMPrivateKey(raw)
	l.check(err)
	return &batcher{l: l, name: name, actor: l.register(name, trial.Batcher, "regulator"), key: k}
}

func (b *batcher) sets(fault string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = fault
}

// takes returns the acts it holds, and holds none any more.
func (b *batcher) takes() []consent.Act {
	b.mu.Lock()
	defer b.mu.Unlock()
	held := b.held
	b.held = nil
	return held
}

func (b *batcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.l.mu.Lock()
	b.l.requests = append(b.l.requests, "relay "+r.Method+" "+r.URL.Path+" "+strings.Join(r.Header["Cookie"], "")+strings.Join(r.Header["Referer"], ""))
	b.l.mu.Unlock()
	switch {
	case b.fault == "away":
		http.Error(w, "away", http.StatusBadGateway)
	case r.Method == http.MethodGet:
		w.Write(b.statement()) //nolint:errcheck // the page has gone
	default:
		message, _ := io.ReadAll(r.Body)
		w.Write(b.answer(message)) //nolint:errcheck // the page has gone
	}
}

func (b *batcher) statement() []byte {
	s := sealed.Statement{Ledger: b.l.ledger.ID(), Batcher: b.actor, Key: sealed.Key(b.key.PublicKey().Bytes()), NotAfter: b.l.clock.Now() + hour}
	signer := key(b.name)
	switch b.fault {
	case "old":
		s.NotAfter = b.l.clock.Now()
	case "other ledger":
		s.Ledger = wire.LedgerID{1}
	case "forged statement":
		signer = key("relay")
	}
	s.Sign(signer)
	return s.Encode()
}

func (b *batcher) answer(message []byte) []byte {
	if b.fault == "refuses" {
		return sealed.Answer(nil, sealed.Refuse(sealed.Busy, "come later"))
	}
	body, err := sealed.Open(b.key, b.l.ledger.ID(), b.actor, message)
	var a consent.Act
	if err == nil {
		err = wire.Unmarshal(body, &a)
	}
	if err != nil {
		return sealed.Answer(nil, sealed.Refuse(sealed.Malformed, "%v", err))
	}
	b.held = append(b.held, a)
	p := sealed.Promise{Ledger: b.l.ledger.ID(), Sealed: sealed.HashOf(message), Epoch: 1}
	signer := ed25519.PrivateKey(key(b.name))
	switch b.fault {
	case "forged promise":
		signer = key("relay")
	case "promises another":
		p.Sealed = sealed.HashOf([]byte("another"))
	}
	p.Sign(signer)
	return sealed.Answer(&p, nil)
}

// sends puts what a batcher holds on the ledger.
func (b *batcher) sends(epoch uint64) {
	b.l.Helper()
	b.l.must(b.name, contract.ConsentBatch, b.l.stream(), consent.Batch{Acts: b.takes(), Epoch: epoch})
}

func (l *lab) epoch() uint64 { return uint64(l.clock.Now()-begin) / hour }

// TestRelayed: with relays there, acts go sealed by a batcher, are proven so that
// who joins meanwhile does not outdate them, and go elsewhere when they are dropped.
func TestRelayed(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	l := openWith(t, "server/web/app/device/testdata/course.ts", mux)
	l.enrolsAnother(1)
	joins(l)
	one, two := l.batcher("one"), l.batcher("two")
	for _, b := range []*batcher{one, two} {
		mux.Handle("/relay/v1/sealed/"+b.actor.String(), b)
		mux.Handle("/relay/v1/sealed/"+b.actor.String()+"/key", b)
		l.ways.Batchers = append(l.ways.Batchers, api.Way{Actor: b.actor.String(), Name: b.name, Relays: []string{l.page.URL + "/relay"}})
	}
	l.clock.ms.Add(hour)
	l.enrolsAnother(1)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	l.enrolsAnother(1) // the list as of the last epoch's end stands

	for fault, words := range map[string]string{
		"away": "the relay answered 502", "old": "too old", "other ledger": "of another ledger", "forged statement": "key statement: signature",
		"forged promise": "promise: signature", "promises another": "promise: of another", "refuses": "come later",
	} {
		one.sets(fault)
		two.sets(fault)
		s := call[synced](l, "sync", true)
		if len(s.Faults) != 1 || !strings.Contains(s.Faults[0], words) || len(s.Waiting) != 1 || s.Waiting[0].State != "waiting" {
			t.Errorf("%s: %+v", fault, s)
		}
		one.takes()
		two.takes()
	}
	one.sets("")
	two.sets("")
	if s := call[synced](l, "sync", true); len(s.Faults) != 0 || len(s.Waiting) != 1 || s.Waiting[0].State != "sent" {
		t.Fatalf("sent: %+v", s)
	}
	call[synced](l, "sync", true) // nothing is sent again within its time
	first, other := one, two
	if len(two.held) == 1 {
		first, other = two, one
	}
	if a, b := len(first.held), len(other.held); a != 1 || b != 0 {
		t.Fatalf("%d and %d acts", a, b)
	}
	if got, want := first.takes()[0].Proven.Root, l.rootOf("N-1", 2); got != want { // and is dropped
		t.Errorf("proven against the root %v, want %v: of the list as of the last epoch's end", got, want)
	}
	l.clock.ms.Add(2 * hour)
	l.enrolsAnother(1)
	if s := call[synced](l, "sync", true); len(s.Waiting) != 1 || len(other.held) != 1 || len(first.held) != 0 {
		t.Fatalf("elsewhere: %+v; %d and %d acts", s, len(first.held), len(other.held))
	}
	l.enrolsAnother(1)
	other.sends(l.epoch() - 1)
	s := call[synced](l, "sync", true)
	if !slices.Equal(s.Accepted, []act.Kind{act.Consent}) || len(s.Waiting) != 0 || !s.Status.Current {
		t.Fatalf("accepted: %+v", s)
	}
	leavesByBatch(l, first, other)
	for _, r := range l.noted() {
		if strings.Contains(r, "/v1/acts") || strings.Contains(r, "/v1/transactions") {
			t.Errorf("the node itself was asked: %s", r)
		}
	}
}

// leavesByBatch: a decision that was never sent is dropped when its person leaves,
// and one that another act made moot goes by itself.
func leavesByBatch(l *lab, first, other *batcher) {
	l.Helper()
	l.reads("receipt")
	call[any](l, "prepareOptions", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{"results"}}, false)
	if left := call[struct{ Versions []int }](l, "leave"); !slices.Equal(left.Versions, []int{1}) {
		l.Errorf("left: %+v", left)
	}
	if waits := call[[]outgoing](l, "outgoing"); len(waits) != 1 || waits[0].Kind != act.Withdraw {
		l.Errorf("waiting: %+v", waits)
	}
	call[synced](l, "sync", true)
	b := first
	if len(other.held) == 1 {
		b = other
	}
	l.clock.ms.Add(hour)
	b.sends(l.epoch())
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, []act.Kind{act.Withdraw}) || !s.Status.Left {
		l.Errorf("left: %+v", s)
	}
	if letter := l.reads("withdrawn"); letter.Subject == "" {
		l.Errorf("%+v", client.Letter(letter))
	}
}
