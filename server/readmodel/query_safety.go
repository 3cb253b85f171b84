package readmodel

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// of selects a trial's rows in an order.
func (m *Model) of(ctx context.Context, id trial.ID, order string) *gorm.DB {
	return m.read.WithContext(ctx).Where("trial = ?", id[:]).Order(order)
}

// decoded reads the rows that a query selects, where making their meaning can
// fail: a column in CBOR that a rule wrote and this version does not read.
func decoded[R, T any](q *gorm.DB, what string, mean func(*R) (T, error)) ([]T, error) {
	var bad error
	out, err := many(q, func(r *R) T {
		v, err := mean(r)
		if err != nil && bad == nil {
			bad = fmt.Errorf("readmodel: %s: %w", what, err)
		}
		return v
	})
	if err == nil {
		err = bad
	}
	return out, err
}

// Reports lists up to limit reports of a trial, newest first.
func (m *Model) Reports(ctx context.Context, id trial.ID, limit int) ([]Report, error) {
	return decoded(m.of(ctx, id, "place DESC").Limit(bound(limit)), "reports", func(r *reportRow) (Report, error) {
		x := Report{
			ID: trial.ReportID(r.Report), Site: trial.SiteID(r.Site), Clock: trial.Clock(r.Clock), Received: trial.Day(r.Received),
			Counted: trial.Day(r.Counted), Serious: r.Serious, Late: r.Late, Lowered: r.Lowered, FollowUps: r.FollowUps, Time: r.Time,
			Entry: name(r.Sequence),
		}
		return x, wire.Unmarshal(r.Boundaries, &x.Boundaries)
	})
}

// Harm sums a trial's reports and exposure.
func (m *Model) Harm(ctx context.Context, id trial.ID) (h Harm, err error) {
	const sums = `SELECT COUNT(*), COALESCE(SUM(CASE WHEN serious THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN late THEN 1 ELSE 0 END), 0),
  COALESCE(SUM(CASE WHEN lowered THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN clock <> 0 AND NOT serious THEN 1 ELSE 0 END), 0)
  FROM reports WHERE trial = ?`
	err = m.read.WithContext(ctx).Raw(sums, id[:]).Row().Scan(&h.Reports, &h.Serious, &h.Late, &h.Lowered, &h.Queries)
	if err != nil {
		return h, fmt.Errorf("readmodel: reports: %w", err)
	}
	const exposed = `SELECT CAST(COALESCE(SUM(e.days), 0) AS BIGINT), COALESCE(MAX(e.until_day), 0) FROM exposures e WHERE e.trial = ?
  AND e.until_day = (SELECT MAX(x.until_day) FROM exposures x WHERE x.trial = e.trial AND x.site = e.site)`
	if err = m.read.WithContext(ctx).Raw(exposed, id[:]).Row().Scan(&h.Days, &h.Until); err != nil {
		return h, fmt.Errorf("readmodel: exposure: %w", err)
	}
	return h, nil
}

// Looks lists a trial's looks in their order.
func (m *Model) Looks(ctx context.Context, id trial.ID) ([]Look, error) {
	return decoded(m.of(ctx, id, "look"), "looks", func(r *lookRow) (Look, error) {
		x := Look{
			Number: r.Look, From: trial.Day(r.FromDay), AsOf: trial.Day(r.AsOf), Time: r.Time, Board: trial.Commitment(r.Board),
			Days: uint64(r.Days), Opened: r.Opened, Entry: name(r.Sequence),
		}
		if r.Opened != 0 {
			x.OpenedIn = name(r.OpenedSequence)
		}
		if err := wire.Unmarshal(r.Counts, &x.Counts); err != nil {
			return x, err
		}
		return x, wire.Unmarshal(r.Arms, &x.Arms)
	})
}

// Flags lists the boundaries crossed, by look; those by arm once it is opened.
func (m *Model) Flags(ctx context.Context, id trial.ID) ([]Flag, error) {
	return many(m.of(ctx, id, "look, boundary, arm"), func(r *flagRow) Flag {
		return Flag{Raised: r.Time, Entry: name(r.Sequence), Flag: trial.Flag{
			Boundary: r.Boundary, Arm: r.Arm, Look: r.Look, Crossed: trial.Day(r.Crossed), Events: uint64(r.Events),
			Days: uint64(r.Days), ExpectedMicro: uint64(r.ExpectedMicro),
		}}
	})
}

// BoardDecisions lists the board's decisions on a trial, oldest first.
func (m *Model) BoardDecisions(ctx context.Context, id trial.ID) ([]BoardDecision, error) {
	return many(m.of(ctx, id, "place"), func(r *boardDecisionRow) BoardDecision {
		return BoardDecision{
			Look: r.Look, Boundary: r.Boundary, Decision: trial.BoardDecision(r.Decision), Reason: r.Reason, Time: r.Time, Entry: name(r.Sequence),
		}
	})
}

// Boundaries lists a trial's boundaries as each was first registered: a later
// version cannot alter one.
func (m *Model) Boundaries(ctx context.Context, id trial.ID) ([]trial.Boundary, error) {
	var rows []versionRow
	if err := m.of(ctx, id, "version").Select("protocol").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("readmodel: boundaries: %w", err)
	}
	var out []trial.Boundary
	known := map[string]bool{}
	for i := range rows {
		var p trial.Protocol
		if err := wire.Unmarshal(rows[i].Protocol, &p); err != nil {
			return nil, fmt.Errorf("readmodel: boundaries: %w", err)
		}
		for _, b := range p.Boundaries {
			if !known[b.ID] {
				known[b.ID] = true
				out = append(out, b)
			}
		}
	}
	return out, nil
}
