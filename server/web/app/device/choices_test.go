package device_test

import (
	"slices"
	"testing"

	"github.com/trialith/trialith/trial/act"
)

// TestTwoDevicesChoose: two devices of one person change the options at once. The
// ledger takes one; the other does not hold its own choice for that, but makes it
// anew and puts it after; and the first then tells none that it only remembers.
func TestTwoDevicesChoose(t *testing.T) {
	t.Parallel()
	l := open(t, hostile)
	joins(l)
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, true)
	call[synced](l, "sync", true)
	l.reads("receipt")
	sheet := call[string](l, "sheet")
	call[any](l, "begin", "second")
	if m := call[memory](l, "restore", sheet, string(l.code)); len(m.Given) != 1 || m.Given[0].Choice != nil {
		t.Fatalf("restored: %+v", m.Given)
	}
	call[any](l, "prepareOptions", 1)
	call[any](l, "aside")

	call[any](l, "begin", "trialith")
	call[int](l, "reopen")
	call[any](l, "prepareOptions", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{"results"}}, true)
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); !slices.Equal(m.Given[0].Choice.Taken, []string{"results"}) {
		t.Errorf("the first device remembers %+v", m.Given)
	}

	call[any](l, "begin", "second")
	call[int](l, "reopen")
	call[any](l, "agreeElsewhere", choice{"main", "en", []string{"biobank"}})
	var s synced
	for range 4 {
		if s = call[synced](l, "sync", true); len(s.Waiting) == 0 {
			break
		}
		if m := call[memory](l, "memory"); m.Given[0].Choice != nil {
			t.Errorf("not on the ledger, and remembered: %+v", m.Given)
		}
	}
	if !slices.Equal(s.Accepted, []act.Kind{act.Options}) || !slices.Equal(s.Status.Answers, []string{"1N:options2"}) {
		t.Errorf("the second device: %+v", s)
	}
	if m := call[memory](l, "memory"); m.Given[0].Choice == nil || !slices.Equal(m.Given[0].Choice.Taken, []string{"biobank"}) {
		t.Errorf("the second device remembers %+v", m.Given)
	}

	call[any](l, "begin", "trialith")
	call[int](l, "reopen")
	call[synced](l, "sync", true)
	if m := call[memory](l, "memory"); m.Given[0].Choice != nil {
		t.Errorf("the first device still remembers %+v", m.Given)
	}
	l.noMore()
}
