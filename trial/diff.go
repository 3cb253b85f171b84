package trial

import (
	"fmt"
	"strings"
)

// Class says what a change touches. All but Administrative count as substantial
// until ethics says otherwise.
type Class uint8

// The classes of a change.
const (
	Administrative Class = iota
	OutcomeChange
	RiskChange
	BurdenChange
	PaymentChange
	EligibilityChange
	DataUseChange
	FormChange
	DesignChange
)

var classes = [...]string{
	Administrative: "administrative", OutcomeChange: "outcomes", RiskChange: "risks", BurdenChange: "burden",
	PaymentChange: "payment", EligibilityChange: "eligibility", DataUseChange: "data use", FormChange: "consent form",
	DesignChange: "design",
}

func (c Class) String() string {
	if int(c) >= len(classes) {
		return "unknown class"
	}
	return classes[c]
}

// Change is one difference between two versions of a protocol, in words that a
// reader can compare side by side. An addition has no Before, a removal no After.
type Change struct {
	_      struct{} `cbor:",toarray"`
	Class  Class
	Field  string
	Before string
	After  string
}

// Diff lists what changed between two versions of a protocol, in a fixed order.
// Every word of a protocol is compared: whom a version affects rests on it.
func Diff(before, after *Protocol) []Change {
	var d differ
	d.text(OutcomeChange, "outcome", outcomes(before), outcomes(after))
	d.one(RiskChange, "risks", before.Risks, after.Risks)
	d.one(BurdenChange, "burden", before.Burden, after.Burden)
	d.one(PaymentChange, "payment", before.Payment, after.Payment)
	d.one(DataUseChange, "data use", before.DataUse, after.DataUse)
	d.text(EligibilityChange, "criterion", criteria(before), criteria(after))
	d.text(EligibilityChange, "attested bounds", bounds(before), bounds(after))
	d.text(BurdenChange, "visit", visits(before), visits(after))
	d.design(before, after)
	d.text(FormChange, "form", forms(before), forms(after))
	d.one(DataUseChange, "data sharing", before.DataSharing, after.DataSharing)
	d.one(DataUseChange, "privacy", before.Privacy, after.Privacy)
	d.administrative(before, after)
	return d.changes
}

func (d *differ) design(before, after *Protocol) {
	d.text(DesignChange, "intervention", interventions(before), interventions(after))
	d.text(DesignChange, "arm", arms(before), arms(after))
	d.text(DesignChange, "phase", phases(before), phases(after))
	d.one(DesignChange, "blinding", before.Blinding, after.Blinding)
	d.one(DesignChange, "sample size", fmt.Sprint(before.SampleSize), fmt.Sprint(after.SampleSize))
	d.text(DesignChange, "condition", words(before.Conditions), words(after.Conditions))
	d.one(DesignChange, "study type", before.StudyType, after.StudyType)
	d.one(DesignChange, "trial phase", before.Phase, after.Phase)
	d.one(DesignChange, "design", before.Design, after.Design)
	d.text(DesignChange, "boundary", boundaries(before), boundaries(after))
	d.one(DesignChange, "results due", results(before), results(after))
}

func (d *differ) administrative(before, after *Protocol) {
	d.one(Administrative, "title", before.Title, after.Title)
	d.one(Administrative, "public title", before.PublicTitle, after.PublicTitle)
	d.one(Administrative, "acronym", before.Acronym, after.Acronym)
	d.one(Administrative, "summary", before.Summary, after.Summary)
	d.one(Administrative, "rationale", before.Rationale, after.Rationale)
	d.one(Administrative, "sponsor", before.Sponsor, after.Sponsor)
	d.text(Administrative, "co-sponsor", words(before.CoSponsors), words(after.CoSponsors))
	d.text(Administrative, "funding", words(before.Funding), words(after.Funding))
	d.text(Administrative, "identifier", identifiers(before), identifiers(after))
	d.text(Administrative, "country", words(before.Countries), words(after.Countries))
	d.one(Administrative, "public contact", before.PublicContact, after.PublicContact)
	d.one(Administrative, "scientific contact", before.ScientificQuery, after.ScientificQuery)
	d.one(Administrative, "first enrolment", before.FirstEnrolment, after.FirstEnrolment)
	d.one(Administrative, "status", before.Status, after.Status)
	d.one(Administrative, "ethics", before.Ethics, after.Ethics)
	d.one(Administrative, "completion", before.Completion, after.Completion)
	d.one(Administrative, "results", before.ResultsURL, after.ResultsURL)
	d.one(Administrative, "terms", terms(before), terms(after))
	d.text(Administrative, "document", documents(before), documents(after))
}

type differ struct{ changes []Change }

func (d *differ) one(c Class, field, before, after string) {
	if before != after {
		d.changes = append(d.changes, Change{Class: c, Field: field, Before: before, After: after})
	}
}

