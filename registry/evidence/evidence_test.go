package evidence

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/trial"
)

var update = flag.Bool("update", false, "write testdata/pilot.trialith anew")

const fixture = "testdata/pilot.trialith"

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}

func golden(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t testing.TB, b []byte) *Report {
	t.Helper()
	r, err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(r *Report) string {
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		panic(err)
	}
	return b.String()
}

// TestPilot makes the trial with real proofs and verifies its file.
func TestPilot(t *testing.T) {
	t.Parallel()
	b := pilot(t).file()
	if *update {
		if err := os.WriteFile(fixture, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wantPilot(t, check(t, b))
}

// TestGolden verifies a file that an earlier program wrote: files must last 25
// years (requirement R2).
func TestGolden(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("it is being written anew")
	}
	wantPilot(t, check(t, golden(t)))
}

func wantPilot(t *testing.T, r *Report) {
	t.Helper()
	if r.Verdict != Reservations || r.ExitCode() != 3 || r.Label != trial.Awaited || !strings.HasPrefix(r.Sentence, "Demonstration keys:") ||
		!strings.Contains(r.Sentence, "consistent, not independently witnessed") {
		t.Fatalf("%s", text(r))
	}
	for _, c := range r.Checks {
		if c.Status == Failed {
			t.Errorf("%+v", c)
		}
	}
	for id, want := range map[string]string{
		checkConsent + "1": "ATTESTED(1)", checkConsent + "2": "ATTESTED(1)", checkEligible: "1 randomised", checkProofs: "all 11 ",
		checkReplay: "1 refused", checkSites: "7 enrolments",
	} {
		if c, ok := r.Check(id); !ok || c.Status != Passed || !strings.Contains(c.Reason, want) {
			t.Errorf("%s: want %q in %+v", id, want, c)
		}
	}
}

// TestZipToolsReadIt: any zip program unpacks the file.
func TestZipToolsReadIt(t *testing.T) {
	t.Parallel()
	b := golden(t)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Name != layout[i].name || f.Modified.Year() != 1980 {
			t.Errorf("file %d: %s, %v", i, f.Name, f.Modified)
		}
	}
}

// TestWriteIsDeterministic: one checkpoint, one file.
func TestWriteIsDeterministic(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	if !bytes.Equal(l.file(), l.file()) {
		t.Error("two files of one checkpoint differ")
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	for name, id := range map[string]trial.ID{"unknown": {1}, "directory": {}} {
		if err := Write(t.Context(), io.Discard, l.ledger, id, Contents{Key: verifier.Development()}); !errors.Is(err, ErrNoTrial) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(t.Context(), io.Discard, l.ledger, trial.ID{1}, Contents{}); err == nil {
		t.Error("written without a verifying key")
	}
}

// TestWriteWhileTheLedgerGrows: the file is of one checkpoint all the same.
func TestWriteWhileTheLedgerGrows(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	ours := l.trial
	stop := make(chan struct{})
	grown := make(chan struct{})
	go func() {
		defer close(grown)
		for {
			select {
			case <-stop:
				return
			default:
				l.begin()
			}
		}
	}()
	for range 5 {
		var b bytes.Buffer
		if err := Write(t.Context(), &b, l.ledger, ours, Contents{Key: verifier.Development()}); err != nil {
			t.Error(err)
			break
		}
		if r := check(t, b.Bytes()); r.Verdict != Reservations {
			t.Error(text(r))
		}
	}
	close(stop)
	<-grown
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := golden(t)
	if _, err := Verify(ctx, bytes.NewReader(b), int64(len(b)), Builtin()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte(`{"name":"x","authorities":[{"role":"node","key":"` + strings.Repeat("ab", 32) + `"}],"verifying_keys":["` + strings.Repeat("00", 32) + `"]}`))
	if err != nil {
		t.Fatal(err)
	}
	b := golden(t)
	r, err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), p)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := r.Check(checkKeyTrusted); r.Verdict != NotValid || c.Status != Failed || !strings.Contains(r.Sentence, "--policy") {
		t.Error(text(r))
	}
	// The development set-up is a demonstration whatever a policy says.
	p = Builtin()
	p.Demonstration = false
	if r, err = Verify(t.Context(), bytes.NewReader(b), int64(len(b)), p); err != nil || !strings.HasPrefix(r.Sentence, "Demonstration keys:") {
		t.Errorf("%v: %s", err, text(r))
	}
	for _, bad := range []string{"", "{}", "[]", `{"name":"x","trust":"all"}`, `{"authorities":[{"role":"king","key":""}]}`} {
		if _, err := ParsePolicy([]byte(bad)); err == nil {
			t.Errorf("policy %q was taken", bad)
		}
	}
}

// TestReportJSON fixes the names that programs read.
func TestReportJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(check(t, []byte("a letter")))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"verdict":"UNUSABLE","label":"","sentence":"UNUSABLE: not a zip archive: no end of a directory.","as_of":"",` +
		`"checks":[{"id":"format.usable","status":"failed","reason":"not a zip archive: no end of a directory","entry":""}]}`
	if string(b) != want {
		t.Errorf("%s", b)
	}
}

// TestTextCannotSteerATerminal: a reason may quote a hostile file.
func TestTextCannotSteerATerminal(t *testing.T) {
	t.Parallel()
	r := Report{Sentence: "a\x1b[2Jb", Checks: []Check{{ID: "x", Status: NotChecked, Reason: "c\rd\ne", Entry: "f\u202eg"}}}
	if got := text(&r); strings.ContainsAny(got, "\x1b\r\u202e") || !strings.Contains(got, "not checked  x") {
		t.Errorf("%q", got)
	}
}

// TestExitCodes: scripts branch on them.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[Verdict]int{Verified: 0, Reservations: 3, NotValid: 1, Unusable: 2, "": 2} {
		if got := (&Report{Verdict: verdict}).ExitCode(); got != want {
			t.Errorf("%q: %d", verdict, got)
		}
	}
}

// TestVerifiedNeedsEverything: one check that did not pass, or demonstration
// keys, and the verdict is not VERIFIED.
func TestVerifiedNeedsEverything(t *testing.T) {
	t.Parallel()
	pass := Check{ID: "a", Status: Passed}
	for name, c := range map[string]struct {
		checks        []Check
		demonstration bool
		want          Verdict
	}{
		"all passed":    {[]Check{pass}, false, Verified},
		"demonstration": {[]Check{pass}, true, Reservations},
		"not checked":   {[]Check{pass, {ID: checkWitnesses, Status: NotChecked}}, false, Reservations},
		"exception":     {[]Check{pass, {ID: "b", Status: Failed, exception: true}}, false, Reservations},
		"failed":        {[]Check{pass, {ID: "b", Status: Failed}}, true, NotValid},
	} {
		r := Report{Checks: c.checks}
		if r.conclude(c.demonstration, "s"); r.Verdict != c.want {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}
