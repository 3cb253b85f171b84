package evidence

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
)

// The tests here are of a node that cheats: it holds its own key, so that every
// hash, head, root and signature is right. Only the rules can tell.

// cheat is a state machine that departs from the rules where it is told to.
type cheat struct {
	engine.StateMachine
	admit   func(*tx.Envelope) bool // past every check
	execute func(engine.Pending, state.View, state.Store) (engine.Result, bool)
}

func (c *cheat) Check(at engine.Point, directory, stream state.View, e *tx.Envelope) error {
	if c.admit != nil && c.admit(e) {
		return nil
	}
	return c.StateMachine.Check(at, directory, stream, e)
}

func (c *cheat) Execute(p engine.Pending, directory state.View, stream state.Store) engine.Result {
	if c.execute != nil {
		if r, cheated := c.execute(p, directory, stream); cheated {
			return r
		}
	}
	return c.StateMachine.Execute(p, directory, stream)
}

// credulous takes every proof for good.
type credulous struct{}

func (credulous) Verify(verifier.Proof, verifier.Statement) error { return nil }
func (credulous) VerifyBatch([]verifier.Item) []int               { return nil }

// cheating makes a lab with one enrolled participant on a node that cheats.
func cheating(t *testing.T, v contract.Verifier) (*lab, *cheat, *device.Device) {
	t.Helper()
	c := &cheat{}
	l := newLab(t, labGenesis(), v, func(m engine.StateMachine) engine.StateMachine {
		c.StateMachine = m
		return c
	})
	l.found()
	l.begin()
	return l, c, l.enrol(1)
}

func exposed(t *testing.T, l *lab, e engine.Entry, id, reason string) {
	t.Helper()
	b := l.file()
	r := caught(t, "a cheating node", b, e.Name())
	c, _ := r.Check(id)
	if c.Status != Failed || !strings.Contains(c.Reason, reason) {
		t.Errorf("want %s to fail with %q:\n%s", id, reason, text(r))
	}
	for _, id := range []string{checkCanonical, checkManifest, checkHeaders, checkCheckpoint, checkTrial, checkStreams, checkLogRoot} {
		if c, _ := r.Check(id); c.Status != Passed {
			t.Errorf("the node did not cheat as it should: %+v", c)
		}
	}
}

