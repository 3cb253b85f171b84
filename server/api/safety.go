package api

import (
	"context"

	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// Safety is what is public about harm. Nothing of it is about one person, and
// nothing by arm is known before the board has opened its looks.
type Safety struct {
	Reports    Reports         `json:"reports"`
	Boundaries []Boundary      `json:"boundaries"`
	Looks      []Look          `json:"looks"`
	Flags      []Flag          `json:"flags" doc:"boundaries crossed; those by arm once the looks are opened"`
	Decisions  []BoardDecision `json:"decisions"`
}

// Reports are sums over the reports of adverse events.
type Reports struct {
	Total   uint64 `json:"total"`
	Serious uint64 `json:"serious" doc:"by the latest assessment"`
	Late    uint64 `json:"late" doc:"entered after their clock had run out"`
	Lowered uint64 `json:"lowered" doc:"with an assessment lowered since"`
	Queries uint64 `json:"queries" doc:"a clock runs and the latest assessment says not serious"`
	Days    uint64 `json:"person_days" doc:"up to each site's latest closed day"`
}

// Boundary is a registered stopping boundary.
type Boundary struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Scope      string   `json:"scope" enum:"pooled,arm"`
	Events     string   `json:"events" doc:"which events count"`
	RateEvents uint64   `json:"rate_events" doc:"expected are person-days times rate_events by rate_days"`
	RateDays   uint64   `json:"rate_days"`
	MinEvents  uint32   `json:"min_events"`
	FromMicro  uint64   `json:"from_micro" doc:"no flag below so many millionths of an expected event"`
	UntilMicro uint64   `json:"until_micro" doc:"no flag above so many"`
	AlphaMicro uint32   `json:"alpha_micro"`
	Table      []uint64 `json:"table" doc:"for 1, 2, … events the millionths of an expected event below which they flag"`
	AnswerDays uint32   `json:"answer_days" doc:"within which the board answers"`
	Method     string   `json:"method"`
}

// Count is how many events count for a boundary.
type Count struct {
	Boundary string `json:"boundary"`
	Events   uint64 `json:"events" doc:"by the latest assessments"`
	Highest  uint64 `json:"highest" doc:"at most ever"`
}

// Look is a look of the monitoring board, as of a closed cut-off.
type Look struct {
	Look   uint32     `json:"look"`
	From   string     `json:"from" format:"date"`
	AsOf   string     `json:"as_of" format:"date"`
	Time   string     `json:"time" format:"date-time"`
	Days   uint64     `json:"person_days" doc:"of all arms together"`
	Counts []Count    `json:"counts" doc:"of all arms together"`
	Sealed bool       `json:"sealed" doc:"what it says of the arms is a commitment"`
	Opened string     `json:"opened,omitempty" format:"date-time"`
	Arms   []ArmCount `json:"arms" doc:"empty until it is opened"`
	Entry  string     `json:"entry"`
}

// ArmCount is what an opened look tells of one arm.
type ArmCount struct {
	Arm    string  `json:"arm"`
	Days   uint64  `json:"person_days"`
	Counts []Count `json:"counts"`
}

// Flag is a boundary crossed.
type Flag struct {
	Boundary      string `json:"boundary"`
	Arm           string `json:"arm" doc:"empty: all arms together"`
	Look          uint32 `json:"look" doc:"the look that found it"`
	Crossed       string `json:"crossed" format:"date" doc:"the first day on which it is crossed"`
	Events        uint64 `json:"events" doc:"on that day"`
	Days          uint64 `json:"person_days"`
	ExpectedMicro uint64 `json:"expected_micro" doc:"expected events in millionths, rounded down"`
	Entry         string `json:"entry" doc:"that made it public"`
}

// BoardDecision is a decision of the monitoring board on a boundary.
type BoardDecision struct {
	Look     uint32 `json:"look"`
	Boundary string `json:"boundary"`
	Decision string `json:"decision" enum:"continue,modify,pause,stop"`
	Reason   string `json:"reason"`
	Time     string `json:"time" format:"date-time"`
	Entry    string `json:"entry"`
}

func (s *server) safetyRoutes() {
	get(s, "/v1/trials/{trial}/safety", "safety", "Reports, boundaries, looks and flags; by arm only once the looks are opened", s.safety)
}

// known waits until the read model is fresh, and refuses a trial that is not there.
func (s *server) known(ctx context.Context, in *TrialPath) (trial.ID, error) {
	id, err := in.id()
	if err != nil {
		return id, err
	}
	if err := s.fresh(ctx); err != nil {
		return id, err
	}
	_, err = s.Model.Trial(ctx, id)
	return id, err
}

func (s *server) safety(ctx context.Context, in *TrialPath) (*out[Safety], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	harm, err := s.Model.Harm(ctx, id)
	if err != nil {
		return nil, err
	}
	boundaries, err := s.Model.Boundaries(ctx, id)
	if err != nil {
		return nil, err
	}
	looks, err := s.Model.Looks(ctx, id)
	if err != nil {
		return nil, err
	}
	flags, err := s.Model.Flags(ctx, id)
	if err != nil {
		return nil, err
	}
	decisions, err := s.Model.BoardDecisions(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(Safety{
		Reports: Reports{
			Total: harm.Reports, Serious: harm.Serious, Late: harm.Late, Lowered: harm.Lowered, Queries: harm.Queries, Days: harm.Days,
		},
		Boundaries: list(boundaries, boundaryOf), Looks: list(looks, lookOf), Flags: list(flags, flagOf),
		Decisions: list(decisions, func(d *readmodel.BoardDecision) BoardDecision {
			return BoardDecision{
				Look: d.Look, Boundary: d.Boundary, Decision: d.Decision.String(), Reason: d.Reason, Time: instant(d.Time), Entry: d.Entry,
			}
		}),
	})
}

func boundaryOf(b *trial.Boundary) Boundary {
	return Boundary{
		ID: b.ID, Name: b.Name, Scope: b.Scope, Events: b.Events, RateEvents: b.RateEvents, RateDays: b.RateDays, MinEvents: b.MinEvents,
		FromMicro: b.FromMicro, UntilMicro: b.UntilMicro, AlphaMicro: b.AlphaMicro, Table: b.Table, AnswerDays: b.AnswerDays, Method: b.Method,
	}
}

func countOf(c *trial.Count) Count {
	return Count{Boundary: c.Boundary, Events: c.Events, Highest: c.Highest}
}

func lookOf(l *readmodel.Look) Look {
	return Look{
		Look: l.Number, From: l.From.String(), AsOf: l.AsOf.String(), Time: instant(l.Time), Days: l.Days, Counts: list(l.Counts, countOf),
		Sealed: l.Sealed(), Opened: instant(l.Opened), Entry: l.Entry,
		Arms: list(l.Arms, func(a *trial.ArmCount) ArmCount {
			return ArmCount{Arm: a.Arm, Days: a.Days, Counts: list(a.Counts, countOf)}
		}),
	}
}

func flagOf(f *readmodel.Flag) Flag {
	return Flag{
		Boundary: f.Boundary, Arm: f.Arm, Look: f.Look, Crossed: f.Crossed.String(), Events: f.Events, Days: f.Days,
		ExpectedMicro: f.ExpectedMicro, Entry: f.Entry,
	}
}
