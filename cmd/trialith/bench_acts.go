package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
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

// acts measures consents through the contract into a durable ledger in a
// directory of its own, and what verifying them in batches alone would allow.
func (r *proofBench) acts(ctx context.Context, n, submitters int, say func(string, ...any)) (err error) {
	dir, err := os.MkdirTemp("", "trialith-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := newActBench(dir, time.Now().UnixMilli(), submitters)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.ledger.Close()) }()
	say("enrolling %d participants", n)
	devices, err := b.enrol(ctx, n)
	if err != nil {
		return err
	}
	consents, err := b.consents(ctx, devices, say)
	if err != nil {
		return err
	}
	say("sending %d consents from %d submitters", n, submitters)
	items := make([]verifier.Item, n)
	envelopes := make([][]byte, n)
	for i := range consents {
		p := &consents[i].Proven
		low, high := verifier.Vacuous()
		items[i] = verifier.Item{Proof: p.Proof, Statement: verifier.Statement{
			Root: p.Root, Context: p.Act.Context(), Account: p.Account, Message: p.Act.Message(), Min: low, Max: high,
		}}
		envelopes[i] = b.envelope(contract.ConsentAct, wire.StreamID(b.trial), consents[i], "node")
	}
	before, err := ceiling(items)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := b.sendAll(ctx, envelopes); err != nil {
		return err
	}
	r.ActsPerS, r.ActsMeasured, r.Submitters = float64(n)/time.Since(start).Seconds(), n, submitters
	after, err := ceiling(items)
	// The ceiling is taken before and after, for the machine may have changed.
	r.ActsCeiling = (before + after) / 2
	return err
}

// ceiling is how many proofs a second one batch on all cores verifies.
func ceiling(items []verifier.Item) (float64, error) {
	start := time.Now()
	if bad := verifier.Development().VerifyBatch(items); bad != nil {
		return 0, fmt.Errorf("acts: %d of %d proofs do not hold", len(bad), len(items))
	}
	return float64(len(items)) / time.Since(start).Seconds(), nil
}

// laying is what the bench lays out without proofs: the enrolments, which are
// not measured. Every consent is proven, and verified by the real verifier.
type laying struct{ on atomic.Bool }

// layingProver makes an empty proof while the bench is laid out.
type layingProver struct {
	*laying
	real *prover.Prover
}

func (p layingProver) Prove(w prover.Witness) (verifier.Proof, error) {
	if p.on.Load() {
		return verifier.Proof{}, nil
	}
	return p.real.Prove(w)
}

// layingVerifier accepts the empty proof while the bench is laid out.
type layingVerifier struct {
	*laying
	*verifier.Key
}

func (v layingVerifier) Verify(p verifier.Proof, s verifier.Statement) error {
	if v.on.Load() && p == (verifier.Proof{}) {
		return nil
	}
	return v.Key.Verify(p, s)
}

func (v layingVerifier) VerifyBatch(items []verifier.Item) []int {
	if !v.on.Load() {
		return v.Key.VerifyBatch(items)
	}
	var bad []int
	for i, item := range items {
		if v.Verify(item.Proof, item.Statement) != nil {
			bad = append(bad, i)
		}
	}
	return bad
}

// actBench is a ledger with one trial, open at one site.
type actBench struct {
	laying laying
	ledger *solo.Ledger
	id     wire.LedgerID
	prover *prover.Prover
	trial  trial.ID
	forms  trial.Digest
	today  trial.Day
	count  atomic.Uint64

	submitters int // who send at once
}

func newActBench(dir string, now int64, submitters int) (*actBench, error) {
	p, err := prover.Development()
	if err != nil {
		return nil, err
	}
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "Trialith benchmark", Time: now - 1, Epoch: 60 * 60,
		Rules: contract.RuleSet, Origin: "trialith.example/bench", Node: demonstration.Public("node"),
		Authorities:  []chain.Authority{{Role: "regulator", Name: "Regulator (benchmark)", Country: "CH", Key: demonstration.Public("regulator")}},
		VerifyingKey: wire.Hash(verifier.DevelopmentHash), Demonstration: true,
	}
	b := &actBench{id: g.ID(), prover: p, today: trial.DayOf(now), submitters: submitters}
	b.laying.on.Store(true)
	machine, err := contract.FromGenesis(g, layingVerifier{&b.laying, verifier.Development()})
	if err != nil {
		return nil, err
	}
	b.ledger, err = solo.Open(solo.Config{
		Dir: filepath.Join(dir, dirLedger), HeadFile: filepath.Join(dir, fileHead),
		Key: demonstration.Key("node"), Genesis: g, Machine: machine,
	})
	if err != nil {
		return nil, err
	}
	if err := b.open(context.Background()); err != nil {
		return nil, errors.Join(err, b.ledger.Close())
	}
	return b, nil
}

func (b *actBench) envelope(kind tx.Kind, stream wire.StreamID, body any, signer string, cosigners ...string) []byte {
	e := tx.Envelope{
		Ledger: b.id, Kind: kind, Stream: stream, Expiry: time.Now().Add(time.Hour).UnixMilli(), Body: wire.Marshal(body),
	}
	binary.BigEndian.PutUint64(e.Idempotency[8:], b.count.Add(1))
	b.sign(&e, signer, cosigners)
	return e.Encode()
}

func (b *actBench) sign(e *tx.Envelope, signer string, cosigners []string) {
	e.Sign(demonstration.Key(signer))
	for _, c := range cosigners {
		e.Cosign(demonstration.Key(c))
	}
}

