package evidence

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// lab is a ledger with a trial on it, as a demonstration runs one.
type lab struct {
	t      testing.TB
	ledger *solo.Ledger
	clock  atomic.Int64
	trial  trial.ID
	sent   uint64
	keys   map[string]ed25519.PrivateKey
	people map[string]trial.ActorID
	prover func() (*prover.Prover, error)
}

// Now makes a lab an engine.Clock: one second a block.
func (l *lab) Now() int64 { return l.clock.Add(1000) }

func labGenesis() chain.Genesis {
	return chain.Genesis{
		Version: chain.GenesisVersion, Name: "Evidence test", Time: time.Date(2026, 1, 5, 6, 0, 0, 0, time.UTC).UnixMilli(),
		Epoch: 86400, Rules: contract.RuleSet, Origin: "trialith.example/evidence", Node: demonstration.Public("node"),
		Authorities: []chain.Authority{
			{Role: "regulator", Name: "Demonstration regulator", Country: "CH", Key: demonstration.Public("regulator")},
		},
		VerifyingKey: wire.Hash(verifier.DevelopmentHash), Demonstration: true,
	}
}

// newLab opens a ledger. wrap stands between engine and contract: what a node
// that cheats would run.
func newLab(t testing.TB, g chain.Genesis, v contract.Verifier, wrap func(engine.StateMachine) engine.StateMachine) *lab {
	t.Helper()
	m, err := contract.FromGenesis(g, v)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, keys: map[string]ed25519.PrivateKey{}, people: map[string]trial.ActorID{}, prover: prover.Development}
	l.clock.Store(g.Time)
	var machine engine.StateMachine = m
	if wrap != nil {
		machine = wrap(m)
	}
	l.ledger, err = solo.Open(solo.Config{
		Dir: filepath.Join(t.TempDir(), "data"), Key: demonstration.Key("node"), Clock: l, Machine: machine, Genesis: g,
		MemTable: 1 << 20, NoSync: true,
		KeyOf: func(tx.PublicKey) (ed25519.PrivateKey, error) { return demonstration.Key("node 2"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ledger.Close() })
	for _, who := range []string{"node", "regulator", "sponsor", "ethics", "site", "doctor", "nurse", "batcher"} {
		l.keys[who] = demonstration.Key(who)
	}
	return l
}

// envelope signs a transaction by one and cosigned by others.
func (l *lab) envelope(kind tx.Kind, stream wire.StreamID, body any, who string, others ...string) tx.Envelope {
	l.sent++
	e := tx.Envelope{Ledger: l.ledger.ID(), Kind: kind, Stream: stream, Expiry: 1 << 50, Body: wire.Marshal(body)}
	binary.BigEndian.PutUint64(e.Idempotency[:], l.sent)
	e.Sign(l.keys[who])
	for _, o := range others {
		e.Cosign(l.keys[o])
	}
	return e
}

// enter submits an envelope and waits for its entry, refused or not.
func (l *lab) enter(e tx.Envelope) engine.Entry {
	l.t.Helper()
	hash, err := l.ledger.Submit(l.t.Context(), e.Encode())
	if err != nil {
		l.t.Fatal(err)
	}
	got, err := l.ledger.Wait(l.t.Context(), hash)
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

func (l *lab) do(kind tx.Kind, body any, who string, others ...string) engine.Entry {
	l.t.Helper()
	stream := wire.StreamID(l.trial)
	if kind < contract.ProtocolRegister {
		stream = wire.Directory
	}
	e := l.enter(l.envelope(kind, stream, body, who, others...))
	if e.Result.Code != engine.Accepted {
		l.t.Fatalf("kind %d: refused with %d", kind, e.Result.Code)
	}
	return e
}

func (l *lab) register(role trial.Role, who, by string, others ...string) {
	l.t.Helper()
	r := directory.Register{Role: role, Name: "The " + who, Country: "CH"}
	r.Prove(l.ledger.ID(), l.keys[who])
	l.do(contract.DirectoryRegister, r, by, others...)
	l.people[who] = act.ActorID(l.ledger.ID(), role, r.Key)
}

// appoint makes a board of two the trial's.
func (l *lab) appoint(a, b string) {
	l.t.Helper()
	board := []trial.ActorID{l.people[a], l.people[b]}
	slices.SortFunc(board, func(a, b trial.ActorID) int { return slices.Compare(a[:], b[:]) })
	l.do(contract.ProtocolAppoint, protocol.Appoint{Board: board}, "sponsor", "ethics")
}

func (l *lab) site() trial.SiteID { return trial.SiteID(l.people["site"]) }
func (l *lab) today() trial.Day   { return trial.DayOf(l.clock.Load()) }

// wait lets days go by.
func (l *lab) wait(days int64) { l.clock.Add(days * 24 * 60 * 60 * 1000) }

// found registers the actors.
func (l *lab) found() {
	l.register(trial.Sponsor, "sponsor", "regulator")
	l.register(trial.Ethics, "ethics", "regulator")
	l.register(trial.Site, "site", "sponsor", "ethics")
	for _, who := range []string{"doctor", "nurse"} {
		l.register(trial.Investigator, who, "site")
		l.do(contract.DirectoryDelegate, directory.Delegate{
			Person: l.people[who], Tasks: []trial.Task{trial.Enrolling, trial.Recording, trial.Countersigning}, From: l.today(),
		}, "site")
	}
}

func labProtocol() trial.Protocol {
	return trial.Protocol{
		Title: "A trial for the tests of evidence files", Privacy: "open",
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "Score", Text: "Change of the score", Timepoint: "week 8"}},
		Visits:   []trial.Visit{{ID: trial.FirstDose, Name: "First dose", Dose: true}, {ID: "week-8", Name: "Week 8"}},
		Attested: []trial.Attribute{{Name: "age", Unit: "years", Min: 50, Max: 90}},
		Forms:    []trial.Form{{ID: "en", Language: "en", Title: "Consent", Sections: []trial.Section{{Heading: "Why", Text: "To learn."}}}},
		Risks:    "None known.", Terms: trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
	}
}

