package ceremony

import "testing"

// BenchmarkCheck is a record of three contributors to each phase, as a reader of
// an evidence file checks it.
func BenchmarkCheck(b *testing.B) {
	x := finished(b).open().Transcript()
	for b.Loop() {
		if _, err := x.Check(); err != nil {
			b.Fatal(err)
		}
	}
}
