package evidence

import (
	"slices"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/trial/event"
)

// The contract lets none of this happen, so the history is read here from
// entries of which one is left out: each question must be able to answer no.
func TestHistoryNoticesWhatIsMissing(t *testing.T) {
	t.Parallel()
	parts := unpack(t, golden(t))
	directory, of := list[engine.Entry](t, parts[partDirectory]), list[engine.Entry](t, parts[partTrial])
	without := func(es []engine.Entry, is func(event.Event) bool) []engine.Entry {
		return slices.DeleteFunc(slices.Clone(es), func(e engine.Entry) bool {
			found := false
			if err := each(&e, func(x event.Event) { found = found || is(x) }); err != nil {
				t.Fatal(err)
			}
			return found
		})
	}
	for _, c := range []struct {
		name          string
		directory, of []engine.Entry
		late          bool
		unapproved    string
		undelegated   string
	}{
		{"nothing", directory, of, false, "", ""},
		{"registration", directory, without(of, is[event.Registered]), true, "", ""},
		{"approvals", directory, without(of, is[event.Decided]), false, "trial/2", ""},
		{"openings", directory, without(of, is[event.SiteOpened]), false, "trial/3", ""},
		{"delegations", without(directory, is[event.Delegated]), of, false, "", "trial/3"},
		{"actors", without(directory, is[event.ActorRegistered]), of, false, "", "trial/3"},
	} {
		h, err := readHistory(c.directory, c.of)
		if err != nil {
			t.Fatal(err)
		}
		if (h.registeredLate != nil) != c.late || entryOf(h.unapproved) != c.unapproved || entryOf(h.undelegated) != c.undelegated {
			t.Errorf("without %s: late %v, unapproved %q, undelegated %q", c.name, h.registeredLate, entryOf(h.unapproved), entryOf(h.undelegated))
		}
	}
}

func is[E event.Event](e event.Event) bool {
	_, ok := e.(E)
	return ok
}

func entryOf(o *outcome) string {
	if o == nil {
		return ""
	}
	return o.entry
}

// TestDecisionsOnSites: what ethics decides on one site goes before what it
// decides on all, form by form.
func TestDecisionsOnSites(t *testing.T) {
	t.Parallel()
	site := [32]byte{1}
	all := func(form string, approved bool) event.Decided {
		return event.Decided{Version: 1, Form: form, Approved: approved}
	}
	here := func(form string, approved bool) event.Decided {
		d := all(form, approved)
		d.Sites = append(d.Sites, site)
		return d
	}
	for _, c := range []struct {
		decided []event.Decided
		want    bool
	}{
		{nil, false},
		{[]event.Decided{all("en", true)}, true},
		{[]event.Decided{all("en", false)}, false},
		{[]event.Decided{all("en", true), here("en", false)}, false},
		{[]event.Decided{all("en", true), here("es", false)}, true},
		{[]event.Decided{here("en", true), all("en", false)}, true},
	} {
		h := &history{decisions: map[opening]map[string]bool{}}
		for _, d := range c.decided {
			h.decide(d)
		}
		if got := h.approvedFor(1, site); got != c.want || h.approvedFor(2, site) {
			t.Errorf("%+v: %t", c.decided, got)
		}
	}
}
