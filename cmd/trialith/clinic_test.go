package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/device"
)

// openClinic starts a demonstration's node with the open study alone, and its
// clinic at work. The study is amended as soon as somebody has consented.
func openClinic(t *testing.T) (*node, *demo.Clinic) {
	t.Helper()
	clock, dir := demo.NewClock(demo.GenesisDay()), t.TempDir()
	n, err := startDemo(dir, "127.0.0.1:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() }) //nolint:errcheck // the test has ended
	report := &demo.Report{Out: io.Discard, Err: t.Output()}
	clinic, err := demo.OpenStudy(t.Context(), demo.Config{URL: n.url, Clock: clock, Dir: dir, Report: report, AmendAfter: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { clinic.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return n, clinic
}

// TestClinic takes one participant with a device in Go through the open study:
// the letters and transactions are those of the pages.
func TestClinic(t *testing.T) {
	t.Parallel()
	n, clinic := openClinic(t)
	code, err := clinic.Invite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &guest{t: t, base: n.url, api: client.New(n.url, &http.Client{Timeout: 30 * time.Second}), code: code}
	p.join()
	p.agree(1)
	p.tell(client.Letter{Type: "receipt", Subject: p.card.Code, Version: 1})
	p.hear("countersigned")
	visit := device.Visit{Kind: act.Visit, Site: p.site, Slot: "start", Day: trial.Day(p.card.Day)}
	body, err := p.phone.Entry(t.Context(), visit, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.tell(client.Letter{Type: "visit", Subject: p.card.Code, Code: "K7QM2R", Body: wire.Marshal(body)})
	if l := p.hear("visited"); l.Slot != "start" || l.Code != "K7QM2R" {
		t.Errorf("visited: %+v", l)
	}
	p.waitVersion(2)
	p.agree(2)
	p.post(client.Letter{Type: "receipt", Subject: p.card.Code, Version: 2}) // without the card
	p.tell(client.Letter{Type: "withdrawn", Subject: p.card.Code})
	p.hear("acknowledged")
	p.inAFreshFile()
	p.committed(filepath.Join(filepath.Dir(n.keys.dir), "clinic", "countersign.json"))
}

// committed compares the clinic's opened table with what the ledger has.
func (p *guest) committed(file string) {
	p.t.Helper()
	var kept struct {
		Lines []struct {
			Leaf    field.Leaf
			Version trial.Version
			Form    string
			Day     int32
		}
		Commitments []struct {
			Total      int
			Salt       wire.Hash
			Commitment trial.Commitment
		}
	}
	if err := json.Unmarshal(must(os.ReadFile(file)), &kept); err != nil {
		p.t.Fatal(err)
	}
	var rows [][]any
	for _, l := range kept.Lines {
		rows = append(rows, []any{l.Leaf, l.Version, l.Form, l.Day})
	}
	leaf, _ := p.phone.Leaf()
	if len(kept.Lines) != 1 || kept.Lines[0].Leaf != leaf || len(kept.Commitments) != 1 {
		p.t.Fatalf("the clinic's table: %+v", kept)
	}
	c := kept.Commitments[0]
	if act.Commit("countersign", c.Salt, wire.Marshal(rows)) != c.Commitment {
		p.t.Error("the clinic's table does not open its commitment")
	}
	r := must(http.Get(p.base + "/v1/trials/" + p.trial.String() + "/sites"))
	defer r.Body.Close()
	if b := must(io.ReadAll(r.Body)); !strings.Contains(string(b), c.Commitment.String()) {
		p.t.Errorf("the commitment %v is not on the ledger: %s", c.Commitment, b)
	}
}

// inAFreshFile finds the participant's acts in an evidence file made now.
func (p *guest) inAFreshFile() {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), "evidence.trialith")
	f := must(os.Create(path))
	if err := errors.Join(p.api.Evidence(p.t.Context(), p.trial, f), f.Close()); err != nil {
		p.t.Fatal(err)
	}
	r, err := verifyFile(p.t.Context(), path, "")
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Verdict != evidence.Reservations || !strings.Contains(r.Sentence, "4 proofs hold") {
		p.t.Errorf("%s: %s", r.Verdict, r.Sentence)
	}
}

// guest is a participant without a browser.
type guest struct {
	t     *testing.T
	base  string // of the node
	api   *client.Client
	code  client.Code
	card  client.Card
	site  trial.SiteID
	trial trial.ID
	phone *device.Device
	read  uint64
}

func unhex[T ~[32]byte](t *testing.T, s string) T {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("%q: not 32 bytes of hex", s)
	}
	return T(b)
}

// Leaves downloads whole lists, as a phone does.
func (p *guest) Leaves(ctx context.Context, tree string) ([]field.Leaf, error) {
	return p.api.Leaves(ctx, p.trial, tree, 0)
}

func (p *guest) join() {
	p.t.Helper()
	p.ask()
	p.hear("enrolled")
}

// ask reads the card, and asks the site to enrol the leaf that the device makes.
func (p *guest) ask() {
	p.t.Helper()
	letters := must(p.api.Mail(p.t.Context(), p.code.Box(), 0))
	if len(letters) != 1 {
		p.t.Fatalf("%d letters for a new card", len(letters))
	}
	if err := p.code.Open(letters[0].Body, &p.card); err != nil {
		p.t.Fatal(err)
	}
	p.read = letters[0].Sequence
	p.site, p.trial = unhex[trial.SiteID](p.t, p.card.Site), unhex[trial.ID](p.t, p.card.Trial)
	p.phone = device.New(device.Config{Ledger: unhex[wire.LedgerID](p.t, p.card.Ledger), Trial: p.trial, Prover: must(prover.Development()), Public: p})
	body := must(p.phone.Enrol(p.site, unhex[trial.ActorID](p.t, p.card.Investigator), trial.Version(p.card.Version), trial.Day(p.card.Day), field.Attributes{}))
	p.tell(client.Letter{Type: "enrol", Box: p.code.Box().String(), Subject: p.card.Code, Body: wire.Marshal(body)})
}

func (p *guest) tell(l client.Letter) {
	p.t.Helper()
	l.From = p.code.From()
	p.post(l)
}

// post writes to the site as somebody else might.
func (p *guest) post(l client.Letter) {
	p.t.Helper()
	letter := must(client.SealTo(p.card.Inbox, l))
	if err := p.api.Post(p.t.Context(), client.InboxBox(p.card.Inbox), letter); err != nil {
		p.t.Fatal(err)
	}
}

// hear waits for the site's next letter of a type.
func (p *guest) hear(kind string) client.Letter {
	p.t.Helper()
	for range 600 {
		for _, l := range must(p.api.Mail(p.t.Context(), p.code.Box(), p.read)) {
			p.read = l.Sequence
			var words client.Letter
			if err := p.code.Open(l.Body, &words); err != nil {
				p.t.Fatal(err)
			}
			if words.Type != kind {
				p.t.Fatalf("the clinic says %+v; %q was expected", words, kind)
			}
			return words
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("no letter %q came", kind)
	return client.Letter{}
}

func (p *guest) agree(v trial.Version) {
	p.t.Helper()
	forms := demo.OpenForms(v)
	body := must(p.phone.Consent(p.t.Context(), v, act.FormSet(forms), act.Choice{Form: forms[0].ID, Language: forms[0].Language}))
	o, err := p.api.EnterAct(p.t.Context(), body)
	if err != nil || !o.Accepted() {
		p.t.Fatalf("consent to version %v: %+v, %v", v, o, err)
	}
	if err := p.phone.Given(v); err != nil {
		p.t.Fatal(err)
	}
}

// waitVersion waits until a version is open.
func (p *guest) waitVersion(v trial.Version) {
	p.t.Helper()
	for range 600 {
		leaf, _ := p.phone.Leaf()
		if slices.Contains(must(p.api.Leaf(p.t.Context(), p.trial, leaf)).Unsettled, v) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Fatalf("version %v does not open", v)
}
