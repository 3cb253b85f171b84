package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"
	"go.uber.org/goleak"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	goleak.VerifyTestMain(m)
}

// anything is a verifier for which every proof holds but one.
type anything struct{}

var badProof = verifier.Proof{0: 0xbb}

func (anything) Verify(p verifier.Proof, _ verifier.Statement) error {
	if p == badProof {
		return errors.New("it does not hold")
	}
	return nil
}

func (anything) VerifyBatch(items []verifier.Item) (bad []int) {
	for i := range items {
		if items[i].Proof == badProof {
			bad = append(bad, i)
		}
	}
	return bad
}

// clock is a study's clock that the test sets.
type clock struct{ ms atomic.Int64 }

func (c *clock) Now() int64 { return c.ms.Load() }

const begin = 1_700_000_000_000

func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("api test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) tx.PublicKey { return tx.PublicKey(key(name).Public().(ed25519.PublicKey)) }

// lab is a node with a small trial: sponsor, ethics, a site with two people, and
// one participant enrolled under version 1.
type lab struct {
	*testing.T
	url    string
	http   *http.Client
	api    *client.Client
	clock  *clock
	ledger *solo.Ledger
	model  *readmodel.Model
	log    *bytes.Buffer // what the server logged

	trial trial.ID
	leaf  field.Leaf
	site  trial.SiteID
}

func genesis() chain.Genesis {
	return chain.Genesis{
		Version: chain.GenesisVersion, Name: "API test", Time: begin, Epoch: 3600, Rules: contract.RuleSet, Origin: "trialith.example/api",
		Node: public("node"), VerifyingKey: wire.Hash{1}, Demonstration: true,
		Authorities: []chain.Authority{{Role: "regulator", Name: "Agency", Country: "DE", Key: public("regulator")}},
	}
}

// open starts a node on an empty ledger.
func open(t *testing.T, change func(*api.Config)) *lab {
	t.Helper()
	l := &lab{T: t, clock: new(clock), log: new(bytes.Buffer)}
	l.clock.ms.Store(begin + 1000)
	dir := t.TempDir()
	machine, err := contract.FromGenesis(genesis(), anything{})
	l.check(err)
	l.model, err = readmodel.Open(readmodel.Config{Dir: filepath.Join(dir, "model"), Genesis: genesis(), KindName: kindName})
	l.check(err)
	t.Cleanup(func() { l.check(l.model.Close()) })
	l.ledger, err = solo.Open(solo.Config{
		Dir: filepath.Join(dir, "ledger"), Key: key("node"), Clock: l.clock, Machine: machine, Genesis: genesis(),
		Followers: []engine.Follower{l.model}, MemTable: 1 << 20, NoSync: true,
	})
	l.check(err)
	t.Cleanup(func() {
		if err := l.ledger.Close(); !errors.Is(err, engine.ErrClosed) {
			l.check(err)
		}
	})
	c := api.Config{
		Ledger: l.ledger, Model: l.model, Clock: l.clock, Study: true, Notice: "A test.", Wrap: l.wrap,
		Evidence: func(_ context.Context, id trial.ID, w io.Writer) error {
			_, err := fmt.Fprintf(w, "evidence of %v", id)
			return err
		},
		Verify: func(_ context.Context, r io.ReaderAt, size int64) (any, error) {
			b := make([]byte, min(size, 5))
			_, err := r.ReadAt(b, 0)
			return map[string]any{"begins": string(b), "size": size}, err
		},
		Log: slog.New(slog.NewTextHandler(l.log, nil)),
	}
	if change != nil {
		change(&c)
	}
	handler, err := api.New(c)
	l.check(err)
	server := httptest.NewServer(handler)
	l.url, l.http = server.URL, server.Client()
	t.Cleanup(func() {
		l.http.CloseIdleConnections()
		server.Close()
	})
	l.api = client.New(l.url, l.http)
	return l
}

func kindName(n tx.Kind) string {
	k, _ := contract.KindOf(n)
	return k.Name
}

func (l *lab) check(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// wrap is what the node does with an act.
func (l *lab) wrap(body []byte) ([]byte, error) {
	var a consent.Act
	if err := wire.Unmarshal(body, &a); err != nil {
		return nil, trial.Refuse(trial.Malformed, "act: %v", err)
	}
	sum := wire.Sum("act", body)
	e := &tx.Envelope{
		Ledger: l.ledger.ID(), Kind: contract.ConsentAct, Stream: wire.StreamID(a.Proven.Act.Trial), Expiry: l.clock.Now() + 60_000,
		Idempotency: tx.Key(sum[:16]), Body: body,
	}
	e.Sign(key("node"))
	return e.Encode(), nil
}

var unique atomic.Uint64

// envelope signs a transaction of the test's own.
func (l *lab) envelope(signer string, kind tx.Kind, stream wire.StreamID, body any, cosigners ...string) *tx.Envelope {
	e := &tx.Envelope{Ledger: l.ledger.ID(), Kind: kind, Stream: stream, Expiry: l.clock.Now() + 3_600_000, Body: wire.Marshal(body)}
	copy(e.Idempotency[:], fmt.Appendf(nil, "%016d", unique.Add(1)))
	e.Sign(key(signer))
	for _, c := range cosigners {
		e.Cosign(key(c))
	}
	return e
}

func (l *lab) send(e *tx.Envelope) client.Outcome {
	l.Helper()
	hash, err := l.api.Submit(l.Context(), e)
	l.check(err)
	o, err := l.api.Wait(l.Context(), hash)
	l.check(err)
	return o
}

func (l *lab) must(signer string, kind tx.Kind, stream wire.StreamID, body any, cosigners ...string) client.Outcome {
	l.Helper()
	o := l.send(l.envelope(signer, kind, stream, body, cosigners...))
	if !o.Accepted() {
		l.Fatalf("%s: refused (%d): %s", kindName(kind), o.Code, o.Refusal)
	}
	return o
}

func (l *lab) register(name string, role trial.Role, signer string, cosigners ...string) trial.ActorID {
	l.Helper()
	r := directory.Register{Role: role, Name: name, Country: "DE"}
	r.Prove(l.ledger.ID(), key(name))
	l.must(signer, contract.DirectoryRegister, wire.Directory, r, cosigners...)
	return act.ActorID(l.ledger.ID(), role, public(name))
}

func study() trial.Protocol {
	return trial.Protocol{
		Title: "A trial of nothing", Acronym: "ATON", Sponsor: "Nobody Ltd", ResultsURL: "https://example.org", Privacy: "open",
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "Nothing"}},
		Forms: []trial.Form{{
			ID: "adult", Language: "en", Title: "Form", Sections: []trial.Section{{Heading: "What", Text: "Nothing"}},
			Options:   []trial.Option{{ID: "results", Text: "Tell me."}},
			Questions: []trial.Question{{ID: "stop", Text: "May you stop?", Answers: []string{"No", "Yes"}, Right: 1, Why: "At any time."}},
		}},
		Terms: trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
	}
}

