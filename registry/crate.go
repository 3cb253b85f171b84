package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/trialith/trialith/trial"
)

// entity is one of a crate's graph: a JSON-LD object. Its keys are sorted when
// it is written.
type entity map[string]any

func ref(id string) entity { return entity{"@id": id} }

// crateVersion is the RO-Crate specification that the package follows.
const crateVersion = "https://w3id.org/ro/crate/1.2"

// described says what a file is: its name, and its media type.
var described = map[string][2]string{
	filePlan:     {"Analysis plan", "text/markdown"},
	fileProtocol: {"Registered definition of the trial, readable", "application/json"},
	fileWire:     {"Registered definition of the trial, the bytes on the ledger", "application/cbor"},
	fileStudy:    {"The trial as a FHIR R5 ResearchStudy", "application/fhir+json"},
	fileSummary:  {"Summary for lay readers", "text/markdown"},
}

// describe adds the crate's metadata and its preview.
func (in *Input) describe(files []File, tables map[string]table) ([]File, error) {
	files = slices.SortedFunc(slices.Values(files), byPath)
	root := entity{
		"@id": "./", "@type": "Dataset", "name": "Results: " + in.Protocol.Title, "description": in.description(),
		"datePublished": in.Staged.String(), "temporalCoverage": "../" + in.Cut.String(), "license": ref(in.License.URL),
		"identifier": in.study().oid(), "version": in.Version.String(),
	}
	if in.Replaces != "" {
		root["isBasedOn"] = ref("ipfs://" + in.Replaces)
	}
	graph := []entity{
		{"@id": fileCrate, "@type": "CreativeWork", "about": ref("./"), "conformsTo": ref(crateVersion)},
		root,
	}
	parts := []entity{ref(filePreview)}
	described := []entity{{"@id": filePreview, "@type": "CreativeWork", "about": ref("./"), "encodingFormat": "text/html", "name": "What is in this package"}}
	for _, f := range files {
		name, media := describeFile(f.Path, tables)
		parts = append(parts, ref(f.Path))
		described = append(described, entity{
			"@id": f.Path, "@type": "File", "name": name, "encodingFormat": media, "contentSize": strconv.Itoa(len(f.Data)),
		})
	}
	root["hasPart"] = parts
	graph = append(graph, described...)
	graph = append(graph, entity{"@id": in.License.URL, "@type": "CreativeWork", "name": in.License.Name})
	if in.Protocol.Sponsor != "" {
		root["publisher"] = ref("#sponsor")
		graph = append(graph, entity{"@id": "#sponsor", "@type": "Organization", "name": in.Protocol.Sponsor})
	}
	metadata, err := encodeJSON(entity{"@context": crateVersion + "/context", "@graph": graph})
	if err != nil {
		return nil, err
	}
	preview, err := encodePreview(metadata)
	return append(files, File{fileCrate, metadata}, File{filePreview, preview}), err
}

func (in *Input) description() string {
	missing := 0
	for _, row := range in.outcomes().rows {
		if row[5] == statusMissing {
			missing++
		}
	}
	s := fmt.Sprintf("Results of a clinical trial at the data cut of %v, by its definition in version %v on the ledger %v. %d of %d registered outcomes are missing.",
		in.Cut, in.Version, in.Ledger, missing, len(in.Protocol.Outcomes))
	return s + " It holds aggregate tables only, no data of a person."
}

func describeFile(path string, tables map[string]table) (name, media string) {
	if d, ok := described[path]; ok {
		return d[0], d[1]
	}
	base, ending, _ := strings.Cut(path, ".")
	switch t := tables[base]; ending {
	case "json":
		return t.title + " (CDISC Dataset-JSON 1.1)", "application/json"
	case "csv":
		return t.title + " (CSV)", "text/csv"
	default:
		return t.title, "text/html"
	}
}

