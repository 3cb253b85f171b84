package contract_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

var update = flag.Bool("update", false, "write the golden files and tables again")

// everyKind is a course of a trial with a transaction of each kind in it, all
// accepted.
func everyKind(b *bench) {
	b.dir, b.stream = new(state.Memory), new(state.Memory)
	b.watchedBy()
	b.must(b.register("sponsor", trial.Sponsor, "regulator"))
	b.must(b.register("ethics", trial.Ethics, "regulator"))
	for _, s := range []string{"A", "B"} {
		b.must(b.register(s, trial.Site, "sponsor", "ethics"))
		for _, p := range []string{s + "1", s + "2"} {
			b.must(b.register(p, trial.Investigator, s))
			b.must(b.delegate(s, p, trial.Enrolling, trial.Recording, trial.Countersigning))
		}
	}
	b.must(b.register("A3", trial.Investigator, "A"))
	b.must(b.delegate("A", "A3", trial.Recording))
	b.must(b.rotate("A3", "A3 again"))
	b.must(b.end("A", "A3"))
	b.must(b.revoke("A3", "A"))
	b.must(b.registerTrial())
	b.approve(1)
	b.must(b.open(1, "A"))
	b.must(b.open(1, "B"))
	for _, p := range []string{"P", "Q", "R", "S", "T"} {
		b.must(b.enrol(p, "A", 1))
	}
	for _, p := range []string{"P", "Q", "R"} {
		b.must(b.perform(b.consent(p, 1)))
	}
	b.must(b.perform(b.options("P", 1, 1)))
	b.must(b.screen("P", "A"))
	b.must(b.randomise("P", "A", 1))
	b.must(b.screen("Q", "A"))
	b.must(b.deviate("Q", "A"))
	b.must(b.enterEntry(b.entry("P", 1, act.Dose, "A", trial.FirstDose, 0, "pass-1"), "A"))
	b.now += day
	b.must(b.amend(2, true))
	b.must(b.classify(2, true))
	b.approve(2)
	b.must(b.open(2, "A"))
	b.must(b.perform(b.consent("P", 2)))
	b.must(b.perform(b.consent("S", 2)))
	b.must(b.perform(b.superseded("S", 1, 2)))
	b.must(b.perform(b.withdrawal("Q", 1, 1)))
	b.must(b.perform(b.withdrawal("Q", 2, 0)))
	b.must(b.remove("R", "A", trial.ByWord, said("1-", "2-")...))
	b.must(b.correct("R", "A", 1, true))
	b.must(b.replace("T", "U", "A", 1, said("1-", "2-")...))
	b.must(b.transfer("P", "A", "B"))
	b.must(b.enterEntry(b.entry("P", 2, act.Visit, "B", "week-2", 0, "pass-1"), "B"))
	datasetKinds(b)
	publicationKinds(b)
	safetyKinds(b)
	batchKinds(b)
}

// batchKinds are what came last: acts in a batch, one of which is overtaken.
func batchKinds(b *bench) {
	b.must(b.register("batcher", trial.Batcher, "regulator"))
	b.must(b.batch(b.epoch(), b.consent("U", 2), b.options("S", 2, 1), b.consent("U", 2), b.withdrawal("P", 2, 1)))
	b.must(b.countersign("A", b.epoch(), 4))
}

// vector is one transaction in bytes, and what its proof shows where it has one.
type vector struct {
	Kind     tx.Kind `json:"kind"`
	Name     string  `json:"name"`
	Act      string  `json:"act,omitempty"` // kind of the act
	Body     string  `json:"body"`
	Envelope string  `json:"envelope"`
	Hash     string  `json:"hash"`
	ActBytes string  `json:"act_bytes,omitempty"`
	Context  string  `json:"context,omitempty"`
	Message  string  `json:"message,omitempty"`
}

