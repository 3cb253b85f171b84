package evidence

import (
	"bytes"
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/trialith/trialith/trial"
	outcomes "github.com/trialith/trialith/trial/outcome"
)

var updateReport = flag.Bool("update-report", false, "write testdata/report.html anew")

const hostile = `<script>alert("x")</script> & 'quotes'` + "\u202e" + `backwards`

// full is a report with something in each of its parts.
func full() *Report {
	line := outcomes.Line{
		Status: outcomes.Changed, ID: "O2", Level: trial.Secondary, Name: "CIBIC+ " + hostile, Timepoint: "Week 24", Place: 1, N: 230,
		Changes: []outcomes.Change{{Field: "time point", Before: "Week 24", After: hostile}},
		History: []outcomes.Revision{{Version: 2, Changes: []outcomes.Change{{Field: "name"}}, Known: outcomes.Known{Looks: 3, Cuts: 1}}},
	}
	return &Report{
		Verdict: Reservations, Label: trial.PublishedWithExceptions, Marks: []string{trial.Late, trial.NamedNotHeld}, AsOf: "2014-09-01T06:00:00.000Z",
		Sentence: "Demonstration keys: " + hostile + ".", Exceptions: []string{"eligibility:2 deviations", "consent.v2:INCOMPLETE(1)", "outcomes:O1 missing", "new-check:" + hostile},
		Checks: []Check{
			{ID: checkUsable, Status: Passed, Reason: "an evidence file"},
			{ID: checkGate + "looks-open", Status: Failed, Reason: hostile, Entry: "trial/7", exception: true},
			{ID: checkWitnesses, Status: NotChecked, Reason: "no cosignature"},
			{ID: hostile, Status: Passed, Reason: hostile, Entry: hostile},
		},
		Study: &Study{
			Ledger: strings.Repeat("ab", 32), Trial: strings.Repeat("cd", 32), Title: hostile, Acronym: "AT", Sponsor: hostile, Package: "bafybeigdyrzt",
			Consent:    []Consent{{Version: 1, Verdict: "PROVEN", Sentence: "All 254."}, {Version: 2, Verdict: "INCOMPLETE(1)", Sentence: "1 is missing."}},
			Comparison: &outcomes.Comparison{Version: 1, Lines: []outcomes.Line{{Status: outcomes.Missing, ID: "O1", Level: trial.Primary, Name: "ADAS-Cog"}, line}},
			Boundaries: []trial.Boundary{{ID: "severe"}}, Looks: 5, Sealed: 1,
			Flags: []Flag{
				{Flag: trial.Flag{Look: 2, Events: 3, ExpectedMicro: 421_216, Crossed: 15_567}, Name: "Severe events", ArmName: hostile, Decision: "continue", Reason: hostile},
				{Flag: trial.Flag{Look: 5, Events: 9, ExpectedMicro: 3_042_121, Crossed: 15_657}, Name: "Severe events"},
			},
		},
	}
}

func written(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b, File{Name: hostile + ".trialith", Size: 12, SHA256: trial.Digest{1}, Policy: "policy.json"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportPage(t *testing.T) {
	t.Parallel()
	page := written(t, full())
	const kept = "testdata/report.html"
	if *updateReport {
		if err := os.WriteFile(kept, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if page != string(want) {
		t.Errorf("the page differs from %s; read each line that -update-report changes", kept)
	}
	alone(t, page)
	if strings.ContainsRune(page, '\u202e') {
		t.Error("a sign that turns the writing around is in the page")
	}
}

// alone checks that a page loads and runs nothing, and that its headings,
// tables and marks are whole.
func alone(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		tags[n.Data]++
		for _, a := range n.Attr {
			switch {
			case a.Key == "href" && !strings.HasPrefix(a.Val, "#"), a.Key == "src", a.Key == "style", strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, tag := range []string{"script", "link", "img", "iframe", "object", "form", "base"} {
		if tags[tag] != 0 {
			t.Errorf("%d <%s>", tags[tag], tag)
		}
	}
	if tags["h1"] != 1 || tags["table"] != tags["caption"] || tags["main"] != 1 {
		t.Errorf("h1 %d, main %d, tables %d with %d captions", tags["h1"], tags["main"], tags["table"], tags["caption"])
	}
	if strings.Contains(page, "url(") || strings.Contains(page, "@import") {
		t.Error("the style loads something")
	}
}

// The page of a real file says the verdict first, and every check with a
// question in words.
func TestReportPageOfAFile(t *testing.T) {
	t.Parallel()
	b := golden(t)
	r, err := Verify(context.Background(), bytes.NewReader(b), int64(len(b)), Builtin())
	if err != nil {
		t.Fatal(err)
	}
	page := written(t, r)
	alone(t, page)
	for _, want := range []string{
		"<h1>Demonstration keys: ", string(Reservations), r.Study.Title, "Version 1: ATTESTED(1)", "two people at a site signed",
		"No results were released when the file was made", "Not checked", "trialith verify --policy policy.json",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, c := range r.Checks {
		if !strings.Contains(page, c.ID) {
			t.Errorf("check %s is not on the page", c.ID)
		}
		if asks(c.ID) == c.ID {
			t.Errorf("check %s is not in words", c.ID)
		}
	}
}

// A file that is no evidence file has a page too, which claims nothing.
func TestReportPageOfNoFile(t *testing.T) {
	t.Parallel()
	r, err := Verify(context.Background(), strings.NewReader("no"), 2, Builtin())
	if err != nil {
		t.Fatal(err)
	}
	page := written(t, r)
	alone(t, page)
	if !strings.Contains(page, "This is no evidence file") || strings.Contains(page, "Did everyone consent?") || strings.Contains(page, "<h2>Results") {
		t.Error("the page claims something of a study")
	}
}
