package readmodel

import (
	"fmt"
	"strings"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// plain is a text that every database takes: PostgreSQL has no NUL in one.
func plain(s string) string { return strings.ReplaceAll(s, "\x00", "\uFFFD") }

// tellResults writes what the events of safety, data and publication change.
func (a *at) tellResults(e event.Event) error {
	switch e := e.(type) {
	case event.Reported:
		a.reported(e)
	case event.FollowedUp:
		return a.followedUp(e)
	case event.Exposed:
		a.exposures.put(exposureKey{siteKey{a.trial, e.Site}, e.Until}, exposureRow{
			Trial: a.Stream[:], Site: e.Site[:], UntilDay: int32(e.Until), Days: column(e.Days), Time: a.Time, Sequence: a.Sequence,
		})
	case event.Looked:
		a.looks.put(lookKey{a.trial, e.Look}, lookRow{
			Trial: a.Stream[:], Look: e.Look, FromDay: int32(e.From), AsOf: int32(e.AsOf), Time: a.Time, Board: e.Board[:],
			Counts: wire.Marshal([]trial.Count{}), Arms: wire.Marshal([]trial.ArmCount{}), Sequence: a.Sequence,
		})
	case event.PooledLook:
		return a.pooled(e)
	case event.LookOpened:
		return a.lookOpened(e)
	case event.BoardDecided:
		a.boardDecisions.put(logKey{a.trial, a.place}, boardDecisionRow{
			Trial: a.Stream[:], Place: a.place, Look: e.Look, Boundary: plain(e.Boundary), Decision: uint8(e.Decision),
			Reason: plain(e.Reason), Time: a.Time, Sequence: a.Sequence,
		})
	default:
		return a.tellData(e)
	}
	return nil
}

func (a *at) reported(e event.Reported) {
	a.reports.put(reportKey{a.trial, e.Report}, reportRow{
		Trial: a.Stream[:], Report: e.Report[:], Place: a.place, Site: e.Site[:], Clock: uint8(e.Clock), Received: int32(e.Received),
		Counted: int32(e.Counted), Serious: e.Serious, Boundaries: wire.Marshal(e.Boundaries), Late: e.Late, Time: a.Time,
		Sequence: a.Sequence,
	})
}

func (a *at) followedUp(e event.FollowedUp) error {
	r := a.reports.change(reportKey{a.trial, e.Report})
	if r == nil {
		return fmt.Errorf("report %v: followed up and never reported", e.Report)
	}
	r.Serious, r.Boundaries, r.FollowUps = e.Serious, wire.Marshal(e.Boundaries), r.FollowUps+1
	r.Lowered = r.Lowered || e.Lowered
	return nil
}

func (a *at) pooled(e event.PooledLook) error {
	r := a.looks.change(lookKey{a.trial, e.Look})
	if r == nil {
		return fmt.Errorf("look %d: counted and never looked", e.Look)
	}
	r.Days, r.Counts = column(e.Days), wire.Marshal(e.Counts)
	a.flagged(e.Flags, a.Time)
	return nil
}

// lookOpened keeps as a flag's time when the board could first see it: the look's.
func (a *at) lookOpened(e event.LookOpened) error {
	r := a.looks.change(lookKey{a.trial, e.Look})
	if r == nil {
		return fmt.Errorf("look %d: opened and never looked", e.Look)
	}
	r.Opened, r.Arms, r.OpenedSequence = a.Time, wire.Marshal(e.Arms), a.Sequence
	a.flagged(e.Flags, r.Time)
	return nil
}

func (a *at) flagged(flags []trial.Flag, raised int64) {
	for _, f := range flags {
		a.flags.put(flagKey{a.trial, f.Boundary, f.Arm}, flagRow{
			Trial: a.Stream[:], Boundary: plain(f.Boundary), Arm: plain(f.Arm), Look: f.Look, Crossed: int32(f.Crossed),
			Events: column(f.Events), Days: column(f.Days), ExpectedMicro: column(f.ExpectedMicro), Time: raised, Sequence: a.Sequence,
		})
	}
}

func (a *at) tellData(e event.Event) error {
	switch e := e.(type) {
	case event.DatasetCommitted:
		a.datasets.put(datasetKey{a.trial, e.Name, e.Cut}, datasetRow{
			Trial: a.Stream[:], Name: plain(e.Name), CutDay: int32(e.Cut), Commits: e.Sequence, Root: e.Root[:],
			DataRows: column(e.Rows), Subjects: column(e.Subjects), ColumnNames: wire.Marshal(e.Columns), Committed: a.Time, Sequence: a.Sequence,
		})
	case event.DatasetLocked:
		for _, name := range e.Names {
			r := a.datasets.change(datasetKey{a.trial, name, e.Cut})
			if r == nil {
				return fmt.Errorf("dataset %q: locked and never committed up to %v", name, e.Cut)
			}
			r.Locked = a.Time
		}
	case event.Unblinded:
		a.unblindings.put(logKey{a.trial, a.place}, unblindingRow{
			Trial: a.Stream[:], Place: a.place, Whole: true, Site: []byte{}, OpenNames: wire.Marshal(e.Open), Time: a.Time, Sequence: a.Sequence,
		})
	case event.UnblindedOne:
		a.unblindings.put(logKey{a.trial, a.place}, unblindingRow{
			Trial: a.Stream[:], Place: a.place, Site: e.Site[:], Cause: e.Cause, OpenNames: wire.Marshal([]string{}), Time: a.Time, Sequence: a.Sequence,
		})
	case event.PhaseCompleted:
		a.phases.put(phaseKey{a.trial, e.Phase}, phaseRow{
			Trial: a.Stream[:], Phase: plain(e.Phase), Day: int32(e.Day), Time: a.Time, Sequence: a.Sequence,
		})
	case event.PlanLocked:
		a.plans.put(logKey{a.trial, a.place}, planRow{
			Trial: a.Stream[:], Place: a.place, Document: e.Document[:], Time: a.Time, Sequence: a.Sequence,
		})
	case event.Appointed:
		// Its entry tells who signed; no table lists a board.
	default:
		return a.tellPublication(e)
	}
	return nil
}

func (a *at) tellPublication(e event.Event) error {
	switch e := e.(type) {
	case event.CutMade:
		a.cuts.put(stageKey{a.trial, e.Number}, cutRow{
			Trial: a.Stream[:], Cut: e.Number, AsOf: int32(e.AsOf), Checks: wire.Marshal(e.Checks), Time: a.Time, Sequence: a.Sequence,
		})
	case event.Staged:
		a.stages.put(stageKey{a.trial, e.Number}, stageRow{
			Trial: a.Stream[:], Stage: e.Number, Package: e.Package[:], Manifest: e.Manifest[:], Outcomes: wire.Marshal(e.Outcomes),
			Cut: e.Cut, Supersedes: e.Supersedes, Comparison: wire.Marshal(e.Comparison), Time: a.Time, Sequence: a.Sequence,
		})
	case event.PackageHeld:
		a.holdings.put(holdingKey{stageKey{a.trial, e.Stage}, e.Custodian}, holdingRow{
			Trial: a.Stream[:], Stage: e.Stage, Custodian: e.Custodian[:], Name: plain(e.Name), Holds: e.Holds, Refusal: plain(e.Refusal),
			Time: a.Time, Sequence: a.Sequence,
		})
	case event.Released:
		a.releases.put(stageKey{a.trial, e.Stage}, releaseRow{
			Trial: a.Stream[:], Stage: e.Stage, Place: a.place, Actor: e.By[:], Label: plain(e.Label),
			Exceptions: wire.Marshal(e.Exceptions), Checks: wire.Marshal(e.Checks), Comparison: wire.Marshal(e.Comparison),
			Time: a.Time, Sequence: a.Sequence,
		})
	case event.Pinned:
		a.pins.put(pinKey{holdingKey{stageKey{a.trial, e.Stage}, e.By}, e.Node}, pinRow{
			Trial: a.Stream[:], Stage: e.Stage, Actor: e.By[:], Node: plain(e.Node), UntilDay: int32(e.Until), Time: a.Time, Sequence: a.Sequence,
		})
	case event.ResultsCorrected:
		a.correction(e.Stage, e.Corrects, e.Reason)
	case event.ResultsRetracted:
		a.correction(e.Stage, 0, e.Reason)
	default:
		return fmt.Errorf("%T: the read model has no place for it", e)
	}
	return nil
}

func (a *at) correction(stage, corrects uint32, reason string) {
	a.corrections.put(correctionKey{stageKey{a.trial, stage}, corrects}, correctionRow{
		Trial: a.Stream[:], Stage: stage, Corrects: corrects, Reason: plain(reason), Time: a.Time, Sequence: a.Sequence,
	})
}
