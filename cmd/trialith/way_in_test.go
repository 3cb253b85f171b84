package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// wayIn is a node's directory with an open trial and a registered batcher, and
// the consents of people who are enrolled, proven and not sent.
type wayIn struct {
	dir     string // with "node" and "batcher" in it
	trial   trial.ID
	batcher trial.ActorID
	acts    []consent.Act
}

const peopleOnTheWay = 14

// TestWayIn lays the way in out once, for the proofs take a while, and walks it.
func TestWayIn(t *testing.T) {
	t.Parallel()
	w := &wayIn{dir: t.TempDir()}
	if err := w.layOut(); err != nil {
		t.Fatal(err)
	}
	t.Run("nothing of the sender", func(t *testing.T) { t.Parallel(); nothingOfTheSender(t, w.copied(t)) })
	t.Run("the batcher killed", func(t *testing.T) { t.Parallel(); batcherKilled(t, w.copied(t)) })
}

func (w *wayIn) layOut() error {
	now := time.Now().UnixMilli()
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "The way in", Time: now - 1000, Epoch: 1, Rules: contract.RuleSet, Origin: "trialith.example/way-in",
		Node:         demonstration.Public("node"),
		Authorities:  []chain.Authority{{Role: "regulator", Name: "Regulator", Country: "CH", Key: demonstration.Public("regulator")}},
		VerifyingKey: wire.Hash(verifier.DevelopmentHash), Demonstration: true,
	}
	dir := filepath.Join(w.dir, "node")
	if err := writeNode(dir, g, demonstration.Key("node")); err != nil {
		return err
	}
	n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: demonstration.Key("node"), clock: solo.RealClock{}})
	if err != nil {
		return err
	}
	p, err := prover.Development()
	if err != nil {
		return err
	}
	ctx := context.Background()
	b := &actBench{id: g.ID(), ledger: n.ledger, prover: p, today: trial.DayOf(now), submitters: 1}
	if err := b.open(ctx); err != nil {
		return err
	}
	register, err := w.initBatcher(filepath.Join(dir, fileGenesis))
	if err != nil {
		return err
	}
	if err := b.send(ctx, b.envelope(contract.DirectoryRegister, wire.Directory, register, "regulator")); err != nil {
		return err
	}
	devices, err := b.enrol(ctx, peopleOnTheWay)
	if err != nil {
		return err
	}
	w.trial = b.trial
	if w.acts, err = b.consents(ctx, devices, func(string, ...any) {}); err != nil {
		return err
	}
	return n.Close()
}

// initBatcher makes the batcher as its operator does, and returns what the
// regulator registers.
func (w *wayIn) initBatcher(genesis string) (t directory.Register, err error) {
	var out, diagnostics bytes.Buffer
	if code := run([]string{"batcher", "init", "--dir", filepath.Join(w.dir, "batcher"), "--genesis", genesis, "--name", "University", "--country", "CH"}, &out, &diagnostics); code != 0 {
		return t, fmt.Errorf("exit code %d: %s", code, &diagnostics)
	}
	for line := range strings.Lines(out.String()) {
		switch f := strings.Fields(line); f[0] {
		case "actor":
			err = errors.Join(err, w.batcher.UnmarshalText([]byte(f[1])))
		case "register":
			body, bad := hex.DecodeString(f[1])
			err = errors.Join(err, bad, wire.Unmarshal(body, &t))
		}
	}
	return t, err
}

