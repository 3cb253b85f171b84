package cdisc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/trialith/trialith/trial"
)

// Row reads the cells of one row. The first cell that cannot be read is kept
// and returned by Err, so that a whole row can be read before looking.
type Row struct {
	table *Table
	row   row
	err   error
}

// Row returns row i, from 0.
func (t *Table) Row(i int) *Row { return &Row{table: t, row: t.rows[i]} }

// Err is the first complaint about this row: its file, line and column.
func (r *Row) Err() error { return r.err }

// Fail keeps a complaint about a column, unless there is one already.
func (r *Row) Fail(column, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("cdisc: %s:%d: %s: %s", r.table.name, r.row.line, column, fmt.Sprintf(format, args...))
	}
}

// Text is the cell, or "" where it is missing or the table has no such column.
// NA is R's word for missing and never a value.
func (r *Row) Text(column string) string {
	i, found := r.table.columns[column]
	if !found {
		return ""
	}
	s := strings.TrimSpace(r.row.fields[i])
	if s == "NA" {
		return ""
	}
	return s
}

// Need is Text for a cell that must not be missing.
func (r *Row) Need(column string) string {
	s := r.Text(column)
	if s == "" {
		r.Fail(column, "missing; every row needs it")
	}
	return s
}

// Count is a whole number from 0 to 2^32-1, or nil where missing.
func (r *Row) Count(column string) *uint32 {
	s := r.Text(column)
	if s == "" {
		return nil
	}
	v, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		r.Fail(column, "%q is not a whole number from 0 to 4294967295", clip(s))
		return nil
	}
	out := uint32(v)
	return &out
}

// Flag is whether the cell says Y. N and missing are no; anything else is refused.
func (r *Row) Flag(column string) bool { return r.one(column, "", "N", "Y") == "Y" }

// one is a cell that must be one of a few words; "" among them allows missing.
func (r *Row) one(column string, words ...string) string {
	s := r.Text(column)
	if !slices.Contains(words, s) {
		r.Fail(column, "%q; one of %q", clip(s), words)
	}
	return s
}

// sequence is a --SEQ number, which must be there.
func (r *Row) sequence(column string) uint32 {
	r.Need(column)
	if n := r.Count(column); n != nil {
		return *n
	}
	return 0
}

// SASDay is a day written as SAS counts them, or nil where missing.
func (r *Row) SASDay(column string) *trial.Day {
	s := r.Text(column)
	if s == "" {
		return nil
	}
	v, err := strconv.ParseInt(s, 10, 32)
	if err != nil || v < minSAS || v > maxSAS {
		r.Fail(column, "%q is not a SAS day number (days since 1960-01-01)", clip(s))
		return nil
	}
	day := DayOfSAS(int32(v))
	return &day
}

// Date is a date at its own precision; the zero Date where missing.
func (r *Row) Date(column string) Date {
	s := r.Text(column)
	if s == "" {
		return Date{}
	}
	d, err := ParseDate(s)
	if err != nil {
		r.Fail(column, "%s", err)
	}
	return d
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
