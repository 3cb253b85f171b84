package browser_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser"
)

// Anyone may ask for gnark's prover. A build that fails is not begun again for
// each who asks, and what the Go tool says of this machine is not told to them.
func TestAFailedBuildIsNotForVisitors(t *testing.T) {
	if _, err := os.Stat(filepath.Join("gnark", "gnark.json")); err == nil {
		t.Skip("gnark's prover is embedded here: nothing needs building")
	}
	tool := filepath.Join(t.TempDir(), "go")
	runs := filepath.Join(t.TempDir(), "runs")
	script := "#!/bin/sh\necho x >> '" + runs + "'\necho /home/operator: broken >&2\nexit 1\n"
	if err := os.WriteFile(tool, []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(tool))
	h := browser.Handler(browser.NewGnark(t.TempDir()))
	var first []byte
	for i := range 3 {
		w := answer(h, "/prover/gnark.json")
		body, err := io.ReadAll(w.Body)
		if err != nil || w.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "go generate") || strings.Contains(string(body), "operator") {
			t.Errorf("status %d, %q, %v", w.StatusCode, body, err)
		}
		ran, err := os.ReadFile(runs)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = ran
		}
		if len(ran) != len(first) {
			t.Errorf("visitor %d began a build again", i+1)
		}
	}
}
