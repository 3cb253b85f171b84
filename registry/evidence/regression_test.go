package evidence

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/registry/evidence/demonstration"
)

func verifyUnder(t *testing.T, b []byte, p Policy) *Report {
	t.Helper()
	r, err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// notReplayed asks for a report without a replay, and for the reason.
func notReplayed(t *testing.T, r *Report, why string) {
	t.Helper()
	if r.Verdict != NotValid {
		t.Errorf("verdict %s", r.Verdict)
	}
	for _, id := range []string{checkSignatures, checkReplay} {
		if c, _ := r.Check(id); c.Status != NotChecked || !strings.Contains(c.Reason, why) {
			t.Errorf("%s: %s, %s; want %q", id, c.Status, c.Reason, why)
		}
	}
	for _, id := range []string{checkProofs, checkDigest} {
		if c, _ := r.Check(id); c.Status != NotChecked {
			t.Errorf("%s: %s, %s", id, c.Status, c.Reason)
		}
	}
}

// TestRegressionFutureLedger: a small file whose ledger went on into a far
// future kept a verifier at work for as long as it liked. A day ahead is let
// pass.
func TestRegressionFutureLedger(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	l.wait(10)
	l.enrol(1)
	b, now := l.file(), l.clock.Load()
	p := Builtin()
	p.Now = now - ahead
	if r := verifyUnder(t, b, p); r.Verdict != Reservations {
		t.Errorf("a day ahead: %s", text(r))
	}
	p.Now = now - ahead - 60_000
	r := verifyUnder(t, b, p)
	notReplayed(t, r, "not replayed: the ledger is of the future")
	if c, _ := r.Check(checkTime); c.Status != Failed || !strings.Contains(c.Reason, "is to come") {
		t.Errorf("%s: %s", c.Status, c.Reason)
	}
	if (Policy{}).latest() == (Policy{Now: 1}).latest() {
		t.Error("without a time of its own a policy asks the machine's clock")
	}
}

// TestRegressionUntrustedUpload: a stranger's own ledger was replayed in full
// at the cost of the node that checked it.
func TestRegressionUntrustedUpload(t *testing.T) {
	t.Parallel()
	g := labGenesis()
	g.Authorities[0].Key = demonstration.Public("stranger")
	l := newLab(t, g, verifier.Development(), nil)
	l.keys["regulator"] = demonstration.Key("stranger")
	l.found()
	l.begin()
	b := l.file()
	p := Builtin()
	p.Now = l.clock.Load()
	if c, _ := verifyUnder(t, b, p).Check(checkReplay); c.Status != Passed {
		t.Errorf("on one's own machine: %s, %s", c.Status, c.Reason)
	}
	p.Stranger = true
	notReplayed(t, verifyUnder(t, b, p), "not replayed: keys not trusted")
}

// patient is a context that ends after it was asked so many times.
type patient struct {
	context.Context
	left int
}

func (p *patient) Err() error {
	p.left--
	if p.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestRegressionVerifyStops: the context is asked within the long steps too, and
// wherever it ends nothing goes on for long.
func TestRegressionVerifyStops(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	l.begin()
	b := l.file()
	verify := func(p *patient) error {
		_, err := Verify(p, bytes.NewReader(b), int64(len(b)), Builtin())
		return err
	}
	const enough = 1 << 20
	all := &patient{t.Context(), enough}
	if err := verify(all); err != nil {
		t.Fatal(err)
	}
	asked := enough - all.left
	// Once for each header, and for each entry when it is read and replayed.
	if least := 3 * int(l.sent); asked < least {
		t.Fatalf("asked %d times for %d transactions, want %d", asked, l.sent, least)
	}
	for n := range asked {
		p := &patient{t.Context(), n}
		if err := verify(p); !errors.Is(err, context.Canceled) {
			t.Fatalf("ended at question %d: %v", n, err)
		}
		if p.left < -8 {
			t.Fatalf("ended at question %d, and asked %d times more", n, -p.left)
		}
	}
}