// named is a list of (id, text) in the order of the protocol.
type named struct {
	parts []part
	at    map[string]int // place of an id
	times map[string]int // how often an id was asked for
}

type part struct{ id, text string }

// add appends a part. Ids that stand twice are numbered, so that no part hides
// behind another; an empty one is told from none.
func (n *named) add(id, text string) {
	if text == "" {
		text = "(empty)"
	}
	if n.at == nil {
		n.at, n.times = map[string]int{}, map[string]int{}
	}
	unique := id
	for n.times[id]++; ; n.times[id]++ {
		if i := n.times[id]; i > 1 {
			unique = fmt.Sprintf("%s (%d)", id, i)
		}
		if _, taken := n.at[unique]; !taken {
			break
		}
	}
	n.at[unique] = len(n.parts)
	n.parts = append(n.parts, part{unique, text})
}

func (n named) find(id string) (string, bool) {
	i, ok := n.at[id]
	if !ok {
		return "", false
	}
	return n.parts[i].text, true
}

// order lists the ids that the other list has too.
func (n named) order(other named) string {
	var ids []string
	for _, x := range n.parts {
		if _, ok := other.find(x.id); ok {
			ids = append(ids, x.id)
		}
	}
	return strings.Join(ids, ", ")
}

func (d *differ) text(c Class, field string, before, after named) {
	for _, b := range before.parts {
		a, _ := after.find(b.id)
		d.one(c, field+" "+b.id, b.text, a)
	}
	for _, a := range after.parts {
		if _, ok := before.find(a.id); !ok {
			d.one(c, field+" "+a.id, "", a.text)
		}
	}
	d.one(c, field+": order", before.order(after), after.order(before))
}

func words(list []string) (n named) {
	for _, w := range list {
		n.add(w, w)
	}
	return n
}

func identifiers(p *Protocol) (n named) {
	for _, x := range p.Identifiers {
		n.add(x.Number, join(x.Number, x.Organisation))
	}
	return n
}

func interventions(p *Protocol) (n named) {
	for _, x := range p.Interventions {
		n.add(x.Name, join(x.Name, x.Type, x.Description))
	}
	return n
}

func outcomes(p *Protocol) (n named) {
	for _, o := range p.Outcomes {
		n.add(o.ID, join(o.Level.String(), o.Name, o.Text, o.Timepoint, o.Objective))
	}
	return n
}

func criteria(p *Protocol) (n named) {
	for _, c := range p.Criteria {
		word := "inclusion"
		if c.Exclusion {
			word = "exclusion"
		}
		n.add(c.ID, join(word, c.Text))
	}
	return n
}

func bounds(p *Protocol) (n named) {
	for _, a := range p.Attested {
		n.add(a.Name, join(fmt.Sprintf("%d to %d %s", a.Min, a.Max, a.Unit), only(a.Screening, "after screening")))
	}
	return n
}

func visits(p *Protocol) (n named) {
	for _, v := range p.Visits {
		n.add(v.ID, join(v.Name, v.Timing, v.Window, fmt.Sprintf("dose %t, repeatable %t", v.Dose, v.Repeatable)))
	}
	return n
}

func arms(p *Protocol) (n named) {
	for _, a := range p.Arms {
		n.add(a.ID, join(a.Name, a.Type, a.Description))
	}
	return n
}

func phases(p *Protocol) (n named) {
	for _, a := range p.Phases {
		n.add(a.ID, join(a.Name, a.Description))
	}
	return n
}

func forms(p *Protocol) (n named) {
	for _, f := range p.Forms {
		name := f.ID + " (" + f.Language + ")"
		n.add(name, join(f.Title, only(f.Example, "an example")))
		for _, s := range f.Sections {
			n.add(name+": "+s.part(), s.Text)
		}
		for _, o := range f.Options {
			n.add(name+": option "+o.ID, o.Text)
		}
		for _, q := range f.Questions {
			q.parts(name, &n)
		}
	}
	return n
}

// part names a section by its heading. One that reads like the name of an option
// or a question says that it is none: what binds everybody is no choice.
func (s *Section) part() string {
	switch first, _, _ := strings.Cut(s.Heading, " "); first {
	case "option", "question", "section":
		return "section " + s.Heading
	default:
		return s.Heading
	}
}

func documents(p *Protocol) (n named) {
	for _, d := range p.Documents {
		n.add(d.Kind+" "+d.Title, fmt.Sprintf("%v, %d bytes", d.SHA256, d.Bytes))
	}
	return n
}

func terms(p *Protocol) string {
	t := p.Terms
	return fmt.Sprintf("deadline %d days, answer %d days, grace %d days, recording %d hours", t.DeadlineDays, t.AnswerDays, t.GraceDays, t.RecordingHours)
}

func results(p *Protocol) string {
	return fmt.Sprintf("%d days after the last phase", p.ResultsDueDays)
}

func only(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
