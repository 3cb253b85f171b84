package device_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// standing is a status as testdata/course.ts tells it.
type standing struct {
	Enrolled, Left, Current bool
	Open, Consents          []int
	Due                     []int64
	Answers                 []string
	Floor                   int
	Epoch                   uint64
	Now                     int64
}

type synced struct {
	Status   standing
	Accepted []act.Kind
	Waiting  []struct {
		Kind    act.Kind
		State   string
		Refusal string
	}
	Faults []string
	Held   []string
}

type outgoing struct {
	Kind              act.Kind
	Version           trial.Version
	Sequence          uint32
	Account           field.Account
	Body, State, Salt string
	Choice            struct {
		Form, Language string
		Taken          []string
	}
	After int64
}

type memory struct {
	Master, Enrolled, Reason, Study string
	Trial                           trial.ID
	Version                         trial.Version
	Heard, Leaving, Told            bool
	Given                           []struct {
		Version                  int
		Epoch, Day               uint64
		Countersigned, Receipted bool
		Choice                   *struct{ Taken []string }
	}
	Entries []struct {
		Slot     string
		Recorded bool
	}
}

type choice struct {
	Form     string   `json:"form"`
	Language string   `json:"language"`
	Taken    []string `json:"taken"`
}

type visiting struct {
	Slot string `json:"slot"`
	Rep  uint32 `json:"rep"`
	Kind string `json:"kind"`
}

type shown struct {
	Code, Text string
	Sent       bool
}

func call[T any](l *lab, function string, args ...any) T {
	l.Helper()
	return browsertest.Call[T](l, l.page, function, args...)
}

// fails asks that a call fail with these words.
func (l *lab) fails(words, function string, args ...any) {
	l.Helper()
	if v, err := browsertest.Try[any](l.page, function, args...); err == nil || !strings.Contains(err.Error(), words) {
		l.Errorf("%s(%v) = %v, %v; want %q", function, args, v, err, words)
	}
}

// derived is what the ledger's own device derives of the same secret.
type derived struct {
	master            [32]byte
	l                 *lab
	leaf              field.Element
	secret            field.Element
	ledger, trialName [32]byte
}

func (l *lab) derives(master string) *derived {
	l.Helper()
	b, err := hex.DecodeString(master)
	l.check(err)
	d := &derived{master: [32]byte(b), l: l, ledger: l.ledger.ID(), trialName: l.trial}
	d.secret, d.leaf = d.credential("")
	return d
}

func (d *derived) credential(use string) (secret, leaf field.Element) {
	d.l.Helper()
	secret = derive(d.l.T, d.master, field.SecretTag+use, d.ledger, d.trialName, 1)
	trapdoor := derive(d.l.T, d.master, field.TrapdoorTag+use, d.ledger, d.trialName, 1)
	return secret, field.NewLeaf(field.Identity(secret, trapdoor), field.Attributes{})
}

// same asks that the body be what Go makes of the same secret and decision, but for the proof and root.
func (d *derived) same(o *outgoing, forms trial.Digest, sequence uint32) {
	d.l.Helper()
	raw := unbase64(d.l.T, o.Body)
	var got consent.Act
	d.l.check(wire.Unmarshal(raw, &got))
	want := consent.Act{Proven: consent.Proven{
		Act:  act.Act{Ledger: d.ledger, Trial: d.trialName, Kind: o.Kind, Version: o.Version, Sequence: sequence},
		Root: got.Proven.Root, Proof: got.Proven.Proof,
	}}
	a := &want.Proven.Act
	if o.Kind == act.Consent || o.Kind == act.Options {
		salt, err := hex.DecodeString(o.Salt)
		d.l.check(err)
		a.FormSet = forms
		a.Options = act.Choice{Form: o.Choice.Form, Language: o.Choice.Language, Taken: o.Choice.Taken}.Commit([32]byte(salt))
	}
	if o.Kind == act.Consent {
		_, pass := d.credential(fmt.Sprintf("/pass/%v", o.Version))
		a.Pass = field.LeafOf(pass)
	}
	if o.Kind == act.Withdraw {
		want.Leaf = field.LeafOf(d.leaf)
	}
	want.Proven.Account = field.AccountOf(field.NewAccount(d.secret, d.leaf, a.Context()))
	if hex.EncodeToString(wire.Marshal(want)) != hex.EncodeToString(raw) || want.Proven.Account != o.Account {
		d.l.Errorf("%v of version %v:\n%+v, want\n%+v", o.Kind, o.Version, got, want)
	}
}

