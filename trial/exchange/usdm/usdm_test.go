package usdm_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/exchange/usdm"
)

var update = flag.Bool("update", false, "rewrite the golden files; read every line that changes")

// samples is where CDISC's published files are, beside the checkout.
const samples = "../../../../shared/data/protocol"

// pilotFile is the pilot study as the demo ships it.
const pilotFile = "../../../cmd/trialith/demo/pilot/CDISC_Pilot_Study.usdm4.json"

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name))
	if os.IsNotExist(err) {
		t.Skipf("the published sample %s is not beside this checkout", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pilot(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(pilotFile)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte) *usdm.Study {
	t.Helper()
	study, err := usdm.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return study
}

// TestPilotGolden holds the whole mapping of the pilot: each registered word.
func TestPilotGolden(t *testing.T) {
	t.Parallel()
	study := decode(t, pilot(t))
	p, lints, err := study.Protocol()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	for _, part := range []any{p, study.Amendments, study.Dates} {
		if err := enc.Encode(part); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range lints {
		fmt.Fprintln(&out, l)
	}
	golden := filepath.Join("testdata", "pilot.golden")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("mapping differs from %s (-want +got):\n%s", golden, diff)
	}
}

// TestPilotFacts states what a reader of the protocol would look for, so that
// a golden file rewritten without reading does not pass.
func TestPilotFacts(t *testing.T) {
	t.Parallel()
	p, lints, err := decode(t, pilot(t)).Protocol()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Criteria) != 31 || len(p.Visits) != 12 || len(p.Phases) != 5 || len(p.Arms) != 3 || len(p.Outcomes) != 11 {
		t.Errorf("criteria, visits, phases, arms, outcomes = %d %d %d %d %d; want 31 12 5 3 11",
			len(p.Criteria), len(p.Visits), len(p.Phases), len(p.Arms), len(p.Outcomes))
	}
	if got := p.Criteria[0].Text; got != "Males and postmenopausal females at least 50 years of age." {
		t.Errorf("the template tag min_age: %q", got)
	}
	if p.Sponsor != "Eli Lilly" || p.SampleSize != 300 || p.Blinding != "Double Blind Study" {
		t.Errorf("sponsor %q, sample size %d, blinding %q", p.Sponsor, p.SampleSize, p.Blinding)
	}
	if o := p.Outcomes[0]; o.Level != trial.Primary || o.Timepoint != "Week 24" || !strings.HasSuffix(o.Text, "[ADAS-Cog (11)] at Week 24") {
		t.Errorf("first outcome: %+v", o)
	}
	const never = "*** To be determined from protocol ***"
	var kept, reported int
	for _, o := range p.Outcomes {
		if o.Text == never {
			kept++
		}
	}
	for _, l := range lints {
		if strings.HasSuffix(l.Text, never) && l.Severity == usdm.SeverityWarning {
			reported++
		}
	}
	if kept != 3 || reported != 3 {
		t.Errorf("placeholders kept %d, reported %d; want 3 and 3", kept, reported)
	}
	slot, found := p.Visit(trial.FirstDose)
	if !found || slot.Name != "Baseline" || !slot.Dose {
		t.Errorf("first dose: %+v", slot)
	}
	if want := (trial.Attribute{Name: "age", Unit: "years", Min: 50, Max: 100}); !cmp.Equal(p.Attested, []trial.Attribute{want}) {
		t.Errorf("attested: %+v", p.Attested)
	}
}

// TestPublishedSamples reads what CDISC itself publishes, empty lists of
// changes and unresolved template tags included.
func TestPublishedSamples(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		file                                  string
		criteria, visits, outcomes, amendment int
		lint                                  string
	}{
		{"CDISC_Pilot_Study.usdm4.json", 31, 12, 11, 1, "placeholder"},
		{"CDISC_Pilot_Study.usdm3.11.json", 31, 12, 11, 1, "placeholder"},
		{"EliLilly_NCT03421379_Diabetes.usdm4.json", 36, 7, 6, 1, "WHO item 11"},
		{"observational.usdm4.json", 5, 6, 3, 4, "max_agexxx"},
	} {
		t.Run(s.file, func(t *testing.T) {
			t.Parallel()
			study := decode(t, sample(t, s.file))
			p, lints, err := study.Protocol()
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Criteria) != s.criteria || len(p.Visits) != s.visits || len(p.Outcomes) != s.outcomes || len(study.Amendments) != s.amendment {
				t.Errorf("criteria, visits, outcomes, amendments = %d %d %d %d; want %d %d %d %d", len(p.Criteria), len(p.Visits),
					len(p.Outcomes), len(study.Amendments), s.criteria, s.visits, s.outcomes, s.amendment)
			}
			if !slices.ContainsFunc(lints, func(l usdm.Lint) bool { return strings.Contains(l.String(), s.lint) }) {
				t.Errorf("no finding names %q", s.lint)
			}
			for _, c := range p.Criteria {
				if strings.Contains(c.Text, "</") || strings.Contains(c.Text, "usdm:") {
					t.Errorf("markup is left in %s: %q", c.ID, c.Text)
				}
			}
		})
	}
}

// TestV3EqualsV4 compares CDISC's pilot in the two versions of the model.
func TestV3EqualsV4(t *testing.T) {
	t.Parallel()
	four, _, err := decode(t, sample(t, "CDISC_Pilot_Study.usdm4.json")).Protocol()
	if err != nil {
		t.Fatal(err)
	}
	three, _, err := decode(t, sample(t, "CDISC_Pilot_Study.usdm3.11.json")).Protocol()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(four, three); diff != "" {
		t.Errorf("v3.11 and v4.0 map to different protocols:\n%s", diff)
	}
}

func TestShippedPilotIsCDISCs(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(pilot(t), sample(t, "CDISC_Pilot_Study.usdm4.json")) {
		t.Error("the shipped pilot differs from the published file")
	}
}

// TestBundleWithComments refuses HL7's exemplar, which is JavaScript, not JSON.
func TestBundleWithComments(t *testing.T) {
	t.Parallel()
	_, err := usdm.Decode(bytes.NewReader(sample(t, "HL7-udp-Exemplar001-Bundle.json")))
	if err == nil || !strings.Contains(err.Error(), "starts with a comment") {
		t.Errorf("got %v", err)
	}
}
