package usdm

import (
	"slices"
	"strings"
	"time"

	"github.com/trialith/trialith/trial"
)

func (d *decoder) objectives() {
	for _, n := range d.list(d.design, "objectives") {
		o := Objective{ID: d.need(n, "id"), Name: d.need(n, "name"), Text: d.needWords(n, "text"), Level: d.level(n)}
		for _, e := range d.list(n, "endpoints") {
			o.Endpoints = append(o.Endpoints, d.endpoint(e))
		}
		if len(o.Endpoints) == 0 {
			d.warn(n, "the objective has no endpoint", "name what will be measured to answer it")
		}
		d.study.Objectives = append(d.study.Objectives, o)
	}
}

func (d *decoder) endpoint(n *node) Endpoint {
	e := Endpoint{
		ID: d.need(n, "id"), Name: d.need(n, "name"), Text: d.needWords(n, "text"),
		Purpose: d.words(n, "purpose"), Level: d.level(n), path: n.path(),
	}
	if text := n.fields["text"]; text != nil && isPlaceholder(e.Text) {
		e.Placeholder = true
		d.warn(text, "the text is a placeholder: "+e.Text, "name the measure, its scale and its time frame before registering")
	}
	return e
}

func (d *decoder) level(n *node) trial.Level {
	words := d.code(n, "level").Words
	switch first, _, _ := strings.Cut(strings.ToLower(words), " "); first {
	case "primary":
		return trial.Primary
	case "secondary":
		return trial.Secondary
	case "exploratory":
		return trial.Exploratory
	}
	d.warn(&node{parent: n, key: "level"}, "the level is "+quoted(words), "say primary, secondary or exploratory")
	return 0
}

// criteria reads the eligibility criteria in the order of the file: CDISC's
// own files leave previousId and nextId empty here.
func (d *decoder) criteria() {
	nodes, err := d.chain(d.list(d.design, "eligibilityCriteria"))
	if err != nil {
		d.keep(err)
		return
	}
	for _, n := range nodes {
		d.study.Criteria = append(d.study.Criteria, d.criterion(n))
	}
}

func (d *decoder) criterion(n *node) Criterion {
	c := Criterion{
		ID: d.need(n, "id"), Name: d.need(n, "name"), Label: d.words(n, "label"), Identifier: d.text(n, "identifier"),
	}
	category := d.code(n, "category").Words
	c.Inclusion = strings.HasPrefix(strings.ToLower(category), "inclusion")
	if !c.Inclusion && !strings.HasPrefix(strings.ToLower(category), "exclusion") {
		d.fail(&node{parent: n, key: "category"}, "%q is neither inclusion nor exclusion", category)
	}
	id := d.need(n, "criterionItemId")
	item := d.byID[id]
	if item == nil || class(item) != "EligibilityCriterionItem" {
		if d.err == nil {
			d.fail(n.fields["criterionItemId"], "no eligibility criterion item has the id %q", id)
		}
		return c
	}
	c.Text = d.needWords(item, "text")
	if isPlaceholder(c.Text) {
		d.warn(item.fields["text"], "the text is a placeholder: "+c.Text, "write the criterion in words")
	}
	return c
}

func (d *decoder) population() {
	n := d.object(d.design, "population")
	if n == nil {
		d.warn(&node{parent: d.design, key: "population"}, "the file has no planned population", "state whom the study plans to enrol")
		return
	}
	p := &d.study.Population
	p.Description = d.words(n, "description")
	p.Healthy = d.flag(n, "includesHealthySubjects")
	p.Enrolment = d.planned(n, "plannedEnrollmentNumber")
	p.Completion = d.planned(n, "plannedCompletionNumber")
	for _, c := range d.codes(n, "plannedSex") {
		p.Sex = append(p.Sex, c.Words)
	}
	p.MinAge, p.MaxAge = d.ages(n)
	for _, c := range d.list(n, "cohorts") {
		cohort := Cohort{Name: d.need(c, "name"), Label: d.words(c, "label"), Enrolment: d.planned(c, "plannedEnrollmentNumber")}
		cohort.MinAge, cohort.MaxAge = d.ages(c)
		p.Cohorts = append(p.Cohorts, cohort)
	}
}

