package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/verifier"
)

// A proving key is the one that the ceremony sealed, where its transcript tells.
func TestProvingKeyIsTheSealedOne(t *testing.T) {
	t.Parallel()
	samples := filepath.Join("..", "..", "registry", "evidence", "testdata")
	vk := must(os.ReadFile(filepath.Join(samples, "ceremony.vk")))
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, dirKeys), 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, dirKeys, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(word string) {
		t.Helper()
		if _, err := provingKey(dir, must(verifier.ParseKey(vk))).Set(t.Context()); err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), dir) {
			t.Errorf("%v, want a refusal that says %q and names no path", err, word)
		}
	}
	put(ceremony.ProvingFile, bytes.Repeat([]byte{1}, 100))
	refused("proving key: ") // by its form: nothing else is known of it
	put(ceremony.TranscriptFile, must(os.ReadFile(filepath.Join(samples, "ceremony.cbor"))))
	refused("the ceremony sealed")
	put(ceremony.TranscriptFile, []byte("spoilt"))
	refused("not to be read")
}
