package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The form of the result is relied on outside: its names and keys are fixed.
func TestBenchBrowserForm(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is started three times and slowed down")
	}
	if _, err := chromiumPath(); err != nil {
		if strings.Contains(os.Getenv("TRIALITH_REQUIRE"), "chromium") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	peer := filepath.Join("..", "..", semaphoreDir)
	if !installed(peer) {
		t.Log("without the peer: run npm ci in " + semaphoreDir)
		peer = "none"
	}
	var out, diagnostics bytes.Buffer
	if code := run([]string{"bench", "browser", "--json", "--runs", "1", "--peer", peer}, &out, &diagnostics); code != 0 {
		t.Fatalf("exit code %d: %s", code, diagnostics.String())
	}
	var got struct {
		Prepare   map[string]float64 `json:"prepare_ms"`
		Finish    float64            `json:"finish_ms"`
		Semaphore map[string]float64 `json:"semaphore_ms"`
		First     map[string]any     `json:"first_visit_bytes"`
		Throttled map[string]float64 `json:"throttled"`
		Verified  int                `json:"proofs_verified"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	figures := map[string]float64{"prepare 1": got.Prepare["1"], "prepare 2": got.Prepare["2"], "finish": got.Finish}
	if peer != "none" {
		figures["semaphore 1"], figures["semaphore 2"] = got.Semaphore["1"], got.Semaphore["2"]
	}
	if canThrottle {
		figures["throttled 4"], figures["throttled 6"] = got.Throttled["4"], got.Throttled["6"]
	}
	figures["raw"], _ = got.First["raw"].(float64)
	figures["brotli"], _ = got.First["brotli"].(float64)
	for name, x := range figures {
		if x <= 0 {
			t.Errorf("%s was not measured: %s", name, out.String())
		}
	}
	if figures["brotli"] >= figures["raw"] {
		t.Errorf("brotli %v, as it is %v", figures["brotli"], figures["raw"])
	}
	// Five openings, a round that is not counted and one that is, two slowed down.
	if want := 1 + 1 + 3 + 4 + 2; canThrottle && got.Verified != want {
		t.Errorf("%d proofs were verified, want %d", got.Verified, want)
	}
	files, _ := got.First["files"].(map[string]any)
	for _, name := range []string{participantPage, "/prover/kernel.", "/prover/A.", "/prover/worker."} {
		if !hasPrefix(files, name) {
			t.Errorf("a first visit is counted without %s: %v", name, files)
		}
	}
}

func hasPrefix(files map[string]any, prefix string) bool {
	for name := range files {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func TestBenchBrowserRefuses(t *testing.T) {
	for _, args := range []string{"--runs 0", "--runs 1001", "--peer testdata"} {
		var out, diagnostics bytes.Buffer
		code := run(append([]string{"bench", "browser"}, strings.Fields(args)...), &out, &diagnostics)
		if code == 0 || !strings.Contains(diagnostics.String(), "hint") {
			t.Errorf("%s: exit code %d: %s", args, code, diagnostics.String())
		}
	}
}

// The brake keeps the proportion whatever a sleep takes, and lets go at the end.
func TestBrakeLetsGo(t *testing.T) {
	if !canThrottle {
		t.Skip("this system cannot stop a process")
	}
	cmd := exec.CommandContext(t.Context(), "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := startBrake([]int{cmd.Process.Pid}, 4)
	time.Sleep(50 * time.Millisecond)
	if err := b.release(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	// A process that stands would not read the end of its input.
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process did not run on: %v", err)
	}
	again := startBrake([]int{cmd.Process.Pid}, 4)
	if err := again.release(); err != nil {
		t.Errorf("a process that has ended: %v", err)
	}
}
