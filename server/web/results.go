package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/publication"
)

// resultsPart is what a study has published, and what it has committed to.
type resultsPart struct {
	Label    trial.Label
	Standing *readmodel.Stage // the release that stands; nil: none
	Stages   []readmodel.Stage
	Files    string // address of the package's files; empty: not here
	Tables   []resultTable
	Datasets []readmodel.Dataset
	Gate     []gateLine
	Names    map[string]string // of outcomes, by id
}

// outcomeNames are the names that checks call by their ids.
func outcomeNames(latest *trial.Protocol, standing *readmodel.Stage) map[string]string {
	names := map[string]string{}
	if latest != nil {
		for _, o := range latest.Outcomes {
			names[o.ID] = o.Name
		}
	}
	if standing != nil {
		for _, l := range standing.Comparison.Lines {
			if l.ID != "" {
				names[l.ID] = l.Name
			}
		}
	}
	return names
}

// inWords puts an outcome's name beside the id that a detail begins with.
func inWords(check, detail string, names map[string]string) string {
	if check != publication.CheckOutcomes {
		return detail
	}
	id, rest, _ := strings.Cut(detail, " ")
	if name := names[id]; strings.TrimSpace(name) != "" {
		return id + " " + rest + ": " + name
	}
	return detail
}

// resultTable is a table of a results package.
type resultTable struct {
	Title   string
	Address string // of the file; empty: none
	Columns []string
	Numeric []bool
	Rows    [][]string
}

// Bounds of what a page shows of a package: its bytes are whatever was held.
const (
	maxTables    = 12
	maxTableRows = 60
	maxTableCols = 12
	maxTableFile = 1 << 20
	tableFolder  = "tables/"
)

func (s *site) readResults(ctx context.Context, id trial.ID, latest *trial.Protocol) (p resultsPart, err error) {
	if p.Label, err = s.Label(ctx, id); err != nil {
		return p, err
	}
	if p.Stages, err = s.Model.Stages(ctx, id); err != nil {
		return p, err
	}
	if p.Datasets, err = s.Model.Datasets(ctx, id); err != nil {
		return p, err
	}
	checks, err := s.Gate(ctx, id)
	if err != nil {
		return p, err
	}
	if i := slices.IndexFunc(p.Stages, func(x readmodel.Stage) bool { return x.Number == p.Label.Stage }); i >= 0 {
		p.Standing = &p.Stages[i]
		s.readPackage(ctx, &p)
	}
	p.Names = outcomeNames(latest, p.Standing)
	p.Gate = gateLines(checks, p.Names)
	return p, nil
}

// readPackage shows the package's own tables where this server has the bytes.
// What is wrong with them is no reason to show no page.
func (s *site) readPackage(ctx context.Context, p *resultsPart) {
	if s.Package == nil {
		return
	}
	files, err := s.Package(ctx, p.Standing.Package)
	if err != nil {
		s.Log.Warn("package not shown", "cid", p.Standing.Package.String(), "error", err)
		return
	}
	if s.Gateway != nil {
		p.Files = strings.TrimSuffix(s.Gateway(p.Standing.Package), "/") + "/"
	}
	for _, f := range files.Files {
		t, ok := readTable(f)
		if !ok || len(p.Tables) == maxTables {
			continue
		}
		if p.Files != "" {
			t.Address = p.Files + strings.TrimSuffix(f.Path, ".json") + ".csv"
		}
		p.Tables = append(p.Tables, t)
	}
}

