package publication

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

// facts are sums over the events of a trial that the gate reads. Nobody states them.
type facts struct {
	_           struct{} `cbor:",toarray"`
	Sponsor     string   // name of the actor that registered the trial
	Openings    uint64   // of a version at a site
	Unapproved  uint64   // of them, those that ethics had not approved: a fault of the ledger
	Enrolled    int64    // time of the first enrolment; 0: none
	Enrolments  uint64
	Acts        uint64 // that need a delegation
	Undelegated uint64 // of them, those without one: a fault of the ledger
	Proven      uint64 // randomised by proof of the criteria
	Deviations  uint64
	Afterwards  uint64 // enrolled or randomised once the last phase was complete
}

// seen counts how often somebody saw something of the data: so far, and at the
// moment of each amendment. It does not grow with what is seen.
type seen struct {
	_   struct{} `cbor:",toarray"`
	Now outcome.Moment
	At  []outcome.Moment
}

// entered counts, for a site, those randomised and those with a first dose.
type entered struct {
	_          struct{} `cbor:",toarray"`
	Randomised uint64
	Dosed      uint64
}

var (
	factsKey   = []byte("publication/facts")
	seenKey    = []byte("publication/seen")
	sitePrefix = []byte("publication/site/")
)

func siteKey(s trial.SiteID) []byte { return append([]byte("publication/site/"), s[:]...) }

func getFacts(v state.View) facts {
	f, _ := state.Load[facts](v, factsKey)
	return f
}

// React keeps what the gate must know of what other rooms' rules did.
func React(s State, c trial.Context, e event.Event) []event.Event {
	switch e := e.(type) {
	case event.Registered:
		state.Put(s, factsKey, facts{Sponsor: c.Signer.Name})
	case event.Amended:
		x, _ := state.Load[seen](s, seenKey)
		x.Now.Time = c.Now
		x.At = append(x.At, x.Now)
		state.Put(s, seenKey, x)
	case event.SiteOpened:
		note(s, func(f *facts) { f.opened(s, e) })
		end(s, c) // a version may have fewer phases
	case event.PhaseCompleted:
		end(s, c)
	case event.Enrolled:
		note(s, func(f *facts) {
			if f.Enrolled == 0 {
				f.Enrolled = c.Now
			}
			f.Enrolments++
			f.late(s)
			f.delegated(s, c, e.Site, trial.Enrolling)
		})
	case event.Screened:
		note(s, func(f *facts) { f.delegated(s, c, e.Site, trial.Enrolling) })
	case event.Randomised:
		note(s, func(f *facts) { f.randomised(s, c, e) })
		atSite(s, e.Site, func(x *entered) { x.Randomised++ })
	case event.Entered:
		note(s, func(f *facts) { f.delegated(s, c, e.Site, trial.Recording) })
		if e.Kind == act.Dose && e.Slot == trial.FirstDose {
			atSite(s, e.Site, func(x *entered) { x.Dosed++ })
		}
	case event.Looked:
		saw(s, c, func(m *outcome.Moment) { m.Looks++ })
	case event.UnblindedOne:
		saw(s, c, func(m *outcome.Moment) { m.Single++ })
	default:
	}
	return nil
}

func note(s state.Store, change func(*facts)) {
	f := getFacts(s)
	change(&f)
	state.Put(s, factsKey, f)
}

// saw counts what was seen, for an amendment of the same moment too.
func saw(s state.Store, c trial.Context, count func(*outcome.Moment)) {
	x, _ := state.Load[seen](s, seenKey)
	count(&x.Now)
	for i := range x.At {
		if x.At[i].Time == c.Now {
			count(&x.At[i])
		}
	}
	state.Put(s, seenKey, x)
}

func atSite(s state.Store, site trial.SiteID, change func(*entered)) {
	x, _ := state.Load[entered](s, siteKey(site))
	change(&x)
	state.Put(s, siteKey(site), x)
}

// opened asks again, at the moment of an opening, what the rule has asked.
func (f *facts) opened(s State, e event.SiteOpened) {
	f.Openings++
	if !s.Approved(e.Version, e.Site) {
		f.Unapproved++
	}
}

// delegated asks again, at the moment of each act, what the rule has asked.
func (f *facts) delegated(s State, c trial.Context, site trial.SiteID, task trial.Task) {
	f.Acts++
	if !s.Delegated(site, c.Signer.ID, task, c.Now) {
		f.Undelegated++
	}
}

func (f *facts) randomised(s State, c trial.Context, e event.Randomised) {
	f.delegated(s, c, e.Site, trial.Enrolling)
	f.late(s)
	if e.Deviation != "" {
		f.Deviations++
	} else {
		f.Proven++
	}
}

// late counts who comes in once the trial has ended.
func (f *facts) late(s State) {
	if _, over := ended(s); over {
		f.Afterwards++
	}
}

// bySite sums over the sites: randomised, with a first dose, and the lesser of
// the two at each site.
func bySite(v state.View) (randomised, dosed, both uint64) {
	v.Scan(sitePrefix, func(key, _ []byte) bool {
		x, _ := state.Load[entered](v, slices.Clone(key))
		randomised, dosed, both = randomised+x.Randomised, dosed+x.Dosed, both+min(x.Randomised, x.Dosed)
		return true
	})
	return randomised, dosed, both
}

// atCut sums what a data cut keeps of who entered the trial.
func atCut(q Questions) Entered {
	randomised, dosed, both := bySite(q)
	return Entered{Randomised: randomised, Dosed: dosed, Both: both}
}

// Seen is what had been seen of the data, and when, for a report as of a data
// cut (0: none is made yet).
func Seen(q Questions, cut uint32) outcome.Seen {
	x, _ := state.Load[seen](q, seenKey)
	c, _ := GetCut(q, cut)
	d := q.Data(c.AsOf)
	return outcome.Seen{
		Enrolled: getFacts(q).Enrolled, Unblinded: d.Unblinded, Data: d.First, Cut: c.Time, Moments: x.At,
	}
}

// Compare holds a list of outcomes, reported as of a data cut, against the
// registered ones.
func Compare(q Questions, cut uint32, reported []outcome.Reported) outcome.Comparison {
	return outcome.Compare(registeredOutcomes(q), Seen(q, cut), reported)
}

func registeredOutcomes(q Questions) (versions []outcome.Version) {
	for _, v := range q.Versions() {
		versions = append(versions, outcome.Version{
			Number: v.Number, Registered: v.Registered, InForce: v.InForce, Open: v.Protocol.OpenLabel(), Outcomes: v.Protocol.Outcomes,
		})
	}
	return versions
}