func vectorOf(t *testing.T, e *tx.Envelope) vector {
	t.Helper()
	k, ok := contract.KindOf(e.Kind)
	if !ok {
		t.Fatalf("kind %d", e.Kind)
	}
	raw := e.Encode()
	hash := tx.Hash(raw)
	v := vector{Kind: e.Kind, Name: k.Name, Body: hex.EncodeToString(e.Body), Envelope: hex.EncodeToString(raw), Hash: hash.String()}
	body, err := k.Decode(e.Body)
	if err != nil {
		t.Fatal(err)
	}
	if p := provenOf(body); p != nil {
		context, message := field.Encode(p.Act.Context()), field.Encode(p.Act.Message())
		v.Act, v.ActBytes = p.Act.Kind.String(), hex.EncodeToString(p.Act.Bytes())
		v.Context, v.Message = hex.EncodeToString(context[:]), hex.EncodeToString(message[:])
	}
	return v
}

func provenOf(body any) *consent.Proven {
	switch b := body.(type) {
	case consent.Enrol:
		return &b.Proven
	case consent.Act:
		return &b.Proven
	case consent.Entry:
		return &b.Proven
	case consent.Replace:
		return &b.Proven
	case consent.Screen:
		return &b.Proven
	case consent.Randomise:
		return &b.Proven
	default:
		return nil
	}
}

// TestVectors: the bytes of each kind, and of each kind of act, stay.
func TestVectors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	everyKind(b)
	var got []vector
	seen := map[string]bool{}
	for _, e := range b.sent {
		v := vectorOf(t, e)
		if name := v.Name + v.Act; !seen[name] {
			seen[name] = true
			got = append(got, v)
		}
	}
	slices.SortStableFunc(got, func(a, b vector) int { return int(a.Kind) - int(b.Kind) })
	for _, k := range contract.Kinds() {
		if !slices.ContainsFunc(got, func(v vector) bool { return v.Kind == k.Number }) {
			t.Errorf("%s: no vector", k.Name)
		}
	}
	text, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/kinds.json", append(text, '\n'))
	for _, v := range got {
		raw, err := hex.DecodeString(v.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := tx.Decode(raw); err != nil || hex.EncodeToString(e.Body) != v.Body {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs; read every line that go test -update changes", path)
	}
}

// course runs everyKind and gives the digests of directory and trial.
func course(t *testing.T) (digests [2]wire.Hash) {
	t.Helper()
	b := newBench(t)
	everyKind(b)
	return [2]wire.Hash{state.Digest(b.dir), state.Digest(b.stream)}
}

// TestDeterminism: equal transactions make equal states, at any number of
// cores, and whether or not a block's proofs were verified together.
func TestDeterminism(t *testing.T) { //nolint:paralleltest // it sets GOMAXPROCS
	want := course(t)
	for _, cores := range []int{1, 2, 8} {
		was := runtime.GOMAXPROCS(cores)
		got := course(t)
		runtime.GOMAXPROCS(was)
		if got != want {
			t.Errorf("%d cores: %v, want %v", cores, got, want)
		}
	}
	b := newBench(t)
	b.fast = true
	everyKind(b)
	if got := [2]wire.Hash{state.Digest(b.dir), state.Digest(b.stream)}; got != want {
		t.Errorf("without Prepare: %v, want %v", got, want)
	}
	if want[0] == want[1] || want[1] == (wire.Hash{}) {
		t.Errorf("empty digests: %v", want)
	}
}

// TestEventsAreEqual: one course tells the same events each time.
func TestEventsAreEqual(t *testing.T) {
	t.Parallel()
	a, b := newBench(t), newBench(t)
	everyKind(a)
	everyKind(b)
	if len(a.told) < 60 {
		t.Fatalf("only %d events", len(a.told))
	}
	if !slices.EqualFunc(a.told, b.told, func(x, y engine.Event) bool { return x.Kind == y.Kind && string(x.Body) == string(y.Body) }) {
		t.Error("the same course told other events")
	}
}
