package ceremony

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/wire"
)

func TestCeremony(t *testing.T) {
	t.Parallel()
	l := finished(t)
	x := l.open()
	if err := x.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := x.State()
	want := []string{"Ada", "Ben", "Cleo"}
	if !s.Done() || !slices.Equal(names(s.Phases[0]), want) || !slices.Equal(names(s.Phases[1]), want) {
		t.Fatalf("%+v", s)
	}
	key, err := os.ReadFile(filepath.Join(l.dir, VerifyingFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.ParsePinned(key, s.VerifyingKey); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(filepath.Join(l.dir, TranscriptFile))
	if err != nil {
		t.Fatal(err)
	}
	// The record alone, as an evidence file carries it.
	record, err := transcript.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := record.Check()
	if err != nil {
		t.Fatal(err)
	}
	if err := alone.CheckKey(key, verifier.HashKey(key)); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(record.Encode(), x.Transcript().Encode()) {
		t.Error("the record in the file is another")
	}
}

// The names of the shipped circuits are those of the source.
func TestCircuitsAreThePinned(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{7, 11} {
		system, err := membership.Compile(depth)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := transcript.Circuit(uint8(depth))
		if got := HashCircuit(system); got != want {
			t.Errorf("depth %d: the circuit is %v, and package transcript names %v", depth, got, want)
		}
	}
	if _, ok := transcript.Circuit(8); ok {
		t.Error("a circuit that is not shipped has a name")
	}
}

// What phase 1 starts from is the library's own start.
func TestStart(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	x := l.open()
	p, err := x.read1(-1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := encode(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := wire.Hash(sha256.Sum256(b)); got != x.State().Phases[0].Last() {
		t.Errorf("the library starts from %v, the record from %v", got, x.State().Phases[0].Last())
	}
}

// What must be refused when a ceremony is held, and the word that says why.
func TestRefused(t *testing.T) {
	t.Parallel()
	announce := func(l *lab, at int64, size int) error {
		return l.open().Announce(l.signer("coordinator"), "a public value", at, size)
	}
	seal := func(l *lab, who string, value []byte) error {
		return l.open().Seal(l.t.Context(), l.signer(who), value)
	}
	for _, tc := range []struct {
		name, word string
		do         func(l *lab) error
	}{
		{"no contribution", "has 0 contributors", func(l *lab) error { l.announce(); l.now += 2 * day; return seal(l, "coordinator", beacon(1)) }},
		{"too few contributors", "has 1 contributors", func(l *lab) error {
			l.announce()
			l.contribute("Ada")
			l.now += 2 * day
			return seal(l, "coordinator", beacon(1))
		}},
		{"one key twice", "counts once", func(l *lab) error { l.contribute("Ada"); return l.open().Contribute(l.signer("Ada")) }},
		{"no beacon announced", "no beacon is announced", func(l *lab) error { l.contribute("Ada", "Ben"); return seal(l, "coordinator", beacon(1)) }},
		{"announced after the last contribution", "nobody contributed after", func(l *lab) error {
			l.contribute("Ada", "Ben")
			l.announce()
			l.now += 2 * day
			return seal(l, "coordinator", beacon(1))
		}},
		{"announced again after the last contribution", "nobody contributed after", func(l *lab) error {
			l.announce()
			l.contribute("Ada", "Ben")
			l.announce()
			l.now += 2 * day
			return seal(l, "coordinator", beacon(1))
		}},
		{"sealed before the beacon's moment", "seal after it", func(l *lab) error {
			l.announce()
			l.contribute("Ada", "Ben")
			return seal(l, "coordinator", beacon(1))
		}},
		{"contributed after the beacon's moment", "could know its value", func(l *lab) error {
			l.announce()
			l.now += 2 * day
			return l.open().Contribute(l.signer("Ada"))
		}},
		{"a beacon of the past", "has passed", func(l *lab) error { return announce(l, l.now, 32) }},
		{"a short beacon announced", "size", func(l *lab) error { return announce(l, l.now+day, 8) }},
		{"a huge beacon announced", "size", func(l *lab) error { return announce(l, l.now+day, 1<<20) }},
		{"another length than announced", "announced are 32", func(l *lab) error {
			l.announce()
			l.contribute("Ada", "Ben")
			l.now += 2 * day
			return seal(l, "coordinator", beacon(1)[:31])
		}},
		{"announced by another", "only the coordinator", func(l *lab) error {
			return l.open().Announce(l.signer("Ada"), "mine", l.now+day, 32)
		}},
		{"sealed by another", "only the coordinator", func(l *lab) error {
			l.announce()
			l.contribute("Ada", "Ben")
			l.now += 2 * day
			return seal(l, "Ada", beacon(1))
		}},
		{"the beacon of phase 1 again", "phase 1 again", func(l *lab) error {
			l.phase()
			l.announce()
			l.contribute("Ada", "Ben")
			l.now += 2 * day
			return seal(l, "coordinator", beacon(1))
		}},
		{"a name of two lines", "name", func(l *lab) error { return l.open().Contribute(l.signer("Ada\nBen")) }},
		{"begun twice", "file exists", func(l *lab) error {
			_, err := Init(l.config(), Plan{Name: "Test", Depth: 1, Minimum: 2}, l.signer("another"))
			if !errors.Is(err, fs.ErrExist) {
				l.t.Errorf("%v", err)
			}
			return err
		}},
		{"one contributor asked for", "minimum", func(l *lab) error {
			c := l.config()
			c.Dir += "-2"
			_, err := Init(c, Plan{Name: "Test", Depth: 1, Minimum: 1}, l.signer("coordinator"))
			return err
		}},
		{"cancelled", "canceled", func(l *lab) error {
			l.announce()
			l.contribute("Ada", "Ben")
			l.now += 2 * day
			ctx, cancel := context.WithCancel(l.t.Context())
			cancel()
			return l.open().Seal(ctx, l.signer("coordinator"), beacon(1))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t).init()
			if err := tc.do(l); err == nil || !strings.Contains(err.Error(), tc.word) {
				t.Errorf("%v, want a refusal that says %q", err, tc.word)
			}
			if err := l.open().Verify(t.Context()); err != nil {
				t.Errorf("the refused step left something: %v", err)
			}
		})
	}
}

func TestSealedTakesNothingMore(t *testing.T) {
	t.Parallel()
	l := finished(t)
	x := l.open()
	for name, err := range map[string]error{
		"contribute": x.Contribute(l.signer("Dora")),
		"announce":   x.Announce(l.signer("coordinator"), "another", l.now+day, 32),
		"seal":       x.Seal(t.Context(), l.signer("coordinator"), beacon(3)),
	} {
		if err == nil || !strings.Contains(err.Error(), "sealed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A later announcement replaces one whose moment came too early.
func TestAnnouncedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	l.contribute("Ada")
	l.announce()
	l.now += 2 * day
	l.announce()
	l.contribute("Ben")
	l.seal()
	if err := l.open().Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// Two who contribute at once: the second is told, and nothing is lost.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	ada, ben := l.open(), l.open()
	if err := ada.Contribute(l.signer("Ada")); err != nil {
		t.Fatal(err)
	}
	if err := ben.Contribute(l.signer("Ben")); err == nil || !strings.Contains(err.Error(), "came first") {
		t.Errorf("%v", err)
	}
	l.contribute("Ben")
	if err := l.open().Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// After a kill there is any prefix of what would have been written, and perhaps
// a file that no entry names. Each step goes on from there.
func TestGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	litter := func(b string) {
		hash := sha256.Sum256([]byte(b))
		for name, content := range map[string]string{".new-1": b, fmt.Sprintf(stateFile, wire.Hash(hash)): b} {
			if err := os.WriteFile(filepath.Join(l.dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	litter("a contribution that no entry names")
	l.phase()
	litter("another")
	l.phase()
	want := map[string][]byte{}
	for _, name := range []string{ProvingFile, VerifyingFile, TranscriptFile} {
		b, err := os.ReadFile(filepath.Join(l.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want[name] = b
		if err := os.Remove(filepath.Join(l.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	// Killed between the last entry and the keys: seal again writes them.
	if err := l.open().Verify(t.Context()); err != nil {
		t.Errorf("without keys: %v", err)
	}
	if err := l.open().Seal(t.Context(), l.signer("coordinator"), beacon(2)); err != nil {
		t.Fatal(err)
	}
	for name, b := range want {
		if got, err := os.ReadFile(filepath.Join(l.dir, name)); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: %v, or other bytes", name, err)
		}
	}
}

// The circuit is recomputed: a program with another one refuses the ceremony.
func TestAnotherCircuit(t *testing.T) {
	t.Parallel()
	l := newLab(t).init()
	c := l.config()
	c.Compile = membership.Compile
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "circuit") {
		t.Errorf("%v", err)
	}
}

// A ceremony over the real circuit, at the least depth of trees.
func TestCeremonyOfTheRealCircuit(t *testing.T) {
	if testing.Short() {
		t.Skip("the real circuit's polynomials take some ten seconds")
	}
	t.Parallel()
	l := newLab(t)
	l.compile = membership.Compile
	l.init()
	for range 2 {
		l.contribute("Ada")
		l.announce()
		l.contribute("Ben")
		l.seal()
	}
	if s := l.open().State(); !s.Done() {
		t.Errorf("%+v", s)
	}
}
