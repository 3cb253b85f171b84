package trial

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// MaxVersions is how many versions of its protocol a trial may register. A
// consent plants a pass for each of them, and results are compared with all.
const MaxVersions = 64

// Limits of a protocol, so that nothing registered can stall a reader.
const (
	maxList = 256
	maxText = 32 << 10
	maxName = 1024
	maxID   = 128
	maxDue  = 3660
	// maxMeasures bounds the names and time points of a version's outcomes
	// together: a comparison of results tells how each version changed them.
	maxMeasures = 64 << 10
)

// HasControl reports whether a name holds a control character (Unicode category
// Cc). In a key of the state it could stand for the end of a name.
func HasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

// bounded is one text of a protocol and its limit in bytes.
type bounded struct {
	field string
	text  string
	limit int
}

func (p *Protocol) checkText() error {
	var all []bounded
	add := func(field string, limit int, texts ...string) {
		for _, s := range texts {
			all = append(all, bounded{field, s, limit})
		}
	}
	p.texts(add)
	for _, l := range []struct {
		field string
		list  []string
	}{{"funding", p.Funding}, {"cosponsors", p.CoSponsors}, {"countries", p.Countries}, {"conditions", p.Conditions}} {
		if len(l.list) > maxList {
			return fmt.Errorf("%s: %d; at most %d", l.field, len(l.list), maxList)
		}
		add(l.field, maxName, l.list...)
	}
	p.eachText(add)
	for _, b := range all {
		if len(b.text) > b.limit {
			return fmt.Errorf("%s: %d bytes; at most %d", b.field, len(b.text), b.limit)
		}
	}
	return nil
}

// texts tells the texts that stand alone.
func (p *Protocol) texts(add func(field string, limit int, texts ...string)) {
	add("title", maxName, p.Title)
	add("public title", maxName, p.PublicTitle)
	add("acronym", maxName, p.Acronym)
	add("sponsor", maxName, p.Sponsor)
	add("contacts", maxName, p.PublicContact, p.ScientificQuery)
	add("study type", maxName, p.StudyType)
	add("phase", maxName, p.Phase)
	add("blinding", maxName, p.Blinding)
	add("status and dates", maxName, p.Status, p.FirstEnrolment, p.Completion)
	add("results", maxName, p.ResultsURL)
	add("design", maxText, p.Design)
	add("ethics", maxText, p.Ethics)
	add("data sharing", maxText, p.DataSharing)
	add("summary", maxText, p.Summary)
	add("rationale", maxText, p.Rationale)
	add("risks", maxText, p.Risks)
	add("burden", maxText, p.Burden)
	add("payment", maxText, p.Payment)
	add("data use", maxText, p.DataUse)
}

// eachText tells the texts of whatever a protocol lists.
func (p *Protocol) eachText(add func(field string, limit int, texts ...string)) {
	for _, x := range p.Identifiers {
		add("identifiers", maxName, x.Number, x.Organisation)
	}
	for _, x := range p.Interventions {
		add("interventions", maxName, x.Name, x.Type)
		add("interventions", maxText, x.Description)
	}
	for _, x := range p.Criteria {
		add("criteria", maxID, x.ID)
		add("criteria", maxText, x.Text)
	}
	for _, x := range p.Outcomes {
		add("outcomes", maxName, x.Name, x.Timepoint)
		add("outcomes", maxText, x.Text, x.Objective)
	}
	for _, x := range p.Arms {
		add("arms", maxID, x.ID)
		add("arms", maxName, x.Name, x.Type)
		add("arms", maxText, x.Description)
	}
	for _, x := range p.Phases {
		add("phases", maxID, x.ID)
		add("phases", maxName, x.Name)
		add("phases", maxText, x.Description)
	}
	for _, x := range p.Visits {
		add("visits", maxName, x.Name, x.Timing, x.Window)
	}
	for _, x := range p.Attested {
		add("attested", maxID, x.Name, x.Unit)
	}
	for _, x := range p.Documents {
		add("documents", maxName, x.Kind, x.Title)
	}
	for i := range p.Forms {
		p.Forms[i].eachText(add)
	}
}

func (f *Form) eachText(add func(field string, limit int, texts ...string)) {
	field := "forms: " + f.ID
	add(field, maxID, f.Language)
	add(field, maxName, f.Title)
	for _, s := range f.Sections {
		add(field, maxName, s.Heading)
		add(field, maxText, s.Text)
	}
	for _, o := range f.Options {
		add(field, maxID, o.ID)
		add(field, maxText, o.Text)
	}
	for i := range f.Questions {
		f.Questions[i].eachText(field, add)
	}
}

// checkNames refuses control characters in whatever names a thing.
func (p *Protocol) checkNames() error {
	for _, f := range []struct {
		field string
		ids   []string
	}{
		{"criteria", idsOf(p.Criteria, func(x Criterion) string { return x.ID })},
		{"arms", idsOf(p.Arms, func(x Arm) string { return x.ID })},
		{"phases", idsOf(p.Phases, func(x Phase) string { return x.ID })},
		{"attested", idsOf(p.Attested, func(x Attribute) string { return x.Name })},
	} {
		if i := slices.IndexFunc(f.ids, HasControl); i >= 0 {
			return fmt.Errorf("%s: %q: an id has no control characters", f.field, f.ids[i])
		}
	}
	return nil
}

func idsOf[T any](list []T, id func(T) string) (ids []string) {
	for _, x := range list {
		ids = append(ids, id(x))
	}
	return ids
}

// checkMeasures bounds what a comparison of results repeats of a version.
func (p *Protocol) checkMeasures() error {
	n := 0
	for _, o := range p.Outcomes {
		n += len(o.Name) + len(o.Timepoint)
	}
	if n > maxMeasures {
		return fmt.Errorf("outcomes: names and time points of %d bytes; at most %d together: say the rest in their texts", n, maxMeasures)
	}
	return nil
}
