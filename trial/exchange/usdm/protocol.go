package usdm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/trialith/trialith/trial"
)

// Lints are the findings about the file itself.
func (s *Study) Lints() []Lint { return slices.Clone(s.lints) }

// Protocol maps the study onto a protocol to register. Amendments and dates
// stay history: they are not mapped. What a definition never holds the caller
// adds: consent forms, terms, privacy profile, documents, statements of risk
// and burden, and bounds of attributes other than age.
//
// The lints are those of the file, then one for each item of the WHO trial
// registration data set that it does not fill. The error names what no
// protocol can hold.
func (s *Study) Protocol() (trial.Protocol, []Lint, error) {
	m := mapping{study: s, lints: s.Lints()}
	p := trial.Protocol{
		Identifiers:   m.identifiers(),
		Sponsor:       s.Sponsor.Title(),
		PublicTitle:   s.title("Public Study Title", "Brief Study Title"),
		Title:         s.title("Scientific Study Title", "Official Study Title"),
		Acronym:       s.title("Study Acronym"),
		Countries:     m.countries(),
		Conditions:    m.conditions(),
		Interventions: m.interventions(),
		Criteria:      m.criteria(),
		StudyType:     s.Type.Words,
		Phase:         s.Phase.Words,
		Design:        s.Design.Words,
		Blinding:      s.Blinding.Words,
		SampleSize:    m.sampleSize(),
		Outcomes:      m.outcomes(),
		Rationale:     s.Why,
		Arms:          m.arms(),
		Phases:        m.phases(),
		Visits:        m.visits(),
		Attested:      m.attested(),
	}
	m.dataSet(&p)
	if m.err != nil {
		return trial.Protocol{}, m.lints, m.err
	}
	return p, m.lints, nil
}

// title is the text of the first of these types of title that the study has.
func (s *Study) title(types ...string) string {
	for _, want := range types {
		for _, t := range s.Titles {
			if t.Type == want {
				return t.Text
			}
		}
	}
	return ""
}

// mapping turns one study into one protocol.
type mapping struct {
	study *Study
	lints []Lint
	err   error
}

func (m *mapping) lint(severity Severity, path, text, remedy string) {
	m.lints = append(m.lints, Lint{Path: path, Severity: severity, Text: text, Remedy: remedy})
}

// example are registry numbers made up for an example.
var example = regexp.MustCompile(`12345|X{4,}|0{6,}`)

func (m *mapping) identifiers() []trial.Identifier {
	var out []trial.Identifier
	for _, id := range m.study.Identifiers {
		if example.MatchString(id.Text) {
			m.lint(SeverityWarning, "identifiers", fmt.Sprintf("%q of %s looks like an example", id.Text, id.Organization.Title()),
				"replace it by the number that the register gave")
		}
		out = append(out, trial.Identifier{Number: id.Text, Organisation: id.Organization.Title()})
	}
	return out
}

