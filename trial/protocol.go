package trial

import (
	"fmt"
	"slices"
	"strings"
)

// Attributes is how many attested attributes a leaf holds.
const Attributes = 8

// Protocol is what a sponsor registers before the first participant: the WHO
// trial registration data set, and what the rules of this ledger need. All of
// it is public.
type Protocol struct {
	_ struct{} `cbor:",toarray"`

	// WHO trial registration data set, version 1.3.1.
	Identifiers     []Identifier
	Funding         []string // item 4: sources of monetary or material support
	Sponsor         string   // item 5: primary sponsor
	CoSponsors      []string // item 6
	PublicContact   string   // item 7
	ScientificQuery string   // item 8
	PublicTitle     string   // item 9
	Title           string   // item 10: scientific title
	Acronym         string
	Countries       []string // item 11: ISO 3166-1 alpha-2
	Conditions      []string // item 12
	Interventions   []Intervention
	Criteria        []Criterion // item 14, in words
	StudyType       string      // item 15
	Phase           string
	Design          string
	Blinding        string
	FirstEnrolment  string // item 16: planned date, at its precision
	SampleSize      uint32 // item 17
	Status          string // item 18
	Outcomes        []Outcome
	Ethics          string // item 21
	Completion      string // item 22: planned date
	ResultsURL      string // item 23
	DataSharing     string // item 24: plan to share individual data

	Summary   string // a lay summary of what is asked and why
	Rationale string
	Arms      []Arm
	Phases    []Phase
	Visits    []Visit

	// Attested are the attributes a site attests in a leaf, at most Attributes,
	// and the bounds that make a participant eligible.
	Attested []Attribute
	Forms    []Form
	// Statements that consent rests on; a change of one is substantial.
	Risks, Burden, Payment, DataUse string

	Terms     Terms
	Privacy   string // privacy profile: "open" or "closed"
	Documents []Document

	Boundaries     []Boundary // stopping boundaries
	ResultsDueDays uint32     // days from the completion of the last phase to the results; 0: none registered
}

// Identifier is a trial's number in somebody's register.
type Identifier struct {
	_            struct{} `cbor:",toarray"`
	Number       string
	Organisation string
}

// Intervention is item 13 of the WHO data set.
type Intervention struct {
	_           struct{} `cbor:",toarray"`
	Name        string
	Type        string
	Description string
}

// Criterion is an inclusion or exclusion criterion in words.
type Criterion struct {
	_         struct{} `cbor:",toarray"`
	ID        string
	Exclusion bool
	Text      string
}

// Level of an outcome.
type Level uint8

// The levels of the WHO data set's items 19 and 20, and the rest.
const (
	Primary Level = iota + 1
	Secondary
	Exploratory
)

func (l Level) String() string {
	switch l {
	case Primary:
		return "primary"
	case Secondary:
		return "secondary"
	case Exploratory:
		return "exploratory"
	default:
		return "unknown level"
	}
}

// Outcome is a registered outcome measure. Text stands as it was registered,
// placeholders too.
type Outcome struct {
	_         struct{} `cbor:",toarray"`
	ID        string
	Level     Level
	Name      string
	Text      string
	Timepoint string
	Objective string
}

// Arm of the trial. Who is in which is never on the ledger before unblinding.
type Arm struct {
	_           struct{} `cbor:",toarray"`
	ID          string
	Name        string
	Type        string
	Description string
}

// Phase is a period of the trial (a USDM epoch; called phase here, because an
// epoch of the ledger is something else).
type Phase struct {
	_           struct{} `cbor:",toarray"`
	ID          string
	Name        string
	Description string
}

// Visit is a planned encounter. Its ID is the slot of an entry.
type Visit struct {
	_          struct{} `cbor:",toarray"`
	ID         string
	Name       string
	Timing     string
	Window     string
	Dose       bool // the slot of a dose
	Repeatable bool // may be entered more than once (rep 0, 1, …)
}

// Attribute is one attested attribute and its registered bounds, both included.
type Attribute struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Unit string
	Min  uint32
	Max  uint32
	// Screening says that it needs a trial procedure: attested after consent.
	Screening bool
}

// Form is a consent form in one language.
type Form struct {
	_         struct{} `cbor:",toarray"`
	ID        string
	Language  string // BCP 47
	Title     string
	Sections  []Section
	Options   []Option
	Questions []Question
	Example   bool // written for demonstration, not by the sponsor
}

// Section of a form.
type Section struct {
	_       struct{} `cbor:",toarray"`
	Heading string
	Text    string
}

// Option is a choice on a form. It defaults to off; choices are committed, never published.
type Option struct {
	_    struct{} `cbor:",toarray"`
	ID   string
	Text string
}

// Terms are the spans the rules count with.
type Terms struct {
	_              struct{} `cbor:",toarray"`
	DeadlineDays   uint32   // from a version's opening at a site, for those already in
	AnswerDays     uint32   // from a person's own enrolment
	GraceDays      uint32   // from a version's end to its settlement
	RecordingHours uint32   // how late an offline clinic may record
}

