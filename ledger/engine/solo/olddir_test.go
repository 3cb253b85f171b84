package solo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
)

var writeOld = flag.Bool("olddir", false, "write testdata/format1.tar.gz anew: only before the first release of its format")

// oldDir is a data directory of each format that was ever released, with its
// head file and a text that says what it holds.
const oldDir = "testdata/format1.tar.gz"

// oldTx are the transactions of that directory. Two of them are refused.
func oldTx(i int) []byte {
	if i == 0 {
		return toy.GrantTx(toy.Key(2), 0)
	}
	return toy.Tx(toy.Key(2), toy.Add, toy.Stream(i%3), fmt.Sprint(i%18), uint64(i))
}

const oldTxs = 24

// holds says what a ledger holds, so that two programs can be compared.
func holds(t *testing.T, l *Ledger) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "ledger %v\n", l.ID())
	for i := range oldTxs {
		e, err := l.Entry(tx.Hash(oldTx(i)))
		if err != nil {
			t.Fatal(err)
		}
		h, err := l.Header(e.Height)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s code %d in block %d of %d, header %v\n", e.Name(), e.Result.Code, e.Height, e.Time, h.Hash())
	}
	return b.String()
}

// TestFault16OldDirectory: a directory that an earlier program wrote opens, holds
// what it held, passes fsck, and goes on.
func TestFault16OldDirectory(t *testing.T) {
	t.Parallel()
	if *writeOld {
		writeOldDir(t)
	}
	dir := t.TempDir()
	unpack(t, oldDir, dir)
	want, err := os.ReadFile(filepath.Join(dir, "holds"))
	if err != nil {
		t.Fatal(err)
	}
	c := oldConfig(t, dir)
	f, err := Fsck(c.Dir, c.HeadFile, c.Genesis, store.FsckOptions{Replay: new(toy.Machine)})
	if err != nil || len(f.Found) > 0 {
		t.Fatalf("fsck: %v %+v", err, f)
	}
	for run := range 2 {
		l := open(t, c)
		if got := holds(t, l); got != string(want) {
			t.Errorf("it holds\n%s\nit held\n%s", got, want)
		}
		audit(t, l)
		if again := enter(t, l, oldTx(5)); again.Height != 6 {
			t.Errorf("a transaction of the old program is taken again, into block %d", again.Height)
		}
		if e := enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(0), fmt.Sprint("new ", run), uint64(100+run))); e.Result.Code != engine.Accepted {
			t.Errorf("%+v", e)
		}
		audit(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFault16NewerFormat: a directory of a format that this program does not
// know is refused with the remedy, and left as it is.
func TestFault16NewerFormat(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	format := func(value string) {
		db, err := pebble.Open(c.Dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: silent{}})
		if err == nil {
			err = errors.Join(db.Set([]byte{'v'}, []byte(value), pebble.Sync), db.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	format("trialith ledger 999")
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "999") || !strings.Contains(err.Error(), "or a newer one") {
		t.Errorf("a newer format: %v", err)
	}
	format("trialith ledger 1")
	audit(t, open(t, c))
}

func oldConfig(t *testing.T, dir string) Config {
	c := config(t)
	c.Dir, c.HeadFile = filepath.Join(dir, "data"), filepath.Join(dir, "head")
	return c
}

// writeOldDir writes it. Its last blocks are in pebble's log, the ones before
// in a table.
func writeOldDir(t *testing.T) {
	dir := t.TempDir()
	c := oldConfig(t, dir)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1000)
	c.Clock = clock
	var text string
	for part := range 2 {
		l := open(t, c)
		for i := part * oldTxs / 2; i < (part+1)*oldTxs/2; i++ {
			enter(t, l, oldTx(i))
			clock.T.Add(1000)
		}
		if part == 1 {
			text = holds(t, l)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "holds"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	pack(t, dir, oldDir)
}

func pack(t *testing.T, dir, file string) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close(), z.Close())
	if err == nil && b.Len() > 200<<10 {
		err = fmt.Errorf("%d bytes; at most 200 KB belong into the repository", b.Len())
	}
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, b.Bytes(), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, file, dir string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			t.Fatal(h, err)
		}
		path := filepath.Join(dir, h.Name)
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o755)
		} else {
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, b, 0o600))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
