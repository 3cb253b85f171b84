package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/tx"
)

// fileKey holds a witness's name and secret key.
const (
	fileKey   = "witness.key"
	keyFormat = "trialith witness key 1\nname %s\nseed %x\n"
)

// ReadKey returns the key of the witness in a directory. It may be running.
func ReadKey(dir string) (Key, error) {
	name, secret, err := readKey(dir)
	if err != nil {
		return Key{}, err
	}
	return KeyOf(name, tx.PublicKey(secret.Public().(ed25519.PublicKey))), nil
}

func readKey(dir string) (name string, key ed25519.PrivateKey, err error) {
	path := filepath.Join(dir, fileKey)
	b, err := readFile(vfs.Default, path)
	if err != nil {
		return "", nil, err
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) == 4 {
		name = strings.TrimPrefix(lines[1], "name ")
		seed, err := hex.DecodeString(strings.TrimPrefix(lines[2], "seed "))
		if err == nil && len(seed) == ed25519.SeedSize && fmt.Sprintf(keyFormat, name, seed) == string(b) && checkName(name) == nil {
			return name, ed25519.NewKeyFromSeed(seed), nil
		}
	}
	return "", nil, fmt.Errorf("%s: not a witness's key, or damaged", path)
}

// ensureKey returns the key in a directory, which the caller has locked, and
// makes one where there is none.
func ensureKey(dir, name string) (string, ed25519.PrivateKey, error) {
	have, key, err := readKey(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeKey(dir, name)
	case err != nil:
		return "", nil, err
	case name != "" && name != have:
		return "", nil, fmt.Errorf("name %q: the key in %s is of %q; a name is a part of the key, so leave it or take another directory", name, dir, have)
	}
	return have, key, nil
}

func makeKey(dir, name string) (string, ed25519.PrivateKey, error) {
	if err := checkName(name); err != nil {
		return "", nil, err
	}
	// State without a key is what a key signed that is gone.
	if left, err := filepath.Glob(filepath.Join(dir, "*"+extState)); err != nil || len(left) > 0 {
		return "", nil, errors.Join(err, fmt.Errorf("%s: it has a witness's state and no %s; bring the key back, or take another directory", dir, fileKey))
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, fileKey)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", nil, err
	}
	_, err = fmt.Fprintf(f, keyFormat, name, key.Seed())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDir(vfs.Default, dir)
	}
	return name, key, err
}
