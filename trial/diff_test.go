package trial

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func example() *Protocol {
	return &Protocol{
		Identifiers: []Identifier{{Number: "NCT0", Organisation: "CTG"}}, Funding: []string{"fund"}, Sponsor: "Sponsor",
		CoSponsors: []string{"other"}, PublicContact: "public", ScientificQuery: "science", PublicTitle: "public title",
		Title: "title", Acronym: "T", Countries: []string{"CH"}, Conditions: []string{"condition"},
		Interventions: []Intervention{{Name: "drug", Type: "drug", Description: "10 mg"}},
		Criteria:      []Criterion{{ID: "i1", Text: "adults"}, {ID: "e1", Exclusion: true, Text: "pregnant"}},
		StudyType:     "interventional", Phase: "2", Design: "parallel", Blinding: "double", FirstEnrolment: "2026", SampleSize: 30,
		Status: "pending", Outcomes: []Outcome{{ID: "o1", Level: Primary, Name: "outcome", Text: "text", Timepoint: "week 2", Objective: "j1"}},
		Ethics: "pending", Completion: "2027", ResultsURL: "https://results.example", DataSharing: "none",
		Summary: "summary", Rationale: "rationale", Arms: []Arm{{ID: "a1", Name: "arm", Type: "experimental", Description: "drug"}},
		Phases:   []Phase{{ID: "p1", Name: "treatment", Description: "two weeks"}},
		Visits:   []Visit{{ID: FirstDose, Name: "first dose", Timing: "day 1", Window: "1 day", Dose: true}},
		Attested: []Attribute{{Name: "age", Unit: "years", Min: 18, Max: 80}},
		Forms: []Form{{
			ID: "main", Language: "en", Title: "form", Sections: []Section{{Heading: "Why", Text: "because"}},
			Options:   []Option{{ID: "biobank", Text: "keep a sample"}},
			Questions: []Question{{ID: "stop", Text: "May I stop?", Answers: []string{"No", "Yes"}, Right: 1, Why: "at any time"}},
		}},
		Risks: "risks", Burden: "burden", Payment: "none", DataUse: "here", Privacy: "open",
		Terms:     Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
		Documents: []Document{{Kind: "protocol", Title: "protocol", Bytes: 1}},
		Boundaries: []Boundary{{
			ID: "severe", Name: "severe events", Scope: ByArm, Events: "severe", RateEvents: 6, RateDays: 12_820, Unit: Expected,
			MinEvents: 1, FromMicro: 1, UntilMicro: 4_000_000, AlphaMicro: 50_000, Table: []uint64{20_000, 5_000_000}, AnswerDays: 14,
			Method: "MaxSPRT",
		}},
		ResultsDueDays: 365,
	}
}

// TestDiffMissesNothing changes each field of a protocol in turn, at any depth,
// and each list by one entry more, one less, and another order.
func TestDiffMissesNothing(t *testing.T) {
	t.Parallel()
	if d := Diff(example(), example()); len(d) != 0 {
		t.Fatalf("equal protocols differ: %v", d)
	}
	after := example()
	n := alter(reflect.ValueOf(after).Elem(), "Protocol", func(path string) {
		if len(Diff(example(), after)) == 0 || len(Diff(after, example())) == 0 {
			t.Errorf("%s: a change of it is not seen", path)
		}
	})
	if n < 80 {
		t.Errorf("only %d changes tried", n)
	}
}

// alter changes each part of v in turn, calls try, and undoes the change.
func alter(v reflect.Value, path string, try func(path string)) (n int) {
	was := reflect.New(v.Type()).Elem()
	was.Set(v)
	one := func(set func()) {
		set()
		try(path)
		v.Set(was)
		n++
	}
	switch v.Kind() {
	case reflect.String:
		one(func() { v.SetString(v.String() + "x") })
	case reflect.Bool:
		one(func() { v.SetBool(!v.Bool()) })
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		one(func() { v.SetUint(v.Uint() + 1) })
	case reflect.Array:
		one(func() { v.Index(0).SetUint(v.Index(0).Uint() + 1) })
	case reflect.Slice:
		first := v.Index(0)
		one(func() { v.Set(reflect.Append(was, reflect.Zero(v.Type().Elem()))) })
		one(func() { v.Set(reflect.Append(was, first)) })
		one(func() { v.Set(was.Slice(0, v.Len()-1)) })
		for i := range v.Len() {
			n += alter(v.Index(i), fmt.Sprintf("%s[%d]", path, i), try)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" {
				n += alter(v.Field(i), path+"."+f.Name, try)
			}
		}
	default:
		panic(path + ": " + v.Kind().String())
	}
	return n
}

