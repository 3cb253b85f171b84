package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// openDB opens the database. When the disk fails meanwhile pebble panics, with
// its own words or with the error.
func openDB(dir string, o Options, lock *pebble.Lock) (db *pebble.DB, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = fmt.Errorf("%v", r)
		}
	}()
	if err := room(dir, o); err != nil {
		return nil, err
	}
	options := &pebble.Options{
		FS: ordered{o.FS}, Lock: lock, Logger: quiet{}, MemTableSize: o.MemTable, FormatMajorVersion: pebble.FormatNewest,
		// A damaged block is an error of whoever reads it, and no reason to stop.
		EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
	}
	tune(options)
	return pebble.Open(dir, options)
}

// ordered is a file system on which no marker is without what it points to.
// Pebble makes a manifest and a marker that names it, and then syncs the
// directory: a power cut just before could leave the marker alone, and the
// ledger could not be opened.
type ordered struct{ vfs.FS }

func (o ordered) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(o.PathBase(name), "marker.") {
		dir, err := o.OpenDir(o.PathDir(name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return nil, err
		}
	}
	return o.FS.Create(name, c)
}

// Unwrap returns the file system below.
func (o ordered) Unwrap() vfs.FS { return o.FS }

// room refuses a disk on which opening would not come to an end: pebble writes
// what is in its log out again, and tries so for as long as there is no room.
func room(dir string, o Options) error {
	use, err := o.FS.GetDiskUsage(dir)
	if err != nil { // a file system that does not tell
		return nil //nolint:nilerr // it may have room
	}
	if need := 2 * o.MemTable; use.AvailBytes < need {
		return fmt.Errorf("%w: %d bytes are free, and opening takes up to %d; make room and start again", syscall.ENOSPC, use.AvailBytes, need)
	}
	return nil
}

// quiet drops pebble's log. A fatal error of pebble is one that it cannot go on
// after; its caller recovers the panic and stops the ledger.
type quiet struct{}

func (quiet) Infof(string, ...any)              {}
func (quiet) Errorf(string, ...any)             {}
func (quiet) Fatalf(format string, args ...any) { panic(readError{fmt.Errorf(format, args...)}) }

func (e readError) Error() string { return e.err.Error() }
func (e readError) Unwrap() error { return e.err }
