package ceremony

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/ledger/wire"
)

// The files of a ceremony's directory. Each is written under another name, made
// durable and then given its own, so that a kill at any moment leaves either no
// file or a whole one. Contributions are named by their SHA-256: two never
// collide, and one that no entry names does no harm.
const (
	manifestFile = "manifest.cbor"
	entryFile    = "entry-%04d.cbor"
	stateFile    = "%v.bin"

	// TranscriptFile, ProvingFile and VerifyingFile are what a finished ceremony
	// is for: the record for evidence files, and the keys.
	TranscriptFile = "transcript.cbor"
	ProvingFile    = "proving-key.bin"
	VerifyingFile  = "verifying-key.bin"
)

// write puts a file in its place, over an older one of that name.
func write(dir, name string, b []byte) error {
	return place(dir, name, b, os.Rename)
}

// create puts a file in its place if there is none of that name; otherwise the
// error is fs.ErrExist. A hard link decides between two that come at once.
func create(dir, name string, b []byte) error {
	return place(dir, name, b, os.Link)
}

func place(dir, name string, b []byte, into func(from, to string) error) (err error) {
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if bad := os.Remove(f.Name()); bad != nil && !errors.Is(bad, fs.ErrNotExist) {
			err = errors.Join(err, bad)
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := into(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes names durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read reads a file of at most limit bytes.
func read(dir, name string, limit int) ([]byte, error) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(limit) {
		return nil, fmt.Errorf("%s: %d bytes; a file of at most %d belongs there", name, info.Size(), limit)
	}
	return os.ReadFile(path)
}

// readState reads a contribution by its name and compares.
func readState(dir string, hash wire.Hash, size int) ([]byte, error) {
	name := fmt.Sprintf(stateFile, hash)
	b, err := read(dir, name, size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ceremony: %s is missing; ask the coordinator or its contributor for it", name)
	}
	if err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	if got := wire.Hash(sha256.Sum256(b)); got != hash {
		return nil, fmt.Errorf("ceremony: %s: its SHA-256 is %v; it is damaged or another", name, got)
	}
	return b, nil
}

// keep writes a contribution and returns its name.
func keep(dir string, b []byte) (wire.Hash, error) {
	hash := wire.Hash(sha256.Sum256(b))
	return hash, write(dir, fmt.Sprintf(stateFile, hash), b)
}
