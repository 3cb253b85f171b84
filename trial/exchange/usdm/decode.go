package usdm

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Decode reads one study definition. An error names the field and the rule; a
// study that decodes may still carry lints, see Study.Lints.
func Decode(r io.Reader) (*Study, error) {
	root, err := parse(r)
	if err != nil {
		return nil, err
	}
	d := decoder{reader: reader{byID: map[string]*node{}}, study: &Study{}, dictionaries: map[string]map[string]string{}}
	if err := d.index(root); err != nil {
		return nil, err
	}
	if err := d.file(root); err != nil {
		return nil, err
	}
	d.study.lints = append(d.study.lints, d.lints...)
	return d.study, nil
}

// decoder fills a Study from the nodes of one file.
type decoder struct {
	reader
	study *Study
	lints []Lint

	version *node // the StudyVersion that is mapped
	design  *node // its study design

	prose        int                          // bytes of text made plain so far
	dictionaries map[string]map[string]string // dictionary id → tag → markup
}

func (d *decoder) file(root *node) error {
	d.study.Model = d.need(root, "usdmVersion")
	if d.err == nil && !strings.HasPrefix(d.study.Model, "4.") && !strings.HasPrefix(d.study.Model, "3.11") {
		return fmt.Errorf("usdm: usdmVersion: %q is not read here; convert the definition to USDM 4.0", d.study.Model)
	}
	study := d.object(root, "study")
	if study == nil {
		d.absent(root, "study")
		return d.err
	}
	d.study.Name = d.need(study, "name")
	d.version = d.only(study, "versions")
	d.design = d.only(d.version, "studyDesigns")
	if d.err != nil {
		return d.err
	}
	for _, step := range []func(){
		d.identity, d.organizations, d.kind, d.interventions, d.arms, d.epochs, d.visits,
		d.objectives, d.criteria, d.population, d.amendments, func() { d.dates(study) },
	} {
		if step(); d.err != nil {
			return d.err
		}
	}
	return nil
}

// only returns the first object of a list. A Study is one version and one
// design; further ones are named, not mixed in.
func (d *decoder) only(n *node, name string) *node {
	items := d.list(n, name)
	if len(items) == 0 {
		if n != nil {
			d.absent(n, name)
		}
		return nil
	}
	if len(items) > 1 {
		d.warn(items[1], fmt.Sprintf("%d entries; only the first is read", len(items)), "send one file for each")
	}
	return items[0]
}

func (d *decoder) identity() {
	s := d.study
	s.Version = d.need(d.version, "versionIdentifier")
	s.Why = d.words(d.version, "rationale")
	for _, t := range d.list(d.version, "titles") {
		s.Titles = append(s.Titles, Title{Type: d.code(t, "type").Words, Text: d.needWords(t, "text")})
	}
	if len(s.Titles) == 0 {
		d.absent(d.version, "titles")
	}
}

func (d *decoder) organizations() {
	s := d.study
	byID := map[string]Organization{}
	for _, n := range d.list(d.version, "organizations") {
		o := Organization{
			ID: d.need(n, "id"), Name: d.need(n, "name"), Label: d.text(n, "label"), Type: d.code(n, "type").Words,
			Scheme: d.text(n, "identifierScheme"), Identifier: d.text(n, "identifier"),
		}
		if address := d.object(n, "legalAddress"); address != nil {
			o.Country = d.code(address, "country").Words
		}
		for _, site := range d.list(n, "managedSites") {
			if c := d.code(site, "country"); c.Code != "" && !slices.Contains(s.Countries, c) {
				s.Countries = append(s.Countries, c)
			}
		}
		byID[o.ID] = o
		s.Organizations = append(s.Organizations, o)
	}
	for _, n := range d.list(d.version, "studyIdentifiers") {
		id := Identifier{Text: d.need(n, "text")}
		scope := d.need(n, "scopeId")
		o, known := byID[scope]
		if !known && d.err == nil {
			d.fail(n.fields["scopeId"], "no organization has the id %q", scope)
		}
		id.Organization = o
		s.Identifiers = append(s.Identifiers, id)
	}
	s.Sponsor = d.sponsor(byID)
}

// sponsor is the organisation in the role of sponsor; failing that, the one
// that gave a sponsor's identifier. The type alone does not tell: CDISC's
// pilot types a hospital as "Clinical Study Sponsor".
func (d *decoder) sponsor(byID map[string]Organization) Organization {
	for _, role := range d.list(d.version, "roles") {
		if !strings.EqualFold(d.code(role, "code").Words, "Sponsor") && !strings.EqualFold(d.code(role, "code").Words, "Clinical Study Sponsor") {
			continue
		}
		for _, id := range d.ids(role, "organizationIds") {
			if o, known := byID[id]; known {
				return o
			}
		}
	}
	for _, id := range d.study.Identifiers {
		if id.Organization.Type == "Clinical Study Sponsor" {
			return id.Organization
		}
	}
	return Organization{}
}

func (d *decoder) kind() {
	s := d.study
	s.Type = d.code(d.design, "studyType")
	s.Phase = d.code(d.design, "studyPhase")
	s.Design = d.code(d.design, "model")
	s.Blinding = d.code(d.design, "blindingSchema")
	s.Intents = d.codes(d.design, "intentTypes")
	for _, n := range d.list(d.design, "indications") {
		c := Condition{Name: d.words(n, "label"), Codes: d.codes(n, "codes")}
		if c.Name == "" {
			c.Name = d.words(n, "description")
		}
		if c.Name == "" {
			c.Name = d.need(n, "name")
		}
		s.Conditions = append(s.Conditions, c)
	}
}

func (d *decoder) interventions() {
	for _, n := range d.list(d.version, "studyInterventions") {
		i := Intervention{
			Name: d.need(n, "name"), Label: d.words(n, "label"), Description: d.words(n, "description"),
			Role: d.code(n, "role").Words, Type: d.code(n, "type").Words,
		}
		for _, a := range d.list(n, "administrations") {
			i.Administrations = append(i.Administrations, Administration{
				Name: d.need(a, "name"), Description: d.words(a, "description"), Dose: d.quantity(a, "dose"),
				Route: d.code(a, "route").Words, Frequency: d.code(a, "frequency").Words,
			})
		}
		d.study.Interventions = append(d.study.Interventions, i)
	}
}

func (d *decoder) arms() {
	for _, n := range d.list(d.design, "arms") {
		d.study.Arms = append(d.study.Arms, Arm{
			ID: d.need(n, "id"), Name: d.need(n, "name"), Label: d.words(n, "label"),
			Description: d.words(n, "description"), Type: d.code(n, "type"),
		})
	}
	if len(d.study.Arms) == 0 {
		d.absent(d.design, "arms")
	}
}

func (d *decoder) epochs() {
	nodes, err := d.chain(d.list(d.design, "epochs"))
	if err != nil {
		d.keep(err)
		return
	}
	for _, n := range nodes {
		d.study.Epochs = append(d.study.Epochs, Epoch{
			ID: d.need(n, "id"), Name: d.need(n, "name"), Label: d.words(n, "label"),
			Description: d.words(n, "description"), Type: d.code(n, "type"),
		})
	}
}

func (d *decoder) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}
