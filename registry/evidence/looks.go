package evidence

import (
	"slices"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// looks is what the history tells of looks at safety boundaries. It counts
// again, in the plainest way, what the contract counted: the replay has opened
// each commitment, and this adds up what came out.
type looks struct {
	boundaries []trial.Boundary // as first registered
	late       []string         // registered after the first look
	reports    map[trial.ReportID][]string
	counted    map[string][]counted
	closed     []event.Exposed
	pooled     []event.PooledLook
	names      []string // entries of the looks
	sealed     int      // looks that committed to something
	opened     int
	flags      []trial.Flag // by arm
	fault      *outcome
}

// counted is that an event counted, or did not any more, from a day on.
type counted struct {
	day  trial.Day
	more int
}

func (l *looks) read(at *engine.Entry, e event.Event) {
	switch e := e.(type) {
	case event.Registered:
		l.register(&e.Protocol)
	case event.Amended:
		l.register(&e.Protocol)
	case event.Reported:
		l.assess(at, e.Report, e.Counted, e.Boundaries)
	case event.FollowedUp:
		l.assess(at, e.Report, e.Counted, e.Boundaries)
	case event.Exposed:
		l.closed = append(l.closed, e)
	case event.Looked:
		l.names = append(l.names, at.Name())
		if e.Board != (trial.Commitment{}) {
			l.sealed++
		}
	case event.PooledLook:
		l.look(at, e)
	case event.LookOpened:
		l.open(at, e)
	default:
	}
}

func (l *looks) register(p *trial.Protocol) {
	for _, b := range p.Boundaries {
		if slices.ContainsFunc(l.boundaries, func(known trial.Boundary) bool { return known.ID == b.ID }) {
			continue
		}
		l.boundaries = append(l.boundaries, b)
		if len(l.pooled) > 0 {
			l.late = append(l.late, b.ID)
		}
	}
}

// assess takes the latest assessment of a report in place of the one before.
func (l *looks) assess(at *engine.Entry, id trial.ReportID, day trial.Day, boundaries []string) {
	if n := len(l.pooled); n > 0 && day <= l.pooled[n-1].AsOf {
		note(&l.fault, at, "report %v counts on %v, which a look had closed", id, day)
	}
	if l.reports == nil {
		l.reports, l.counted = map[trial.ReportID][]string{}, map[string][]counted{}
	}
	for _, b := range l.reports[id] {
		l.counted[b] = append(l.counted[b], counted{day, -1})
	}
	for _, b := range boundaries {
		l.counted[b] = append(l.counted[b], counted{day, +1})
	}
	l.reports[id] = boundaries
}

func (l *looks) events(boundary string, until trial.Day) (n int) {
	for _, c := range l.counted[boundary] {
		if c.day <= until {
			n += c.more
		}
	}
	return n
}

func (l *looks) look(at *engine.Entry, e event.PooledLook) {
	l.pooled = append(l.pooled, e)
	var days uint64
	for _, x := range l.closed {
		if x.Until == e.AsOf {
			days += x.Days
		}
	}
	if days != e.Days {
		note(&l.fault, at, "look %d tells %d person-days up to %v; the sites reported %d", e.Look, e.Days, e.AsOf, days)
	}
	for _, c := range e.Counts {
		if n := l.events(c.Boundary, e.AsOf); n < 0 || uint64(n) != c.Events || c.Highest < c.Events {
			note(&l.fault, at, "look %d counts %d events for %q, at most %d; the reports give %d", e.Look, c.Events, c.Boundary, c.Highest, n)
		}
	}
}

// open adds the arms up, and asks of each arm at the cut-off whether it is
// flagged just where its count says so.
func (l *looks) open(at *engine.Entry, e event.LookOpened) {
	l.opened++
	l.flags = append(l.flags, e.Flags...)
	i := slices.IndexFunc(l.pooled, func(p event.PooledLook) bool { return p.Look == e.Look })
	if i < 0 {
		note(&l.fault, at, "look %d is opened and was never made", e.Look)
		return
	}
	var days uint64
	events := map[string]uint64{}
	for _, a := range e.Arms {
		days += a.Days
		for _, c := range a.Counts {
			events[c.Boundary] += c.Events
			l.crossed(at, e.Look, a, c)
		}
	}
	if days != l.pooled[i].Days {
		note(&l.fault, at, "look %d: the arms have %d person-days, all together %d", e.Look, days, l.pooled[i].Days)
	}
	for _, c := range l.pooled[i].Counts {
		if n, byArm := events[c.Boundary]; byArm && n != c.Events {
			note(&l.fault, at, "look %d: the arms have %d events for %q, all together %d", e.Look, n, c.Boundary, c.Events)
		}
	}
	for _, f := range e.Flags {
		if b, ok := l.boundary(f.Boundary); !ok || !b.Flag(f.Events, f.Days) || f.Crossed > e.AsOf {
			note(&l.fault, at, "look %d: %q is flagged in %q at %d events in %d person-days, which do not cross it", e.Look, f.Boundary, f.Arm, f.Events, f.Days)
		}
	}
}

// crossed notes an arm that is across a boundary at a cut-off and was never flagged.
func (l *looks) crossed(at *engine.Entry, look uint32, a trial.ArmCount, c trial.Count) {
	b, ok := l.boundary(c.Boundary)
	if !ok || !b.Flag(c.Highest, a.Days) {
		return
	}
	if !slices.ContainsFunc(l.flags, func(f trial.Flag) bool { return f.Boundary == c.Boundary && f.Arm == a.Arm }) {
		note(&l.fault, at, "look %d: %q crosses %q with %d events in %d person-days and is not flagged", look, a.Arm, c.Boundary, c.Highest, a.Days)
	}
}

func (l *looks) boundary(id string) (*trial.Boundary, bool) {
	i := slices.IndexFunc(l.boundaries, func(b trial.Boundary) bool { return b.ID == id })
	if i < 0 {
		return nil, false
	}
	return &l.boundaries[i], true
}

// verdict says what the looks show; unblinded is whether they could be opened.
func (l *looks) verdict(unblinded bool) outcome {
	switch {
	case l.fault != nil:
		return *l.fault
	case len(l.pooled) == 0 && len(l.boundaries) == 0:
		return passed("no safety boundary is registered, and nobody looked")
	case len(l.pooled) == 0:
		return skipped("nobody looked at a safety boundary")
	case len(l.late) > 0:
		return except(l.names[0], "%d looks, and the boundaries %q were registered after the first of them", len(l.pooled), l.late)
	case l.sealed == 0:
		return passed("%d looks at pooled boundaries registered before the first, each counted again", len(l.pooled))
	case l.opened == l.sealed:
		return passed("%d looks at boundaries registered before the first; each by arm opened to its commitment and adds up, %d flags by arm found again", len(l.pooled), len(l.flags))
	case !unblinded:
		return skipped("%d looks by arm are sealed until the study is unblinded", l.sealed-l.opened)
	}
	return except("", "%d of %d looks by arm are not opened, though the study is unblinded", l.sealed-l.opened, l.sealed)
}
