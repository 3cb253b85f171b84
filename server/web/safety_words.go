package web

import (
	"fmt"
	"slices"
	"strings"
)

// maxLooksShown bounds the table of looks on a page.
const maxLooksShown = 200

func newestLooks(lines []lookLine) []lookLine {
	r := slices.Clone(lines[max(0, len(lines)-maxLooksShown):])
	slices.Reverse(r)
	return r
}

// harmSentence says in a line what was reported.
func harmSentence(p safetyPart) string {
	h := p.Harm
	if h.Reports == 0 {
		return "No adverse event is reported on the ledger yet."
	}
	s := fmt.Sprintf("%s reported, %s of them serious", areReported(h.Reports), number(h.Serious))
	if h.Days > 0 {
		s += ", in " + count(h.Days, "person-day", "person-days") + " of exposure"
	}
	switch h.Late {
	case 0:
		return s + ". None was entered late."
	case 1:
		return s + ". 1 was entered after its time had run out."
	default:
		return s + ". " + number(h.Late) + " were entered after their time had run out."
	}
}

func areReported(n uint64) string {
	if n == 1 {
		return "1 adverse event is"
	}
	return number(n) + " adverse events are"
}

// sealedWords says why counts by arm are not shown.
func sealedWords(w *watched, unblinded int64) string {
	if unblinded == 0 {
		return fmt.Sprintf("The study is blinded. Arm-level looks are sealed: %s. Until the study is unblinded, only what all arms add up to is public.",
			count(uint64(w.Sealed), "look holds a commitment alone", "looks hold a commitment alone"))
	}
	return fmt.Sprintf("The study was unblinded on %s. %s.", dayOf(unblinded),
		capital(count(uint64(w.Sealed), "arm-level look is still sealed; the board is to open it", "arm-level looks are still sealed; the board is to open them")))
}

// perCent writes millionths as a percentage.
func perCent(micro uint32) string {
	s := strings.TrimRight(fmt.Sprintf("%d.%04d", micro/10_000, micro%10_000), "0")
	return strings.TrimSuffix(s, ".") + "%"
}
