package contract_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/event"
)

// ward is a clinic where a number of people are enrolled, each of whom has
// proven consent to version 1.
func ward(t *testing.T, people ...string) (*clinic, []consent.Act) {
	t.Helper()
	c := newClinic(t)
	for _, p := range people {
		c.must(c.send(contract.ConsentEnrol, c.enrolled(p, "A", 1), "A1"))
	}
	c.now += hour // the set's root stands at the end of an epoch
	var acts []consent.Act
	for _, p := range people {
		acts = append(acts, c.consented(p, 1))
	}
	return c, acts
}

// TestRefuse26BadActInABatch: one bad act refuses all, with its own code, and
// the text says which it is; without it the others are taken.
func TestRefuse26BadActInABatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code trial.Code
		bad  func(c *clinic, t *consent.Act)
	}{
		"proof":     {trial.ProofInvalid, func(_ *clinic, a *consent.Act) { a.Proven.Proof[9] ^= 1 }},
		"another's": {trial.ProofInvalid, func(c *clinic, a *consent.Act) { a.Proven.Account = accountOf(leafOf("Q"), &a.Proven.Act) }},
		"form set":  {trial.WrongForm, func(c *clinic, a *consent.Act) { a.Proven.Act.FormSet[0] ^= 1; c.vacuous(&a.Proven, a.Proven.Root) }},
		"root":      {trial.UnknownRoot, func(c *clinic, a *consent.Act) { a.Proven.Root[31] ^= 1; c.vacuous(&a.Proven, a.Proven.Root) }},
		"version":   {trial.NoSuchVersion, func(c *clinic, a *consent.Act) { a.Proven.Act.Version = 7; c.vacuous(&a.Proven, a.Proven.Root) }},
		"used pass": {trial.PassUsed, func(c *clinic, a *consent.Act) {
			a.Proven.Act.Pass = passOf("P", 1)
			c.vacuous(&a.Proven, a.Proven.Root)
		}},
		"pass in it": {trial.PassUsed, func(c *clinic, a *consent.Act) {
			a.Proven.Act.Pass = passOf("Q", 1)
			c.vacuous(&a.Proven, a.Proven.Root)
		}},
		"other ledger": {trial.WrongLedger, func(_ *clinic, a *consent.Act) { a.Proven.Act.Ledger[0] ^= 1 }},
		"form":         {trial.Malformed, func(_ *clinic, a *consent.Act) { a.Proven.Act.Day = 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, acts := ward(t, "Q", "R", "S")
			bad := slices.Clone(acts)
			c.bad(w, &bad[2])
			o := w.batch(w.epoch(), bad...)
			want(t, o, c.code)
			if place, ok := consent.BadAct(o.Text); !o.Door || !ok || place != 2 {
				t.Errorf("place %d, %t: %q", place, ok, o.Text)
			}
			if got := consent.Counters(w.stream, 1); got.Acts != 1 {
				t.Errorf("refused, and counted: %+v", got)
			}
			want(t, w.batch(w.epoch(), acts[:2]...), 0)
			if got := consent.Counters(w.stream, 1); got.Acts != 3 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestRefuse26BadProofInABlock: what the door let in by a fault is refused in
// its block, whoever sends it and whatever Prepare made of it.
func TestRefuse26BadProofInABlock(t *testing.T) {
	t.Parallel()
	w, acts := ward(t, "Q", "R", "S")
	acts[1].Proven.Proof[9] ^= 1
	w.fast = true
	want(t, w.batch(w.epoch(), acts...), trial.ProofInvalid)
	want(t, w.batch(w.epoch(), acts[0], acts[2]), 0)
}

// TestRefuse26OvertakenActs: an act whose account was used or burnt meanwhile
// counts nowhere and stops nobody, nor does a copy in the same batch, whatever
// its proof looks like.
func TestRefuse26OvertakenActs(t *testing.T) {
	t.Parallel()
	w, acts := ward(t, "Q", "R", "S", "T")
	w.must(w.perform(acts[0]))                // Q consents directly
	w.must(w.perform(w.withdrawn("R", 1, 0))) // R withdraws
	again := w.consented("S", 1)              // S sends twice
	again.Proven.Act.Pass = passOf("S", 9)
	w.vacuous(&again.Proven, again.Proven.Root)
	o := w.must(w.batch(w.epoch(), slices.Concat(acts, []consent.Act{again})...))
	if b := o.Events[0].(event.Batched); b.Acts != 2 || b.Skipped != 3 || b.Epoch != w.epoch() || b.Batcher != actor("batcher") {
		t.Errorf("%+v", b)
	}
	n := 0
	for _, e := range o.Events {
		if a, ok := e.(event.Acted); ok && a.Kind == act.Consent && a.Set == trial.New {
			n++
		}
	}
	if got := consent.Counters(w.stream, 1); n != 2 || got.Acts != 4 || got.LeftProved0 != 1 {
		t.Errorf("%d told, %+v", n, got)
	}
	// A forged proof under a used account is no excuse: it refuses the batch.
	w.now += hour
	forged := w.consented("S", 1)
	forged.Proven.Proof = verifier.Proof{1}
	want(t, w.batch(w.epoch(), forged), trial.ProofInvalid)
}

// TestRefuse26WithdrawalInABatch: a withdrawal does not outdate the roots of
// those gathered with it, and follows a consent of its own account.
func TestRefuse26WithdrawalInABatch(t *testing.T) {
	t.Parallel()
	w, _ := ward(t, "Q", "R")
	w.must(w.send(contract.ConsentEnrol, w.enrolled("S", "A", 1), "A1")) // a root of the moment
	o := w.must(w.batch(w.epoch(), w.withdrawn("Q", 1, 0), w.consented("R", 1), w.consented("S", 1), w.withdrawn("S", 1, 1)))
	if b := o.Events[0].(event.Batched); b.Acts != 4 {
		t.Errorf("%+v", b)
	}
	got := consent.Counters(w.stream, 1)
	if got.Acts != 3 || got.LeftProved0 != 1 || got.LeftProved1 != 1 {
		t.Errorf("%+v", got)
	}
	if slices.Contains(w.folded.trees["pass-1"], passOf("S", 1)) || !slices.Contains(w.folded.trees["pass-1"], passOf("R", 1)) {
		t.Error("the pass of who withdrew lives, or that of who stays does not")
	}
}

// TestABatchFits: the largest batch of the largest acts is within a transaction.
func TestABatchFits(t *testing.T) {
	t.Parallel()
	w, acts := ward(t, "Q")
	a := acts[0]
	a.Leaf = leafOf("Q")
	a.Proven.Act.Version, a.Proven.Act.Sequence, a.Proven.Act.Successor = 1<<32-1, 1<<32-1, 1<<32-1
	a.Proven.Act.Day, a.Proven.Act.Rep = 1<<31-1, 1<<32-1
	e := w.envelope(contract.ConsentBatch, consent.Batch{Acts: slices.Repeat([]consent.Act{a}, consent.MaxBatch), Epoch: 1<<64 - 1}, "batcher", "A1", "A2")
	if n := len(e.Encode()); n > tx.MaxBytes*2/3 || n < tx.MaxBytes/3 {
		t.Errorf("%d bytes of %d", n, tx.MaxBytes)
	}
}

// TestRegressionNumberOfActs: a body of a quarter of a million elements of one
// byte, which nobody had to sign, took 800 MB before it was refused.
func TestRegressionNumberOfActs(t *testing.T) {
	t.Parallel()
	k, _ := contract.KindOf(contract.ConsentBatch)
	for name, element := range map[string]byte{"null": 0xf6, "empty array": 0x80} {
		const n = 255_000
		body := wire.AppendUint(append(wire.AppendArray(wire.AppendArray(nil, 2), n), bytes.Repeat([]byte{element}, n)...), 0)
		if _, err := k.Decode(body); err == nil || !strings.Contains(err.Error(), "255000 elements; at most 256") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFullBatch takes in as many acts as a batch may hold, at the door and in a block.
func TestFullBatch(t *testing.T) {
	t.Parallel()
	var people []string
	for i := range consent.MaxBatch {
		people = append(people, fmt.Sprint("person ", i))
	}
	w, acts := ward(t, people...)
	w.must(w.batch(w.epoch(), acts...))
	if got := consent.Counters(w.stream, 1); got.Acts != 1+consent.MaxBatch {
		t.Errorf("%+v", got)
	}
}

func TestPlaceOfABadAct(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"acts: 3: pass: used before": 3, "acts: 255: x": 255, "acts: 256: x": -1, "acts: a batch has 0; 1 to 256": -1,
		"acts: -1: x": -1, "acts: 3": -1, "epoch: 3: x": -1, "": -1,
	} {
		if got, ok := consent.BadAct(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
	if err := consent.At(2, errors.New("x")); !strings.HasPrefix(err.Error(), "acts: 2: ") {
		t.Error(err)
	}
}
