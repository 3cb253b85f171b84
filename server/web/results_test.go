package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

func page(t *testing.T, has told) string {
	t.Helper()
	f := newFake()
	f.told = has
	body := get(serve(t, f, config(f)), "/studies/"+studyID.String()).Body.String()
	checkDocument(t, body)
	if strings.Contains(body, "<script") || strings.Contains(body, "<b>by arm") {
		t.Error("a hostile text is not escaped")
	}
	return body
}

func says(t *testing.T, body string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(body, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}

func TestABlindedStudyShowsNoArm(t *testing.T) {
	t.Parallel()
	body := page(t, watchedStudy())
	says(t, body,
		"412 adverse events are reported, 2 of them serious, in 20,400 person-days of exposure. 1 was entered after its time had run out.",
		"3 reports contradict themselves", "Arm-level looks are sealed: 5 looks hold a commitment alone", "so it is not drawn",
		"The boundary was never crossed.", "No results are released yet.", "AWAITED", "4 of 5 conditions for VERIFIED do not hold as things stand.",
		"Who can mend it: the custodians", "Who can mend it: the safety board", "the study is blinded",
	)
	if strings.Contains(body, "High dose: events") {
		t.Error("an arm is shown while the study is blinded")
	}
}

func TestAPublishedStudy(t *testing.T) {
	t.Parallel()
	body := page(t, publishedStudy())
	says(t, body,
		"Results are released, with 4 exceptions that stand beside them for good.", "CORRECTED", "LATE: the results came out after they were due.",
		"Not so: everyone who owed consent to version 2 is accounted for", "O1 missing: ADAS-Cog (11) total score",
		"1 reported as registered, 1 changed, 1 missing, 1 added", "No version registered this: the change is silent.",
		"before unblinding; seen by then: people were enrolled, 3 looks of the safety board.",
		"University library of the north, since 13 May 2013", "until 19 June 2023", "?format=car", "/tables/cibic.csv", "CIBIC+ at week 24 &lt;b&gt;by arm&lt;/b&gt;",
		"Released on 5 May 2013; corrected since by package 2.", "as a correction of package 1: A table had the arms in the wrong order.", "Refused by Refuser",
		"The boundary was crossed in the arm “High dose” on 15 August 2012, with 2 events where 0.42 were expected;",
		"the board decided to go on: Few events; the board watches.", "The board has until 6 December 2012 to answer.",
		"The list of who was in which arm was released on 22 April 2013. The arm of 1 person was opened alone",
		"before unblinding", "1,191 rows about 225 people",
	)
	if n := strings.Count(body, "<table"); n != strings.Count(body, "<caption") {
		t.Errorf("%d tables, %d captions", n, strings.Count(body, "<caption"))
	}
	if strings.Contains(body, "broken") {
		t.Error("a table that cannot be read is shown")
	}
}

func TestRetractedOverdueVerified(t *testing.T) {
	t.Parallel()
	has := publishedStudy()
	has.label.Word, has.label.Exceptions, has.label.Marks = trial.Verified, nil, nil
	says(t, page(t, has), "Results are released, and every check of the ledger holds.")
	has.label = trial.Label{Word: trial.Overdue, Due: firstDay}
	says(t, page(t, has), "Results were due on 6 July 2012 and are not released.", "Every phase of the study is over")
}

func TestAPackageIsFoundByItsCID(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.told = publishedStudy()
	h := serve(t, f, config(f))
	w := get(h, "/check?q="+f.told.label.Package.String())
	if w.Code != 303 || w.Header().Get("Location") != studyAddress(studyID)+"#results" {
		t.Errorf("%d, %s", w.Code, w.Header().Get("Location"))
	}
	if w := get(h, "/check?q="+(trial.CID{1, 0x70, 0x12, 32, 77}).String()); w.Code != 404 || !strings.Contains(w.Body.String(), "No package with it is named") {
		t.Errorf("an unknown package: %d", w.Code)
	}
}

var numbers = regexp.MustCompile(`-?[0-9]+(?:\.[0-9]+)?`)

// inBox checks that a drawing is well-formed, holds nothing but shapes and
// words, and that every place in it lies within its own view box.
func inBox(t *testing.T, svg []byte, on canvas) {
	t.Helper()
	height := 0.0
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !strings.Contains(" svg title rect path text circle ", " "+e.Name.Local+" ") {
			t.Errorf("<%s> in a drawing", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || strings.HasSuffix(a.Name.Local, "href") || strings.Contains(a.Value, "url(") {
				t.Errorf("<%s> has %s=%q", e.Name.Local, a.Name.Local, a.Value)
			}
			switch n, _ := strconv.ParseFloat(a.Value, 64); a.Name.Local {
			case "height":
				height = max(height, n)
			case "x", "cx":
				within(t, n, 0, on.width)
			case "y", "cy":
				within(t, n, 0, height)
			}
		}
		if e.Name.Local == "path" {
			onPath(t, e, on, height)
		}
	}
	if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
		t.Error("a place that is no number")
	}
}

