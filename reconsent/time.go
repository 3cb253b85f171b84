package reconsent

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// At returns the times of a version at a site, where it is open.
func At(v state.View, n trial.Version, site trial.SiteID) (trial.Opening, bool) {
	return state.Load[trial.Opening](v, openingKey(n, site))
}

// OpenAt lists the versions open at a site, oldest first.
func OpenAt(v state.View, site trial.SiteID) (open []trial.Opening) {
	v.Scan(siteKey(site), func(key, _ []byte) bool {
		o, _ := state.Load[trial.Opening](v, slices.Clone(key))
		open = append(open, o)
		return true
	})
	return open
}

// MayEnrolUnder says why nobody may be enrolled under a version at a site now.
func MayEnrolUnder(v state.View, n trial.Version, site trial.SiteID, now int64) error {
	o, ok := At(v, n, site)
	if !ok {
		return trial.Refuse(trial.SiteNotOpen, "version: %v is not open at this site; sponsor and site open it together", n)
	}
	if !o.InForce(now) {
		return trial.Refuse(trial.NotYetEffective, "version: %v is in force from %v on", n, o.Effective)
	}
	for _, later := range OpenAt(v, site) {
		if later.Version > n && now > later.Deadline {
			return trial.Refuse(trial.OutdatedVersion, "version: %v; %v has passed its deadline at this site: use the form of the present version", n, later.Version)
		}
	}
	return nil
}

// Floor is the oldest version whose passes a site accepts now: the newest
// version that affects existing participants, is open there and past its
// deadline there, else the first that opened there, 1 where none has. What
// never opened at a site was never consented to for it: who lapsed under it
// elsewhere is not entered there.
func Floor(v state.View, site trial.SiteID, now int64) trial.Version {
	floor := trial.Version(1)
	open := OpenAt(v, site)
	if len(open) > 0 {
		floor = open[0].Version // no earlier one opens after it
	}
	for _, o := range open {
		if o.Existing && now > o.Deadline {
			floor = o.Version
		}
	}
	return floor
}

// End returns when a version ended wherever it opened: at each of its sites a
// later version that affects existing participants passed its deadline.
func End(v state.View, n trial.Version, now int64) (end int64, ended bool) {
	prefix := openedKey(n)
	ended = true
	v.Scan(prefix, func(key, _ []byte) bool {
		at, ok := endAt(v, n, trial.SiteID(key[len(prefix):]), now)
		end, ended = max(end, at), ok
		return ok
	})
	return end, ended && end != 0
}

func endAt(v state.View, n trial.Version, site trial.SiteID, now int64) (end int64, ended bool) {
	for _, o := range OpenAt(v, site) {
		if o.Version > n && o.Existing && now > o.Deadline && (!ended || o.Deadline < end) {
			end, ended = o.Deadline, true
		}
	}
	return end, ended
}

// Settled reports whether nothing about a version's counters may change any
// more: it ended, the registered grace has run out, and for each member who
// stays so has the grace after their own time. Staying is the latest such time.
func Settled(v state.View, n trial.Version, now, staying int64) bool {
	end, ended := End(v, n, now)
	if !ended {
		return false
	}
	r, _ := state.Load[version](v, versionKey(n))
	return now > max(end, staying)+trial.Days(r.Terms.GraceDays)
}

// Affected returns the impact of a version.
func Affected(v state.View, n trial.Version) trial.Impact {
	r, _ := state.Load[version](v, versionKey(n))
	return r.Impact
}

// NextDeadline is the earliest deadline of a version at or after a time.
func NextDeadline(v state.View, n trial.Version, after int64) (next int64, ok bool) {
	prefix := openedKey(n)
	v.Scan(prefix, func(key, _ []byte) bool {
		o, _ := At(v, n, trial.SiteID(key[len(prefix):]))
		if o.Deadline >= after && (!ok || o.Deadline < next) {
			next, ok = o.Deadline, true
		}
		return true
	})
	return next, ok
}

// Sites lists where a version opened, ascending.
func Sites(v state.View, n trial.Version) (sites []trial.SiteID) {
	prefix := openedKey(n)
	v.Scan(prefix, func(key, _ []byte) bool {
		sites = append(sites, trial.SiteID(key[len(prefix):]))
		return true
	})
	return sites
}

// InForce is from when somebody could be enrolled under a version, wherever
// that was first; 0: it opened nowhere.
func InForce(v state.View, n trial.Version) (first int64) {
	for _, site := range Sites(v, n) {
		o, _ := At(v, n, site)
		if from := max(o.Opened, o.Effective.Start()); first == 0 || from < first {
			first = from
		}
	}
	return first
}