// TestReplayedAct: the same consent again, in a new envelope of the node's, is
// counted as another person's.
func TestReplayedAct(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	c.admit = func(*tx.Envelope) bool { return true }
	first := l.consent(d, 1)
	c.execute = func(p engine.Pending, _ state.View, _ state.Store) (engine.Result, bool) {
		return first.Result, p.Envelope.Kind == contract.ConsentAct
	}
	env, err := tx.Decode(first.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	env.Cosigners = nil
	env.Idempotency[15]++
	env.Sign(l.keys["node"])
	exposed(t, l, l.enter(*env), checkReplay, fmt.Sprintf("refused (%d)", trial.AccountUsed))
}

// TestAnotherProofForTheSameAct: proofs can be made anew for one statement; the
// account is used all the same.
func TestAnotherProofForTheSameAct(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	made := must[consent.Act](t)(d.Consent(t.Context(), 1, act.FormSet(labProtocol().Forms), act.Choice{Form: "en", Language: "en"}))
	again := must[consent.Act](t)(d.Consent(t.Context(), 1, act.FormSet(labProtocol().Forms), act.Choice{Form: "en", Language: "en"}))
	first := l.do(contract.ConsentAct, made, "node")
	c.admit = func(*tx.Envelope) bool { return true }
	c.execute = func(p engine.Pending, _ state.View, _ state.Store) (engine.Result, bool) {
		return first.Result, p.Envelope.Kind == contract.ConsentAct
	}
	exposed(t, l, l.do(contract.ConsentAct, again, "node"), checkReplay, fmt.Sprintf("refused (%d)", trial.AccountUsed))
}

// TestForgedProof: a node that takes every proof lets somebody consent who
// proves nothing. All rules are kept but the one that no rule can replace.
func TestForgedProof(t *testing.T) {
	t.Parallel()
	l, _, d := cheating(t, credulous{})
	a := must[consent.Act](t)(d.Consent(t.Context(), 1, act.FormSet(labProtocol().Forms), act.Choice{Form: "en", Language: "en"}))
	a.Proven.Act.Options[0]++ // the proof is of another message
	exposed(t, l, l.do(contract.ConsentAct, a, "node"), checkProofs, "does not hold")
}

// TestForgedProofInABatch: one proof among many that hold, under an account that
// the batch skips too.
func TestForgedProofInABatch(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(first, second *consent.Act){
		"one that counts":   func(_, second *consent.Act) { second.Proven.Act.Options[0]++ },
		"one that does not": func(first, second *consent.Act) { *second = *first; second.Proven.Act.Options[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _, d := cheating(t, credulous{})
			l.register(trial.Batcher, "batcher", "regulator")
			another := l.enrol(1)
			first, second := l.agreement(d, 1), l.agreement(another, 1)
			forge(&first, &second)
			exposed(t, l, l.batch(first, second), checkProofs, "does not hold")
		})
	}
}

// TestForgedSignature: an entry that its signer never signed.
func TestForgedSignature(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	c.admit = func(*tx.Envelope) bool { return true }
	leaf, _ := d.Leaf()
	e := l.envelope(contract.ConsentRemove, wire.StreamID(l.trial), consent.Remove{
		Leaf: leaf, Class: trial.ByWord, Statements: []consent.Statement{{Version: 1}}, Reason: trial.Commitment{1},
	}, "doctor", "nurse")
	e.Cosigners[0].Signature[0] ^= 1
	exposed(t, l, l.enter(e), checkSignatures, "not the cosigner's signature")
}

// TestUnknownSigner: an entry by a key that nobody registered.
func TestUnknownSigner(t *testing.T) {
	t.Parallel()
	l, c, _ := cheating(t, verifier.Development())
	c.admit = func(*tx.Envelope) bool { return true }
	c.execute = func(p engine.Pending, _ state.View, _ state.Store) (engine.Result, bool) {
		return engine.Result{}, p.Envelope.Kind == contract.ConsentTransfer
	}
	l.keys["stranger"] = demonstration.Key("stranger")
	e := l.enter(l.envelope(contract.ConsentTransfer, wire.StreamID(l.trial), consent.Transfer{}, "stranger"))
	exposed(t, l, e, checkSignatures, "not in the directory")
}

// TestHiddenWrite: a node that writes what no rule writes.
func TestHiddenWrite(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	c.execute = func(p engine.Pending, directory state.View, stream state.Store) (engine.Result, bool) {
		stream.Set([]byte("consent/count/x"), []byte{0})
		return c.StateMachine.Execute(p, directory, stream), true
	}
	exposed(t, l, l.consent(d, 1), checkDigest, "the state after it")
}

// TestInventedEvent: a node that tells of what did not happen.
func TestInventedEvent(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	c.execute = func(p engine.Pending, directory state.View, stream state.Store) (engine.Result, bool) {
		r := c.StateMachine.Execute(p, directory, stream)
		r.Events = append(r.Events, r.Events[0])
		return r, true
	}
	exposed(t, l, l.consent(d, 1), checkReplay, "events")
}

// TestTruthfulExceptions: a trial that went wrong, shown truly, is no fault of
// the file: the exceptions stand in the sentence.
func TestTruthfulExceptions(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	p, silent := l.enrol(1), l.enrol(1)
	l.consent(p, 1)
	if r := check(t, l.file()); !strings.Contains(r.Sentence, "version 1: NOT DUE(1)") {
		t.Errorf("before the time has run out: %s", r.Sentence)
	}
	l.do(contract.ConsentScreen, must[consent.Screen](t)(silent.Screen(l.site(), l.people["doctor"], l.today(), field.Attributes{40})), "doctor")
	leaf, _ := silent.Screened()
	l.do(contract.ConsentDeviate, consent.Deviate{Leaf: leaf, Version: 1, Day: l.today(), Criterion: "age", Reason: trial.Commitment{1}}, "doctor", "nurse")
	l.wait(60)
	l.beginAnother() // a block, so that the ledger's time goes on
	r := check(t, l.file())
	if r.Verdict != Reservations || r.ExitCode() != 3 || !strings.Contains(r.Sentence, "INCOMPLETE(1)") ||
		!strings.Contains(r.Sentence, "1 by a recorded deviation") {
		t.Error(text(r))
	}
	for _, id := range []string{checkConsent + "1", checkEligible} {
		if c, _ := r.Check(id); c.Status != Failed {
			t.Errorf("%+v", c)
		}
	}
}

// TestRegressionUnknownRefusal: a node that keeps a transaction out under a code
// that no rule gives.
func TestRegressionUnknownRefusal(t *testing.T) {
	t.Parallel()
	l, c, d := cheating(t, verifier.Development())
	c.execute = func(p engine.Pending, _ state.View, _ state.Store) (engine.Result, bool) {
		return engine.Result{Code: 65000}, p.Envelope.Kind == contract.ConsentAct
	}
	made := must[consent.Act](t)(d.Consent(t.Context(), 1, act.FormSet(labProtocol().Forms), act.Choice{Form: "en", Language: "en"}))
	e := l.enter(l.envelope(contract.ConsentAct, wire.StreamID(l.trial), made, "node"))
	exposed(t, l, e, checkReplay, "code 65000")
}
