package device_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/trial/act"
)

// TestSendDirectly: an act that gets through no relay waits until its person
// chooses that it go to the node itself. Without the choice the node is never
// asked to take an act.
func TestSendDirectly(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	l := openWith(t, "server/web/app/device/testdata/course.ts", mux)
	joins(l)
	one := l.batcher("one")
	l.relays(mux, one)
	one.sets("away")
	call[any](l, "prepare", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	for range 4 {
		l.clock.ms.Add(hour)
		l.holds("502", act.Consent)
	}
	l.direct(act.Consent)

	one.sets("")
	call[any](l, "prepareOptions", 1)
	call[outgoing](l, "agree", choice{"main", "en", []string{"results"}}, false)
	for range 3 { // batchers that promise, and never send
		l.holds("")
		one.takes()
		l.clock.ms.Add(hour)
	}
	l.holds("", act.Options)
	l.direct(act.Options)

	l.ways.Batchers = []api.Way{}
	call[any](l, "leave")
	l.holds("names no relay any more", act.Withdraw)
	l.direct(act.Withdraw)
	if s := call[synced](l, "sync", true); !s.Status.Left || len(s.Waiting) != 0 {
		t.Errorf("left: %+v", s)
	}
}

// TestGivenUpDirectly: what gives a version up goes in a later epoch than the
// consent that was sent directly, and needs a choice of its own.
func TestGivenUpDirectly(t *testing.T) {
	t.Parallel()
	l, one := overtaken(t)
	one.sets("away")
	l.clock.ms.Add(hour) // now it would go in the epoch that begins
	l.holds("502", act.Consent)
	l.direct(act.Consent)
	l.givenUp()
}

// TestGivenUpAfterBatchers: also where batchers had both, and dropped them.
func TestGivenUpAfterBatchers(t *testing.T) {
	t.Parallel()
	l, one := overtaken(t)
	l.toEnd()
	for epoch := range 3 {
		l.holds("")
		if n := len(one.takes()); n != 1 {
			t.Fatalf("epoch %d: %d acts, want the one or the other", epoch, n)
		}
		l.clock.ms.Add(hour)
	}
	one.sets("away")
	l.holds("502", act.Consent)
	l.direct(act.Consent)
	l.givenUp()
}

// overtaken is a page's device that consents to version 2 without an answer to
// version 1, and a batcher.
func overtaken(t *testing.T) (*lab, *batcher) {
	t.Helper()
	mux := http.NewServeMux()
	l := openWith(t, "server/web/app/device/testdata/course.ts", mux)
	joins(l)
	one := l.batcher("one")
	l.relays(mux, one)
	l.amends(2, "More.")
	call[any](l, "prepare", 2)
	call[outgoing](l, "agree", choice{"main", "en", []string{}}, false)
	return l, one
}

// toEnd is the last moment of the epoch.
func (l *lab) toEnd() { l.clock.ms.Add(hour - 1 - (l.clock.Now()-begin)%hour) }

// givenUp checks that version 1 is not given up in this epoch, and in the next by choice alone.
func (l *lab) givenUp() {
	l.Helper()
	l.toEnd()
	l.holds("")
	l.clock.ms.Add(hour)
	l.holds("502", act.Superseded)
	l.direct(act.Superseded)
}

// holds checks which acts get through no relay, and with what fault, and that the
// node was asked to take none.
func (l *lab) holds(fault string, kinds ...act.Kind) {
	l.Helper()
	l.noted()
	s := call[synced](l, "sync", true)
	if len(s.Held) != len(kinds) || len(s.Accepted) != 0 || (fault == "") != (len(s.Faults) == 0) || !strings.Contains(strings.Join(s.Faults, ""), fault) {
		l.Fatalf("want %v held for %q: %+v", kinds, fault, s)
	}
	if n := l.taken(); n != 0 {
		l.Fatalf("the node itself was asked %d times, and nobody chose that", n)
	}
}

// direct chooses that what is held goes to the node itself, and checks that it alone does.
func (l *lab) direct(kinds ...act.Kind) {
	l.Helper()
	held := call[synced](l, "sync", true).Held
	if got := call[[]act.Kind](l, "sendDirectly", held); !slices.Equal(got, kinds) {
		l.Fatalf("chosen: %v, want %v", got, kinds)
	}
	l.noted()
	if s := call[synced](l, "sync", true); !slices.Equal(s.Accepted, kinds) || len(s.Held) != 0 {
		l.Fatalf("want %v accepted: %+v", kinds, s)
	}
	if n := l.taken(); n != len(kinds) {
		l.Fatalf("the node itself was asked %d times for %v", n, kinds)
	}
}

// taken is how often the node was asked since to take an act.
func (l *lab) taken() (n int) {
	for _, r := range l.noted() {
		if strings.Contains(r, "/v1/acts") {
			n++
		}
	}
	return n
}
