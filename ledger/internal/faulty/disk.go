// Package faulty is the disk that the tests of faults run on: one that fails
// where it is told to, has so much room and no more, is slow, and tells when
// something is about to change, so that a power cut can fall between any two
// changes.
package faulty

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Long reports whether the tests of faults are to run in their long form: with
// TRIALITH_LONG=1.
func Long() bool { return os.Getenv("TRIALITH_LONG") == "1" }

// The ways in which a disk fails.
var (
	ErrIO    error = syscall.EIO
	ErrSpace error = syscall.ENOSPC
)

// Mode is how a change fails.
type Mode int

// The modes. A change is whatever writes: file contents, names, syncs.
const (
	Before Mode = iota // it is not done
	Half               // of what is written, half is there
	After              // it is done, and reported as failed
)

// Fault is a failure to come.
type Fault struct {
	At int64 // the change that fails, counted from 1
	// Match, if set, lets changes pass until one of a file's contents fits: the
	// first from At on fails.
	Match   func(name string) bool
	Lasting bool // and all after it
	Mode    Mode
	Err     error
}

// Disk is a file system with faults. Its methods are safe for concurrent use.
type Disk struct {
	vfs.FS

	mu      sync.Mutex
	changes int64
	fault   *Fault
	failed  bool
	hook    func(change int64)
	room    atomic.Int64 // bytes that may still be written
	full    atomic.Bool  // room counts
	latency atomic.Int64 // of a sync, in nanoseconds
	lies    atomic.Bool
	syncs   atomic.Int64
}

var _ vfs.FS = (*Disk)(nil)

// New is a disk over a file system, without faults.
func New(fs vfs.FS) *Disk { return &Disk{FS: fs} }

// Changes is the number of changes so far.
func (d *Disk) Changes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Syncs is the number of syncs that returned without error.
func (d *Disk) Syncs() int64 { return d.syncs.Load() }

// Fail sets a failure, counted from the disk's first change; nil takes it away.
func (d *Disk) Fail(f *Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault, d.failed = f, false
}

// Failed reports whether the failure has happened.
func (d *Disk) Failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// BeforeEach has fn called before each change, with its number. fn may not
// write to the disk.
func (d *Disk) BeforeEach(fn func(change int64)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = fn
}

// Room leaves so many bytes to write; below 0 there is no limit. What is
// removed gives none back.
func (d *Disk) Room(bytes int64) {
	d.room.Store(bytes)
	d.full.Store(bytes >= 0)
}

// Slow makes each sync take so long.
func (d *Disk) Slow(each time.Duration) { d.latency.Store(int64(each)) }

// Lie makes each sync of a log say that it is done and do nothing, as some
// disks do with all. Tests use it to show that they would notice.
func (d *Disk) Lie() { d.lies.Store(true) }

// change counts one, and says how it fails. name is that of the file whose
// contents change; empty if it is another change.
func (d *Disk) change(name string) *Fault {
	d.mu.Lock()
	d.changes++
	n, hook := d.changes, d.hook
	var f *Fault
	if d.fault.strikes(n, name, d.failed) {
		f, d.failed = d.fault, true
	}
	d.mu.Unlock()
	if hook != nil {
		hook(n)
	}
	return f
}

func (f *Fault) strikes(change int64, name string, before bool) bool {
	switch {
	case f == nil || change < f.At || before && !f.Lasting:
		return false
	case f.Match != nil:
		return name != "" && f.Match(name)
	}
	return change == f.At || f.Lasting
}

// do makes a change that has no half.
func (d *Disk) do(fn func() error) error { return d.named("", fn) }

func (d *Disk) named(name string, fn func() error) error {
	f := d.change(name)
	if f == nil {
		return fn()
	}
	if f.Mode == After {
		return errors.Join(f.Err, fn())
	}
	return f.Err
}

func opened(d *Disk, fn func() (vfs.File, error), wrap func(vfs.File) vfs.File) (vfs.File, error) {
	var out vfs.File
	err := d.do(func() error {
		f, err := fn()
		if err == nil {
			out = wrap(f)
		}
		return err
	})
	if err != nil && out != nil {
		err = errors.Join(err, out.Close())
		out = nil
	}
	return out, err
}