// onPath checks lines that are drawn by places alone.
func onPath(t *testing.T, e xml.StartElement, on canvas, height float64) {
	t.Helper()
	for _, a := range e.Attr {
		if a.Name.Local != "d" || strings.ContainsAny(a.Value, "hvlz") {
			continue
		}
		for _, n := range numbers.FindAllString(a.Value, -1) {
			v, err := strconv.ParseFloat(n, 64)
			if err != nil {
				t.Fatal(err)
			}
			within(t, v, 0, max(on.width, height))
		}
	}
}

func within(t *testing.T, v, from, to float64) {
	t.Helper()
	if math.IsNaN(v) || v < from || v > to {
		t.Errorf("%v lies outside %v to %v", v, from, to)
	}
}

func TestDrawings(t *testing.T) {
	t.Parallel()
	b, extreme := severe(), severe()
	extreme.MinEvents, extreme.FromMicro, extreme.UntilMicro, extreme.Table = 4, 3_000_000, 1<<50, []uint64{1, 2, 3, 1<<50 + 1}
	many := series{Name: hostile}
	for i := range 5000 {
		many.Points = append(many.Points, point{float64(i), float64(i)})
	}
	for name, c := range map[string]*chart{
		"nothing":       {},
		"boundary":      {Limit: &b},
		"one look":      {Title: hostile, Limit: &b, Series: []series{{Name: "One", Points: []point{{0.3, 1}}}}},
		"zero":          {Limit: &b, Series: []series{{Points: []point{{0, 0}}}}},
		"huge":          {Limit: &b, Series: []series{{Points: []point{{math.MaxUint64 / 1e6, math.MaxInt64}, {1, 1}}, Flag: &point{1e30, 1e30}}}},
		"extreme table": {Limit: &extreme, Series: []series{{Points: []point{{5, 2}}}}},
		"many":          {Title: "\x00\x1b" + hostile, Series: []series{many, many, many, many, many}},
	} {
		for _, on := range []canvas{wide, narrow} {
			t.Run(fmt.Sprintf("%s at %v", name, on.width), func(t *testing.T) {
				t.Parallel()
				svg := c.draw(on)
				inBox(t, svg, on)
				if len(svg) > 400_000 {
					t.Errorf("%d bytes", len(svg))
				}
			})
		}
	}
}

// The line of the boundary lies just where a count flags: at each expected
// number the steps are at the fewest events for which Boundary.Flag says yes.
func TestTheBoundaryIsDrawnWhereItFlags(t *testing.T) {
	t.Parallel()
	b := severe()
	for days := uint64(1); days < 8_500; days += 37 {
		want := uint64(1)
		for want < 12 && !b.Flag(want, days) {
			want++
		}
		if got := atLeast(&b, expected(b.ExpectedMicro(days))); got != float64(want) {
			t.Errorf("%d person-days: drawn at %v, flagged from %d", days, got, want)
		}
	}
}

func TestChartsAreServedAsPictures(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.told = publishedStudy()
	h := serve(t, f, config(f))
	for n := 1; n <= 2; n++ {
		for _, on := range []string{"wide", "narrow"} {
			w := get(h, chartAddress(studyID, n, on))
			if w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || w.Header().Get("Content-Security-Policy") != Policy {
				t.Errorf("chart %d %s: %d, %v", n, on, w.Code, w.Header())
			}
			inBox(t, w.Body.Bytes(), map[string]canvas{"wide": wide, "narrow": narrow}[on])
		}
	}
	at := studyAddress(studyID) + "/charts/"
	for _, address := range []string{at + "0-wide.svg", at + "3-wide.svg", at + "1-wide", at + "1-huge.svg", at + "x.svg", "/studies/zz/charts/1-wide.svg", studyAddress(trial.ID{9}) + "/charts/1-wide.svg"} {
		if w := get(h, address); w.Code != 404 {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
}

// Every check of the gate has words, and every status of a comparison too.
func TestEveryCheckIsInWords(t *testing.T) {
	t.Parallel()
	for id := range checkMeanings {
		if checkWords(id) == id {
			t.Errorf("%s is not in words", id)
		}
	}
	if got := checkWords("consent.v12"); !strings.Contains(got, "version 12") {
		t.Error(got)
	}
	for s := outcome.AsRegistered; s <= outcome.Withdrawn; s++ {
		if statusTagOf(s) == "" || nothingWords(s) == "" {
			t.Errorf("%v has no words", s)
		}
	}
}