func (m *mapping) countries() []string {
	var out []string
	for _, c := range m.study.Countries {
		region, err := language.ParseRegion(c.Code)
		if err != nil || !region.IsCountry() {
			m.lint(SeverityWarning, "countries", fmt.Sprintf("%q (%s) is not an ISO 3166-1 country", c.Code, c.Words), "use the two-letter code")
			continue
		}
		out = append(out, region.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// conditions lists each condition once: the same one is often coded twice.
func (m *mapping) conditions() []string {
	var out []string
	for _, c := range m.study.Conditions {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

func (m *mapping) interventions() []trial.Intervention {
	var out []trial.Intervention
	for _, i := range m.study.Interventions {
		lines := []string{}
		if i.Description != "" {
			lines = append(lines, i.Description)
		}
		for _, a := range i.Administrations {
			lines = append(lines, a.words())
		}
		out = append(out, trial.Intervention{Name: first(i.Label, i.Name), Type: i.Type, Description: strings.Join(lines, "\n")})
	}
	return out
}

func (a Administration) words() string {
	var parts []string
	if a.Dose != nil {
		parts = append(parts, strings.TrimSpace(a.Dose.Text+" "+a.Dose.Unit))
	}
	for _, s := range []string{a.Route, a.Frequency} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return first(a.Description, a.Name) + ": " + strings.Join(parts, ", ")
}

func (m *mapping) criteria() []trial.Criterion {
	var out []trial.Criterion
	for _, c := range m.study.Criteria {
		out = append(out, trial.Criterion{ID: c.Name, Exclusion: !c.Inclusion, Text: c.Text})
	}
	m.unique("criteria", len(out), func(i int) string { return out[i].ID })
	return out
}

func (m *mapping) sampleSize() uint32 {
	p := m.study.Population
	if p.Enrolment != nil {
		return value(p.Enrolment)
	}
	var total uint32
	for _, c := range p.Cohorts {
		total += min(value(c.Enrolment), 1<<32-1-total)
	}
	return total
}

func value(q *Quantity) uint32 {
	if q == nil || q.Value == nil {
		return 0
	}
	return *q.Value
}

// timepoint is the time frame at the end of an endpoint's text.
var timepoint = regexp.MustCompile(`(?i)\s+(?:at|from|up to|through)\s+((?:week|day|month|year|visit)s?\s[^.;]{1,60})$`)

// outcomes keeps every endpoint's text exactly as it was registered,
// placeholders too.
func (m *mapping) outcomes() []trial.Outcome {
	var out []trial.Outcome
	for _, o := range m.study.Objectives {
		for _, e := range o.Endpoints {
			level := e.Level
			if level == 0 {
				level = o.Level
			}
			outcome := trial.Outcome{ID: e.Name, Level: level, Name: e.Text, Text: e.Text, Objective: o.Text}
			if at := timepoint.FindStringSubmatchIndex(e.Text); at != nil {
				outcome.Name, outcome.Timepoint = e.Text[:at[0]], e.Text[at[2]:at[3]]
			} else if !e.Placeholder {
				m.lint(SeverityWarning, e.path+".text", "the outcome "+e.Name+" names no time frame", "say when it is measured, such as \"at Week 24\"")
			}
			out = append(out, outcome)
		}
	}
	m.unique("outcomes", len(out), func(i int) string { return out[i].ID })
	return out
}

func (m *mapping) arms() []trial.Arm {
	var out []trial.Arm
	for _, a := range m.study.Arms {
		out = append(out, trial.Arm{ID: slug(a.Name), Name: first(a.Label, a.Name), Type: a.Type.Words, Description: a.Description})
	}
	m.unique("arms", len(out), func(i int) string { return out[i].ID })
	return out
}

func (m *mapping) phases() []trial.Phase {
	var out []trial.Phase
	for _, e := range m.study.Epochs {
		out = append(out, trial.Phase{ID: slug(e.Name), Name: first(e.Label, e.Name), Description: e.Description})
	}
	m.unique("phases", len(out), func(i int) string { return out[i].ID })
	return out
}

// visits maps the encounters. In an interventional study the encounter at the
// fixed reference is where treatment starts, so its slot is the first dose.
func (m *mapping) visits() []trial.Visit {
	var out []trial.Visit
	dosed := false
	for _, v := range m.study.Visits {
		visit := trial.Visit{ID: slug(first(v.Label, v.Name)), Name: first(v.Label, v.Name)}
		if v.Timing != nil {
			visit.Timing, visit.Window = v.Timing.Words(), v.Timing.Window()
			if v.Timing.Offset == 0 && !dosed && strings.HasPrefix(m.study.Type.Words, "Interventional") {
				visit.ID, visit.Dose, dosed = trial.FirstDose, true, true
				m.lint(SeverityNote, "visits", fmt.Sprintf("%q is the slot of the first dose: it stands at the fixed reference of the main timeline", visit.Name),
					"mark other visits at which a dose is given")
			}
		}
		out = append(out, visit)
	}
	m.unique("visits", len(out), func(i int) string { return out[i].ID })
	return out
}

// attested is the planned age: the one bound that the model holds as a number.
func (m *mapping) attested() []trial.Attribute {
	low, high := m.study.Population.MinAge, m.study.Population.MaxAge
	if low == nil && high == nil {
		low, high = m.cohortAges()
	}
	if low == nil && high == nil {
		return nil
	}
	age := trial.Attribute{Name: "age", Unit: "years", Max: 150}
	for _, q := range []*Quantity{low, high} {
		if q != nil && (q.Value == nil || !strings.HasPrefix(strings.ToLower(q.Unit), "year")) {
			m.lint(SeverityWarning, "population.plannedAge", fmt.Sprintf("%s %s is not an age in whole years", q.Text, q.Unit), "register the bound of age by hand")
			return nil
		}
	}
	if low != nil {
		age.Min = *low.Value
	}
	if high != nil {
		age.Max = *high.Value
	}
	return []trial.Attribute{age}
}

// cohortAges spans the ages of all cohorts, where the population has none.
func (m *mapping) cohortAges() (low, high *Quantity) {
	for _, c := range m.study.Population.Cohorts {
		if c.MinAge == nil || c.MaxAge == nil {
			return nil, nil
		}
		if low == nil || value(c.MinAge) < value(low) {
			low = c.MinAge
		}
		if high == nil || value(c.MaxAge) > value(high) {
			high = c.MaxAge
		}
	}
	if low != nil {
		m.lint(SeverityNote, "population.plannedAge", "the bounds of age span all cohorts", "the criteria in words hold those of each cohort")
	}
	return low, high
}

func (m *mapping) fail(field, format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("usdm: %s: %s", field, fmt.Sprintf(format, args...))
	}
}

// minus is the sign of a number, as in "Day -1".
var minus = regexp.MustCompile(`(^|\s)[-\x{2212}](\d)`)

// slug is a name as an id: lower case, words joined by hyphens.
func slug(s string) string {
	s = minus.ReplaceAllString(s, "${1}minus ${2}")
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

func first(options ...string) string {
	for _, s := range options {
		if s != "" {
			return s
		}
	}
	return ""
}

// unique refuses ids that a protocol cannot hold: empty, or there twice.
func (m *mapping) unique(field string, n int, id func(int) string) {
	seen := map[string]bool{}
	for i := range n {
		name := id(i)
		if name == "" || seen[name] {
			m.fail(field, "entry %d: the id %q made from its name is empty or taken; give each a name of its own", i+1, name)
		}
		seen[name] = true
	}
}
