package analysis

import "fmt"

// Score is one row of a score's analysis data set (ADaM basic data structure).
type Score struct {
	Subject string
	Arm     string // TRTP, the planned treatment
	Week    int    // AVISITN
	Value   int64  // AVAL, a whole number
	// Analysed says that the row is the visit's record for the analysis
	// (ANL01FL=Y) of a member of the efficacy population (EFFFL=Y).
	Analysed bool
	// Carried says that AVAL is an earlier visit's (DTYPE=LOCF).
	Carried bool
}

// Mean is a sum over n values.
type Mean struct {
	N   int
	Sum int64
}

// String is the mean to two decimals, halves away from zero; "" without values.
func (m Mean) String() string {
	if m.N == 0 {
		return ""
	}
	sum, sign := m.Sum, ""
	if sum < 0 {
		sum, sign = -sum, "-"
	}
	n := int64(m.N)
	hundredths := (200*sum + n) / (2 * n)
	if hundredths == 0 {
		sign = ""
	}
	return fmt.Sprintf("%s%d.%02d", sign, hundredths/100, hundredths%100)
}

// ScoreCell is a score at one week in one arm: with the last observation
// carried forward as in AVAL, and beside it what was observed only.
type ScoreCell struct {
	Week     int
	Arm      string
	All      Mean
	Observed Mean
}

// Scores makes the table, a cell for each week and arm in the order given.
func Scores(weeks []int, arms []string, rows []Score) []ScoreCell {
	var table []ScoreCell
	for _, week := range weeks {
		for _, arm := range arms {
			cell := ScoreCell{Week: week, Arm: arm}
			for _, r := range rows {
				if r.Week != week || r.Arm != arm || !r.Analysed {
					continue
				}
				cell.All.add(r.Value)
				if !r.Carried {
					cell.Observed.add(r.Value)
				}
			}
			table = append(table, cell)
		}
	}
	return table
}

func (m *Mean) add(v int64) {
	m.N++
	m.Sum += v
}
