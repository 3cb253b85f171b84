// Package cdisc reads the tables of a trial's data as CDISC writes them, SDTM
// and ADaM, from comma-separated files.
//
// A table is read whole, within limits, its columns found by the names in its
// header. Empty and NA are both "missing". Dates keep the precision at which
// they were recorded: an event of 1977 is never turned into one of 1977-01-01.
// Every error names the file, the line and the column.
package cdisc
