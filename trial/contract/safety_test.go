package contract_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/safety"
)

// watchedBy gives the bench's next trial two arms, a pooled boundary and one by
// arm: an event is expected in 100 days.
func (b *bench) watchedBy() {
	b.arms = []trial.Arm{{ID: "x", Name: "drug"}, {ID: "y", Name: "placebo"}}
	for id, scope := range map[string]string{"all": trial.Pooled, "arm": trial.ByArm} {
		b.boundaries = append(b.boundaries, trial.Boundary{
			ID: id, Name: "severe events", Scope: scope, Events: "severe", RateEvents: 1, RateDays: 100, Unit: trial.Expected, MinEvents: 1,
			UntilMicro: 4_000_000, AlphaMicro: 50_000, AnswerDays: 14,
			Table: []uint64{14_546, 157_112, 432_139, 798_190, 1_229_060, 1_708_643, 2_226_431, 2_775_172, 3_349_629, 3_945_885, 4_560_918},
		})
	}
	slices.SortFunc(b.boundaries, func(a, b trial.Boundary) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
}

// board registers the monitoring board and appoints it to the trial.
func (b *bench) board() {
	b.tb.Helper()
	for _, name := range []string{"chair", "member"} {
		b.must(b.register(name, trial.DSMB, "regulator"))
	}
	b.must(b.appoint("chair", "member"))
}

// boardOf is a board in its one order.
func boardOf(names ...string) (board []trial.ActorID) {
	for _, n := range names {
		board = append(board, actor(n))
	}
	slices.SortFunc(board, func(a, b trial.ActorID) int { return slices.Compare(a[:], b[:]) })
	return board
}

func (b *bench) appoint(names ...string) outcome {
	return b.send(contract.ProtocolAppoint, protocol.Appoint{Board: boardOf(names...)}, "sponsor", "ethics")
}

// statistician knows the arms: the person-days and events of each, by day.
type statistician struct {
	days   map[string]map[trial.Day]uint32
	events map[string]map[trial.Day]safety.DayChange // by arm and boundary
	given  map[trial.ReportID]string                 // arm of a report
	posted map[string]uint64                         // by site
	held   []safety.Opening
}

func newStatistician() *statistician {
	return &statistician{
		days: map[string]map[trial.Day]uint32{"x": {}, "y": {}}, events: map[string]map[trial.Day]safety.DayChange{},
		given: map[trial.ReportID]string{}, posted: map[string]uint64{},
	}
}

// watch is a bench whose statistician keeps what the ledger must not show.
type watch struct {
	*bench
	secret *statistician
	names  map[string]string // arms as they are called: those of a swapped course are swapped
}

// watched is a trial with boundaries, open at sites A and B since day 0.
func watched(tb testing.TB) *watch {
	b := newBench(tb)
	b.watchedBy()
	b.must(b.registerTrial())
	b.approve(1)
	b.must(b.open(1, "A"))
	b.must(b.open(1, "B"))
	b.board()
	return &watch{bench: b, secret: newStatistician(), names: map[string]string{"x": "x", "y": "y"}}
}

// first is the day of genesis; days of these tests count from it.
var first = trial.DayOf(genesis)

func (w *watch) day(n int) { w.now = (first + trial.Day(n)).Start() + 6*hour }

func reportID(name string) trial.ReportID {
	e := element("report %s", name)
	return trial.ReportID(e[:16])
}

func (b *bench) reportOf(name, at string, received trial.Day, boundaries ...string) safety.Report {
	return safety.Report{ID: reportID(name), Site: site(at), Received: received, Serious: true, Boundaries: boundaries, Details: trial.Commitment{1}}
}

func (b *bench) report(r safety.Report, by string) outcome {
	return b.send(contract.SafetyReport, r, by)
}

// happens reports an event of a participant in an arm, as of today.
func (w *watch) happens(name, at, arm string, boundaries ...string) outcome {
	o := w.report(w.reportOf(name, at, trial.DayOf(w.now), boundaries...), at)
	for _, e := range o.Events {
		if r, ok := e.(event.Reported); ok {
			w.secret.given[r.Report] = w.names[arm]
			w.secret.add(w.names[arm], r.Counted, r.Boundaries, 1, 0)
		}
	}
	return o
}

func (s *statistician) add(arm string, d trial.Day, boundaries []string, added, lowered uint32) {
	for _, id := range boundaries {
		k := arm + "/" + id
		if s.events[k] == nil {
			s.events[k] = map[trial.Day]safety.DayChange{}
		}
		c := s.events[k][d]
		c.Day, c.Added, c.Lowered = d, c.Added+added, c.Lowered+lowered
		s.events[k][d] = c
	}
}

func (w *watch) follow(name, by string, serious bool, boundaries ...string) outcome {
	t := safety.FollowUp{ID: reportID(name), Serious: serious, Boundaries: boundaries, Details: trial.Commitment{2}}
	before, lowers := w.recorded(name), false
	for _, id := range before.Boundaries {
		lowers = lowers || !slices.Contains(boundaries, id)
	}
	if lowers || before.Serious && !serious {
		t.Reason = trial.Commitment{3}
	}
	o := w.send(contract.SafetyFollowUp, t, by)
	for _, e := range o.Events {
		if f, ok := e.(event.FollowedUp); ok {
			arm := w.secret.given[f.Report]
			w.secret.add(arm, f.Counted, missingFrom(f.Boundaries, before.Boundaries), 1, 0)
			w.secret.add(arm, f.Counted, missingFrom(before.Boundaries, f.Boundaries), 0, 1)
		}
	}
	return o
}

func missingFrom(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}

func (w *watch) recorded(name string) safety.Record {
	for _, r := range safety.Reports(w.stream) {
		if r.ID == reportID(name) {
			return r
		}
	}
	return safety.Record{}
}

// expose closes a site's days up to the n-th, on which so many people more
// were exposed in each arm.
func (w *watch) expose(at string, n int, x, y uint32) outcome {
	until := first + trial.Day(n)
	days := w.secret.posted[at] + uint64(x) + uint64(y)
	o := w.send(contract.SafetyExposure, safety.Exposure{Site: site(at), Until: until, Days: days}, at)
	if o.Code == 0 {
		w.secret.posted[at] = days
		w.secret.days[w.names["x"]][until] += x
		w.secret.days[w.names["y"]][until] += y
	}
	return o
}

// opening is what the statistician knows about the days of a look.
func (s *statistician) opening(from, asOf trial.Day, boundaries ...string) safety.Opening {
	o := safety.Opening{From: from, AsOf: asOf}
	for _, arm := range []string{"x", "y"} {
		a := safety.ArmOpening{Arm: arm}
		for d := from; d <= asOf; d++ {
			a.Days = append(a.Days, s.days[arm][d])
		}
		for _, id := range boundaries {
			c := safety.ArmChanges{Boundary: id}
			changed := s.events[arm+"/"+id]
			for _, d := range slices.Sorted(maps.Keys(changed)) {
				if d >= from && d <= asOf {
					c.Changes = append(c.Changes, changed[d])
				}
			}
			a.Events = append(a.Events, c)
		}
		o.Arms = append(o.Arms, a)
	}
	return o
}

func saltOf(look int) [32]byte { return element("salt %d", look) }

func (w *watch) look(n int) outcome {
	from, _ := safety.Next(w.stream)
	o := w.secret.opening(from, first+trial.Day(n), "arm")
	r := w.send(contract.SafetyLook, safety.Look{
		AsOf: o.AsOf, Board: o.Commit(saltOf(len(w.secret.held) + 1)), Sealed: make([]byte, safety.SealedBytes),
	}, "member")
	if r.Code == 0 {
		w.secret.held = append(w.secret.held, o)
	}
	return r
}

func (w *watch) unblind() {
	w.tb.Helper()
	w.must(w.send(contract.DatasetUnblind, dataset.Unblind{Allocation: trial.Commitment{1}}, "chair", "member"))
}

func (w *watch) openLook(n int) outcome {
	return w.send(contract.SafetyOpenLook, safety.OpenLook{Look: uint32(n), Opening: w.secret.held[n-1], Salt: saltOf(n)}, "member")
}

func (b *bench) decideOn(look uint32, boundary string, d trial.BoardDecision) outcome {
	return b.send(contract.SafetyDecide, safety.Decide{Look: look, Boundary: boundary, Decision: d, Reason: "as minuted"}, "chair", "member")
}

// safetyKinds ends an unblinded course with a transaction of each kind of
// safety, where sites A and B are open and the boundary "arm" is registered.
func safetyKinds(b *bench) {
	b.board()
	w := &watch{bench: b, secret: newStatistician(), names: map[string]string{"x": "x", "y": "y"}}
	b.must(w.happens("e1", "A", "x", "arm"))
	b.must(w.follow("e1", "A1", false))
	n := int(trial.DayOf(b.now) - first)
	b.now += day
	b.must(w.expose("A", n, 3, 2))
	b.must(w.expose("B", n, 0, 0))
	b.must(w.look(n))
	b.must(b.decideOn(1, "arm", trial.Continue))
	b.must(w.openLook(1))
}

// publicState is a trial's state as anybody reads it, but for the bytes of
// commitments to looks.
func publicState(v state.View) map[string]string {
	out := map[string]string{}
	v.Scan(nil, func(k, x []byte) bool {
		out[string(k)] = string(x)
		return true
	})
	for _, r := range safety.Looks(v) {
		r.Board = trial.Commitment{}
		out[fmt.Sprintf("safety/look/%c%c%c%c", 0, 0, 0, rune(r.Number))] = string(wire.Marshal(r))
	}
	return out
}

// toldPublicly is what followers are told, but for the bytes of commitments.
func toldPublicly(o outcome) (told []string) {
	for _, e := range o.Events {
		if l, ok := e.(event.Looked); ok {
			l.Board = trial.Commitment{}
			e = l
		}
		n, body := event.Encode(e)
		told = append(told, fmt.Sprintf("%d %x", n, body))
	}
	return told
}

// TestSwappedArms: before unblinding the public state and what entered are
// equal under swapped arms but for the bytes of commitments; their lengths are.
// Afterwards each arm's flags are those of the rule applied by hand.
func TestSwappedArms(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		one, other := watched(nobody{}), watched(nobody{})
		one.fast, other.fast = true, true
		other.names = map[string]string{"x": "y", "y": "x"}
		for _, s := range steps {
			a, b := s(one), s(other)
			if a.Code != b.Code || !slices.Equal(toldPublicly(a), toldPublicly(b)) {
				rt.Fatalf("%d %q in one course, %d %q in the other", a.Code, toldPublicly(a), b.Code, toldPublicly(b))
			}
		}
		a, b := publicState(one.stream), publicState(other.stream)
		for k, x := range a {
			if b[k] != x {
				rt.Fatalf("%q differs under swapped arms", k)
			}
		}
		if len(a) != len(b) {
			rt.Fatalf("%d keys, %d under swapped arms", len(a), len(b))
		}
		for _, w := range []*watch{one, other} {
			w.reveal(rt)
		}
	})
}