// send waits until a transaction is durable, and fails unless it was accepted.
func (b *actBench) send(ctx context.Context, raw []byte) error {
	hash, err := b.ledger.Submit(ctx, raw)
	if err != nil {
		return err
	}
	entry, err := b.ledger.Wait(ctx, hash)
	if err == nil && entry.Result.Code != 0 {
		err = fmt.Errorf("refused: %d", entry.Result.Code)
	}
	return err
}

// open registers the parties and a trial, and opens it at the site.
func (b *actBench) open(ctx context.Context) error {
	key := func(name string) tx.PublicKey { return demonstration.Public(name) }
	person := act.ActorID(b.id, trial.Investigator, key("investigator"))
	site := act.ActorID(b.id, trial.Site, key("site"))
	register := func(name string, role trial.Role, by string, with ...string) []byte {
		t := directory.Register{Role: role, Name: name, Country: "CH"}
		t.Prove(b.id, demonstration.Key(name))
		return b.envelope(contract.DirectoryRegister, wire.Directory, t, by, with...)
	}
	p := trial.Protocol{
		Title: "Benchmark", Sponsor: "Sponsor", SampleSize: 4096, Privacy: "open",
		Terms:    trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
		Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "outcome"}},
		Criteria: []trial.Criterion{{ID: "c1", Text: "adults"}},
		Visits:   []trial.Visit{{ID: trial.FirstDose, Name: "first dose", Dose: true}},
		Forms:    []trial.Form{{ID: "main", Language: "en", Title: "Form", Sections: []trial.Section{{Heading: "Why", Text: "because"}}}},
		Risks:    "none", Phases: []trial.Phase{{ID: "treatment", Name: "treatment"}}, ResultsDueDays: 365,
	}
	b.forms = act.FormSet(p.Forms)
	first := tx.Envelope{
		Ledger: b.id, Kind: contract.ProtocolRegister, Expiry: time.Now().Add(time.Hour).UnixMilli(),
		Idempotency: tx.Key{1}, Body: wire.Marshal(protocol.Register{Protocol: p}),
	}
	b.trial = act.TrialID(b.id, act.ActorID(b.id, trial.Sponsor, key("sponsor")), first.Idempotency)
	first.Stream = wire.StreamID(b.trial)
	b.sign(&first, "sponsor", nil)
	for _, raw := range [][]byte{
		register("sponsor", trial.Sponsor, "regulator"),
		register("ethics", trial.Ethics, "regulator"),
		register("site", trial.Site, "sponsor", "ethics"),
		register("investigator", trial.Investigator, "site"),
		b.envelope(contract.DirectoryDelegate, wire.Directory, directory.Delegate{Person: person, Tasks: []trial.Task{trial.Enrolling}, From: b.today}, "site"),
		first.Encode(),
		b.envelope(contract.ProtocolApprove, first.Stream, protocol.Approve{Version: 1, Form: "main", Approved: true}, "ethics"),
		b.envelope(contract.ProtocolOpen, first.Stream, protocol.Open{Version: 1, Site: trial.SiteID(site)}, "sponsor", "site"),
	} {
		if err := b.send(ctx, raw); err != nil {
			return fmt.Errorf("acts: laying out: %w", err)
		}
	}
	return nil
}

// Leaves reads all leaves of a tree, as a device downloads them.
func (b *actBench) Leaves(_ context.Context, name string) ([]field.Leaf, error) {
	view, release := b.ledger.View(wire.StreamID(b.trial))
	defer release()
	return consent.Leaves(view, name), nil
}

// enrol lays out participants, each with a leaf of their own.
func (b *actBench) enrol(ctx context.Context, n int) ([]*device.Device, error) {
	site := trial.SiteID(act.ActorID(b.id, trial.Site, demonstration.Public("site")))
	person := act.ActorID(b.id, trial.Investigator, demonstration.Public("investigator"))
	devices, envelopes := make([]*device.Device, n), make([][]byte, n)
	for i := range devices {
		devices[i] = device.New(device.Config{
			Ledger: b.id, Trial: b.trial, Prover: layingProver{&b.laying, b.prover}, Public: b,
		})
		t, err := devices[i].Enrol(site, person, 1, b.today, field.Attributes{})
		if err != nil {
			return nil, err
		}
		envelopes[i] = b.envelope(contract.ConsentEnrol, wire.StreamID(b.trial), t, "investigator")
	}
	err := b.sendAll(ctx, envelopes)
	b.laying.on.Store(false)
	return devices, err
}

// consents lets each device prove its consent.
func (b *actBench) consents(ctx context.Context, devices []*device.Device, say func(string, ...any)) ([]consent.Act, error) {
	const step = 64
	out := make([]consent.Act, 0, len(devices))
	for i, d := range devices {
		if i%step == 0 {
			say("proving consents: %d of %d", i, len(devices))
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, err := d.Consent(ctx, 1, b.forms, act.Choice{Form: "main", Language: "en"})
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// sendAll sends from all submitters at once, each waiting for its own.
func (b *actBench) sendAll(ctx context.Context, envelopes [][]byte) error {
	errs := make([]error, b.submitters)
	var next atomic.Int64
	var wg sync.WaitGroup
	for s := range b.submitters {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(envelopes) && errs[s] == nil; i = next.Add(1) - 1 {
				errs[s] = b.send(ctx, envelopes[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