// TestCourse takes a device in the browser from a card to leaving, with the pages'
// own prover, against a node whose rules check its proofs.
func TestCourse(t *testing.T) {
	t.Parallel()
	l := open(t, "server/web/app/device/testdata/course.ts")
	if kind := call[string](l, "own"); kind != "kernel" {
		t.Fatalf("the prover is %s's", kind)
	}
	call[any](l, "begin", "trialith")
	l.fails("compare it with the card", "invite", "0000-0000-0001")
	l.fails("no invitation under this code", "invite", client.NewCode().String())
	m := call[memory](l, "invite", "http://x.example/take-part#"+string(l.code))
	if m.Study != l.protocol.PublicTitle || m.Trial != l.trial || m.Enrolled != "no" {
		t.Fatalf("invited: %+v", m)
	}
	if again := call[memory](l, "invite", l.code.String()); again.Master != m.Master || call[int](l, "studies") != 1 {
		t.Fatal("the same card again made another secret")
	}
	d := l.derives(m.Master)
	forms := func() trial.Digest { return act.FormSet(l.protocol.Forms) }

	enrols(l, d)
	agrees(l, d, forms())
	visits(l)
	amended(l, d, forms())
	restored(l)
	leaves(l, d)

	// Whoever watches the requests sees no leaf, account or secret, no cookie, no referrer.
	requests := l.noted()
	accounts := []string{field.LeafOf(d.leaf).String(), m.Master, "Cookie", "Referer"}
	for v := trial.Version(1); v <= 3; v++ {
		a := act.Act{Ledger: d.ledger, Trial: d.trialName, Kind: act.Consent, Version: v}
		_, pass := d.credential(fmt.Sprintf("/pass/%v", v))
		accounts = append(accounts, field.AccountOf(field.NewAccount(d.secret, d.leaf, a.Context())).String(), field.LeafOf(pass).String())
	}
	if len(requests) < 100 {
		t.Errorf("only %d requests; the test shows little", len(requests))
	}
	for _, r := range revealed(requests, accounts...) {
		t.Errorf("tells too much: %s", r)
	}
}

func enrols(l *lab, d *derived) {
	l.Helper()
	l.fails("owes it no answer", "prepare", 1)
	body := unbase64(l.T, call[string](l, "ask"))
	letter := l.reads("enrol")
	var got consent.Enrol
	l.check(wire.Unmarshal(letter.Body, &got))
	want := consent.Enrol{Leaf: field.LeafOf(d.leaf), Proven: consent.Proven{Proof: got.Proven.Proof, Act: act.Act{
		Ledger: d.ledger, Trial: d.trialName, Kind: act.Enrol, Version: 1, Site: l.site, Person: l.doctor, Day: trial.DayOf(l.clock.Now()),
	}}}
	want.Proven.Account = field.AccountOf(field.NewAccount(d.secret, d.leaf, want.Proven.Act.Context()))
	if hex.EncodeToString(wire.Marshal(want)) != hex.EncodeToString(body) || hex.EncodeToString(letter.Body) != hex.EncodeToString(body) || letter.Box != l.code.Box().String() {
		l.Fatalf("enrolment:\n%+v, want\n%+v", got, want)
	}
	l.writes(client.Letter{Type: "refused", Reason: "Come by first."})
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); m.Enrolled != "refused" || m.Reason != "Come by first." {
		l.Errorf("refused: %+v", m)
	}
	l.must("doctor", contract.ConsentEnrol, l.stream(), got)
	s := call[synced](l, "sync", true).Status
	if !s.Enrolled || !slices.Equal(s.Open, []int{1}) || s.Current || call[memory](l, "memory").Enrolled != "yes" {
		l.Fatalf("enrolled: %+v", s)
	}
	if want := (trial.DayOf(l.clock.Now()) + 30).Start(); s.Due[0] < want || s.Due[0] > want+24*hour {
		l.Errorf("due %d, want 30 days from now", s.Due[0])
	}
}

