package solo

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/wire"
)

// A write that was cut short anywhere leaves the head before it, and says that
// there was another.
func TestTornHead(t *testing.T) {
	t.Parallel()
	heads := make([]signedHead, 4)
	for i := range heads {
		heads[i] = signedHead{wire.LedgerID{1}, uint64(9 + i), wire.Hash{byte(i)}}
	}
	for i := 1; i < len(heads); i++ {
		old, before, next := pad(""), heads[i-1].encode(), heads[i].encode()
		if i > 1 {
			old = heads[i-2].encode()
		}
		for n := range slotSize + 1 {
			torn := slices.Concat(next[:n], old[n:])
			for slot, b := range [][]byte{slices.Concat(before, torn), slices.Concat(torn, before)} {
				f, err := parseFile(b)
				if err != nil {
					t.Fatalf("head %d cut at %d: %v", i, n, err)
				}
				last, at, whole := heads[i-1], slot, slices.Equal(torn, old)
				if slices.Equal(torn, next) {
					last, at, whole = heads[i], 1-slot, true
				}
				// An empty first slot is nothing that this program leaves.
				if i == 1 && slot == 1 && slices.Equal(torn, old) {
					whole = false
				}
				if want := (headFile{last: last, set: true, slot: at, torn: !whole}); f != want {
					t.Fatalf("head %d cut at %d in slot %d: %+v, want %+v", i, n, 1-slot, f, want)
				}
			}
		}
	}
}

// What was torn is taken up where the directory is ahead, as after a power cut,
// and not where it is not, as after somebody's hand.
func TestTornHeadOfALedger(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	enter(t, l, toy.GrantTx(toy.Key(3), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(c.HeadFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFile(good)
	if err != nil || f.last.height != 2 {
		t.Fatalf("%+v %v", f, err)
	}
	tear := func(slot int) {
		b := slices.Clone(good)
		clear(b[slot*slotSize+100 : (slot+1)*slotSize])
		if err := os.WriteFile(c.HeadFile, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Height 1 is whole, and 2 may have been another's: the directory has it.
	tear(f.slot)
	l = open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(4), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// Height 2 is whole, and what the other slot held may have been 3.
	if good, err = os.ReadFile(c.HeadFile); err != nil {
		t.Fatal(err)
	}
	if f, err = parseFile(good); err != nil || f.torn || f.last.height != 3 {
		t.Fatalf("after it went on: %+v %v", f, err)
	}
	tear(1 - f.slot)
	if _, err := Open(c); !errors.Is(err, ErrRolledBack) {
		t.Errorf("the other slot torn, and the directory not ahead: %v", err)
	}
}

// The head file of an older release is read, and written anew.
func TestOldHeadFile(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	old := headOf(l.Head()).text(oldFormat)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.HeadFile, []byte(old+"x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil {
		t.Error("a longer file was taken")
	}
	if err := os.WriteFile(c.HeadFile, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(3), 1))
	f, err := readHead(vfs.Default, c.HeadFile)
	if err != nil || f.old || f.last.height != 2 {
		t.Errorf("%+v %v", f, err)
	}
	if left, err := filepath.Glob(c.HeadFile + "*"); err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("files %q %v", left, err)
	}
}
