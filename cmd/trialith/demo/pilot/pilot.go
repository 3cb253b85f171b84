// Package pilot carries the CDISC pilot study, so that the demo needs no file
// and no network. README.md names the sources and licences.
package pilot

import (
	"bytes"
	"cmp"
	_ "embed" // the study's files
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/exchange/cdisc"
	"github.com/trialith/trialith/trial/exchange/usdm"
)

//go:embed CDISC_Pilot_Study.usdm4.json
var definition []byte

//go:embed adsl.csv
var adsl []byte

//go:embed sv.csv
var sv []byte

// screening is the visit at which somebody joins. Unscheduled visits dated
// before it are repeats of laboratory tests and do not count.
const screening = "SCREENING 1"

// Participant is one of the people who were randomised, with the dates that
// the demo walks through.
type Participant struct {
	USUBJID, SubjectID, SiteID string
	// Screening is the day of the visit SCREENING 1, FirstDose the first day of
	// treatment, EndOfParticipation the last day counted (RFENDTC). Some visits
	// are later: they are follow-up.
	Screening, FirstDose, EndOfParticipation trial.Day
	// LastDose is the last day of treatment (TRTEDT). Exposure counts FirstDose
	// (TRTSDT) and LastDose both.
	LastDose trial.Day
	// Arm is as planned (TRT01P), ActualArm as treated (TRT01A). Neither is for
	// the ledger before the study is unblinded.
	Arm, ActualArm string
	Age, MMSE      uint32 // years; total at baseline
	Sex            string // F or M
	Visits         []Visit
}

// Visit took place on a day. Num is SDTM's VISITNUM, such as 3.5.
type Visit struct {
	Name, Num string
	Day       trial.Day
}

// Site is one trial site and how many were randomised there.
type Site struct {
	ID           string
	Participants int
}

// Study returns the published study definition.
func Study() (*usdm.Study, error) { return usdm.Decode(bytes.NewReader(definition)) }

// Definition returns the bytes of the study definition, to be hashed or shown.
func Definition() []byte { return bytes.Clone(definition) }

// Participants returns the 254 people randomised in the order of (Screening,
// USUBJID), each one's visits in the order of (day, visit number).
func Participants() ([]Participant, error) {
	visits, err := visitsByPerson()
	if err != nil {
		return nil, err
	}
	table, err := cdisc.Read("adsl.csv", bytes.NewReader(adsl), cdisc.UTF8)
	if err != nil {
		return nil, err
	}
	subjects, err := cdisc.Subjects(table)
	if err != nil {
		return nil, err
	}
	out := make([]Participant, 0, len(subjects))
	for _, s := range subjects {
		p, err := participant(s, visits[s.USUBJID])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Participant) int {
		return cmp.Or(cmp.Compare(a.Screening, b.Screening), strings.Compare(a.USUBJID, b.USUBJID))
	})
	return out, nil
}

func participant(s cdisc.Subject, visits []Visit) (Participant, error) {
	p := Participant{USUBJID: s.USUBJID, SubjectID: s.SUBJID, SiteID: s.SITEID, Sex: s.Sex, Visits: visits}
	end, known := s.End.Day()
	if !known || s.FirstDose == nil || s.LastDose == nil || s.Planned == "" || s.Age == nil || s.MMSE == nil {
		return p, fmt.Errorf("pilot: adsl.csv: %s: TRTSDT, TRTEDT, TRT01P, RFENDTC, AGE or MMSETOT is missing", s.USUBJID)
	}
	p.LastDose, p.Arm, p.ActualArm = *s.LastDose, s.Planned, s.Actual
	p.FirstDose, p.EndOfParticipation, p.Age, p.MMSE = *s.FirstDose, end, *s.Age, *s.MMSE
	first := slices.IndexFunc(visits, func(v Visit) bool { return v.Name == screening })
	if first < 0 {
		return p, fmt.Errorf("pilot: sv.csv: %s has no visit %s", s.USUBJID, screening)
	}
	p.Screening = visits[first].Day
	return p, nil
}

func visitsByPerson() (map[string][]Visit, error) {
	table, err := cdisc.Read("sv.csv", bytes.NewReader(sv), cdisc.UTF8)
	if err != nil {
		return nil, err
	}
	rows, err := cdisc.Visits(table)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b cdisc.Visit) int {
		dayA, _ := a.Start.Day()
		dayB, _ := b.Start.Day()
		return cmp.Or(cmp.Compare(dayA, dayB), cmp.Compare(a.Order(), b.Order()))
	})
	out := map[string][]Visit{}
	for _, v := range rows {
		day, exact := v.Start.Day()
		if !exact {
			return nil, fmt.Errorf("pilot: sv.csv: %s, visit %s: %q is not a whole date", v.USUBJID, v.Num, v.Start)
		}
		out[v.USUBJID] = append(out[v.USUBJID], Visit{Name: v.Name, Num: v.Num, Day: day})
	}
	return out, nil
}

// Sites returns the sites of these participants in the order of their ids.
func Sites(participants []Participant) []Site {
	count := map[string]int{}
	for _, p := range participants {
		count[p.SiteID]++
	}
	out := make([]Site, 0, len(count))
	for id, n := range count {
		out = append(out, Site{ID: id, Participants: n})
	}
	slices.SortFunc(out, func(a, b Site) int { return strings.Compare(a.ID, b.ID) })
	return out
}
