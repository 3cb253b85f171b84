package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// fixedClock stands still.
type fixedClock int64

func (c fixedClock) Now() int64 { return int64(c) }

// ledgerOf makes a node's directory whose one block is of the given time.
func ledgerOf(t *testing.T, at time.Time) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "node")
	now := at.UnixMilli()
	if err := writeDemo(dir, now-1000); err != nil {
		t.Fatal(err)
	}
	g, key, err := readNode(dir)
	if err != nil {
		t.Fatal(err)
	}
	n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: fixedClock(now)})
	if err != nil {
		t.Fatal(err)
	}
	r := directory.Register{Role: trial.Ethics, Name: "Ethics", Country: "US"}
	r.Prove(g.ID(), demonstration.Key("ethics"))
	e := &tx.Envelope{Ledger: g.ID(), Kind: contract.DirectoryRegister, Stream: wire.Directory, Expiry: now + 60_000, Body: wire.Marshal(r)}
	e.Sign(demonstration.Key("regulator"))
	o, err := client.New(n.url, http.DefaultClient).Enter(t.Context(), e)
	if err != nil || !o.Accepted() {
		t.Fatalf("%+v, %v", o, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestServeRefusesTheFuture: a ledger whose newest block lies in the future of
// the machine's clock was written by another clock, or this one is wrong.
func TestServeRefusesTheFuture(t *testing.T) {
	t.Parallel()
	dir := ledgerOf(t, time.Now().Add(48*time.Hour))
	var out, diagnostics bytes.Buffer
	if code := run([]string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"}, &out, &diagnostics); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(diagnostics.String(), "lies in the future") || !strings.Contains(diagnostics.String(), "hint: set this machine's clock") {
		t.Errorf("%s", &diagnostics)
	}
}

// TestServe serves what an earlier run left, until it is told to stop.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := ledgerOf(t, time.Now().Add(-48*time.Hour))
	c := rootCommand()
	r, w := io.Pipe()
	var diagnostics bytes.Buffer
	c.SetArgs([]string{"serve", "--dir", dir, "--listen", "127.0.0.1:0"})
	c.SetOut(w)
	c.SetErr(&diagnostics)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var done sync.WaitGroup
	done.Go(func() {
		if err := c.ExecuteContext(ctx); err != nil {
			t.Errorf("%v: %s", err, &diagnostics)
		}
	})
	line := make([]byte, 200)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "serving "))
	for _, path := range []string{"/healthz", "/", "/v1/ledger"} {
		answer, err := http.Get(url + path) //nolint:noctx // the server ends with the test
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close() //nolint:errcheck,gosec // nothing is read
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	stop()
	done.Wait()
}

// TestServeRefusesALostPast: a node that lost its ledger, with its head file or
// without, does not begin another history under the same key.
func TestServeRefusesALostPast(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, lost := range map[string][]string{
		"the ledger": {dirLedger}, "the head file": {filepath.Join(dirKeys, fileHead)}, "both": {dirLedger, filepath.Join(dirKeys, fileHead)},
	} {
		dir := ledgerOf(t, now.Add(-time.Minute))
		for _, path := range lost {
			if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
		}
		g, key, err := readNode(dir)
		if err != nil {
			t.Fatal(err)
		}
		n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: fixedClock(now.UnixMilli())})
		if err == nil {
			n.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "head file") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := rotateStopped(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "head file") {
			t.Errorf("%s, rotated: %v", name, err)
		}
	}
}
