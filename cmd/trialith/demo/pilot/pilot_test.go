package pilot_test

import (
	"slices"
	"testing"

	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/trial"
)

func participants(t *testing.T) []pilot.Participant {
	t.Helper()
	out, err := pilot.Participants()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func day(t *testing.T, s string) trial.Day {
	t.Helper()
	d, err := trial.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestStudy(t *testing.T) {
	t.Parallel()
	study, err := pilot.Study()
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := study.Protocol()
	if err != nil {
		t.Fatal(err)
	}
	if p.Acronym != "LZZT" || len(p.Outcomes) != 11 || len(p.Criteria) != 31 {
		t.Errorf("acronym %q, %d outcomes, %d criteria", p.Acronym, len(p.Outcomes), len(p.Criteria))
	}
}

// TestParticipants: what is known of the pilot, each figure counted from the
// published files by other means.
func TestParticipants(t *testing.T) {
	t.Parallel()
	all := participants(t)
	amendment := day(t, "2013-03-18")
	var above []string
	var before, within int
	for _, p := range all {
		if p.Screening > p.FirstDose || p.FirstDose > p.EndOfParticipation {
			t.Errorf("%s: screening %s, first dose %s, end %s", p.USUBJID, p.Screening, p.FirstDose, p.EndOfParticipation)
		}
		if p.MMSE > 23 {
			above = append(above, p.USUBJID)
		}
		if p.Screening < amendment {
			before++
			if p.EndOfParticipation >= amendment {
				within++
			}
		}
		if p.Age < 50 || p.MMSE < 10 {
			t.Errorf("%s: age %d, MMSE %d", p.USUBJID, p.Age, p.MMSE)
		}
	}
	slices.Sort(above)
	if len(all) != 254 || before != 97 || within != 60 || !slices.Equal(above, []string{"01-707-1037", "01-709-1238"}) {
		t.Errorf("%d participants, %d before the amendment, %d of them in the study then, above the bound %v", len(all), before, within, above)
	}
	if all[0].USUBJID != "01-716-1024" || all[0].Screening != day(t, "2012-07-06") {
		t.Errorf("first: %s on %s", all[0].USUBJID, all[0].Screening)
	}
	if !slices.IsSortedFunc(all, func(a, b pilot.Participant) int { return int(a.Screening - b.Screening) }) {
		t.Error("not in the order of screening")
	}
}

func TestSites(t *testing.T) {
	t.Parallel()
	sites := pilot.Sites(participants(t))
	total := 0
	for _, s := range sites {
		total += s.Participants
	}
	if len(sites) != 17 || total != 254 || sites[0] != (pilot.Site{ID: "701", Participants: 41}) {
		t.Errorf("%d sites, %d participants, first %+v", len(sites), total, sites[0])
	}
}

func TestVisits(t *testing.T) {
	t.Parallel()
	byID := map[string]pilot.Participant{}
	for _, p := range participants(t) {
		byID[p.USUBJID] = p
		if !slices.IsSortedFunc(p.Visits, func(a, b pilot.Visit) int { return int(a.Day - b.Day) }) {
			t.Errorf("%s: visits are not in order", p.USUBJID)
		}
	}
	for _, want := range []struct {
		person string
		visit  pilot.Visit
	}{
		{"01-701-1429", pilot.Visit{Name: "WEEK 6", Num: "7", Day: day(t, "2013-04-30")}},
		{"01-718-1328", pilot.Visit{Name: "WEEK 12", Num: "9", Day: day(t, "2013-05-01")}},
	} {
		if !slices.Contains(byID[want.person].Visits, want.visit) {
			t.Errorf("%s has no visit %+v", want.person, want.visit)
		}
	}
	// An unscheduled visit a week before SCREENING 1 does not move the screening.
	p := byID["01-718-1328"]
	if p.Visits[0].Name != "UNSCHEDULED 1.1" || p.Screening != day(t, "2013-01-28") {
		t.Errorf("screening %s, first visit %+v", p.Screening, p.Visits[0])
	}
}
