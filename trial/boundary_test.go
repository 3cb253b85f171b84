package trial

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// severe is a boundary that passes Check.
func severe() Boundary {
	return Boundary{
		ID: "severe", Scope: Pooled, Unit: Expected, RateEvents: 6, RateDays: 12_820, MinEvents: 1, UntilMicro: 4_000_000,
		AlphaMicro: 50_000, Table: []uint64{14_546, 157_112, 432_139, 4_560_918}, AnswerDays: 14,
	}
}

// flagged is the rule written out in fractions.
func flagged(b *Boundary, events, days uint64) bool {
	if events == 0 || events < uint64(b.MinEvents) {
		return false
	}
	u := func(n uint64) *big.Rat { return new(big.Rat).SetInt(new(big.Int).SetUint64(n)) }
	expected := new(big.Rat).Mul(u(days), new(big.Rat).Quo(u(b.RateEvents), u(b.RateDays)))
	expected.Mul(expected, u(Micro))
	if expected.Cmp(u(b.FromMicro)) < 0 || expected.Cmp(u(b.UntilMicro)) > 0 {
		return false
	}
	c := len(b.Table)
	if events < uint64(c) {
		c = int(events)
	}
	return expected.Cmp(u(b.Table[c-1])) < 0
}

// TestFlag compares the flag in integers with the rule in fractions, far from
// and close to equality, and over the whole range of the numbers.
func TestFlag(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := severe()
		b.RateEvents = rapid.Uint64Range(1, maxRate).Draw(t, "rate events")
		b.RateDays = rapid.Uint64Range(1, maxRate).Draw(t, "rate days")
		b.MinEvents = rapid.Uint32Range(1, 5).Draw(t, "minimum")
		b.UntilMicro = rapid.Uint64Range(1, maxMicro).Draw(t, "until")
		b.FromMicro = rapid.Uint64Range(0, b.UntilMicro).Draw(t, "from")
		b.Table = nil
		var last uint64
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			last = rapid.Uint64Range(last, b.UntilMicro).Draw(t, "entry")
			b.Table = append(b.Table, last)
		}
		b.Table = append(b.Table, b.UntilMicro+1)
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
		events := rapid.Uint64Range(0, 10).Draw(t, "events")
		days := rapid.Uint64().Draw(t, "days")
		// Days at which the expected events are nearly an entry of the table.
		near := rapid.SampledFrom(b.Table).Draw(t, "near")
		at := new(big.Int).Mul(new(big.Int).SetUint64(near), new(big.Int).SetUint64(b.RateDays))
		at.Quo(at, new(big.Int).Mul(new(big.Int).SetUint64(b.RateEvents), big.NewInt(Micro)))
		if at.IsUint64() && rapid.Bool().Draw(t, "close") {
			days = at.Uint64() + rapid.Uint64Range(0, 2).Draw(t, "beside") - 1
		}
		for _, n := range []uint64{events, math.MaxUint64} {
			if got, want := b.Flag(n, days), flagged(&b, n, days); got != want {
				t.Fatalf("%d events, %d days: %t, in fractions %t", n, days, got, want)
			}
		}
		if b.Flag(events, days) && !b.Flag(events+1, days) {
			t.Fatalf("%d events flag, one more does not", events)
		}
		expected := new(big.Int).Mul(new(big.Int).SetUint64(days), new(big.Int).SetUint64(b.RateEvents))
		expected.Quo(expected.Mul(expected, big.NewInt(Micro)), new(big.Int).SetUint64(b.RateDays))
		if got := b.ExpectedMicro(days); expected.IsUint64() && got != expected.Uint64() || !expected.IsUint64() && got != math.MaxUint64 {
			t.Fatalf("expected %d, in full %v", got, expected)
		}
	})
}

// TestFlagAtItsEdges: below the table flags, at it does not; D and T belong to
// the boundary.
func TestFlagAtItsEdges(t *testing.T) {
	t.Parallel()
	b := severe()
	b.RateEvents, b.RateDays = 1, 1_000_000 // a day is one millionth expected
	b.MinEvents, b.FromMicro = 2, 100
	for _, c := range []struct {
		events, days uint64
		want         bool
	}{
		{1, 200, false},
		{2, 99, false},
		{2, 100, true},
		{2, 157_111, true},
		{2, 157_112, false},
		{4, 4_000_000, true},
		{4, 4_000_001, false},
		{9, 4_000_000, true},
	} {
		if got := b.Flag(c.events, c.days); got != c.want {
			t.Errorf("%d events, %d days: %t", c.events, c.days, got)
		}
	}
}

func TestBoundaryRefused(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*Boundary){
		"scope":   func(b *Boundary) { b.Scope = "both" },
		"unit":    func(b *Boundary) { b.Unit = "z-at-look" },
		"rate":    func(b *Boundary) { b.RateDays = 0 },
		"minimum": func(b *Boundary) { b.MinEvents = 0 },
		"from":    func(b *Boundary) { b.FromMicro = b.UntilMicro + 1 },
		"alpha":   func(b *Boundary) { b.AlphaMicro = Micro },
		"answer":  func(b *Boundary) { b.AnswerDays = 0 },
		"method":  func(b *Boundary) { b.Method = strings.Repeat("x", maxName+1) },
		"table":   func(b *Boundary) { b.Table = []uint64{5_000_000, 4_500_000} },
		"above":   func(b *Boundary) { b.Table = []uint64{4_000_000} },
		"numbers": func(b *Boundary) { b.Table = nil },
		"arm":     func(b *Boundary) { b.Scope = ByArm },
		"id":      func(b *Boundary) { b.ID = "" },
		"twice":   func(b *Boundary) { b.ID = "other" },
	} {
		p := example()
		p.Arms, p.Boundaries = nil, []Boundary{severe(), severe()}
		p.Boundaries[0].ID = "other"
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(&p.Boundaries[1])
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	p := example()
	p.ResultsDueDays = maxDue + 1
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "results") {
		t.Errorf("results: %v", err)
	}
}
