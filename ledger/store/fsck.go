package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Finding is one thing that is wrong with a ledger's directory.
type Finding struct {
	Height uint64 `json:"height"` // of the first block it concerns
	Table  string `json:"table"`  // header, entry, state, file, …
	Reason string `json:"reason"`
}

func (f Finding) String() string {
	return fmt.Sprintf("height %d: %s: %s", f.Height, f.Table, f.Reason)
}

// Findings are what Fsck read, and what it found wrong.
type Findings struct {
	Ledger   wire.LedgerID `json:"ledger"`
	Base     uint64        `json:"base,omitempty"` // a ledger from a snapshot has nothing up to this height
	Height   uint64        `json:"height"`         // of the head
	Header   wire.Hash     `json:"header"`         // its hash
	Size     uint64        `json:"size"`           // transactions in the log
	Streams  uint64        `json:"streams"`
	Rows     uint64        `json:"rows"`
	Files    int           `json:"files"`    // of pebble, with their checksums
	Unsigned uint64        `json:"unsigned"` // blocks without a checkpoint of their own
	Replayed bool          `json:"replayed"`
	Found    []Finding     `json:"found"`
}

// First is the finding of the least height; false if there is none.
func (f *Findings) First() (Finding, bool) {
	if len(f.Found) == 0 {
		return Finding{}, false
	}
	first := f.Found[0]
	for _, x := range f.Found[1:] {
		if x.Height < first.Height {
			first = x
		}
	}
	return first, true
}

// Add notes something that is wrong.
func (f *Findings) Add(height uint64, table, format string, args ...any) {
	const enough = 100
	if len(f.Found) < enough {
		reason := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n<corruption detail carrier>", "") // pebble's, empty
		f.Found = append(f.Found, Finding{height, table, reason})
	}
}

// FsckOptions say how thorough Fsck is.
type FsckOptions struct {
	FS vfs.FS // nil: the disk
	// Replay, unless nil, executes every block again and compares. What was
	// refused is not kept and so not executed; its place is compared.
	Replay engine.StateMachine
	// Known are heads that the ledger had: the last that was signed, as the head
	// file has it, and those of checkpoints that others hold. Without them a
	// write-ahead log that is damaged near its end looks like one that ends earlier.
	Known []Mark
}

// Mark is one head of a ledger.
type Mark struct {
	Height uint64
	Header wire.Hash
}

// Fsck reads everything in a closed directory and compares each thing with all
// that determines it. It changes nothing: the database is opened for reading
// alone. The error says why it could not be examined; what is wrong with it is
// among the findings.
func Fsck(dir string, g chain.Genesis, o FsckOptions) (_ *Findings, err error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if _, err := o.FS.Stat(dir); err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("fsck: %s: another process has it open; stop the node first: %w", dir, err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	f := &Findings{Ledger: g.ID()}
	db, err := openToRead(dir, o.FS, lock)
	if errors.Is(err, pebble.ErrDBDoesNotExist) {
		return nil, fmt.Errorf("fsck: %s: %w", dir, err)
	}
	if err != nil {
		f.unreadable(dir, g, o.FS, lock, err)
		return f, nil
	}
	defer closeReader(db)
	x := &examination{f: f, snap: &Snapshot{r: db.NewSnapshot(), genesis: g, head: g.Header()}, genesis: g}
	x.snap.Retain()
	defer x.snap.Release()
	x.step("header", x.findHead)
	known := o.Known
	if len(f.Found) > 0 {
		known = nil // where the ledger ends is not known
	}
	for _, m := range known {
		x.step("header", func() error { return x.reaches(m) })
	}
	x.files(db, dir, o.FS)
	x.step("database", x.begin)
	if len(f.Found) == 0 || f.Height > 0 {
		x.step("block", func() error { return x.blocks(o.Replay) })
	}
	if x.whole {
		x.tables()
	}
	return f, nil
}

// reaches checks that the ledger has the head that was signed last.
func (x *examination) reaches(m Mark) error {
	head := x.snap.Head()
	if m.Height > head.Height {
		return wrong(head.Height+1, "header", "blocks up to %d were signed, and none after %d is here: an old backup, or the end of the write-ahead log is damaged", m.Height, head.Height)
	}
	h, err := x.snap.Header(m.Height)
	if err != nil || h.Hash() != m.Header {
		return wrong(m.Height, "header", "another block was signed at this height, %v (%v)", m.Header, err)
	}
	return nil
}

// findHead finds the last header. What comes after one that cannot be read is
// examined no further.
func (x *examination) findHead() error {
	next := uint64(0)
	err := x.snap.walk([]byte{tableHeader}, []byte{tableHeader}, func(key, value []byte) error {
		h, err := chain.DecodeHeader(value)
		if err != nil {
			return err
		}
		if len(key) != 9 || string(key) != string(numbered(tableHeader, h.Height)) || next != 0 && h.Height != next {
			return fmt.Errorf("%s holds that of height %d", describe(key), h.Height)
		}
		x.snap.head, next = h, h.Height+1
		return nil
	})
	h := x.snap.Head()
	x.f.Height, x.f.Header, x.f.Size = h.Height, h.Hash(), h.Size()
	if err != nil {
		return wrong(h.Height+1, "header", "%w", err)
	}
	return nil
}

// openToRead opens a database that is not to be changed.
func openToRead(dir string, fsys vfs.FS, lock *pebble.Lock) (db *pebble.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%v", r)
		}
	}()
	return pebble.Open(dir, &pebble.Options{
		FS: fsys, Lock: lock, Logger: quiet{}, ReadOnly: true, ErrorIfNotExists: true, CacheSize: 256 << 20,
		FormatMajorVersion: pebble.FormatNewest,
		EventListener:      &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
	})
}

