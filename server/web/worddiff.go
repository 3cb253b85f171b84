package web

import (
	"slices"
	"strings"

	"github.com/trialith/trialith/trial"
)

// marked is a change with the words marked that only one of its texts has.
type marked struct {
	trial.Change
	Old, New []run
}

func (m marked) side(before bool) []run {
	if before {
		return m.Old
	}
	return m.New
}

// mark compares the texts of a version's changes, within one budget for all, so
// that nobody's protocol can keep the server busy. Past it, texts are shown as
// wholly different.
func mark(changes []trial.Change) []marked {
	budget := maxComparisons
	out := make([]marked, len(changes))
	for i, c := range changes {
		a, b := strings.Fields(c.Before), strings.Fields(c.After)
		out[i] = marked{Change: c, Old: whole(a), New: whole(b)}
		if cost := len(a) * len(b); cost <= budget {
			budget -= cost
			out[i].Old, out[i].New = compare(a, b)
		}
	}
	return out
}

// run is a stretch of words that two texts share, or that one of them lacks.
type run struct {
	Text    string
	Changed bool
}

// The most comparisons of words that the changes of one version are worth.
const maxComparisons = 1 << 20

// compare marks in each of two texts the words that the other does not have in
// that order (a longest common subsequence).
func compare(a, b []string) (old, now []run) {
	same := lengths(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			old, now = grow(old, a[i], false), grow(now, b[j], false)
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && same[i+1][j] >= same[i][j+1]:
			old = grow(old, a[i], true)
			i++
		default:
			now = grow(now, b[j], true)
			j++
		}
	}
	return old, now
}

// lengths of the longest common subsequences of the tails a[i:] and b[j:].
func lengths(a, b []string) [][]int32 {
	l := make([][]int32, len(a)+1)
	for i := range l {
		l[i] = make([]int32, len(b)+1)
	}
	for i, v := range slices.Backward(a) {
		for j := len(b) - 1; j >= 0; j-- {
			if v == b[j] {
				l[i][j] = l[i+1][j+1] + 1
			} else {
				l[i][j] = max(l[i+1][j], l[i][j+1])
			}
		}
	}
	return l
}

func whole(words []string) []run {
	if len(words) == 0 {
		return nil
	}
	return []run{{strings.Join(words, " "), true}}
}

func grow(runs []run, word string, changed bool) []run {
	if n := len(runs); n > 0 && runs[n-1].Changed == changed {
		runs[n-1].Text += " " + word
		return runs
	}
	return append(runs, run{word, changed})
}
