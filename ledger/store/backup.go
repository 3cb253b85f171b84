package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// A backup is a directory of the database's files, the ledger's genesis, its
// newest checkpoint, and a manifest that names them all with their sums. The
// manifest is written last, so that a backup without one was never finished.
const (
	ManifestFile   = "manifest.json"
	GenesisFile    = "genesis.cbor"
	CheckpointFile = "checkpoint"
	backupFormat   = "trialith backup 1"
	backupData     = "ledger"

	maxManifest    = 16 << 20
	maxBackupFiles = 1 << 16
)

// Manifest says what a backup is of, and what it is made of.
type Manifest struct {
	Format string        `json:"format"`
	Ledger wire.LedgerID `json:"ledger"`
	Height uint64        `json:"height"` // of its head
	Time   int64         `json:"time"`   // of its head, milliseconds since 1970 UTC
	Size   uint64        `json:"size"`   // transactions in its log
	Header wire.Hash     `json:"header"` // hash of its head
	Files  []BackupFile  `json:"files"`  // sorted by name
}

// BackupFile is one file of a backup.
type BackupFile struct {
	Name   string    `json:"name"` // with a slash below a directory
	Size   int64     `json:"size"`
	SHA256 wire.Hash `json:"sha256"`
}

// Backup copies the ledger as it is after some block into a new directory,
// consistently, while blocks are being written. When it returns, all of it is durable.
func (s *Store) Backup(fsys vfs.FS, dir string) (m Manifest, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("backup: %v", r)
		}
	}()
	return backup(s.db, s.genesis, fsys, dir)
}

// Backup copies a closed directory; see Store.Backup.
func Backup(from string, g chain.Genesis, fsys vfs.FS, dir string) (m Manifest, err error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	if _, err := fsys.Stat(from); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	s, err := Open(from, g, Options{FS: fsys})
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	m, err = s.Backup(fsys, dir)
	return m, errors.Join(err, s.Close())
}

func backup(db *pebble.DB, g chain.Genesis, fsys vfs.FS, dir string) (m Manifest, err error) {
	if fsys == nil {
		fsys = vfs.Default
	}
	if err := fresh(fsys, dir); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	data := fsys.PathJoin(dir, backupData)
	// What is not synced yet is synced first: the copy may end with a block that
	// nobody was told of, and this ledger has it then too.
	if err := db.Checkpoint(data, pebble.WithFlushedWAL()); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if err := ownFiles(fsys, data); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	head, checkpoint, err := headOf(fsys, data, g)
	if err != nil {
		return m, fmt.Errorf("backup: the copy: %w", err)
	}
	for name, b := range map[string][]byte{GenesisFile: g.Encode(), CheckpointFile: checkpoint} {
		if err := writeWhole(fsys, fsys.PathJoin(dir, name), b); err != nil {
			return m, fmt.Errorf("backup: %w", err)
		}
	}
	m = Manifest{
		Format: backupFormat, Ledger: g.ID(), Height: head.Height, Time: head.Time, Size: head.Size(), Header: head.Hash(),
	}
	if m.Files, err = sums(fsys, dir, true); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	err = inTurn(
		func() error { return syncDir(fsys, data) },
		func() error { return syncDir(fsys, dir) },
		func() error { return writeWhole(fsys, fsys.PathJoin(dir, ManifestFile), append(b, '\n')) },
		func() error { return syncDir(fsys, dir) },
		func() error { return syncDir(fsys, parentOf(fsys, dir)) },
	)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, nil
}

// ownFiles puts a copy in the place of each file. Where it can, pebble links its
// tables instead: what damages the ledger's would damage the backup's.
func ownFiles(fsys vfs.FS, dir string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		path := fsys.PathJoin(dir, name)
		if err := errors.Join(vfs.Copy(fsys, path, path+".copy"), fsys.Rename(path+".copy", path)); err != nil {
			return err
		}
	}
	return nil
}

// headOf reads a copy's head and the newest checkpoint up to it, with its
// cosignatures if it has any.
func headOf(fsys vfs.FS, data string, g chain.Genesis) (head chain.Header, checkpoint []byte, err error) {
	head, err = ReadClosed(fsys, data, g, func(s *Snapshot) error {
		at, msg, err := s.beside(tableCheckpoint, (*pebble.Iterator).Last)
		if errors.Is(err, engine.ErrUnknown) {
			return nil
		}
		checkpoint = msg
		if cosigned, msg, err := s.NewestCosigned(); err == nil && cosigned == at {
			checkpoint = msg
		}
		return err
	})
	return head, checkpoint, err
}

// fresh refuses a directory that exists.
func fresh(fsys vfs.FS, dir string) error {
	if _, err := fsys.Stat(dir); err == nil {
		return fmt.Errorf("%s exists; name a new directory: nothing is overwritten", dir)
	}
	return nil
}

// sums lists the files of a backup with their sums; sync also makes them durable.
func sums(fsys vfs.FS, dir string, sync bool) ([]BackupFile, error) {
	var out []BackupFile
	for _, below := range []string{"", backupData} {
		names, err := fsys.List(fsys.PathJoin(dir, below))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if below == "" && (name == backupData || name == ManifestFile) || below != "" && name == "LOCK" {
				continue
			}
			path := name
			if below != "" {
				path = below + "/" + name
			}
			f, err := sum(fsys, fsys.PathJoin(dir, below, name), path, sync)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b BackupFile) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func sum(fsys vfs.FS, path, name string, sync bool) (b BackupFile, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil && sync {
		err = f.Sync()
	}
	return BackupFile{Name: name, Size: n, SHA256: wire.Hash(h.Sum(nil))}, err
}

// inTurn takes steps one after the other, up to the first that fails: what makes
// something count as whole is not done before it is.
func inTurn(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func writeWhole(fsys vfs.FS, path string, b []byte) error {
	f, err := fsys.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(b))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(fsys vfs.FS, path string) error {
	d, err := fsys.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func parentOf(fsys vfs.FS, path string) string {
	if p := fsys.PathDir(path); p != "" {
		return p
	}
	return "."
}
