package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/trialith/trialith/ledger/tx"
)

// fileNewKey is the key that a rotation goes to, from before its transaction is
// sent until it is in the ledger.
const fileNewKey = fileKey + ".new"

// keyring is the keys in a node's directory. Which of them signs the ledger
// says: so no order of writing files and blocks, and no crash between them, loses
// a key or takes the wrong one.
type keyring struct {
	dir string // of the keys

	turn sync.Mutex // of rotations

	mu      sync.Mutex
	present ed25519.PrivateKey // that wraps acts
}

func newKeyring(dir string, present ed25519.PrivateKey) *keyring {
	return &keyring{dir: filepath.Join(dir, dirKeys), present: present}
}

// Present is the node's present key.
func (k *keyring) Present() ed25519.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.present
}

// Of finds the private half of a key among the key files.
func (k *keyring) Of(public tx.PublicKey) (ed25519.PrivateKey, error) {
	_, key, err := k.find(public)
	return key, err
}

func (k *keyring) find(public tx.PublicKey) (name string, key ed25519.PrivateKey, err error) {
	files, err := os.ReadDir(k.dir)
	if err != nil {
		return "", nil, err
	}
	for _, f := range files {
		if f.Name() != fileKey && !strings.HasPrefix(f.Name(), fileKey+".") {
			continue
		}
		key, err := readKey(filepath.Join(k.dir, f.Name()))
		if err != nil {
			return "", nil, err
		}
		if publicOf(key) == public {
			return f.Name(), key, nil
		}
	}
	return "", nil, fmt.Errorf("no file %s* in %s has the private half of %x; bring it back", fileKey, k.dir, public[:4])
}

func publicOf(key ed25519.PrivateKey) tx.PublicKey {
	return tx.PublicKey(key.Public().(ed25519.PublicKey))
}

func readKey(path string) (ed25519.PrivateKey, error) {
	seed, err := os.ReadFile(path) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s: %d bytes; an Ed25519 seed has %d", filepath.Base(path), len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Next returns the key that a rotation goes to: one that an earlier rotation
// did not come to use, or a fresh one, which is durable when it returns.
func (k *keyring) Next() (ed25519.PrivateKey, error) {
	path := filepath.Join(k.dir, fileNewKey)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	_, key, err = ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	tmp := filepath.Join(k.dir, "."+fileNewKey)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the directory
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key.Seed())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(tmp, path); err != nil {
		return nil, err
	}
	return key, syncDirectory(k.dir)
}

// Settle makes the key that the ledger says is the node's the one in node.key.
// The one before it stays beside it, under the height at which it was given up.
func (k *keyring) Settle(public tx.PublicKey, height uint64) error {
	name, key, err := k.find(public)
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.present = key
	k.mu.Unlock()
	if name == fileKey {
		return nil
	}
	at := filepath.Join(k.dir, fileKey)
	if err := keepOld(at, filepath.Join(k.dir, fmt.Sprintf("%s.%d", fileKey, height))); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(k.dir, name), at); err != nil {
		return err
	}
	return syncDirectory(k.dir)
}

// keepOld gives a key file a second name before it is replaced, so that there is
// no moment without it.
func keepOld(at, old string) error {
	err := os.Link(at, old)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	was, err1 := os.Lstat(at)
	is, err2 := os.Lstat(old)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !os.SameFile(was, is) { // the same: a crash came between link and rename
		return fmt.Errorf("%s exists; move it away", old)
	}
	return nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path) //nolint:gosec // the operator names the directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
