package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// browserBench is what "trialith bench browser --json" prints. Times are medians
// in milliseconds by the browser's clock; the keys of the maps are numbers of
// workers, or by how much the browser's pages and workers were slowed down.
type browserBench struct {
	Prepare   map[string]float64 `json:"prepare_ms"`
	Finish    float64            `json:"finish_ms"`    // two workers
	Semaphore map[string]float64 `json:"semaphore_ms"` // empty without the peer
	First     visit              `json:"first_visit_bytes"`
	Throttled map[string]float64 `json:"throttled"` // prepare with two workers

	// More than the fixed form: what stands behind it.
	FinishThrottled map[string]float64  `json:"finish_throttled_ms"`
	Ratio           map[string]float64  `json:"prepare_ratio,omitempty"` // ours to the peer's, by workers and threads
	Cold            map[string]opening  `json:"cold"`                    // the first of a fresh profile
	Warm            map[string]opening  `json:"warm"`                    // the next, with what the browser kept
	Slowed          map[string]slowness `json:"throttling"`
	Method          string              `json:"throttling_method"`
	Browser         string              `json:"browser"`
	Cores           int                 `json:"cores"`
	Runs            int                 `json:"runs"`
	Verified        int                 `json:"proofs_verified"`
}

// visit is what a first visit loads: the page, its styles and scripts, and the
// prover's files, each once.
type visit struct {
	Raw    int            `json:"raw"`
	Brotli int            `json:"brotli"` // as it is served to a browser that takes brotli
	Files  map[string]int `json:"files"`  // as served
}

// opening is the way to the first proof.
type opening struct {
	Open    float64 `json:"open_ms"`  // download included, from the loopback address
	Ready   float64 `json:"ready_ms"` // from the last byte of the download
	Prepare float64 `json:"prepare_ms"`
	Finish  float64 `json:"finish_ms"`
}

// slowness is how much slower a loop in a worker ran.
type slowness struct {
	Asked    float64 `json:"asked"`
	Measured float64 `json:"measured"`
}

// browserAims are what the prover of the participant's browser must reach.
var browserAims = struct {
	ratio, finish, firstVisit, ready, slow float64
}{ratio: 0.16, finish: 5, firstVisit: 900_000, ready: 300, slow: 1300}

type browserFlags struct {
	json bool
	runs int
	peer string
}

func benchBrowserCommand() *cobra.Command {
	var f browserFlags
	c := &cobra.Command{
		Use:   "browser",
		Short: "Measure the prover of the participant's browser",
		Long: `Measure the prover of the participant's browser in a headless Chromium on this
machine: preparing a proof and finishing it with one worker and with two, in turns
with the peer (Semaphore of depth 20 by snarkjs, in the same browser), the bytes of
a first visit, and preparing in a browser that runs four and six times slower.
Every proof that is measured is checked by our verifier.

The peer is what --peer names: a directory with the peer's packages installed, or
"none". Without the flag it is circuits/bench/semaphore of the sources that this
program was compiled from, where npm installs the packages if they are missing.`,
		Example: "  trialith bench browser\n  trialith bench browser --json --peer circuits/bench/semaphore",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBrowserBench(c, f) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON on standard output")
	c.Flags().IntVar(&f.runs, "runs", 15, "`rounds` of which each figure is the median")
	c.Flags().StringVar(&f.peer, "peer", "", "`directory` of the peer, with its packages installed, or \"none\"")
	return c
}

func runBrowserBench(c *cobra.Command, f browserFlags) error {
	if f.runs < 1 || f.runs > 1000 {
		return hint(fmt.Errorf("--runs %d: 1 to 1000", f.runs), "15 give a steady median")
	}
	say := func(format string, args ...any) { fmt.Fprintf(c.ErrOrStderr(), "trialith: "+format+"\n", args...) }
	r, err := measureBrowser(c.Context(), f, say)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(c.OutOrStdout()).Encode(r)
	}
	return r.print(c.OutOrStdout())
}

// print writes the table for readers, with the aims beside what has one.
func (r *browserBench) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	aim := func(got, most float64, text string) string {
		if got <= most {
			return fmt.Sprintf("aim: %s, reached", text)
		}
		return fmt.Sprintf("aim: %s, MISSED", text)
	}
	row("browser", "%s, %d cores, medians of %d", r.Browser, r.Cores, r.Runs)
	for _, n := range []string{"1", "2"} {
		row("prepare, workers: "+n, "%.0f ms (the first of a fresh profile: %.0f ms)", r.Prepare[n], r.Cold[n].Prepare)
	}
	row("finish, after the click", "%.1f ms\t%s", r.Finish, aim(r.Finish, browserAims.finish, "at most 5 ms"))
	for _, n := range []string{"1", "2"} {
		if r.Semaphore[n] > 0 {
			row("peer, Semaphore by snarkjs, threads: "+n, "%.0f ms; ours to it %.3f", r.Semaphore[n], r.Ratio[n])
		}
	}
	if ratio := r.Ratio["2"]; ratio > 0 {
		row("prepare and finish, to the peer's", "%.3f\t%s", ratio, aim(ratio, browserAims.ratio, "at most 0.16 with two of each"))
	}
	row("first visit", "%.2f MB brotli, %.2f MB as it is\t%s", float64(r.First.Brotli)/1e6, float64(r.First.Raw)/1e6, aim(float64(r.First.Brotli), browserAims.firstVisit, "at most 0.9 MB"))
	row("ready after the download", "%.0f ms (%.0f ms with what the browser kept)\t%s", r.Cold["2"].Ready, r.Warm["2"].Ready, aim(r.Cold["2"].Ready, browserAims.ready, "at most 300 ms"))
	for _, rate := range throttleRates {
		text := ""
		if rate == "6" {
			text = aim(r.Throttled[rate], browserAims.slow, "at most 1300 ms")
		}
		row("slowed down "+rate+" times", "prepare %.0f ms, finish %.0f ms; a loop in a worker ran %.2f times slower\t%s", r.Throttled[rate], r.FinishThrottled[rate], r.Slowed[rate].Measured, text)
	}
	row("slowed down by", "%s", r.Method)
	row("proofs", "%d, each accepted by our verifier", r.Verified)
	return w.Flush()
}
