package device_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// ledger is the contract over states in memory, one transaction a block.
type ledger struct {
	t                *testing.T
	machine          *contract.Machine
	id               wire.LedgerID
	now              int64
	height           uint64
	directory, study *state.Memory
	trial            trial.ID
}

const start = 1_340_000_000_000

func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("device test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) tx.PublicKey {
	return tx.PublicKey(key(name).Public().(ed25519.PublicKey))
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{t: t, id: wire.LedgerID{1}, now: start, directory: new(state.Memory), study: new(state.Memory)}
	var err error
	l.machine, err = contract.New(contract.Config{
		Ledger: l.id, Genesis: start, Epoch: 86400, Node: public("node"), Verifier: verifier.Development(),
		Authorities: []contract.Authority{{Role: trial.Regulator, Name: "regulator", Country: "US", Key: public("regulator")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// send checks and executes a transaction and returns its code.
func (l *ledger) send(kind tx.Kind, body any, signers ...string) (trial.Code, error) {
	l.t.Helper()
	e := &tx.Envelope{Ledger: l.id, Kind: kind, Stream: wire.StreamID(l.trial), Expiry: l.now + 1e6, Body: wire.Marshal(body)}
	store := l.study
	if kind < contract.ProtocolRegister {
		e.Stream, store = wire.Directory, l.directory
	}
	e.Sign(key(signers[0]))
	for _, s := range signers[1:] {
		e.Cosign(key(s))
	}
	l.now += 1000
	l.height++
	at := engine.Point{Ledger: l.id, Height: l.height, Time: l.now}
	if err := l.machine.Check(at, l.directory, store, e); err != nil {
		return 0, err
	}
	w := state.NewOverlay(store)
	r := l.machine.Execute(engine.Pending{Point: at, Hash: tx.Hash(e.Encode()), Envelope: e}, l.directory, w)
	w.Commit(store)
	return trial.Code(r.Code), nil
}

func (l *ledger) must(kind tx.Kind, body any, signers ...string) {
	l.t.Helper()
	if code, err := l.send(kind, body, signers...); err != nil || code != 0 {
		l.t.Fatalf("kind %d: code %d: %v", kind, code, err)
	}
}

// Leaves is the public list of a tree's leaves.
func (l *ledger) Leaves(_ context.Context, tree string) ([]field.Leaf, error) {
	return consent.Leaves(l.study, tree), nil
}

func (l *ledger) register(role trial.Role, name string, signers ...string) trial.ActorID {
	l.t.Helper()
	r := directory.Register{Role: role, Name: name, Country: "US"}
	r.Prove(l.id, key(name))
	l.must(contract.DirectoryRegister, r, signers...)
	return act.ActorID(l.id, role, public(name))
}

func study() trial.Protocol {
	return trial.Protocol{
		Title: "A trial", Privacy: "open",
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "Outcome"}},
		Visits:   []trial.Visit{{ID: trial.FirstDose, Name: "First dose", Dose: true}, {ID: "week-2", Name: "Week 2"}},
		Attested: []trial.Attribute{{Name: "age", Min: 50, Max: 100}, {Name: "MMSE", Min: 10, Max: 23, Screening: true}},
		Forms: []trial.Form{{
			ID: "f", Language: "en", Title: "Form", Sections: []trial.Section{{Heading: "Risks", Text: "Some."}},
			Options: []trial.Option{{ID: "results", Text: "Tell me."}},
		}},
		Risks: "Some.", Terms: trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
	}
}

// TestCourse takes one device from enrolment to withdrawal, with real proofs
// that the contract verifies.
func TestCourse(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	ctx := context.Background()
	sponsor := l.register(trial.Sponsor, "sponsor", "regulator")
	l.register(trial.Ethics, "ethics", "regulator")
	site := trial.SiteID(l.register(trial.Site, "site", "sponsor", "ethics"))
	doctor := l.register(trial.Investigator, "doctor", "site")
	nurse := l.register(trial.Investigator, "nurse", "site")
	today := trial.DayOf(l.now)
	l.must(contract.DirectoryDelegate, directory.Delegate{Person: doctor, Tasks: []trial.Task{trial.Enrolling, trial.Recording}, From: today}, "site")
	l.must(contract.DirectoryDelegate, directory.Delegate{Person: nurse, Tasks: []trial.Task{trial.Countersigning}, From: today}, "site")
	l.trial = act.TrialID(l.id, sponsor, [16]byte{})
	p := study()
	l.must(contract.ProtocolRegister, protocol.Register{Protocol: p}, "sponsor")
	l.must(contract.ProtocolApprove, protocol.Approve{Version: 1, Form: "f", Approved: true}, "ethics")
	l.must(contract.ProtocolOpen, protocol.Open{Version: 1, Site: site}, "sponsor", "site")

	prove, err := prover.Development()
	if err != nil {
		t.Fatal(err)
	}
	phone := device.New(device.Config{Ledger: l.id, Trial: l.trial, Prover: prove, Public: l})
	forms := act.FormSet(p.Forms)
	if _, err := phone.Consent(ctx, 1, forms, act.Choice{Form: "f", Language: "en"}); err == nil {
		t.Fatal("consented before it was enrolled")
	}
	enrol, err := phone.Enrol(site, doctor, 1, today, field.Attributes{72})
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentEnrol, enrol, "doctor")
	dose := device.Visit{Kind: act.Dose, Site: site, Slot: trial.FirstDose, Day: today}
	if _, err := phone.Entry(ctx, dose, 1); !errors.Is(err, device.ErrNoCurrentConsent) {
		t.Fatalf("entry before consent: %v", err)
	}
	agree, err := phone.Consent(ctx, 1, forms, act.Choice{Form: "f", Language: "en", Taken: []string{"results"}})
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentAct, agree, "node")
	var refused *trial.Refusal
	if _, err := l.send(contract.ConsentAct, agree, "node"); !errors.As(err, &refused) || refused.Code != trial.AccountUsed {
		t.Fatalf("a second consent: %v, want %d", err, trial.AccountUsed)
	}
	if err := phone.Given(1); err != nil {
		t.Fatal(err)
	}

	screen, err := phone.Screen(site, doctor, today, field.Attributes{72, 24})
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentScreen, screen, "doctor")
	if _, err := phone.Eligible(ctx, site, doctor, 1, &p, today); !errors.Is(err, device.ErrNotEligible) {
		t.Fatalf("MMSE 24: %v", err)
	}
	if screen, err = phone.Screen(site, doctor, today, field.Attributes{72, 23}); err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentScreen, screen, "doctor")
	eligible, err := phone.Eligible(ctx, site, doctor, 1, &p, today)
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentRandomise, eligible, "doctor")

	entry, err := phone.Entry(ctx, dose, 1)
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentEntry, entry, "doctor")
	phone.Entered(dose)
	if _, err := phone.Entry(ctx, dose, 1); err == nil {
		t.Fatal("the device made a second account in one slot")
	}

	leave, err := phone.Withdraw(1)
	if err != nil {
		t.Fatal(err)
	}
	l.must(contract.ConsentAct, leave, "node")
	if c := consent.Counters(l.study, 1); c.Owed != 1 || c.Acts != 1 || c.LeftProved1 != 1 {
		t.Fatalf("counters %+v", c)
	}
	visit := device.Visit{Kind: act.Visit, Site: site, Slot: "week-2", Day: today}
	if _, err := phone.Entry(ctx, visit, 1); err == nil {
		t.Fatal("the pass is still in its tree after the withdrawal")
	}
}
