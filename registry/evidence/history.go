package evidence

import (
	"fmt"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// history walks the trial's events in their order, beside the directory's as
// far as each trial transaction could read it. It asks again, naively, what the
// rules of the contract have asked, and keeps the first answer of each kind
// that is no.
type history struct {
	people people

	registered     string // entry
	enrolments     int
	decisions      map[opening]map[string]bool // by form; the zero site is all
	openings       map[opening]bool
	delegatedActs  int
	proven         int // randomisations by proof
	deviations     []string
	registeredLate *outcome
	unapproved     *outcome
	undelegated    *outcome

	results    results
	milestones []Milestone
}

// opening is a version at a site.
type opening struct {
	version trial.Version
	site    trial.SiteID
}

// people is the directory as far as it was read: who holds which key, and whom
// the sites delegated what.
type people struct {
	actors      map[wire.KeyID]trial.ActorID
	delegations map[post]trial.Delegation
	revoked     map[trial.ActorID]int64
}

// post is a person at a site.
type post struct {
	site   trial.SiteID
	person trial.ActorID
}

// readHistory reads the events of both streams, which a replay has given again.
func readHistory(directory, of []engine.Entry) (*history, error) {
	h := &history{
		people:    people{actors: map[wire.KeyID]trial.ActorID{}, delegations: map[post]trial.Delegation{}, revoked: map[trial.ActorID]int64{}},
		decisions: map[opening]map[string]bool{}, openings: map[opening]bool{},
	}
	for i := range of {
		for len(directory) > 0 && directory[0].Sequence < of[i].Directory {
			if err := each(&directory[0], h.people.read); err != nil {
				return nil, err
			}
			directory = directory[1:]
		}
		if err := each(&of[i], func(e event.Event) { h.read(&of[i], e) }); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func each(e *engine.Entry, read func(event.Event)) error {
	for _, x := range e.Result.Events {
		decoded, err := event.Decode(x.Kind, x.Body)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		read(decoded)
	}
	return nil
}

func (p *people) read(e event.Event) {
	switch e := e.(type) {
	case event.ActorRegistered:
		p.actors[tx.PublicKey(e.Key).ID()] = e.Actor.ID
	case event.KeyRotated:
		p.actors[tx.PublicKey(e.Key).ID()] = e.Actor
	case event.ActorRevoked:
		p.revoked[e.Actor] = e.Time
	case event.Delegated:
		p.delegations[post{e.Site, e.Delegation.Person}] = e.Delegation
	case event.DelegationEnded:
		d := p.delegations[post{e.Site, e.Person}]
		d.Ended = e.Time
		p.delegations[post{e.Site, e.Person}] = d
	default:
	}
}

// signerOf is who signed an entry; its envelope has been decoded by the replay.
func (p *people) signerOf(e *engine.Entry) trial.ActorID {
	env, err := tx.Decode(e.Envelope)
	if err != nil {
		return trial.ActorID{}
	}
	return p.actors[env.Key]
}

// left reports whether an actor was revoked by then.
func (p *people) left(id trial.ActorID, now int64) bool {
	at, revoked := p.revoked[id]
	return revoked && now >= at
}

func (h *history) read(at *engine.Entry, e event.Event) {
	h.milestone(at, e)
	h.results.read(at, e)
	switch e := e.(type) {
	case event.Registered:
		h.registered = at.Name()
	case event.Decided:
		h.decide(e)
	case event.SiteOpened:
		if !h.approvedFor(e.Version, e.Site) {
			note(&h.unapproved, at, "version %v opened at site %v before ethics approved it there", e.Version, e.Site)
		}
		h.openings[opening{e.Version, e.Site}] = true
	case event.Enrolled:
		h.enrolments++
		if h.registered == "" {
			note(&h.registeredLate, at, "somebody was enrolled before the protocol was registered")
		}
		if !h.openings[opening{e.Version, e.Site}] {
			note(&h.unapproved, at, "somebody was enrolled under version %v at site %v before it opened there", e.Version, e.Site)
		}
		h.delegated(at, e.Site, trial.Enrolling)
	case event.Screened:
		h.delegated(at, e.Site, trial.Enrolling)
	case event.Randomised:
		if e.Deviation != "" {
			h.deviations = append(h.deviations, at.Name())
		} else {
			h.proven++
		}
		h.delegated(at, e.Site, trial.Enrolling)
	case event.Entered:
		h.delegated(at, e.Site, trial.Recording)
	case event.Countersigned:
		h.delegated(at, e.Site, trial.Recording)
	default:
	}
}

func (h *history) decide(e event.Decided) {
	sites := e.Sites
	if len(sites) == 0 {
		sites = []trial.SiteID{{}}
	}
	for _, site := range sites {
		o := opening{e.Version, site}
		if h.decisions[o] == nil {
			h.decisions[o] = map[string]bool{}
		}
		h.decisions[o][e.Form] = e.Approved
	}
}

// approvedFor reports whether some form of a version is approved for a site so
// far: a decision about the site goes before one about all.
func (h *history) approvedFor(v trial.Version, site trial.SiteID) bool {
	here, all := h.decisions[opening{v, site}], h.decisions[opening{v, trial.SiteID{}}]
	for _, approved := range here {
		if approved {
			return true
		}
	}
	for form, approved := range all {
		if _, decided := here[form]; approved && !decided {
			return true
		}
	}
	return false
}

func (h *history) delegated(at *engine.Entry, site trial.SiteID, task trial.Task) {
	h.delegatedActs++
	who := h.people.signerOf(at)
	d, ok := h.people.delegations[post{site, who}]
	if !ok || !d.Covers(task, at.Time) || h.people.left(who, at.Time) || h.people.left(trial.ActorID(site), at.Time) {
		note(&h.undelegated, at, "signed by %v, whom site %v had not delegated this to", who, site)
	}
}

func note(first **outcome, at *engine.Entry, format string, args ...any) {
	if *first == nil {
		o := failed(at.Name(), format, args...)
		*first = &o
	}
}
