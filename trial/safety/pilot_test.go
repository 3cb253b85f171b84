package safety_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/safety"
	"github.com/trialith/trialith/trial/safety/boundary"
)

// table reads a table of the pilot study as maps from column to cell.
func table(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "pilot", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("pilot study: not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		rows = append(rows, row)
	}
	return rows
}

type treated struct {
	arm         string
	first, last trial.Day
}

// sasDay reads days since 1960-01-01.
func sasDay(t *testing.T, s string) trial.Day {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("day %q: %v", s, err)
	}
	return trial.Day(n) + trial.DayOf(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
}

// emergent compares a date with the first day of treatment at its precision.
func emergent(start string, first trial.Day) bool {
	whole := first.String()
	return len(start) >= 4 && len(start) <= len(whole) && start >= whole[:len(start)]
}

// pilot is what each day of the pilot study adds: treated people by arm, and
// severe emergent events by planned arm on the day they were received.
type pilot struct {
	exposed, severe map[string]map[trial.Day]uint32
	total           map[string]int
}

func readPilot(t *testing.T) pilot {
	t.Helper()
	p := pilot{exposed: map[string]map[trial.Day]uint32{}, severe: map[string]map[trial.Day]uint32{}, total: map[string]int{}}
	people := map[string]treated{}
	for _, r := range table(t, "adsl.csv") {
		x := treated{r["TRT01P"], sasDay(t, r["TRTSDT"]), sasDay(t, r["TRTEDT"])}
		people[r["USUBJID"]] = x
		if p.exposed[x.arm] == nil {
			p.exposed[x.arm], p.severe[x.arm] = map[trial.Day]uint32{}, map[trial.Day]uint32{}
		}
		for d := x.first; d <= x.last; d++ {
			p.exposed[x.arm][d]++
		}
	}
	for _, r := range table(t, "ae.csv") {
		x, randomised := people[r["USUBJID"]]
		if !randomised || r["AESEV"] != "SEVERE" || !emergent(r["AESTDTC"], x.first) {
			continue
		}
		d, err := trial.ParseDay(r["AEDTC"])
		if err != nil {
			t.Fatal(err)
		}
		p.severe[x.arm][d]++
		p.total[x.arm]++
	}
	return p
}

func (p pilot) opening(from, asOf trial.Day) *safety.Opening {
	o := &safety.Opening{From: from, AsOf: asOf}
	for _, arm := range []string{"Placebo", "Xanomeline High Dose", "Xanomeline Low Dose"} {
		a := safety.ArmOpening{Arm: arm, Events: []safety.ArmChanges{{Boundary: "severe"}}}
		for d := from; d <= asOf; d++ {
			a.Days = append(a.Days, p.exposed[arm][d])
			if n := p.severe[arm][d]; n > 0 {
				a.Events[0].Changes = append(a.Events[0].Changes, safety.DayChange{Day: d, Added: n})
			}
		}
		o.Arms = append(o.Arms, a)
	}
	return o
}

// TestPilot: the severe emergent events of the pilot study against the rate of
// its placebo arm, looked at on each month's end.
func TestPilot(t *testing.T) {
	t.Parallel()
	p := readPilot(t)
	want := map[string]int{"Placebo": 6, "Xanomeline High Dose": 10, "Xanomeline Low Dose": 25}
	if d := cmp.Diff(want, p.total); d != "" {
		t.Fatal(d)
	}
	b, err := boundary.Make(4, 0.05, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.ID, b.Scope, b.RateEvents, b.RateDays, b.AnswerDays = "severe", trial.ByArm, 6, 12_820, 14
	if err := b.Check(); err != nil {
		t.Fatal(err)
	}
	from, _ := trial.ParseDay("2012-07-01")
	var arms []trial.ArmCount
	var found []string
	var latched []string
	for look := uint32(1); look <= 40; look++ {
		asOf := trial.DayOf(time.Date(2012, time.Month(7+look), 0, 0, 0, 0, 0, time.UTC).UnixMilli())
		after, flags, err := safety.Evaluate(look, p.opening(from, asOf), arms, []trial.Boundary{b})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flags {
			if slices.Contains(latched, f.Arm) {
				continue
			}
			latched = append(latched, f.Arm)
			found = append(found, fmt.Sprintf("%s crossed %v look %d as of %v: %d events, %d days, %d millionths expected",
				f.Arm, f.Crossed, f.Look, asOf, f.Events, f.Days, f.ExpectedMicro))
		}
		arms, from = after, asOf+1
	}
	for i, days := range []uint64{12_820, 8_349, 8_318} {
		if arms[i].Days != days {
			t.Errorf("%s: %d person-days, want %d", arms[i].Arm, arms[i].Days, days)
		}
	}
	// Counted a second time by a script of another language.
	if d := cmp.Diff([]string{
		"Xanomeline Low Dose crossed 2012-10-13 look 4 as of 2012-10-31: 2 events, 300 days, 140405 millionths expected",
		"Xanomeline High Dose crossed 2013-02-25 look 8 as of 2013-02-28: 4 events, 1595 days, 746489 millionths expected",
	}, found); d != "" {
		t.Error(d)
	}
}
