package device_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/mailbox"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// clock is a study's clock that the test sets.
type clock struct{ ms atomic.Int64 }

func (c *clock) Now() int64 { return c.ms.Load() }

const (
	begin = 1_700_000_000_000
	hour  = 3_600_000
)

func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("device test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) tx.PublicKey { return tx.PublicKey(key(name).Public().(ed25519.PublicKey)) }

// lab is a node with a small trial, its API and mailboxes behind the page, and a
// prover at /test/prove. Every request of the page is noted.
type lab struct {
	*testing.T
	page   *browsertest.Page
	clock  *clock
	ledger *solo.Ledger
	model  *readmodel.Model
	boxes  *mailbox.Store
	prover *prover.Prover
	ways   api.Ways

	trial    trial.ID
	site     trial.SiteID
	doctor   trial.ActorID
	inbox    *client.Inbox
	code     client.Code
	read     uint64 // of the inbox
	protocol trial.Protocol
	offline  atomic.Bool // the node answers no act
	mu       sync.Mutex
	requests []string // method, address and headers
	unique   uint64
}

func genesis() chain.Genesis {
	return chain.Genesis{
		Version: chain.GenesisVersion, Name: "Device test", Time: begin, Epoch: 3600, Rules: contract.RuleSet, Origin: "trialith.example/device",
		Node: public("node"), VerifyingKey: wire.Hash(verifier.DevelopmentHash), Demonstration: true,
		Authorities: []chain.Authority{{Role: "regulator", Name: "Agency", Country: "DE", Key: public("regulator")}},
	}
}

// open starts all of it.
func open(t *testing.T, entry string) *lab {
	t.Helper()
	return openWith(t, entry, http.NotFoundHandler())
}

// openWith is open with what answers below /relay/.
func openWith(t *testing.T, entry string, relay http.Handler) *lab {
	t.Helper()
	l := &lab{T: t, clock: new(clock), ways: api.Ways{KMin: 10, Batchers: []api.Way{}}}
	l.clock.ms.Store(begin + 1000)
	dir := t.TempDir()
	machine, err := contract.FromGenesis(genesis(), verifier.Development())
	l.check(err)
	l.model, err = readmodel.Open(readmodel.Config{Dir: filepath.Join(dir, "model"), Genesis: genesis(), KindName: kindName})
	l.check(err)
	t.Cleanup(func() { l.check(l.model.Close()) })
	l.ledger, err = solo.Open(solo.Config{
		Dir: filepath.Join(dir, "ledger"), Key: key("node"), Clock: l.clock, Machine: machine, Genesis: genesis(),
		Followers: []engine.Follower{l.model}, MemTable: 1 << 20, NoSync: true,
	})
	l.check(err)
	t.Cleanup(func() { l.check(l.ledger.Close()) })
	l.boxes, err = mailbox.Open(mailbox.Config{Dir: filepath.Join(dir, "mail"), Now: l.clock.Now})
	l.check(err)
	t.Cleanup(func() { l.check(l.boxes.Close()) })
	l.prover, err = prover.Development()
	l.check(err)
	l.inbox, err = client.NewInbox()
	l.check(err)
	l.page = browsertest.Open(t, entry, browsertest.Handlers{"/v1/": l.noting(l.engine()), browser.Base: browser.Handler(nil), "/relay/": relay, "/test/prove": http.HandlerFunc(l.prove)})
	l.found()
	return l
}

func (l *lab) engine() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	handler, err := api.New(api.Config{
		Ledger: l.ledger, Model: l.model, Clock: l.clock, Study: true, Notice: "A test.", Wrap: l.wrap, Ways: func() api.Ways { return l.ways },
	})
	l.check(err)
	mailbox.Register(handler, l.boxes)
	return handler
}

