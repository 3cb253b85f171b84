//go:build !unix

package gnark

import "io/fs"

// mine takes every file for one's own: its owner is not told here.
func mine(fs.FileInfo) bool { return true }
