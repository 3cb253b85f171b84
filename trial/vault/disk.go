package vault

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// createAll writes files that did not exist, each whole or not at all.
func (v *Vault) createAll(files map[string][]byte) error {
	return createAll(filepath.Join(v.dir, temporary), files)
}

// syncs bounds how many files wait for the disk at once: a disk writes many in
// the time of one.
const syncs = 32

// createAll writes each file to a temporary one, syncs it and gives it its
// name, then syncs the folders.
func createAll(tmp string, files map[string][]byte) error {
	folders := map[string]bool{}
	for path := range files {
		folders[filepath.Dir(path)] = true
	}
	paths := slices.Sorted(maps.Keys(files))
	err := together(paths, func(path string) error { return create(tmp, path, files[path]) })
	return errors.Join(err, together(slices.Sorted(maps.Keys(folders)), syncDir))
}

// together calls do for each name, many at once, and joins what failed.
func together(names []string, do func(string) error) error {
	failed := make([]error, len(names))
	var wg sync.WaitGroup
	slots := make(chan struct{}, syncs)
	for i, name := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed[i] = do(name)
		})
	}
	wg.Wait()
	return errors.Join(failed...)
}

// create writes one file. A link, unlike a renaming, fails where the name is
// taken: nothing is ever overwritten.
func create(tmp, path string, content []byte) (err error) {
	f, err := os.CreateTemp(tmp, "new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
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
