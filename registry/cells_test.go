package registry

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// changed is a package with a file put in, or in place of another.
func changed(t testing.TB, files ...File) []File {
	t.Helper()
	all := slices.Clone(built(t).Files)
	for _, f := range files {
		all = slices.DeleteFunc(all, func(o File) bool { return o.Path == f.Path })
		all = append(all, f)
	}
	return all
}

// asTable gives a table in its three forms, as the package writes them.
func asTable(t testing.TB, path string, tab table) []File {
	t.Helper()
	in := input(t)
	files, err := tableFiles(path, tab, in.study())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCellsOfAPackage(t *testing.T) {
	t.Parallel()
	if found := CheckCells(built(t).Files); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	str, num := "string", "integer"
	for name, c := range map[string]struct {
		files []File
		rule  string
	}{
		"a subject column": {asTable(t, "tables/x", table{name: "X", columns: []column{{"USUBJID", "", str}}, rows: [][]cell{{"p1"}}}), RulePerson},
		"a date column":    {asTable(t, "tables/x", table{name: "X", columns: []column{{"AESTDTC", "", str}}}), RulePerson},
		"another column":   {asTable(t, "tables/x", table{name: "X", columns: []column{{"HEIGHT", "", num}}}), RuleColumn},
		"rows of persons without numbers": {asTable(t, "tables/x", table{
			name: "X", columns: []column{{"ARM", "", str}, {"N", "", num}}, rows: [][]cell{{"High", int64(4)}, {"High", int64(5)}},
		}), RulePerson},
		"two traits": {asTable(t, "tables/x", table{
			name: "X", columns: []column{{"SEX", "", str}, {"RACE", "", str}, {"N", "", num}}, rows: [][]cell{{"F", "WHITE", int64(4)}},
		}), RuleTraits},
		"two traits under a statutory name": {asTable(t, tableEvents, table{
			name: "X", columns: []column{{"SEX", "", str}, {"RACE", "", str}, {"N", "", num}}, rows: [][]cell{{"F", "WHITE", int64(4)}},
		}), RuleTraits},
		"a statutory table under another name": {asTable(t, "tables/x", eventsTable(input(t).Events)), RuleTraits},
		"a day in a cell": {asTable(t, "tables/x", table{
			name: "X", columns: []column{{"ARM", "", str}, {"N", "", num}}, rows: [][]cell{{"2013-05", int64(4)}},
		}), RuleDate},
		"a day in words": {asTable(t, "tables/x", table{
			name: "X", columns: []column{{"ARM", "", str}, {"N", "", num}}, rows: [][]cell{{"May 3, 2013", int64(4)}},
		}), RuleDate},
		"a CSV of its own":        {[]File{{"tables/cibic.csv", []byte("ARM,N\r\nHigh,1\r\n")}}, RuleFile},
		"a CSV without a table":   {[]File{{"tables/y.csv", []byte("ARM,N\r\n")}}, RuleFile},
		"a page of its own":       {[]File{{"tables/cibic.html", []byte("<p>")}}, RuleFile},
		"a preview of its own":    {[]File{{filePreview, []byte("<p>")}}, RuleFile},
		"an unlisted file":        {[]File{{"data.sas7bdat", nil}}, RuleFile},
		"a listing in protocol/":  {[]File{{"protocol/dm.csv", nil}}, RuleFile},
		"another definition":      {[]File{{fileProtocol, []byte("{}")}}, RuleFile},
		"no definition":           {[]File{{fileWire, []byte{0x80}}}, RuleFile},
		"a birth date in FHIR":    {[]File{{fileStudy, []byte(`{"resourceType": "Patient", "birthDate": "1930"}`)}}, RulePerson},
		"a day in FHIR":           {[]File{{fileStudy, []byte(`{"note": ["2013-05-03"]}`)}}, RuleDate},
		"a subject in FHIR":       {[]File{{fileStudy, []byte(`{"note": "01-701-1015"}`)}}, RulePerson},
		"a summary of no text":    {[]File{{fileSummary, []byte{0xff}}}, RuleText},
		"Dataset-JSON with more":  {[]File{{"tables/cibic.json", []byte(`{"extension": []}`)}}, RuleFile},
		"metadata that is broken": {[]File{{fileCrate, []byte(`{`)}}, RuleFile},
	} {
		found := CheckCells(changed(t, c.files...))
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Rule == c.rule }) {
			t.Errorf("%s: want %s in %v", name, c.rule, found)
		}
	}
}

// TestPilotRowsAreFound: rows of persons, as the pilot study and CDISC's own
// examples have them, in whatever place of a package.
func TestPilotRowsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to string }{
		{"ae.csv", "tables/cibic.csv"},
		{"dm.csv", fileSummary},
		{"adsl.csv", filePlan},
		{"ex.csv", "tables/ex.csv"},
		{"dataset-json/sdtm_ae.json", "tables/cibic.json"},
		{"dataset-json/sdtm_dm.json", fileStudy},
		{"dataset-json/sdtm_dm.json", "tables/dm.json"},
	} {
		b, err := os.ReadFile("../../shared/data/pilot/" + c.from)
		if err != nil {
			t.Skip("the pilot study's data are not here: ", err)
		}
		if found := CheckCells(changed(t, File{c.to, b})); len(found) == 0 {
			t.Errorf("%s as %s: nothing found", c.from, c.to)
		}
	}
}

// TestOneRowIsFound: one person's row among aggregates is enough.
func TestOneRowIsFound(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../shared/data/pilot/ae.csv")
	if err != nil {
		t.Skip("the pilot study's data are not here: ", err)
	}
	row := strings.Split(string(b), "\n")[1]
	found := CheckCells(changed(t, File{fileSummary, []byte("# What was found\n\n" + row)}))
	rules := map[string]bool{}
	for _, f := range found {
		rules[f.Rule] = true
	}
	if !rules[RulePerson] || !rules[RuleDate] {
		t.Errorf("%v", found)
	}
}
