package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/tx"
)

// benched runs the bench with small numbers and returns what it prints as JSON.
func benched(t *testing.T, args ...string) (b ledgerBench, raw []byte) {
	t.Helper()
	if testing.Short() {
		t.Skip("a measurement takes seconds")
	}
	args = append([]string{"bench", "ledger", "--json", "--runs=1", "--entries=1000", "--recovery=2000", "--dir", t.TempDir()}, args...)
	var out, diagnostics bytes.Buffer
	if code := run(args, &out, &diagnostics); code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics.String())
	}
	if err := json.Unmarshal(out.Bytes(), &b); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return b, out.Bytes()
}

// The form of the result is relied on outside: its names are fixed.
func TestBenchLedgerForm(t *testing.T) {
	_, raw := benched(t, "--clients=16,64")
	var got struct {
		Runs []struct {
			System        string   `json:"system"`
			Clients       int      `json:"clients"`
			Signed        *bool    `json:"signed"`
			PerS          *float64 `json:"per_s"`
			P50           *float64 `json:"p50_ms"`
			P99           *float64 `json:"p99_ms"`
			BytesPerEntry *float64 `json:"bytes_per_entry"`
			Memory        *float64 `json:"memory_mb"`
		} `json:"runs"`
		ReceiptBytes int     `json:"receipt_bytes"`
		Proof        float64 `json:"proof_us"`
		Recovery     float64 `json:"recovery_s"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	type run struct {
		clients int
		signed  bool
	}
	var runs []run
	for _, r := range got.Runs {
		if r.System != "solo" || r.Signed == nil {
			t.Fatalf("a run of %q: %+v", r.System, r)
		}
		runs = append(runs, run{r.Clients, *r.Signed})
		figures := []*float64{r.PerS, r.P50, r.P99, r.BytesPerEntry}
		if _, err := os.Stat("/proc/self/status"); err == nil {
			figures = append(figures, r.Memory)
		}
		for i, x := range figures {
			if x == nil || *x <= 0 {
				t.Errorf("figure %d of %+v was not measured", i, r)
			}
		}
	}
	if want := []run{{16, true}, {64, true}, {16, false}, {64, false}}; !slices.Equal(runs, want) {
		t.Errorf("runs %v, want %v", runs, want)
	}
	if got.ReceiptBytes <= 0 || got.Proof <= 0 || got.Recovery <= 0 {
		t.Errorf("not measured: %+v", got)
	}
}

// fakePeer prints what it was asked, as a peer that does nothing would.
const fakePeer = `package main

import ("flag"; "fmt"; "os")

func main() {
	system, dir, file := flag.String("system", "", ""), flag.String("dir", "", ""), flag.String("transactions", "", "")
	clients, entries, size := flag.Int("clients", 0, ""), flag.Int("entries", 0, ""), flag.Int("size", 0, "")
	flag.String("limit", "", "")
	flag.Parse()
	if files, err := os.ReadDir(*dir); err != nil || len(files) > 0 { panic("the directory is not fresh") }
	if info, err := os.Stat(*file); err != nil || info.Size() < int64(*entries**size) { panic("transactions are missing") }
	fmt.Printf("{\"system\":%q,\"clients\":%d,\"entries\":%d,\"per_s\":2,\"p50_ms\":1,\"p99_ms\":4,\"memory_mb\":8}\n", *system, *clients, *entries)
}
`

// TestBenchLedgerPairs: every peer is run as often as ours beside it, and the
// ratios are of those pairs.
func TestBenchLedgerPairs(t *testing.T) {
	source, docs := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"go.mod": "module peers\n\ngo 1.26\n", "main.go": fakePeer} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page := "before\n"
	for _, title := range []string{"systems", "ratios", "figures"} {
		page += "<!-- " + title + " -->\nold\n<!-- end of " + title + " -->\nbetween\n"
	}
	if err := os.WriteFile(filepath.Join(docs, "ledger.md"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ := benched(t, "--clients=64", "--peers", source, "--docs", docs)
	perS := map[string]float64{}
	for _, r := range b.Runs {
		perS[r.System+map[bool]string{true: " signed"}[r.Signed]] = r.PerS
	}
	if len(perS) != 2+len(peerSystems) {
		t.Errorf("systems: %v", perS)
	}
	seen := 0
	for _, r := range b.Ratios {
		if r.Ratio <= 0 {
			t.Errorf("a ratio that was not measured: %+v", r)
		}
		if r.Peer == "pebble" && r.Figure == "per_s" {
			seen++
			// There is one unsigned run beside pebble and one beside sqlite; the
			// median of two is the larger.
			if r.Ours != "solo, unsigned" || r.Ratio > perS["solo"]/2 {
				t.Errorf("%+v with %v", r, perS)
			}
		}
	}
	if seen != 1 {
		t.Errorf("ratios: %+v", b.Ratios)
	}
	written, err := os.ReadFile(filepath.Join(docs, "ledger.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n<!-- systems -->\n| system |", "| tessera | 64 | 2 |", "<!-- end of figures -->\nbetween\n"} {
		if !strings.Contains(string(written), want) {
			t.Errorf("ledger.md lacks %q:\n%s", want, written)
		}
	}
	if strings.Contains(string(written), "old") {
		t.Errorf("an old table stands:\n%s", written)
	}
}

func TestBenchLedgerGrowth(t *testing.T) {
	docs := t.TempDir()
	if err := os.WriteFile(filepath.Join(docs, "ledger.md"), []byte("<!-- growth -->\n<!-- end of growth -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _ := benched(t, "--clients=64", "--growth", "--top=10000", "--docs", docs)
	if len(b.Growth) != 1 || b.Growth[0].Entries != 10_000 {
		t.Fatalf("growth: %+v", b.Growth)
	}
	s := b.Growth[0]
	for i, x := range []float64{s.PerS, s.P99, s.BytesPerEntry, s.Recovery, s.Proof, s.Verify, float64(s.ReceiptBytes)} {
		if x <= 0 {
			t.Errorf("figure %d was not measured: %+v", i, s)
		}
	}
	plot, err := os.ReadFile(filepath.Join(docs, "ledger-growth.svg"))
	if err != nil || !bytes.Contains(plot, []byte("10⁴")) {
		t.Errorf("the plot: %v: %s", err, plot)
	}
}

func TestBenchLedgerRefusesNumbers(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"--entries 1", "--recovery 1", "--runs 0", "--clients 0", "--clients 5000", "--clients 64,64", "--limit 1ms", "--top 1", "--peers no/such/place",
	} {
		var out, diagnostics bytes.Buffer
		code := run(append([]string{"bench", "ledger", "--dir", t.TempDir()}, strings.Fields(args)...), &out, &diagnostics)
		if code == 0 || !strings.Contains(diagnostics.String(), "hint") {
			t.Errorf("%s: exit code %d: %s", args, code, diagnostics.String())
		}
	}
}

// TestBenchLedgerChecksSignatures: the signed ledger does verify, and the
// unsigned one is the control.
func TestBenchLedgerChecksSignatures(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "transactions")
	if err := writeEntries(t.Context(), file, 3, 2, time.Now().Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(file)
	if err != nil || len(all) != 3*benchSize {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	for name, machine := range map[string]*entryMachine{"signed": {}, "unsigned": {unsigned: true}} {
		l, err := openBench(t.TempDir(), machine)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := grantSigners(t.Context(), l, time.Now().Add(time.Hour).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if err := enterEntry(t.Context(), l, all[:benchSize]); err != nil {
			t.Errorf("%s: a good one: %v", name, err)
		}
		e, err := tx.Decode(all[benchSize : 2*benchSize])
		if err != nil {
			t.Fatal(err)
		}
		e.Signature[5] ^= 1
		for which, raw := range map[string][]byte{"forged": e.Encode(), "filled in": all[2*benchSize:]} {
			if err := enterEntry(t.Context(), l, raw); (err == nil) != machine.unsigned {
				t.Errorf("%s: a %s one: %v", name, which, err)
			}
		}
	}
}

// A run that fails says why, in the words of the process that failed.
func TestBenchLedgerTellsWhyARunFailed(t *testing.T) {
	t.Parallel()
	b := ledgerBenching{work: t.TempDir(), file: filepath.Join(t.TempDir(), "absent")}
	load := benchLoad{Clients: 1, N: 1}
	_, _, killed := b.killed(t.Context(), load)
	_, ours := b.ours(t.Context(), load)
	for name, err := range map[string]error{"killed": killed, "ours": ours} {
		if err == nil || !strings.Contains(err.Error(), "absent: no such file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, err := os.ReadDir(b.work); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	var l latencies
	var all []float64
	for i := range 10_000 {
		d := time.Duration(1+i*i) * time.Microsecond
		l.add(d)
		all = append(all, milliseconds(d))
	}
	for _, q := range []float64{0.01, 0.5, 0.99, 1} {
		want := all[int(q*float64(len(all)-1))]
		if got := l.quantile(q); got < want*0.96 || got > want*1.04 {
			t.Errorf("quantile %g: %g ms, want %g", q, got, want)
		}
	}
	if empty := new(latencies).quantile(0.5); empty != 0 {
		t.Errorf("of nothing: %g", empty)
	}
}

func TestRatioIsJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    ledgerRatio
		want string
	}{
		{ledgerRatio{Figure: "per_s", Peer: "tessera", Clients: 64, Ratio: 1.4}, "at least 1.4: met"},
		{ledgerRatio{Figure: "per_s", Peer: "tessera", Clients: 64, Ratio: 1.39}, "at least 1.4: not met"},
		{ledgerRatio{Figure: "p99_ms", Peer: "tessera", Clients: 1024, Ratio: 0.5}, "at most 0.5: met"},
		{ledgerRatio{Figure: "memory_mb", Peer: "immudb", Clients: 64, Ratio: 0.36}, "at most 0.35: not met"},
		{ledgerRatio{Figure: "per_s", Peer: "tessera", Clients: 65, Ratio: 9}, ""},
		{ledgerRatio{Figure: "per_s", Peer: "sqlite", Clients: 64, Ratio: 9}, ""},
	} {
		if got := c.r.judged().aim(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.r, got, c.want)
		}
	}
}

func TestDocumentNeedsItsMarks(t *testing.T) {
	t.Parallel()
	empty := table{title: "growth", rows: [][]string{{"entries"}}}
	for _, text := range []string{"", "<!-- growth -->\n", "<!-- end of growth -->\n<!-- growth -->\n"} {
		if _, err := fill(text, empty); err == nil {
			t.Errorf("%q was filled", text)
		}
	}
}

// TestPlotSpeaks: the drawing is well-formed, and says every value in text.
func TestPlotSpeaks(t *testing.T) {
	t.Parallel()
	drawn := svg("a < b", growthPanels([]growthStep{
		{Entries: 10_000, PerS: 31_234, Recovery: 0.125, ReceiptBytes: 1111}, {Entries: 100_000, PerS: 29_876, Recovery: 0.25, ReceiptBytes: 1222},
	}))
	var desc, texts string
	var in string
	d := xml.NewDecoder(strings.NewReader(drawn))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			in = x.Name.Local
		case xml.EndElement:
			in = ""
		case xml.CharData:
			switch in {
			case "desc":
				desc += string(x)
			case "text":
				texts += string(x) + "\n"
			}
		}
	}
	for _, want := range []string{"31234", "29876", "0.12", "0.25", "1111", "1222", "10⁵"} {
		if !strings.Contains(desc, want) || !strings.Contains(texts, want) {
			t.Errorf("%s is missing: desc %q, texts %q", want, desc, texts)
		}
	}
}