// noting keeps what each request says, and is offline for acts when told to be.
func (l *lab) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
		l.mu.Unlock()
		if l.offline.Load() && r.Method == http.MethodPost {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noted are all requests so far, and forgets them.
func (l *lab) noted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.requests
	l.requests = nil
	return out
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

func (l *lab) envelope(signer string, kind tx.Kind, stream wire.StreamID, body any, cosigners ...string) *tx.Envelope {
	e := &tx.Envelope{Ledger: l.ledger.ID(), Kind: kind, Stream: stream, Expiry: l.clock.Now() + hour, Body: wire.Marshal(body)}
	l.unique++
	copy(e.Idempotency[:], fmt.Appendf(nil, "%016d", l.unique))
	e.Sign(key(signer))
	for _, c := range cosigners {
		e.Cosign(key(c))
	}
	return e
}

func (l *lab) submit(e *tx.Envelope) (trial.Code, error) {
	hash, err := l.ledger.Submit(l.Context(), e.Encode())
	if refused, ok := errors.AsType[*trial.Refusal](err); ok {
		return refused.Code, nil
	}
	if err != nil {
		return 0, err
	}
	entry, err := l.ledger.Wait(l.Context(), hash)
	return trial.Code(entry.Result.Code), err
}

func (l *lab) must(signer string, kind tx.Kind, stream wire.StreamID, body any, cosigners ...string) {
	l.Helper()
	if code, err := l.submit(l.envelope(signer, kind, stream, body, cosigners...)); err != nil || code != 0 {
		l.Fatalf("%s: refused (%d): %v", kindName(kind), code, err)
	}
}

func (l *lab) register(name string, role trial.Role, signer string, cosigners ...string) trial.ActorID {
	l.Helper()
	r := directory.Register{Role: role, Name: name, Country: "DE"}
	r.Prove(l.ledger.ID(), key(name))
	l.must(signer, contract.DirectoryRegister, wire.Directory, r, cosigners...)
	return act.ActorID(l.ledger.ID(), role, public(name))
}

// found makes the trial, open at one site.
func (l *lab) found() {
	l.Helper()
	sponsor := l.register("sponsor", trial.Sponsor, "regulator")
	l.register("ethics", trial.Ethics, "regulator")
	l.site = trial.SiteID(l.register("site", trial.Site, "sponsor", "ethics"))
	l.doctor = l.register("doctor", trial.Investigator, "site")
	nurse := l.register("nurse", trial.Investigator, "site")
	for _, d := range []directory.Delegate{
		{Person: l.doctor, Tasks: []trial.Task{trial.Enrolling, trial.Recording}}, {Person: nurse, Tasks: []trial.Task{trial.Countersigning}},
	} {
		d.From = trial.DayOf(l.clock.Now())
		l.must("site", contract.DirectoryDelegate, wire.Directory, d)
	}
	l.protocol = trial.Protocol{
		Title: "A trial of nothing", PublicTitle: "Nothing, for everyone", Privacy: "open",
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "Nothing"}},
		Visits:   []trial.Visit{{ID: trial.FirstDose, Name: "First dose", Dose: true}, {ID: "week-2", Name: "Week 2"}},
		Forms:    someForms(), Risks: "Some.",
		Terms: trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
	}
	e := l.envelope("sponsor", contract.ProtocolRegister, wire.StreamID{}, protocol.Register{Protocol: l.protocol})
	l.trial = act.TrialID(l.ledger.ID(), sponsor, e.Idempotency)
	e.Stream = wire.StreamID(l.trial)
	e.Sign(key("sponsor"))
	if code, err := l.submit(e); err != nil || code != 0 {
		l.Fatalf("register: %d, %v", code, err)
	}
	l.opens(1)
	l.code = client.NewCode()
	l.writes(client.Card{
		Type: "card", Ledger: l.ledger.ID().String(), Trial: l.trial.String(), Site: l.site.String(), SiteName: "Clinic", Investigator: l.doctor.String(),
		Version: 1, Day: int64(trial.DayOf(l.clock.Now())), Study: l.protocol.PublicTitle, Contact: "555-0100", Inbox: l.inbox.Public(), Code: "07-0012",
	})
}

func (l *lab) stream() wire.StreamID { return wire.StreamID(l.trial) }

// opens approves a version and opens it at the site.
func (l *lab) opens(v trial.Version) {
	l.Helper()
	for _, f := range l.protocol.Forms {
		l.must("ethics", contract.ProtocolApprove, l.stream(), protocol.Approve{Version: v, Form: f.ID, Approved: true})
	}
	l.must("sponsor", contract.ProtocolOpen, l.stream(), protocol.Open{Version: v, Site: l.site}, "site")
}

