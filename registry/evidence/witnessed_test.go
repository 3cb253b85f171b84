package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/registry"
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

// makeWitnessed runs a small trial without exceptions under keys of a ceremony,
// with a witness that cosigns every block.
func makeWitnessed(t *testing.T) (file []byte, policy Policy) {
	t.Helper()
	g := labGenesis()
	record, key, p := holdCeremony(t, time.UnixMilli(g.Time).AddDate(0, -1, 0))
	g.VerifyingKey, g.Demonstration = key.Hash(), false
	l := newLab(t, g, key, nil)
	l.prover = func() (*prover.Prover, error) { return p, nil }
	l.finish()
	s := shelf{}
	files := labResults(t, l)
	root := s.put(t, files)
	l.release(1, root, must[registry.Contents](t)(registry.Read(files)))
	var b bytes.Buffer
	if err := Write(t.Context(), &b, l.ledger, l.trial, Contents{Key: key, Ceremony: record, Packages: s}); err != nil {
		t.Fatal(err)
	}
	policy = Builtin()
	policy.Name, policy.Demonstration, policy.VerifyingKeys = "of a test", false, append(policy.VerifyingKeys[:0:0], g.VerifyingKey)
	return b.Bytes(), policy
}

func TestMakeW(t *testing.T) {
	b, p := makeWitnessed(t)
	r, err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), p)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(text(r), len(b))
}