// Document is a public document, by its hash.
type Document struct {
	_      struct{} `cbor:",toarray"`
	Kind   string   // "protocol", "analysis plan", …
	Title  string
	SHA256 Digest
	Bytes  uint64
}

// Check refuses a protocol that the rules cannot work with. It names the field
// and the remedy.
func (p *Protocol) Check() error {
	for _, f := range []struct {
		name string
		n    int
	}{
		{"identifiers", len(p.Identifiers)},
		{"criteria", len(p.Criteria)},
		{"outcomes", len(p.Outcomes)},
		{"arms", len(p.Arms)},
		{"phases", len(p.Phases)},
		{"visits", len(p.Visits)},
		{"forms", len(p.Forms)},
		{"documents", len(p.Documents)},
		{"interventions", len(p.Interventions)},
	} {
		if f.n > maxList {
			return fmt.Errorf("%s: %d; at most %d", f.name, f.n, maxList)
		}
	}
	if strings.TrimSpace(p.Title) == "" {
		return fmt.Errorf("title: empty; WHO item 10 asks for the scientific title")
	}
	if len(p.Outcomes) == 0 {
		return fmt.Errorf("outcomes: none; register each outcome before the first participant")
	}
	if len(p.Attested) > Attributes {
		return fmt.Errorf("attested: %d attributes; a leaf holds at most %d", len(p.Attested), Attributes)
	}
	for _, a := range p.Attested {
		if a.Min > a.Max {
			return fmt.Errorf("attested: %s: minimum %d above maximum %d", a.Name, a.Min, a.Max)
		}
	}
	if p.Privacy != "open" {
		return fmt.Errorf("privacy: profile %q; this rule set knows \"open\"", p.Privacy)
	}
	if p.ResultsDueDays > maxDue {
		return fmt.Errorf("results: due after %d days; at most %d", p.ResultsDueDays, maxDue)
	}
	return firstError(p.checkForms(), p.checkVisits(), p.checkOutcomes(), p.checkBoundaries(), p.Terms.check(), p.checkNames(), p.checkMeasures(), p.checkText())
}

func (p *Protocol) checkForms() error {
	if len(p.Forms) == 0 {
		return fmt.Errorf("forms: none; nobody can consent without a form")
	}
	var ids []string
	for _, f := range p.Forms {
		if f.ID == "" || f.Language == "" || len(f.Sections) == 0 {
			return fmt.Errorf("forms: %q: id, language and at least one section are needed", f.ID)
		}
		if len(f.Options) > 16 || len(f.Sections) > maxList {
			return fmt.Errorf("forms: %q: at most 16 options and %d sections", f.ID, maxList)
		}
		if err := f.checkQuestions(); err != nil {
			return err
		}
		ids = append(ids, f.ID)
	}
	return unique("forms", ids)
}

func (p *Protocol) checkVisits() error {
	var ids []string
	for _, v := range p.Visits {
		if v.Dose && v.Repeatable && v.ID == FirstDose {
			return fmt.Errorf("visits: %s: the first dose is never repeatable", v.ID)
		}
		ids = append(ids, v.ID)
	}
	return unique("visits", ids)
}

func (p *Protocol) checkOutcomes() error {
	var ids []string
	for _, o := range p.Outcomes {
		if o.Level < Primary || o.Level > Exploratory {
			return fmt.Errorf("outcomes: %s: level %d; 1 primary, 2 secondary, 3 exploratory", o.ID, o.Level)
		}
		ids = append(ids, o.ID)
	}
	return unique("outcomes", ids)
}

// FirstDose is the slot of the first dose in every trial.
const FirstDose = "first-dose"

func (t Terms) check() error {
	if t.DeadlineDays == 0 || t.AnswerDays == 0 || t.DeadlineDays > 366 || t.AnswerDays > 366 || t.GraceDays > 366 || t.RecordingHours > 168 {
		return fmt.Errorf("terms: deadline and answer 1 to 366 days, grace at most 366 days, recording at most 168 hours")
	}
	return nil
}

func unique(field string, ids []string) error {
	slices.Sort(ids)
	for i, id := range ids {
		if id == "" || len(id) > maxID || HasControl(id) {
			return fmt.Errorf("%s: an id of 1 to %d bytes is needed, without control characters; not %q", field, maxID, id)
		}
		if i > 0 && ids[i-1] == id {
			return fmt.Errorf("%s: %q stands twice", field, id)
		}
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Bounds are the registered criteria as a leaf's attributes are compared with
// them; attributes the protocol does not use are unbounded.
func (p *Protocol) Bounds() (lo, hi [Attributes]uint32) {
	for i := range hi {
		hi[i] = 1<<32 - 1
	}
	for i, a := range p.Attested {
		lo[i], hi[i] = a.Min, a.Max
	}
	return lo, hi
}

// Visit finds a planned visit by its ID.
func (p *Protocol) Visit(id string) (Visit, bool) {
	i := slices.IndexFunc(p.Visits, func(v Visit) bool { return v.ID == id })
	if i < 0 {
		return Visit{}, false
	}
	return p.Visits[i], true
}
