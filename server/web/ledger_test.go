package web

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// anything is a verifier for which every proof holds: the pages are at stake here.
type anything struct{}

func (anything) Verify(verifier.Proof, verifier.Statement) error { return nil }
func (anything) VerifyBatch([]verifier.Item) []int               { return nil }

type stopped int64

func (c stopped) Now() int64 { return int64(c) }

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("web test " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(name string) tx.PublicKey {
	return tx.PublicKey(keyOf(name).Public().(ed25519.PublicKey))
}

// small is a ledger with its read model and one study.
type small struct {
	*testing.T
	ledger *solo.Ledger
	model  *readmodel.Model
	study  trial.ID
	sent   byte
}

const smallNow = firstDay + dayMillis

func newSmall(t *testing.T) *small {
	t.Helper()
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "A small ledger", Time: firstDay, Epoch: 3600, Rules: contract.RuleSet,
		Origin: "trialith.example/small", Node: publicOf("node"), VerifyingKey: wire.Hash{1}, Demonstration: true,
		Authorities: []chain.Authority{{Role: "regulator", Name: "Agency", Country: "DE", Key: publicOf("regulator")}},
	}
	l, dir := &small{T: t}, t.TempDir()
	machine, err := contract.FromGenesis(g, anything{})
	l.ok(err)
	l.model, err = readmodel.Open(readmodel.Config{Dir: filepath.Join(dir, "model"), Genesis: g, KindName: func(n tx.Kind) string {
		k, _ := contract.KindOf(n)
		return k.Name
	}})
	l.ok(err)
	t.Cleanup(func() { l.ok(l.model.Close()) })
	l.ledger, err = solo.Open(solo.Config{
		Dir: filepath.Join(dir, "ledger"), Key: keyOf("node"), Clock: stopped(smallNow), Machine: machine, Genesis: g,
		Followers: []engine.Follower{l.model}, MemTable: 1 << 20, NoSync: true,
	})
	l.ok(err)
	t.Cleanup(func() { _ = l.ledger.Close() })
	return l
}

func (l *small) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// send puts a transaction into a block and returns its code.
func (l *small) send(signer string, kind tx.Kind, stream wire.StreamID, body any, cosigners ...string) engine.Code {
	l.Helper()
	l.sent++
	e := &tx.Envelope{Ledger: l.ledger.ID(), Kind: kind, Stream: stream, Expiry: smallNow + dayMillis, Body: wire.Marshal(body), Idempotency: tx.Key{l.sent}}
	if kind == contract.ProtocolRegister {
		l.study = act.TrialID(l.ledger.ID(), act.ActorID(l.ledger.ID(), trial.Sponsor, publicOf(signer)), e.Idempotency)
		e.Stream = wire.StreamID(l.study)
	}
	e.Sign(keyOf(signer))
	for _, c := range cosigners {
		e.Cosign(keyOf(c))
	}
	hash, err := l.ledger.Submit(l.Context(), e.Encode())
	l.ok(err)
	entry, err := l.ledger.Wait(l.Context(), hash)
	l.ok(err)
	return entry.Result.Code
}

func (l *small) register(name string, role trial.Role, signer string, cosigners ...string) trial.ActorID {
	l.Helper()
	r := directory.Register{Role: role, Name: name, Country: "DE"}
	r.Prove(l.ledger.ID(), keyOf(name))
	if code := l.send(signer, contract.DirectoryRegister, wire.Directory, r, cosigners...); code != 0 {
		l.Fatalf("%s: refused (%d)", name, code)
	}
	return act.ActorID(l.ledger.ID(), role, publicOf(name))
}

