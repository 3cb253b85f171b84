package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// batchSizes are the sizes of batches that are measured.
var batchSizes = []int{16, 128, 1024}

// measureProof takes every figure. Progress goes to diagnostics.
func measureProof(ctx context.Context, f benchFlags, diagnostics io.Writer) (*proofBench, error) {
	say := func(format string, args ...any) { fmt.Fprintf(diagnostics, "trialith: "+format+"\n", args...) }
	r := &proofBench{
		Constraints: map[string]int{}, Prove: map[string]float64{}, Batch: map[string]float64{}, BatchTwo: map[string]float64{},
		ProofBytes: verifier.ProofSize,
	}
	for name, depth := range map[string]int{"2^21": tree.Depth, "2^33": tree.DeepDepth} {
		system, err := membership.Compile(depth)
		if err != nil {
			return nil, err
		}
		r.Constraints[name] = system.GetNbConstraints()
	}
	say("proving, %d times on one core and on two", f.runs)
	item, err := r.proving(ctx, f, say)
	if err != nil {
		return nil, err
	}
	say("verifying one by one and in batches")
	if err := r.verifying(ctx, f.runs, item); err != nil {
		return nil, err
	}
	if r.Peer != nil {
		r.Peer.VerifyRatio = r.Verify / r.Peer.Verify
	}
	return r, r.acts(ctx, f.acts, f.submitters, say)
}

// median runs work some times and returns the medians of CPU time and time on
// the clock, in milliseconds.
func median(ctx context.Context, runs int, work func() error) (cpu, wall float64, err error) {
	cpus, walls := make([]float64, runs), make([]float64, runs)
	for i := range runs {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		if cpus[i], walls[i], err = timed(work); err != nil {
			return 0, 0, err
		}
	}
	return middle(cpus), middle(walls), nil
}

func timed(work func() error) (cpu, wall float64, err error) {
	used, start := cpuTime(), time.Now()
	err = work()
	return milliseconds(cpuTime() - used), milliseconds(time.Since(start)), err
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func middle(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// onCores runs work with Go limited to some cores.
func onCores(n int, work func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	return work()
}

// proving measures proofs by one participant among 100, in turns with the peer.
func (r *proofBench) proving(ctx context.Context, f benchFlags, say func(string, ...any)) (verifier.Item, error) {
	p, err := prover.Development()
	if err != nil {
		return verifier.Item{}, err
	}
	w, err := benchWitness(tree.Depth)
	if err != nil {
		return verifier.Item{}, err
	}
	item := verifier.Item{Statement: w.Statement}
	if item.Proof, err = p.Prove(w); err != nil { // not measured: it makes tables
		return item, err
	}
	ours := func() error { _, err := p.Prove(w); return err }
	err = onCores(2, func() error {
		_, r.Prove["2"], err = median(ctx, f.runs, ours)
		return err
	})
	if err != nil {
		return item, err
	}
	deep := ours
	if f.deep {
		say("making the development keys for 2^33")
		if deep, err = deepProving(); err != nil {
			return item, err
		}
	}
	return item, r.interleaved(ctx, f, ours, deep)
}

// deepProving proves at the large capacity, with keys made here: nothing but
// measurements uses them, so they are not shipped.
func deepProving() (func() error, error) {
	keys, err := ceremony.Development(tree.DeepDepth)
	if err != nil {
		return nil, err
	}
	p, err := prover.New(tree.DeepDepth, keys.Proving, sha256.Sum256(keys.Proving))
	if err != nil {
		return nil, err
	}
	w, err := benchWitness(tree.DeepDepth)
	if err != nil {
		return nil, err
	}
	work := func() error { _, err := p.Prove(w); return err }
	return work, work()
}

func benchWitness(depth int) (prover.Witness, error) {
	var leaves []field.Element
	var mine prover.Witness
	for i := range uint64(100) {
		var w prover.Witness
		w.Secret.SetUint64(1000 + i)
		w.Trapdoor.SetUint64(2000 + i)
		w.Attributes[0] = uint32(i)
		leaves = append(leaves, w.Leaf())
		if i == 42 {
			mine = w
		}
	}
	t, err := tree.Build(depth, leaves)
	if err != nil {
		return mine, err
	}
	if mine.Path, err = t.Path(42); err != nil {
		return mine, err
	}
	mine.Sign(field.Hash("bench", []byte("context")), field.Hash("bench", []byte("message")))
	return mine, nil
}

// verifying measures one proof on one core, and batches on one and two.
func (r *proofBench) verifying(ctx context.Context, runs int, item verifier.Item) error {
	key := verifier.Development()
	one := func() error {
		for range 16 {
			if err := key.Verify(item.Proof, item.Statement); err != nil {
				return err
			}
		}
		return nil
	}
	if err := one(); err != nil { // the key makes its tables at its first use, once
		return err
	}
	err := onCores(1, func() error {
		cpu, _, err := median(ctx, runs, one)
		r.Verify = cpu / 16
		return err
	})
	for _, n := range batchSizes {
		items := slices.Repeat([]verifier.Item{item}, n)
		batch := func() error {
			if bad := key.VerifyBatch(items); bad != nil {
				return fmt.Errorf("verify: %d of %d good proofs refused", len(bad), n)
			}
			return nil
		}
		name := strconv.Itoa(n)
		for cores, into := range map[int]map[string]float64{1: r.Batch, 2: r.BatchTwo} {
			if err != nil {
				return err
			}
			err = onCores(cores, func() error {
				cpu, wall, err := median(ctx, runs, batch)
				if cores > 1 {
					cpu = wall
				}
				into[name] = cpu / float64(n)
				return err
			})
		}
	}
	return err
}