// planned reads a planned number: a Quantity, a Range of which the upper end
// is the plan, or v3.11's two fields for the two.
func (d *decoder) planned(n *node, name string) *Quantity {
	if q := n.fields[name+"Quantity"]; q != nil && q.kind != kindNull {
		return d.quantity(n, name+"Quantity")
	}
	if r := n.fields[name+"Range"]; r != nil && r.kind != kindNull {
		return d.quantity(d.object(n, name+"Range"), "maxValue")
	}
	if field := d.object(n, name); field != nil && field.fields["maxValue"] != nil {
		return d.quantity(field, "maxValue")
	}
	return d.quantity(n, name)
}

func (d *decoder) ages(n *node) (low, high *Quantity) {
	r := d.object(n, "plannedAge")
	if r == nil {
		return nil, nil
	}
	return d.quantity(r, "minValue"), d.quantity(r, "maxValue")
}

// amendments reads them from the oldest to the newest. An amendment without
// changes is common in the field and is kept.
func (d *decoder) amendments() {
	nodes, err := d.chain(d.list(d.version, "amendments"))
	if err != nil {
		d.keep(err)
		return
	}
	for _, n := range nodes {
		a := Amendment{
			ID: d.need(n, "id"), Name: d.text(n, "name"), Number: d.need(n, "number"), Summary: d.words(n, "summary"),
			Reasons: d.reasons(n), Changes: d.changes(n),
		}
		for _, impact := range d.list(n, "impacts") {
			a.Substantial = a.Substantial || d.flag(impact, "isSubstantial")
		}
		for _, date := range d.list(n, "dateValues") {
			a.Date = d.date(date).Value
		}
		d.study.Amendments = append(d.study.Amendments, a)
	}
}

func (d *decoder) reasons(n *node) []string {
	var out []string
	add := func(reason *node) {
		words := d.code(reason, "code").Words
		if other := d.words(reason, "otherReason"); other != "" {
			words += ": " + other
		}
		out = append(out, words)
	}
	if primary := d.object(n, "primaryReason"); primary != nil {
		add(primary)
	}
	for _, reason := range d.list(n, "secondaryReasons") {
		add(reason)
	}
	return out
}

func (d *decoder) changes(n *node) []Change {
	var out []Change
	for _, c := range d.list(n, "changes") {
		change := Change{Summary: d.words(c, "summary"), Rationale: d.words(c, "rationale")}
		for _, s := range d.list(c, "changedSections") {
			change.Sections = append(change.Sections, strings.TrimSpace(d.text(s, "sectionNumber")+" "+d.words(s, "sectionTitle")))
		}
		out = append(out, change)
	}
	return out
}

// dates reads the governance dates of the version and of its documents, each
// once: a file may repeat one under a second id.
func (d *decoder) dates(study *node) {
	lists := [][]*node{d.list(d.version, "dateValues")}
	for _, document := range d.list(study, "documentedBy") {
		for _, version := range d.list(document, "versions") {
			lists = append(lists, d.list(version, "dateValues"))
		}
	}
	for _, n := range slices.Concat(lists...) {
		date := d.date(n)
		if !slices.ContainsFunc(d.study.Dates, date.equal) {
			d.study.Dates = append(d.study.Dates, date)
		}
	}
}

func (d *decoder) date(n *node) Date {
	out := Date{Name: d.text(n, "name"), Type: d.code(n, "type").Words, Value: d.need(n, "dateValue")}
	if _, err := time.Parse(time.DateOnly, out.Value); err != nil && d.err == nil {
		d.fail(n.fields["dateValue"], "%q is not a date; write it as YYYY-MM-DD", out.Value)
	}
	for _, s := range d.list(n, "geographicScopes") {
		words := d.code(s, "code").Words
		if words == "" {
			words = d.code(s, "type").Words
		}
		out.Scopes = append(out.Scopes, words)
	}
	return out
}
