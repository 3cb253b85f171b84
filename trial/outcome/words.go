package outcome

import (
	"strings"
	"unicode"
)

// equal compares two texts by their words: case, spaces and punctuation change
// no outcome. Signs that do (%, <, >, +, =) count as words.
func equal(a, b string) bool { return fold(a) == fold(b) }

func fold(s string) string { return strings.Join(words(s), " ") }

func words(s string) []string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		case strings.ContainsRune("%<>+=≤≥", r):
			b.WriteRune(' ')
			b.WriteRune(r)
			b.WriteRune(' ')
		case r == '.' || r == '\'' || r == '’':
			b.WriteRune(r)
		default:
			b.WriteRune(' ')
		}
	}
	list := strings.Fields(b.String())
	kept := list[:0]
	for _, w := range list {
		if w = strings.Trim(w, ".'’"); w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// units are the words for spans of time, each with what it stands for.
var units = map[string]string{
	"minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute",
	"hour": "hour", "hours": "hour", "hr": "hour", "hrs": "hour", "h": "hour",
	"day": "day", "days": "day", "d": "day",
	"week": "week", "weeks": "week", "wk": "week", "wks": "week",
	"month": "month", "months": "month", "mo": "month",
	"year": "year", "years": "year", "yr": "year", "yrs": "year",
}

var numbers = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
	"seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}

// sameTime compares two time points: "at 24 weeks", "Week 24" and "24 wk" are
// one. A span from one time to another keeps its order.
func sameTime(a, b string) bool { return foldTime(a) == foldTime(b) }

func foldTime(s string) string {
	var kept []string
	for _, w := range words(s) {
		if w == "at" || w == "the" || w == "of" {
			continue
		}
		if u, ok := units[w]; ok {
			w = u
		} else if n, ok := numbers[w]; ok {
			w = n
		}
		kept = append(kept, w)
	}
	if len(kept) == 2 && isUnit(kept[0]) {
		kept[0], kept[1] = kept[1], kept[0]
	}
	return strings.Join(kept, " ")
}

func isUnit(w string) bool {
	u, ok := units[w]
	return ok && u == w
}
