package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// semaphoreDir is the peer, from the module's root.
const semaphoreDir = "circuits/bench/semaphore"

// browserPeer finds the peer's directory, empty for none. Where the flag names
// none, packages that are missing are installed, and a machine that cannot
// measures without the peer and says so.
func browserPeer(ctx context.Context, named string, say func(string, ...any)) (string, error) {
	const help = "run \"npm ci\" in " + semaphoreDir
	if named == "none" {
		return "", nil
	}
	if named != "" {
		if !installed(named) {
			return "", hint(fmt.Errorf("--peer %s: its packages are not installed", named), help)
		}
		return named, nil
	}
	dir, err := sourceDir(semaphoreDir)
	if err == nil && !installed(dir) {
		say("installing the peer's packages in %s", dir)
		err = install(ctx, dir)
	}
	if err != nil {
		say("without the peer: %v; %s", err, help)
		return "", ctx.Err()
	}
	return dir, nil
}

func installed(dir string) bool {
	for _, file := range []string{"browser.js", "node_modules/snarkjs/build/snarkjs.min.js", "node_modules/@zk-kit/semaphore-artifacts/semaphore-20.zkey"} {
		if !exists(filepath.Join(dir, file)) {
			return false
		}
	}
	return true
}

func install(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	return cmd.Run()
}

// sourceDir is a directory of the sources that this program was compiled from, or
// that the working directory lies in.
func sourceDir(dir string) (string, error) {
	var roots []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		roots = append(roots, filepath.Join(filepath.Dir(file), "..", ".."))
	}
	roots = append(roots, ".")
	for _, r := range roots {
		if path := filepath.Join(r, dir); exists(path) {
			return path, nil
		}
	}
	return "", errors.New("the sources of this program are not on this machine")
}