// copied is the same in a directory of the test's own.
func (w *wayIn) copied(t *testing.T) *wayIn {
	t.Helper()
	out := *w
	out.dir = t.TempDir()
	for _, name := range []string{"node", "batcher"} {
		if err := os.CopyFS(filepath.Join(out.dir, name), os.DirFS(filepath.Join(w.dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	return &out
}

// process is one of ours with its output in a file.
type process struct {
	cmd *exec.Cmd
	url string
}

// start starts trialith and waits until it serves. Its diagnostics are appended
// to a file.
func start(t *testing.T, log string, args ...string) *process {
	t.Helper()
	p, err := tryStart(log, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func tryStart(log string, args ...string) (*process, error) {
	exe, err := exec.LookPath("trialith")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &process{cmd: exec.Command(exe, args...)}
	p.cmd.Stderr = f
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		p.kill()
		b, _ := os.ReadFile(log)
		return nil, fmt.Errorf("%q: %q, %w: %s", args, line, err, b)
	}
	fmt.Fprint(f, line)
	p.url = strings.TrimSpace(line[at:])
	return p, nil
}

func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // gone already
	p.cmd.Wait()         //nolint:errcheck // it was killed
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%q: %v", p.cmd.Args, err)
	}
}

// counted is a connection that counts.
type counted struct {
	net.Conn
	sent, received *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.sent.Add(int64(len(b))) // before the answer can be there
	return c.Conn.Write(b)
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.received.Add(int64(n))
	return n, err
}

// marks are what a browser might say of its owner, and where from.
var marks = map[string]string{
	"User-Agent": "Mozilla/5.0 (markedphone)", "Cookie": "session=markedcookie", "Referer": "https://markedreferer.example/",
	"X-Forwarded-For": "198.51.100.77", "Accept-Language": "markedlanguage", "Authorization": "Bearer markedtoken", "Origin": "https://markedorigin.example",
}

const markedAddress = "127.0.0.77"

// markedTransport sends every request with the marks, from the marked address,
// over a connection of its own, whose bytes it counts.
type markedTransport struct{ sent, received atomic.Int64 }

func (m *markedTransport) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	for name, value := range marks {
		q.Header.Set(name, value)
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(markedAddress)}}
	t := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		return counted{c, &m.sent, &m.received}, err
	}}
	return t.RoundTrip(q)
}

// accounts is how often each account of the acts is on the ledger's list.
func (w *wayIn) accounts(t *testing.T, api *client.Client) map[field.Account]int {
	t.Helper()
	all, err := api.Accounts(t.Context(), w.trial)
	if err != nil {
		t.Fatal(err)
	}
	n := map[field.Account]int{}
	for _, a := range all {
		n[a]++
	}
	return n
}

// arrived waits until every act's account is on the ledger, each once.
func (w *wayIn) arrived(t *testing.T, api *client.Client, acts []consent.Act, logs string) {
	t.Helper()
	var n map[field.Account]int
	for range 600 {
		n = w.accounts(t, api)
		if !slices.ContainsFunc(acts, func(a consent.Act) bool { return n[a.Proven.Account] == 0 }) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for i, a := range acts {
		if n[a.Proven.Account] != 1 {
			b, _ := os.ReadFile(logs)
			t.Errorf("act %d is on the ledger %d times\n%s", i, n[a.Proven.Account], b)
		}
	}
	g, err := api.Trial(t.Context(), w.trial)
	if err != nil || int(g.Versions[0].Counters.Acts) != len(acts) {
		t.Errorf("%+v, %v", g.Versions, err)
	}
}

// nothingOfTheSender: after acts went in, nothing that could name who sent
// them is in any log or file of the relay, the batcher or the node; on the way
// all have one size.
func nothingOfTheSender(t *testing.T, w *wayIn) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs a second loopback address and /proc")
	}
	logs := filepath.Join(w.dir, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	node := start(t, filepath.Join(logs, "node"), "serve", "--dir", filepath.Join(w.dir, "node"), "--listen", "127.0.0.1:0")
	batcher := start(t, filepath.Join(logs, "batcher"), "batcher", "--node", node.url, "--dir", filepath.Join(w.dir, "batcher"), "--listen", "127.0.0.1:0", "--k-min", "1")
	way := start(t, filepath.Join(logs, "relay"), "relay", "--listen", "127.0.0.1:0", "--to", w.batcher.String()+"="+batcher.url)

	marked := &markedTransport{}
	device := client.New(node.url, &http.Client{Transport: marked})
	sizes := map[[2]int64]int{}
	send := func(a consent.Act) error {
		p, err := device.SendThrough(t.Context(), way.url, w.batcher, a)
		if len(p.Sealed) == 0 {
			return err
		}
		// The post alone, again: it is answered as the first was.
		marked.sent.Store(0)
		marked.received.Store(0)
		q, err2 := http.NewRequestWithContext(t.Context(), http.MethodPost, way.url+"/v1/sealed/"+w.batcher.String(), bytes.NewReader(p.Sealed))
		if err2 != nil {
			t.Fatal(err2)
		}
		q.Header.Set("Content-Type", "application/octet-stream")
		r, err2 := marked.RoundTrip(q)
		if err2 != nil {
			t.Fatal(err2)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r.Body); err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		sizes[[2]int64{marked.sent.Load(), marked.received.Load()}]++
		return err
	}
	for _, a := range w.acts {
		if err := send(a); err != nil {
			t.Fatal(err)
		}
	}
	bad := w.acts[0]
	bad.Proven.Act.Options[0]++
	if err := send(bad); err == nil || !strings.Contains(err.Error(), "prove it anew") {
		t.Errorf("a bad proof: %v", err)
	}
	if len(sizes) != 1 {
		t.Errorf("sizes on the way, sent and received: %v", sizes)
	}
	w.arrived(t, client.New(node.url, http.DefaultClient), w.acts, filepath.Join(logs, "batcher"))
	onlySockets(t, way.cmd.Process.Pid)
	way.stop(t)
	batcher.stop(t)
	node.stop(t)
	if b, err := os.ReadFile(filepath.Join(logs, "relay")); err != nil || strings.Count(string(b), "\n") != 1 {
		t.Errorf("the relay said more than where it serves: %q, %v", b, err)
	}
	needles := [][]byte{[]byte(markedAddress), []byte("\xff\xff\x7f\x00\x00\x4d"), []byte("198.51.100.77"), []byte("marked")}
	for _, needle := range needles {
		if files := holding(t, w.dir, needle); len(files) > 0 {
			t.Errorf("%q is in %q", needle, files)
		}
	}
	// The search finds what is there.
	for name, needle := range map[string][]byte{"node": w.acts[3].Proven.Account[:], "batcher": []byte("trialith batcher key"), "logs": []byte("a batch of ")} {
		if len(holding(t, filepath.Join(w.dir, name), needle)) == 0 {
			t.Errorf("control: nothing in %s holds %q", name, needle)
		}
	}
}

