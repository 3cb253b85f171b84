package cdisc_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/exchange/cdisc"
)

// files is where the pilot study's tables are, beside the checkout.
const files = "../../../../shared/data/pilot"

func open(t *testing.T, name string, charset cdisc.Charset) *cdisc.Table {
	t.Helper()
	table, err := read(t, name, charset)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func read(t *testing.T, name string, charset cdisc.Charset) (*cdisc.Table, error) {
	t.Helper()
	f, err := os.Open(filepath.Join(files, name)) //nolint:gosec // a name written in this file
	if os.IsNotExist(err) {
		t.Skipf("the pilot's %s is not beside this checkout", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return cdisc.Read(name, f, charset)
}

func day(t *testing.T, s string) trial.Day {
	t.Helper()
	d, err := trial.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSubjects: ADSL holds the 254 randomised, and SAS day numbers that agree
// with the ISO dates beside them.
func TestSubjects(t *testing.T) {
	t.Parallel()
	subjects, err := cdisc.Subjects(open(t, "adsl.csv", cdisc.UTF8))
	if err != nil {
		t.Fatal(err)
	}
	if len(subjects) != 254 {
		t.Errorf("%d subjects, want 254", len(subjects))
	}
	for _, s := range subjects {
		start, exact := s.Start.Day()
		if !exact || s.FirstDose == nil || *s.FirstDose != start {
			t.Errorf("%s: first dose %v, reference start %s", s.USUBJID, s.FirstDose, s.Start)
		}
		if s.Age == nil || s.MMSE == nil {
			t.Errorf("%s: age or MMSE is missing", s.USUBJID)
		}
	}
	first := subjects[0]
	if first.USUBJID != "01-701-1015" || *first.FirstDose != day(t, "2014-01-02") || *first.Age != 63 || *first.MMSE != 23 {
		t.Errorf("first subject: %+v", first)
	}
}

// TestPeople: DM holds everyone screened, no consent date for anyone, and
// twelve who were treated in another arm than planned.
func TestPeople(t *testing.T) {
	t.Parallel()
	people, err := cdisc.People(open(t, "dm.csv", cdisc.UTF8))
	if err != nil {
		t.Fatal(err)
	}
	var failures, consents, crossed, timed int
	for _, p := range people {
		if p.ScreenFailure() {
			failures++
		}
		if p.Consent.Precision() != cdisc.Missing {
			consents++
		}
		if p.Arm != p.ActualArm {
			crossed++
		}
		if p.EndOfParticipation.Precision() == cdisc.ToMinute {
			timed++
		}
	}
	if len(people) != 306 || failures != 52 || consents != 0 || crossed != 12 || timed != 150 {
		t.Errorf("people, failures, consents, crossed, timed = %d %d %d %d %d; want 306 52 0 12 150",
			len(people), failures, consents, crossed, timed)
	}
}

func TestVisits(t *testing.T) {
	t.Parallel()
	visits, err := cdisc.Visits(open(t, "sv.csv", cdisc.UTF8))
	if err != nil {
		t.Fatal(err)
	}
	screened := map[string]bool{}
	for _, v := range visits {
		if v.Name == "SCREENING 1" {
			screened[v.USUBJID] = true
		}
	}
	if len(visits) != 3559 || len(screened) != 306 {
		t.Errorf("%d visits of %d people screened; want 3559 of 306", len(visits), len(screened))
	}
	if v := visits[3]; v.Num != "3.5" || v.Order() != 3500 || v.Order() <= visits[2].Order() || v.Order() >= visits[4].Order() {
		t.Errorf("visit 3.5 does not stand between 3 and 4: %+v", v)
	}
}

// TestPartialDates: 26 adverse events of the pilot start on a date of which
// only a part was recorded, one of them in 1977.
func TestPartialDates(t *testing.T) {
	t.Parallel()
	table := open(t, "ae.csv", cdisc.UTF8)
	partial, old := 0, false
	for i := range table.Len() {
		r := table.Row(i)
		start := r.Date("AESTDTC")
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		if _, exact := start.Day(); !exact {
			partial++
			old = old || start.String() == "1977"
		}
	}
	if partial != 26 || !old {
		t.Errorf("%d partial dates, one of 1977: %v; want 26, true", partial, old)
	}
}

// TestNAIsMissing: the end of treatment is NA six times.
func TestNAIsMissing(t *testing.T) {
	t.Parallel()
	table := open(t, "ex.csv", cdisc.UTF8)
	missing := 0
	for i := range table.Len() {
		r := table.Row(i)
		if r.Date("EXENDTC").Precision() == cdisc.Missing {
			missing++
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
	}
	if missing != 6 {
		t.Errorf("%d ends missing, want 6", missing)
	}
}

// TestCharset: ts.csv is Windows-1252. As UTF-8 it is refused at the byte;
// with its character set stated it reads.
func TestCharset(t *testing.T) {
	t.Parallel()
	_, err := read(t, "ts.csv", cdisc.UTF8)
	if err == nil || !strings.Contains(err.Error(), "ts.csv:10: byte 100 of the line (0x92) is not UTF-8") {
		t.Errorf("got %v", err)
	}
	table := open(t, "ts.csv", cdisc.Windows1252)
	if got := table.Row(8).Text("TSVAL"); !strings.Contains(got, "Alzheimer’s Disease") {
		t.Errorf("TDIGRP = %q", got)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, first, last string
		precision         cdisc.Precision
	}{
		{"1977", "1977-01-01", "1977-12-31", cdisc.ToYear},
		{"2012-02", "2012-02-01", "2012-02-29", cdisc.ToMonth},
		{"2013-05-01", "2013-05-01", "2013-05-01", cdisc.ToDay},
		{"2014-07-02T11:45", "2014-07-02", "2014-07-02", cdisc.ToMinute},
		{"2014-07-02T11:45:59", "2014-07-02", "2014-07-02", cdisc.ToSecond},
	} {
		d, err := cdisc.ParseDate(c.text)
		if err != nil {
			t.Error(err)
			continue
		}
		first, last := d.Span()
		if d.String() != c.text || first != day(t, c.first) || last != day(t, c.last) || d.Precision() != c.precision {
			t.Errorf("%s: %s, %s to %s, precision %d", c.text, d, first, last, d.Precision())
		}
	}
	for _, bad := range []string{"", "77", "2013-13", "2013-00", "2013-02-29", "2013-06-31", "2013-5-1", "2013--01", "2014-07-02T24:00", "2014-07-02T11", "2014-07-02 11:45", "20130501", "2013-05-01Z"} {
		if d, err := cdisc.ParseDate(bad); err == nil {
			t.Errorf("%q was read as %s", bad, d)
		}
	}
}

func TestDayOfSAS(t *testing.T) {
	t.Parallel()
	for n, want := range map[int32]string{0: "1960-01-01", 19725: "2014-01-02", 3653: "1970-01-01", -1: "1959-12-31"} {
		if got := cdisc.DayOfSAS(n); got != day(t, want) {
			t.Errorf("%d = %s, want %s", n, got, want)
		}
	}
}

// TestRefusals: each error names the file, the line and the column.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const head = "USUBJID,SUBJID,SITEID,TRTSDT,AGE,AGEU,RFSTDTC\n"
	for name, c := range map[string]struct{ file, want string }{
		"empty":           {"", "adsl: empty; the first line must name the columns"},
		"no such column":  {"USUBJID,SUBJID,SITEID\n", "adsl:1: no column is named TRTSDT"},
		"column twice":    {"USUBJID,usubjid\n", "adsl:1: columns 1 and 2 are both named USUBJID"},
		"unnamed column":  {"USUBJID,,\n", "adsl:1: column 2 has no name"},
		"many columns":    {strings.Repeat("A,", 600) + "B\n", "adsl:1: 601 columns; at most 512"},
		"short row":       {head + "a,b\n", "adsl:2: column 1: wrong number of fields"},
		"open quote":      {head + "\"a,b,c,1,2,YEARS,2013\n", "adsl:2: column "},
		"person twice":    {head + "a,1,7,19725,60,YEARS,2013\na,1,7,19725,60,YEARS,2013\n", `adsl:3: USUBJID: "a" is on line 2 already`},
		"no person":       {head + "NA,1,7,19725,60,YEARS,2013\n", "adsl:2: USUBJID: missing"},
		"age in words":    {head + "a,1,7,19725,sixty,YEARS,2013\n", `adsl:2: AGE: "sixty" is not a whole number`},
		"age below zero":  {head + "a,1,7,19725,-1,YEARS,2013\n", `adsl:2: AGE: "-1" is not a whole number`},
		"age in days":     {head + "a,1,7,19725,60,DAYS,2013\n", `adsl:2: AGEU: "DAYS"; ages must be in YEARS`},
		"day of the year": {head + "a,1,7,2014-01-02,60,YEARS,2013\n", `adsl:2: TRTSDT: "2014-01-02" is not a SAS day number`},
		"day too late":    {head + "a,1,7,2936550,60,YEARS,2013\n", `adsl:2: TRTSDT: "2936550" is not a SAS day number`},
		"date":            {head + "a,1,7,19725,60,YEARS,02/01/2013\n", `adsl:2: RFSTDTC: "02/01/2013" is not an ISO 8601 date`},
		"too large":       {head + strings.Repeat("x", cdisc.MaxBytes), "adsl: more than 33554432 bytes"},
		"not UTF-8":       {head + "a,\xff\n", "adsl:2: byte 3 of the line (0xff) is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := cdisc.Read("adsl", strings.NewReader(c.file), cdisc.UTF8)
			if err == nil {
				_, err = cdisc.Subjects(table)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant an error with %q", err, c.want)
			}
		})
	}
}

// TestTolerates: a byte order mark, either line ending, quotes, spaces around
// a cell and columns in another order change nothing.
func TestTolerates(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"plain":        "USUBJID,SUBJID,SITEID,TRTSDT\na,1,7,19725\n",
		"byte order":   "\xef\xbb\xbfUSUBJID,SUBJID,SITEID,TRTSDT\na,1,7,19725\n",
		"line endings": "USUBJID,SUBJID,SITEID,TRTSDT\r\na,1,7,19725\r\n",
		"quotes":       "\"USUBJID\",\"SUBJID\",\"SITEID\",\"TRTSDT\"\n\"a\",\"1\",\"7\",19725",
		"order":        "TRTSDT, siteid,SUBJID,EXTRA,USUBJID\n19725, 7 ,1,x,a\n",
	} {
		table, err := cdisc.Read(name, strings.NewReader(file), cdisc.UTF8)
		if err != nil {
			t.Error(err)
			continue
		}
		subjects, err := cdisc.Subjects(table)
		if err != nil {
			t.Error(err)
			continue
		}
		if s := subjects[0]; s.USUBJID != "a" || s.SUBJID != "1" || s.SITEID != "7" || *s.FirstDose != day(t, "2014-01-02") || s.Age != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// FuzzTable looks for a table that makes a reader panic or err without a place.
func FuzzTable(f *testing.F) {
	f.Add([]byte("USUBJID,SUBJID,SITEID,TRTSDT\na,1,7,19725\n"))
	f.Add([]byte("USUBJID,VISITNUM,VISIT,SVSTDTC\na,3.5,WEEK 2,2013-05\n"))
	f.Add([]byte("\"USUBJID\nx\",\"\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, charset := range []cdisc.Charset{cdisc.UTF8, cdisc.Windows1252} {
			table, err := cdisc.Read("f", strings.NewReader(string(data)), charset)
			if err == nil {
				if _, err = cdisc.Subjects(table); err == nil {
					continue
				}
				place(t, err)
				_, err = cdisc.Visits(table)
			}
			if err != nil {
				place(t, err)
			}
		}
	})
}

func place(t *testing.T, err error) {
	t.Helper()
	if !strings.HasPrefix(err.Error(), "cdisc: f:") {
		t.Errorf("an error without its place: %v", err)
	}
}

// FuzzDate: what is read is given back letter by letter, and spans its own day.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"1977", "2012-02", "2013-05-01", "2014-07-02T11:45", "0000-01-01", "9999-12-31"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := cdisc.ParseDate(s)
		if err != nil {
			return
		}
		if first, last := d.Span(); d.String() != s || last < first || (d.Precision() >= cdisc.ToDay && first != last) {
			t.Errorf("%q: %s, %s to %s", s, d, first, last)
		}
	})
}