// agrees consents offline and over a list that grew twice, and changes an option.
func agrees(l *lab, d *derived, forms trial.Digest) {
	l.Helper()
	l.fails("no current consent", "visit", visiting{trial.FirstDose, 0, "dose"})
	if got := call[[]string](l, "prepare", 1); !slices.Equal(got, []string{"main", "main-ar"}) {
		l.Errorf("forms %v", got)
	}
	l.fails("not on the form", "agree", choice{"main", "en", []string{"nothing"}}, false)
	l.fails("not of this version", "agree", choice{"main", "de", []string{}}, false)
	l.enrolsAnother(1) // between reading and agreeing
	o := call[outgoing](l, "agree", choice{"main", "en", []string{"biobank", "results"}}, false)
	if !slices.Equal(o.Choice.Taken, []string{"results", "biobank"}) {
		l.Errorf("options %v, want those of the form in its order", o.Choice.Taken)
	}
	d.same(&o, forms, 0)
	l.offline.Store(true)
	if s := call[synced](l, "sync", true); len(s.Accepted) != 0 || len(s.Waiting) != 1 || len(s.Faults) != 1 {
		l.Errorf("offline: %+v", s)
	}
	l.offline.Store(false)
	l.enrolsAnother(1) // between agreeing and sending
	if s := call[synced](l, "sync", false); len(s.Waiting) != 1 || s.Waiting[0].State != "stale" {
		l.Errorf("proven against a list that is no more: %+v", s)
	}
	s := call[synced](l, "sync", true)
	if !slices.Equal(s.Accepted, []act.Kind{act.Consent}) || !slices.Equal(s.Status.Consents, []int{1}) || len(s.Status.Open) != 0 || !s.Status.Current {
		l.Fatalf("consented: %+v", s)
	}
	if c := l.counters(1); c.Acts != 1 {
		l.Errorf("counters %+v", c)
	}
	if letter := l.reads("receipt"); letter.Version != 1 || letter.Epoch != s.Status.Epoch {
		l.Errorf("receipt %+v", letter)
	}
	l.writes(client.Letter{Type: "countersigned", Version: 1})
	l.fails("answered before", "prepare", 1)
	call[any](l, "prepareOptions", 1)
	o = call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	d.same(&o, forms, 1)
	s = call[synced](l, "sync", true)
	m := call[memory](l, "memory")
	if !slices.Equal(s.Accepted, []act.Kind{act.Options}) || !m.Given[0].Countersigned || len(m.Given[0].Choice.Taken) != 0 {
		l.Errorf("options: %+v, %+v", s, m)
	}
	if !slices.Equal(s.Status.Answers, []string{"1N:options1"}) {
		l.Errorf("answers %v", s.Status.Answers)
	}
}

func visits(l *lab) {
	l.Helper()
	first := call[shown](l, "visit", visiting{trial.FirstDose, 0, "dose"})
	letter := l.reads("visit")
	if !first.Sent || letter.Code != first.Code || len(first.Code) != 6 || "TRIALITH1:"+base64.RawURLEncoding.EncodeToString(letter.Body) != first.Text {
		l.Errorf("shown %+v, letter %+v", first, letter)
	}
	again := call[shown](l, "visit", visiting{trial.FirstDose, 0, "dose"})
	var one, two consent.Entry
	l.check(wire.Unmarshal(letter.Body, &one))
	l.check(wire.Unmarshal(l.reads("visit").Body, &two))
	if again.Code != first.Code || one.Proven.Account != two.Proven.Account {
		l.Error("the same visit again has another account or code")
	}
	l.must("doctor", contract.ConsentEntry, l.stream(), two)
	l.fails("recorded before", "visit", visiting{trial.FirstDose, 0, "dose"}) // the public list says so
	l.writes(client.Letter{Type: "visited", Slot: trial.FirstDose})
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); len(m.Entries) != 1 || !m.Entries[0].Recorded {
		l.Errorf("entries %+v", m.Entries)
	}
}

