package registry

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trialith/trialith/registry/analysis"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

func day(t testing.TB, s string) trial.Day {
	t.Helper()
	d, err := trial.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// input is a small package with something of everything.
func input(t testing.TB) Input {
	arms := []string{"Placebo", "High"}
	people := []analysis.Subject{
		{ID: "p1", Arm: "Placebo", Start: "2013-05-03"},
		{ID: "p2", Arm: "High", Start: "2013-05-04"},
		{ID: "p3", Arm: "High", Start: "2013-06-01"},
	}
	events := []analysis.Event{
		{Subject: "p1", Start: "2013-05-03", System: "SKIN", Severity: "MILD"},
		{Subject: "p2", Start: "2013-05", System: "SKIN", Severity: "SEVERE", Serious: true},
		{Subject: "p2", Start: "2013-04-01", System: "HEART", Severity: "MILD"},
		{Subject: "p3", Start: "2013-07-01", System: "<HEART>", Severity: "MODERATE", Fatal: true},
	}
	scores := []analysis.Score{
		{Arm: "Placebo", Week: 24, Value: 4, Analysed: true},
		{Arm: "High", Week: 24, Value: 5, Analysed: true},
		{Arm: "High", Week: 24, Value: 4, Analysed: true, Carried: true},
	}
	return Input{
		Trial: trial.ID{1}, Version: 2, Cut: day(t, "2014-03-01"), Staged: day(t, "2014-03-05"),
		License: License{URL: "https://creativecommons.org/licenses/by/4.0/", Name: "CC BY 4.0"},
		Protocol: trial.Protocol{
			Title: "A trial of something", Sponsor: "Sponsor & Sons", Summary: "Begun on 2013-01-31.", Countries: []string{"CH"},
			Conditions: []string{"Alzheimer's disease"}, Phase: "Phase 2", SampleSize: 3,
			Arms: []trial.Arm{{ID: "p", Name: "Placebo"}, {ID: "h", Name: "High", Description: "81 mg"}},
			Outcomes: []trial.Outcome{
				{ID: "o1", Level: trial.Primary, Name: "ADAS-Cog(11)", Timepoint: "week 24"},
				{ID: "o2", Level: trial.Primary, Name: "CIBIC+", Timepoint: "week 24"},
			},
			Identifiers: []trial.Identifier{{Number: "NCT00000000", Organisation: "ClinicalTrials.gov"}},
		},
		AnalysisPlan: "# Plan\n\nLooks from 2013-07-31 on.\n", Summary: "# What was found\n\nNothing, by 2014-03-01.\n",
		Arms:   []Arm{{"Placebo", 1}, {"High", 2}},
		Events: analysis.EventsByArm(arms, people, events),
		Scores: []ScoreTable{{ID: "cibic", Title: "CIBIC+ by week and arm", Cells: analysis.Scores([]int{24}, arms, scores)}},
		Reported: []Reported{
			{outcome.Reported{ID: "o2", Level: trial.Primary, Name: "CIBIC+", Timepoint: "week 24", N: 3}, "tables/cibic"},
			{outcome.Reported{Level: trial.Secondary, Name: "CIBIC+", Timepoint: "week 8", N: 3}, "tables/cibic"},
		},
	}
}

func built(t testing.TB) Package {
	t.Helper()
	p, err := Build(input(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPackageGolden: the bytes of a package are fixed for good. Whoever changes
// them changes the CID of every package that is rebuilt.
func TestPackageGolden(t *testing.T) {
	t.Parallel()
	p := built(t)
	if !slices.IsSortedFunc(p.Files, byPath) {
		t.Error("files are not sorted by path")
	}
	again := built(t)
	for i := range p.Files {
		if !bytes.Equal(p.Files[i].Data, again.Files[i].Data) {
			t.Errorf("%s: two makings differ", p.Files[i].Path)
		}
	}
	c, err := CIDOf(p.Files)
	if err != nil {
		t.Fatal(err)
	}
	if want := "bafybeievr7x4cvijvbx4tle43vibmfphqac3d2ijarcp2ecb3w2dvndbju"; c.String() != want {
		t.Errorf("%v; was %s", c, want)
	}
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	p := built(t)
	c, err := Read(p.Files)
	if err != nil {
		t.Fatal(err)
	}
	if c.Protocol.Title != "A trial of something" || len(c.Reported) != 2 || !slices.Equal(c.Missing, []string{"o1"}) {
		t.Fatalf("%+v", c)
	}
	if r := c.Reported[0]; r.ID != "o2" || r.Level != trial.Primary || r.Name != "CIBIC+" || r.N != 3 {
		t.Errorf("%+v", r)
	}
	if r := c.Reported[1]; r.ID != "" || r.Level != trial.Secondary || r.Timepoint != "week 8" {
		t.Errorf("%+v", r)
	}
}

func TestRefusedInput(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Input){
		"data cut":      func(in *Input) { in.Staged = in.Cut - 1 },
		"license":       func(in *Input) { in.License.URL = "" },
		"analysis plan": func(in *Input) { in.AnalysisPlan = " " },
		"summary":       func(in *Input) { in.Summary = "" },
		"arms":          func(in *Input) { in.Arms = nil },
		"scores: id":    func(in *Input) { in.Scores[0].ID = "outcomes" },
		"no table":      func(in *Input) { in.Reported[0].Table = "tables/other" },
		"2013-02-02":    func(in *Input) { in.Summary = "Somebody died on 2013-02-02." },
		"3 May 2013":    func(in *Input) { in.Summary = "Somebody died on 3 May 2013." },
		"01-701-1015":   func(in *Input) { in.Summary = "Ask 01-701-1015." },
	} {
		in := input(t)
		change(&in)
		if _, err := Build(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func schema(t *testing.T, path string, change func(map[string]any)) *jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile("../../shared/data/" + path)
	if err != nil {
		t.Skip("the schema is not here: ", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	change(doc.(map[string]any))
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func value(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestDatasetJSON validates every table against CDISC's schema.
func TestDatasetJSON(t *testing.T) {
	t.Parallel()
	s := schema(t, "pilot/dataset-json/dataset.schema.json", func(map[string]any) {})
	n := 0
	for _, f := range built(t).Files {
		if strings.HasPrefix(f.Path, "tables/") && strings.HasSuffix(f.Path, ".json") {
			n++
			if err := s.Validate(value(t, f.Data)); err != nil {
				t.Errorf("%s: %v", f.Path, err)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d tables; want 4", n)
	}
	if s.Validate(value(t, []byte(`{"name": "X"}`))) == nil {
		t.Error("control: the schema accepts anything")
	}
}

// TestResearchStudy validates the study against HL7's R5 schema, whose root id
// some validators refuse.
func TestResearchStudy(t *testing.T) {
	t.Parallel()
	s := schema(t, "fhir/fhir-r5.schema.json", func(doc map[string]any) { delete(doc, "id") })
	b, _ := built(t).File(fileStudy)
	if err := s.Validate(value(t, b)); err != nil {
		t.Error(err)
	}
	var study map[string]any
	if err := json.Unmarshal(b, &study); err != nil {
		t.Fatal(err)
	}
	study["title"] = 1
	wrong, err := json.Marshal(study)
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(value(t, wrong)) == nil {
		t.Error("control: the schema accepts a number as title")
	}
}

// TestCrate: what RO-Crate 1.2 asks of the metadata.
func TestCrate(t *testing.T) {
	t.Parallel()
	p := built(t)
	b, _ := p.File(fileCrate)
	var doc struct {
		Context string           `json:"@context"`
		Graph   []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	byID := map[string]map[string]any{}
	for _, e := range doc.Graph {
		byID[e["@id"].(string)] = e
	}
	if len(byID) != len(doc.Graph) {
		t.Error("an @id stands twice")
	}
	root := byID["./"]
	for _, key := range []string{"name", "description", "datePublished", "license", "hasPart"} {
		if root[key] == nil {
			t.Errorf("the root data set has no %s", key)
		}
	}
	for _, f := range p.Files {
		if byID[f.Path] == nil {
			t.Errorf("%s is not described", f.Path)
		}
	}
	if doc.Context != crateVersion+"/context" || len(root["hasPart"].([]any)) != len(p.Files)-1 {
		t.Errorf("%s, %d parts of %d files", doc.Context, len(root["hasPart"].([]any)), len(p.Files))
	}
}

// TestHTMLIsEscaped: a term of a dictionary is text, whatever it says.
func TestHTMLIsEscaped(t *testing.T) {
	t.Parallel()
	b, _ := built(t).File(tableSystems + ".html")
	if bytes.Contains(b, []byte("<HEART>")) || !bytes.Contains(b, []byte("&lt;HEART&gt;")) {
		t.Errorf("%s", b)
	}
}
