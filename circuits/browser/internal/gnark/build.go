package gnark

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
)

// Tool is a Go tool and the sources that it builds from.
type Tool struct {
	Go   string   // path of the go command
	Root string   // the module's root directory
	Env  []string // environment of the go command; nil: this process's
}

// Source names what a build is made of: SHA-256 over the sources and the Go
// release, in hexadecimal. Equal names, equal programs.
func (t *Tool) Source(ctx context.Context) (string, error) {
	version, err := t.run(ctx, "env", "GOVERSION")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", version, verifier.DevelopmentHash)
	for _, dir := range sources {
		entries, err := os.ReadDir(filepath.Join(t.Root, dir))
		if err != nil {
			return "", fmt.Errorf("sources of the prover: %w", err)
		}
		for _, e := range entries {
			if !source(e.Name()) {
				continue
			}
			body, err := os.ReadFile(filepath.Join(t.Root, dir, e.Name()))
			if err != nil {
				return "", fmt.Errorf("sources of the prover: %w", err)
			}
			fmt.Fprintf(h, "%s/%s\x00%x\x00", dir, e.Name(), sha256.Sum256(body))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sources are the directories of the module that the program is made of; its
// root stands for go.mod and go.sum. A test compares them with the go command's
// own list.
var sources = []string{
	".", "circuits/field", "circuits/membership", "circuits/prover", "circuits/tree", "circuits/verifier", "cmd/prover",
}

func source(name string) bool {
	switch filepath.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go")
	case ".mod", ".sum", ".pk", ".vk":
		return true
	}
	return false
}

// Build writes a set into a directory, given by its full path. The list is
// written last: a build that is broken off leaves no valid set.
func (t *Tool) Build(ctx context.Context, dir string) error {
	if err := os.Remove(filepath.Join(dir, List)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	from, err := t.Source(ctx)
	if err != nil {
		return err
	}
	p, err := prover.Development()
	if err != nil {
		return err
	}
	var key bytes.Buffer
	if err := p.WriteDump(&key); err != nil {
		return err
	}
	starter, err := t.starter(ctx)
	if err != nil {
		return err
	}
	program := filepath.Join(dir, Program)
	pins := fmt.Sprintf("-s -w -X main.dumpHash=%x -X main.verifyingKey=%x", sha256.Sum256(key.Bytes()), verifier.DevelopmentHash)
	if _, err := t.run(ctx, "build", "-trimpath", "-buildvcs=false", "-ldflags", pins, "-o", program, "./cmd/prover"); err != nil {
		return err
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	m := Manifest{Source: from, Files: map[string]Entry{
		Program: entry(Program, body), Key: entry(Key, key.Bytes()), Starter: entry(Starter, starter),
	}}
	list, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		body []byte
	}{{Key, key.Bytes()}, {Starter, starter}, {List, append(list, '\n')}} {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.body, 0o644); err != nil { //nolint:gosec // public files, which a release embeds
			return err
		}
	}
	return nil
}

// starter is the script of the Go release that built the program: another
// release's may not fit.
func (t *Tool) starter(ctx context.Context) ([]byte, error) {
	goroot, err := t.run(ctx, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(goroot, "lib", "wasm", Starter))
}

// run calls the go command for GOOS=js in the module's root, and returns what it
// printed.
func (t *Tool) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, t.Go, args...) //nolint:gosec // the go command of this machine, with our own arguments
	cmd.Dir = t.Root
	cmd.Env = t.Env
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOWORK=off")
	var out, diagnostics bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("go %s: %w: %s", args[0], err, strings.TrimSpace(diagnostics.String()))
	}
	return strings.TrimSpace(out.String()), nil
}