// begin registers a trial, has it approved and opens it at the site.
func (l *lab) begin() {
	l.t.Helper()
	e := l.envelope(contract.ProtocolRegister, wire.StreamID{}, protocol.Register{Protocol: labProtocol()}, "sponsor")
	l.trial = act.TrialID(l.ledger.ID(), l.people["sponsor"], e.Idempotency)
	e.Stream = wire.StreamID(l.trial)
	e.Sign(l.keys["sponsor"])
	if got := l.enter(e); got.Result.Code != engine.Accepted {
		l.t.Fatalf("registration refused with %d", got.Result.Code)
	}
	l.open(1)
}

func (l *lab) open(v trial.Version) {
	l.t.Helper()
	l.do(contract.ProtocolApprove, protocol.Approve{Version: v, Form: "en", Approved: true}, "ethics")
	l.do(contract.ProtocolOpen, protocol.Open{Version: v, Site: l.site()}, "sponsor", "site")
}

// Leaves makes a lab the device's public lists.
func (l *lab) Leaves(_ context.Context, tree string) ([]field.Leaf, error) {
	view, release := l.ledger.View(wire.StreamID(l.trial))
	defer release()
	return consent.Leaves(view, tree), nil
}

func (l *lab) device() *device.Device {
	p, err := l.prover()
	if err != nil {
		l.t.Fatal(err)
	}
	return device.New(device.Config{Ledger: l.ledger.ID(), Trial: l.trial, Prover: p, Public: l})
}

