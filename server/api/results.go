package api

import (
	"context"

	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// Results are what a trial published, and the contract's word on it.
type Results struct {
	Label      string      `json:"label" enum:"VERIFIED,PUBLISHED WITH EXCEPTIONS,OVERDUE,AWAITED"`
	Marks      []string    `json:"marks" doc:"that stand beside the label"`
	Exceptions []string    `json:"exceptions" doc:"check:detail, as released"`
	Due        string      `json:"due,omitempty" format:"date-time" doc:"when results are due"`
	Stage      uint32      `json:"stage" doc:"the release that stands; 0: nothing is released"`
	PackageCID string      `json:"package_cid" doc:"of the release that stands; empty: none"`
	HeldBy     []string    `json:"held_by" doc:"the custodians that hold its bytes"`
	Comparison *Comparison `json:"comparison,omitempty" doc:"outcomes of the release that stands, against the registered ones"`
	Packages   []Package   `json:"packages" doc:"all that were ever named, oldest first"`
}

// Package is a results package that the sponsor named.
type Package struct {
	Stage        uint32     `json:"stage"`
	CID          string     `json:"cid"`
	Manifest     string     `json:"manifest" doc:"SHA-256 of its metadata file"`
	Cut          uint32     `json:"cut"`
	Staged       string     `json:"staged" format:"date-time"`
	Entry        string     `json:"entry"`
	Held         []Holding  `json:"held" doc:"each custodian's latest answer"`
	Pins         []Pin      `json:"pins"`
	Released     string     `json:"released,omitempty" format:"date-time"`
	Label        string     `json:"label,omitempty" doc:"as released"`
	Exceptions   []string   `json:"exceptions"`
	Checks       []Check    `json:"checks" doc:"of the gate, as released"`
	Supersedes   uint32     `json:"supersedes" doc:"the package that it corrects; 0: none"`
	SupersededBy uint32     `json:"superseded_by"`
	Reason       string     `json:"reason,omitempty" doc:"of the correction that it is"`
	Retracted    string     `json:"retracted,omitempty" format:"date-time"`
	Retraction   string     `json:"retraction,omitempty" doc:"why"`
	Comparison   Comparison `json:"comparison"`
}

// Holding is a custodian's answer about a package.
type Holding struct {
	Custodian string `json:"custodian"`
	Name      string `json:"name"`
	Holds     bool   `json:"holds"`
	Refusal   string `json:"refusal,omitempty"`
	Time      string `json:"time" format:"date-time"`
	Entry     string `json:"entry"`
}

// Pin is a receipt of a node of the registry.
type Pin struct {
	By    string `json:"by"`
	Node  string `json:"node"`
	Until string `json:"until,omitempty" format:"date"`
	Entry string `json:"entry"`
}

// Check is one condition of the gate that results pass on their way out.
type Check struct {
	ID     string `json:"id"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
	Owner  string `json:"owner" doc:"the role that can mend it"`
}

// Comparison holds reported outcomes against the registered ones.
type Comparison struct {
	Version trial.Version `json:"version" doc:"compared with: in force before unblinding"`
	Blind   bool          `json:"blind" doc:"the trial has not been unblinded"`
	Lines   []Line        `json:"lines"`
}

// Line is one outcome, registered or reported or both.
type Line struct {
	Status    string        `json:"status"`
	ID        string        `json:"id"`
	Level     string        `json:"level"`
	Name      string        `json:"name"`
	Timepoint string        `json:"timepoint"`
	N         uint32        `json:"n" doc:"participants analysed"`
	Changes   []Differs     `json:"changes"`
	Since     trial.Version `json:"since" doc:"the version that first registered what is reported; 0: none did"`
	History   []Revision    `json:"history" doc:"changes by amendment, and what had been seen by then"`
}

// Differs is one difference of an outcome.
type Differs struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Revision is a change of an outcome by a registered version.
type Revision struct {
	Version   trial.Version `json:"version"`
	Time      string        `json:"time" format:"date-time"`
	Changes   []Differs     `json:"changes"`
	Enrolled  bool          `json:"enrolled" doc:"somebody was enrolled by then"`
	Unblinded bool          `json:"unblinded"`
	Looks     uint32        `json:"looks"`
	Cuts      uint32        `json:"cuts"`
	Single    uint32        `json:"single" doc:"participants unblinded alone"`
}

// Dataset is a dataset as committed up to a cut.
type Dataset struct {
	Name      string   `json:"name"`
	Cut       string   `json:"cut" format:"date"`
	Root      string   `json:"root" doc:"of the salted Merkle tree over its rows"`
	Rows      uint64   `json:"rows"`
	Subjects  uint64   `json:"subjects"`
	Columns   []string `json:"columns"`
	Commits   uint32   `json:"commits" doc:"how often it was committed at this cut"`
	Committed string   `json:"committed" format:"date-time"`
	Locked    string   `json:"locked,omitempty" format:"date-time"`
	Entry     string   `json:"entry"`
}

// Datasets are a trial's committed data, and since when arms are known.
type Datasets struct {
	Datasets  []Dataset `json:"datasets"`
	Unblinded string    `json:"unblinded,omitempty" format:"date-time" doc:"when the allocation list was released"`
	Open      []string  `json:"open_at_unblinding" doc:"datasets not locked by then"`
	Single    uint64    `json:"unblinded_alone" doc:"participants whose arm was opened alone"`
}

func (s *server) resultsRoutes() {
	get(s, "/v1/trials/{trial}/results", "results", "The label on a trial's results, the packages, and the outcome comparison", s.results)
	get(s, "/v1/trials/{trial}/gate", "gate", "Every check between the newest results and VERIFIED, as it stands now, and who can mend it", s.gate)
	get(s, "/v1/trials/{trial}/datasets", "datasets", "Committed data, their locks, and unblinding", s.datasets)
}

func (s *server) results(ctx context.Context, in *TrialPath) (*out[Results], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	label, err := s.Label(ctx, id)
	if err != nil {
		return nil, err
	}
	stages, err := s.Model.Stages(ctx, id)
	if err != nil {
		return nil, err
	}
	body := Results{
		Label: label.Word, Marks: filled(label.Marks), Exceptions: filled(label.Exceptions), Due: instant(label.Due), Stage: label.Stage,
		HeldBy: []string{}, Packages: list(stages, packageOf),
	}
	if label.Stage != 0 {
		body.PackageCID = label.Package.String()
	}
	for i := range stages {
		if stages[i].Number == label.Stage {
			body.HeldBy = holders(&stages[i])
			body.Comparison = &body.Packages[i].Comparison
		}
	}
	return answer(body)
}

// filled is a list that encodes as one where it is empty.
func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func holders(s *readmodel.Stage) []string {
	names := []string{}
	for _, h := range s.Held {
		if h.Holds {
			names = append(names, h.Name)
		}
	}
	return names
}

func packageOf(s *readmodel.Stage) Package {
	p := Package{
		Stage: s.Number, CID: s.Package.String(), Manifest: s.Manifest.String(), Cut: s.Cut, Staged: instant(s.Time), Entry: s.Entry,
		Supersedes: s.Supersedes, SupersededBy: s.SupersededBy, Comparison: comparisonOf(&s.Comparison), Exceptions: []string{}, Checks: []Check{},
		Held: list(s.Held, func(h *readmodel.Holding) Holding {
			return Holding{Custodian: h.Custodian.String(), Name: h.Name, Holds: h.Holds, Refusal: h.Refusal, Time: instant(h.Time), Entry: h.Entry}
		}),
		Pins: list(s.Pins, func(x *readmodel.Pin) Pin {
			pin := Pin{By: x.By.String(), Node: x.Node, Entry: x.Entry}
			if x.Until != 0 {
				pin.Until = x.Until.String()
			}
			return pin
		}),
	}
	if r := s.Release; r != nil {
		p.Released, p.Label, p.Exceptions, p.Checks = instant(r.Time), r.Label, filled(r.Exceptions), list(r.Checks, checkOf)
	}
	if s.Correction != nil {
		p.Reason = s.Correction.Reason
	}
	if s.Retraction != nil {
		p.Retracted, p.Retraction = instant(s.Retraction.Time), s.Retraction.Reason
	}
	return p
}

func checkOf(c *trial.Check) Check {
	return Check{ID: c.ID, Holds: c.Holds, Detail: c.Detail, Owner: c.Owner.String()}
}

func comparisonOf(c *outcome.Comparison) Comparison {
	return Comparison{Version: c.Version, Blind: c.Blind, Lines: list(c.Lines, func(l *outcome.Line) Line {
		return Line{
			Status: l.Status.String(), ID: l.ID, Level: l.Level.String(), Name: l.Name, Timepoint: l.Timepoint, N: l.N,
			Changes: list(l.Changes, differs), Since: l.Since, History: list(l.History, revisionOf),
		}
	})}
}

func differs(c *outcome.Change) Differs {
	return Differs{Field: c.Field, Before: c.Before, After: c.After}
}

func revisionOf(r *outcome.Revision) Revision {
	return Revision{
		Version: r.Version, Time: instant(r.Time), Changes: list(r.Changes, differs), Enrolled: r.Known.Enrolled,
		Unblinded: r.Known.Unblinded, Looks: r.Known.Looks, Cuts: r.Known.Cuts, Single: r.Known.Single,
	}
}

func (s *server) gate(ctx context.Context, in *TrialPath) (*out[[]Check], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	checks, err := s.Gate(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(list(checks, checkOf))
}

func (s *server) datasets(ctx context.Context, in *TrialPath) (*out[Datasets], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	sets, err := s.Model.Datasets(ctx, id)
	if err != nil {
		return nil, err
	}
	unblindings, err := s.Model.Unblindings(ctx, id)
	if err != nil {
		return nil, err
	}
	body := Datasets{Open: []string{}, Datasets: list(sets, func(d *readmodel.Dataset) Dataset {
		return Dataset{
			Name: d.Name, Cut: d.Cut.String(), Root: d.Root.String(), Rows: d.Rows, Subjects: d.Subjects, Columns: filled(d.Columns),
			Commits: d.Commits, Committed: instant(d.Committed), Locked: instant(d.Locked), Entry: d.Entry,
		}
	})}
	for _, u := range unblindings {
		if u.Whole {
			body.Unblinded, body.Open = instant(u.Time), filled(u.Open)
		} else {
			body.Single++
		}
	}
	return answer(body)
}