// readTable reads an aggregate table in CDISC Dataset-JSON. The table of
// outcomes is left out: the ledger's own comparison stands in its place.
func readTable(f registry.File) (t resultTable, ok bool) {
	if !strings.HasPrefix(f.Path, tableFolder) || !strings.HasSuffix(f.Path, ".json") || f.Path == tableFolder+"outcomes.json" || len(f.Data) > maxTableFile {
		return t, false
	}
	var d struct {
		Label   string `json:"label"`
		Columns []struct {
			Label string `json:"label"`
			Type  string `json:"dataType"`
		} `json:"columns"`
		Rows [][]any `json:"rows"`
	}
	decoder := json.NewDecoder(bytes.NewReader(f.Data))
	decoder.UseNumber()
	if decoder.Decode(&d) != nil || len(d.Columns) == 0 || len(d.Columns) > maxTableCols || len(d.Rows) > maxTableRows {
		return t, false
	}
	t.Title = d.Label
	for _, c := range d.Columns {
		t.Columns, t.Numeric = append(t.Columns, c.Label), append(t.Numeric, c.Type != "string")
	}
	for _, row := range d.Rows {
		if len(row) != len(d.Columns) {
			return t, false
		}
		line := make([]string, len(row))
		for i, v := range row {
			if v != nil {
				line[i] = fmt.Sprint(v)
			}
		}
		t.Rows = append(t.Rows, line)
	}
	return t, true
}

// resultsSentence is the verdict on the results in words.
func resultsSentence(p resultsPart) string {
	l := p.Label
	switch l.Word {
	case trial.Verified:
		return "Results are released, and every check of the ledger holds."
	case trial.PublishedWithExceptions:
		if p.Standing != nil && p.Standing.Retraction != nil {
			return "These results are retracted. They are not to be relied on."
		}
		return fmt.Sprintf("Results are released, with %s that %s beside them for good.",
			count(uint64(len(l.Exceptions)), "exception", "exceptions"), standWord(len(l.Exceptions)))
	case trial.Overdue:
		if p.Standing != nil {
			return "Results of the whole study were due on " + dayOf(l.Due) + " and are not out. What was released before then stands below."
		}
		return "Results were due on " + dayOf(l.Due) + " and are not released."
	default:
		if l.Due != 0 {
			return "No results are released yet. They are due on " + dayOf(l.Due) + "."
		}
		return "No results are released yet."
	}
}

func standWord(n int) string {
	if n == 1 {
		return "stands"
	}
	return "stand"
}

func labelTag(word string) string {
	switch word {
	case trial.Verified:
		return "govuk-tag--green"
	case trial.PublishedWithExceptions:
		return "govuk-tag--yellow"
	case trial.Overdue:
		return "govuk-tag--red"
	default:
		return "govuk-tag--grey"
	}
}

func markMeaning(mark string) string {
	switch mark {
	case trial.NamedNotHeld:
		return "no custodian has said that it holds the bytes, so nobody can promise that they will stay."
	case trial.Late:
		return "the results came out after they were due."
	case trial.Corrected:
		return "these results stand in place of earlier ones, which stay public."
	case trial.Retracted:
		return "the results are not to be relied on."
	default:
		return ""
	}
}

// gateLine is a check of the gate, with all that it found.
type gateLine struct {
	ID      string
	Holds   bool
	Details []string
	Owner   trial.Role
}

// gateLines puts checks of one kind under one heading, those that do not hold
// first.
func gateLines(checks []trial.Check, names map[string]string) []gateLine {
	var lines []gateLine
	for _, c := range checks {
		c.Detail = inWords(c.ID, c.Detail, names)
		if i := slices.IndexFunc(lines, func(l gateLine) bool { return l.ID == c.ID && l.Holds == c.Holds }); i >= 0 {
			lines[i].Details = append(lines[i].Details, c.Detail)
			continue
		}
		lines = append(lines, gateLine{ID: c.ID, Holds: c.Holds, Details: []string{c.Detail}, Owner: c.Owner})
	}
	slices.SortStableFunc(lines, func(a, b gateLine) int {
		switch {
		case a.Holds == b.Holds:
			return 0
		case b.Holds:
			return -1
		default:
			return 1
		}
	})
	return lines
}

func failing(lines []gateLine) []gateLine {
	return slices.DeleteFunc(slices.Clone(lines), func(l gateLine) bool { return l.Holds })
}

