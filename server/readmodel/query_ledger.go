package readmodel

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gorm.io/gorm"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// bound keeps a list short: 1 to MaxLimit.
func bound(limit int) int { return min(max(limit, 1), MaxLimit) }

// column is a number as the databases keep it: signed. No row has a larger one.
func column(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// name is how an entry of a trial's stream is called.
func name(sequence uint64) string { return fmt.Sprintf("trial/%d", sequence) }

// one reads the row that a query selects.
func one[R any](q *gorm.DB, what string, args ...any) (r R, err error) {
	err = q.Take(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return r, fmt.Errorf(what+": %w", append(args, ErrUnknown)...)
	}
	if err != nil {
		return r, fmt.Errorf("readmodel: "+what+": %w", append(args, err)...)
	}
	return r, nil
}

// many reads the rows that a query selects, as what they mean.
func many[R, T any](q *gorm.DB, mean func(*R) T) ([]T, error) {
	var rows []R
	if err := q.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("readmodel: %w", err)
	}
	out := make([]T, len(rows))
	for i := range rows {
		out[i] = mean(&rows[i])
	}
	return out, nil
}

// Block returns the block at a height.
func (m *Model) Block(ctx context.Context, height uint64) (Block, error) {
	r, err := one[blockRow](m.read.WithContext(ctx).Where("height = ?", column(height)), "block %d", height)
	return Block(r), err
}

// Blocks lists up to limit blocks, newest first, from a height down; 0: from the newest.
func (m *Model) Blocks(ctx context.Context, from uint64, limit int) ([]Block, error) {
	q := m.read.WithContext(ctx).Order("height DESC").Limit(bound(limit))
	if from > 0 {
		q = q.Where("height <= ?", column(from))
	}
	return many(q, func(r *blockRow) Block { return Block(*r) })
}

// Entries lists up to limit entries from a place in the log on.
func (m *Model) Entries(ctx context.Context, from uint64, limit int) ([]Entry, error) {
	return many(m.read.WithContext(ctx).Where("place >= ?", column(from)).Order("place").Limit(bound(limit)), m.entry)
}

// LatestEntries lists up to limit entries, newest first; of one stream where it is not nil.
func (m *Model) LatestEntries(ctx context.Context, stream *wire.StreamID, limit int) ([]Entry, error) {
	q := m.read.WithContext(ctx).Limit(bound(limit))
	if stream == nil {
		return many(q.Order("place DESC"), m.entry)
	}
	return many(q.Where("stream = ?", stream[:]).Order("sequence DESC"), m.entry)
}

// StreamEntries lists up to limit entries of a stream from a sequence on.
func (m *Model) StreamEntries(ctx context.Context, stream wire.StreamID, from uint64, limit int) ([]Entry, error) {
	q := m.read.WithContext(ctx).Where("stream = ? AND sequence >= ?", stream[:], column(from)).Order("sequence").Limit(bound(limit))
	return many(q, m.entry)
}

// BlockEntries lists the entries of a block.
func (m *Model) BlockEntries(ctx context.Context, height uint64) ([]Entry, error) {
	return many(m.read.WithContext(ctx).Where("height = ?", column(height)).Order("place"), m.entry)
}

// Entry returns the entry of a transaction.
func (m *Model) Entry(ctx context.Context, hash wire.TxHash) (Entry, error) {
	r, err := one[entryRow](m.read.WithContext(ctx).Where("hash = ?", hash[:]), "transaction %v", hash)
	if err != nil {
		return Entry{}, err
	}
	return m.entry(&r), nil
}

func (m *Model) entry(r *entryRow) Entry {
	e := Entry{
		Place: r.Place, Stream: wire.StreamID(r.Stream), Sequence: r.Sequence, Height: r.Height, Index: r.Idx, Time: r.Time,
		Hash: wire.TxHash(r.Hash), Kind: tx.Kind(r.Kind), Code: engine.Code(r.Code),
	}
	e.Name = (&engine.Entry{Stream: e.Stream, Sequence: e.Sequence}).Name()
	if r.Kind != 0 {
		e.KindName = m.config.KindName(e.Kind)
		e.Signer = wire.KeyID(r.Signer)
	}
	return e
}
