package main

import (
	"fmt"
	"slices"
)

// ledgerRatio is ours divided by another's: the median over the pairs of runs
// beside each other.
type ledgerRatio struct {
	Figure  string  `json:"figure"` // per_s, p99_ms, memory_mb
	Ours    string  `json:"ours"`
	Peer    string  `json:"peer"`
	Clients int     `json:"clients"`
	Ratio   float64 `json:"ratio"`
	// Aim is what the ratio should reach, or stay below; 0 where there is none.
	Aim    float64 `json:"aim,omitempty"`
	AtMost bool    `json:"at_most,omitempty"`
	Met    bool    `json:"met"`
}

// singly names the ceiling as a peer.
const singly = "single verification on all cores"

// ledgerAims are what the ledger was built to reach. Signatures are verified by
// ours and not by the peers.
var ledgerAims = []ledgerRatio{
	{Figure: "per_s", Peer: "tessera", Clients: 64, Aim: 1.4},
	{Figure: "per_s", Peer: "tessera", Clients: 1024, Aim: 1.5},
	{Figure: "p99_ms", Peer: "tessera", Clients: 64, Aim: 0.5, AtMost: true},
	{Figure: "p99_ms", Peer: "tessera", Clients: 1024, Aim: 0.5, AtMost: true},
	{Figure: "per_s", Peer: "tessera-published", Clients: 64, Aim: 40},
	{Figure: "per_s", Peer: "immudb", Clients: 64, Aim: 1.2},
	{Figure: "per_s", Peer: "immudb", Clients: 1024, Aim: 1.5},
	{Figure: "memory_mb", Peer: "immudb", Clients: 64, Aim: 0.35, AtMost: true},
	{Figure: "memory_mb", Peer: "immudb", Clients: 1024, Aim: 0.35, AtMost: true},
	{Figure: "per_s", Peer: "pebble", Clients: 64, Aim: 0.75},
	{Figure: "per_s", Peer: "pebble", Clients: 1024, Aim: 0.75},
	{Figure: "per_s", Peer: "comet", Clients: 64, Aim: 1.5},
	{Figure: "per_s", Peer: "comet", Clients: 1024, Aim: 1.5},
	{Figure: "per_s", Peer: singly, Clients: 1024, Aim: 1.5},
}

// Aims that are no ratio.
const (
	aimReceiptBytes = 1200
	aimRecovery     = 1.0 // seconds, with a million transactions
)

// judged gives a ratio its aim, if there is one.
func (r ledgerRatio) judged() ledgerRatio {
	for _, a := range ledgerAims {
		if a.Figure == r.Figure && a.Peer == r.Peer && a.Clients == r.Clients {
			r.Aim, r.AtMost = a.Aim, a.AtMost
			r.Met = r.Ratio >= a.Aim
			if a.AtMost {
				r.Met = r.Ratio <= a.Aim
			}
		}
	}
	return r
}

// aim says the aim in words.
func (r ledgerRatio) aim() string {
	if r.Aim == 0 {
		return ""
	}
	if r.AtMost {
		return aimed("at most", r.Aim, r.Met)
	}
	return aimed("at least", r.Aim, r.Met)
}

func aimed(how string, aim float64, met bool) string {
	if met {
		return fmt.Sprintf("%s %g: met", how, aim)
	}
	return fmt.Sprintf("%s %g: not met", how, aim)
}

// ratios compares the runs of each pair.
func (b *ledgerBenching) ratios() (out []ledgerRatio) {
	figures := []struct {
		name string
		of   func(measuredLoad) float64
	}{
		{"per_s", func(m measuredLoad) float64 { return m.PerS }},
		{"p99_ms", func(m measuredLoad) float64 { return m.P99 }},
		{"memory_mb", func(m measuredLoad) float64 { return m.Memory }},
	}
	for _, p := range peerSystems {
		for _, clients := range b.clients {
			pairs := b.pairs[pairKey{p.name, clients}]
			for _, figure := range figures {
				r := ledgerRatio{Figure: figure.name, Ours: soloName(p.signed), Peer: p.name, Clients: clients}
				var xs []float64
				for _, pair := range pairs {
					if theirs := figure.of(pair[1]); theirs > 0 {
						xs = append(xs, figure.of(pair[0])/theirs)
					}
				}
				if len(xs) > 0 {
					r.Ratio = middle(xs)
					out = append(out, r.judged())
				}
			}
		}
	}
	return append(out, b.ceilings()...)
}

// ceilings compares the signed ledger with verifying one by one.
func (b *ledgerBenching) ceilings() (out []ledgerRatio) {
	for _, clients := range b.clients {
		runs := slices.Clone(b.runs[ledgerKey{"solo", clients, true, false}])
		if len(runs) > 0 {
			r := ledgerRatio{Figure: "per_s", Ours: soloName(true), Peer: singly, Clients: clients}
			r.Ratio = middleLoad(runs).PerS / b.result.Single
			out = append(out, r.judged())
		}
	}
	return out
}

func soloName(signed bool) string {
	if signed {
		return "solo"
	}
	return "solo, unsigned"
}
