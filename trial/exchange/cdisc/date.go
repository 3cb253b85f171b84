package cdisc

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/trialith/trialith/trial"
)

// sasEpoch is 1960-01-01, the day 0 of SAS, as a trial.Day.
const sasEpoch trial.Day = -3653

// SAS day numbers of 1582-10-15, before which SAS has none, and 9999-12-31.
const (
	minSAS = -137_774
	maxSAS = 2_936_549
)

// DayOfSAS converts a SAS day number, days since 1960-01-01.
func DayOfSAS(n int32) trial.Day { return trial.Day(n) + sasEpoch }

// Precision is how much of a date was recorded.
type Precision uint8

// From nothing at all to the second.
const (
	Missing Precision = iota
	ToYear
	ToMonth
	ToDay
	ToMinute
	ToSecond
)

// Date is an ISO 8601 date as SDTM records it: cut on the right where the rest
// is unknown. It never invents what was not recorded. The zero Date is missing.
type Date struct {
	text      string
	first     trial.Day // first day that it may be
	last      trial.Day // last day that it may be
	precision Precision
}

var isoDate = regexp.MustCompile(`^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?)?)?$`)

// ParseDate reads YYYY, YYYY-MM, YYYY-MM-DD, and the last followed by Thh:mm
// or Thh:mm:ss.
func ParseDate(s string) (Date, error) {
	bad := fmt.Errorf("%q is not an ISO 8601 date; write YYYY, YYYY-MM or YYYY-MM-DD, with Thh:mm where the time is known", clip(s))
	part := isoDate.FindStringSubmatch(s)
	if part == nil {
		return Date{}, bad
	}
	d := Date{text: s}
	year, month, day := number(part[1]), 1, 1
	last := time.Date(year+1, time.January, 0, 0, 0, 0, 0, time.UTC)
	d.precision = ToYear
	if part[2] != "" {
		month, d.precision = number(part[2]), ToMonth
		last = time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC)
	}
	if part[3] != "" {
		day, d.precision = number(part[3]), ToDay
		last = time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	}
	if part[4] != "" {
		d.precision = ToMinute
	}
	if part[6] != "" {
		d.precision = ToSecond
	}
	first := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	// time.Date carries 31 June over into July; a date that moves is none.
	if first.Month() != time.Month(month) || first.Day() != day || number(part[4]) > 23 || number(part[5]) > 59 || number(part[6]) > 59 {
		return Date{}, bad
	}
	d.first, d.last = trial.DayOf(first.UnixMilli()), trial.DayOf(last.UnixMilli())
	return d, nil
}

// number reads digits that the pattern has found; none are 0.
func number(s string) int {
	v, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return v
}

// Precision is how much of the date was recorded.
func (d Date) Precision() Precision { return d.precision }

// Day is the day, where the whole day was recorded.
func (d Date) Day() (trial.Day, bool) { return d.first, d.precision >= ToDay }

// Span is the first and the last day that the date may stand for.
func (d Date) Span() (first, last trial.Day) { return d.first, d.last }

// NotBefore reports whether the date is on or after a day, as far as it was
// recorded: 2013-05 is not before 2013-05-20, since only months can be
// compared. A missing date is not known to be.
func (d Date) NotBefore(day trial.Day) bool { return d.precision != Missing && d.last >= day }

// String is the date exactly as recorded, "" where missing.
func (d Date) String() string { return d.text }
