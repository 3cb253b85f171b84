package readmodel

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// batchRows bounds the rows of one statement: both databases bound its
// parameters, at 32766 and 65535.
const batchRows = 400

// table is the rows of one table in memory, and which of them a block changed.
type table[K comparable, R any] struct {
	key   []string // columns
	rows  map[K]*R
	dirty []K
	mark  map[K]struct{}
}

func newTable[K comparable, R any](key ...string) table[K, R] {
	return table[K, R]{key: key, rows: map[K]*R{}, mark: map[K]struct{}{}}
}

// change returns a row to be written to; nil where there is none.
func (t *table[K, R]) change(k K) *R {
	r := t.rows[k]
	if r == nil {
		return nil
	}
	if _, ok := t.mark[k]; !ok {
		t.mark[k] = struct{}{}
		t.dirty = append(t.dirty, k)
	}
	return r
}

// put adds or replaces a row and returns it.
func (t *table[K, R]) put(k K, r R) *R {
	t.rows[k] = &r
	return t.change(k)
}

// load fills the table from the database.
func (t *table[K, R]) load(db *gorm.DB, key func(*R) K) error {
	var rows []R
	if err := db.Find(&rows).Error; err != nil {
		return err
	}
	for i := range rows {
		t.rows[key(&rows[i])] = &rows[i]
	}
	return nil
}

// flush writes the changed rows.
func (t *table[K, R]) flush(db *gorm.DB) error {
	rows := make([]R, len(t.dirty))
	for i, k := range t.dirty {
		rows[i] = *t.rows[k]
	}
	t.dirty = t.dirty[:0]
	clear(t.mark)
	return upsert(db, t.key, rows)
}

func upsert[R any](db *gorm.DB, key []string, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	columns := make([]clause.Column, len(key))
	for i, name := range key {
		columns[i].Name = name
	}
	return db.Clauses(clause.OnConflict{Columns: columns, UpdateAll: true}).CreateInBatches(rows, batchRows).Error
}

func insert[R any](db *gorm.DB, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	return db.CreateInBatches(rows, batchRows).Error
}
