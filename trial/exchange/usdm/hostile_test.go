package usdm_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial/exchange/usdm"
)

// change decodes the pilot as loose JSON, lets f alter it and encodes it again.
func change(t *testing.T, f func(study, version, design map[string]any)) []byte {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(pilot(t), &file); err != nil {
		t.Fatal(err)
	}
	study := file["study"].(map[string]any)
	version := at(study, "versions", 0)
	f(study, version, at(version, "studyDesigns", 0))
	out, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func at(n map[string]any, list string, i int) map[string]any {
	return n[list].([]any)[i].(map[string]any)
}

type object = map[string]any

// TestRefusals alters one field of a good file; the error must name it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		change     func(study, version, design object)
	}{
		{"name of the wrong type", "study.name: a number where a string is expected", func(s, _, _ object) { s["name"] = 7 }},
		{"list of the wrong type", "study.versions[0].titles: a object where a list is expected", func(_, v, _ object) { v["titles"] = object{} }},
		{"item of the wrong type", "study.versions[0].titles[0]: a string where an object is expected", func(_, v, _ object) { v["titles"] = []any{"LZZT"} }},
		{"no version", "study.versions: the field is absent or empty", func(s, _, _ object) { s["versions"] = []any{} }},
		{"no design", "study.versions[0].studyDesigns: the field is absent or empty", func(_, v, _ object) { delete(v, "studyDesigns") }},
		{"no titles", "study.versions[0].titles: the field is absent or empty", func(_, v, _ object) { v["titles"] = nil }},
		{"no arms", "studyDesigns[0].arms: the field is absent or empty", func(_, _, d object) { d["arms"] = nil }},
		{"endpoint without text", "objectives[0].endpoints[1].text: the field is absent or empty", func(_, _, d object) {
			at(at(d, "objectives", 0), "endpoints", 1)["text"] = ""
		}},
		{"epochs in a ring", "epochs[0].previousId: the list runs in a ring", func(_, _, d object) {
			at(d, "epochs", 0)["previousId"] = "StudyEpoch_5"
			at(d, "epochs", 4)["nextId"] = "StudyEpoch_1"
		}},
		{"encounters with a ring beside the chain", "the others run in a ring", func(_, _, d object) {
			at(d, "encounters", 9)["nextId"] = nil
			at(d, "encounters", 10)["previousId"] = "Encounter_12"
			at(d, "encounters", 11)["nextId"] = "Encounter_11"
		}},
		{"encounters that disagree", "encounters[2].previousId: disagrees", func(_, _, d object) { at(d, "encounters", 2)["previousId"] = "Encounter_1" }},
		{"next leads outside", `epochs[1].nextId: no object of the same list has the id "Encounter_1"`, func(_, _, d object) {
			at(d, "epochs", 1)["nextId"] = "Encounter_1"
		}},
		{"two beginnings", "epochs[1].previousId: a second beginning beside", func(_, _, d object) {
			at(d, "epochs", 0)["nextId"] = nil
			at(d, "epochs", 1)["previousId"] = nil
		}},
		{"two amendments after one", "amendments[2].previousId: disagrees", func(_, v, _ object) {
			v["amendments"] = append(v["amendments"].([]any), object{"id": "A", "number": "2", "previousId": "StudyAmendment_1"}, object{"id": "B", "number": "3", "previousId": "StudyAmendment_1"})
		}},
		{"timing that rests on itself", "the timing rests on itself", func(_, _, d object) {
			at(at(d, "scheduleTimelines", 0), "timings", 3)["relativeToScheduledInstanceId"] = "ScheduledActivityInstance_12"
		}},
		{"id used twice", `"StudyArm_1" is also the id of another object`, func(_, _, d object) { at(d, "arms", 1)["id"] = "StudyArm_1" }},
		{"date that is none", `"2006-06-31" is not a date; write it as YYYY-MM-DD`, func(_, v, _ object) {
			at(v, "dateValues", 0)["dateValue"] = "2006-06-31"
		}},
		{"unknown organisation", `studyIdentifiers[0].scopeId: no organization has the id "Nobody"`, func(_, v, _ object) {
			at(v, "studyIdentifiers", 0)["scopeId"] = "Nobody"
		}},
		{"tags that unfold", "template tags may unfold without end", func(_, v, _ object) {
			many := strings.Repeat(`<usdm:tag name="a"/>`, 500)
			at(v, "dictionaries", 0)["parameterMaps"] = []any{object{"id": "p", "tag": "a", "reference": many}}
			at(v, "eligibilityCriterionItems", 0)["text"] = many
		}},
		{"long list", "arms: 5001 entries; at most 5000", func(_, _, d object) {
			arms := make([]any, 5001)
			for i := range arms {
				arms[i] = object{}
			}
			d["arms"] = arms
		}},
		{"criterion without words", `eligibilityCriteria[0].criterionItemId: no eligibility criterion item`, func(_, _, d object) {
			at(d, "eligibilityCriteria", 0)["criterionItemId"] = "StudyArm_1"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := usdm.Decode(bytes.NewReader(change(t, c.change)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant an error with %q", err, c.want)
			}
		})
	}
}

