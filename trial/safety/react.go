package safety

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// React keeps what monitoring must know of what the protocol's rules did: the
// boundaries and arms as each was first registered, and since when sites are open.
func React(s State, c trial.Context, e event.Event) []event.Event {
	switch e := e.(type) {
	case event.Registered:
		state.Put(s, headKey, head{})
		register(s, c, 1, &e.Protocol)
	case event.Amended:
		register(s, c, e.Version, &e.Protocol)
	case event.SiteOpened:
		if k := siteKey(e.Site); !has(s, k) {
			state.Put(s, k, trial.DayOf(e.Time))
		}
	default:
	}
	return nil
}

func register(s State, c trial.Context, v trial.Version, p *trial.Protocol) {
	for _, b := range p.Boundaries {
		if k := key(boundaryPrefix, b.ID); !has(s, k) {
			state.Put(s, k, registered{Boundary: b, Version: v, Time: c.Now})
		}
	}
	if len(p.Boundaries) == 0 {
		return
	}
	for _, a := range p.Arms {
		s.Set(key(armPrefix, a.ID), nil)
	}
}
