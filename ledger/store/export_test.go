package store

import "errors"

// Crash ends a restoration as a crash does: what was written stays.
func (r *Restoring) Crash() error {
	db := r.db
	r.db = nil
	return errors.Join(r.batch.Close(), db.Close())
}