func TestDiffSeesOrder(t *testing.T) {
	t.Parallel()
	p := example()
	p.Attested = append(p.Attested, Attribute{Name: "weight", Max: 200})
	q := example()
	q.Attested = []Attribute{p.Attested[1], p.Attested[0]}
	got := Diff(p, q)
	want := Change{Class: EligibilityChange, Field: "attested bounds: order", Before: "age, weight", After: "weight, age"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
}

// A second section under the same heading once went unseen.
func TestDiffSeesPartsOfEqualName(t *testing.T) {
	t.Parallel()
	q := example()
	q.Forms[0].Sections = append(q.Forms[0].Sections, Section{Heading: "Why", Text: "and your data is sold"})
	got := Diff(example(), q)
	if len(got) != 1 || got[0].Class != FormChange || got[0].After != "and your data is sold" {
		t.Errorf("%+v", got)
	}
}

// A changed intervention once counted as no change at all.
func TestDiffSeesTheIntervention(t *testing.T) {
	t.Parallel()
	q := example()
	q.Interventions[0].Description = "20 mg"
	got := Diff(example(), q)
	if len(got) != 1 || got[0].Class == Administrative || !strings.Contains(got[0].After, "20 mg") {
		t.Errorf("%+v", got)
	}
}

// A changed question is a changed form, named down to its part.
func TestDiffNamesThePartOfAQuestion(t *testing.T) {
	t.Parallel()
	q := example()
	q.Forms[0].Questions[0].Right = 0
	got := Diff(example(), q)
	want := Change{Class: FormChange, Field: "form main (en): question stop, right answer", Before: "2", After: "1"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
}

// TestRegressionDiffOfAChoiceMadeASection: an option, or a question, could become
// sections of the same words under headings that read like it: what was a choice
// bound everybody, no change was seen, and nobody already enrolled was asked again.
func TestRegressionDiffOfAChoiceMadeASection(t *testing.T) {
	t.Parallel()
	for name, sections := range map[string][]Section{
		"option":  {{Heading: "option biobank", Text: "keep a sample"}},
		"heading": {{Heading: "section option biobank", Text: "keep a sample"}},
		"question": {
			{Heading: "question stop", Text: "May I stop?"},
			{Heading: "question stop, answer 1", Text: "No"},
			{Heading: "question stop, answer 2", Text: "Yes"},
			{Heading: "question stop, right answer", Text: "2"},
			{Heading: "question stop, why", Text: "at any time"},
		},
	} {
		before, after := example(), example()
		if name == "question" {
			before.Forms[0].Options, after.Forms[0].Questions = nil, nil
		}
		after.Forms[0].Sections = append(after.Forms[0].Sections, sections...)
		after.Forms[0].Options = nil
		for _, d := range [][]Change{Diff(before, after), Diff(after, before)} {
			if len(d) == 0 || d[0].Class != FormChange {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}

// TestRegressionDiffOfEqualHeadings: each section under a heading once looked
// through all those before it, again for each of its name: a protocol within
// its limits stalled every reader for minutes.
func TestRegressionDiffOfEqualHeadings(t *testing.T) {
	t.Parallel()
	large := func(text string) *Protocol {
		p := example()
		p.Forms = nil
		for i := range maxList {
			p.Forms = append(p.Forms, Form{ID: fmt.Sprint(i), Language: "en", Sections: make([]Section, maxList)})
		}
		p.Forms[maxList-1].Sections[maxList-1].Text = text
		return p
	}
	got := Diff(large("a"), large("b"))
	want := Change{Class: FormChange, Field: "form 255 (en):  (256)", Before: "a", After: "b"}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%d changes", len(got))
	}
}
