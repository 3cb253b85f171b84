package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// secret is key material; it never prints.
type secret [32]byte

func (secret) String() string   { return "(key)" }
func (secret) GoString() string { return "(key)" }

func newSecret() (s secret, err error) {
	_, err = rand.Read(s[:])
	return s, err
}

// bytes derives 32 bytes for one purpose: a key has one use.
func (s secret) bytes(purpose string) []byte {
	b, err := hkdf.Key(sha256.New, s[:], nil, "trialith/v1/vault "+purpose, 32)
	if err != nil {
		panic(err) // 32 bytes of SHA-256 are always to be had
	}
	return b
}

func (s secret) derive(purpose string) box { return newBox(s.bytes(purpose)) }

// box seals with AES-256-GCM. A random nonce stands before each ciphertext: a
// key may seal 2^32 records before two are likely to meet.
type box struct{ aead cipher.AEAD }

func newBox(key []byte) box {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return box{aead}
}

func (b box) seal(plain, bound []byte) []byte {
	return b.aead.Seal(nil, nil, plain, bound) //nolint:gosec // no nonce is given: the box draws one
}

func (b box) open(sealed, bound []byte) ([]byte, error) { return b.aead.Open(nil, nil, sealed, bound) }

// loadKey reads the vault's key, or makes it for a vault that is new.
func loadKey(path string, used bool) (secret, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && used:
		return secret{}, fmt.Errorf("vault: the key file %s is missing; restore it: without it nothing here can be read", path)
	case errors.Is(err, os.ErrNotExist):
		return makeKey(path)
	case err != nil:
		return secret{}, fmt.Errorf("vault: key file: %w", err)
	case !info.Mode().IsRegular() || info.Size() > 128:
		return secret{}, fmt.Errorf("vault: key file %s: not a file of 64 hexadecimal digits", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return secret{}, fmt.Errorf("vault: key file %s: others may read it (mode %04o); chmod 600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return secret{}, fmt.Errorf("vault: key file: %w", err)
	}
	var s secret
	if len(text) != 65 || text[64] != '\n' || wire.ParseHex(s[:], text[:64]) != nil {
		return secret{}, fmt.Errorf("vault: key file %s: want 64 lower-case hexadecimal digits and a line feed", path)
	}
	return s, nil
}

func makeKey(path string) (secret, error) {
	s, err := newSecret()
	if err != nil {
		return s, fmt.Errorf("vault: %w", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, fmt.Errorf("vault: key file: %w", err)
	}
	return s, createAll(dir, map[string][]byte{path: []byte(hex.EncodeToString(s[:]) + "\n")})
}

// key returns the data key of a person; v.mu is held.
func (v *Vault) key(id trial.ID, person string) (box, error) {
	folder := v.folder(id, person)
	// Asked of the disk each time: who destroyed the key may be another.
	if exists(filepath.Join(folder, destroyed)) {
		delete(v.keys, folder)
		return box{}, ErrDestroyed
	}
	if key, ok := v.keys[folder]; ok {
		return key, nil
	}
	key, err := v.unwrap(id, person, folder)
	if err == nil {
		v.keys[folder] = key
	}
	return key, err
}

// keysOf returns the key for each item, made and on the disk where the person
// had none; v.mu is held.
func (v *Vault) keysOf(items []Item) ([]box, error) {
	out := make([]box, len(items))
	made, files := map[string]box{}, map[string][]byte{}
	for i, x := range items {
		folder := v.folder(x.Trial, x.Person)
		if key, ok := made[folder]; ok {
			out[i] = key
			continue
		}
		key, err := v.key(x.Trial, x.Person)
		if errors.Is(err, ErrNotFound) {
			key, err = v.wrap(x, folder, files)
			made[folder] = key
		}
		if err != nil {
			return nil, err
		}
		out[i] = key
	}
	if len(made) == 0 {
		return out, nil
	}
	if err := errors.Join(syncDir(v.dir), v.createAll(files)); err != nil {
		return nil, err
	}
	maps.Copy(v.keys, made)
	return out, nil
}

func (v *Vault) unwrap(id trial.ID, person, folder string) (box, error) {
	b, err := os.ReadFile(filepath.Join(folder, wrapped))
	if errors.Is(err, os.ErrNotExist) {
		return box{}, ErrNotFound
	}
	if err != nil {
		return box{}, fmt.Errorf("vault: %w", err)
	}
	plain, err := v.outer.open(b, bound(id, person, wrapped))
	if err != nil || len(plain) != 32 {
		return box{}, fmt.Errorf("vault: the wrapped key in %s was altered or moved; restore it from a copy", filepath.Base(folder))
	}
	return newBox(plain), nil
}

// wrap makes a data key and seals it into files.
func (v *Vault) wrap(x Item, folder string, files map[string][]byte) (box, error) {
	s, err := newSecret()
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return box{}, fmt.Errorf("vault: %w", err)
	}
	files[filepath.Join(folder, wrapped)] = v.outer.seal(s[:], bound(x.Trial, x.Person, wrapped))
	return newBox(s[:]), nil
}

// DestroyKey makes all that is kept about a person unreadable for good. It may
// be repeated. The person's name is blocked from then on: a late record would
// bring them back.
func (v *Vault) DestroyKey(id trial.ID, person string) error {
	if err := checkText("person", person); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	folder := v.folder(id, person)
	delete(v.keys, folder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if err := syncDir(v.dir); err != nil {
		return err
	}
	// The mark comes first: whatever stops us now, nobody reads again, and the
	// next Open finishes.
	mark := filepath.Join(folder, destroyed)
	if !exists(mark) {
		if err := v.createAll(map[string][]byte{mark: nil}); err != nil {
			return err
		}
	}
	return erase(filepath.Join(folder, wrapped))
}

// erase overwrites a file and removes it. A disk may keep what was overwritten
// (copy on write, wear levelling); the key is wrapped, so that without the
// vault's key the remains are of no use.
func erase(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	_, err = f.Write(make([]byte, info.Size()))
	if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
