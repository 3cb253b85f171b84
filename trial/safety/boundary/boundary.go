// Package boundary makes the tables of stopping boundaries, before a protocol
// is registered. It computes in floating point and decides nothing: the rules
// compare a registered table's integers, and whoever doubts the table makes it
// again here.
package boundary

import (
	"fmt"
	"math"

	"github.com/trialith/trialith/trial"
)

// Limits of a design: what one table can hold.
const (
	maxUntil = 1000
	maxCount = 4096
)

// Make makes the boundary of the exact maximised sequential probability ratio
// test for Poisson data (Kulldorff et al., Sequential Analysis 2011; 30: 58–78):
// one-sided against an excess of events, continuous up to until expected events,
// with a probability of at most alpha to flag without any excess, and no flag
// below minEvents events or from expected ones. Where alpha cannot be met
// exactly, the next smaller probability is taken.
//
// Name, scope, events, rate and days to answer are the caller's to fill in.
func Make(until, alpha float64, minEvents uint32, from float64) (trial.Boundary, error) {
	cv, err := CriticalValue(until, alpha, minEvents, from)
	if err != nil {
		return trial.Boundary{}, err
	}
	b := trial.Boundary{
		Unit: trial.Expected, MinEvents: minEvents, FromMicro: micro(from), UntilMicro: micro(until), AlphaMicro: uint32(micro(alpha)),
		Method: fmt.Sprintf("Poisson MaxSPRT (Kulldorff et al. 2011), critical value %.9f", cv),
	}
	for c := 1; len(b.Table) == 0 || b.Table[len(b.Table)-1] <= b.UntilMicro; c++ {
		b.Table = append(b.Table, uint64(math.Ceil(trial.Micro*Tau(c, cv))))
	}
	return b, nil
}

func micro(x float64) uint64 { return uint64(math.Round(trial.Micro * x)) }

// CriticalValue is the log-likelihood ratio from which the test flags: the
// smallest for which the probability to flag without excess is at most alpha.
func CriticalValue(until, alpha float64, minEvents uint32, from float64) (float64, error) {
	switch {
	case !(until > 0 && until <= maxUntil):
		return 0, fmt.Errorf("until: %v expected events; above 0, at most %d", until, maxUntil)
	case !(alpha >= 1e-6 && alpha < 1):
		return 0, fmt.Errorf("alpha: %v; one millionth or more, below 1", alpha)
	case minEvents == 0 || minEvents > maxCount:
		return 0, fmt.Errorf("minimum of events: %d; 1 to %d", minEvents, maxCount)
	case !(from >= 0 && from < until):
		return 0, fmt.Errorf("from: %v expected events; 0 or more, below until", from)
	}
	// Without any excess, flagging is rarer the higher the critical value; at 60
	// it is below one in 10²⁰ for each count.
	low, high := 0.0, 60.0
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return high, nil
		}
		if crossing(middle, until, int(minEvents), from) > alpha {
			low = middle
		} else {
			high = middle
		}
	}
}

// Tau is the number of expected events at which c events just flag: below it
// their log-likelihood ratio, τ − c + c·ln(c/τ), is above cv.
func Tau(c int, cv float64) float64 {
	n := float64(c)
	low, high := n*math.Exp(-1-cv/n), n
	for {
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			return high
		}
		if middle-n+n*math.Log(n/middle) > cv {
			low = middle
		} else {
			high = middle
		}
	}
}

// crossing is the probability that a Poisson process without excess flags up to
// until. Its count never falls, so it has not flagged iff just before each τ_c,
// c ≥ M and τ_c > from, it is below c.
func crossing(cv, until float64, minEvents int, from float64) float64 {
	c := minEvents
	for Tau(c, cv) <= from {
		c++
	}
	p := advance([]float64{1}, from, c)
	at := from
	for {
		next := min(Tau(c, cv), until)
		p = advance(p, next-at, c)
		at = next
		if at >= until {
			break
		}
		c++
	}
	var quiet float64
	for _, x := range p {
		quiet += x
	}
	return 1 - quiet
}

// advance moves the probabilities of the counts 0, 1, … by a span of expected
// events, and drops counts from limit on.
func advance(p []float64, span float64, limit int) []float64 {
	out := make([]float64, limit)
	term := math.Exp(-span)
	for j := range limit {
		for i := 0; i < len(p) && i+j < limit; i++ {
			out[i+j] += p[i] * term
		}
		term *= span / float64(j+1)
		if float64(j) > span && term < 1e-25 {
			break
		}
	}
	return out
}