// closeReader closes a database that was opened for reading. Where it met damage
// pebble may panic over what it still holds; nothing is lost by that.
func closeReader(db *pebble.DB) {
	defer func() { _ = recover() }()
	_ = db.Close()
}

// unreadable notes that the database cannot be opened. If what is in its tables
// can be without its write-ahead log, what is lost begins after their head.
func (f *Findings) unreadable(dir string, g chain.Genesis, fsys vfs.FS, lock *pebble.Lock, cause error) {
	db, err := openToRead(dir, withoutLog{fsys}, lock)
	if err != nil {
		f.Add(1, "database", "cannot be opened, so that no block can be read: %v", cause)
		return
	}
	defer closeReader(db)
	err = func() (err error) {
		defer Catch(&err)
		snap := (&Store{db: db, genesis: g}).Snapshot()
		defer snap.Release()
		f.Add(snap.Head().Height+1, "write-ahead log", "%v", cause)
		return nil
	}()
	if err != nil {
		f.Add(1, "database", "%v; and without its write-ahead log: %v", cause, err)
	}
}

// withoutLog hides the write-ahead log.
type withoutLog struct{ vfs.FS }

func (w withoutLog) List(dir string) ([]string, error) {
	names, err := w.FS.List(dir)
	var out []string
	for _, n := range names {
		if !strings.HasSuffix(n, ".log") {
			out = append(out, n)
		}
	}
	return out, err
}

// examination is one run of Fsck.
type examination struct {
	f       *Findings
	snap    *Snapshot
	genesis chain.Genesis
	base    chain.Header
	walk    *walk // as it was after the last block
	whole   bool  // every block was read and is right
	old     bool  // the maps have rows of the old format, which are made anew when it is opened
}

// step runs a part of the examination; what stops it is a finding of the height
// that it had come to.
func (x *examination) step(table string, fn func() error) {
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				if e, ok := r.(readError); ok {
					err = e.err
					return
				}
				err = fmt.Errorf("%v", r)
			}
		}()
		return fn()
	}()
	if err == nil {
		return
	}
	height := x.snap.Head().Height
	if at := new(atRow); errors.As(err, &at) {
		height, table = at.height, at.table
		err = at.err
	}
	x.f.Add(height, table, "%v", err)
}

// atRow says where something is wrong.
type atRow struct {
	height uint64
	table  string
	err    error
}

func (a *atRow) Error() string { return fmt.Sprintf("height %d: %s: %v", a.height, a.table, a.err) }
func (a *atRow) Unwrap() error { return a.err }

func wrong(height uint64, table, format string, args ...any) error {
	return &atRow{height, table, fmt.Errorf(format, args...)}
}

// begin checks what stands at the beginning: format, genesis, base.
func (x *examination) begin() error {
	found, err := x.snap.get([]byte{tableFormat})
	x.old = string(found) == oldFormat
	if err != nil || string(found) != format && !x.old {
		return wrong(1, "format", "%q, %v; this program reads %q", found, err, format)
	}
	genesis, err := x.snap.get([]byte{tableGenesis})
	if err != nil || string(genesis) != string(x.genesis.Encode()) {
		return wrong(1, "genesis", "not that of ledger %v (%v)", x.genesis.ID(), err)
	}
	if x.base, err = x.snap.Base(); err != nil {
		return wrong(1, "base", "%v", err)
	}
	x.f.Base = x.base.Height
	return nil
}

// files checks the checksum of every block of every table file, whether it holds
// what is read or not, and that pebble's levels agree.
func (x *examination) files(db *pebble.DB, dir string, fsys vfs.FS) {
	x.step("file", func() error {
		levels, err := db.SSTables()
		if err != nil {
			return err
		}
		for _, level := range levels {
			for i := range level {
				x.f.Files++
				name := fmt.Sprintf("%06d.sst", uint64(level[i].BackingSSTNum))
				if err := checkFile(fsys, fsys.PathJoin(dir, name)); err != nil {
					first, last := level[i].Smallest.UserKey, level[i].Largest.UserKey
					x.f.Add(x.heightOf(first), "file", "%s, which holds rows from %s to %s: %v", name, describe(first), describe(last), err)
				}
			}
		}
		return nil
	})
	if len(x.f.Found) == 0 { // it says less of what was found already
		x.step("file", func() error { return db.CheckLevels(nil) })
	}
}

func checkFile(fsys vfs.FS, path string) (err error) {
	file, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("missing")
	}
	if err != nil {
		return err
	}
	return validate(file)
}
