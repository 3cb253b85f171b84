package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// peerBench is the peer in the same run: medians of CPU time in milliseconds,
// and ours divided by them.
type peerBench struct {
	Name           string  `json:"name"`
	Prove          float64 `json:"prove_ms"`
	Verify         float64 `json:"verify_ms"`
	ProveDeep      float64 `json:"prove_deep_ms,omitempty"`
	ProveRatio     float64 `json:"prove_ratio"`
	VerifyRatio    float64 `json:"verify_ratio"`
	ProveDeepRatio float64 `json:"prove_deep_ratio,omitempty"`
}

// Depths of the peer's binary trees with capacities nearest to ours.
const (
	peerDepth     = 20
	peerDepthDeep = 32
)

// interleaved measures proving on one core, each run followed by one of the
// peer's where there is one, so that both meet the same machine.
func (r *proofBench) interleaved(ctx context.Context, f benchFlags, ours, deep func() error) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var theirs *peer
	if f.peer != "" {
		var err error
		if theirs, err = startPeer(ctx, f.peer); err != nil {
			return err
		}
		defer theirs.close()
		r.Peer = &peerBench{Name: "Semaphore v4"}
	}
	var err error
	if r.Prove["1"], err = r.turns(ctx, f.runs, theirs, peerDepth, ours); err != nil || !f.deep {
		return err
	}
	r.ProveDeep, err = r.turns(ctx, f.runs, theirs, peerDepthDeep, deep)
	return err
}

// turns runs ours and theirs in turn, and returns our median.
func (r *proofBench) turns(ctx context.Context, runs int, theirs *peer, depth int, ours func() error) (float64, error) {
	var mine, prove, verify []float64
	for range runs {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		cpu, _, err := timed(ours)
		if err != nil {
			return 0, err
		}
		mine = append(mine, cpu)
		if theirs == nil {
			continue
		}
		run, err := theirs.run(depth)
		if err != nil {
			return 0, err
		}
		prove, verify = append(prove, run.ProveCPU), append(verify, run.VerifyCPU)
	}
	m := middle(mine)
	switch {
	case theirs == nil:
	case depth == peerDepthDeep:
		r.Peer.ProveDeep = middle(prove)
		r.Peer.ProveDeepRatio = m / r.Peer.ProveDeep
	default:
		r.Peer.Prove, r.Peer.Verify = middle(prove), middle(verify)
		r.Peer.ProveRatio = m / r.Peer.Prove
	}
	return m, nil
}

// peer is the peer's process: a line with a depth goes in, a line of JSON comes
// out.
type peer struct {
	cmd *exec.Cmd
	in  *json.Encoder
	out *bufio.Scanner
	end func() error
}

type peerRun struct {
	ProveCPU  float64 `json:"proveCPU"`
	VerifyCPU float64 `json:"verifyCPU"`
}

func startPeer(ctx context.Context, dir string) (*peer, error) {
	const help = "install node 20 or later, then run \"npm ci\" in circuits/bench/semaphore"
	cmd := exec.CommandContext(ctx, "node", "peer.mjs")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, hint(fmt.Errorf("--peer %s: %w", dir, err), help)
	}
	p := &peer{cmd: cmd, in: json.NewEncoder(in), out: bufio.NewScanner(out), end: in.Close}
	for _, depth := range []int{peerDepth, peerDepthDeep} { // not measured: it warms up
		if _, err := p.run(depth); err != nil {
			p.close()
			return nil, hint(fmt.Errorf("--peer %s: %w", dir, err), help)
		}
	}
	return p, nil
}

func (p *peer) run(depth int) (r peerRun, err error) {
	if err := p.in.Encode(depth); err != nil {
		return r, err
	}
	if !p.out.Scan() {
		return r, errors.Join(errors.New("the peer ended without a result"), p.out.Err())
	}
	return r, json.Unmarshal(p.out.Bytes(), &r)
}

// close ends the process by the end of its input.
func (p *peer) close() {
	p.end()      //nolint:errcheck,gosec // it may have ended already
	p.cmd.Wait() //nolint:errcheck,gosec // its results have been read
}
