package api

import (
	"context"

	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// Trial is a trial at a glance. Its sums are over its events.
type Trial struct {
	Trial      string    `json:"trial"`
	Title      string    `json:"title"`
	Acronym    string    `json:"acronym"`
	Sponsor    string    `json:"sponsor"`
	Status     string    `json:"status" enum:"registered,approved,open"`
	Registered string    `json:"registered" format:"date-time"`
	Entry      string    `json:"entry" doc:"its registration"`
	Versions   []Version `json:"versions,omitempty" doc:"not in lists"`
	Enrolled   uint64    `json:"enrolled"`
	Active     uint64    `json:"active"`
	Randomised uint64    `json:"randomised" doc:"by proof of the registered criteria"`
	Deviations uint64    `json:"deviations" doc:"randomised with a recorded deviation from them"`
	Doses      uint64    `json:"doses"`
	Entries    uint64    `json:"entries" doc:"visits, doses and attestations"`
	Withdrawn  uint64    `json:"withdrawn" doc:"by proof or by the site's word"`
	Ended      uint64    `json:"ended" doc:"left at the end of their participation"`
	Replaced   uint64    `json:"replaced" doc:"leaves replaced by another of the same person"`
	Refused    uint64    `json:"refused" doc:"transactions that the rules refused"`
	Sites      uint64    `json:"sites" doc:"where a version is open"`
}

// Version is one consent version, with the verdict on it.
type Version struct {
	Version     trial.Version `json:"version"`
	Registered  string        `json:"registered" format:"date-time"`
	Effective   string        `json:"effective" format:"date"`
	Reason      string        `json:"reason"`
	Existing    bool          `json:"existing" doc:"those already enrolled must be asked again"`
	Decided     bool          `json:"decided" doc:"by ethics, not derived from what changed"`
	FormSet     string        `json:"form_set" doc:"digest of all forms of the version: what an act of consent names"`
	OpenedSites uint64        `json:"opened_sites"`
	FirstOpened string        `json:"first_opened,omitempty" format:"date-time"`
	LastDue     string        `json:"last_deadline,omitempty" format:"date-time"`
	Verdict     string        `json:"verdict" example:"ATTESTED(2)"`
	NotDue      uint64        `json:"not_due" doc:"members who stay and whose time has not run out"`
	Counters    Counters      `json:"counters"`
	Settled     bool          `json:"settled" doc:"nothing may change its counters any more: no consent, and a withdrawal changes none"`
	Entry       string        `json:"entry"`
}

// Counters are the sums over the sets of a version.
type Counters struct {
	Owed        uint64 `json:"owed"`
	Acts        uint64 `json:"acts"`
	Superseded  uint64 `json:"superseded"`
	LeftProved0 uint64 `json:"left_proved0" doc:"left by proof, account not used"`
	LeftProved1 uint64 `json:"left_proved1" doc:"left by proof, account used"`
	LeftWord0   uint64 `json:"left_word0" doc:"left by word, said not used"`
	LeftWord1   uint64 `json:"left_word1" doc:"left by word, said used"`
	Ended       uint64 `json:"ended" doc:"of those by word, at the end of participation"`
}

// Registration is a version with what it registers and what it changed.
type Registration struct {
	Version
	Protocol document `json:"protocol"`
	Changes  document `json:"changes" doc:"against the version before"`
}

// Site is a trial site.
type Site struct {
	Site          string         `json:"site"`
	Name          string         `json:"name"`
	Country       string         `json:"country"`
	Openings      []Opening      `json:"openings"`
	Floor         trial.Version  `json:"floor" doc:"the oldest version whose passes it accepts now: entries are proven against the tree pass-FLOOR"`
	Enrolled      uint64         `json:"enrolled"`
	Active        uint64         `json:"active"`
	Withdrawn     uint64         `json:"withdrawn"`
	Randomised    uint64         `json:"randomised"`
	Visits        uint64         `json:"visits"`
	Doses         uint64         `json:"doses"`
	Countersigned *Countersigned `json:"countersigned,omitempty" doc:"its latest countersign table"`
}

// Opening is a version open at a site.
type Opening struct {
	Version  trial.Version `json:"version"`
	Opened   string        `json:"opened" format:"date-time"`
	Deadline string        `json:"deadline" format:"date-time" doc:"for those enrolled before it opened; for one enrolled later, the registered answer days from then, if that is later"`
	Existing bool          `json:"existing"`
	Entry    string        `json:"entry"`
}

func (s *server) trialRoutes() {
	get(s, "/v1/trials", "trials", "All trials, the newest first", s.trials)
	get(s, "/v1/trials/{trial}", "trial", "A trial at a glance, with the verdict on each version", s.trial)
	get(s, "/v1/trials/{trial}/versions/{version}", "version", "A version: its protocol, and what it changed", s.version)
	get(s, "/v1/trials/{trial}/sites", "sites", "A trial's sites", s.sites)
}

func (s *server) trials(ctx context.Context, _ *struct{}) (*out[[]Trial], error) {
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	ts, err := s.Model.Trials(ctx)
	if err != nil {
		return nil, err
	}
	return answer(list(ts, trialOf))
}

func trialOf(t *readmodel.Trial) Trial {
	return Trial{
		Trial: t.ID.String(), Title: t.Title, Acronym: t.Acronym, Sponsor: t.Sponsor, Status: t.Status, Registered: instant(t.Registered),
		Entry: t.Entry, Enrolled: t.Enrolled, Active: t.Active, Randomised: t.Randomised, Deviations: t.Deviations, Doses: t.Doses,
		Entries: t.Entries, Withdrawn: t.Withdrawn, Ended: t.Ended, Replaced: t.Replaced, Refused: t.Refused, Sites: t.Sites,
	}
}

func (s *server) trial(ctx context.Context, in *TrialPath) (*out[Trial], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	t, err := s.Model.Trial(ctx, id)
	if err != nil {
		return nil, err
	}
	vs, err := s.Model.Versions(ctx, id)
	if err != nil {
		return nil, err
	}
	body := trialOf(&t)
	for i := range vs {
		v, err := s.judged(ctx, &vs[i])
		if err != nil {
			return nil, err
		}
		body.Versions = append(body.Versions, v)
	}
	return answer(body)
}

// judged counts the verdict on a version from its counters.
func (s *server) judged(ctx context.Context, v *readmodel.Version) (Version, error) {
	notDue, err := s.NotDue(ctx, v.Trial, v.Version)
	c := v.Counters
	return Version{
		Version: v.Version, Registered: instant(v.Registered), Effective: v.Effective.String(), Reason: v.Reason,
		Existing: v.Impact.Existing, Decided: v.Impact.Decided, FormSet: v.FormSet.String(), OpenedSites: v.OpenedSites,
		FirstOpened: instant(v.FirstOpened), LastDue: instant(v.LastDue), Verdict: reconsent.Judge(c, notDue).String(), NotDue: notDue,
		Counters: Counters{
			Owed: c.Owed, Acts: c.Acts, Superseded: c.Superseded, LeftProved0: c.LeftProved0, LeftProved1: c.LeftProved1,
			LeftWord0: c.LeftWord0, LeftWord1: c.LeftWord1, Ended: c.Ended,
		},
		Settled: s.settled(v.Trial, v.Version), Entry: v.Entry,
	}, err
}

type inVersion struct {
	TrialPath
	Version uint32 `path:"version" minimum:"1" doc:"the version's number, from 1"`
}

func (s *server) version(ctx context.Context, in *inVersion) (*out[Registration], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	v, err := s.Model.Version(ctx, id, trial.Version(in.Version))
	if err != nil {
		return nil, err
	}
	body := Registration{Protocol: document{v.Protocol}, Changes: document{v.Changes}}
	if body.Version, err = s.judged(ctx, &v); err != nil {
		return nil, err
	}
	return answer(body)
}

func (s *server) sites(ctx context.Context, in *TrialPath) (*out[[]Site], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	sites, err := s.Model.Sites(ctx, id)
	if err != nil {
		return nil, err
	}
	body := make([]Site, len(sites))
	for i := range sites {
		body[i] = s.siteOf(id, &sites[i])
		if body[i].Countersigned, err = s.countersigned(ctx, id, sites[i].ID); err != nil {
			return nil, err
		}
	}
	return answer(body)
}

func (s *server) siteOf(id trial.ID, x *readmodel.Site) Site {
	return Site{
		Site: x.ID.String(), Name: x.Name, Country: x.Country, Enrolled: x.Enrolled, Active: x.Active, Withdrawn: x.Withdrawn,
		Randomised: x.Randomised, Visits: x.Visits, Doses: x.Doses, Floor: s.floor(id, x.ID),
		Openings: list(x.Openings, func(o *readmodel.Opening) Opening {
			return Opening{
				Version: o.Version, Opened: instant(o.Opened), Deadline: instant(o.Deadline), Existing: o.Existing, Entry: o.Entry,
			}
		}),
	}
}
