package trial

import (
	"math"
	"testing"
)

// TestDayOfFarTimes: a time beyond the last day is that day, and wraps to no other.
func TestDayOfFarTimes(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]Day{
		math.MaxInt64: math.MaxInt32, math.MinInt64: math.MinInt32,
		(math.MaxInt32 + 1) * dayMillis: math.MaxInt32, math.MaxInt32 * dayMillis: math.MaxInt32,
	} {
		if got := DayOf(ms); got != want {
			t.Errorf("DayOf(%d) = %d, want %d", ms, got, want)
		}
	}
}

func TestKnownCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []Code{0, 13, 99, 399, 504, 612, 65000, 65530} {
		if c.Known() {
			t.Errorf("%d is in no family", c)
		}
	}
}