// must gives the value of a call that cannot fail here.
func must[T any](t testing.TB) func(x T, err error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

func (l *lab) enrol(v trial.Version) *device.Device {
	l.t.Helper()
	d := l.device()
	l.do(contract.ConsentEnrol, must[consent.Enrol](l.t)(d.Enrol(l.site(), l.people["doctor"], v, l.today(), field.Attributes{70})), "doctor")
	return d
}

// agreement is a device's consent to a version, to be sent.
func (l *lab) agreement(d *device.Device, v trial.Version) consent.Act {
	l.t.Helper()
	return must[consent.Act](l.t)(d.Consent(l.t.Context(), v, act.FormSet(labProtocol().Forms), act.Choice{Form: "en", Language: "en"}))
}

func (l *lab) epoch() uint64 { return uint64((l.clock.Load() - labGenesis().Time) / 86_400_000) }

// batch sends acts as the batcher's of the epoch.
func (l *lab) batch(acts ...consent.Act) engine.Entry {
	l.t.Helper()
	return l.do(contract.ConsentBatch, consent.Batch{Acts: acts, Epoch: l.epoch()}, "batcher")
}

func (l *lab) consent(d *device.Device, v trial.Version) engine.Entry {
	l.t.Helper()
	e := l.do(contract.ConsentAct, l.agreement(d, v), "node")
	if err := d.Given(v); err != nil {
		l.t.Fatal(err)
	}
	return e
}

// file writes the evidence file of the lab's trial.
func (l *lab) file() []byte {
	l.t.Helper()
	var b bytes.Buffer
	if err := Write(l.t.Context(), &b, l.ledger, l.trial, Contents{Key: verifier.Development()}); err != nil {
		l.t.Fatal(err)
	}
	return b.Bytes()
}

// pilot is a small trial with something of everything: two versions, three
// participants of whom one leaves by proof and one by the site's word, a dose,
// a randomisation, a refused transaction, and another trial in between.
func pilot(t testing.TB) *lab {
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	p, q, r := l.enrol(1), l.enrol(1), l.enrol(1)
	l.beginAnother()
	l.consent(p, 1)
	l.consent(q, 1)
	l.do(contract.ConsentScreen, must[consent.Screen](t)(p.Screen(l.site(), l.people["doctor"], l.today(), field.Attributes{70})), "doctor")
	v1 := labProtocol()
	l.do(contract.ConsentRandomise, must[consent.Randomise](t)(p.Eligible(t.Context(), l.site(), l.people["doctor"], 1, &v1, l.today())), "doctor")
	dose := device.Visit{Kind: act.Dose, Site: l.site(), Slot: trial.FirstDose, Day: l.today()}
	l.do(contract.ConsentEntry, must[consent.Entry](t)(p.Entry(t.Context(), dose, 1)), "nurse")
	again := l.enter(l.envelope(contract.ProtocolApprove, wire.StreamID(l.trial), protocol.Approve{Version: 1, Form: "en", Approved: true}, "ethics"))
	if again.Result.Code == engine.Accepted {
		t.Fatal("a second approval was accepted; the test needs a refused entry")
	}
	l.wait(10)
	v2 := labProtocol()
	v2.Risks = "Headache."
	l.do(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: v2, Reason: "A new risk.", Effective: l.today()}, "sponsor")
	l.open(2)
	l.register(trial.Batcher, "batcher", "regulator")
	leaves := must[consent.Act](t)(q.Withdraw(1))
	l.batch(l.agreement(p, 2), leaves, leaves)
	if err := p.Given(2); err != nil {
		t.Fatal(err)
	}
	l.do(contract.ConsentAct, must[consent.Act](t)(q.Withdraw(2)), "node")
	l.do(contract.ConsentCountersign, consent.Countersign{Site: l.site(), Epoch: l.epoch(), Table: trial.Commitment{2}, Total: 3, Day: l.today()}, "nurse")
	leaf, _ := r.Leaf()
	l.do(contract.ConsentRemove, consent.Remove{
		Leaf: leaf, Class: trial.ByWord, Statements: []consent.Statement{{Version: 1}, {Version: 2}}, Reason: trial.Commitment{1},
	}, "doctor", "nurse")
	return l
}

// beginAnother registers another trial, and leaves the lab's as it is.
func (l *lab) beginAnother() {
	l.t.Helper()
	ours := l.trial
	l.begin()
	l.trial = ours
}