var previewPage = template.Must(template.New("preview").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Name}}</title>
</head>
<body>
<h1>{{.Name}}</h1>
<p>{{.Description}}</p>
<ul>
{{range .Files}}<li><a href="{{.Path}}">{{.Name}}</a></li>
{{end}}</ul>
</body>
</html>
`))

// encodePreview is the page that RO-Crate asks for beside its metadata, made of
// them alone.
func encodePreview(metadata []byte) ([]byte, error) {
	var doc struct {
		Graph []struct {
			ID          string `json:"@id"`
			Type        string `json:"@type"`
			Name        string `json:"name"`
			Description string `json:"description"`
		} `json:"@graph"`
	}
	if err := json.Unmarshal(metadata, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", fileCrate, err)
	}
	type link struct{ Path, Name string }
	var data struct {
		Name, Description string
		Files             []link
	}
	for _, e := range doc.Graph {
		switch {
		case e.ID == "./":
			data.Name, data.Description = e.Name, e.Description
		case e.Type == "File":
			data.Files = append(data.Files, link{e.ID, e.Name})
		}
	}
	if data.Name == "" {
		return nil, errors.New(fileCrate + ": no root data set")
	}
	var b bytes.Buffer
	err := previewPage.Execute(&b, data)
	return b.Bytes(), err
}

// researchStudy is the trial as a FHIR R5 ResearchStudy.
func (in *Input) researchStudy() entity {
	p := &in.Protocol
	s := entity{
		"resourceType": "ResearchStudy", "id": in.Trial.String(), "url": in.study().oid(), "version": in.Version.String(),
		"title": p.Title, "status": "active", "date": in.Staged.String(),
	}
	set := func(key, value string) {
		if value != "" {
			s[key] = value
		}
	}
	set("name", p.Acronym)
	set("descriptionSummary", p.Summary)
	list := func(key string, values []entity) {
		if len(values) > 0 {
			s[key] = values
		}
	}
	var identifiers, conditions, regions, groups, outcomes []entity
	for _, i := range p.Identifiers {
		identifiers = append(identifiers, compact(entity{"value": i.Number, "assigner": compact(entity{"display": i.Organisation})}))
	}
	for _, c := range p.Conditions {
		conditions = append(conditions, entity{"text": c})
	}
	for _, c := range p.Countries {
		regions = append(regions, coded("urn:iso:std:iso:3166", c))
	}
	for i, a := range p.Arms {
		groups = append(groups, compact(entity{"linkId": "arm-" + strconv.Itoa(i+1), "name": a.Name, "description": a.Description}))
	}
	for i := range p.Outcomes {
		outcomes = append(outcomes, measure(&p.Outcomes[i]))
	}
	list("identifier", identifiers)
	list("condition", conditions)
	list("region", regions)
	list("comparisonGroup", groups)
	list("outcomeMeasure", outcomes)
	if p.Phase != "" {
		s["phase"] = entity{"text": p.Phase}
	}
	if p.Sponsor != "" {
		s["associatedParty"] = []entity{{
			"name": p.Sponsor, "role": coded("http://hl7.org/fhir/research-study-party-role", "lead-sponsor"),
		}}
	}
	recruitment := entity{"actualNumber": in.participants()}
	if p.SampleSize > 0 {
		recruitment["targetNumber"] = p.SampleSize
	}
	s["recruitment"] = recruitment
	return s
}

func (in *Input) participants() (n int) {
	for _, a := range in.Arms {
		n += a.Participants
	}
	return n
}

func measure(o *trial.Outcome) entity {
	e := compact(entity{"name": o.Name, "description": o.Text})
	e["type"] = []entity{coded("http://hl7.org/fhir/research-study-objective-type", o.Level.String())}
	return e
}

func coded(system, code string) entity {
	return entity{"coding": []entity{{"system": system, "code": code}}}
}

// compact leaves out what is empty: FHIR allows no empty value.
func compact(e entity) entity {
	for k, v := range e {
		if v == "" {
			delete(e, k)
		}
		if inner, ok := v.(entity); ok && len(inner) == 0 {
			delete(e, k)
		}
	}
	return e
}
