package readmodel

import (
	"context"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// fourth adds batches and countersign tables. Several leaves may leave by one
// batch, so that a leaving is told by its leaf too.
const fourth = `
ALTER TABLE leavings RENAME TO leavings_one_an_entry;
CREATE TABLE leavings (
  trial BYTES NOT NULL, place BIGINT NOT NULL, version BIGINT NOT NULL, leaf BYTES NOT NULL, site BYTES NOT NULL,
  member_set INTEGER NOT NULL, way INTEGER NOT NULL, used BOOLEAN NOT NULL, was_active BOOLEAN NOT NULL, corrected BOOLEAN NOT NULL,
  time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place, leaf, version));
INSERT INTO leavings SELECT * FROM leavings_one_an_entry;
DROP TABLE leavings_one_an_entry;
CREATE TABLE batches (
  trial BYTES NOT NULL, place BIGINT NOT NULL, batcher BYTES NOT NULL, epoch BIGINT NOT NULL, acts BIGINT NOT NULL,
  skipped BIGINT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place));
CREATE TABLE countersigned (
  trial BYTES NOT NULL, place BIGINT NOT NULL, site BYTES NOT NULL, epoch BIGINT NOT NULL, commitment BYTES NOT NULL,
  total BIGINT NOT NULL, day BIGINT NOT NULL, signer BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, place));
CREATE INDEX countersigned_site ON countersigned (trial, site, place)
`

// Batch is what a batcher gathered over an epoch.
type Batch struct {
	Batcher trial.ActorID
	Name    string // of the batcher
	Epoch   uint64
	Acts    uint32 // that counted
	Skipped uint32 // whose account was used or burnt meanwhile
	Time    int64
	Entry   string
}

// Countersigned is a site's commitment to its countersign table.
type Countersigned struct {
	Site  trial.SiteID
	Epoch uint64
	Table trial.Commitment
	Total uint32 // entries of the table
	Day   trial.Day
	By    trial.ActorID
	Time  int64
	Entry string
}

type batchRow struct {
	Trial    []byte
	Place    uint64
	Batcher  []byte
	Epoch    uint64
	Acts     uint32
	Skipped  uint32
	Time     int64
	Sequence uint64
}

type countersignedRow struct {
	Trial      []byte
	Place      uint64
	Site       []byte
	Epoch      uint64
	Commitment []byte
	Total      uint32
	Day        int32
	Signer     []byte
	Time       int64
	Sequence   uint64
}

func (batchRow) TableName() string         { return "batches" }
func (countersignedRow) TableName() string { return "countersigned" }

func (a *at) batched(e event.Batched) {
	a.batches = append(a.batches, batchRow{
		Trial: a.Stream[:], Place: a.place, Batcher: e.Batcher[:], Epoch: e.Epoch, Acts: e.Acts, Skipped: e.Skipped,
		Time: a.Time, Sequence: a.Sequence,
	})
}

func (a *at) countersigned(e event.Countersigned) {
	a.tables = append(a.tables, countersignedRow{
		Trial: a.Stream[:], Place: a.place, Site: e.Site[:], Epoch: e.Epoch, Commitment: e.Table[:], Total: e.Total, Day: int32(e.Day),
		Signer: e.By[:], Time: a.Time, Sequence: a.Sequence,
	})
}

// Batches lists up to limit batches of a trial, newest first.
func (m *Model) Batches(ctx context.Context, id trial.ID, limit int) ([]Batch, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC").Limit(bound(limit))
	return many(q, func(r *batchRow) Batch {
		b := trial.ActorID(r.Batcher)
		return Batch{
			Batcher: b, Name: names[b].Name, Epoch: r.Epoch, Acts: r.Acts, Skipped: r.Skipped, Time: r.Time, Entry: name(r.Sequence),
		}
	})
}

// CountersignedAt lists up to limit commitments to countersign tables, newest
// first; those of one site where it is not nil.
func (m *Model) CountersignedAt(ctx context.Context, id trial.ID, site *trial.SiteID, limit int) ([]Countersigned, error) {
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC").Limit(bound(limit))
	if site != nil {
		q = q.Where("site = ?", site[:])
	}
	return many(q, func(r *countersignedRow) Countersigned {
		return Countersigned{
			Site: trial.SiteID(r.Site), Epoch: r.Epoch, Table: trial.Commitment(r.Commitment), Total: r.Total, Day: trial.Day(r.Day),
			By: trial.ActorID(r.Signer), Time: r.Time, Entry: name(r.Sequence),
		}
	})
}
