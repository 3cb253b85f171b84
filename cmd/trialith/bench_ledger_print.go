package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is what both the terminal and the documentation show.
type table struct {
	title string
	rows  [][]string // the first is the head
}

// figureNames are how people call the figures of ratios.
var figureNames = map[string]string{"per_s": "rate", "p99_ms": "p99", "memory_mb": "memory"}

func (r *ledgerBench) tables() []table {
	if len(r.Growth) > 0 {
		return []table{growthTable(r.Growth)}
	}
	systems := table{title: "systems", rows: [][]string{{"system", "clients", "a second", "p50 ms", "p99 ms", "bytes an entry", "memory MB", "CPU µs an entry"}}}
	for _, run := range r.Runs {
		name := run.System
		if name == "solo" {
			name = soloName(run.Signed)
		}
		systems.add(name, run)
	}
	for _, run := range r.Writing {
		systems.add("solo, writing state", run)
	}
	ratios := table{title: "ratios", rows: [][]string{{"ours", "to", "of", "clients", "ratio", "aim"}}}
	for _, x := range r.Ratios {
		if x.Aim == 0 && x.Figure != "per_s" {
			continue
		}
		ratios.rows = append(ratios.rows, []string{
			x.Ours, x.Peer, figureNames[x.Figure], fmt.Sprint(x.Clients), fmt.Sprintf("%.2f", x.Ratio), x.aim(),
		})
	}
	return []table{systems, ratios, r.single()}
}

func (t *table) add(name string, run ledgerRun) {
	t.rows = append(t.rows, []string{
		name, fmt.Sprint(run.Clients), fmt.Sprintf("%.0f", run.PerS), fmt.Sprintf("%.2f", run.P50), fmt.Sprintf("%.2f", run.P99),
		fmt.Sprintf("%.0f", run.BytesPerEntry), unlessZero("%.0f", run.Memory), fmt.Sprintf("%.1f", 1e6*run.CPU/float64(run.Entries)),
	})
}

// unlessZero does not state what was not measured.
func unlessZero(format string, x float64) string {
	if x == 0 {
		return "not measured"
	}
	return fmt.Sprintf(format, x)
}

// single are the figures that stand alone.
func (r *ledgerBench) single() table {
	recovery := "" // the aim is of a million
	if r.RecoveryEntries >= 1_000_000 {
		recovery = aimed("below", aimRecovery, r.Recovery < aimRecovery)
	}
	return table{title: "figures", rows: [][]string{
		{"figure", "measured", "aim"},
		{"receipt, the largest of many", fmt.Sprintf("%d bytes", r.ReceiptBytes), aimed("at most", aimReceiptBytes, r.ReceiptBytes <= aimReceiptBytes)},
		{"receipt, to make", fmt.Sprintf("%.0f µs", r.Proof), ""},
		{"receipt, to verify", fmt.Sprintf("%.0f µs", r.Verify), ""},
		{fmt.Sprintf("recovery after a kill, %d entries", r.RecoveryEntries), fmt.Sprintf("%.2f s", r.Recovery), recovery},
		{"memory while these were entered", unlessZero("%.0f MB", r.RecoveryMemory), ""},
		{singly, fmt.Sprintf("%.0f a second", r.Single), ""},
		{"sync of 4 KiB", fmt.Sprintf("%.0f µs", r.Sync), ""},
		{"machine", fmt.Sprintf("%s, %d cores", r.Machine, r.Cores), ""},
	}}
}

// print writes the tables for readers.
func (r *ledgerBench) print(out io.Writer) error {
	for i, t := range r.tables() {
		if i > 0 {
			fmt.Fprintln(out)
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, row := range t.rows {
			fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// markdown is the table as documents have it.
func (t table) markdown() string {
	var b strings.Builder
	for i, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}
