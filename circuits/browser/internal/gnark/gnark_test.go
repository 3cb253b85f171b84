package gnark

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

func tool(t *testing.T) *Tool {
	t.Helper()
	found, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The name of the sources changes with every directory that the program is made
// of, and with none that it is not.
func TestSourcesAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	tool := tool(t)
	out, err := tool.run(t.Context(), "list", "-deps", "-f", "{{.ImportPath}} {{join .EmbedFiles \",\"}}", "./cmd/prover")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"."}
	for line := range strings.Lines(out) {
		path, files, _ := strings.Cut(strings.TrimSpace(line), " ")
		dir, ours := strings.CutPrefix(path, "github.com/trialith/trialith/")
		if !ours {
			continue
		}
		want = append(want, dir)
		for file := range strings.SplitSeq(files, ",") {
			if file != "" && !source(file) {
				t.Errorf("%s/%s is part of the program and not of its name", dir, file)
			}
		}
	}
	if slices.Sort(want); !slices.Equal(sources, want) {
		t.Errorf("the sources are %q, want %q", sources, want)
	}
}

// What a developer once generated, and every build embeds since, is of the
// sources as they are.
func TestGeneratedIsCurrent(t *testing.T) {
	t.Parallel()
	tool := tool(t)
	s, err := Read(os.DirFS(filepath.Join(tool.Root, "circuits", "browser", "gnark")))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("nothing is generated: go generate ./circuits/browser builds it")
	}
	if err != nil {
		t.Fatal(err)
	}
	if from, err := tool.Source(t.Context()); err != nil || s.Source != from {
		t.Errorf("%v: circuits/browser/gnark is of older sources; run go generate ./circuits/browser, or remove it", err)
	}
}

func TestSourceName(t *testing.T) {
	t.Parallel()
	there := tool(t)
	copied := &Tool{Go: there.Go, Root: t.TempDir()}
	for _, dir := range sources {
		entries, err := os.ReadDir(filepath.Join(there.Root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !source(e.Name()) {
				continue
			}
			body, err := os.ReadFile(filepath.Join(there.Root, dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(copied.Root, dir, e.Name()), string(body))
		}
	}
	name := func(tool *Tool) string {
		s, err := tool.Source(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := name(there)
	if name(copied) != first {
		t.Error("equal sources in another place have another name")
	}
	write(t, filepath.Join(copied.Root, "circuits/verifier/more_test.go"), "package verifier")
	if name(copied) != first {
		t.Error("a test changes the name")
	}
	write(t, filepath.Join(copied.Root, "circuits/verifier/more.go"), "package verifier")
	if name(copied) == first {
		t.Error("another source file does not change the name")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// One build serves processes that begin at once, and what is kept is whole. A
// kept build that was changed is made again.
func TestCache(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes a minute where Go's cache is cold")
	}
	t.Parallel()
	dir := t.TempDir()
	tool := tool(t)
	sets := make([]*Set, 2)
	errs := make([]error, len(sets))
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() { sets[i], errs[i] = Cache(t.Context(), *tool, "/dev/null/none", dir) })
	}
	wg.Wait()
	for i := range sets {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !maps.Equal(sets[i].Files, sets[0].Files) {
			t.Errorf("two builds of the same sources differ: %v, %v", sets[i].Files, sets[0].Files)
		}
	}
	kept, err := os.ReadDir(dir)
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v: the cache holds %v, want one build", err, kept)
	}
	// The Go tool is not asked to build again: nothing but its version is.
	idle := *tool
	idle.Go = filepath.Join(t.TempDir(), "go")
	write(t, idle.Go, "#!/bin/sh\n[ \"$1\" = env ] && exec \""+tool.Go+"\" \"$@\"\nexit 1\n")
	if err := os.Chmod(idle.Go, 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	if _, err := Cache(t.Context(), idle, dir); err != nil {
		t.Errorf("a kept build is not used: %v", err)
	}
	write(t, filepath.Join(dir, kept[0].Name(), Program), "changed")
	if _, err := Cache(t.Context(), idle, dir); err == nil {
		t.Error("a changed build is used")
	}
	if s, err := Cache(t.Context(), *tool, dir); err != nil || !maps.Equal(s.Files, sets[0].Files) {
		t.Errorf("a changed build is not made again: %v", err)
	}
	if _, err := Read(os.DirFS(filepath.Join(dir, kept[0].Name()))); err != nil {
		t.Errorf("the build made again is not kept: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]fstest.MapFS{
		"nothing":          {},
		"a list alone":     {List: {Data: []byte(`{"files":{}}`)}},
		"a broken list":    {List: {Data: []byte(`{`)}},
		"an unlisted file": {List: {Data: []byte(`{}`)}, Program: {}, Key: {}, Starter: {}},
	} {
		if _, err := Read(dir); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// A service without a home builds in the directory that it has.
func TestEnvironmentWithoutHome(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "GOPATH"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tool(t).Go, "env", "GOCACHE", "GOMODCACHE")
	cmd.Env = environment([]string{"PATH=" + os.Getenv("PATH")}, dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	if lines[0] != filepath.Join(dir, "go-build") {
		t.Errorf("GOCACHE is %s", lines[0])
	}
	if got := filepath.Join(lines[1], "github.com", "consensys"); !exists(got) && !strings.HasPrefix(got, dir) {
		t.Errorf("GOMODCACHE is %s, where nothing lies", lines[1])
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
