package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// ReadBackup reads a backup's manifest and compares every file with it: none
// missing, none altered, none besides.
func ReadBackup(fsys vfs.FS, dir string) (m Manifest, g chain.Genesis, err error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	if m, err = readManifest(fsys, dir); err != nil {
		return m, g, fmt.Errorf("backup %s: %w", dir, err)
	}
	found, err := sums(fsys, dir, false)
	if err != nil {
		return m, g, fmt.Errorf("backup %s: %w", dir, err)
	}
	if name := differs(m.Files, found); name != "" {
		return m, g, fmt.Errorf("backup %s: %s is not as the manifest says: damaged, missing or added; use another backup", dir, name)
	}
	b, err := readWhole(fsys, fsys.PathJoin(dir, GenesisFile), chain.MaxGenesisBytes)
	if err == nil {
		g, err = chain.DecodeGenesis(b)
	}
	if err == nil && g.ID() != m.Ledger {
		err = fmt.Errorf("genesis: of ledger %v; the manifest says %v", g.ID(), m.Ledger)
	}
	if err != nil {
		return m, g, fmt.Errorf("backup %s: %w", dir, err)
	}
	return m, g, nil
}

func readManifest(fsys vfs.FS, dir string) (m Manifest, err error) {
	b, err := readWhole(fsys, fsys.PathJoin(dir, ManifestFile), maxManifest)
	if err != nil {
		return m, fmt.Errorf("%s: %w; a backup without one was never finished", ManifestFile, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if m.Format != backupFormat {
		return m, fmt.Errorf("%s: format %q; this program reads %q", ManifestFile, m.Format, backupFormat)
	}
	if len(m.Files) > maxBackupFiles {
		return m, fmt.Errorf("%s: %d files; at most %d", ManifestFile, len(m.Files), maxBackupFiles)
	}
	for i, f := range m.Files {
		name := strings.TrimPrefix(f.Name, backupData+"/")
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
			return m, fmt.Errorf("%s: file %q: a plain name, or one below %s", ManifestFile, f.Name, backupData)
		}
		if i > 0 && m.Files[i-1].Name >= f.Name {
			return m, fmt.Errorf("%s: file %q: sort them by name, each once", ManifestFile, f.Name)
		}
	}
	return m, nil
}

// differs names the first file that two lists do not agree on; "" for none.
func differs(want, got []BackupFile) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return got[i].Name
		case i >= len(got) || want[i] != got[i]:
			return want[i].Name
		}
	}
	return ""
}

// RestoreOptions say what a backup must not be older than.
type RestoreOptions struct {
	FS vfs.FS // nil: the disk
	// Complete, unless nil, appends to the copy what the backup lacks, before it
	// is examined. See Store.Complete.
	Complete func(*Store) error
	// Known are heads that this ledger had: that of the head file, and those of
	// checkpoints that others hold. The copy must have each of them.
	Known []Mark
}

// Restore copies a backup to where a ledger's data directory belongs, which must
// not exist. The copy is examined by Fsck and moved in place whole.
func Restore(from, to string, o RestoreOptions) (m Manifest, f *Findings, err error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if err := fresh(o.FS, to); err != nil {
		return m, nil, fmt.Errorf("restore: %w", err)
	}
	m, g, err := ReadBackup(o.FS, from)
	if err != nil {
		return m, nil, fmt.Errorf("restore: %w", err)
	}
	half := to + ".restoring"
	if err := o.FS.RemoveAll(half); err != nil {
		return m, nil, fmt.Errorf("restore: %w", err)
	}
	if err := copyData(o.FS, from, half, m); err != nil {
		return m, nil, errors.Join(fmt.Errorf("restore: %w", err), o.FS.RemoveAll(half))
	}
	if err := complete(half, g, o); err != nil {
		return m, nil, errors.Join(fmt.Errorf("restore: %w", err), o.FS.RemoveAll(half))
	}
	if f, err = examine(half, g, m, o); err != nil {
		return m, f, errors.Join(fmt.Errorf("restore: %w", err), o.FS.RemoveAll(half))
	}
	err = inTurn(
		func() error { return syncDir(o.FS, half) },
		func() error { return o.FS.Rename(half, to) },
		func() error { return syncDir(o.FS, parentOf(o.FS, to)) },
	)
	if err != nil {
		return m, f, fmt.Errorf("restore: %w", err)
	}
	return m, f, nil
}

