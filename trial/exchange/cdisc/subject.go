package cdisc

import "github.com/trialith/trialith/trial"

// Subject is one row of ADSL, the analysis data set with one row a person.
type Subject struct {
	USUBJID, SUBJID, SITEID string
	Arm                     string // ARM: as planned and described
	Planned, Actual         string // TRT01P, TRT01A
	Sex                     string
	Age                     *uint32    // AGE, in years
	FirstDose, LastDose     *trial.Day // TRTSDT, TRTEDT
	FirstVisit              *trial.Day // VISIT1DT
	Start, End              Date       // RFSTDTC, RFENDTC
	MMSE                    *uint32    // MMSETOT at baseline
}

// Subjects reads ADSL. Its numeric dates are SAS day numbers.
func Subjects(t *Table) ([]Subject, error) {
	if err := t.require("USUBJID", "SUBJID", "SITEID", "TRTSDT"); err != nil {
		return nil, err
	}
	return people(t, func(r *Row) Subject {
		years(r)
		return Subject{
			USUBJID: r.Need("USUBJID"), SUBJID: r.Need("SUBJID"), SITEID: r.Need("SITEID"),
			Arm: r.Text("ARM"), Planned: r.Text("TRT01P"), Actual: r.Text("TRT01A"),
			Sex: r.Text("SEX"), Age: r.Count("AGE"),
			FirstDose: r.SASDay("TRTSDT"), LastDose: r.SASDay("TRTEDT"), FirstVisit: r.SASDay("VISIT1DT"),
			Start: r.Date("RFSTDTC"), End: r.Date("RFENDTC"), MMSE: r.Count("MMSETOT"),
		}
	})
}

// Person is one row of DM, the demographics of everyone screened.
type Person struct {
	USUBJID, SUBJID, SITEID string
	Sex, Country            string
	Race, Ethnicity         string  // RACE, ETHNIC
	Age                     *uint32 // AGE, in years
	ArmCode, Arm            string  // ARMCD, ARM: as planned
	ActualArmCode           string  // ACTARMCD
	ActualArm               string  // ACTARM
	Start, End              Date    // RFSTDTC, RFENDTC
	FirstDose, LastDose     Date    // RFXSTDTC, RFXENDTC
	Consent                 Date    // RFICDTC, often withheld
	EndOfParticipation      Date    // RFPENDTC
	Death                   Date    // DTHDTC
	Died                    bool    // DTHFL
	Collected               Date    // DMDTC
}

// ScreenFailure says that the person was screened and never assigned to an arm.
func (p Person) ScreenFailure() bool { return p.ArmCode == "Scrnfail" || p.ArmCode == "SCRNFAIL" }

// People reads DM.
func People(t *Table) ([]Person, error) {
	if err := t.require("USUBJID", "SUBJID", "SITEID", "ARMCD"); err != nil {
		return nil, err
	}
	return people(t, func(r *Row) Person {
		years(r)
		return Person{
			USUBJID: r.Need("USUBJID"), SUBJID: r.Need("SUBJID"), SITEID: r.Need("SITEID"),
			Sex: r.Text("SEX"), Country: r.Text("COUNTRY"), Age: r.Count("AGE"),
			Race: r.Text("RACE"), Ethnicity: r.Text("ETHNIC"), Died: r.Flag("DTHFL"),
			FirstDose: r.Date("RFXSTDTC"), LastDose: r.Date("RFXENDTC"),
			ArmCode: r.Need("ARMCD"), Arm: r.Text("ARM"), ActualArmCode: r.Text("ACTARMCD"), ActualArm: r.Text("ACTARM"),
			Start: r.Date("RFSTDTC"), End: r.Date("RFENDTC"), Consent: r.Date("RFICDTC"),
			EndOfParticipation: r.Date("RFPENDTC"), Death: r.Date("DTHDTC"), Collected: r.Date("DMDTC"),
		}
	})
}

// people reads a table with one row a person and refuses a person with two.
func people[T any](t *Table, read func(*Row) T) ([]T, error) {
	out := make([]T, 0, t.Len())
	seen := make(map[string]int, t.Len())
	for i := range t.Len() {
		r := t.Row(i)
		out = append(out, read(r))
		id := r.Text("USUBJID")
		if line, twice := seen[id]; twice {
			r.Fail("USUBJID", "%q is on line %d already; one row a person", clip(id), line)
		}
		seen[id] = r.row.line
		if r.Err() != nil {
			return nil, r.Err()
		}
	}
	return out, nil
}

// years refuses ages in another unit: days would read as years.
func years(r *Row) {
	if unit := r.Text("AGEU"); unit != "" && unit != "YEARS" {
		r.Fail("AGEU", "%q; ages must be in YEARS", clip(unit))
	}
}