// run is open with the small trial.
func run(t *testing.T, change func(*api.Config)) *lab {
	t.Helper()
	l := open(t, change)
	sponsor := l.register("sponsor", trial.Sponsor, "regulator")
	l.register("ethics", trial.Ethics, "regulator")
	l.site = trial.SiteID(l.register("site", trial.Site, "sponsor", "ethics"))
	doctor := l.register("doctor", trial.Investigator, "site")
	nurse := l.register("nurse", trial.Investigator, "site")
	for person, tasks := range map[trial.ActorID][]trial.Task{doctor: {trial.Enrolling, trial.Recording}, nurse: {trial.Countersigning}} {
		l.must("site", contract.DirectoryDelegate, wire.Directory, directory.Delegate{Person: person, Tasks: tasks, From: trial.DayOf(l.clock.Now())})
	}
	e := l.envelope("sponsor", contract.ProtocolRegister, wire.StreamID{}, protocol.Register{Protocol: study()})
	l.trial = act.TrialID(l.ledger.ID(), sponsor, e.Idempotency)
	e.Stream = wire.StreamID(l.trial)
	e.Sign(key("sponsor"))
	if o := l.send(e); !o.Accepted() {
		t.Fatalf("register: %+v", o)
	}
	l.must("ethics", contract.ProtocolApprove, e.Stream, protocol.Approve{Version: 1, Form: "adult", Approved: true})
	l.must("sponsor", contract.ProtocolOpen, e.Stream, protocol.Open{Version: 1, Site: l.site}, "site")
	l.leaf = field.Leaf{31: 7}
	l.must("doctor", contract.ConsentEnrol, e.Stream, consent.Enrol{Leaf: l.leaf, Proven: consent.Proven{
		Account: field.Account{31: 1}, Act: act.Act{
			Ledger: l.ledger.ID(), Trial: l.trial, Kind: act.Enrol, Version: 1, Site: l.site, Person: doctor, Day: trial.DayOf(l.clock.Now()),
		},
	}})
	return l
}

// consents is the participant's act: consent to version 1.
func (l *lab) consents(account byte) consent.Act {
	l.Helper()
	view, release := l.ledger.View(wire.StreamID(l.trial))
	defer release()
	v, ok := protocol.Get(view, 1)
	if !ok {
		l.Fatal("no version 1")
	}
	return consent.Act{Proven: consent.Proven{
		Root: l.root(), Account: field.Account{31: account}, Act: act.Act{
			Ledger: l.ledger.ID(), Trial: l.trial, Kind: act.Consent, Version: 1, FormSet: v.FormSet,
			Options: trial.Commitment{1}, Pass: field.Leaf{31: 100 + account},
		},
	}}
}

// do sends a request and returns the answer and its body.
func (l *lab) do(method, path string, header map[string]string, body []byte) (*http.Response, []byte) {
	l.Helper()
	req, err := http.NewRequestWithContext(l.Context(), method, l.url+path, bytes.NewReader(body))
	l.check(err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	r, err := l.http.Do(req)
	l.check(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	l.check(err)
	if c := r.Header.Get("Set-Cookie"); c != "" {
		l.Errorf("%s %s: sets cookie %q", method, path, c)
	}
	return r, b
}

// json reads the answer of a GET.
func (l *lab) json(path string, into any) {
	l.Helper()
	r, b := l.do(http.MethodGet, path, nil, nil)
	if r.StatusCode != http.StatusOK {
		l.Fatalf("%s: %d %s", path, r.StatusCode, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		l.Fatalf("%s: %v: %s", path, err, b)
	}
}
