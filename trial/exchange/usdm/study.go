package usdm

import (
	"slices"

	"github.com/trialith/trialith/trial"
)

// Study is what one study definition says, in the file's own words: text
// without markup, template tags resolved, lists in their registered order.
type Study struct {
	Model   string // the USDM version of the file, such as 4.0.0
	Name    string
	Version string // the sponsor's version identifier of the definition
	Why     string // the rationale of the version

	Titles        []Title
	Identifiers   []Identifier
	Organizations []Organization
	Sponsor       Organization // the zero value where the file names none

	Type       Code // interventional or observational
	Phase      Code
	Design     Code // parallel, crossover, single group
	Blinding   Code
	Intents    []Code
	Conditions []Condition
	Countries  []Code // where the organisations' sites are

	Interventions []Intervention
	Arms          []Arm
	Epochs        []Epoch
	Visits        []Visit
	Objectives    []Objective
	Criteria      []Criterion
	Population    Population

	// Amendments are history: they happened before the file was written and
	// nothing that they say changes the mapped protocol.
	Amendments []Amendment
	Dates      []Date

	lints []Lint
}

// Code is a coded term: its words, and where they come from.
type Code struct{ System, Code, Words string }

// Quantity is a number with a unit. Value is nil where the number is not a
// whole one from 0 to 2^32-1; Text always holds it as written.
type Quantity struct {
	Value *uint32
	Text  string
	Unit  string
}

// Title is one of the study's titles. Type is CDISC's name for it: "Official
// Study Title", "Brief Study Title", "Public Study Title", "Scientific Study
// Title" or "Study Acronym".
type Title struct{ Type, Text string }

// Identifier is an identifier and the organisation that gave it.
type Identifier struct {
	Text         string
	Organization Organization
}

// Organization is a sponsor, a registry or an agency.
type Organization struct {
	ID, Name, Label, Type string
	Scheme, Identifier    string
	Country               string
}

// Title of an organisation: its label, else its short name.
func (o Organization) Title() string {
	if o.Label != "" {
		return o.Label
	}
	return o.Name
}

// Condition is what the study is about.
type Condition struct {
	Name  string
	Codes []Code
}

// Intervention is a treatment under study, with its ways of being given.
type Intervention struct {
	Name, Label, Description string
	Role, Type               string
	Administrations          []Administration
}

// Administration is one dose of an intervention.
type Administration struct {
	Name, Description string
	Dose              *Quantity
	Route, Frequency  string
}

// Arm is one planned path of treatment.
type Arm struct {
	ID, Name, Label, Description string
	Type                         Code
}

// Epoch is one period of the study, in order.
type Epoch struct {
	ID, Name, Label, Description string
	Type                         Code
}

// Visit is a planned encounter, in order. Timing is nil where the schedule
// does not say when it is.
type Visit struct {
	ID, Name, Label, Description string
	Type                         string
	Epoch                        string // name of the epoch, empty where none
	Timing                       *Timing
}

// Timing is when a visit is planned, in minutes from the start of treatment:
// the fixed reference of the main timeline, which is study day 1. Early and
// Late are the widths of the allowed window on either side.
type Timing struct {
	Label       string // the schedule's own words, such as "2 Weeks"
	Offset      int64
	Early, Late int64
	HasWindow   bool
	Anchor      bool // this visit is the fixed reference itself
}

// Objective is a question of the study and the endpoints that answer it.
type Objective struct {
	ID, Name, Text string
	Level          trial.Level // 0 where the file says none
	Endpoints      []Endpoint
}

// Endpoint is an outcome to be measured.
type Endpoint struct {
	ID, Name, Text, Purpose string
	Level                   trial.Level // 0 where the file says none
	// Placeholder says that Text was never filled in ("To be determined").
	Placeholder bool
	path        string
}

// Criterion is one rule of eligibility in words.
type Criterion struct {
	ID, Name, Label, Identifier string
	Inclusion                   bool
	Text                        string
}

// Population is who the study plans to enrol.
type Population struct {
	Description string
	Healthy     bool // healthy people may take part
	Enrolment   *Quantity
	Completion  *Quantity
	Sex         []string
	MinAge      *Quantity
	MaxAge      *Quantity
	Cohorts     []Cohort
}

// Cohort is a part of the population with bounds of its own.
type Cohort struct {
	Name, Label    string
	Enrolment      *Quantity
	MinAge, MaxAge *Quantity
}

// Amendment is one past change of the protocol.
type Amendment struct {
	ID, Name, Number, Summary string
	Date                      string // ISO 8601, empty where the file gives none
	Reasons                   []string
	Substantial               bool // an impact was marked substantial
	Changes                   []Change
}

// Change is one change within an amendment.
type Change struct {
	Summary, Rationale string
	Sections           []string
}

// Date is a governance date of the definition or of its document.
type Date struct {
	Name, Type, Value string // Value is ISO 8601
	Scopes            []string
}

func (d Date) equal(other Date) bool {
	return d.Name == other.Name && d.Type == other.Type && d.Value == other.Value && slices.Equal(d.Scopes, other.Scopes)
}
