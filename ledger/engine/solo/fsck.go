package solo

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/store"
)

// LastSigned is the last head that was signed, by the head file; false if there
// is no file. A ledger, or a backup of it, that lacks that head is too old.
func LastSigned(fsys vfs.FS, path string, g chain.Genesis) (store.Mark, bool, error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	f, err := readHead(fsys, path)
	if err != nil || !f.set {
		return store.Mark{}, false, err
	}
	if f.last.ledger != g.ID() {
		return store.Mark{}, true, fmt.Errorf("head file %s: of ledger %v, this is %v: %w", path, f.last.ledger, g.ID(), ErrRolledBack)
	}
	return store.Mark{Height: f.last.height, Header: f.last.hash}, true, nil
}

// WriteHeadFile is WriteHead on the disk.
func WriteHeadFile(path string, h chain.Header) error { return WriteHead(vfs.Default, path, h) }

// Fsck examines a closed data directory, see store.Fsck, and its head file.
func Fsck(dir, headFile string, g chain.Genesis, o store.FsckOptions) (*store.Findings, error) {
	last, found, failed := LastSigned(o.FS, headFile, g)
	if found && failed == nil {
		o.Known = append(o.Known, last)
	}
	f, err := store.Fsck(dir, g, o)
	switch {
	case err != nil:
		return f, err
	case failed != nil:
		f.Add(max(f.Height, 1), "head file", "%v", failed)
	case !found && f.Height > 0:
		f.Add(f.Height, "head file", "missing; compare header %v with a checkpoint that others hold, and write it anew", f.Header)
	}
	return f, nil
}