// holding lists the files below a directory that hold some bytes.
func holding(t *testing.T, dir string, needle []byte) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, needle) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// onlySockets checks that a process has no file open that it could write to but
// what it was started with.
func onlySockets(t *testing.T, pid int) {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	sockets := 0
	for _, fd := range fds {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if strings.HasPrefix(to, "socket:") {
			sockets++
		}
		if fd.Name() > "2" && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/sys/") && !strings.HasPrefix(to, "/proc/") {
			t.Errorf("file descriptor %s is %s", fd.Name(), to)
		}
	}
	if sockets == 0 {
		t.Error("control: not even a socket is open")
	}
}

// batcherKilled kills the batcher at random moments under load. Every act
// that was promised is on the ledger in the end, once.
func batcherKilled(t *testing.T, w *wayIn) {
	t.Helper()
	log := filepath.Join(w.dir, "batcher.log")
	node := start(t, filepath.Join(w.dir, "node.log"), "serve", "--dir", filepath.Join(w.dir, "node"), "--listen", "127.0.0.1:0")
	address := freePort(t)
	args := []string{"batcher", "--node", node.url, "--dir", filepath.Join(w.dir, "batcher"), "--listen", address, "--k-min", "2", "--jitter", "200ms"}
	batcher := start(t, log, args...)
	way := start(t, filepath.Join(w.dir, "relay.log"), "relay", "--listen", "127.0.0.1:0", "--to", w.batcher.String()+"=http://"+address)

	var mu sync.Mutex // of batcher
	t.Cleanup(func() { batcher.kill() })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	kills := 0
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(50+rand.IntN(900)) * time.Millisecond):
			}
			mu.Lock()
			batcher.kill()
			next, err := tryStart(log, args...)
			if err != nil {
				t.Errorf("after %d kills: %v", kills, err)
				mu.Unlock()
				return
			}
			batcher = next
			kills++
			mu.Unlock()
		}
	})
	device := client.New(node.url, &http.Client{Timeout: 10 * time.Second})
	var sending sync.WaitGroup
	for i, a := range w.acts {
		sending.Go(func() {
			time.Sleep(time.Duration(i) * 400 * time.Millisecond)
			for range 100 {
				if _, err := device.SendThrough(t.Context(), way.url, w.batcher, a); err == nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Errorf("act %d was not promised", i)
		})
	}
	sending.Wait()
	stop()
	killer.Wait()
	mu.Lock()
	defer mu.Unlock()
	// What is left may be one act alone.
	batcher.kill()
	args[len(args)-3] = "1"
	next, err := tryStart(log, args...)
	if err != nil {
		t.Fatal(err)
	}
	batcher = next
	w.arrived(t, device, w.acts, log)
	t.Logf("%d kills", kills)
	if kills < 3 {
		t.Errorf("%d kills: too few to show anything", kills)
	}
}

// freePort is an address that is free now, to be taken again after each kill.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
