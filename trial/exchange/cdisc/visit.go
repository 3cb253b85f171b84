package cdisc

import (
	"regexp"
	"strconv"
	"strings"
)

// Visit is one row of SV, the visits that took place. The same visit may stand
// twice for one person: unscheduled ones do.
type Visit struct {
	USUBJID string
	Num     string // VISITNUM as written: 3, 3.5
	Name    string // VISIT
	Start   Date   // SVSTDTC
	End     Date   // SVENDTC
}

// Visits reads SV in the order of the file.
func Visits(t *Table) ([]Visit, error) {
	if err := t.require("USUBJID", "VISITNUM", "VISIT", "SVSTDTC"); err != nil {
		return nil, err
	}
	out := make([]Visit, 0, t.Len())
	for i := range t.Len() {
		r := t.Row(i)
		v := Visit{
			USUBJID: r.Need("USUBJID"), Num: r.Need("VISITNUM"), Name: r.Need("VISIT"),
			Start: r.Date("SVSTDTC"), End: r.Date("SVENDTC"),
		}
		if !visitNum.MatchString(v.Num) {
			r.Fail("VISITNUM", "%q is not a number with at most three decimals", clip(v.Num))
		}
		if r.Err() != nil {
			return nil, r.Err()
		}
		out = append(out, v)
	}
	return out, nil
}

var visitNum = regexp.MustCompile(`^\d{1,6}(\.\d{1,3})?$`)

// Order is VISITNUM in thousandths, for sorting: 3.5 comes after 3 and before 10.
func (v Visit) Order() int {
	whole, fraction, _ := strings.Cut(v.Num, ".")
	n, err := strconv.Atoi(whole + (fraction + "000")[:3])
	if err != nil {
		return 0 // not a Visit that Visits returned
	}
	return n
}
