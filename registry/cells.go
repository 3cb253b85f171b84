package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is one reason why a package may hold data of a person.
type Finding struct {
	Path  string // of the file
	Where string // the row, column or key; empty for the whole file
	Rule  string // one of the rules' names
	Text  string // what was found, and the remedy
}

// Error makes a finding an error.
func (f Finding) Error() string {
	if f.Where == "" {
		return fmt.Sprintf("%s: %s: %s", f.Path, f.Rule, f.Text)
	}
	return fmt.Sprintf("%s: %s: %s: %s", f.Path, f.Where, f.Rule, f.Text)
}

// The rules of the check.
const (
	RuleFile   = "unlisted file"            // what no rule can read, or what is not as it must be made
	RulePerson = "person-level data"        // an identifier, or rows that are not one a cell
	RuleColumn = "unlisted column"          // a column that no aggregate table has
	RuleTraits = "cross-table"              // two traits or more
	RuleDate   = "date below study level"   // a day that is not the study's
	RuleText   = "text that cannot be read" // no UTF-8
)

// class says what a column of an aggregate table is for.
type class uint8

const (
	key    class = iota + 1 // orders the rows
	trait                   // of the participants, or of what befell them
	words                   // about an outcome
	figure                  // counts, and what is computed of counts
)

// columns are the columns that a table of a package may have. A column that is
// not here is refused: it may be anything.
var columns = map[string]class{
	"ROW": key, "WEEK": key,
	"ARM": trait, "AECAT": trait, "AEBODSYS": trait, "AEDECOD": trait, "SEX": trait, "AGEGR1": trait, "RACE": trait,
	"ETHNIC": trait, "COUNTRY": trait, "SITEID": trait,
	"OUTID": words, "LEVEL": words, "NAME": words, "TIMEPT": words, "STATUS": words, "TABLE": words,
	"ARMN": figure, "PARTS": figure, "PCT": figure, "EVENTS": figure, "N": figure, "MEAN": figure, "NOBS": figure,
	"MEANOBS": figure,
}

// statutory are the tables that law asks for (results registration, 42 CFR
// 11.48(a)(4)): they may cross an event with the arm.
var statutory = map[string][]column{tableEvents: eventColumns, tableSystems: systemColumns}

var (
	// A subject's number as sponsors write it: study or centre, site, number.
	subjectNumber = regexp.MustCompile(`\b[0-9]{2,3}-[0-9]{3}-[0-9]{3,5}\b`)
	isoDate       = regexp.MustCompile(`\b(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]\b`)
	// Within a table a month is too fine as well.
	isoMonth = regexp.MustCompile(`\b(?:19|20)[0-9]{2}-[01][0-9]\b`)
	wordDate = regexp.MustCompile(`(?i)\b(?:[0-3]?[0-9]\.? ?` + months + `\.?,? (?:19|20)[0-9]{2}|` + months + `\.? [0-3]?[0-9],? (?:19|20)[0-9]{2})\b`)
	// Names of variables and keys that identify a person (CDISC, FHIR and common use).
	personKey = regexp.MustCompile(`(?i)^(?:U?SUBJID|SUBJECT_?(?:ID|KEY)|PATIENT_?(?:ID|NO)?|PATID|PARTICIPANT_?(?:ID|NO)|INDIVIDUAL|INITIALS|BIRTH_?DATE|BRTHDTC|MRN|[A-Z]{2,6}DTC|[A-Z0-9]{2,6}DT)$`)
)

const months = `(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*`

// CheckCells reads the bytes of a package and lists why they may hold data of a
// person: identifiers, rows of persons, tables that cross two traits or more
// (the statutory tables of adverse events excepted), and days that are not the
// study's. It judges bytes at their import, never a label. Only the files and
// columns of a package are known to it; all others are findings.
func CheckCells(files []File) []Finding {
	c := &checking{files: map[string][]byte{}, days: map[string]bool{}}
	for _, f := range files {
		c.files[f.Path] = f.Data
	}
	c.study()
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		c.file(path, c.files[path])
	}
	return c.found
}

type checking struct {
	files map[string][]byte
	days  map[string]bool // the study's own
	found []Finding
}

func (c *checking) add(path, where, rule, format string, args ...any) {
	c.found = append(c.found, Finding{Path: path, Where: where, Rule: rule, Text: fmt.Sprintf(format, args...)})
}

// study finds the days of the study: those that its registered definition and
// plan name, the data cut and the day of publication.
func (c *checking) study() {
	for _, path := range []string{fileWire, filePlan} {
		for _, d := range isoDate.FindAll(c.files[path], -1) {
			c.days[string(d)] = true
		}
	}
	var crate struct {
		Graph []struct {
			ID        string `json:"@id"`
			Published string `json:"datePublished"`
			Coverage  string `json:"temporalCoverage"`
		} `json:"@graph"`
	}
	if json.Unmarshal(c.files[fileCrate], &crate) != nil {
		return // file says so
	}
	for _, e := range crate.Graph {
		if e.ID == "./" {
			c.days[e.Published] = true
			c.days[strings.TrimPrefix(e.Coverage, "../")] = true
		}
	}
}

