package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ownProcess is this program again, to run one of the bench's hidden commands.
func ownProcess(ctx context.Context, args []string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // ourselves
	cmd.Args[0] = "trialith"                       // by which the tests' program knows what it is
	return cmd, nil
}

// oneLine runs a process that prints a line of JSON and ends.
func oneLine(cmd *exec.Cmd, into any) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, lastLines(said.String()))
	}
	return json.Unmarshal(out, into)
}

// killedAfterLine runs a process until it has printed a line of JSON, and then
// kills it: no handler runs, nothing is closed.
func killedAfterLine(cmd *exec.Cmd, into any) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line := bufio.NewScanner(out)
	found := line.Scan()
	kill := cmd.Process.Kill()
	wait := cmd.Wait()
	if !found {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), errors.Join(line.Err(), wait), lastLines(said.String()))
	}
	if kill != nil {
		return kill
	}
	return json.Unmarshal(line.Bytes(), into)
}

// lastLines keeps what a process said last.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// buildPeers builds the program of the peers.
func buildPeers(ctx context.Context, source, dir string) (string, error) {
	program := filepath.Join(dir, "peers")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".") //nolint:gosec // into our own directory
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", hint(fmt.Errorf("--peers %s: %w: %s", source, err, lastLines(string(said))),
			"it takes Go and a checkout: --peers ledger/bench")
	}
	return program, nil
}
