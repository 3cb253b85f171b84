package main

import (
	"bufio"
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
	"github.com/trialith/trialith/ledger/witness"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// background is a command that serves until it is stopped.
type background struct {
	t           *testing.T
	lines       *bufio.Scanner
	diagnostics syncBuffer
	stop        func()
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func startCommand(t *testing.T, args ...string) *background {
	t.Helper()
	c := rootCommand()
	r, w := io.Pipe()
	b := &background{t: t, lines: bufio.NewScanner(r)}
	c.SetArgs(args)
	c.SetOut(w)
	c.SetErr(&b.diagnostics)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := c.ExecuteContext(ctx); err != nil {
			t.Errorf("%v: %v: %s", args, err, &b.diagnostics)
		}
		w.Close()
	})
	b.stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(b.stop)
	return b
}

// line returns the rest of the next line, which begins with prefix.
func (b *background) line(prefix string) string {
	b.t.Helper()
	if !b.lines.Scan() {
		b.t.Fatalf("it ended: %s", &b.diagnostics)
	}
	rest, found := strings.CutPrefix(b.lines.Text(), prefix)
	if !found {
		b.t.Fatalf("%q; want %q", b.lines.Text(), prefix)
	}
	return rest
}

// register enters one transaction.
func register(t *testing.T, dir, url, name string) {
	t.Helper()
	g, _, err := readNode(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := directory.Register{Role: trial.Ethics, Name: name, Country: "US"}
	r.Prove(g.ID(), demonstration.Key(name))
	e := &tx.Envelope{Ledger: g.ID(), Kind: contract.DirectoryRegister, Stream: wire.Directory, Expiry: time.Now().UnixMilli() + 60_000, Body: wire.Marshal(r)}
	copy(e.Idempotency[:], name)
	e.Sign(demonstration.Key("regulator"))
	if o, err := client.New(url, http.DefaultClient).Enter(t.Context(), e); err != nil || !o.Accepted() {
		t.Fatalf("%+v, %v", o, err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url) //nolint:noctx // the server ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestWitnessed runs a node with a witness: its heads are cosigned and shown so,
// and an old copy of it does not run any more.
func TestWitnessed(t *testing.T) {
	t.Parallel()
	dir := ledgerOf(t, time.Now().Add(-time.Minute))
	w := startCommand(t, "witness", "--dir", filepath.Join(dir, "w"), "--name", "witness.example/w1", "--listen", "127.0.0.1:0", "--log", filepath.Join(dir, fileGenesis))
	vkey := w.line("witness ")
	url := w.line("serving ")

	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	policy := "witness w1 " + vkey + " " + url + "\nquorum w1\n"
	if err := os.WriteFile(filepath.Join(dir, fileWitnesses), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startCommand(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0")
	node := n.line("serving ")
	p, err := witness.ParsePolicy([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		register(t, dir, node, name)
		head := get(t, node+"/v1/ledger/checkpoint")
		text, err := witness.TextOf([]byte(head))
		if err != nil {
			t.Fatalf("%q: %v", head, err)
		}
		deadline := time.After(time.Minute)
		for {
			shown := get(t, node+"/log/checkpoint")
			if strings.HasPrefix(shown, text) && p.Check([]byte(shown)) == nil {
				break
			}
			select {
			case <-deadline:
				t.Fatalf("never cosigned:\n%s%s", shown, &n.diagnostics)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	for path, want := range map[string]string{
		"/v1/ledger": `"witnesses":1`, "/": "Independent witnesses have cosigned this ledger up to block 3",
	} {
		if got := get(t, node+path); !strings.Contains(got, want) {
			t.Errorf("%s does not say %s: %s", path, want, got)
		}
	}
	n.stop()

	if err := os.Remove(filepath.Join(dir, fileWitnesses)); err != nil {
		t.Fatal(err)
	}
	n = startCommand(t, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--witness", vkey+" "+url)
	if got := get(t, n.line("serving ")+"/ledger"); !strings.Contains(got, "Independent witnesses have cosigned") {
		t.Errorf("a node whose witness is named on the command line: %s", got)
	}
	n.stop()

	var out, diagnostics bytes.Buffer
	if code := run([]string{"serve", "--dir", old, "--listen", "127.0.0.1:0", "--witness", vkey + " " + url}, &out, &diagnostics); code != 1 {
		t.Errorf("an old copy runs: exit code %d", code)
	}
	for _, want := range []string{"another history", "knows 3 transactions, this ledger has 1", "hint: this node must not sign"} {
		if !strings.Contains(diagnostics.String(), want) {
			t.Errorf("it says %q; want %q", &diagnostics, want)
		}
	}
	// Nor is its key rotated: that signs a block, too.
	policyFile := filepath.Join(old, fileWitnesses)
	if err := os.WriteFile(policyFile, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	diagnostics.Reset()
	if code := run([]string{"ledger", "rotate", "--dir", old}, &out, &diagnostics); code != 1 || !strings.Contains(diagnostics.String(), "hint: this node must not sign") {
		t.Errorf("the key of an old copy is rotated: exit code %d, %s", code, &diagnostics)
	}
	if err := os.Remove(policyFile); err != nil {
		t.Fatal(err)
	}
	// The control: nothing else tells the old copy from the node. It writes a
	// second history, and the witness that is shown it keeps the proof.
	second := startCommand(t, "serve", "--dir", old, "--listen", "127.0.0.1:0").line("serving ")
	register(t, old, second, "third")
	register(t, old, second, "fourth")
	forged := witness.Request{Checkpoint: []byte(get(t, second+"/v1/ledger/checkpoint"))}
	answer, err := http.Post(url+"/add-checkpoint", "text/plain", bytes.NewReader(forged.Encode())) //nolint:noctx // the server ends with the test
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusConflict || !strings.Contains(w.diagnostics.String(), "FORK: two heads of size 3") {
		t.Errorf("%s: %s", answer.Status, &w.diagnostics)
	}
	forks, err := filepath.Glob(filepath.Join(dir, "w", "*.fork"))
	if err != nil || len(forks) != 1 {
		t.Fatalf("%q, %v", forks, err)
	}
	genesis := filepath.Join(dir, fileGenesis)
	out.Reset()
	if code := run([]string{"witness", "check", forks[0], "--genesis", genesis}, &out, &diagnostics); code != 0 || !strings.Contains(out.String(), "signed two histories") {
		t.Errorf("%d %s", code, &out)
	}
	b, err := os.ReadFile(forks[0])
	if err != nil {
		t.Fatal(err)
	}
	same, _, err := witness.ParseFork(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forks[0], witness.FormatFork(same, same), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"witness", "check", forks[0], "--genesis", genesis}, &out, &diagnostics); code != 1 {
		t.Errorf("one head twice proves something: %d %s", code, &out)
	}
	if code := run([]string{"witness", "check", genesis, "--genesis", genesis}, &out, &diagnostics); code != 2 {
		t.Errorf("a genesis is read as a fork: %d", code)
	}
}

// TestPublished: what is shown never goes back, and the witnesses' silence does
// not hide the head.
func TestPublished(t *testing.T) {
	t.Parallel()
	dir := ledgerOf(t, time.Now().Add(-time.Hour))
	g, key, err := readNode(dir)
	if err != nil {
		t.Fatal(err)
	}
	clock := fixedClock(time.Now().UnixMilli())
	n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	cosign := func(height uint64) string {
		msg, err := n.ledger.CheckpointAt(height)
		if err != nil {
			t.Fatal(err)
		}
		msg = append(bytes.Clone(msg), "— w.example AAAAAAAA\n"...)
		if err := n.ledger.SetCosigned(height, msg); err != nil {
			t.Fatal(err)
		}
		return string(msg)
	}
	shown := func() string { return get(t, n.url+"/log/checkpoint") }
	first := cosign(1)
	if got := shown(); got != first {
		t.Errorf("not the cosigned head, but\n%s", got)
	}
	register(t, dir, n.url, "second") // an hour later
	if got, want := shown(), string(n.ledger.Checkpoint()); got != want {
		t.Errorf("an hour's silence hides the head:\n%s", got)
	}
	second := cosign(2)
	if got := shown(); got != second {
		t.Errorf("%s", got)
	}
	register(t, dir, n.url, "third") // a millisecond later
	if got := shown(); got != second {
		t.Errorf("not the cosigned one of just before:\n%s", got)
	}
	n.shown.Store(3) // somebody was shown the head
	if got := shown(); got != string(n.ledger.Checkpoint()) {
		t.Errorf("it went back:\n%s", got)
	}
}
