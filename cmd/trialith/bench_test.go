package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// The form of the result is relied on outside: its names and keys are fixed.
func TestBenchProofForm(t *testing.T) {
	if testing.Short() {
		t.Skip("proving takes seconds")
	}
	var out, diagnostics bytes.Buffer
	if code := run([]string{"bench", "proof", "--json", "--acts", "3", "--runs", "1"}, &out, &diagnostics); code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics.String())
	}
	var got struct {
		Constraints map[string]int     `json:"constraints"`
		Prove       map[string]float64 `json:"prove_ms"`
		Verify      float64            `json:"verify_ms"`
		Batch       map[string]float64 `json:"batch_ms"`
		ActsPerS    float64            `json:"acts_per_s"`
		ProofBytes  int                `json:"proof_bytes"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if got.Constraints["2^21"] != 3920 || got.Constraints["2^33"] != 5404 || got.ProofBytes != 128 {
		t.Errorf("%+v", got)
	}
	figures := []float64{
		got.Prove["1"], got.Prove["2"], got.Verify, got.Batch["16"], got.Batch["128"], got.Batch["1024"], got.ActsPerS,
	}
	for i, x := range figures {
		if x <= 0 {
			t.Errorf("figure %d was not measured: %+v", i, got)
		}
	}
}

func TestBenchProofRefusesNumbers(t *testing.T) {
	for _, args := range []string{"--acts 0", "--acts 5000", "--submitters 0", "--submitters 1025", "--runs 0"} {
		var out, diagnostics bytes.Buffer
		code := run(append([]string{"bench", "proof"}, strings.Fields(args)...), &out, &diagnostics)
		if code == 0 || !strings.Contains(diagnostics.String(), "hint") {
			t.Errorf("%s: exit code %d: %s", args, code, diagnostics.String())
		}
	}
}
