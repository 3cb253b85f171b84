package evidence

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/registry/analysis"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/publication"
)

// shelf holds the archives of packages.
type shelf map[trial.CID][]byte

func (s shelf) CAR(_ context.Context, root trial.CID) ([]byte, error) { return s[root], nil }

// put lays a package on the shelf, whatever it holds.
func (s shelf) put(t *testing.T, files []registry.File) trial.CID {
	t.Helper()
	b, root, err := registry.CAR(files)
	if err != nil {
		t.Fatal(err)
	}
	s[root] = b
	return root
}

// labResults is the package of the lab's trial.
func labResults(t *testing.T, l *lab) []registry.File {
	t.Helper()
	p, err := registry.Build(registry.Input{
		Ledger: l.ledger.ID(), Trial: l.trial, Version: 1, Protocol: labProtocol(), Cut: l.today(), Staged: l.today(),
		License: registry.License{URL: "https://example.org/licence", Name: "Open"}, AnalysisPlan: "Count.", Summary: "Found.",
		Arms: []registry.Arm{{Name: "Only", Participants: 1}}, Events: analysis.EventsByArm([]string{"Only"}, nil, nil),
		Scores: []registry.ScoreTable{{ID: "score", Title: "Score", Cells: analysis.Scores([]int{8}, []string{"Only"}, []analysis.Score{
			{Arm: "Only", Week: 8, Value: 3, Analysed: true},
		})}},
		Reported: []registry.Reported{{
			Reported: outcomes.Reported{ID: "o1", Level: trial.Primary, Name: "Score", Timepoint: "week 8", N: 1}, Table: "tables/score",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Files
}

// release stages and releases a package as what the ledger is told of it.
func (l *lab) release(number uint32, p trial.CID, c registry.Contents) {
	l.t.Helper()
	l.do(contract.PublicationStage, publication.Stage{Package: p, Manifest: c.Manifest, Outcomes: c.Reported, Cut: 1}, "sponsor")
	for _, who := range []string{"archive", "library"} {
		l.do(contract.PublicationHeld, publication.Held{Stage: number, Package: p, Outcomes: outcomes.Digest(c.Reported), Cells: true}, who)
	}
	if r, ok := publication.GetStage(l.view(), number); ok && r.Released == 0 {
		l.do(contract.PublicationRelease, publication.Release{Stage: number}, "sponsor")
	}
}

func (l *lab) view() state.View {
	view, release := l.ledger.View(wire.StreamID(l.trial))
	l.t.Cleanup(release)
	return view
}

// with writes the evidence file with the packages of a shelf.
func (l *lab) with(s shelf) []byte {
	l.t.Helper()
	var b bytes.Buffer
	if err := Write(l.t.Context(), &b, l.ledger, l.trial, Contents{Key: verifier.Development(), Packages: s}); err != nil {
		l.t.Fatal(err)
	}
	return b.Bytes()
}

func wantPackage(t *testing.T, r *Report, status Status, exception bool, reason string) {
	t.Helper()
	if c, ok := r.Check(checkPackage); !ok || c.Status != status || c.exception != exception || !strings.Contains(c.Reason, reason) {
		t.Errorf("%+v; want %s, exception %v, %q", c, status, exception, reason)
	}
}

// TestPackage carries a package in the file, and others in its place.
func TestPackage(t *testing.T) {
	t.Parallel()
	l, s := finished(t), shelf{}
	files := labResults(t, l)
	contents, err := registry.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	wantPackage(t, check(t, l.with(s)), NotChecked, false, "no results")
	root := s.put(t, files)
	l.release(1, root, contents)
	whole := l.with(s)
	r := check(t, whole)
	wantPackage(t, r, Passed, false, root.String())
	if r.Verdict != Reservations || r.Label != trial.Verified || !bytes.Equal(whole, l.with(s)) {
		t.Fatalf("%s", text(r))
	}
	wantPackage(t, check(t, l.with(shelf{})), NotChecked, false, "fetch it")

	parts := unpack(t, whole)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"a byte changed": {flipped(parts[partPackage]), "hash"},
		"cut off":        {parts[partPackage][:len(parts[partPackage])-1], "cut off"},
		"another":        {s[s.put(t, append(slices.Clone(files), registry.File{Path: "more.txt"}))], "released is"},
		"empty":          {nil, "no archive"},
	} {
		forged := shelf{root: c.b}
		if c.b == nil {
			forged[root] = []byte{}
		}
		r := check(t, l.with(forged))
		wantPackage(t, r, Failed, false, c.want)
		if r.Verdict != NotValid {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}

// flipped changes the last byte.
func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// TestPackageSaysOtherwise: bytes that are the released ones and do not say what
// was staged are the trial's conduct, which the file shows truly.
func TestPackageSaysOtherwise(t *testing.T) {
	t.Parallel()
	l, s := finished(t), shelf{}
	files := labResults(t, l)
	contents, err := registry.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	other := contents
	other.Reported = nil
	metadata := contents
	metadata.Manifest = trial.Digest{1}
	persons := s.put(t, append(slices.Clone(files), registry.File{Path: "dm.csv", Data: []byte("USUBJID\n01-701-1015\n")}))
	root := s.put(t, files)
	for i, c := range []struct {
		root     trial.CID
		contents registry.Contents
		want     string
	}{
		{root, other, "not those that were staged"},
		{root, metadata, "metadata"},
		{persons, contents, "person"},
	} {
		l.release(uint32(i+1), c.root, c.contents)
		r := check(t, l.with(s))
		wantPackage(t, r, Failed, true, c.want)
		if r.Verdict != Reservations {
			t.Errorf("%s: %s", c.want, text(r))
		}
	}
}

// TestPackageWithoutRelease: a package in a file of no results belongs to nothing.
func TestPackageWithoutRelease(t *testing.T) {
	t.Parallel()
	v := &verification{parts: map[string][]byte{partPackage: {1}}}
	if o := v.carried(&results{}); o.status != Failed || o.exception {
		t.Errorf("%+v", o)
	}
}
