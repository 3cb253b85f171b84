package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/ledger/witness"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/trial"
)

var updateWitnessed = flag.Bool("update-witnessed", false, "hold a ceremony and write testdata/witnessed.trialith and its policy anew; takes a minute")

// holdCeremony makes keys for the real circuit by a ceremony of three.
func holdCeremony(t *testing.T, began time.Time) (record []byte, key *verifier.Key, p *prover.Prover) {
	t.Helper()
	dir := t.TempDir()
	now := began
	signer := func(name string) ceremony.Signer {
		now = now.Add(time.Minute)
		seed := sha256.Sum256([]byte("trialith sample ceremony, public: " + name))
		return ceremony.Signer{Name: name, Key: ed25519.NewKeyFromSeed(seed[:]), Now: now.UnixMilli()}
	}
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	x := must[*ceremony.Ceremony](t)(ceremony.Init(ceremony.Config{Dir: dir}, ceremony.Plan{Name: "Sample for tests", Depth: tree.Depth, Minimum: 2}, signer("Coordinator")))
	for phase := range 2 {
		step(x.Contribute(signer("Ada")))
		step(x.Contribute(signer("Ben")))
		at := now.Add(time.Hour)
		step(x.Announce(signer("Coordinator"), fmt.Sprintf("SHA-256 of the phase's number, a test's beacon (phase %d)", phase+1), at.UnixMilli(), sha256.Size))
		step(x.Contribute(signer("Cleo")))
		now = at
		value := sha256.Sum256([]byte{byte(phase + 1)})
		step(x.Seal(t.Context(), signer("Coordinator"), value[:]))
	}
	read := func(name string) []byte { return must[[]byte](t)(os.ReadFile(filepath.Join(dir, name))) }
	proving := read(ceremony.ProvingFile)
	return read(ceremony.TranscriptFile), must[*verifier.Key](t)(verifier.ParseKey(read(ceremony.VerifyingFile))),
		must[*prover.Prover](t)(prover.New(tree.Depth, proving, sha256.Sum256(proving)))
}

// observed is a lab whose blocks a witness sees.
type observed struct {
	*lab
	witness *witness.Witness
	size    uint64 // that the witness knows
}

func observe(l *lab) *observed {
	l.t.Helper()
	w := must[*witness.Witness](l.t)(witness.Open(witness.Config{
		Dir: filepath.Join(l.t.TempDir(), "witness"), Name: "witness.example/w1", Key: demonstration.Key("witness"),
		Logs: []witness.Log{witness.LogOf(l.ledger.Genesis())}, Clock: l,
	}))
	l.t.Cleanup(func() { w.Close() })
	return &observed{lab: l, witness: w}
}

// cosign has the witness cosign the head, and keeps what it answers.
func (o *observed) cosign() []byte {
	o.t.Helper()
	h, note := o.ledger.Head(), o.ledger.Checkpoint()
	body := fmt.Appendf(nil, "old %d\n", o.size)
	if o.size > 0 {
		for _, p := range must[[]wire.Hash](o.t)(o.ledger.ConsistencyProof(o.size, h.Size())) {
			body = fmt.Appendf(body, "%s\n", base64.StdEncoding.EncodeToString(p[:]))
		}
	}
	lines := must[string](o.t)(o.witness.Add(append(append(body, '\n'), note...)))
	o.size = h.Size()
	cosigned := append(bytes.Clone(note), lines...)
	if err := o.ledger.SetCosigned(h.Height, cosigned); err != nil {
		o.t.Fatal(err)
	}
	return cosigned
}

// policy believes the lab's witness.
func (o *observed) policy(p Policy) Policy {
	p.Witnesses = []string{"witness w1 " + o.witness.VerifierKey(), "quorum w1"}
	return p
}

// makeWitnessed runs a small trial without exceptions under keys of a ceremony,
// whose blocks a witness cosigns.
func makeWitnessed(t *testing.T) (file []byte, policy Policy) {
	t.Helper()
	g := labGenesis()
	record, key, p := holdCeremony(t, time.UnixMilli(g.Time).AddDate(0, -1, 0))
	g.VerifyingKey, g.Demonstration = key.Hash(), false
	l := newLab(t, g, key, nil)
	l.prover = func() (*prover.Prover, error) { return p, nil }
	o := observe(l)
	l.finish()
	o.cosign()
	s := shelf{}
	files := labResults(t, l)
	root := s.put(t, files)
	l.release(1, root, must[registry.Contents](t)(registry.Read(files)))
	o.cosign()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, l.ledger, l.trial, Contents{Key: key, Ceremony: record, Packages: s, Witnessed: l.ledger}); err != nil {
		t.Fatal(err)
	}
	policy = Builtin()
	policy.Name, policy.Demonstration, policy.VerifyingKeys = "of a test", false, []wire.Hash{g.VerifyingKey}
	return b.Bytes(), o.policy(policy)
}

const (
	witnessedFile   = "testdata/witnessed.trialith"
	witnessedPolicy = "testdata/witnessed.policy.json"
)

