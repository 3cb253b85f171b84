package readmodel

import (
	"context"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Datasets lists a trial's datasets by name and cut.
func (m *Model) Datasets(ctx context.Context, id trial.ID) ([]Dataset, error) {
	return decoded(m.of(ctx, id, "name, cut_day"), "datasets", func(r *datasetRow) (Dataset, error) {
		x := Dataset{
			Name: r.Name, Cut: trial.Day(r.CutDay), Commits: r.Commits, Root: trial.Digest(r.Root), Rows: uint64(r.DataRows),
			Subjects: uint64(r.Subjects), Committed: r.Committed, Locked: r.Locked, Entry: name(r.Sequence),
		}
		return x, wire.Unmarshal(r.ColumnNames, &x.Columns)
	})
}

// Unblindings lists who may know arms since when, oldest first.
func (m *Model) Unblindings(ctx context.Context, id trial.ID) ([]Unblinding, error) {
	return decoded(m.of(ctx, id, "place"), "unblindings", func(r *unblindingRow) (Unblinding, error) {
		x := Unblinding{Whole: r.Whole, Cause: r.Cause, Time: r.Time, Entry: name(r.Sequence)}
		copy(x.Site[:], r.Site)
		return x, wire.Unmarshal(r.OpenNames, &x.Open)
	})
}

// Phases lists the completed phases, oldest first.
func (m *Model) Phases(ctx context.Context, id trial.ID) ([]Phase, error) {
	return many(m.of(ctx, id, "sequence"), func(r *phaseRow) Phase {
		return Phase{Phase: r.Phase, Day: trial.Day(r.Day), Time: r.Time, Entry: name(r.Sequence)}
	})
}

// Plans lists the locked analysis plans, oldest first.
func (m *Model) Plans(ctx context.Context, id trial.ID) ([]Plan, error) {
	return many(m.of(ctx, id, "place"), func(r *planRow) Plan {
		return Plan{Document: trial.Digest(r.Document), Time: r.Time, Entry: name(r.Sequence)}
	})
}

// Cuts lists a trial's data cuts in their order.
func (m *Model) Cuts(ctx context.Context, id trial.ID) ([]Cut, error) {
	return decoded(m.of(ctx, id, "cut"), "cuts", func(r *cutRow) (Cut, error) {
		x := Cut{Number: r.Cut, AsOf: trial.Day(r.AsOf), Time: r.Time, Entry: name(r.Sequence)}
		return x, wire.Unmarshal(r.Checks, &x.Checks)
	})
}

// Stages lists a trial's results packages in their order, with who holds the
// bytes and what became of each.
func (m *Model) Stages(ctx context.Context, id trial.ID) ([]Stage, error) {
	stages, err := decoded(m.of(ctx, id, "stage"), "stages", stage)
	if err != nil {
		return nil, err
	}
	by := map[uint32]*Stage{}
	for i := range stages {
		by[stages[i].Number] = &stages[i]
	}
	for _, fill := range []func(context.Context, trial.ID, map[uint32]*Stage) error{m.fillReleases, m.fillHeld, m.fillPins, m.fillCorrections} {
		if err := fill(ctx, id, by); err != nil {
			return nil, err
		}
	}
	return stages, nil
}

func stage(r *stageRow) (Stage, error) {
	x := Stage{
		Number: r.Stage, Package: trial.CID(r.Package), Manifest: trial.Digest(r.Manifest), Cut: r.Cut, Supersedes: r.Supersedes,
		Time: r.Time, Entry: name(r.Sequence),
	}
	if err := wire.Unmarshal(r.Outcomes, &x.Outcomes); err != nil {
		return x, err
	}
	return x, wire.Unmarshal(r.Comparison, &x.Comparison)
}

func (m *Model) fillReleases(ctx context.Context, id trial.ID, by map[uint32]*Stage) error {
	_, err := decoded(m.of(ctx, id, "place"), "releases", func(r *releaseRow) (struct{}, error) {
		x := &Release{By: trial.ActorID(r.Actor), Label: r.Label, Time: r.Time, Entry: name(r.Sequence)}
		s := by[r.Stage]
		if s == nil {
			return struct{}{}, nil
		}
		s.Release = x
		if err := wire.Unmarshal(r.Exceptions, &x.Exceptions); err != nil {
			return struct{}{}, err
		}
		if err := wire.Unmarshal(r.Comparison, &s.Comparison); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, wire.Unmarshal(r.Checks, &x.Checks)
	})
	return err
}

func (m *Model) fillHeld(ctx context.Context, id trial.ID, by map[uint32]*Stage) error {
	_, err := many(m.of(ctx, id, "sequence"), func(r *holdingRow) struct{} {
		if s := by[r.Stage]; s != nil {
			s.Held = append(s.Held, Holding{
				Custodian: trial.ActorID(r.Custodian), Name: r.Name, Holds: r.Holds, Refusal: r.Refusal, Time: r.Time, Entry: name(r.Sequence),
			})
		}
		return struct{}{}
	})
	return err
}

func (m *Model) fillPins(ctx context.Context, id trial.ID, by map[uint32]*Stage) error {
	_, err := many(m.of(ctx, id, "sequence"), func(r *pinRow) struct{} {
		if s := by[r.Stage]; s != nil {
			s.Pins = append(s.Pins, Pin{By: trial.ActorID(r.Actor), Node: r.Node, Until: trial.Day(r.UntilDay), Time: r.Time, Entry: name(r.Sequence)})
		}
		return struct{}{}
	})
	return err
}

func (m *Model) fillCorrections(ctx context.Context, id trial.ID, by map[uint32]*Stage) error {
	_, err := many(m.of(ctx, id, "sequence"), func(r *correctionRow) struct{} {
		x, s := &Correction{Reason: r.Reason, Time: r.Time, Entry: name(r.Sequence)}, by[r.Stage]
		switch {
		case s == nil:
		case r.Corrects == 0:
			s.Retraction = x
		default:
			s.Correction = x
			if was := by[r.Corrects]; was != nil {
				was.SupersededBy = r.Stage
			}
		}
		return struct{}{}
	})
	return err
}

// Packages lists the trials that named a package, with the number of its stage.
func (m *Model) Packages(ctx context.Context, cid trial.CID) (map[trial.ID]uint32, error) {
	var rows []stageRow
	if err := m.read.WithContext(ctx).Select("trial", "stage").Where("package = ?", cid[:]).Order("stage").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := map[trial.ID]uint32{}
	for i := range rows {
		out[trial.ID(rows[i].Trial)] = rows[i].Stage
	}
	return out, nil
}