func (c *checking) file(path string, data []byte) {
	if m := subjectNumber.Find(data); m != nil {
		c.add(path, "", RulePerson, "%q looks like a subject's number; leave persons out", m)
	}
	switch base, ending, _ := strings.Cut(path, "."); {
	case path == fileWire:
		// The readable definition stands for it.
	case path == fileProtocol:
		c.same(fileProtocol, func() ([]byte, error) { return encodeDefinition(c.files[fileWire]) })
	case path == filePreview:
		c.same(path, func() ([]byte, error) { return encodePreview(c.files[fileCrate]) })
	case path == fileCrate || path == fileStudy:
		c.document(path, data)
	case path == fileSummary || path == filePlan:
		c.prose(path, data)
	case strings.HasPrefix(path, "tables/") && ending == "json":
		c.table(path, base, data)
	case strings.HasPrefix(path, "tables/") && (ending == "csv" || ending == "html"):
		c.form(path, base, ending)
	default:
		c.add(path, "", RuleFile, "a package has no such file")
	}
}

// form holds the CSV and the HTML to be made of the Dataset-JSON.
func (c *checking) form(path, base, ending string) {
	c.same(path, func() ([]byte, error) {
		t, err := decodeDataset(c.files[base+".json"])
		if err != nil {
			return nil, err
		}
		if ending == "csv" {
			return encodeCSV(t), nil
		}
		return encodeHTML(t)
	})
}

func (c *checking) same(path string, made func() ([]byte, error)) {
	want, err := made()
	if err != nil {
		c.add(path, "", RuleFile, "what it is made of cannot be read: %v", err)
		return
	}
	if !bytes.Equal(want, c.files[path]) {
		c.add(path, "", RuleFile, "it is not what the file beside it makes; make it anew")
	}
}

// document checks a JSON document: its keys, and every text in it.
func (c *checking) document(path string, data []byte) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		c.add(path, "", RuleFile, "no JSON: %v", err)
		return
	}
	c.value(path, "", v)
}

func (c *checking) value(path, where string, v any) {
	switch v := v.(type) {
	case string:
		c.dates(path, where, v)
	case []any:
		for i, x := range v {
			c.value(path, fmt.Sprintf("%s[%d]", where, i), x)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if personKey.MatchString(k) {
				c.add(path, where+"/"+k, RulePerson, "a key for a person's data; leave it out")
			}
			c.value(path, where+"/"+k, v[k])
		}
	}
}

func (c *checking) prose(path string, data []byte) {
	if !utf8.Valid(data) {
		c.add(path, "", RuleText, "write it in UTF-8")
		return
	}
	if path == filePlan {
		return // fixed before there were data; its days are the study's
	}
	c.dates(path, "", string(data))
}

// dates refuses a day that is not the study's.
func (c *checking) dates(path, where, s string) {
	for _, d := range isoDate.FindAllString(s, -1) {
		if !c.days[d] {
			c.add(path, where, RuleDate, "%s is neither the data cut nor a day of the definition; leave it out", d)
		}
	}
	if d := wordDate.FindString(s); d != "" {
		c.add(path, where, RuleDate, "%q: write days of the study as YYYY-MM-DD, and no others", d)
	}
}

func (c *checking) table(path, base string, data []byte) {
	t, err := decodeDataset(data)
	if err != nil {
		c.add(path, "", RuleFile, "%v", err)
		return
	}
	traits := 0
	for _, col := range t.columns {
		switch {
		case personKey.MatchString(col.name):
			c.add(path, col.name, RulePerson, "a column of persons; aggregate it away")
		case columns[col.name] == 0:
			c.add(path, col.name, RuleColumn, "no aggregate table has it; use the columns of the package's tables")
		case columns[col.name] == trait:
			traits++
		}
	}
	if law, exempt := statutory[base]; traits > 1 && (!exempt || !slices.Equal(t.columns, law)) {
		c.add(path, "", RuleTraits, "%d traits crossed; give a table for each", traits)
	}
	c.rows(path, t)
}

// rows refuses two rows of one cell, which is how rows of persons look without
// their numbers, and days in cells.
func (c *checking) rows(path string, t table) {
	seen := map[string]int{}
	for i, row := range t.rows {
		where := fmt.Sprintf("row %d", i+1)
		var cell strings.Builder
		for j, v := range row {
			kind := columns[t.columns[j].name]
			if kind == key || kind == trait {
				fmt.Fprintf(&cell, "%q,", text(v))
			}
			if s, is := v.(string); is && (isoMonth.MatchString(s) || wordDate.MatchString(s)) {
				c.add(path, where, RuleDate, "%s: %.40q; a table has no days", t.columns[j].name, s)
			}
		}
		if first, twice := seen[cell.String()]; twice {
			c.add(path, where, RulePerson, "the same cell as row %d; a table has one row for each", first)
			continue
		}
		seen[cell.String()] = i + 1
	}
}
