package gnark

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Whoever shares the machine lays neither a build into the cache nor sources
// around the working directory.
func TestNothingIsTakenFromSharedDirectories(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions there are lists, which are not looked at")
	}
	shared := filepath.Join(t.TempDir(), "shared")
	inner := filepath.Join(shared, "inner")
	write(t, filepath.Join(shared, "go.mod"), "module github.com/trialith/trialith\n")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	if root := rootAround(inner); root != shared {
		t.Errorf("the sources around %s are at %q, want %s", inner, root, shared)
	}
	if dir, temporary, err := writable([]string{shared}); err != nil || temporary || dir != shared {
		t.Errorf("a directory of one's own: %s, %t, %v", dir, temporary, err)
	}
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil { //nolint:gosec // that is the fault
		t.Fatal(err)
	}
	if root := rootAround(inner); root != "" && strings.HasPrefix(shared, root) {
		t.Errorf("sources are taken from %s, into which anyone may write", root)
	}
	dir, temporary, err := writable([]string{shared})
	if err != nil || !temporary || dir == shared {
		t.Errorf("a cache that anyone may write to: %s, %t, %v", dir, temporary, err)
	}
	removeAll(dir)
}