func complete(dir string, g chain.Genesis, o RestoreOptions) error {
	if o.Complete == nil {
		return nil
	}
	s, err := Open(dir, g, Options{FS: o.FS})
	if err != nil {
		return err
	}
	return errors.Join(o.Complete(s), s.Close())
}

// examine refuses a copy that is damaged or older than what is known.
func examine(dir string, g chain.Genesis, m Manifest, o RestoreOptions) (*Findings, error) {
	f, err := Fsck(dir, g, FsckOptions{FS: o.FS})
	if err != nil {
		return nil, err
	}
	if first, any := f.First(); any {
		return f, fmt.Errorf("the backup is not whole: %v", first)
	}
	_, err = ReadClosed(o.FS, dir, g, func(s *Snapshot) error {
		for _, k := range append([]Mark{{Height: m.Height, Header: m.Header}}, o.Known...) {
			if k.Height > f.Height {
				return fmt.Errorf("the backup ends at height %d, and the ledger had height %d: %w", f.Height, k.Height, ErrOld)
			}
			h, err := s.Header(k.Height)
			if err != nil {
				return err
			}
			if h.Hash() != k.Header {
				return fmt.Errorf("height %d: header %v is known, and the backup has another block, %v", k.Height, k.Header, h.Hash())
			}
		}
		return nil
	})
	return f, err
}

// ErrOld says that a backup lacks blocks that the ledger had. Started from it,
// the node would make a second history.
var ErrOld = errors.New("it is too old; bring the newest backup")

// copyData copies the database's files, whole and durable, and compares what was
// written with the manifest again.
func copyData(fsys vfs.FS, from, to string, m Manifest) error {
	if err := fsys.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, f := range m.Files {
		name, data := strings.CutPrefix(f.Name, backupData+"/")
		if !data {
			continue
		}
		dst := fsys.PathJoin(to, name)
		if err := vfs.Copy(fsys, fsys.PathJoin(from, backupData, name), dst); err != nil {
			return err
		}
		got, err := sum(fsys, dst, f.Name, true)
		if err != nil {
			return err
		}
		if got != f {
			return fmt.Errorf("%s: changed while it was copied", f.Name)
		}
	}
	return syncDir(fsys, to)
}

func readWhole(fsys vfs.FS, path string, limit int64) (b []byte, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err = io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return b, err
}

// ReadKeys reads the head of a closed directory, without changing it, and the
// node's keys up to there.
func ReadKeys(fsys vfs.FS, dir string, g chain.Genesis) (h chain.Header, k chain.Keys, err error) {
	h, err = ReadClosed(fsys, dir, g, func(s *Snapshot) error {
		k, err = engine.NodeKeys(g, s.State(wire.Directory))
		return err
	})
	return h, k, err
}

// ReadClosed runs fn on a closed directory, without changing it.
func ReadClosed(fsys vfs.FS, dir string, g chain.Genesis, fn func(*Snapshot) error) (h chain.Header, err error) {
	defer Catch(&err)
	if fsys == nil {
		fsys = vfs.Default
	}
	if _, err := fsys.Stat(dir); err != nil {
		return h, fmt.Errorf("store: %w", err)
	}
	db, err := openToRead(dir, fsys, nil)
	if err != nil {
		return h, fmt.Errorf("store: %s: %w", dir, err)
	}
	defer closeReader(db)
	snap := (&Store{db: db, genesis: g}).Snapshot()
	defer snap.Release()
	if err := snap.verify(g); err != nil {
		return h, fmt.Errorf("store: %s: %w", dir, err)
	}
	return snap.Head(), fn(snap)
}
