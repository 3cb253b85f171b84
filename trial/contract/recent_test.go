package contract

import (
	"fmt"
	"testing"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial/consent"
)

// counted counts what reaches the state below.
type counted struct {
	state.Store
	gets int
}

func (c *counted) Get(key []byte) ([]byte, bool) {
	c.gets++
	return c.Store.Get(key)
}

func TestAKeyIsReadOnceAndSeenAsWritten(t *testing.T) {
	t.Parallel()
	below := &counted{Store: new(state.Memory)}
	below.Set([]byte("k"), []byte("old"))
	r := &reads{Store: below}
	read := func(want string, there bool) {
		t.Helper()
		for range 2 {
			if b, ok := r.Get([]byte("k")); string(b) != want || ok != there {
				t.Errorf("read %q, %t, want %q, %t", b, ok, want, there)
			}
		}
	}
	read("old", true)
	r.Set([]byte("k"), []byte("new"))
	read("new", true)
	r.Delete([]byte("k"))
	read("", false)
	if below.gets != 3 {
		t.Errorf("%d reads below, want one for each state of the key", below.gets)
	}
}

func TestRecentForgetsTheOldestGeneration(t *testing.T) {
	t.Parallel()
	var r recent[int, int]
	for i := range 2*remembered + 1 {
		r.put(i, -i)
	}
	for i, want := range map[int]bool{0: false, remembered - 1: false, remembered: true, 2 * remembered: true} {
		if v, ok := r.get(i); ok != want || want && v != -i {
			t.Errorf("%d: %d, %t, want %t", i, v, ok, want)
		}
	}
}

// TestABodyIsRememberedByItsBytes: what was read of one body is never taken for
// another's, nor for that of another kind, and a long one is not kept.
func TestABodyIsRememberedByItsBytes(t *testing.T) {
	t.Parallel()
	var b bodies
	k, _ := KindOf(ConsentAct)
	roots := map[string]bool{}
	for range 2 { // the second time they are remembered
		for i := range byte(3) {
			r, err := b.read(k, wire.Marshal(consent.Act{Proven: consent.Proven{Root: [32]byte{i}}}))
			if err != nil {
				t.Fatal(err)
			}
			items, err := r.claims(nil)
			if err != nil {
				t.Fatal(err)
			}
			roots[fmt.Sprint(i, items[0].Statement.Root)] = true
		}
	}
	if len(roots) != 3 || len(b.young) != 3 {
		t.Errorf("%d statements of 3 bodies, %d remembered", len(roots), len(b.young))
	}
	other, _ := KindOf(ConsentEnrol)
	if _, err := b.read(other, wire.Marshal(consent.Act{})); err == nil {
		t.Error("the body of an act was read as an enrolment's")
	}
	long := wire.Marshal(consent.Replace{Statements: make([]consent.Statement, maxRemembered)})
	if k, _ = KindOf(ConsentReplace); len(b.young) != 3 {
		t.Fatal("what does not decode was remembered")
	}
	if _, err := b.read(k, long); err != nil || len(b.young) != 3 {
		t.Errorf("a body of %d bytes: %v, %d remembered", len(long), err, len(b.young))
	}
}
