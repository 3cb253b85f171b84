package cdisc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial/exchange/cdisc"
)

const (
	aeHead  = "USUBJID,AESEQ,AETERM,AESEV,AESER,AEOUT,AESDTH,AEDTC,AESTDTC\n"
	exHead  = "USUBJID,EXSEQ,EXTRT,EXSTDTC,EXENDTC\n"
	qsHead  = "USUBJID,TRTP,AVISIT,AVAL,EFFFL,ANL01FL,DTYPE\n"
	aGoodAE = "p,1,HEADACHE,MILD,N,RECOVERED/RESOLVED,N,2013-05-02,2013-05-01\n"
)

func table(t *testing.T, name, file string) *cdisc.Table {
	t.Helper()
	out, err := cdisc.Read(name, strings.NewReader(file), cdisc.UTF8)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNotBefore: a date is compared as far as it was recorded.
func TestNotBefore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		date, day string
		want      bool
	}{
		{"2013-05-20", "2013-05-20", true},
		{"2013-05-19", "2013-05-20", false},
		{"2013-05-21", "2013-05-20", true},
		{"2013-05-20T00:00", "2013-05-20", true},
		{"2013-05-19T23:59:59", "2013-05-20", false},
		{"2013-05", "2013-05-20", true},
		{"2013-05", "2013-06-01", false},
		{"2013-05", "2013-05-31", true},
		{"2013-06", "2013-05-20", true},
		{"2013", "2013-12-31", true},
		{"2013", "2014-01-01", false},
		{"1977", "2013-05-20", false},
	} {
		d, err := cdisc.ParseDate(c.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.NotBefore(day(t, c.day)); got != c.want {
			t.Errorf("%s not before %s: %t", c.date, c.day, got)
		}
	}
	if (cdisc.Date{}).NotBefore(day(t, "0001-01-01")) {
		t.Error("a missing date is not before something")
	}
}

func TestReadAdverseEvent(t *testing.T) {
	t.Parallel()
	file := "USUBJID,AESEQ,AETERM,AEDECOD,AEBODSYS,AESEV,AESER,AEOUT,AESDTH,AEREL,AEDTC,AESTDTC,AEENDTC\n" +
		"p,7,faint,SYNCOPE,NERVOUS SYSTEM DISORDERS,SEVERE,Y,FATAL,Y,NA,2013-05-09,2013-05,NA\n"
	events, err := cdisc.AdverseEvents(table(t, "ae", file))
	if err != nil {
		t.Fatal(err)
	}
	e := events[0]
	if e.USUBJID != "p" || e.Seq != 7 || e.Term != "faint" || e.Decoded != "SYNCOPE" || e.BodySystem != "NERVOUS SYSTEM DISORDERS" ||
		e.Severity != "SEVERE" || !e.Serious || e.Outcome != "FATAL" || !e.Death || e.Causality != "" ||
		e.Received.String() != "2013-05-09" || e.Start.String() != "2013-05" || e.End.Precision() != cdisc.Missing {
		t.Errorf("%+v", e)
	}
	if !e.Emergent(day(t, "2013-05-20")) || e.Emergent(day(t, "2013-06-01")) {
		t.Error("emergent is not on or after the first dose")
	}
	if q := cdisc.Queries(events); len(q) != 0 {
		t.Errorf("a death marked serious is asked about: %+v", q)
	}
}

