package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/analysis"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// The files of every package. Tables of scores stand beside those of events.
const (
	fileCrate    = "ro-crate-metadata.json"
	filePreview  = "ro-crate-preview.html"
	fileProtocol = "protocol/protocol.json"
	fileWire     = "protocol/protocol.cbor"
	filePlan     = "protocol/analysis-plan.md"
	fileSummary  = "lay-summary.md"
	fileStudy    = "research-study.json"

	tableOutcomes = "tables/outcomes"
	tableEvents   = "tables/adverse-events-by-arm"
	tableSystems  = "tables/adverse-events-by-body-system"
)

// Input is what a package is made of. All of it is public.
type Input struct {
	Ledger  wire.LedgerID
	Trial   trial.ID
	Version trial.Version // of the registered definition
	// Protocol is the definition as the ledger has it.
	Protocol trial.Protocol
	Cut      trial.Day // the data cut
	Staged   trial.Day // the day the package is made
	License  License
	// AnalysisPlan and Summary are Markdown, UTF-8.
	AnalysisPlan string
	Summary      string

	Arms     []Arm // as planned, with their sizes
	Events   analysis.Events
	Scores   []ScoreTable
	Reported []Reported
	// Replaces is the CID of the package that this one corrects; empty if none.
	Replaces string
}

// License is the licence of the package.
type License struct {
	URL  string
	Name string
}

// Arm is an arm and how many participants were randomised to it.
type Arm struct {
	Name         string
	Participants int
}

// ScoreTable is a table of a score by week and arm.
type ScoreTable struct {
	ID    string // names its files: a-z, 0-9 and hyphens
	Title string
	Cells []analysis.ScoreCell
}

// Reported is an outcome that the package reports, and the table that it is in.
type Reported struct {
	outcome.Reported
	Table string // its path without ending, as "tables/cibic"
}

// Build makes the package: the same input, the same bytes. A registered outcome
// that is not reported is listed as missing. What holds data of a person is
// refused.
func Build(in Input) (Package, error) {
	if err := in.check(); err != nil {
		return Package{}, fmt.Errorf("package: %w", err)
	}
	files, err := in.files()
	if err != nil {
		return Package{}, fmt.Errorf("package: %w", err)
	}
	slices.SortFunc(files, byPath)
	if err := checkFiles(files); err != nil {
		return Package{}, err
	}
	if found := CheckCells(files); len(found) > 0 {
		return Package{}, fmt.Errorf("package: %d findings, the first: %w", len(found), found[0])
	}
	return Package{Files: files}, nil
}

