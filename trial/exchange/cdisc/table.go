package cdisc

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Limits of one table. The largest of the pilot study is 0.4 MB with 3,559 rows.
const (
	// MaxBytes is the largest file that Read reads.
	MaxBytes = 32 << 20
	// MaxRows is the largest number of rows below the header.
	MaxRows = 500_000
	// MaxColumns is the largest number of columns.
	MaxColumns = 512
)

// Charset is how the bytes of a file stand for characters. It is stated by the
// caller and never guessed: a guess turns a name into another name.
type Charset uint8

// The character sets that trial data come in.
const (
	UTF8 Charset = iota
	Windows1252
)

// Table is one file of data, its rows in the order of the file.
type Table struct {
	name    string
	columns map[string]int
	rows    []row
}

type row struct {
	line   int
	fields []string
}

// Read reads a table; name stands for the file in errors. A byte order mark
// and either line ending are accepted. Rows of unequal length, a column named
// twice and bytes that are not of the stated character set are refused.
func Read(name string, r io.Reader, charset Charset) (*Table, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cdisc: %s: %w", name, err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("cdisc: %s: more than %d bytes; split the table", name, MaxBytes)
	}
	data, err = decode(name, data, charset)
	if err != nil {
		return nil, err
	}
	t := &Table{name: name, columns: map[string]int{}}
	in := csv.NewReader(bytes.NewReader(data))
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cdisc: %s: empty; the first line must name the columns", name)
	}
	if err != nil {
		return nil, t.broken(err)
	}
	if err := t.head(header); err != nil {
		return nil, err
	}
	if err := t.body(in); err != nil {
		return nil, err
	}
	return t, nil
}

// decode returns the bytes as UTF-8 without a byte order mark.
func decode(name string, data []byte, charset Charset) ([]byte, error) {
	if charset == Windows1252 {
		out, err := charmap.Windows1252.NewDecoder().Bytes(data)
		if err != nil {
			return nil, fmt.Errorf("cdisc: %s: not Windows-1252: %w", name, err)
		}
		return out, nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return data, nil
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(data[:at], '\n')
	return nil, fmt.Errorf("cdisc: %s:%d: byte %d of the line (0x%02x) is not UTF-8; save the file as UTF-8 or state its character set",
		name, line, column, data[at])
}

func (t *Table) broken(err error) error {
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("cdisc: %s:%d: column %d: %w", t.name, broken.Line, broken.Column, broken.Err)
	}
	return fmt.Errorf("cdisc: %s: %w", t.name, err)
}

func (t *Table) head(header []string) error {
	if len(header) > MaxColumns {
		return fmt.Errorf("cdisc: %s:1: %d columns; at most %d", t.name, len(header), MaxColumns)
	}
	for i, column := range header {
		column = strings.ToUpper(strings.TrimSpace(column))
		if column == "" {
			return fmt.Errorf("cdisc: %s:1: column %d has no name", t.name, i+1)
		}
		if first, twice := t.columns[column]; twice {
			return fmt.Errorf("cdisc: %s:1: columns %d and %d are both named %s", t.name, first+1, i+1, column)
		}
		t.columns[column] = i
	}
	return nil
}

func (t *Table) body(in *csv.Reader) error {
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return t.broken(err)
		}
		line, _ := in.FieldPos(0)
		if len(t.rows) == MaxRows {
			return fmt.Errorf("cdisc: %s:%d: more than %d rows; split the table", t.name, line, MaxRows)
		}
		t.rows = append(t.rows, row{line: line, fields: fields})
	}
}

// Len is the number of rows below the header.
func (t *Table) Len() int { return len(t.rows) }

// Has says whether the table has a column of this name.
func (t *Table) Has(column string) bool {
	_, found := t.columns[column]
	return found
}

// require refuses a table that lacks a column.
func (t *Table) require(columns ...string) error {
	for _, c := range columns {
		if !t.Has(c) {
			return fmt.Errorf("cdisc: %s:1: no column is named %s", t.name, c)
		}
	}
	return nil
}
