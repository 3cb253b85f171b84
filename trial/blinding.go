package trial

import (
	"slices"
	"strings"
	"unicode"
)

// openLabels are the words for a design in which everybody knows the arms, as
// registers and USDM (C49659) write them. The list is closed: words that only
// contain one of them, such as "double blind, then open label", are none.
var openLabels = []string{
	"open", "open label", "open label study", "open study", "open label trial", "open trial",
	"none", "none open", "none open label", "no masking", "no masking open label", "no blinding",
	"unblinded", "not blinded", "unmasked", "not masked",
}

// OpenLabel reports whether everybody knows the arms all along, as the
// registered blinding says in the words of a closed list. All else, and nothing
// at all, is blinded: that asks more of the results.
func (p *Protocol) OpenLabel() bool {
	words := strings.FieldsFunc(strings.ToLower(p.Blinding), func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.Contains(openLabels, strings.Join(words, " "))
}
