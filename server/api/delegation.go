package api

import (
	"context"

	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// Delegation is a line of a site's delegation log (ICH E6(R3) 2.3).
type Delegation struct {
	Person string   `json:"person" doc:"the actor"`
	Name   string   `json:"name"`
	Tasks  []string `json:"tasks" doc:"enrolling, recording, countersigning"`
	From   string   `json:"from" format:"date"`
	Until  string   `json:"until,omitempty" format:"date" doc:"the last day; none: open"`
	Ended  string   `json:"ended,omitempty" format:"date-time" doc:"when the site ended it"`
	Since  string   `json:"since" format:"date-time" doc:"when the line was written"`
}

var taskWords = map[trial.Task]string{trial.Enrolling: "enrolling", trial.Recording: "recording", trial.Countersigning: "countersigning"}

func (s *server) delegationRoutes() {
	get(s, "/v1/sites/{site}/delegations", "delegations", "Who may do what at a site: its delegation log, in the order it was written", s.delegations)
}

type inSite struct {
	Site string `path:"site" pattern:"^[0-9a-f]{64}$" doc:"the site's name, 64 lower-case hex digits"`
}

func (s *server) delegations(ctx context.Context, in *inSite) (*out[[]Delegation], error) {
	id, err := name[trial.SiteID]("site", in.Site)
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	ds, err := s.Model.Delegations(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(list(ds, delegationOf))
}

func delegationOf(d *readmodel.Delegation) Delegation {
	x := Delegation{
		Person: d.Person.String(), Name: d.Name, Tasks: []string{}, From: d.From.String(), Ended: instant(d.Ended), Since: instant(d.Since),
	}
	for _, t := range d.Tasks {
		x.Tasks = append(x.Tasks, taskWords[t])
	}
	if d.Until != 0 {
		x.Until = d.Until.String()
	}
	return x
}
