package registry

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/trialith/trialith/trial"
)

// table is one aggregate table. Its Dataset-JSON is the table; CSV and HTML are
// made of that, so that only one of the three has to be believed.
type table struct {
	name    string // of the data set: up to 32 upper-case letters and digits
	title   string
	columns []column
	rows    [][]cell
}

// column is one variable; decimals are written as strings (Dataset-JSON 1.1).
type column struct {
	name, label string
	kind        string // "string", "integer" or "decimal"
}

// cell is a string, an int64, or nil for nothing.
type cell any

// dataset is a Dataset-JSON 1.1 document, in the order of its specification.
type dataset struct {
	Created     string   `json:"datasetJSONCreationDateTime"`
	Version     string   `json:"datasetJSONVersion"`
	FileOID     string   `json:"fileOID"`
	Originator  string   `json:"originator"`
	StudyOID    string   `json:"studyOID"`
	MetaVersion string   `json:"metaDataVersionOID"`
	GroupOID    string   `json:"itemGroupOID"`
	Records     int      `json:"records"`
	Name        string   `json:"name"`
	Label       string   `json:"label"`
	Columns     []item   `json:"columns"`
	Rows        [][]cell `json:"rows"`
}

type item struct {
	OID    string `json:"itemOID"`
	Name   string `json:"name"`
	Label  string `json:"label"`
	Type   string `json:"dataType"`
	Target string `json:"targetDataType,omitempty"`
}

const datasetVersion = "1.1.0"

// encodeDataset writes a table as Dataset-JSON. The day stands for its making:
// the bytes must be the same whenever they are made.
func encodeDataset(t table, of study) ([]byte, error) {
	d := dataset{
		Created: of.staged.String() + "T00:00:00", Version: datasetVersion, FileOID: of.oid() + "/" + t.name, Originator: of.originator,
		StudyOID: of.oid(), MetaVersion: of.oid() + "/version/" + of.version.String(), GroupOID: "IG." + t.name,
		Records: len(t.rows), Name: t.name, Label: t.title, Rows: t.rows,
	}
	for _, c := range t.columns {
		i := item{OID: "IT." + t.name + "." + c.name, Name: c.name, Label: c.label, Type: c.kind}
		if c.kind == "decimal" {
			i.Target = "decimal"
		}
		d.Columns = append(d.Columns, i)
	}
	return encodeJSON(d)
}

// study is what every file says of the study.
type study struct {
	id         trial.ID
	version    trial.Version
	staged     trial.Day
	originator string
}

func (s study) oid() string { return "urn:trialith:trial:" + s.id.String() }

// decodeDataset reads a Dataset-JSON that encodeDataset could have written.
func decodeDataset(b []byte) (t table, err error) {
	var d dataset
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return t, fmt.Errorf("no Dataset-JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return t, errors.New("something follows the Dataset-JSON")
	}
	t.name, t.title = d.Name, d.Label
	for _, c := range d.Columns {
		t.columns = append(t.columns, column{name: c.Name, label: c.Label, kind: c.Type})
	}
	if d.Records != len(d.Rows) {
		return t, fmt.Errorf("records: %d; there are %d rows", d.Records, len(d.Rows))
	}
	for i, row := range d.Rows {
		if len(row) != len(t.columns) {
			return t, fmt.Errorf("row %d: %d values for %d columns", i+1, len(row), len(t.columns))
		}
		for j, v := range row {
			if row[j], err = t.columns[j].read(v); err != nil {
				return t, fmt.Errorf("row %d: %s: %w", i+1, t.columns[j].name, err)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

func (c column) read(v cell) (cell, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if c.kind == "decimal" && strings.Trim(v, "-0123456789.") != "" || c.kind == "integer" {
			return nil, fmt.Errorf("%.40q is no %s", v, c.kind)
		}
		return v, nil
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil || c.kind != "integer" {
			return nil, fmt.Errorf("%s is no %s", v, c.kind)
		}
		return n, nil
	default:
		return nil, fmt.Errorf("%T is no %s", v, c.kind)
	}
}

func text(v cell) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		return ""
	}
}

// encodeCSV writes the table for a spreadsheet (RFC 4180).
func encodeCSV(t table) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	var head []string
	for _, c := range t.columns {
		head = append(head, c.name)
	}
	lines := [][]string{head}
	for _, row := range t.rows {
		var line []string
		for _, v := range row {
			line = append(line, plain(text(v)))
		}
		lines = append(lines, line)
	}
	if err := w.WriteAll(lines); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// plain keeps a spreadsheet from running a cell as a formula.
func plain(s string) string {
	if s == "" || !strings.ContainsRune("=+@\t\r", rune(s[0])) {
		return s
	}
	return "'" + s
}

var page = template.Must(template.New("table").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Title}}</title>
</head>
<body>
<table>
<caption>{{.Title}}</caption>
<thead>
<tr>{{range .Head}}<th scope="col">{{.}}</th>{{end}}</tr>
</thead>
<tbody>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</tbody>
</table>
</body>
</html>
`))

// encodeHTML writes the table for a reader: no script, no style, no link.
func encodeHTML(t table) ([]byte, error) {
	data := struct {
		Title string
		Head  []string
		Rows  [][]string
	}{Title: t.title}
	for _, c := range t.columns {
		data.Head = append(data.Head, c.label)
	}
	for _, row := range t.rows {
		var line []string
		for _, v := range row {
			line = append(line, text(v))
		}
		data.Rows = append(data.Rows, line)
	}
	var b bytes.Buffer
	err := page.Execute(&b, data)
	return b.Bytes(), err
}

// encodeJSON writes JSON for people and machines: indented, no escaped letters,
// one newline at its end. Keys of maps are sorted.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}
