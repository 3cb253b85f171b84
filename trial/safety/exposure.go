package safety

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Exposure closes a site's days up to a cut-off: how many person-days its
// participants have been exposed up to and including that day, all arms
// together. Sent by the site's key or by a person whom the site delegated
// recording to.
type Exposure struct {
	_     struct{} `cbor:",toarray"`
	Site  trial.SiteID
	Until trial.Day
	Days  uint64 // person-days since the trial began
}

// maxPersonDays keeps sums over sites far from overflow.
const maxPersonDays = 1 << 40

// Check refuses a form that no rule could accept.
func (t Exposure) Check() error {
	if t.Days > maxPersonDays {
		return trial.Refuse(trial.Malformed, "days: %d person-days; at most %d", t.Days, uint64(maxPersonDays))
	}
	return nil
}

// Authorise asks for the site or a delegated person.
func (t Exposure) Authorise(s State, c trial.Context) error { return bySite(s, c, t.Site) }

// Validate refuses a day that is not over, and one that is closed already.
func (t Exposure) Validate(s State, c trial.Context) error {
	since, err := opened(s, t.Site)
	if err != nil {
		return err
	}
	if t.Until >= trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayNotOver, "until: %v is not over; a cut-off is closed", t.Until)
	}
	if t.Until < since {
		return trial.Refuse(trial.DayTooEarly, "until: %v; the trial opened at this site on %v", t.Until, since)
	}
	last, ok := state.Load[posted](s, postedKey(t.Site))
	if ok && t.Until <= last.Until {
		return trial.Refuse(trial.DayClosed, "until: %v; this site has closed its days up to %v", t.Until, last.Until)
	}
	if t.Days < last.Days {
		return trial.Refuse(trial.ExposureFell, "days: %d; %d person-days were reported up to %v, and they cannot become fewer", t.Days, last.Days, last.Until)
	}
	return nil
}

// Apply closes the days.
func (t Exposure) Apply(s State, _ trial.Context) []event.Event {
	state.Put(s, postedKey(t.Site), posted{Until: t.Until, Days: t.Days})
	state.Put(s, append(exposureKey(t.Until), t.Site[:]...), t.Days)
	return []event.Event{event.Exposed{Site: t.Site, Until: t.Until, Days: t.Days}}
}

// pooled adds the exposure of all sites up to a day, where every site that was
// open then has closed that very day.
func pooled(v state.View, day trial.Day) (days uint64, complete bool) {
	prefix := exposureKey(day)
	closed := 0
	v.Scan(prefix, func(k, _ []byte) bool {
		n, _ := state.Load[uint64](v, slices.Clone(k))
		days += n
		closed++
		return true
	})
	// A site closes no day before its own opening, so equal numbers are equal sets.
	return days, closed == sitesOpen(v, day)
}

func sitesOpen(v state.View, day trial.Day) (n int) {
	v.Scan(sitePrefix, func(k, _ []byte) bool {
		if since, _ := state.Load[trial.Day](v, slices.Clone(k)); since <= day {
			n++
		}
		return true
	})
	return n
}

// firstOpening is the day on which the trial first opened anywhere.
func firstOpening(v state.View) (first trial.Day, ok bool) {
	v.Scan(sitePrefix, func(k, _ []byte) bool {
		if since, _ := state.Load[trial.Day](v, slices.Clone(k)); !ok || since < first {
			first, ok = since, true
		}
		return true
	})
	return first, ok
}
