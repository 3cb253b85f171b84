// Package reconsent decides who must be asked again: the impact of a version,
// when it opens and is due at each site, when it ends and settles, and what the
// counters of consent add up to (the C9 verdict). The sets and counters
// themselves are consent's.
package reconsent

import (
	"encoding/binary"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

type version struct {
	_         struct{} `cbor:",toarray"`
	Impact    trial.Impact
	Effective trial.Day
	Terms     trial.Terms
}

func versionKey(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("reconsent/version/"), uint32(v))
}

func siteKey(s trial.SiteID) []byte { return append([]byte("reconsent/site/"), s[:]...) }

func openingKey(v trial.Version, s trial.SiteID) []byte {
	return binary.BigEndian.AppendUint32(siteKey(s), uint32(v))
}

func openedKey(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("reconsent/opened/"), uint32(v))
}

// React keeps what re-consent must know of what the protocol's rules did.
func React(s state.Store, c trial.Context, e event.Event) []event.Event {
	switch e := e.(type) {
	case event.Registered:
		state.Put(s, versionKey(1), version{Effective: trial.DayOf(c.Now), Terms: e.Protocol.Terms})
	case event.Amended:
		i := Impact(e.Changes)
		state.Put(s, versionKey(e.Version), version{Impact: i, Effective: e.Effect, Terms: e.Protocol.Terms})
		return []event.Event{event.ImpactDerived{Version: e.Version, Impact: i}}
	case event.Classified:
		v, _ := state.Load[version](s, versionKey(e.Version))
		v.Impact.Substantial, v.Impact.Existing, v.Impact.Decided = e.Impact.Substantial, e.Impact.Existing, true
		state.Put(s, versionKey(e.Version), v)
	case event.SiteOpened:
		return []event.Event{open(s, e)}
	default:
	}
	return nil
}

// open writes the times of a version at a site. A later version never moves an
// earlier deadline, so they are written once.
func open(s state.Store, e event.SiteOpened) event.Event {
	v, _ := state.Load[version](s, versionKey(e.Version))
	o := trial.Opening{
		Version: e.Version, Opened: e.Time, Deadline: e.Time + trial.Days(v.Terms.DeadlineDays),
		Effective: v.Effective, Existing: v.Impact.Existing,
	}
	state.Put(s, openingKey(e.Version, e.Site), o)
	state.Put(s, append(openedKey(e.Version), e.Site[:]...), e.Time)
	return event.Opened{Version: o.Version, Site: e.Site, Time: o.Opened, Deadline: o.Deadline, Existing: o.Existing}
}