// amended: a version that affects those enrolled, unanswered until the next one,
// which stands for both; the earlier is given up apart from it.
func amended(l *lab, d *derived, _ trial.Digest) {
	l.Helper()
	l.clock.ms.Add(24 * hour)
	l.amends(2, "More.")
	s := call[standing](l, "status")
	if !slices.Equal(s.Open, []int{2}) || !s.Current || s.Floor != 1 {
		l.Fatalf("version 2 waits: %+v", s)
	}
	l.clock.ms.Add(24 * hour)
	l.amends(3, "Yet more.")
	if s = call[standing](l, "status"); !slices.Equal(s.Open, []int{3}) {
		l.Fatalf("version 3 stands for both: %+v", s)
	}
	// A visit shown before under version 1 keeps its pass until the deadline.
	call[shown](l, "visit", visiting{"week-2", 0, "visit"})
	l.reads("visit")
	call[any](l, "prepare", 3)
	o := call[outgoing](l, "agree", choice{"main-ar", "ar", []string{}}, false)
	d.same(&o, act.FormSet(l.protocol.Forms), 0)
	waits := call[[]outgoing](l, "outgoing")
	if len(waits) != 2 || waits[0].Kind != act.Superseded || waits[0].After <= l.clock.Now() {
		l.Fatalf("waiting: %+v", waits)
	}
	x := call[synced](l, "sync", true)
	if !slices.Equal(x.Accepted, []act.Kind{act.Consent}) || len(x.Waiting) != 1 {
		l.Fatalf("apart: %+v", x)
	}
	l.reads("receipt")
	call[any](l, "lose") // what gives version 2 up is made again
	call[synced](l, "sync", true)
	if waits = call[[]outgoing](l, "outgoing"); len(waits) != 1 || waits[0].Kind != act.Superseded || waits[0].Version != 2 {
		l.Fatalf("made again: %+v", waits)
	}
	l.clock.ms.Add(2 * hour)
	if x = call[synced](l, "sync", true); !slices.Equal(x.Accepted, []act.Kind{act.Superseded}) || len(x.Waiting) != 0 {
		l.Fatalf("superseded: %+v", x)
	}
	if c2, c3 := l.counters(2), l.counters(3); c2.Superseded != 1 || c3.Acts != 1 {
		l.Errorf("counters %+v, %+v", c2, c3)
	}
	if !slices.Equal(x.Status.Answers, []string{"1N:options1", "2E:superseded0", "3E:consent0"}) {
		l.Errorf("answers %v", x.Status.Answers)
	}
	// Past version 2's deadline the site takes passes from there on. What was shown
	// on that day may still be recorded, under the pass that it showed.
	l.clock.ms.Add(28 * 24 * hour)
	call[shown](l, "visit", visiting{"week-2", 0, "visit"})
	l.reads("visit")
	l.clock.ms.Add(23 * hour)
	l.fails("shown before, under an earlier consent", "visit", visiting{"week-2", 0, "visit"})
	l.clock.ms.Add(48 * hour)
	call[shown](l, "visit", visiting{"week-2", 0, "visit"})
	var late consent.Entry
	l.check(wire.Unmarshal(l.reads("visit").Body, &late))
	l.must("doctor", contract.ConsentEntry, l.stream(), late)
	l.noMore()
}

// restored: another browser with the sheet and the card knows the same.
func restored(l *lab) {
	l.Helper()
	before, sheet := call[standing](l, "status"), call[string](l, "sheet")
	call[any](l, "begin", "another browser")
	wrong := []byte(sheet)
	wrong[7] = "01"[1-strings.IndexByte("01", wrong[7])&1]
	l.fails("recovery sheet:", "restore", string(wrong), l.code.String())
	other := call[[]string](l, "strangeSheet")
	l.fails("nobody with it is in this study", "restore", strings.Join(other, " "), l.code.String())
	m := call[memory](l, "restore", sheet, l.code.String())
	after := call[standing](l, "status")
	if fmt.Sprint(before) != fmt.Sprint(after) {
		l.Errorf("restored: %+v, want %+v", after, before)
	}
	if len(m.Given) != 2 || m.Given[0].Version != 1 || m.Given[1].Version != 3 || m.Enrolled != "yes" {
		l.Errorf("restored memory: %+v", m)
	}
	call[synced](l, "sync", true)
	l.noMore() // no receipt again
	for _, v := range []visiting{{trial.FirstDose, 0, "dose"}, {"week-2", 0, "visit"}} {
		l.fails("recorded before", "visit", v)
	}
	if n := call[int](l, "reopen"); n != 1 {
		l.Errorf("%d studies on the device", n)
	}
}

// leaves tells the site at once and withdraws under each version that is not settled.
func leaves(l *lab, d *derived) {
	l.Helper()
	gone := call[struct {
		Told     bool
		Versions []int
	}](l, "leave")
	l.reads("withdrawn")
	if !gone.Told || !slices.Equal(gone.Versions, []int{1, 2, 3}) {
		l.Fatalf("leaving: %+v", gone)
	}
	for i, o := range call[[]outgoing](l, "outgoing") {
		d.same(&o, trial.Digest{}, []uint32{2, 1, 1}[i])
	}
	if again := call[struct{ Versions []int }](l, "leave"); len(again.Versions) != 0 {
		l.Errorf("leaving again: %+v", again)
	}
	s := call[synced](l, "sync", true)
	if len(s.Accepted) != 3 || !s.Status.Left || s.Status.Current || len(s.Status.Open) != 0 {
		l.Fatalf("left: %+v", s)
	}
	for v := trial.Version(1); v <= 3; v++ {
		if c := l.counters(v); c.LeftProved1 != 1 {
			l.Errorf("version %v: %+v", v, c)
		}
	}
	l.writes(client.Letter{Type: "acknowledged", What: "withdrawn"})
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); !m.Heard || !m.Told || !m.Leaving {
		l.Errorf("memory: %+v", m)
	}
	l.noMore()
}
