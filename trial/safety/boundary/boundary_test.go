package boundary

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"testing"

	"github.com/trialith/trialith/trial"
)

// TestPublished compares with critical values that others published.
func TestPublished(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../shared/data/monitoring/maxsprt_poisson.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("published critical values: not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Rows []struct {
			T, D, Alpha, CV float64
			M               uint32
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Rows) < 10 {
		t.Fatalf("only %d rows", len(file.Rows))
	}
	for _, r := range file.Rows {
		cv, err := CriticalValue(r.T, r.Alpha, r.M, r.D)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := math.Abs(cv/r.CV - 1); wrong > 1e-6 {
			t.Errorf("T %v, M %d, D %v, alpha %v: %.12f, published %.12f: %.1e apart", r.T, r.M, r.D, r.Alpha, cv, r.CV, wrong)
		}
	}
}

// TestCrossingByHand: with T so small that only the first event can flag, the
// probability to flag is that of an event before τ_1 (or T).
func TestCrossingByHand(t *testing.T) {
	t.Parallel()
	for _, cv := range []float64{1, 2, 4} {
		tau := Tau(1, cv)
		if got, want := crossing(cv, tau/2, 1, 0), -math.Expm1(-tau/2); math.Abs(got-want) > 1e-15 {
			t.Errorf("cv %v: %v, by hand %v", cv, got, want)
		}
		second := Tau(2, cv)
		// Quiet: none before τ_1, then at most one before τ_2.
		span := second - tau
		want := 1 - math.Exp(-second)*(1+span)
		if got := crossing(cv, second, 1, 0); math.Abs(got-want) > 1e-15 {
			t.Errorf("cv %v: %v, by hand %v", cv, got, want)
		}
		if llr := tau - 1 + math.Log(1/tau); math.Abs(llr-cv) > 1e-12 {
			t.Errorf("tau %v: ratio %v, want %v", tau, llr, cv)
		}
	}
}

// TestMake: the table is one that a protocol can register, and its integers
// flag where the ratio is above the critical value.
func TestMake(t *testing.T) {
	t.Parallel()
	b, err := Make(4, 0.05, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.ID, b.Scope, b.RateEvents, b.RateDays, b.AnswerDays = "severe", trial.Pooled, 1, 1_000_000, 14
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	cv, err := CriticalValue(4, 0.05, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for c := uint64(1); c <= 20; c++ {
		for days := uint64(1); days <= 4_000_000; days += 9973 {
			n, mu := float64(c), float64(days)/1e6
			above := n > mu && mu-n+n*math.Log(n/mu) >= cv
			if got := b.Flag(c, days); got != above {
				t.Fatalf("%d events, %v expected: flag %t, ratio above %t", c, mu, got, above)
			}
		}
	}
}

// TestFrom: a later start flags less often at the same critical value, so the
// value for one alpha is lower; a start may leave a gap below alpha, never above.
func TestFrom(t *testing.T) {
	t.Parallel()
	without, err := CriticalValue(10, 0.05, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	with, err := CriticalValue(10, 0.05, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if with >= without {
		t.Errorf("from 2: %v, from 0: %v", with, without)
	}
	if p := crossing(with, 10, 1, 2); p > 0.05 || p < 0.04 {
		t.Errorf("probability %v", p)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		until, alpha float64
		min          uint32
		from         float64
	}{
		{0, 0.05, 1, 0},
		{math.NaN(), 0.05, 1, 0},
		{1e9, 0.05, 1, 0},
		{4, 0, 1, 0},
		{4, 1, 1, 0},
		{4, math.NaN(), 1, 0},
		{4, 0.05, 0, 0},
		{4, 0.05, 1 << 20, 0},
		{4, 0.05, 1, -1},
		{4, 0.05, 1, 4},
		{4, 0.05, 1, math.NaN()},
	} {
		if b, err := Make(c.until, c.alpha, c.min, c.from); err == nil {
			t.Errorf("%+v made %+v", c, b)
		}
	}
}
