package analysis

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestEmergent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event, treatment string
		want             bool
	}{
		{"2013-05-03", "2013-05-03", true},
		{"2013-05-02", "2013-05-03", false},
		{"2013-05", "2013-05-03", true},
		{"2013-04", "2013-05-03", false},
		{"2013", "2013-05-03", true},
		{"1977", "2013-05-03", false},
		{"", "2013-05-03", false},
		{"2013-05-03", "", false},
	} {
		if got := Emergent(c.event, c.treatment); got != c.want {
			t.Errorf("%s against %s: %v", c.event, c.treatment, got)
		}
	}
}

func TestMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    Mean
		want string
	}{
		{Mean{}, ""},
		{Mean{3, 10}, "3.33"},
		{Mean{3, 11}, "3.67"},
		{Mean{8, 1}, "0.13"}, // 0.125: halves away from zero
		{Mean{8, -1}, "-0.13"},
		{Mean{1000, -1}, "0.00"},
		{Mean{1, 4}, "4.00"},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("%+v: %s; want %s", c.m, got, c.want)
		}
	}
}

// rows reads a file of the pilot study, or skips.
func rows(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../shared/data/pilot", name))
	if err != nil {
		t.Skip("the pilot study's data are not here: ", err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, column := range all[0] {
			row[column] = line[i]
		}
		out = append(out, row)
	}
	return out
}

var arms = []string{"Placebo", "Xanomeline Low Dose", "Xanomeline High Dose"}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestPilotEvents: the counts of the pilot study were also made by another
// program, from the same rows.
func TestPilotEvents(t *testing.T) {
	t.Parallel()
	var subjects []Subject
	for _, r := range rows(t, "adsl.csv") {
		start := time.Date(1960, 1, 1+number(t, r["TRTSDT"]), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		subjects = append(subjects, Subject{ID: r["USUBJID"], Arm: r["TRT01P"], Start: start})
	}
	var events []Event
	for _, r := range rows(t, "ae.csv") {
		events = append(events, Event{
			Subject: r["USUBJID"], Start: r["AESTDTC"], System: r["AEBODSYS"], Severity: r["AESEV"],
			Serious: r["AESER"] == "Y", Fatal: r["AESDTH"] == "Y",
		})
	}
	table := EventsByArm(arms, subjects, events)
	if n := len(events); n != 1191 || table.Unknown != 0 || table.Undated != 0 {
		t.Errorf("%d events, %+v", n, table)
	}
	emergent := table.NotEmergent
	for i, want := range []ArmEvents{
		{Participants: 86, Any: Count{65, 281}, Serious: Count{0, 0}, Fatal: Count{2, 2}, BySeverity: []Count{2: {5, 6}}},
		{Participants: 84, Any: Count{77, 412}, Serious: Count{1, 1}, Fatal: Count{1, 1}, BySeverity: []Count{2: {16, 25}}},
		{Participants: 84, Any: Count{76, 433}, Serious: Count{2, 2}, Fatal: Count{0, 0}, BySeverity: []Count{2: {8, 10}}},
	} {
		got := table.Arms[i]
		emergent += got.Any.Events
		if got.Participants != want.Participants || got.Any != want.Any || got.Serious != want.Serious || got.Fatal != want.Fatal ||
			got.BySeverity[2] != want.BySeverity[2] {
			t.Errorf("%s: %+v; want %+v", arms[i], got, want)
		}
	}
	if emergent != len(events) {
		t.Errorf("%d events in the table and beside it, of %d", emergent, len(events))
	}
	for i := range arms {
		sum := 0
		for _, s := range table.Systems {
			sum += s.Arms[i].Events
		}
		if sum != table.Arms[i].Any.Events {
			t.Errorf("%s: %d events by body system, %d in all", arms[i], sum, table.Arms[i].Any.Events)
		}
	}
}

func TestPilotScores(t *testing.T) {
	t.Parallel()
	var scores []Score
	for _, r := range rows(t, "adqscibc.csv") {
		scores = append(scores, Score{
			Subject: r["USUBJID"], Arm: r["TRTP"], Week: number(t, r["AVISITN"]), Value: int64(number(t, r["AVAL"])),
			Analysed: r["ANL01FL"] == "Y" && r["EFFFL"] == "Y", Carried: r["DTYPE"] == "LOCF",
		})
	}
	want := []string{
		"77 3.91 77 3.91", "81 3.95 81 3.95", "73 4.10 73 4.10",
		"79 4.19 68 4.19", "81 4.04 42 3.98", "74 4.04 41 4.05",
		"79 4.29 66 4.26", "81 4.19 47 4.21", "74 4.32 40 4.63",
	}
	for i, c := range Scores([]int{8, 16, 24}, arms, scores) {
		got := strconv.Itoa(c.All.N) + " " + c.All.String() + " " + strconv.Itoa(c.Observed.N) + " " + c.Observed.String()
		if got != want[i] {
			t.Errorf("week %d, %s: %s; want %s", c.Week, c.Arm, got, want[i])
		}
	}
}
