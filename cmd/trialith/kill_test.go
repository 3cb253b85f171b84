package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/registry/evidence"
)

// fileClock is a study clock that another process sets.
type fileClock string

func (f fileClock) Now() int64 {
	b, err := os.ReadFile(string(f))
	if err != nil || len(b) != 8 {
		panic(fmt.Sprintf("clock: %v, %d bytes", err, len(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (f fileClock) set(now int64) {
	// Renamed, so that no reader sees half of it.
	tmp := string(f) + ".new"
	if err := os.WriteFile(tmp, binary.BigEndian.AppendUint64(nil, uint64(now)), 0o600); err != nil {
		panic(err)
	}
	if err := os.Rename(tmp, string(f)); err != nil {
		panic(err)
	}
}

// nodeMain is the node of the demo in a process of its own, to be killed:
// DIR, ADDRESS and the file of its clock.
func nodeMain() {
	dir, address, clock := os.Args[1], os.Args[2], fileClock(os.Args[3])
	g, key, err := readNode(dir)
	if err == nil {
		var n *node
		if n, err = openNode(nodeConfig{dir: dir, listen: address, genesis: g, key: key, clock: clock, study: true}); err == nil {
			fmt.Println(n.url)
			err = <-n.failed
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// victim is that process.
type victim struct {
	t          *testing.T
	dir, clock string
	address    string
	stderr     bytes.Buffer

	mu  sync.Mutex
	cmd *exec.Cmd
}

func (v *victim) start() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	exe, err := exec.LookPath("trialith-node")
	if err != nil {
		return err
	}
	v.cmd = exec.Command(exe, v.dir, v.address, v.clock)
	v.cmd.Stderr = &v.stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := v.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the node did not start: %w: %s", err, &v.stderr)
	}
	v.address = strings.TrimPrefix(strings.TrimSpace(line), "http://")
	return nil
}

// kill ends the process as a power cut would, and starts it anew.
func (v *victim) kill() error {
	v.mu.Lock()
	err := v.cmd.Process.Kill()
	v.cmd.Wait() //nolint:errcheck // it was killed
	v.mu.Unlock()
	if err != nil {
		return err
	}
	return v.start()
}

// TestKill kills the node before each step of the demo, and at random moments
// within them. It starts again, the actors carry on, and the evidence is whole.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clock := demo.NewClock(demo.GenesisDay())
	v := &victim{t: t, dir: filepath.Join(dir, "node"), clock: filepath.Join(dir, "clock"), address: "127.0.0.1:0"}
	fileClock(v.clock).set(clock.Now())
	clock.Jumped = fileClock(v.clock).set
	if err := writeDemo(v.dir, clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := v.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.cmd.Process.Kill() //nolint:errcheck // gone already if it failed
		v.cmd.Wait()         //nolint:errcheck // it was killed
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var random sync.WaitGroup
	kills, steps := 0, 0
	var turn sync.Mutex // one kill at a time
	random.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(200+rand.IntN(1500)) * time.Millisecond):
			}
			turn.Lock()
			if err := v.kill(); err != nil && ctx.Err() == nil {
				t.Errorf("killed at a random moment: %v", err)
			}
			kills++
			turn.Unlock()
		}
	})
	var out, diagnostics bytes.Buffer
	summary, err := demo.Run(ctx, demo.Config{
		URL: "http://" + v.address, Clock: clock, Participants: 2, Dir: filepath.Join(dir, "actors"),
		Report: &demo.Report{Out: &out, Err: &diagnostics},
		Between: func(string) error {
			turn.Lock()
			defer turn.Unlock()
			steps++
			return v.kill()
		},
	})
	stop()
	random.Wait()
	if err != nil {
		t.Fatalf("after %d kills between steps and %d within: %v\n%s\n%s", steps, kills, err, &out, &v.stderr)
	}
	t.Logf("%d kills between steps, %d within", steps, kills)
	summary.Evidence = filepath.Join(dir, "evidence.trialith")
	if _, err := summary.Download(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := verifyFile(t.Context(), summary.Evidence, "")
	if err != nil || r.Verdict != evidence.Reservations {
		t.Fatalf("%v: %+v", err, r)
	}
	if summary.Enrolled != 2 || summary.Consented["1"] != 2 || summary.Doses != 2 {
		t.Errorf("%+v", summary)
	}
}
