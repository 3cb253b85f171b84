package web

import (
	"strings"
	"testing"

	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

func TestEveryKindHasATitle(t *testing.T) {
	t.Parallel()
	for _, k := range contract.Kinds() {
		if _, ok := kindTitles[k.Name]; !ok {
			t.Errorf("%s has no title", k.Name)
		}
	}
}

func TestVerdictInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counters trial.Counters
		notDue   uint64
		word     reconsent.Word
		says     string
	}{
		{trial.Counters{}, 0, reconsent.Proven, "Nobody has been asked"},
		{trial.Counters{Owed: 1200, Acts: 1199, Superseded: 1}, 0, reconsent.Proven, "all 1,200. Nobody’s word is used."},
		{trial.Counters{Owed: 4, Acts: 2, LeftProved0: 1, LeftWord0: 1}, 0, reconsent.Attested, "At most 1 person who stayed could be without consent to version 2. Sites state that 1 person left"},
		{trial.Counters{Owed: 4, Acts: 1}, 3, reconsent.NotDue, "3 of 4 have not yet shown consent to version 2, and 3 people still have time"},
		{trial.Counters{Owed: 4, Acts: 3}, 0, reconsent.Incomplete, "1 person is missing"},
		{trial.Counters{Owed: 9, Acts: 3, LeftWord0: 1}, 2, reconsent.Incomplete, "5 people are missing: the record shows neither their consent to version 2 nor that they left. 2 people may still have time"},
		{trial.Counters{Owed: 1, Acts: 2}, 0, reconsent.Fault, "fault of the ledger"},
	} {
		j := reconsent.Judge(c.counters, c.notDue)
		if j.Word != c.word {
			t.Errorf("%+v: %v, want %v", c.counters, j.Word, c.word)
		}
		if s := verdictSentence(2, c.counters, c.notDue, j); !strings.Contains(s, c.says) {
			t.Errorf("%v says %q, not %q", j, s, c.says)
		}
		if !strings.HasPrefix(wordMeaning(j.Word), j.Word.String()+":") {
			t.Errorf("%v is not explained", j)
		}
	}
}

func TestPlaceholder(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"To be determined", "TBD", "tbc.", " to be confirmed by the board ", "N/A", "-"} {
		if !placeholder(s) {
			t.Errorf("%q is a placeholder", s)
		}
	}
	for _, s := range []string{"Week 24", "Change from baseline", "Time to be free of symptoms", "none of the symptoms"} {
		if placeholder(s) {
			t.Errorf("%q is none", s)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func joined(runs []run) string {
	var b strings.Builder
	for _, r := range runs {
		if r.Changed {
			b.WriteString("[" + r.Text + "]")
		} else {
			b.WriteString(r.Text)
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, old, now string }{
		{"", "", "", ""},
		{"same words", "same words", "same words", "same words"},
		{"at week 24", "at week 26 or later", "at week [24]", "at week [26 or later]"},
		{"", "all new", "", "[all new]"},
		{"all gone", "", "[all gone]", ""},
		{"a b c", "b c d", "[a] b c", "b c [d]"},
	} {
		old, now := compare(strings.Fields(c.before), strings.Fields(c.after))
		if joined(old) != c.old || joined(now) != c.now {
			t.Errorf("%.20q to %.20q: %.60q and %.60q", c.before, c.after, joined(old), joined(now))
		}
	}
}

// The budget is for all changes of a version: what comes after it is spent is
// shown whole, and a small change still fits in what is left.
func TestMarkKeepsItsBudget(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", 1000)
	got := mark([]trial.Change{{Before: long, After: long + "x"}, {Before: long, After: long + "x"}, {Before: "a b", After: "a c"}})
	for i, want := range []int{2, 1, 2} {
		if len(got[i].New) != want {
			t.Errorf("change %d has %d runs, want %d", i, len(got[i].New), want)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	got := facts(directory.Delegate{Person: trial.ActorID{1}, Tasks: []trial.Task{trial.Enrolling, trial.Countersigning}, From: 15000}, studyID)
	want := []fact{
		{"Person", trial.ActorID{1}.String(), ""}, {"Tasks 1", "enrolling", ""}, {"Tasks 2", "countersigning", ""}, {"From", "2011-01-26", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
	many := facts(struct{ Words []string }{strings.Fields(strings.Repeat("x ", 100))}, studyID)
	if len(many) != maxItems+1 || !strings.Contains(many[maxItems].Value, "88 more") {
		t.Errorf("a long list: %v", many)
	}
	if long := facts(struct{ Word string }{strings.Repeat("é", 3000)}, studyID); len([]rune(long[0].Value)) > maxValue+60 {
		t.Errorf("a long text is not cut: %d", len(long[0].Value))
	}
	for _, k := range contract.Kinds() {
		facts(k, studyID) // whatever a body holds, it is walked without a panic
	}
}