func (d *Disk) file(name string) func(vfs.File) vfs.File {
	return func(f vfs.File) vfs.File { return &file{File: f, disk: d, name: name} }
}

// Create is a change.
func (d *Disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return opened(d, func() (vfs.File, error) { return d.FS.Create(name, c) }, d.file(name))
}

// OpenReadWrite is a change.
func (d *Disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return opened(d, func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, o...) }, d.file(name))
}

// ReuseForWrite is a change.
func (d *Disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return opened(d, func() (vfs.File, error) { return d.FS.ReuseForWrite(from, to, c) }, d.file(to))
}

// Open is no change.
func (d *Disk) Open(name string, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := d.FS.Open(name, o...)
	if err != nil {
		return nil, err
	}
	return d.file(name)(f), nil
}

// OpenDir is no change; the sync of what it returns is.
func (d *Disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return d.file(name)(f), nil
}

// Link is a change.
func (d *Disk) Link(from, to string) error {
	return d.do(func() error { return d.FS.Link(from, to) })
}

// Remove is a change.
func (d *Disk) Remove(name string) error { return d.do(func() error { return d.FS.Remove(name) }) }

// RemoveAll is a change.
func (d *Disk) RemoveAll(name string) error {
	return d.do(func() error { return d.FS.RemoveAll(name) })
}

// Rename is a change.
func (d *Disk) Rename(from, to string) error {
	return d.do(func() error { return d.FS.Rename(from, to) })
}

// MkdirAll is a change.
func (d *Disk) MkdirAll(dir string, perm os.FileMode) error {
	return d.do(func() error { return d.FS.MkdirAll(dir, perm) })
}

// GetDiskUsage tells of the room, if there is a limit.
func (d *Disk) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	if d.full.Load() {
		return vfs.DiskUsage{AvailBytes: uint64(max(0, d.room.Load())), TotalBytes: 1 << 40}, nil
	}
	return d.FS.GetDiskUsage(path)
}

// Lock is no change.
func (d *Disk) Lock(name string) (io.Closer, error) { return d.FS.Lock(name) }

// Unwrap returns the file system below.
func (d *Disk) Unwrap() vfs.FS { return d.FS }

// file is an open file of the disk.
type file struct {
	vfs.File
	disk *Disk
	name string
}

func (f *file) Write(p []byte) (int, error) {
	return f.put(p, f.File.Write)
}

func (f *file) WriteAt(p []byte, at int64) (int, error) {
	return f.put(p, func(p []byte) (int, error) { return f.File.WriteAt(p, at) })
}

// put writes p, as far as the disk lets it.
func (f *file) put(p []byte, write func([]byte) (int, error)) (int, error) {
	fault := f.disk.change(f.name)
	if fault == nil {
		return f.disk.fill(p, write)
	}
	switch fault.Mode {
	case Half:
		n, err := write(p[:len(p)/2])
		return n, errors.Join(fault.Err, err)
	case After:
		n, err := write(p)
		return n, errors.Join(fault.Err, err)
	default:
		return 0, fault.Err
	}
}

// fill writes what there is room for.
func (d *Disk) fill(p []byte, write func([]byte) (int, error)) (int, error) {
	if !d.full.Load() {
		return write(p)
	}
	left := d.room.Add(-int64(len(p)))
	if left >= 0 {
		return write(p)
	}
	d.room.Store(0)
	n, err := write(p[:max(0, int64(len(p))+left)])
	return n, errors.Join(ErrSpace, err)
}

func (f *file) sync(fn func() error) error {
	time.Sleep(time.Duration(f.disk.latency.Load()))
	if f.disk.lies.Load() && strings.HasSuffix(f.name, ".log") {
		fn = func() error { return nil }
	}
	err := f.disk.named(f.name, fn)
	if err == nil {
		f.disk.syncs.Add(1)
	}
	return err
}

func (f *file) Sync() error     { return f.sync(f.File.Sync) }
func (f *file) SyncData() error { return f.sync(f.File.SyncData) }

func (f *file) SyncTo(length int64) (full bool, err error) {
	err = f.sync(func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full && err == nil, err
}
