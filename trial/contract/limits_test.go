package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
)

// measures are as many outcomes with as long names as one version may register.
func measures(version int) (out []trial.Outcome) {
	for i := range 200 {
		name := fmt.Sprintf("%d of %d ", i, version)
		out = append(out, trial.Outcome{ID: fmt.Sprint("m", i), Level: trial.Primary, Name: name + strings.Repeat("x", 320-len(name))})
	}
	return out
}

// TestRegressionEndlessComparison: a sponsor renamed its outcomes until the
// entry that compares them with the results could be decoded by nobody.
func TestRegressionEndlessComparison(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(b.registerTrial())
	b.house()
	amend := func(v int, list []trial.Outcome) result {
		p := b.protocol()
		p.Outcomes = list
		return result{b.send(contract.ProtocolAmend, protocol.Amend{
			Version: trial.Version(v), Protocol: p, Reason: "other words", Effective: trial.DayOf(b.now),
		}, "sponsor")}
	}
	long := measures(2)
	long[0].Name = strings.Repeat("x", 1025)
	amend(2, long).refused(t, "a name that is too long")
	long = measures(2)
	for i := range long {
		long[i].Timepoint = strings.Repeat("x", 100)
	}
	amend(2, long).refused(t, "names and time points that are too long together")
	for v := 2; v <= trial.MaxVersions; v++ {
		b.must(amend(v, measures(v)).outcome)
	}
	amend(trial.MaxVersions+1, measures(0)).refused(t, "a version too many")

	b.approve(trial.MaxVersions)
	b.must(b.open(trial.MaxVersions, "A"))
	b.now += day // in force before the cut
	b.must(b.cut())
	var list []outcomes.Reported
	for range outcomes.MaxReported { // one outcome of another version, over and over
		list = append(list, outcomes.Reported{Level: trial.Primary, Name: measures(3)[0].Name})
	}
	before := len(b.told)
	b.must(b.stage("one", list, 0))
	b.must(b.release(1, "sponsor"))
	n := 0
	for _, e := range b.told[before:] {
		n += len(e.Body)
	}
	if n < 4<<20 || n > engine.MaxResult {
		t.Errorf("stage and release tell %d bytes; the largest that a sponsor can bring about should be of several MiB, below %d", n, engine.MaxResult)
	}
	b.must(b.pin(1, "n", 0, "sponsor"))
	b.label()
}

type result struct{ outcome }

func (r result) refused(t *testing.T, what string) {
	t.Helper()
	if r.Code != trial.Malformed {
		t.Errorf("%s: code %d (%s), want %d", what, r.Code, r.Text, trial.Malformed)
	}
}

// TestRegressionControlCharacters: an id with a NUL made one flag stand for another.
func TestRegressionControlCharacters(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*trial.Protocol){
		"arm":       func(p *trial.Protocol) { p.Arms[0].ID = "x\x00" },
		"boundary":  func(p *trial.Protocol) { p.Boundaries[0].ID = "arm\x00x" },
		"visit":     func(p *trial.Protocol) { p.Visits[0].ID = "first\ndose" },
		"form":      func(p *trial.Protocol) { p.Forms[0].ID = "main\u0085" },
		"phase":     func(p *trial.Protocol) { p.Phases[0].ID = "\x1b[2J" },
		"outcome":   func(p *trial.Protocol) { p.Outcomes[0].ID = "o\x7f" },
		"criterion": func(p *trial.Protocol) { p.Criteria[0].ID = "c\t" },
		"attribute": func(p *trial.Protocol) { p.Attested[0].Name = "age\x00" },
	} {
		b := newBench(t)
		b.watchedBy()
		b.must(b.registerTrial())
		p := b.protocol()
		p.Arms, p.Boundaries = slices.Clone(p.Arms), slices.Clone(p.Boundaries)
		change(&p)
		o := b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "r", Effective: trial.DayOf(b.now)}, "sponsor")
		result{o}.refused(t, name)
		if !strings.Contains(o.Text, "control characters") {
			t.Errorf("%s: %s", name, o.Text)
		}
	}
	b := treated(t)
	b.finish()
	b.must(b.stage("one", reported(), 0))
	b.must(b.release(1, "sponsor"))
	result{b.pin(1, "node\x00", 0, "sponsor")}.refused(t, "a receipt's node")
}

// TestRegressionFullTrees: a full set stopped the ledger where only enrolment
// asked for a place.
func TestRegressionFullTrees(t *testing.T) {
	t.Parallel()
	for what, run := range map[string]func(b *bench) outcome{
		"a replacement": func(b *bench) outcome {
			b.fill("N-1")
			return b.replace("P", "Q", "A", 1, said("1+")...)
		},
		"a transfer": func(b *bench) outcome {
			b.next(2, true, "B")
			b.fill("E-2")
			return b.transfer("P", "A", "B")
		},
		"an opening": func(b *bench) outcome {
			b.must(b.amend(2, true))
			b.approve(2)
			b.fill("E-2")
			return b.open(2, "A")
		},
	} {
		b := started(t)
		b.must(b.enrol("P", "A", 1))
		b.must(b.perform(b.consent("P", 1)))
		if o := run(b); o.Code != trial.TreeFull {
			t.Errorf("%s: code %d (%s), want %d", what, o.Code, o.Text, trial.TreeFull)
		}
	}
}

// TestRegressionSeenDoesNotGrow: each emergency made every later one dearer.
func TestRegressionSeenDoesNotGrow(t *testing.T) {
	t.Parallel()
	b := treated(t)
	size := func() int {
		v, _ := b.stream.Get([]byte("publication/seen"))
		return len(v)
	}
	b.must(b.unblindOne("A", "A1"))
	b.must(b.cut())
	first := size()
	for range 20 {
		b.now += hour
		b.must(b.unblindOne("A", "A1"))
		b.must(b.cut())
	}
	if n := size(); first == 0 || n > first+16 {
		t.Errorf("%d bytes after one, %d after 21", first, n)
	}
}
