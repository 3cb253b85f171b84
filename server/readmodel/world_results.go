package readmodel

import (
	"gorm.io/gorm"

	"github.com/trialith/trialith/trial"
)

type (
	reportKey struct {
		trial  trial.ID
		report trial.ReportID
	}
	lookKey struct {
		trial trial.ID
		look  uint32
	}
	datasetKey struct {
		trial trial.ID
		name  string
		cut   trial.Day
	}
	exposureKey struct {
		siteKey
		until trial.Day
	}
	flagKey struct {
		trial         trial.ID
		boundary, arm string
	}
	stageKey struct {
		trial trial.ID
		stage uint32
	}
	holdingKey struct {
		stageKey
		custodian trial.ActorID
	}
	pinKey struct {
		holdingKey
		node string
	}
	correctionKey struct {
		stageKey
		corrects uint32
	}
	phaseKey struct {
		trial trial.ID
		phase string
	}
	logKey struct {
		trial trial.ID
		place uint64
	}
)

// results is the rows of safety, data and publication.
type results struct {
	// Changed by later blocks, so kept in memory.
	reports  table[reportKey, reportRow]
	looks    table[lookKey, lookRow]
	datasets table[datasetKey, datasetRow]

	// The block's own.
	exposures      table[exposureKey, exposureRow]
	flags          table[flagKey, flagRow]
	boardDecisions table[logKey, boardDecisionRow]
	unblindings    table[logKey, unblindingRow]
	phases         table[phaseKey, phaseRow]
	plans          table[logKey, planRow]
	cuts           table[stageKey, cutRow]
	stages         table[stageKey, stageRow]
	holdings       table[holdingKey, holdingRow]
	releases       table[stageKey, releaseRow]
	pins           table[pinKey, pinRow]
	corrections    table[correctionKey, correctionRow]
}

func newResults() results {
	return results{
		reports:        newTable[reportKey, reportRow]("trial", "report"),
		looks:          newTable[lookKey, lookRow]("trial", "look"),
		datasets:       newTable[datasetKey, datasetRow]("trial", "name", "cut_day"),
		exposures:      newTable[exposureKey, exposureRow]("trial", "site", "until_day"),
		flags:          newTable[flagKey, flagRow]("trial", "boundary", "arm"),
		boardDecisions: newTable[logKey, boardDecisionRow]("trial", "place"),
		unblindings:    newTable[logKey, unblindingRow]("trial", "place"),
		phases:         newTable[phaseKey, phaseRow]("trial", "phase"),
		plans:          newTable[logKey, planRow]("trial", "place"),
		cuts:           newTable[stageKey, cutRow]("trial", "cut"),
		stages:         newTable[stageKey, stageRow]("trial", "stage"),
		holdings:       newTable[holdingKey, holdingRow]("trial", "stage", "custodian"),
		releases:       newTable[stageKey, releaseRow]("trial", "stage"),
		pins:           newTable[pinKey, pinRow]("trial", "stage", "actor", "node"),
		corrections:    newTable[correctionKey, correctionRow]("trial", "stage", "corrects"),
	}
}

func (w *results) load(tx *gorm.DB) error {
	err := w.reports.load(tx, func(r *reportRow) reportKey { return reportKey{trial.ID(r.Trial), trial.ReportID(r.Report)} })
	if err != nil {
		return err
	}
	if err = w.looks.load(tx, func(r *lookRow) lookKey { return lookKey{trial.ID(r.Trial), r.Look} }); err != nil {
		return err
	}
	return w.datasets.load(tx, func(r *datasetRow) datasetKey { return datasetKey{trial.ID(r.Trial), r.Name, trial.Day(r.CutDay)} })
}

// flush writes what the block changed.
func (w *results) flush(tx *gorm.DB) error {
	for _, write := range []func(*gorm.DB) error{
		w.reports.flush, w.looks.flush, w.datasets.flush, w.exposures.flush, w.flags.flush, w.boardDecisions.flush,
		w.unblindings.flush, w.phases.flush, w.plans.flush, w.cuts.flush, w.stages.flush, w.holdings.flush, w.releases.flush,
		w.pins.flush, w.corrections.flush,
	} {
		if err := write(tx); err != nil {
			return err
		}
	}
	return nil
}

// settle forgets the block's own rows.
func (w *results) settle() {
	clear(w.exposures.rows)
	clear(w.flags.rows)
	clear(w.boardDecisions.rows)
	clear(w.unblindings.rows)
	clear(w.phases.rows)
	clear(w.plans.rows)
	clear(w.cuts.rows)
	clear(w.stages.rows)
	clear(w.holdings.rows)
	clear(w.releases.rows)
	clear(w.pins.rows)
	clear(w.corrections.rows)
}
