package contract_test

import (
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/protocol"
)

const (
	hour  = int64(time.Hour / time.Millisecond)
	day   = 24 * hour
	epoch = 3600 // seconds
)

var (
	genesis  = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	ledgerID = wire.LedgerID(wire.Sum("ledger", "contract test"))
	badProof = verifier.Proof{0xff}
)

// key is the fixed key of a name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("trialith contract test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) tx.PublicKey {
	return tx.PublicKey(key(name).Public().(ed25519.PublicKey))
}

// element is a fixed element of the field, unlike every other name's.
func element(format string, args ...any) [32]byte {
	b := sha256.Sum256(fmt.Appendf(nil, format, args...))
	b[0] &= 0x0f // below r
	return b
}

func leafOf(person string) field.Leaf                  { return element("leaf %s", person) }
func screenedOf(person string) field.Leaf              { return element("screened leaf %s", person) }
func passOf(person string, v trial.Version) field.Leaf { return element("pass %s %v", person, v) }

// accountOf stands for H5: a function of leaf and context alone.
func accountOf(leaf field.Leaf, a *act.Act) field.Account {
	c := field.Encode(a.Context())
	return element("account %x %x", leaf, c)
}

// roles of the names that the bench registers.
var roles = map[string]trial.Role{
	"regulator": trial.Regulator, "node": trial.Node, "sponsor": trial.Sponsor, "ethics": trial.Ethics,
	"A": trial.Site, "B": trial.Site, "C": trial.Site,
	"chair": trial.DSMB, "member": trial.DSMB, "K": trial.Custodian, "L": trial.Custodian,
	"data chair": trial.DSMB, "data member": trial.DSMB, "ethics2": trial.Ethics, "rival": trial.Sponsor, "A7": trial.Pharmacist,
	"A1": trial.Investigator, "A2": trial.Investigator, "B1": trial.Investigator, "B2": trial.Investigator,
	"C1": trial.Investigator, "C2": trial.Investigator, "batcher": trial.Batcher, "other batcher": trial.Batcher,
}

func role(name string) trial.Role {
	if r, ok := roles[name]; ok {
		return r
	}
	return trial.Investigator
}

func actor(name string) trial.ActorID { return act.ActorID(ledgerID, role(name), public(name)) }
func site(name string) trial.SiteID   { return trial.SiteID(actor(name)) }

// recorder accepts every proof but badProof, and keeps what it was asked: the
// devices of these tests check membership themselves.
type recorder struct {
	mu    sync.Mutex
	asked []verifier.Statement
}

func (r *recorder) Verify(p verifier.Proof, s verifier.Statement) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, s)
	if p == badProof {
		return errors.New("does not prove the statement")
	}
	return nil
}

func (r *recorder) VerifyBatch(items []verifier.Item) (bad []int) {
	for i, item := range items {
		if item.Proof == badProof {
			bad = append(bad, i)
		}
	}
	return bad
}

// bench is the real machine over state in memory, in blocks of one transaction.
type bench struct {
	tb          testing.TB
	machine     *contract.Machine
	proofs      *recorder // nil where another verifier is used
	dir, stream state.Store
	trial       trial.ID
	now         int64
	count       uint64
	height      uint64 // of the block that transactions share; 0: each has its own
	terms       trial.Terms
	boundaries  []trial.Boundary
	arms        []trial.Arm
	fast        bool // skip signatures and Check
	shim        func(state.Store) state.Store
	folded      fold
	sent        []*tx.Envelope // accepted
	told        []engine.Event
}

// outcome of a transaction. Code 0: accepted.
type outcome struct {
	Code   trial.Code
	Door   bool // refused before it entered
	Text   string
	Events []event.Event
}