// fill writes a study of two versions, one participant and one refusal.
func (l *small) fill() (leaf field.Leaf) {
	l.Helper()
	l.register("A sponsor", trial.Sponsor, "regulator")
	l.register("A committee", trial.Ethics, "regulator")
	site := trial.SiteID(l.register("A clinic", trial.Site, "A sponsor", "A committee"))
	doctor := l.register("A doctor", trial.Investigator, "A clinic")
	today := trial.DayOf(smallNow)
	l.send("A clinic", contract.DirectoryDelegate, wire.Directory, directory.Delegate{Person: doctor, Tasks: []trial.Task{trial.Enrolling}, From: today})
	first := firstProtocol()
	first.Privacy, first.Terms = "open", trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24}
	l.send("A sponsor", contract.ProtocolRegister, wire.StreamID{}, protocol.Register{Protocol: first})
	stream := wire.StreamID(l.study)
	l.send("A committee", contract.ProtocolApprove, stream, protocol.Approve{Version: 1, Form: "icf-en", Approved: true})
	l.send("A sponsor", contract.ProtocolOpen, stream, protocol.Open{Version: 1, Site: site}, "A clinic")
	leaf = field.Leaf{31: 7}
	l.send("A doctor", contract.ConsentEnrol, stream, consent.Enrol{Leaf: leaf, Proven: consent.Proven{Account: field.Account{31: 1}, Act: act.Act{
		Ledger: l.ledger.ID(), Trial: l.study, Kind: act.Enrol, Version: 1, Site: site, Person: doctor, Day: today,
	}}})
	second := first
	second.Risks = "Fainting."
	l.send("A sponsor", contract.ProtocolAmend, stream, protocol.Amend{Version: 2, Protocol: second, Reason: "Somebody fainted.", Effective: today})
	again := protocol.Approve{Version: 1, Form: "icf-en", Approved: true}
	if code := l.send("A committee", contract.ProtocolApprove, stream, again); trial.Code(code) != trial.AlreadyDecided {
		l.Fatalf("a second decision: code %d, want a refusal", code)
	}
	l.ok(l.ledger.CatchUp(l.Context()))
	return leaf
}

func (l *small) serve() http.Handler {
	l.Helper()
	c := config(newFake())
	c.Model, c.Ledger, c.Now = l.model, l.ledger, func() int64 { return smallNow }
	c.NotDue = func(_ context.Context, id trial.ID, v trial.Version) (uint64, error) {
		view, release := l.ledger.View(wire.StreamID(id))
		defer release()
		return consent.NotDue(view, v, smallNow), nil
	}
	e := gin.New()
	l.ok(Register(e, c))
	return e
}

var addresses = regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)

// makesProofs says whether an address is of a page that runs a script; those have
// tests of their own.
func makesProofs(address string) bool {
	path, _, _ := strings.Cut(address, "?")
	return path == "/take-part" || path == "/my-consent" || path == "/site"
}

// A visitor who follows every link from the home page of a real ledger finds
// every page, and no page that is not there.
func TestEveryLinkOfARealLedgerLeadsSomewhere(t *testing.T) {
	t.Parallel()
	l := newSmall(t)
	leaf := l.fill()
	h := l.serve()
	seen, next := map[string]string{}, []string{"/", "/studies/" + l.study.String() + "/leaves/" + leaf.String()}
	for len(next) > 0 {
		address, _, _ := strings.Cut(strings.ReplaceAll(next[0], "&amp;", "&"), "#")
		next = next[1:]
		if _, done := seen[address]; done || strings.HasPrefix(address, "/v1/") {
			continue
		}
		w := get(h, address)
		body := w.Body.String()
		seen[address] = body
		switch {
		case w.Code == http.StatusSeeOther:
			next = append(next, w.Header().Get("Location"))
		case w.Code != http.StatusOK:
			t.Errorf("%s: status %d", address, w.Code)
		case strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"):
			if !makesProofs(address) {
				checkDocument(t, body)
			}
			for _, m := range addresses.FindAllStringSubmatch(body, -1) {
				next = append(next, m[1])
			}
		}
	}
	entries := 0
	for address := range seen {
		if strings.HasPrefix(address, "/ledger/") {
			entries++
		}
	}
	if entries != int(l.ledger.LogSize()) {
		t.Errorf("%d entries found by their links, %d in the ledger", entries, l.ledger.LogSize())
	}
	study := seen["/studies/"+l.study.String()]
	for _, want := range []string{
		reconsent.NotDue.String() + "(1)", "Somebody fainted.", "A clinic", "Approved by A committee", "as it touches: risks",
		"1 of 1 have not yet shown consent to version 1", time.UnixMilli(smallNow).UTC().Format("2 January 2006"),
	} {
		if !strings.Contains(study, want) {
			t.Errorf("the study's page does not say %q", want)
		}
	}
	for _, name := range []string{"trial/5", "directory/0"} {
		w := get(h, "/check?q="+name)
		body := seen[w.Header().Get("Location")]
		if !strings.Contains(body, "Entry "+name) || !strings.Contains(body, "trialith.example/small") {
			t.Errorf("%s: its page lacks its name or its checkpoint", name)
		}
	}
	if refused := seen[get(h, "/check?q=trial/5").Header().Get("Location")]; !strings.Contains(refused, fmt.Sprintf("Refused, code %d", trial.AlreadyDecided)) {
		t.Error("the refused entry does not say so")
	}
}