// drawSteps draws a course of reports, follow-ups and looks.
func drawSteps(rt *rapid.T) (steps []func(*watch) outcome) {
	n, names := 0, 0
	for range rapid.IntRange(1, 4).Draw(rt, "looks") {
		for range rapid.IntRange(0, 4).Draw(rt, "events") {
			n += rapid.IntRange(0, 3).Draw(rt, "days")
			at, arm := n, rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "arm")
			lists := rapid.SampledFrom([][]string{nil, {"arm"}, {"all"}, {"all", "arm"}}).Draw(rt, "boundaries")
			names++
			name := fmt.Sprint(names)
			steps = append(steps, func(w *watch) outcome { w.day(at); return w.happens(name, "A", arm, lists...) })
			if rapid.Bool().Draw(rt, "follow") {
				of := fmt.Sprint(rapid.IntRange(1, names).Draw(rt, "of"))
				again := rapid.SampledFrom([][]string{nil, {"arm"}, {"all", "arm"}}).Draw(rt, "again")
				steps = append(steps, func(w *watch) outcome { return w.follow(of, "A1", true, again...) })
			}
		}
		until := n
		x, y := rapid.Uint32Range(0, 60).Draw(rt, "x"), rapid.Uint32Range(0, 60).Draw(rt, "y")
		steps = append(steps,
			func(w *watch) outcome { w.day(until + 1); return w.expose("A", until, x, y) },
			func(w *watch) outcome { return w.expose("B", until, y, 0) },
			func(w *watch) outcome { return w.look(until) },
		)
		n++
	}
	return steps
}

