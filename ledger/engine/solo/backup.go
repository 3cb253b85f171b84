package solo

import (
	"github.com/trialith/trialith/ledger/store"
)

// Backup copies the ledger as it is after some block, at the head or above, into
// a new directory, while it goes on. See store.Store.Backup.
func (l *Ledger) Backup(dir string) (store.Manifest, error) {
	return read(l, func(*committed) (store.Manifest, error) { return l.store.Backup(l.cfg.FS, dir) })
}

// TakeSnapshot writes a state snapshot of the head. See store.Snapshots.
func (l *Ledger) TakeSnapshot(to store.Snapshots) (store.SnapshotInfo, error) {
	return read(l, func(c *committed) (store.SnapshotInfo, error) { return to.Take(c.Snapshot) })
}
