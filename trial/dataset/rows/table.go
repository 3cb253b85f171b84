// Package rows commits to a table row by row, so that one row can be opened and
// proven without showing another.
//
// A row's content is the canonical CBOR of [dataset, number, schema, cells]: it
// names its dataset, its place (1 is the first row below the header) and the
// hash of the column names, so that it proves nothing under other headings. Its
// commitment is H("commit", "row", salt, content). The commitments, in the
// order of the rows, are the leaves of a Merkle tree as RFC 6962 hashes it.
//
// Salts come from a secret of the dataset and the row's content:
//
//	salt = HKDF-SHA-256(secret, no salt, "trialith/v1/row" ‖ 0x00 ‖ content)
//
// An opened row's salt says nothing of another's. Rows have few likely values,
// such as one of three arms: without the secret no commitment can be tried.
package rows

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a table.
const (
	MaxBytes      = 32 << 20 // of a file
	MaxRows       = 500_000
	MaxColumns    = 512
	MaxColumnName = 64       // bytes
	MaxName       = 32       // bytes of a dataset's name
	MaxCell       = 64 << 10 // bytes
)

// Subject is the column that names the person whom a row is about, as SDTM and
// ADaM call it.
const Subject = "USUBJID"

// Table is a dataset. Cells are text, letter by letter as the file has them;
// nothing is trimmed, and no word stands for missing.
type Table struct {
	Dataset string
	Columns []string
	Cells   [][]string // by row, each as long as Columns
}

// Read reads a comma-separated table (RFC 4180): UTF-8, the first line names
// the columns, each row has as many cells. A byte order mark and either line
// ending are accepted and change nothing.
func Read(dataset string, r io.Reader) (*Table, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dataset, err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: more than %d bytes; split the table", dataset, MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	in := csv.NewReader(bytes.NewReader(data))
	var all [][]string
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dataset, err)
		}
		if len(all) > MaxRows {
			return nil, fmt.Errorf("%s: more than %d rows; split the table", dataset, MaxRows)
		}
		all = append(all, row)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: empty; the first line must name the columns", dataset)
	}
	t := &Table{Dataset: dataset, Columns: all[0], Cells: all[1:]}
	return t, t.Check()
}

// Check says why a table cannot be committed to.
func (t *Table) Check() error {
	if err := checkHead(t.Dataset, t.Columns); err != nil {
		return err
	}
	if len(t.Cells) > MaxRows {
		return fmt.Errorf("%s: %d rows; at most %d", t.Dataset, len(t.Cells), MaxRows)
	}
	for i, row := range t.Cells {
		if err := checkCells(t.Columns, row); err != nil {
			return fmt.Errorf("%s: row %d: %w", t.Dataset, i+1, err)
		}
	}
	return nil
}

func checkHead(dataset string, columns []string) error {
	if len(dataset) == 0 || len(dataset) > MaxName || strings.Trim(dataset, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return fmt.Errorf("dataset: %q; 1 to %d of a to z, 0 to 9, - and _, such as adsl", clip(dataset), MaxName)
	}
	if n := len(columns); n == 0 || n > MaxColumns {
		return fmt.Errorf("%s: columns: %d; 1 to %d", dataset, n, MaxColumns)
	}
	for i, c := range columns {
		if len(c) == 0 || len(c) > MaxColumnName || !utf8.ValidString(c) {
			return fmt.Errorf("%s: column %d: a name has 1 to %d bytes of UTF-8", dataset, i+1, MaxColumnName)
		}
		if first := slices.Index(columns, c); first != i {
			return fmt.Errorf("%s: columns %d and %d are both named %s", dataset, first+1, i+1, c)
		}
	}
	return nil
}

func checkCells(columns, cells []string) error {
	if len(cells) != len(columns) {
		return fmt.Errorf("%d cells; the header has %d columns", len(cells), len(columns))
	}
	for i, c := range cells {
		if len(c) > MaxCell {
			return fmt.Errorf("%s: %d bytes; at most %d", columns[i], len(c), MaxCell)
		}
		if !utf8.ValidString(c) {
			return fmt.Errorf("%s: not UTF-8; save the file as UTF-8", columns[i])
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// Subjects counts the persons whom the rows are about; 0 where no column names
// them.
func (t *Table) Subjects() uint64 {
	at := slices.Index(t.Columns, Subject)
	if at < 0 {
		return 0
	}
	seen := make(map[string]bool)
	for _, row := range t.Cells {
		if row[at] != "" {
			seen[row[at]] = true
		}
	}
	return uint64(len(seen))
}

// Canonical is the table as bytes, equal for equal tables: UTF-8 without a byte
// order mark, every cell in quotes, quotes doubled, each line ended by LF.
func (t *Table) Canonical() []byte {
	var b []byte
	b = appendLine(b, t.Columns)
	for _, row := range t.Cells {
		b = appendLine(b, row)
	}
	return b
}

func appendLine(b []byte, cells []string) []byte {
	for i, c := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(c, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, '\n')
}