// TestControl shows that the way TestRefusals alters files is itself harmless.
func TestControl(t *testing.T) {
	t.Parallel()
	if _, err := usdm.Decode(bytes.NewReader(change(t, func(_, _, _ object) {}))); err != nil {
		t.Error(err)
	}
}

func TestRefusesBytes(t *testing.T) {
	t.Parallel()
	whole := pilot(t)
	deep := strings.Repeat(`{"study":`, 200) + "1" + strings.Repeat("}", 200)
	for name, c := range map[string]struct{ file, want string }{
		"empty":             {"", "file: the file ends here"},
		"cut short":         {string(whole[:len(whole)/2]), "it was cut short"},
		"deep":              {deep, "nested deeper than 48 levels"},
		"too large":         {`{"study":"` + strings.Repeat("x", 10<<20) + `"}`, "more than 8388608 bytes"},
		"too many values":   {"[" + strings.Repeat("0,", 500_000) + "0]", "more than 400000 values"},
		"field twice":       {`{"study":{"name":"a","name":"b"}}`, "study.name: the field is there twice"},
		"second document":   {`{"usdmVersion":"4.0.0","study":{}}{}`, "bytes after the end"},
		"not UTF-8":         {"{\"study\":\"\xff\"}", "not UTF-8"},
		"list":              {`[]`, "file: a list where an object is expected"},
		"no version":        {`{"study":{}}`, "usdmVersion: the field is absent"},
		"unread version":    {`{"usdmVersion":"2.0","study":{}}`, `usdmVersion: "2.0" is not read here`},
		"no study":          {`{"usdmVersion":"4.0.0"}`, "study: the field is absent"},
		"comma at the end":  {`{"study":{},}`, "not JSON at line 1"},
		"number for a list": {`{"usdmVersion":"4.0.0","study":{"name":"x","versions":3}}`, "study.versions: a number where a list is expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := usdm.Decode(strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant an error with %q", err, c.want)
			}
		})
	}
}

// TestTolerates alters what authors leave unfinished: the study is still read,
// and each finding is reported where it stands.
func TestTolerates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		change     func(study, version, design object)
	}{
		{"amendment without changes", "", func(_, v, _ object) { at(v, "amendments", 0)["changes"] = []any{} }},
		{"unknown template tag", `eligibilityCriterionItems[0].text: the template tag "nobody" has no entry`, func(_, v, _ object) {
			at(v, "eligibilityCriterionItems", 0)["text"] = `<p>At <usdm:tag name="nobody"/> years.</p>`
		}},
		{"template tag that leads to itself", `leads to itself`, func(_, v, _ object) {
			at(at(v, "dictionaries", 0), "parameterMaps", 0)["reference"] = `<usdm:tag name="min_age"/>`
		}},
		{"reference to nothing", `no Quantity has the id "Quantity_999"`, func(_, v, _ object) {
			at(at(v, "dictionaries", 0), "parameterMaps", 0)["reference"] = `<usdm:ref klass="Quantity" id="Quantity_999" attribute="value"></usdm:ref>`
		}},
		{"duration of no fixed length", `timings[3]: the value "P1M" is not a duration of fixed length`, func(_, _, d object) {
			at(at(d, "scheduleTimelines", 0), "timings", 3)["value"] = "P1M"
		}},
		{"no population", "population: the file has no planned population", func(_, _, d object) { d["population"] = nil }},
		{"no interventions", "the file does not hold the interventions", func(_, v, _ object) { v["studyInterventions"] = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			study, err := usdm.Decode(bytes.NewReader(change(t, c.change)))
			if err != nil {
				t.Fatal(err)
			}
			_, lints, err := study.Protocol()
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprint(lints); !strings.Contains(text, c.want) {
				t.Errorf("no finding with %q in\n%v", c.want, text)
			}
		})
	}
}

// TestArmsOfOneName cannot be mapped: an arm's id on the ledger is its name.
func TestArmsOfOneName(t *testing.T) {
	t.Parallel()
	study, err := usdm.Decode(bytes.NewReader(change(t, func(_, _, d object) { at(d, "arms", 1)["name"] = "Placebo" })))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := study.Protocol(); err == nil || !strings.Contains(err.Error(), `arms: entry 2: the id "placebo"`) {
		t.Errorf("got %v", err)
	}
}

// FuzzDecode looks for input that makes the reader panic, or that it maps
// although a field of it is longer than the file.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"usdmVersion":"4.0.0","study":{"name":"x","versions":[{"id":"v","versionIdentifier":"1","titles":[{"text":"T"}],"studyDesigns":[{"id":"d","arms":[{"id":"a","name":"A"}]}]}]}}`))
	f.Add([]byte(`{"usdmVersion":"4.0.0","study":{"name":"x","versions":[{"studyDesigns":[{"epochs":[{"id":"a","nextId":"b"},{"id":"b","nextId":"a"}]}]}]}}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		study, err := usdm.Decode(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "usdm: ") {
				t.Errorf("an error without its place: %v", err)
			}
			return
		}
		p, _, err := study.Protocol()
		if err == nil && len(p.Title) > len(data) {
			t.Errorf("a title of %d bytes out of %d", len(p.Title), len(data))
		}
	})
}
