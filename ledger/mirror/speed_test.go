package mirror_test

import (
	"testing"

	"github.com/trialith/trialith/ledger/mirror"
)

// BenchmarkOpen executes a mirrored ledger of 20,000 transactions again, in
// blocks of what came together, and compares its files: what a start costs.
func BenchmarkOpen(b *testing.B) {
	s := start(b)
	for range 20 {
		s.burst(1000)
	}
	dir := b.TempDir()
	if _, err := open(b, dir).Step(b.Context(), s.reader()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := mirror.Open(b.Context(), config(dir)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*20_001/b.Elapsed().Seconds(), "tx/s")
}
