package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Names in a vault's directory that are no keyed hash.
const (
	marker    = "vault"     // tells whether a key is this vault's
	temporary = "tmp"       // files on their way
	wrapped   = "key"       // in a person's folder: the wrapped data key
	destroyed = "destroyed" // in a person's folder: the key is destroyed
	format    = "trialith vault 1"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// inside reports whether a file lies in a directory or below it.
func inside(dir, file string) bool {
	d, errD := filepath.Abs(dir)
	f, errF := filepath.Abs(file)
	if errD != nil || errF != nil {
		return false
	}
	rel, err := filepath.Rel(d, f)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// create writes a file that did not exist, whole or not at all.
func (v *Vault) create(path string, content []byte) error {
	return createIn(filepath.Join(v.dir, temporary), path, content)
}

// createIn writes to a temporary file, syncs it and gives it its name. A link,
// unlike a renaming, fails where the name is taken: nothing is ever overwritten.
func createIn(tmp, path string, content []byte) (err error) {
	f, err := os.CreateTemp(tmp, "new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer func() {
		if err = errors.Join(err, os.Remove(f.Name())); err != nil {
			err = fmt.Errorf("vault: %w", err)
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be synced there
	}
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// finish completes what a stop interrupted: half-written files go, and keys
// that were to be destroyed are.
func (v *Vault) finish() error {
	left, err := os.ReadDir(filepath.Join(v.dir, temporary))
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	for _, e := range left {
		if err := os.Remove(filepath.Join(v.dir, temporary, e.Name())); err != nil {
			return fmt.Errorf("vault: %w", err)
		}
	}
	people, err := os.ReadDir(v.dir)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	for _, p := range people {
		folder := filepath.Join(v.dir, p.Name())
		if exists(filepath.Join(folder, destroyed)) {
			if err := erase(filepath.Join(folder, wrapped)); err != nil {
				return err
			}
		}
	}
	return nil
}
