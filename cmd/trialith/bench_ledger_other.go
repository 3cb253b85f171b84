//go:build !unix

package main

import (
	"io/fs"
	"path/filepath"
)

// diskUse is how long the files below dir are together: this system does not
// tell what they take of the disk.
func diskUse(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