func holding(lines []gateLine) []gateLine {
	return slices.DeleteFunc(slices.Clone(lines), func(l gateLine) bool { return !l.Holds })
}

// gateSentence says how far the results are from VERIFIED.
func gateSentence(lines []gateLine) string {
	if n := len(failing(lines)); n > 0 {
		return fmt.Sprintf("%s of %s for VERIFIED %s not hold as things stand.", capital(number(uint64(n))), count(uint64(len(lines)), "condition", "conditions"), doWord(n))
	}
	return "Nothing is missing: every condition for VERIFIED holds as things stand."
}

func doWord(n int) string {
	if n == 1 {
		return "does"
	}
	return "do"
}

// checkWords is what a check asks, in plain words.
func checkWords(id string) string {
	if v, ok := strings.CutPrefix(id, publication.CheckConsent); ok {
		return "Everyone who owed consent to version " + v + " is accounted for"
	}
	if words, ok := checkMeanings[id]; ok {
		return words
	}
	return id
}

var checkMeanings = map[string]string{
	publication.CheckRegistered:  "The plan was registered before the first person was enrolled",
	publication.CheckApproved:    "Ethics approved each version before it was used at a site",
	publication.CheckDelegated:   "Everyone who enrolled people or recorded data was delegated to do so by the site",
	publication.CheckEligibility: "Everyone randomised proved the registered criteria, and nobody else was given a dose",
	publication.CheckPhases:      "Every registered phase of the study is complete",
	publication.CheckEnrolled:    "People were enrolled, and none of them after the last phase was complete",
	publication.CheckReports:     "Safety reports were entered in time",
	publication.CheckLocked:      "The data were locked before anybody could know the arms",
	publication.CheckPlan:        "The analysis plan was locked before the first data",
	publication.CheckOutcomes:    "Every registered outcome is reported as registered",
	publication.CheckBoundaries:  "The stopping boundaries were registered before the first look",
	publication.CheckLooks:       "What the safety board saw at each look is published, and agrees with its sealed record",
	publication.CheckFlags:       "The safety board answered each crossed boundary in time",
	publication.CheckSubjects:    "The data hold no more people than were randomised and given a dose by then, as far as accounts and the sponsor tell",
	publication.CheckBeyond:      "No data go beyond the day that the results speak as of",
	publication.CheckHeld:        "Two independent custodians hold the results",
}

// exceptionLine is the exceptions of one check.
type exceptionLine struct {
	Asks  string
	Found []string
}

// exceptionLines reads exceptions, "check:detail", for people.
func exceptionLines(exceptions []string, names map[string]string) (lines []exceptionLine) {
	for _, e := range exceptions {
		id, found, _ := strings.Cut(e, ":")
		asks, found := checkWords(id), inWords(id, found, names)
		if n := len(lines); n > 0 && lines[n-1].Asks == asks {
			lines[n-1].Found = append(lines[n-1].Found, found)
			continue
		}
		lines = append(lines, exceptionLine{asks, []string{found}})
	}
	return lines
}

// comparisonSentence counts the lines of a comparison.
func comparisonSentence(c *outcome.Comparison) string {
	n := c.Counts()
	var words []string
	for _, s := range []outcome.Status{outcome.AsRegistered, outcome.Changed, outcome.Missing, outcome.Added, outcome.Withdrawn} {
		if n[s] > 0 {
			words = append(words, number(uint64(n[s]))+" "+s.String())
		}
	}
	if len(words) == 0 {
		return "No outcome is registered or reported."
	}
	return fmt.Sprintf("Of the outcomes registered in version %v or reported: %s.", c.Version, strings.Join(words, ", "))
}

func statusTagOf(s outcome.Status) string {
	switch s {
	case outcome.AsRegistered:
		return "govuk-tag--green"
	case outcome.Missing, outcome.Changed, outcome.Added:
		return "govuk-tag--red"
	default:
		return "govuk-tag--grey"
	}
}

