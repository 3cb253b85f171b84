package cdisc

import "fmt"

// Score is one row of ADQSCIBC: the clinician's global impression of change
// (CIBIC+) of one person at one visit of the analysis.
type Score struct {
	USUBJID   string
	Treatment string // TRTP, as planned
	Visit     string // AVISIT, such as Week 24
	Value     uint32 // AVAL: 1 marked improvement, 4 no change, 7 marked worsening
	Efficacy  bool   // EFFFL: in the efficacy population
	Analysed  bool   // ANL01FL: the record that is analysed for the visit
	Carried   bool   // DTYPE LOCF: the last observation carried forward
}

// Scores reads ADQSCIBC in the order of the file.
func Scores(t *Table) ([]Score, error) {
	if err := t.require("USUBJID", "TRTP", "AVISIT", "AVAL", "EFFFL", "ANL01FL", "DTYPE"); err != nil {
		return nil, err
	}
	out := make([]Score, 0, t.Len())
	analysed := map[string]int{}
	for i := range t.Len() {
		r := t.Row(i)
		s := Score{
			USUBJID: r.Need("USUBJID"), Treatment: r.Need("TRTP"), Visit: r.Need("AVISIT"),
			Efficacy: r.Flag("EFFFL"), Analysed: r.Flag("ANL01FL"), Carried: r.one("DTYPE", "", "LOCF") == "LOCF",
		}
		switch v := r.Count("AVAL"); {
		case r.Err() == nil && (v == nil || *v < 1 || *v > 7):
			r.Fail("AVAL", "a score of CIBIC+ is 1 to 7")
		case v != nil:
			s.Value = *v
		}
		if name := fmt.Sprint(s.USUBJID, "/", s.Visit); s.Analysed {
			if line, twice := analysed[name]; twice {
				r.Fail("ANL01FL", "%q has its analysed record on line %d already", clip(name), line)
			}
			analysed[name] = r.row.line
		}
		if r.Err() != nil {
			return nil, r.Err()
		}
		out = append(out, s)
	}
	return out, nil
}