func newMachine(tb testing.TB, v contract.Verifier) *contract.Machine {
	tb.Helper()
	m, err := contract.New(contract.Config{
		Ledger: ledgerID, Genesis: genesis, Epoch: epoch, Node: public("node"), Verifier: v,
		Authorities: []contract.Authority{{Role: trial.Regulator, Name: "regulator", Country: "CH", Key: public("regulator")}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// blank has nobody in its directory but the genesis authorities.
func blank(tb testing.TB) *bench {
	proofs := new(recorder)
	return &bench{
		tb: tb, machine: newMachine(tb, proofs), proofs: proofs, dir: new(state.Memory), stream: new(state.Memory), now: genesis,
		terms: trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
	}
}

// newBench has sponsor, ethics and three sites with two delegated people each.
func newBench(tb testing.TB) *bench {
	b := blank(tb)
	b.dir = copyOf(staffed())
	return b
}

var staffed = sync.OnceValue(func() *state.Memory {
	b := blank(nobody{})
	b.fast = true
	b.must(b.register("sponsor", trial.Sponsor, "regulator"))
	b.must(b.register("ethics", trial.Ethics, "regulator"))
	b.must(b.register("batcher", trial.Batcher, "regulator"))
	for _, s := range []string{"A", "B", "C"} {
		b.must(b.register(s, trial.Site, "sponsor", "ethics"))
		for _, p := range []string{s + "1", s + "2"} {
			b.must(b.register(p, trial.Investigator, s))
			b.must(b.delegate(s, p, trial.Enrolling, trial.Recording, trial.Countersigning))
		}
	}
	return b.dir.(*state.Memory)
})

// nobody is a test that cannot fail quietly: it panics.
type nobody struct{ testing.TB }

func (nobody) Helper()                   {}
func (nobody) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (nobody) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }

func copyOf(v state.View) *state.Memory {
	m := new(state.Memory)
	v.Scan(nil, func(k, x []byte) bool { m.Set(k, x); return true })
	return m
}

// started also has a trial, whose version 1 is open at sites A and B.
func started(tb testing.TB) *bench {
	b := newBench(tb)
	b.must(b.registerTrial())
	b.approve(1)
	b.must(b.open(1, "A"))
	b.must(b.open(1, "B"))
	return b
}

func (b *bench) must(o outcome) outcome {
	b.tb.Helper()
	if o.Code != 0 {
		b.tb.Fatalf("refused: %d %s", o.Code, o.Text)
	}
	return o
}

func (b *bench) envelope(kind tx.Kind, body any, signer string, cosigners ...string) *tx.Envelope {
	raw, ok := body.([]byte)
	if !ok {
		raw = wire.Marshal(body)
	}
	e := &tx.Envelope{Version: tx.Version, Ledger: ledgerID, Kind: kind, Stream: wire.StreamID(b.trial), Expiry: 1 << 50, Body: raw}
	if kind < contract.ProtocolRegister {
		e.Stream = wire.Directory
	}
	b.count++
	binary.BigEndian.PutUint64(e.Idempotency[8:], b.count)
	b.sign(e, signer, cosigners...)
	return e
}

func (b *bench) sign(e *tx.Envelope, signer string, cosigners ...string) {
	e.Cosigners = nil
	if !b.fast {
		e.Sign(key(signer))
		for _, c := range cosigners {
			e.Cosign(key(c))
		}
		return
	}
	e.Key = keyID(signer)
	for _, c := range cosigners {
		e.Cosigners = append(e.Cosigners, tx.Cosignature{Key: keyID(c)})
	}
}

var keyIDs sync.Map

func keyID(name string) wire.KeyID {
	if id, ok := keyIDs.Load(name); ok {
		return id.(wire.KeyID)
	}
	id := public(name).ID()
	keyIDs.Store(name, id)
	return id
}

func (b *bench) send(kind tx.Kind, body any, signer string, cosigners ...string) outcome {
	return b.enter(b.envelope(kind, body, signer, cosigners...))
}

// enter brings a transaction through the door and into a block of its own.
func (b *bench) enter(e *tx.Envelope) outcome {
	p := engine.Pending{
		Point:    engine.Point{Ledger: ledgerID, Height: cmp.Or(b.height, b.count), Time: b.now},
		Envelope: e, Hash: wire.TxHash(element("hash %d", b.count)),
	}
	base := b.stream
	if e.Stream == wire.Directory {
		base = b.dir
	}
	if !b.fast {
		if err := b.machine.Check(p.Point, b.dir, base, e); err != nil {
			return refusal(b.tb, err)
		}
		b.machine.Prepare(func(id wire.StreamID) state.View {
			if id == wire.Directory {
				return b.dir
			}
			return b.stream
		}, []engine.Pending{p})
	}
	try := state.NewOverlay(base)
	var seen state.Store = try
	if b.shim != nil {
		seen = b.shim(try)
	}
	var dir state.View = b.dir
	if e.Stream == wire.Directory {
		dir = seen
	}
	r := b.machine.Execute(p, dir, seen)
	o := outcome{Code: trial.Code(r.Code)}
	if r.Code != engine.Accepted {
		if n := len(try.Writes()); n != 0 {
			b.tb.Fatalf("refused with %d, but wrote %d keys", r.Code, n)
		}
		return o
	}
	try.Commit(base)
	if !b.fast {
		b.sent, b.told = append(b.sent, e), append(b.told, r.Events...)
	}
	for _, x := range r.Events {
		v, err := event.Decode(x.Kind, x.Body)
		if err != nil {
			b.tb.Fatal(err)
		}
		o.Events = append(o.Events, v)
	}
	b.folded.add(o.Events)
	return o
}

func refusal(tb testing.TB, err error) outcome {
	tb.Helper()
	var r *trial.Refusal
	if !errors.As(err, &r) {
		tb.Fatalf("not a refusal: %v", err)
	}
	return outcome{Code: r.Code, Door: true, Text: r.Text}
}

// The directory.

func (b *bench) register(name string, r trial.Role, by string, with ...string) outcome {
	t := directory.Register{Role: r, Name: name, Country: "CH"}
	t.Prove(ledgerID, key(name))
	return b.send(contract.DirectoryRegister, t, by, with...)
}

func (b *bench) delegate(site, person string, tasks ...trial.Task) outcome {
	return b.send(contract.DirectoryDelegate, directory.Delegate{Person: actor(person), Tasks: tasks, From: trial.DayOf(b.now)}, site)
}

// The protocol.

func (b *bench) protocol() trial.Protocol {
	return trial.Protocol{
		Title: "A trial of the contract", Sponsor: "Sponsor", SampleSize: 20, Privacy: "open", Terms: b.terms,
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "outcome"}},
		Criteria: []trial.Criterion{{ID: "c1", Text: "adults"}},
		Visits: []trial.Visit{
			{ID: trial.FirstDose, Name: "first dose", Dose: true},
			{ID: "week-2", Name: "week 2"},
			{ID: "rescue", Name: "rescue", Repeatable: true},
		},
		Attested: []trial.Attribute{{Name: "age", Unit: "years", Min: 18, Max: 80}},
		Forms: []trial.Form{{
			ID: "main", Language: "en", Title: "Form", Sections: []trial.Section{{Heading: "Why", Text: "because"}},
			Questions: []trial.Question{{ID: "stop", Text: "May I stop?", Answers: []string{"No", "Yes"}, Right: 1, Why: "at any time"}},
		}},
		Risks:  "few",
		Phases: []trial.Phase{{ID: "treatment", Name: "treatment"}, {ID: "follow-up", Name: "follow-up"}},

		ResultsDueDays: 365, Boundaries: b.boundaries, Arms: b.arms,
	}
}

func (b *bench) registerTrial() outcome {
	e := b.envelope(contract.ProtocolRegister, protocol.Register{Protocol: b.protocol()}, "sponsor")
	b.trial = act.TrialID(ledgerID, actor("sponsor"), e.Idempotency)
	e.Stream = wire.StreamID(b.trial)
	b.sign(e, "sponsor")
	return b.enter(e)
}

// amend registers the next version; existing says whether it affects those enrolled.
func (b *bench) amend(v trial.Version, existing bool) outcome {
	p := b.protocol()
	if old, ok := protocol.Get(b.stream, v-1); ok {
		p = old.Protocol
		p.Terms = b.terms
	}
	if existing {
		p.Risks = fmt.Sprintf("more, says version %v", v)
	} else {
		p.Criteria = []trial.Criterion{{ID: "c1", Text: fmt.Sprintf("adults, says version %v", v)}}
	}
	return b.send(contract.ProtocolAmend, protocol.Amend{Version: v, Protocol: p, Reason: "safety", Effective: trial.DayOf(b.now)}, "sponsor")
}

func (b *bench) approve(v trial.Version) {
	b.tb.Helper()
	b.must(b.send(contract.ProtocolApprove, protocol.Approve{Version: v, Form: "main", Approved: true}, "ethics"))
}

func (b *bench) open(v trial.Version, at string) outcome {
	return b.send(contract.ProtocolOpen, protocol.Open{Version: v, Site: site(at)}, "sponsor", at)
}

// next registers, approves and opens a version at sites.
func (b *bench) next(v trial.Version, existing bool, sites ...string) {
	b.tb.Helper()
	b.must(b.amend(v, existing))
	b.approve(v)
	for _, s := range sites {
		b.must(b.open(v, s))
	}
}
