package main

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A rotation is cut off after every change that it makes to the key files, with
// the ledger before and after its block. Whatever is there then, the key that the
// ledger names is found, ends in node.key, and no key is lost.
func TestKeyFilesSurviveACrash(t *testing.T) {
	t.Parallel()
	for _, entered := range []bool{false, true} {
		for step := range 4 {
			dir, first := nodeKeys(t)
			k := newKeyring(dir, first)
			next, err := k.Next()
			if err != nil {
				t.Fatal(err)
			}
			at := func(name string) string { return filepath.Join(dir, dirKeys, name) }
			if entered { // Settle's own steps, cut off
				switch step {
				case 1, 2:
					check(t, os.Link(at(fileKey), at(fileKey+".7")))
				}
				if step == 2 {
					check(t, os.Rename(at(fileNewKey), at(fileKey)))
				}
			}
			now, height := first, uint64(0)
			if entered {
				now, height = next, 7
			}
			after := newKeyring(dir, first) // as the next start reads node.key
			found, err := after.Of(publicOf(now))
			if err != nil || !bytes.Equal(found, now) {
				t.Fatalf("entered %t, step %d: %v", entered, step, err)
			}
			for range 2 { // settling again changes nothing
				check(t, after.Settle(publicOf(now), height))
			}
			inPlace, err := readKey(at(fileKey))
			if err != nil || !bytes.Equal(inPlace, now) || !bytes.Equal(after.Present(), now) {
				t.Errorf("entered %t, step %d: node.key is another (%v)", entered, step, err)
			}
			for _, key := range []ed25519.PrivateKey{first, next} {
				if _, err := after.Of(publicOf(key)); err != nil {
					t.Errorf("entered %t, step %d: a key was lost: %v", entered, step, err)
				}
			}
			if !entered {
				again, err := after.Next()
				if err != nil || !bytes.Equal(again, next) {
					t.Errorf("step %d: the rotation goes on with another key (%v)", step, err)
				}
			}
		}
	}
}

func TestKeyFilesAreTheOperatorsAlone(t *testing.T) {
	t.Parallel()
	dir, first := nodeKeys(t)
	k := newKeyring(dir, first)
	if _, err := k.Next(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fileKey, fileNewKey} {
		info, err := os.Stat(filepath.Join(dir, dirKeys, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	if _, err := k.Of(publicOf(stranger)); err == nil {
		t.Error("control: a key that is not there was found")
	}
	if err := k.Settle(publicOf(stranger), 3); err == nil {
		t.Error("settled on a key that is not there")
	}
	if !slices.Equal(k.Present(), first) {
		t.Error("the present key is another")
	}
}

func nodeKeys(t *testing.T) (dir string, key ed25519.PrivateKey) {
	t.Helper()
	dir, key = t.TempDir(), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	check(t, os.Mkdir(filepath.Join(dir, dirKeys), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, dirKeys, fileKey), key.Seed(), 0o600))
	return dir, key
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
