package cdisc

import (
	"fmt"

	"github.com/trialith/trialith/trial"
)

// AdverseEvent is one row of AE.
type AdverseEvent struct {
	USUBJID    string
	Seq        uint32 // AESEQ, unique for the person
	Term       string // AETERM, as the investigator wrote it
	Decoded    string // AEDECOD
	BodySystem string // AEBODSYS
	Severity   string // AESEV: MILD, MODERATE or SEVERE
	Outcome    string // AEOUT, such as FATAL
	Causality  string // AEREL, such as PROBABLE; often missing
	Serious    bool   // AESER
	Death      bool   // AESDTH: the event resulted in death
	Received   Date   // AEDTC: when it was collected
	Start      Date   // AESTDTC, often partial
	End        Date   // AEENDTC, often missing
}

// Emergent reports whether the event started on or after the first day of
// treatment, at the precision at which its start was recorded. An event without
// a start is not.
func (e AdverseEvent) Emergent(firstDose trial.Day) bool { return e.Start.NotBefore(firstDose) }

// AdverseEvents reads AE in the order of the file.
func AdverseEvents(t *Table) ([]AdverseEvent, error) {
	if err := t.require("USUBJID", "AESEQ", "AETERM", "AESEV", "AESER", "AEOUT", "AEDTC", "AESTDTC"); err != nil {
		return nil, err
	}
	return each(t, "AESEQ", func(r *Row) (string, AdverseEvent) {
		e := AdverseEvent{
			USUBJID: r.Need("USUBJID"), Term: r.Need("AETERM"),
			Decoded: r.Text("AEDECOD"), BodySystem: r.Text("AEBODSYS"),
			Severity: r.one("AESEV", "MILD", "MODERATE", "SEVERE"), Outcome: r.Text("AEOUT"), Causality: r.Text("AEREL"),
			Serious: r.Flag("AESER"), Death: r.Flag("AESDTH"),
			Received: r.Date("AEDTC"), Start: r.Date("AESTDTC"), End: r.Date("AEENDTC"),
		}
		e.Seq = r.sequence("AESEQ")
		return fmt.Sprint(e.USUBJID, "/", e.Seq), e
	})
}

// Query is a question to who recorded a row: what it says contradicts itself.
type Query struct {
	USUBJID string
	Seq     uint32 // AESEQ
	Rule    string // a fixed word, such as "fatal-not-serious"
	Text    string
}

// FatalNotSerious is the rule on deaths: a death is serious by definition (ICH
// E2A II.B), whatever was ticked.
const FatalNotSerious = "fatal-not-serious"

// Queries asks about events that contradict themselves, in the order given.
func Queries(events []AdverseEvent) []Query {
	var out []Query
	for _, e := range events {
		if (e.Outcome == "FATAL" || e.Death) && !e.Serious {
			out = append(out, Query{
				USUBJID: e.USUBJID, Seq: e.Seq, Rule: FatalNotSerious,
				Text: fmt.Sprintf("AESER: N, but the event resulted in death (AEOUT %q, AESDTH %s); a death is serious: correct AESER or the outcome",
					e.Outcome, map[bool]string{true: "Y", false: "N"}[e.Death]),
			})
		}
	}
	return out
}

// Exposure is one row of EX: one dose over a span of days.
type Exposure struct {
	USUBJID    string
	Seq        uint32 // EXSEQ
	Treatment  string // EXTRT
	Dose       string // EXDOSE as written: a number of EXDOSU
	Unit       string // EXDOSU
	Visit      string // VISIT
	Start, End Date   // EXSTDTC, EXENDTC
}

// Exposures reads EX in the order of the file.
func Exposures(t *Table) ([]Exposure, error) {
	if err := t.require("USUBJID", "EXSEQ", "EXTRT", "EXSTDTC", "EXENDTC"); err != nil {
		return nil, err
	}
	return each(t, "EXSEQ", func(r *Row) (string, Exposure) {
		e := Exposure{
			USUBJID: r.Need("USUBJID"), Treatment: r.Need("EXTRT"), Dose: r.Text("EXDOSE"), Unit: r.Text("EXDOSU"),
			Visit: r.Text("VISIT"), Start: r.Date("EXSTDTC"), End: r.Date("EXENDTC"),
		}
		e.Seq = r.sequence("EXSEQ")
		if e.End.Precision() >= ToDay && e.Start.Precision() >= ToDay && e.End.first < e.Start.first {
			r.Fail("EXENDTC", "%s is before the start, %s", e.End, e.Start)
		}
		return fmt.Sprint(e.USUBJID, "/", e.Seq), e
	})
}

// each reads a table row by row and refuses a row whose name stands twice.
func each[T any](t *Table, column string, read func(*Row) (string, T)) ([]T, error) {
	out := make([]T, 0, t.Len())
	seen := make(map[string]int, t.Len())
	for i := range t.Len() {
		r := t.Row(i)
		name, row := read(r)
		if line, twice := seen[name]; twice {
			r.Fail(column, "%q is on line %d already", clip(name), line)
		}
		if r.Err() != nil {
			return nil, r.Err()
		}
		seen[name] = r.row.line
		out = append(out, row)
	}
	return out, nil
}
