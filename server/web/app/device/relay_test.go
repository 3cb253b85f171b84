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
	"github.com/trialith/trialith/server/mailbox"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
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
	case "promises for later":
		p.Epoch = b.l.epoch() + 2
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
	l.relays(mux, one, two)
	l.clock.ms.Add(hour)
	l.enrolsAnother(1)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	l.enrolsAnother(1) // the list as of the last epoch's end stands

	for fault, words := range map[string]string{
		"away": "the relay answered 502", "old": "too old", "other ledger": "of another ledger", "forged statement": "key statement: signature",
		"forged promise": "promise: signature", "promises another": "promise: of another", "promises for later": "has not come", "refuses": "come later",
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

// relays puts batchers behind a relay of the test's.
func (l *lab) relays(mux *http.ServeMux, all ...*batcher) {
	for _, b := range all {
		mux.Handle("/relay/v1/sealed/"+b.actor.String(), b)
		mux.Handle("/relay/v1/sealed/"+b.actor.String()+"/key", b)
		l.ways.Batchers = append(l.ways.Batchers, api.Way{Actor: b.actor.String(), Name: b.name, Relays: []string{l.page.URL + "/relay"}})
	}
}

// TestNeverDirectlyAfterRelays: a node does not get to see who sends by naming
// its relays no more, nor who acts by what is asked of it.
func TestNeverDirectlyAfterRelays(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	l := openWith(t, "server/web/app/device/testdata/course.ts", mux)
	l.enrolsAnother(1)
	joins(l)
	revoked, one := l.batcher("revoked"), l.batcher("one")
	l.relays(mux, revoked, one)
	l.must("regulator", contract.DirectoryRevoke, wire.Directory, directory.Revoke{Actor: revoked.actor})
	call[synced](l, "sync", true)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	ways := l.ways
	l.ways.Batchers = []api.Way{}
	l.noted()
	for range 2 {
		s := call[synced](l, "sync", true)
		if len(s.Faults) != 1 || !strings.Contains(s.Faults[0], "names no relay any more") || len(s.Waiting) != 1 || s.Waiting[0].State != "waiting" {
			t.Errorf("without relays: %+v", s)
		}
	}
	for _, r := range l.noted() {
		if strings.Contains(r, "/v1/acts") {
			t.Errorf("the node itself was asked: %s", r)
		}
	}
	l.ways = ways
	if s := call[synced](l, "sync", true); len(s.Faults) != 0 || len(one.held) != 1 || len(revoked.held) != 0 {
		t.Errorf("with relays again: %+v; %d and %d acts", s, len(one.held), len(revoked.held))
	}
	sent := l.asked()
	call[synced](l, "sync", true)
	if waits := l.asked(); !slices.Equal(sent, waits) {
		t.Errorf("a node tells by what is asked of it that an act is sent:\n%q\n%q", sent, waits)
	}
	call[any](l, "lose")
	call[synced](l, "sync", true)
	if empty := l.asked(); !slices.Equal(sent, empty) {
		t.Errorf("a node tells by what is asked of it that an act waits:\n%q\n%q", sent, empty)
	}
}

// TestGivenUpApart: what gives an earlier version up does not go in one epoch
// with the consent that it is given up for, also where that was held up.
func TestGivenUpApart(t *testing.T) {
	t.Parallel()
	l := open(t, "server/web/app/device/testdata/course.ts")
	joins(l)
	l.amends(2, "More.")
	call[any](l, "prepare", 2)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	l.offline.Store(true)
	call[synced](l, "sync", true)
	l.clock.ms.Add(2 * hour)
	l.offline.Store(false)
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, []act.Kind{act.Consent}) {
		t.Fatalf("the consent: %+v", s)
	}
	if s := call[synced](l, "sync", true); len(s.Accepted) != 0 || len(s.Waiting) != 1 {
		t.Errorf("in the same epoch: %+v", s)
	}
	l.clock.ms.Add(2 * hour)
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, []act.Kind{act.Superseded}) {
		t.Errorf("in a later one: %+v", s)
	}
}

// TestCardKnower: who has read a card can write in the site's name, but cannot
// take its participant's letters to another inbox, nor say that a notice of
// leaving was heard before there is one.
func TestCardKnower(t *testing.T) {
	t.Parallel()
	l := open(t, "server/web/app/device/testdata/course.ts")
	other, err := client.NewInbox()
	l.check(err)
	forged := client.Card{
		Type: "card", Ledger: l.ledger.ID().String(), Trial: l.trial.String(), Site: l.site.String(), SiteName: "Clinic", Investigator: l.doctor.String(),
		Version: 1, Day: int64(trial.DayOf(l.clock.Now())), Study: l.protocol.PublicTitle, Contact: "555-0666", Inbox: other.Public(), Code: "07-0012",
	}
	l.writes(forged)
	joins(l)
	l.writes(forged)
	forged.Inbox, forged.Contact = l.inbox.Public(), "555-0667"
	l.writes(forged)
	l.writes(client.Letter{Type: "acknowledged", What: "withdrawn"})
	call[synced](l, "sync", true)
	if m := call[map[string]any](l, "memory"); m["heard"] != false || m["contact"] != "555-0100" {
		t.Errorf("heard %v, contact %v", m["heard"], m["contact"])
	}
	call[any](l, "leave")
	l.reads("withdrawn")
	l.writes(client.Letter{Type: "acknowledged", What: "withdrawn"})
	call[synced](l, "sync", true)
	if m := call[map[string]any](l, "memory"); m["heard"] != true {
		t.Error("not heard")
	}
	if posted, err := l.boxes.Get(mailbox.Box(other.Box()), 0); err != nil || len(posted) != 0 {
		t.Errorf("%d letters in another inbox, %v", len(posted), err)
	}
}

// asked is what the node was asked since, in an order that tells nothing.
func (l *lab) asked() (out []string) {
	for _, r := range l.noted() {
		if path, _, _ := strings.Cut(r, " map["); !strings.HasPrefix(r, "relay ") {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
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
