package contract_test

import (
	"testing"

	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
)

// TestWorkedExample is the worked example of the consent protocol: P, Q, R
// enrol and consent; version 2 affects them; S enrols; P and S consent to it,
// Q withdraws by proof, the site removes R by word.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	b := started(t)
	for _, p := range []string{"P", "Q", "R"} {
		b.must(b.enrol(p, "A", 1))
		b.must(b.perform(b.consent(p, 1)))
	}
	b.next(2, true, "A")
	b.must(b.enrol("S", "A", 2))
	b.must(b.perform(b.consent("P", 2)))
	b.must(b.perform(b.consent("S", 2)))
	b.must(b.perform(b.withdrawal("Q", 1, 1)))
	b.must(b.perform(b.withdrawal("Q", 2, 0)))
	b.must(b.remove("R", "A", trial.ByWord, said("1+", "2-")...))

	for v, want := range map[trial.Version]struct {
		counters trial.Counters
		verdict  string
	}{
		1: {trial.Counters{Owed: 3, Acts: 3, LeftProved1: 1, LeftWord1: 1}, "PROVEN"},
		2: {trial.Counters{Owed: 4, Acts: 2, LeftProved0: 1, LeftWord0: 1}, "ATTESTED(1)"},
	} {
		got := consent.Counters(b.stream, v)
		if got != want.counters {
			t.Errorf("version %v: counters %+v, want %+v", v, got, want.counters)
		}
		if word := reconsent.Judge(got, 0).String(); word != want.verdict {
			t.Errorf("version %v: %s, want %s", v, word, want.verdict)
		}
		if f := b.folded.counters[v]; f != got {
			t.Errorf("version %v: the events add up to %+v, the state says %+v", v, f, got)
		}
	}
}
