package tiles

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
)

// same checks that a directory holds, byte for byte, what the handler of a
// ledger serves, and nothing else but partial files that are not removed yet.
func same(t *testing.T, dir string, m *made) {
	t.Helper()
	h := New(m, nil)
	c, err := published(m.Checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	need := map[string]bool{"checkpoint": true, "genesis": true, "rotations": true}
	Since(chain.Checkpoint{}, c, func(p Path) bool { need[p.String()] = true; return true })
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		want, err := io.ReadAll(body(t, h, http.MethodGet, rel).Body)
		if err != nil {
			return err
		}
		if !bytes.Equal(b, want) {
			t.Errorf("%s is not what is served", rel)
		}
		if !need[rel] && !strings.Contains(rel, ".p/") {
			t.Errorf("%s does not belong there", rel)
		}
		delete(need, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for rel := range need {
		t.Errorf("%s is missing", rel)
	}
}

func export(t *testing.T, m *made, dir string) {
	t.Helper()
	if _, err := Export(t.Context(), m, dir); err != nil {
		t.Fatal(err)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	for _, height := range []uint64{0, 1, 36, 37, 37, 300, 9400} {
		m := ledgerOf(height)
		export(t, m, dir)
		same(t, dir, m)
	}
	// What is full has no partial files beside it.
	if _, err := os.Stat(filepath.Join(dir, "tile", "0", "000.p")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tile/0/000.p is still there: %v", err)
	}
	// A static server of the directory serves public clients.
	url, hc := serve(t, http.FileServer(http.Dir(dir)))
	cl, f := client(t, url, hc)
	at := tree(t, f)
	m := sized{madeOf(), uint64(at.N)}
	readAllEntries(t, cl, at, m, m.size-300)
	inclusion(t, cl, at, m, 1234)
}

// An export that is broken off anywhere shows only what it showed before, and
// is taken up again.
func TestExportIsTakenUp(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	export(t, ledgerOf(40), dir)
	broken := errors.New("the disk is gone")
	for _, at := range []uint64{256, 1024, 2048} {
		m := ledgerOf(300)
		m.fail = func(place uint64) error {
			if place >= at {
				return broken
			}
			return nil
		}
		if _, err := Export(t.Context(), m, dir); !errors.Is(err, broken) {
			t.Fatalf("broken at %d: %v", at, err)
		}
		if _, c, err := (Dir{dir}).Published(t.Context()); err != nil || c.Height != 40 {
			t.Errorf("broken at %d: published: %+v, %v", at, c, err)
		}
		err := filepath.WalkDir(filepath.Join(dir, "transactions"), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(dir, path)
				p, bad := ParsePath(filepath.ToSlash(rel))
				b, missing := os.ReadFile(path)
				_, damaged := DecodeTransactions(p, b)
				err = errors.Join(bad, missing, damaged)
			}
			return err
		})
		if err != nil {
			t.Errorf("broken at %d: %v", at, err)
		}
	}
	// What a killed writer left beside is removed.
	left := filepath.Join(dir, incoming, "1234")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	export(t, ledgerOf(300), dir)
	same(t, dir, ledgerOf(300))
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "log")
	export(t, ledgerOf(40), dir)
	if _, err := Export(t.Context(), ledgerOf(39), dir); err == nil || !strings.Contains(err.Error(), "old state") {
		t.Errorf("a ledger that is behind: %v", err)
	}
	fork := ledgerOf(41)
	fork.headers = append([]chain.Header(nil), fork.headers...)
	fork.headers[39].Results[0] ^= 1
	if _, err := Export(t.Context(), fork, dir); err == nil || !strings.Contains(err.Error(), "another history") {
		t.Errorf("another history: %v", err)
	}
	other := genesis()
	other.Name = "Another"
	if err := (Dir{dir}).KeepGenesis(t.Context(), other); err == nil {
		t.Error("another genesis was taken")
	}
	same(t, dir, ledgerOf(40))
}

// late is a ledger whose first transactions are not there any more.
type late struct{ *made }

func (l late) Entries(from uint64, limit int) ([]engine.Entry, error) {
	return l.made.Entries(from+100, limit)
}

// A ledger that lacks its first transactions does not show others in their place.
func TestNoOtherTransaction(t *testing.T) {
	t.Parallel()
	h := New(late{ledgerOf(300)}, nil)
	if r := body(t, h, http.MethodGet, "transactions/000"); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", r.StatusCode)
	}
}
