package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// proofBench is what "trialith bench proof --json" prints. Times are in
// milliseconds; the keys of the maps are sizes or numbers of cores.
type proofBench struct {
	Constraints map[string]int     `json:"constraints"` // by capacity
	Prove       map[string]float64 `json:"prove_ms"`    // by cores
	Verify      float64            `json:"verify_ms"`
	Batch       map[string]float64 `json:"batch_ms"` // a proof, one core, by size
	ActsPerS    float64            `json:"acts_per_s"`
	ProofBytes  int                `json:"proof_bytes"`

	// More than the fixed form: what the ratios are made of.
	ProveDeep    float64            `json:"prove_deep_ms,omitempty"` // 2^33, one core
	BatchTwo     map[string]float64 `json:"batch_2_ms"`              // the same on two cores
	ActsCeiling  float64            `json:"acts_ceiling_per_s"`      // the machine's batch verification alone
	ActsMeasured int                `json:"acts"`
	Submitters   int                `json:"submitters"`
	Peer         *peerBench         `json:"peer,omitempty"`
}

type benchFlags struct {
	json bool
	acts int
	runs int
	deep bool
	peer string

	submitters int
}

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "bench", Short: "Measure this machine", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(benchProofCommand(), benchBrowserCommand(), benchLedgerCommand(), benchLoadCommand(), benchRecoverCommand())
	return c
}

func benchProofCommand() *cobra.Command {
	var f benchFlags
	c := &cobra.Command{
		Use:   "proof",
		Short: "Measure the consent proof: proving, verifying, and acts into a durable ledger",
		Long: `Measure the consent proof on this machine: the sizes of the circuits, proving on
one core and on two, verifying one by one and in batches, and acts with real
proofs through the contract into a durable ledger of one node, from submitters
who each send one at a time.

Figures for one core are medians of CPU time, which other work on the machine
disturbs least; figures for two cores and acts are by the clock. With --peer,
each of our runs is followed by one of the peer's, and the ratios are printed.`,
		Example: "  trialith bench proof\n  trialith bench proof --json --acts 512\n  trialith bench proof --deep --peer circuits/bench/semaphore",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBench(c, f) },
	}
	c.Flags().BoolVar(&f.json, "json", false, "print the result as JSON on standard output")
	c.Flags().IntVar(&f.acts, "acts", 512, "how many `acts` to prove beforehand and send")
	c.Flags().IntVar(&f.submitters, "submitters", 256, "how many `submitters` send acts at once")
	c.Flags().IntVar(&f.runs, "runs", 9, "`runs` of which each figure is the median")
	c.Flags().BoolVar(&f.deep, "deep", false, "also prove at a capacity of 2^33; its development keys are made first, which takes half a minute")
	c.Flags().StringVar(&f.peer, "peer", "", "`directory` of the peer, with its packages installed (see its README)")
	return c
}

func (f *benchFlags) validate() error {
	switch {
	case f.acts < 1 || f.acts > 4096:
		return hint(fmt.Errorf("--acts %d: 1 to 4096", f.acts), "256 take about half a minute of proving on two cores")
	case f.submitters < 1 || f.submitters > 1024:
		return hint(fmt.Errorf("--submitters %d: 1 to 1024", f.submitters), "256 keep two cores busy")
	case f.runs < 1 || f.runs > 1000:
		return hint(fmt.Errorf("--runs %d: 1 to 1000", f.runs), "9 give a steady median")
	}
	return nil
}

func runBench(c *cobra.Command, f benchFlags) error {
	if err := f.validate(); err != nil {
		return err
	}
	r, err := measureProof(c.Context(), f, c.ErrOrStderr())
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(c.OutOrStdout()).Encode(r)
	}
	return r.print(c.OutOrStdout())
}

// print writes the table for readers.
func (r *proofBench) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	for _, k := range slices.Sorted(maps.Keys(r.Constraints)) {
		row("constraints, capacity "+k, "%d", r.Constraints[k])
	}
	row("proof", "%d bytes", r.ProofBytes)
	row("prove, 1 core", "%.0f ms", r.Prove["1"])
	row("prove, 2 cores", "%.0f ms", r.Prove["2"])
	if r.ProveDeep > 0 {
		row("prove at 2^33, 1 core", "%.0f ms", r.ProveDeep)
	}
	row("verify one", "%.3f ms", r.Verify)
	for _, n := range batchSizes {
		k := strconv.Itoa(n)
		row(fmt.Sprintf("verify %d together, a proof", n), "%.3f ms on 1 core, %.3f ms on 2", r.Batch[k], r.BatchTwo[k])
	}
	row("acts into the durable ledger", "%.0f a second (%d acts from %d submitters), %.2f of the %.0f that batches alone would allow",
		r.ActsPerS, r.ActsMeasured, r.Submitters, r.ActsPerS/r.ActsCeiling, r.ActsCeiling)
	if p := r.Peer; p != nil {
		row("peer, "+p.Name, "prove %.0f ms, verify %.1f ms of CPU time", p.Prove, p.Verify)
		row("CPU time of ours to the peer's", "prove %.3f, verify %.3f", p.ProveRatio, p.VerifyRatio)
		if p.ProveDeepRatio > 0 {
			row("the same at the large capacity", "prove %.3f (peer: %.0f ms)", p.ProveDeepRatio, p.ProveDeep)
		}
	}
	return w.Flush()
}