// reveal opens every look and compares the flags with the rule by hand.
func (w *watch) reveal(rt *rapid.T) {
	w.unblind()
	var got []trial.Flag
	for n := range w.secret.held {
		for _, e := range w.must(w.openLook(n + 1)).Events {
			if o, ok := e.(event.LookOpened); ok {
				got = append(got, o.Flags...)
			}
		}
	}
	var want []trial.Flag
	for _, arm := range []string{"x", "y"} {
		if f, ok := w.secret.byHand(arm, w.boundaries[1]); ok {
			want = append(want, f)
		}
	}
	slices.SortFunc(got, func(a, b trial.Flag) int { return slices.Compare([]byte(a.Arm), []byte(b.Arm)) })
	if !slices.Equal(got, want) {
		rt.Fatalf("flags %+v, by hand %+v", got, want)
	}
	if len(safety.Sealed(w.stream)) != 0 {
		rt.Fatal("a look stayed sealed")
	}
}

// byHand finds the first day of a look on which an arm crosses, by adding all
// days again for each.
func (s *statistician) byHand(arm string, b trial.Boundary) (trial.Flag, bool) {
	for i, o := range s.held {
		for d := o.From; d <= o.AsOf; d++ {
			var days, events, highest uint64
			for at := s.held[0].From; at <= d; at++ {
				days += uint64(s.days[arm][at])
				c := s.events[arm+"/"+b.ID][at]
				events += uint64(c.Added)
				highest = max(highest, events)
				events -= uint64(c.Lowered)
			}
			if highest == 0 {
				continue
			}
			micro := days * b.RateEvents * trial.Micro / b.RateDays // days of these tests leave no remainder
			if micro <= b.UntilMicro && micro < b.Table[min(highest, uint64(len(b.Table)))-1] {
				return trial.Flag{Boundary: b.ID, Arm: arm, Look: uint32(i + 1), Crossed: d, Events: highest, Days: days, ExpectedMicro: micro}, true
			}
		}
	}
	return trial.Flag{}, false
}

