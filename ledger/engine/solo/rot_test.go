package solo

import (
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/faulty"
)

// copied is a copy of a disk in memory.
func copied(t *testing.T, from vfs.FS) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	for _, dir := range []string{"data", "keys"} {
		if _, err := vfs.Clone(from, to, dir, dir); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// flip changes one bit of a file.
func flip(t *testing.T, fs vfs.FS, name string, at int64) {
	t.Helper()
	b := []byte{0}
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.ReadAt(b, at)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil {
		b[0] ^= 1 << (at % 8)
		_, err = f.WriteAt(b, at)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// rotten opens a ledger and reads all of it. It returns what is wrong with it,
// and fails the test if anything is, and nobody says so.
func rotten(t *testing.T, fs vfs.FS, told *promises) (found error) {
	l, err := Open(onDisk(t, fs))
	if err != nil {
		return err
	}
	defer func() {
		if err := l.Close(); err != nil && found == nil {
			t.Error(err)
		}
	}()
	if err := enginetest.Audit(l); err != nil {
		return err
	}
	if _, err = told.broken(l); errors.Is(err, errUntrue) {
		t.Errorf("it opens, everything fits together, and it is not what it was: %v", err)
	}
	return err
}

// TestFault05BitRot flips a bit at every so many bytes of every file: the
// ledger does not open, or a read fails, or whatever is read is right. It never
// proves what is not so, and it never shows less than it has told. That fsck
// finds every one of these is package store's to test.
func TestFault05BitRot(t *testing.T) {
	t.Parallel()
	mem, told := tabled(t)
	if err := rotten(t, copied(t, mem), told); err != nil {
		t.Fatal(err)
	}
	found, harmless := map[string]int{}, map[string]int{}
	for _, name := range files(t, mem) {
		info, err := mem.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, info.Size()/24)
		if faulty.Long() {
			step = 1
		}
		kind, _, _ := strings.Cut(path.Base(name), "-")
		if ext := path.Ext(name); ext == ".sst" || ext == ".log" {
			kind = ext
		}
		for at := int64(0); at < info.Size(); at += step {
			bad := copied(t, mem)
			flip(t, bad, name, at)
			if err := rotten(t, bad, told); err != nil {
				found[kind]++
			} else {
				harmless[kind]++
			}
		}
	}
	t.Logf("found %v, harmless %v", found, harmless)
	// What follows the last record in a table or a log is all that may be harmless.
	if found[".sst"] == 0 || found[".log"] == 0 || found["MANIFEST"] == 0 || found["head"] == 0 {
		t.Error("a kind of file can rot and nobody notices")
	}
}

// files are the names of all files of a ledger's disk.
func files(t *testing.T, fs vfs.FS) (out []string) {
	t.Helper()
	for _, dir := range []string{"data", "keys"} {
		names, err := fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			out = append(out, fs.PathJoin(dir, name))
		}
	}
	return out
}
