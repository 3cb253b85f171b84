package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// growthStep is a ledger of some size.
type growthStep struct {
	Entries int `json:"entries"`
	// PerS is the rate over the last tenth of the entries, signed.
	PerS          float64 `json:"per_s"`
	P99           float64 `json:"p99_ms"` // over all
	BytesPerEntry float64 `json:"bytes_per_entry"`
	Memory        float64 `json:"memory_mb,omitempty"`
	Recovery      float64 `json:"recovery_s"`
	Proof         float64 `json:"proof_us"`
	Verify        float64 `json:"verify_us"`
	ReceiptBytes  int     `json:"receipt_bytes"`
}

// grow measures a ledger of each power of ten up to the top, each filled anew
// from as many clients as there may be, killed, and opened again.
func (b *ledgerBenching) grow(ctx context.Context) error {
	for n := 10_000; n <= b.top; n *= 10 {
		b.say("a ledger of %d transactions", n)
		m, r, err := b.killed(ctx, benchLoad{Clients: slices.Max(b.clients), N: n})
		if err != nil {
			return err
		}
		b.result.Growth = append(b.result.Growth, growthStep{
			Entries: n, PerS: m.LastPerS, P99: m.P99, BytesPerEntry: m.BytesPerEntry, Memory: m.Memory,
			Recovery: r.Recovery, Proof: r.Proof, Verify: r.Verify, ReceiptBytes: r.ReceiptBytes,
		})
	}
	return nil
}

func growthTable(steps []growthStep) table {
	t := table{title: "growth", rows: [][]string{{
		"entries", "a second", "p99 ms", "bytes an entry", "memory MB", "recovery s", "receipt µs", "verify µs", "receipt bytes",
	}}}
	for _, s := range steps {
		t.rows = append(t.rows, []string{
			power(s.Entries), fmt.Sprintf("%.0f", s.PerS), fmt.Sprintf("%.1f", s.P99), fmt.Sprintf("%.0f", s.BytesPerEntry),
			unlessZero("%.0f", s.Memory), fmt.Sprintf("%.2f", s.Recovery), fmt.Sprintf("%.0f", s.Proof), fmt.Sprintf("%.0f", s.Verify),
			fmt.Sprint(s.ReceiptBytes),
		})
	}
	return t
}

// power writes a power of ten as one.
func power(n int) string {
	zeros := len(strconv.Itoa(n)) - 1
	return "10" + strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, strconv.Itoa(zeros))
}

// growthPanels are the plot's.
func growthPanels(steps []growthStep) []panel {
	panels := []panel{
		{title: "transactions a second, the last tenth", format: "%.0f"},
		{title: "bytes on the disk, an entry", format: "%.0f"},
		{title: "peak memory, MB", format: "%.0f"},
		{title: "recovery after a kill, seconds", format: "%.2f"},
		{title: "making a receipt, µs", format: "%.0f"},
		{title: "receipt, bytes", format: "%.0f"},
	}
	for _, s := range steps {
		for i, y := range []float64{s.PerS, s.BytesPerEntry, s.Memory, s.Recovery, s.Proof, float64(s.ReceiptBytes)} {
			panels[i].points = append(panels[i].points, point{power(s.Entries), y})
		}
	}
	return panels
}

// documentable says before anything is measured whether it can be written down.
func (f *ledgerFlags) documentable() error {
	if f.docs == "" {
		return nil
	}
	titles := []string{"systems", "ratios", "figures"}
	if f.growth {
		titles = []string{"growth"}
	}
	page, err := os.ReadFile(filepath.Join(f.docs, "ledger.md"))
	for _, title := range titles {
		if err == nil {
			_, err = fill(string(page), table{title: title})
		}
	}
	if err != nil {
		return hint(fmt.Errorf("--docs %s: %w", f.docs, err), "run it in the checkout: --docs docs")
	}
	return nil
}

// document writes the tables into ledger.md, each between its two marks, and
// the plot beside it.
func (r *ledgerBench) document(f ledgerFlags) error {
	path := filepath.Join(f.docs, "ledger.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(page)
	for _, t := range r.tables() {
		if text, err = fill(text, t); err != nil {
			return fmt.Errorf("%s: %w", path, err) // somebody changed it meanwhile
		}
	}
	var plot error
	if len(r.Growth) > 0 {
		plot = os.WriteFile(filepath.Join(f.docs, "ledger-growth.svg"), []byte(svg("How the ledger grows", growthPanels(r.Growth))), 0o644)
	}
	return errors.Join(plot, os.WriteFile(path, []byte(text), 0o644)) //nolint:gosec // the command line names it
}

// fill puts a table between the marks of its title.
func fill(text string, t table) (string, error) {
	begin, end := "<!-- "+t.title+" -->\n", "<!-- end of "+t.title+" -->\n"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the marks %q and %q are not there", strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + t.markdown() + end + after, nil
}
