package monitor

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// KeepBehind writes the checkpoint of a server that shows less than is known:
// signed, it says what that server showed.
func KeepBehind(dir string, e *BehindError) (string, error) { return keep(dir, "checkpoint", e.Signed) }

// writeNamed writes bytes under a name made of them, whole and synced; the same
// bytes again are the same file.
func writeNamed(dir, kind string, b []byte) (_ string, err error) {
	sum := sha256.Sum256(b)
	path := filepath.Join(dir, fmt.Sprintf("%x.%s", sum[:6], kind))
	tmp, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(tmp.Name()))
	}
	return path, nil
}
