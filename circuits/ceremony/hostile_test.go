package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/ledger/wire"
)

// files reads both kinds of contributions of a finished ceremony.
func files(t testing.TB) (x *Ceremony, first, second []byte) {
	t.Helper()
	x = finished(t).open()
	read := func(p transcript.Phase) []byte {
		b, err := os.ReadFile(filepath.Join(x.dir, fmt.Sprintf(stateFile, p.Contributors[0].File)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return x, read(x.state.Phases[0]), read(x.state.Phases[1])
}

// Counts and lengths of a stranger's file never decide how much is made room for.
func TestHostileContributions(t *testing.T) {
	t.Parallel()
	x, first, second := files(t)
	n, private := x.circuit.domain, x.circuit.private
	start1, start2 := transcript.Start1(n), x.state.Start
	one := func(b []byte) error { _, err := decode1(b, n, start1); return err }
	two := func(b []byte) error { _, err := decode2(b, x.circuit, start2[:]); return err }
	if one(first) != nil || two(second) != nil {
		t.Fatal("the honest files are refused")
	}
	for _, tc := range []struct {
		name, word string
		decode     func([]byte) error
		file       []byte
		spoil      func(b []byte) []byte
	}{
		{"phase 1: cut", "bytes", one, first, func(b []byte) []byte { return b[:len(b)-1] }},
		{"phase 1: longer", "bytes", one, first, func(b []byte) []byte { return append(b, 0) }},
		{"phase 1: empty", "bytes", one, first, func([]byte) []byte { return nil }},
		{"phase 1: a huge domain", "count", one, first, func(b []byte) []byte { binary.BigEndian.PutUint64(b[288:], 1<<40); return b }},
		{"phase 1: no domain", "count", one, first, func(b []byte) []byte { binary.BigEndian.PutUint64(b[288:], 0); return b }},
		{"phase 1: a point of the longer form", "not compressed", one, first, func(b []byte) []byte { b[0] &= 0x3f; return b }},
		{"phase 1: a late point of the longer form", "not compressed", one, first, func(b []byte) []byte { b[len(b)-65] &= 0x3f; return b }},
		{"phase 1: a coordinate of p or more", "", one, first, func(b []byte) []byte { copy(b[400:], bytes.Repeat([]byte{0xff}, 32)); return b }},
		{"phase 1: another challenge", "another contribution", one, first, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		{"phase 1: no challenge", "count", one, first, func(b []byte) []byte { b[len(b)-33] = 0; return b }},
		{"phase 2: cut", "bytes", two, second, func(b []byte) []byte { return b[:len(b)-1] }},
		{"phase 2: commitments", "count", two, second, func(b []byte) []byte { b[0], b[1] = 0xff, 0xff; return b }},
		{"phase 2: a huge list", "count", two, second, func(b []byte) []byte { binary.BigEndian.PutUint32(b[34:], 1<<31); return b }},
		{"phase 2: another huge list", "count", two, second, func(b []byte) []byte { binary.BigEndian.PutUint32(b[38+32*private:], 1<<31); return b }},
		{"phase 2: a point of the longer form", "not compressed", two, second, func(b []byte) []byte { b[2] &= 0x3f; return b }},
		{"phase 2: a listed point of the longer form", "not compressed", two, second, func(b []byte) []byte { b[38] &= 0x3f; return b }},
		{"phase 2: another challenge", "another contribution", two, second, func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		{"phase 2: the start", "bytes", two, second, func(b []byte) []byte { return b[:len(b)-32] }},
	} {
		err := tc.decode(tc.spoil(bytes.Clone(tc.file)))
		if err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v, want a refusal that says %q", tc.name, err, tc.word)
		}
	}
}

// FuzzContribution: whatever a file says, it is refused without a panic unless
// it is the one honest encoding.
func FuzzContribution(f *testing.F) {
	x, first, second := files(f)
	f.Add(uint16(0), byte(1))
	f.Add(uint16(288), byte(0x80))
	f.Add(uint16(36), byte(0xff))
	start1, start2 := transcript.Start1(x.circuit.domain), x.state.Start
	f.Fuzz(func(t *testing.T, at uint16, flip byte) {
		for i, b := range [][]byte{bytes.Clone(first), bytes.Clone(second)} {
			b[int(at)%len(b)] ^= flip
			var err error
			if i == 0 {
				_, err = decode1(b, x.circuit.domain, start1)
			} else {
				_, err = decode2(b, x.circuit, start2[:])
			}
			if flip == 0 && err != nil {
				t.Error(err)
			}
		}
	})
}

// Each file of a finished ceremony, exchanged or lost, is found by Verify.
func TestVerifyFindsChangedFiles(t *testing.T) {
	t.Parallel()
	l := finished(t)
	list, err := os.ReadDir(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1+10+7+3 { // manifest, entries, states, results
		t.Fatalf("%d files", len(list))
	}
	verify := func() error {
		x, err := Open(l.config())
		if err != nil {
			return err
		}
		return x.Verify(t.Context())
	}
	for _, f := range list {
		path := filepath.Join(l.dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(b) / 2, len(b) - 1} {
			spoiled := bytes.Clone(b)
			spoiled[at] ^= 1
			if err := os.WriteFile(path, spoiled, 0o600); err != nil {
				t.Fatal(err)
			}
			if verify() == nil {
				t.Errorf("%s: byte %d changed, and nothing found", f.Name(), at)
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if strings.HasPrefix(f.Name(), "entry-0005") || strings.HasSuffix(f.Name(), ".bin") && !strings.Contains(f.Name(), "key") {
			aside := filepath.Join(t.TempDir(), f.Name())
			if err := os.Rename(filepath.Join(l.dir, f.Name()), aside); err != nil {
				t.Fatal(err)
			}
			if err := verify(); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("%s: lost, and %v", f.Name(), err)
			}
			if err := os.Rename(aside, filepath.Join(l.dir, f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A contribution whose head is honest and whose other points are not: the record
// cannot see it, Verify does.
func TestVerifyFindsAFalseVector(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	x := l.open()
	x.progress = func(int, int, string) {}
	b, err := x.contribute1()
	if err != nil {
		t.Fatal(err)
	}
	at := len(b) - 33 - 2*g1 // the last two of ατⁱ, exchanged
	last, before := bytes.Clone(b[at+g1:at+2*g1]), bytes.Clone(b[at:at+g1])
	copy(b[at:], append(last, before...))
	hash, err := keep(l.dir, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.enter(transcript.Contributed, l.signer("Mallory"), transcript.Contribution{File: hash, Head: x.head1(b)}); err != nil {
		t.Fatal(err)
	}
	if err := l.open().Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "Mallory") {
		t.Errorf("%v", err)
	}
}

// An entry that says of its file what the file does not.
func TestVerifyFindsAnotherHead(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	x := l.open()
	one, err := x.contribute1()
	if err != nil {
		t.Fatal(err)
	}
	two, err := x.contribute1()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := keep(l.dir, one)
	if err != nil || hash != wire.Hash(sha256.Sum256(one)) {
		t.Fatal(hash, err)
	}
	if err := x.enter(transcript.Contributed, l.signer("Mallory"), transcript.Contribution{File: hash, Head: x.head1(two)}); err != nil {
		t.Fatal(err)
	}
	if err := l.open().Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "says of it what the file does not") {
		t.Errorf("%v", err)
	}
}