func (in *Input) check() error {
	switch {
	case in.Staged < in.Cut:
		return fmt.Errorf("staged: %v, before the data cut, %v", in.Staged, in.Cut)
	case in.License.URL == "" || in.License.Name == "":
		return errors.New("license: its URL and name are needed (RO-Crate 1.2)")
	case strings.TrimSpace(in.AnalysisPlan) == "":
		return errors.New("analysis plan: empty")
	case strings.TrimSpace(in.Summary) == "":
		return errors.New("summary: empty; write what was found for lay readers")
	case len(in.Arms) == 0:
		return errors.New("arms: none")
	}
	tables := []string{tableEvents, tableSystems}
	for _, s := range in.Scores {
		if s.ID == "" || strings.Trim(s.ID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || s.path() == tableOutcomes {
			return fmt.Errorf("scores: id %q: use a-z, 0-9 and hyphens, and not the name of another table", s.ID)
		}
		if slices.Contains(tables, s.path()) {
			return fmt.Errorf("scores: id %q stands twice", s.ID)
		}
		tables = append(tables, s.path())
	}
	var list []outcome.Reported
	for _, r := range in.Reported {
		if !slices.Contains(tables, r.Table) {
			return fmt.Errorf("reported: %s: no table %q in this package", r.Name, r.Table)
		}
		list = append(list, r.Reported)
	}
	return outcome.CheckReported(list)
}

func (s ScoreTable) path() string { return "tables/" + s.ID }

func (in *Input) study() study {
	return study{id: in.Trial, version: in.Version, staged: in.Staged, originator: in.Protocol.Sponsor}
}

// outcomes lists what the package says of each outcome: those registered, in
// their order, then those that it reports beside them.
func (in *Input) outcomes() table {
	t := table{name: "OUTCOMES", title: "Registered and reported outcomes", columns: outcomeColumns}
	add := func(id string, level trial.Level, name, timepoint string, r *Reported, status string) {
		row := []cell{int64(len(t.rows) + 1), id, level.String(), name, timepoint, status, nil, nil}
		if r != nil {
			row[6], row[7] = int64(r.N), r.Table
		}
		t.rows = append(t.rows, row)
	}
	named := map[string]bool{}
	for i := range in.Protocol.Outcomes {
		o := &in.Protocol.Outcomes[i]
		named[o.ID] = true
		found := false
		for j := range in.Reported {
			if r := &in.Reported[j]; r.ID == o.ID {
				found = true
				add(r.ID, r.Level, r.Name, r.Timepoint, r, statusReported)
			}
		}
		if !found {
			add(o.ID, o.Level, o.Name, o.Timepoint, nil, statusMissing)
		}
	}
	for j := range in.Reported {
		if r := &in.Reported[j]; !named[r.ID] {
			add(r.ID, r.Level, r.Name, r.Timepoint, r, statusAdded)
		}
	}
	return t
}

// The words for what a package does with an outcome.
const (
	statusReported = "reported"
	statusMissing  = "missing"
	statusAdded    = "added"
)

var outcomeColumns = []column{
	{"ROW", "Row", "integer"},
	{"OUTID", "Outcome", "string"},
	{"LEVEL", "Level", "string"},
	{"NAME", "Name", "string"},
	{"TIMEPT", "Timepoint", "string"},
	{"STATUS", "In this package", "string"},
	{"N", "Participants analysed", "integer"},
	{"TABLE", "Table", "string"},
}

// armColumns begin a row about an arm.
var armColumns = []column{
	{"ARM", "Planned arm", "string"},
	{"ARMN", "Participants in the arm", "integer"},
	{"PARTS", "Participants with an event", "integer"},
	{"PCT", "Percent of participants", "decimal"},
	{"EVENTS", "Events", "integer"},
}

var (
	eventColumns  = append([]column{{"AECAT", "Treatment-emergent adverse events", "string"}}, armColumns...)
	systemColumns = append([]column{{"AEBODSYS", "Body system", "string"}}, armColumns...)
	scoreColumns  = []column{
		{"WEEK", "Week", "integer"},
		{"ARM", "Planned arm", "string"},
		{"N", "Participants, last observation carried forward", "integer"},
		{"MEAN", "Mean, last observation carried forward", "decimal"},
		{"NOBS", "Participants observed", "integer"},
		{"MEANOBS", "Mean observed", "decimal"},
	}
)

func eventsTable(e analysis.Events) table {
	t := table{name: "AEBYARM", title: "Treatment-emergent adverse events by planned arm", columns: eventColumns}
	add := func(category string, of func(analysis.ArmEvents) analysis.Count) {
		for _, a := range e.Arms {
			t.rows = append(t.rows, append([]cell{category}, armCells(a, of(a))...))
		}
	}
	add("Any event", func(a analysis.ArmEvents) analysis.Count { return a.Any })
	for i, s := range append(slices.Clone(analysis.Severities), "NOT RECORDED") {
		add("Severity: "+strings.ToLower(s), func(a analysis.ArmEvents) analysis.Count { return a.BySeverity[i] })
	}
	add("Serious", func(a analysis.ArmEvents) analysis.Count { return a.Serious })
	add("Fatal", func(a analysis.ArmEvents) analysis.Count { return a.Fatal })
	return t
}

func systemsTable(e analysis.Events) table {
	t := table{name: "AEBYSYS", title: "Treatment-emergent adverse events by body system and planned arm", columns: systemColumns}
	for _, s := range analysis.BySize(e.Systems) {
		for i, c := range s.Arms {
			t.rows = append(t.rows, append([]cell{s.System}, armCells(e.Arms[i], c)...))
		}
	}
	return t
}

func armCells(a analysis.ArmEvents, c analysis.Count) []cell {
	return []cell{a.Arm, int64(a.Participants), int64(c.Participants), percent(c.Participants, a.Participants), int64(c.Events)}
}

// percent is to one decimal, halves up; nothing of nobody.
func percent(part, whole int) cell {
	if whole == 0 {
		return nil
	}
	tenths := (2000*part + whole) / (2 * whole)
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

func (s ScoreTable) table() table {
	name := strings.ToUpper(strings.ReplaceAll(s.ID, "-", ""))
	t := table{name: name, title: s.Title, columns: scoreColumns}
	for _, c := range s.Cells {
		t.rows = append(t.rows, []cell{
			int64(c.Week), c.Arm, int64(c.All.N), mean(c.All), int64(c.Observed.N), mean(c.Observed),
		})
	}
	return t
}

func mean(m analysis.Mean) cell {
	if m.N == 0 {
		return nil
	}
	return m.String()
}

// files makes every file, the crate's own description last.
func (in *Input) files() ([]File, error) {
	var files []File
	tables := map[string]table{tableOutcomes: in.outcomes(), tableEvents: eventsTable(in.Events), tableSystems: systemsTable(in.Events)}
	paths := []string{tableOutcomes, tableEvents, tableSystems}
	for _, s := range in.Scores {
		tables[s.path()] = s.table()
		paths = append(paths, s.path())
	}
	for _, path := range paths {
		some, err := tableFiles(path, tables[path], in.study())
		if err != nil {
			return nil, err
		}
		files = append(files, some...)
	}
	registered := wire.Marshal(in.Protocol)
	definition, err := encodeDefinition(registered)
	if err != nil {
		return nil, err
	}
	research, err := encodeJSON(in.researchStudy())
	if err != nil {
		return nil, err
	}
	files = append(files,
		File{filePlan, []byte(in.AnalysisPlan)}, File{fileProtocol, definition}, File{fileStudy, research},
		File{fileSummary, []byte(in.Summary)}, File{fileWire, registered},
	)
	return in.describe(files, tables)
}

func tableFiles(path string, t table, of study) ([]File, error) {
	b, err := encodeDataset(t, of)
	if err != nil {
		return nil, err
	}
	// What was written is read again: the other two forms are made of that.
	t, err = decodeDataset(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	page, err := encodeHTML(t)
	return []File{{path + ".json", b}, {path + ".csv", encodeCSV(t)}, {path + ".html", page}}, err
}

// encodeDefinition makes the readable definition of the bytes on the ledger.
func encodeDefinition(registered []byte) ([]byte, error) {
	var p trial.Protocol
	if err := wire.Unmarshal(registered, &p); err != nil {
		return nil, fmt.Errorf("%s is no registered definition: %w", fileWire, err)
	}
	return encodeJSON(p)
}
