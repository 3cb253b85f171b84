package safety

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Report enters an adverse event (ICH E2A; ICH E6(R3) 2.7.2). It counts on the
// day the sponsor's side received it. Sent by the site's key or by a person
// whom the site delegated recording to. Term, grade, onset and subject are in
// the vault; here is their commitment.
//
// A late report is never refused: it is taken, counted, and shown as late.
type Report struct {
	_          struct{} `cbor:",toarray"`
	ID         trial.ReportID
	Site       trial.SiteID
	Clock      trial.Clock
	Received   trial.Day // by the sponsor's side
	Serious    bool      // as the investigator says
	Boundaries []string  // ids of those the event counts for, ascending
	Details    trial.Commitment
}

// Record is a report with its latest assessment.
type Record struct {
	_          struct{} `cbor:",toarray"`
	ID         trial.ReportID
	Site       trial.SiteID
	Clock      trial.Clock
	Received   trial.Day
	Counted    trial.Day // received, or the first day that no look had closed
	Reported   int64     // block time, milliseconds since 1970 UTC
	Serious    bool
	Boundaries []string
	FollowUps  uint32
}

// Late reports whether it was entered after its clock had run out.
func (r Record) Late() bool {
	return r.Clock != trial.NoClock && trial.DayOf(r.Reported) > r.Received+trial.Day(r.Clock)
}

// Check refuses a form that no rule could accept.
func (t Report) Check() error {
	if t.Clock != trial.NoClock && t.Clock != trial.SevenDays && t.Clock != trial.FifteenDays {
		return trial.Refuse(trial.Malformed, "clock: %d days; 0, 7 or 15", t.Clock)
	}
	if t.ID == (trial.ReportID{}) || t.Details == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "id, details: zero; draw a random id, and commit to the details with a salt")
	}
	return checkMembership(t.Boundaries)
}

// Authorise asks for the site or a delegated person.
func (t Report) Authorise(s State, c trial.Context) error { return bySite(s, c, t.Site) }

// Validate refuses a report made before, a day that cannot be, and a boundary
// that is not registered.
func (t Report) Validate(s State, c trial.Context) error {
	since, err := opened(s, t.Site)
	if err != nil {
		return err
	}
	if t.Received > trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayInFuture, "received: %v is in the future", t.Received)
	}
	if t.Received < since {
		return trial.Refuse(trial.DayTooEarly, "received: %v; the trial opened at this site on %v", t.Received, since)
	}
	if has(s, reportKey(t.ID)) {
		return trial.Refuse(trial.ReportExists, "id: %v is reported; follow it up, or draw another id", t.ID)
	}
	return registeredAll(s, t.Boundaries)
}

// Apply counts the event.
func (t Report) Apply(s State, c trial.Context) []event.Event {
	r := Record{
		ID: t.ID, Site: t.Site, Clock: t.Clock, Received: t.Received, Counted: firstOpen(s, t.Received), Reported: c.Now,
		Serious: t.Serious, Boundaries: t.Boundaries,
	}
	state.Put(s, reportKey(t.ID), r)
	count(s, r.Counted, t.Boundaries, nil)
	return []event.Event{event.Reported{
		Report: t.ID, Site: t.Site, Clock: t.Clock, Received: t.Received, Counted: r.Counted, Serious: t.Serious,
		Boundaries: t.Boundaries, Late: r.Late(), Details: t.Details,
	}}
}

// firstOpen is the day, or the first after it that no look has closed.
func firstOpen(s State, day trial.Day) trial.Day {
	h, _ := state.Load[head](s, headKey)
	if h.Looks == 0 {
		return day
	}
	return max(day, h.Closed+1)
}

// count writes that an event counts for some boundaries from a day on, and for
// some not any more.
func count(s State, day trial.Day, added, lowered []string) {
	for _, id := range added {
		c, _ := state.Load[change](s, changeKey(day, id))
		c.Added++
		state.Put(s, changeKey(day, id), c)
		total(s, id, change{Added: 1})
	}
	for _, id := range lowered {
		c, _ := state.Load[change](s, changeKey(day, id))
		c.Lowered++
		state.Put(s, changeKey(day, id), c)
		total(s, id, change{Lowered: 1})
	}
}

func total(s State, id string, c change) {
	n, _ := state.Load[trial.Count](s, key(totalPrefix, id))
	n.Boundary = id
	step(&n, c)
	state.Put(s, key(totalPrefix, id), n)
}

// step moves a count by a day's changes.
func step(n *trial.Count, c change) {
	n.Events += uint64(c.Added)
	n.Highest = max(n.Highest, n.Events)
	n.Events -= uint64(c.Lowered)
}

// without lists what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}
