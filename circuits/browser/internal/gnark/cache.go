package gnark

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
)

// Find looks for the go command and for the sources of this program: where they
// lay when it was compiled, or around the working directory.
func Find() (*Tool, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath("go")
	if err == nil {
		return &Tool{Go: path, Root: root}, nil
	}
	// A program started by its full path may have no PATH worth the name.
	path = filepath.Join(runtime.GOROOT(), "bin", "go") //nolint:staticcheck // only a second place to look, and empty in a release
	if _, err := os.Stat(path); err == nil {
		return &Tool{Go: path, Root: root}, nil
	}
	return nil, errors.New("there is no Go tool on this machine's PATH")
}

func moduleRoot() (string, error) {
	var places []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		places = append(places, filepath.Dir(file))
	}
	if dir, err := os.Getwd(); err == nil {
		places = append(places, dir)
	}
	for _, dir := range places {
		if root := rootAround(dir); root != "" {
			return root, nil
		}
	}
	return "", errors.New("the sources of this program are not on this machine")
}

// rootAround is the module's root at or above a directory, or empty. It does not
// look into a directory that anyone may write to, nor beyond it: whoever shares the
// machine could lay sources there.
func rootAround(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && shared(info) {
			return ""
		}
		if ours(dir) {
			return dir
		}
		if filepath.Dir(dir) == dir {
			return ""
		}
	}
}

// shared reports whether anyone on the machine may write to a directory. Windows
// has no such bit.
func shared(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0
}

func ours(dir string) bool {
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(string(mod), "module github.com/trialith/trialith\n")
}

// Cache returns the set built from the tool's sources, from the first of the
// given directories that can be written to, and builds it there where it is
// missing. A directory of builds holds one for each name of sources; one comes
// into being whole, by a rename, so that several processes may do so at once.
// Where no directory can be written to, it builds in a temporary one and leaves
// nothing behind.
func Cache(ctx context.Context, tool Tool, dirs ...string) (*Set, error) {
	dir, temporary, err := writable(dirs)
	if err != nil {
		return nil, err
	}
	if temporary {
		// Go's caches are read-only to guard against edits, not against removal.
		defer removeAll(dir)
	}
	tool.Env = environment(os.Environ(), dir)
	from, err := tool.Source(ctx)
	if err != nil {
		return nil, err
	}
	final := filepath.Join(dir, from[:32])
	if s, err := Read(os.DirFS(final)); err == nil && s.Source == from {
		return s, nil
	}
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work) //nolint:errcheck // it has been renamed, or is rubbish in a cache
	if err := tool.Build(ctx, work); err != nil {
		return nil, err
	}
	s, err := Read(os.DirFS(work))
	if err != nil {
		return nil, err
	}
	forget(dir)
	if os.Rename(work, final) != nil {
		// Another process was first, or what lies there is broken.
		if _, err := Read(os.DirFS(final)); err != nil {
			os.RemoveAll(final)    //nolint:errcheck,gosec // the next process builds again
			os.Rename(work, final) //nolint:errcheck,gosec // likewise
		}
	}
	return s, nil
}

// forget removes builds of other sources that are a month old: a developer makes
// many, of 13 MB each.
func forget(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && len(e.Name()) == 32 && time.Since(info.ModTime()) > 30*24*time.Hour {
			os.RemoveAll(filepath.Join(dir, e.Name())) //nolint:errcheck,gosec // best effort
		}
	}
}

// writable returns the first directory of this process's user in which a file can
// be made and no other user can make one, or a temporary one: a build is known by
// its own list alone, so that whoever writes here chooses what participants run.
func writable(dirs []string) (dir string, temporary bool, err error) {
	for _, dir := range dirs {
		if dir == "" || os.MkdirAll(dir, 0o700) != nil {
			continue
		}
		if info, err := os.Stat(dir); err != nil || shared(info) || !mine(info) {
			continue
		}
		probe, err := os.CreateTemp(dir, "probe-")
		if err != nil {
			continue
		}
		return dir, false, errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	// Its name is chance: whoever shares the machine cannot lay a program there.
	dir, err = os.MkdirTemp("", "trialith-prover-")
	if err != nil {
		return "", false, fmt.Errorf("no directory to build the prover in: %w", err)
	}
	return dir, true, nil
}

// environment gives the go command its caches where this process has no home to
// keep them in: a service often has none.
func environment(env []string, dir string) []string {
	set := map[string]bool{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		set[name] = value != ""
	}
	home, err := os.UserCacheDir()
	if !set["GOCACHE"] && (err != nil || os.MkdirAll(home, 0o700) != nil) {
		env = append(env, "GOCACHE="+filepath.Join(dir, "go-build"))
	}
	if set["GOMODCACHE"] || set["GOPATH"] {
		return env
	}
	if modules := moduleCache(); modules != "" {
		return append(env, "GOMODCACHE="+modules)
	}
	if home, err := os.UserHomeDir(); err != nil || os.MkdirAll(filepath.Join(home, "go"), 0o750) != nil {
		return append(env, "GOPATH="+filepath.Join(dir, "go"))
	}
	return env
}

// moduleCache is where the modules lay that this program was compiled from, told
// by the place of one of them; empty where that is not known or is gone.
func moduleCache() string {
	f := runtime.FuncForPC(reflect.ValueOf(ecc.IDFromString).Pointer())
	file, _ := f.FileLine(f.Entry())
	dir, _, found := strings.Cut(file, "/github.com/consensys/gnark-crypto@")
	if !found || !filepath.IsAbs(dir) {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

func removeAll(dir string) {
	filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error { //nolint:errcheck,gosec // best effort
		if err == nil && e.IsDir() {
			os.Chmod(path, 0o700) //nolint:errcheck,gosec // best effort
		}
		return nil
	})
	os.RemoveAll(dir) //nolint:errcheck,gosec // best effort
}