// TestQueries: a death is asked about by either of its signs.
func TestQueries(t *testing.T) {
	t.Parallel()
	file := aeHead + aGoodAE +
		"p,2,X,MILD,N,FATAL,N,2013-05-02,2013-05-01\n" +
		"p,3,X,MILD,N,NOT RECOVERED/NOT RESOLVED,Y,2013-05-02,2013-05-01\n" +
		"p,4,X,MILD,Y,FATAL,Y,2013-05-02,2013-05-01\n" +
		"q,1,X,MILD,NA,FATAL,NA,2013-05-02,2013-05-01\n"
	events, err := cdisc.AdverseEvents(table(t, "ae", file))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range cdisc.Queries(events) {
		got = append(got, q.USUBJID+string(rune('0'+q.Seq))+" "+q.Rule)
		if !strings.Contains(q.Text, "AESER") || !strings.Contains(q.Text, "correct") {
			t.Errorf("the text names no field or remedy: %s", q.Text)
		}
	}
	if want := []string{"p2 fatal-not-serious", "p3 fatal-not-serious", "q1 fatal-not-serious"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRowRefusals: events, exposure and scores that no trial has are refused
// with file, line and column.
func TestRowRefusals(t *testing.T) {
	t.Parallel()
	events := func(x *cdisc.Table) error { _, err := cdisc.AdverseEvents(x); return err }
	given := func(x *cdisc.Table) error { _, err := cdisc.Exposures(x); return err }
	scores := func(x *cdisc.Table) error { _, err := cdisc.Scores(x); return err }
	for name, c := range map[string]struct {
		read       func(*cdisc.Table) error
		file, want string
	}{
		"no column":           {events, "USUBJID,AESEQ\n", "x:1: no column is named AETERM"},
		"event twice":         {events, aeHead + aGoodAE + aGoodAE, `x:3: AESEQ: "p/1" is on line 2 already`},
		"no number":           {events, aeHead + "p,NA,X,MILD,N,,N,2013-05-02,2013-05-01\n", "x:2: AESEQ: missing"},
		"no term":             {events, aeHead + "p,1,,MILD,N,,N,2013-05-02,2013-05-01\n", "x:2: AETERM: missing"},
		"severity":            {events, aeHead + "p,1,X,BAD,N,,N,2013-05-02,2013-05-01\n", `x:2: AESEV: "BAD"; one of`},
		"serious":             {events, aeHead + "p,1,X,MILD,yes,,N,2013-05-02,2013-05-01\n", `x:2: AESER: "yes"; one of`},
		"date":                {events, aeHead + "p,1,X,MILD,N,,N,2013-13-02,2013-05-01\n", `x:2: AEDTC: "2013-13-02" is not an ISO 8601 date`},
		"exposure ends early": {given, exHead + "p,1,PLACEBO,2013-05-02,2013-05-01\n", "x:2: EXENDTC: 2013-05-01 is before the start"},
		"exposure twice":      {given, exHead + "p,1,A,2013,NA\np,1,B,2013,NA\n", `x:3: EXSEQ: "p/1" is on line 2 already`},
		"no treatment":        {given, exHead + "p,1,NA,2013,NA\n", "x:2: EXTRT: missing"},
		"score of 0":          {scores, qsHead + "p,A,Week 8,0,Y,Y,\n", "x:2: AVAL: a score of CIBIC+ is 1 to 7"},
		"score of 8":          {scores, qsHead + "p,A,Week 8,8,Y,Y,\n", "x:2: AVAL: a score of CIBIC+ is 1 to 7"},
		"no score":            {scores, qsHead + "p,A,Week 8,,Y,Y,\n", "x:2: AVAL: a score of CIBIC+ is 1 to 7"},
		"score of a half":     {scores, qsHead + "p,A,Week 8,4.5,Y,Y,\n", `x:2: AVAL: "4.5" is not a whole number`},
		"another derivation":  {scores, qsHead + "p,A,Week 8,4,Y,Y,WOCF\n", `x:2: DTYPE: "WOCF"; one of`},
		"two analysed":        {scores, qsHead + "p,A,Week 8,4,Y,Y,\np,A,Week 8,5,Y,Y,LOCF\n", `x:3: ANL01FL: "p/Week 8" has its analysed record on line 2 already`},
	} {
		err := c.read(table(t, "x", c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant an error with %q", name, err, c.want)
		}
	}
}

// FuzzRows looks for a row that makes a reader panic or err without a place.
func FuzzRows(f *testing.F) {
	f.Add([]byte(aeHead + aGoodAE))
	f.Add([]byte(exHead + "p,1,PLACEBO,2013-05-01,2013\n"))
	f.Add([]byte(qsHead + "p,A,Week 8,4,Y,Y,LOCF\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := cdisc.Read("f", strings.NewReader(string(data)), cdisc.UTF8)
		if err != nil {
			place(t, err)
			return
		}
		events, err1 := cdisc.AdverseEvents(x)
		_, err2 := cdisc.Exposures(x)
		_, err3 := cdisc.Scores(x)
		for _, err := range []error{err1, err2, err3} {
			if err != nil {
				place(t, err)
			}
		}
		if len(cdisc.Queries(events)) > len(events) {
			t.Error("more queries than events")
		}
	})
}