// TestHold: a flag that the board leaves unanswered holds enrolment and first
// doses, and nothing else; a decision to pause holds them too.
func TestHold(t *testing.T) {
	t.Parallel()
	w := watched(t)
	for _, p := range []string{"P", "Q"} {
		w.must(w.enrol(p, "A", 1))
		w.must(w.perform(w.consent(p, 1)))
	}
	dose := func(p string) outcome {
		return w.enterEntry(w.entry(p, 1, act.Dose, "A", trial.FirstDose, 0, "pass-1"), "A")
	}
	w.must(dose("P"))
	w.must(w.happens("e1", "A", "x", "all"))
	w.day(1)
	w.must(w.expose("A", 0, 1, 0))
	w.must(w.expose("B", 0, 0, 0))
	w.must(w.look(0))
	if f := safety.Flags(w.stream); len(f) != 1 || f[0].Boundary != "all" || f[0].Arm != "" || !safety.AllAnswered(w.stream, w.now) {
		t.Fatalf("%+v", f)
	}
	w.must(w.enrol("R", "A", 1))
	w.now += 14 * day
	w.must(w.enrol("S", "A", 1)) // the last moment
	w.now++
	held := func(code trial.Code) {
		t.Helper()
		if o := w.enrol("T", "A", 1); o.Code != code {
			t.Errorf("enrolled: %d, want %d", o.Code, code)
		}
		if o := dose("Q"); o.Code != code {
			t.Errorf("dosed: %d, want %d", o.Code, code)
		}
	}
	held(trial.FlagUnanswered)
	if safety.AllAnswered(w.stream, w.now) {
		t.Error("all answered")
	}
	w.must(w.enterEntry(w.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1"), "A"))
	w.must(w.perform(w.consent("R", 1)))
	w.must(w.decideOn(1, "all", trial.Pause))
	held(trial.BoardHolds)
	w.must(w.decideOn(1, "all", trial.Continue))
	w.must(w.enrol("T", "A", 1))
	w.must(dose("Q"))
	if f := safety.Flags(w.stream); f[0].Decision != trial.Continue || f[0].Answered == 0 || safety.AllAnswered(w.stream, w.now) {
		t.Errorf("%+v: answered, and late for good", f)
	}
}

// TestClosedDaysStay: what is reported or raised after a look counts after it.
func TestClosedDaysStay(t *testing.T) {
	t.Parallel()
	w := watched(t)
	w.must(w.happens("e1", "A", "x"))
	w.day(3)
	w.must(w.expose("A", 2, 10, 10))
	w.must(w.expose("B", 2, 0, 0))
	w.must(w.look(2))
	w.must(w.report(w.reportOf("late", "A", first+1, "all", "arm"), "A"))
	if r := w.recorded("late"); r.Received != first+1 || r.Counted != first+3 {
		t.Errorf("%+v", r)
	}
	w.must(w.follow("e1", "A1", true, "all"))
	if got := safety.Counts(w.stream); got[0].Events != 2 || got[1].Events != 1 {
		t.Errorf("%+v", got)
	}
	if l := safety.Looks(w.stream); len(l) != 1 || l[0].Counts[0].Events != 0 || l[0].Days != 20 || l[0].From != first {
		t.Errorf("%+v", l)
	}
	if late := safety.LateReports(w.stream); len(late) != 0 {
		t.Errorf("no clock, and late: %+v", late)
	}
}

// TestClocks: a report is late when its clock ran out before it was entered,
// and a clock contradicts an event that is not serious.
func TestClocks(t *testing.T) {
	t.Parallel()
	w := watched(t)
	w.day(10)
	for name, received := range map[string]trial.Day{"in time": first + 3, "late": first + 2} {
		r := w.reportOf(name, "A", received)
		r.Clock, r.Serious = trial.SevenDays, false
		w.must(w.report(r, "A1"))
	}
	if late := safety.LateReports(w.stream); len(late) != 1 || late[0].ID != reportID("late") {
		t.Errorf("late: %+v", late)
	}
	if q := safety.Queries(w.stream); len(q) != 2 {
		t.Errorf("queries: %+v", q)
	}
	w.must(w.follow("late", "A", true))
	w.must(w.follow("in time", "A", true))
	if q := safety.Queries(w.stream); len(q) != 0 {
		t.Errorf("queries that are answered: %+v", q)
	}
}

// TestLateBoundary: one registered after the first look is told apart, and none
// is altered by an amendment.
func TestLateBoundary(t *testing.T) {
	t.Parallel()
	w := watched(t)
	w.day(1)
	w.must(w.expose("A", 0, 1, 1))
	w.must(w.expose("B", 0, 0, 0))
	w.must(w.look(0))
	w.boundaries[0].RateEvents = 7
	extra := w.boundaries[0]
	extra.ID = "extra"
	w.boundaries = append(w.boundaries, extra)
	w.must(w.send(contract.ProtocolAmend, protocol.Amend{
		Version: 2, Protocol: w.protocol(), Reason: "one more", Effective: trial.DayOf(w.now),
	}, "sponsor"))
	if got := safety.LateBoundaries(w.stream); !slices.Equal(got, []string{"extra"}) {
		t.Errorf("%q", got)
	}
	if got := safety.Boundaries(w.stream); len(got) != 3 || got[0].RateEvents != 1 {
		t.Errorf("%+v", got)
	}
}
