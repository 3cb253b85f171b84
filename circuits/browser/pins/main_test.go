package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/trialith/trialith/circuits/browser"
)

// The scripts use the very files that this program embeds.
func TestPinsAreCurrent(t *testing.T) {
	t.Parallel()
	got, err := os.ReadFile("../src/pins.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, written(browser.Files())) {
		t.Error("src/pins.ts names other files than dist holds; run go generate ./circuits/browser")
	}
}