// TestWitnessed: a trial without exceptions, under keys of a ceremony and
// cosigned by a witness that the policy trusts, is VERIFIED, and without that
// witness it is not.
func TestWitnessed(t *testing.T) {
	t.Parallel()
	if *updateWitnessed {
		file, policy := makeWitnessed(t)
		b := append(must[[]byte](t)(json.MarshalIndent(policy, "", "  ")), '\n')
		if err := errors.Join(os.WriteFile(witnessedFile, file, 0o644), os.WriteFile(witnessedPolicy, b, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	b := must[[]byte](t)(os.ReadFile(witnessedFile))
	p := must[Policy](t)(ParsePolicy(must[[]byte](t)(os.ReadFile(witnessedPolicy))))
	r := verifyUnder(t, b, p)
	if r.Verdict != Verified || r.ExitCode() != 0 || r.Label != trial.Verified {
		t.Fatalf("%s", text(r))
	}
	for _, m := range r.Milestones {
		if m.Witnessed == "" {
			t.Errorf("%s: no witness saw it", m.Name)
		}
	}
	p.Witnesses = nil
	r = verifyUnder(t, b, p)
	if c, _ := r.Check(checkWitnesses); r.Verdict != Reservations || c.Status != NotChecked || !strings.Contains(r.Sentence, "not independently witnessed") {
		t.Errorf("a policy without witnesses: %s", text(r))
	}
	p.Witnesses = []string{"witness other " + witness.KeyOf("witness.example/w1", demonstration.Public("another witness")).String(), "quorum other"}
	if r = verifyUnder(t, b, p); r.Verdict != Reservations {
		t.Errorf("a witness that did not sign: %s", text(r))
	}
}

// TestWitnessedTampered: no cosigned checkpoint can be bent, taken from another
// history, or moved.
func TestWitnessedTampered(t *testing.T) {
	t.Parallel()
	b := must[[]byte](t)(os.ReadFile(witnessedFile))
	p := must[Policy](t)(ParsePolicy(must[[]byte](t)(os.ReadFile(witnessedPolicy))))
	foreign := newLab(t, labGenesis(), verifier.Development(), nil)
	foreign.found()
	for name, do := range map[string]func([]Cosigned) []Cosigned{
		"a byte of a cosignature": func(list []Cosigned) []Cosigned {
			n := list[0].Note
			n[len(n)-10] ^= 1
			return list
		},
		"of another ledger": func(list []Cosigned) []Cosigned { return append(list, Cosigned{Note: foreign.ledger.Checkpoint()}) },
		"twice":             func(list []Cosigned) []Cosigned { return append(list, list[len(list)-1]) },
		"out of order": func(list []Cosigned) []Cosigned {
			slices.Reverse(list)
			return list
		},
		"no note": func(list []Cosigned) []Cosigned { return append(list, Cosigned{Note: []byte("x")}) },
	} {
		r := verifyUnder(t, edit(t, b, partCosigned, do), p)
		if c, _ := r.Check(checkWitnesses); r.Verdict != NotValid || c.Status != Failed || !strings.Contains(c.Entry, partCosigned) {
			t.Errorf("%s: %s", name, text(r))
		}
	}
	// Cosigned checkpoints that were left out are missed, not forgiven.
	r := verifyUnder(t, edit(t, b, partCosigned, func(list []Cosigned) []Cosigned { return list[:len(list)-1] }), p)
	if c, _ := r.Check(checkWitnesses); r.Verdict != Reservations || c.Status != NotChecked {
		t.Errorf("the newest left out: %s", text(r))
	}
}

// TestWitnessedLate: a milestone that witnesses saw after seven days is by the
// ledger's own clock, and a trial that went on after the newest cosigned
// checkpoint is not witnessed yet.
func TestWitnessedLate(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	o := observe(l)
	l.found()
	l.begin()
	l.wait(8)
	l.enrol(1)
	o.cosign()
	file := func() []byte {
		var b bytes.Buffer
		if err := Write(t.Context(), &b, l.ledger, l.trial, Contents{Key: verifier.Development(), Witnessed: l.ledger}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	p := o.policy(Builtin())
	r := verifyUnder(t, file(), p)
	w, _ := r.Check(checkWitnesses)
	m, _ := r.Check(checkMilestones)
	if w.Status != Passed || m.Status != NotChecked || !strings.Contains(m.Reason, "registered") || strings.Contains(m.Reason, "enrolment") {
		t.Errorf("%+v\n%+v", w, m)
	}
	l.enrol(1)
	r = verifyUnder(t, file(), p)
	if w, _ = r.Check(checkWitnesses); w.Status != NotChecked || !strings.Contains(w.Reason, "goes on to height") {
		t.Errorf("%+v", w)
	}
}

// TestWitnessedSecondHistory: a checkpoint that the node signed for another
// history, cosigned or not, is a fault.
func TestWitnessedSecondHistory(t *testing.T) {
	t.Parallel()
	l, other := newLab(t, labGenesis(), verifier.Development(), nil), newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	o := observe(other)
	other.found()
	other.wait(1)
	other.begin()
	forked := o.cosign()
	x := Contents{Key: verifier.Development(), Witnessed: fixed{forked}}
	var b bytes.Buffer
	if err := Write(t.Context(), &b, l.ledger, l.trial, x); err != nil {
		t.Fatal(err)
	}
	r := verifyUnder(t, b.Bytes(), o.policy(Builtin()))
	if c, _ := r.Check(checkWitnesses); r.Verdict != NotValid || c.Status != Failed || !strings.Contains(c.Reason, "second history") {
		t.Errorf("%s", text(r))
	}
}

// fixed gives one cosigned checkpoint, whatever the ledger.
type fixed struct{ note []byte }

func (f fixed) Cosigned() ([]byte, error) { return f.note, nil }

func (f fixed) CosignedFrom(uint64) (uint64, []byte, error) { return 0, nil, engine.ErrUnknown }
func (f fixed) StampFrom(uint64) (uint64, []byte, error)    { return 0, nil, engine.ErrUnknown }
