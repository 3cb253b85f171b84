package pilot

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the study's files
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/trialith/trialith/trial/exchange/cdisc"
)

// The larger tables are kept compressed; README.md says how.
var (
	//go:embed ae.csv.gz
	ae []byte
	//go:embed dm.csv.gz
	dm []byte
	//go:embed ex.csv.gz
	ex []byte
	//go:embed adqscibc.csv.gz
	adqscibc []byte
)

// Tables are the datasets of the study that Table knows, in the order of their
// names: adqscibc and adsl of ADaM, ae, dm and ex of SDTM.
var Tables = []string{"adqscibc", "adsl", "ae", "dm", "ex"}

// file returns a table of the study as it was published.
func file(name string) ([]byte, error) {
	packed, ok := map[string][]byte{"adqscibc": adqscibc, "ae": ae, "dm": dm, "ex": ex}[name]
	if !ok {
		if name == "adsl" {
			return adsl, nil
		}
		return nil, fmt.Errorf("pilot: no table %q; there are %v", name, Tables)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("pilot: %s: %w", name, err)
	}
	b, err := io.ReadAll(io.LimitReader(r, cdisc.MaxBytes))
	if err != nil {
		return nil, fmt.Errorf("pilot: %s: %w", name, err)
	}
	return b, nil
}

// Rows is a table, letter by letter as published, without the people who were
// screened and never randomised.
type Rows struct {
	Name    string
	Columns []string
	Cells   [][]string
}

// Table returns the rows of the 254 people randomised, in the published order.
func Table(name string) (*Rows, error) {
	b, err := file(name)
	if err != nil {
		return nil, err
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("pilot: %s: %w", name, err)
	}
	out := &Rows{Name: name, Columns: all[0]}
	at := slices.Index(all[0], "USUBJID")
	if at < 0 {
		return nil, fmt.Errorf("pilot: %s: no column USUBJID", name)
	}
	known, err := randomised()
	if err != nil {
		return nil, err
	}
	for _, row := range all[1:] {
		if known[row[at]] {
			out.Cells = append(out.Cells, row)
		}
	}
	return out, nil
}

// CSV is the rows as a comma-separated file.
func (r *Rows) CSV() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	// Writing to memory cannot fail.
	_ = w.Write(r.Columns)
	_ = w.WriteAll(r.Cells)
	return b.Bytes()
}

var randomised = sync.OnceValues(func() (map[string]bool, error) {
	subjects, err := read("adsl", cdisc.Subjects)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		known[s.USUBJID] = true
	}
	return known, nil
})

func read[T any](name string, as func(*cdisc.Table) ([]T, error)) ([]T, error) {
	b, err := file(name)
	if err != nil {
		return nil, err
	}
	table, err := cdisc.Read(name+".csv", bytes.NewReader(b), cdisc.UTF8)
	if err != nil {
		return nil, err
	}
	return as(table)
}

// AdverseEvents returns the 1,191 adverse events of the people randomised, in
// the published order: by person, then by number.
func AdverseEvents() ([]cdisc.AdverseEvent, error) {
	return ofRandomised("ae", cdisc.AdverseEvents, func(e cdisc.AdverseEvent) string { return e.USUBJID })
}

// Exposures returns what was given to the people randomised, and when.
func Exposures() ([]cdisc.Exposure, error) {
	return ofRandomised("ex", cdisc.Exposures, func(e cdisc.Exposure) string { return e.USUBJID })
}

// Demographics returns DM's rows of the people randomised.
func Demographics() ([]cdisc.Person, error) {
	return ofRandomised("dm", cdisc.People, func(p cdisc.Person) string { return p.USUBJID })
}

// CIBIC returns the clinicians' impressions of change of the people randomised.
func CIBIC() ([]cdisc.Score, error) {
	return ofRandomised("adqscibc", cdisc.Scores, func(s cdisc.Score) string { return s.USUBJID })
}

func ofRandomised[T any](name string, as func(*cdisc.Table) ([]T, error), person func(T) string) ([]T, error) {
	rows, err := read(name, as)
	if err != nil {
		return nil, err
	}
	known, err := randomised()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(row T) bool { return !known[person(row)] }), nil
}
