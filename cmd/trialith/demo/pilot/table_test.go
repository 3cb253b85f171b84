package pilot_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/trial/exchange/cdisc"
)

// TestPublished: what is embedded is what was published, byte for byte.
func TestPublished(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ae", "dm", "ex", "adqscibc"} {
		want, err := os.ReadFile(filepath.Join("../../../../../shared/data/pilot", name+".csv"))
		if os.IsNotExist(err) {
			t.Skipf("the pilot's %s.csv is not beside this checkout", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name + ".csv.gz")
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes (%v)", name, err)
		}
		f.Close()
	}
}

// TestTables: rows of the people randomised alone, letter by letter.
func TestTables(t *testing.T) {
	t.Parallel()
	want := map[string][3]int{ // rows, columns, people
		"adqscibc": {730, 36, 236}, "adsl": {254, 48, 254}, "ae": {1191, 35, 225}, "dm": {254, 25, 254}, "ex": {591, 17, 254},
	}
	for _, name := range pilot.Tables {
		table, err := pilot.Table(name)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.Index(table.Columns, "USUBJID")
		people := map[string]bool{}
		for _, row := range table.Cells {
			people[row[at]] = true
		}
		if got := [3]int{len(table.Cells), len(table.Columns), len(people)}; got != want[name] {
			t.Errorf("%s: rows, columns, people %v; want %v", name, got, want[name])
		}
		again, err := cdisc.Read(name, bytes.NewReader(table.CSV()), cdisc.UTF8)
		if err != nil || again.Len() != len(table.Cells) {
			t.Errorf("%s: its CSV does not read as the same table (%v)", name, err)
		}
	}
	if _, err := pilot.Table("../adsl"); err == nil {
		t.Error("a table of no name was found")
	}
}

// TestAdverseEvents: figures counted from the published file by other means.
func TestAdverseEvents(t *testing.T) {
	t.Parallel()
	events, err := pilot.AdverseEvents()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]pilot.Participant{}
	for _, p := range participants(t) {
		byID[p.USUBJID] = p
	}
	var serious, severe int
	emergent, severeEmergent := map[string]int{}, map[string]int{}
	for _, e := range events {
		p := byID[e.USUBJID]
		if e.Serious {
			serious++
		}
		if e.Severity == "SEVERE" {
			severe++
		}
		if !e.Emergent(p.FirstDose) {
			continue
		}
		emergent[p.Arm]++
		if e.Severity == "SEVERE" {
			severeEmergent[p.Arm]++
		}
	}
	if len(events) != 1191 || serious != 3 || severe != 43 {
		t.Errorf("%d events, %d serious, %d severe; want 1191, 3, 43", len(events), serious, severe)
	}
	for arm, want := range map[string][2]int{"Placebo": {281, 6}, "Xanomeline Low Dose": {412, 25}, "Xanomeline High Dose": {433, 10}} {
		if got := [2]int{emergent[arm], severeEmergent[arm]}; got != want {
			t.Errorf("%s: emergent, of them severe %v; want %v", arm, got, want)
		}
	}
}

// TestQueries: the pilot's own flaw, three deaths marked not serious.
func TestQueries(t *testing.T) {
	t.Parallel()
	events, err := pilot.AdverseEvents()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range cdisc.Queries(events) {
		if q.Rule != cdisc.FatalNotSerious || q.Text == "" {
			t.Errorf("%+v", q)
		}
		got = append(got, q.USUBJID)
	}
	if !slices.Equal(got, []string{"01-701-1211", "01-704-1445", "01-710-1083"}) {
		t.Errorf("queries on %v", got)
	}
}

func TestExposuresAndScores(t *testing.T) {
	t.Parallel()
	given, err := pilot.Exposures()
	if err != nil {
		t.Fatal(err)
	}
	people, err := pilot.Demographics()
	if err != nil {
		t.Fatal(err)
	}
	if len(given) != 591 || len(people) != 254 {
		t.Errorf("%d exposures, %d people", len(given), len(people))
	}
	scores, err := pilot.CIBIC()
	if err != nil {
		t.Fatal(err)
	}
	type cell struct{ arm, visit string }
	count := map[cell][3]uint32{} // n, sum, observed
	for _, s := range scores {
		if !s.Analysed || !s.Efficacy {
			continue
		}
		c := count[cell{s.Treatment, s.Visit}]
		c[0], c[1] = c[0]+1, c[1]+s.Value
		if !s.Carried {
			c[2]++
		}
		count[cell{s.Treatment, s.Visit}] = c
	}
	for at, want := range map[cell][3]uint32{
		{"Placebo", "Week 24"}:              {79, 339, 66},
		{"Xanomeline Low Dose", "Week 24"}:  {81, 339, 47},
		{"Xanomeline High Dose", "Week 24"}: {74, 320, 40},
	} {
		if count[at] != want {
			t.Errorf("%v: n, sum, observed %v; want %v", at, count[at], want)
		}
	}
}

// TestArms: exposure runs from first to last dose, in one of three arms.
func TestArms(t *testing.T) {
	t.Parallel()
	arms := map[string]int{}
	days := map[string]int{}
	for _, p := range participants(t) {
		if p.LastDose < p.FirstDose {
			t.Errorf("%s: last dose %v before the first, %v", p.USUBJID, p.LastDose, p.FirstDose)
		}
		arms[p.Arm]++
		days[p.Arm] += int(p.LastDose-p.FirstDose) + 1
	}
	if arms["Placebo"] != 86 || arms["Xanomeline Low Dose"] != 84 || arms["Xanomeline High Dose"] != 84 || len(arms) != 3 {
		t.Errorf("arms %v", arms)
	}
	if days["Placebo"] != 12820 {
		t.Errorf("person-days %v; the placebo arm has 12,820", days)
	}
}