// whenWords says when what differs came about, and what had been seen by then.
func whenWords(l *outcome.Line) []string {
	var out []string
	for _, r := range l.History {
		out = append(out, revisionWords(r))
	}
	switch l.Status {
	case outcome.Changed, outcome.Added:
		if l.Since == 0 {
			out = append(out, "No version registered this: the change is silent.")
		} else {
			out = append(out, fmt.Sprintf("First registered in version %v, which was not in force before the data could be known by arm.", l.Since))
		}
	case outcome.Missing:
		out = append(out, "Registered, and the package does not report it.")
	case outcome.AsRegistered:
		if len(out) == 0 {
			out = append(out, "Never changed.")
		}
	default:
	}
	return out
}

func revisionWords(r outcome.Revision) string {
	var fields []string
	for _, c := range r.Changes {
		fields = append(fields, c.Field)
	}
	when := "before unblinding"
	if r.Known.Unblinded {
		when = "after unblinding"
	}
	s := fmt.Sprintf("Version %v changed its %s on %s, %s", r.Version, strings.Join(fields, ", "), dayOf(r.Time), when)
	if seen := knownWords(r.Known); seen != "" {
		s += "; seen by then: " + seen
	}
	return s + "."
}

func knownWords(k outcome.Known) string {
	var words []string
	if k.Enrolled {
		words = append(words, "people were enrolled")
	}
	if k.Looks > 0 {
		words = append(words, count(uint64(k.Looks), "look of the safety board", "looks of the safety board"))
	}
	if k.Cuts > 0 {
		words = append(words, count(uint64(k.Cuts), "data cut", "data cuts"))
	}
	if k.Single > 0 {
		words = append(words, count(uint64(k.Single), "person unblinded alone", "people unblinded alone"))
	}
	return strings.Join(words, ", ")
}

// stageWords says what became of a package.
func stageWords(st *readmodel.Stage) string {
	switch {
	case st.Retraction != nil:
		return "Retracted on " + dayOf(st.Retraction.Time) + ": " + st.Retraction.Reason
	case st.SupersededBy != 0:
		return fmt.Sprintf("Released on %s; corrected since by package %d.", dayOf(st.Release.Time), st.SupersededBy)
	case st.Release != nil && st.Correction != nil:
		return fmt.Sprintf("Released on %s as a correction of package %d: %s", dayOf(st.Release.Time), st.Supersedes, st.Correction.Reason)
	case st.Release != nil:
		return "Released on " + dayOf(st.Release.Time) + "."
	default:
		return "Named by the sponsor on " + dayOf(st.Time) + " and not released."
	}
}

func held(st *readmodel.Stage) (n uint64) {
	for _, h := range st.Held {
		if h.Holds {
			n++
		}
	}
	return n
}

func untilWords(d trial.Day) string {
	if d == 0 {
		return "no end stated"
	}
	return "until " + day(d)
}

// lower begins a sentence's words inside another.
func lower(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func lockedWords(d readmodel.Dataset, unblinded int64) string {
	switch {
	case d.Locked == 0:
		return "No"
	case unblinded == 0:
		return dayOf(d.Locked)
	case d.Locked <= unblinded:
		return dayOf(d.Locked) + ", before unblinding"
	default:
		return dayOf(d.Locked) + ", after unblinding"
	}
}

func unblindedWords(p safetyPart) string {
	s := "The list of who was in which arm has not been released: the study is blinded."
	if p.Unblinded != 0 {
		s = "The list of who was in which arm was released on " + dayOf(p.Unblinded) + "."
	}
	if p.Single > 0 {
		s += " The arm of " + people(p.Single) + " was opened alone, in an emergency or after a suspected reaction."
	}
	return s
}

// standingNow says where a study stands: results fall due once it has ended.
func standingNow(p studyPage) string {
	if p.Results.Label.Due != 0 {
		return "Every phase of the study is over"
	}
	return standing(p.Trial)
}