// amends makes a version that affects those already enrolled, and opens it.
func (l *lab) amends(v trial.Version, risks string) {
	l.Helper()
	l.protocol.Risks = risks
	l.must("sponsor", contract.ProtocolAmend, l.stream(), protocol.Amend{
		Version: v, Protocol: l.protocol, Reason: "More is known.", Effective: trial.DayOf(l.clock.Now()),
	})
	l.opens(v)
}

// enrolsAnother enrols somebody else under a version, so that the list grows.
func (l *lab) enrolsAnother(v trial.Version) *device.Device {
	l.Helper()
	d := device.New(device.Config{Ledger: l.ledger.ID(), Trial: l.trial, Prover: l.prover})
	e, err := d.Enrol(l.site, l.doctor, v, trial.DayOf(l.clock.Now()), field.Attributes{})
	l.check(err)
	l.must("doctor", contract.ConsentEnrol, l.stream(), e)
	return d
}

// writes puts a letter of the site into the card's box.
func (l *lab) writes(words any) {
	l.Helper()
	letter, err := l.code.Seal(words)
	l.check(err)
	_, err = l.boxes.Put(mailbox.Box(l.code.Box()), letter)
	l.check(err)
}

// reads is the next letter in the site's inbox.
func (l *lab) reads(kind string) (words client.Letter) {
	l.Helper()
	posted, err := l.boxes.Get(mailbox.Box(l.inbox.Box()), l.read)
	l.check(err)
	if len(posted) == 0 {
		l.Fatalf("no %s in the site's inbox", kind)
	}
	l.read = posted[0].Sequence
	l.check(l.inbox.Open(posted[0].Body, &words))
	if words.Type != kind || words.Subject != "07-0012" || words.From != l.code.From() {
		l.Fatalf("a letter %+v, want %s", words, kind)
	}
	return words
}

// noMore asks that the site's inbox hold no further letter.
func (l *lab) noMore() {
	l.Helper()
	posted, err := l.boxes.Get(mailbox.Box(l.inbox.Box()), l.read)
	l.check(err)
	if len(posted) > 0 {
		l.Fatalf("%d more letters in the site's inbox", len(posted))
	}
}

func (l *lab) counters(v trial.Version) trial.Counters {
	view, release := l.ledger.View(l.stream())
	defer release()
	return consent.Counters(view, v)
}

// jsonWitness is a witness as the page sends it to the test's prover.
type jsonWitness struct {
	Secret, Trapdoor, Context, Message string
	Attributes                         field.Attributes
	Path                               [][]string
}

// prove makes the proof that the page's own prover would make.
func (l *lab) prove(w http.ResponseWriter, r *http.Request) {
	var in jsonWitness
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, &in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	x := prover.Witness{Secret: number(in.Secret), Trapdoor: number(in.Trapdoor), Attributes: in.Attributes, Path: make(tree.Path, len(in.Path))}
	for i, level := range in.Path {
		for j, n := range level {
			x.Path[i][j] = number(n)
		}
	}
	x.Sign(number(in.Context), number(in.Message))
	proof, err := l.prover.Prove(x)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Write(proof[:]) //nolint:errcheck // the page has gone
}

func number(decimal string) (e field.Element) {
	n, _ := new(big.Int).SetString(decimal, 10)
	e.SetBigInt(n)
	return e
}

// revealed are the requests that name one of the given things in their address.
func revealed(requests []string, names ...string) (out []string) {
	for _, r := range requests {
		if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(r, n) }) {
			out = append(out, r)
		}
	}
	return out
}

// rootOf is the root of a tree's first places.
func (l *lab) rootOf(name string, places int) field.Root {
	l.Helper()
	view, release := l.ledger.View(l.stream())
	defer release()
	var list []field.Element
	for _, leaf := range consent.Leaves(view, name)[:places] {
		e, err := leaf.Element()
		l.check(err)
		list = append(list, e)
	}
	t, err := tree.Build(tree.Depth, list)
	l.check(err)
	return field.RootOf(t.Root())
}
