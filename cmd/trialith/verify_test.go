package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const evidenceFixture = "../../registry/evidence/testdata/pilot.trialith"

// verifyPage runs "trialith verify --html TO FILE" and returns its exit code and
// what it says of errors.
func verifyPage(to, file string) (int, string) {
	var out, diagnostics bytes.Buffer
	code := run([]string{"verify", "--html", to, file}, &out, &diagnostics)
	return code, diagnostics.String()
}

func TestVerifyWritesAPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := filepath.Join(dir, "report.html")
	for range 2 { // the second time in place of the first
		if code, said := verifyPage(to, evidenceFixture); code != 3 {
			t.Fatalf("exit code %d: %s", code, said)
		}
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"VALID WITH RESERVATIONS", "How to repeat this check", "</html>"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 1 {
		t.Errorf("left beside the page: %q, %v", names, err)
	}
}

// A page that cannot be written is an error, and neither the evidence file nor
// what stood there before is touched.
func TestVerifyPageLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "evidence.trialith")
	b, err := os.ReadFile(evidenceFixture)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.html")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for to, says := range map[string]string{
		file: "this is the evidence file itself", link: "this is the evidence file itself", filepath.Join(dir, "nowhere", "report.html"): "nowhere", dir: dir,
	} {
		if code, said := verifyPage(to, file); code != 2 || !strings.Contains(said, says) {
			t.Errorf("%s: exit code %d: %s", to, code, said)
		}
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, b) {
		t.Errorf("the evidence file was changed: %v", err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, ".trialith-*")); err != nil || len(names) != 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
}

// TestVerifyVerified: a trial without exceptions, seen by a witness that the
// reader's policy trusts, exits 0; the built-in policy trusts none of its keys.
func TestVerifyVerified(t *testing.T) {
	t.Parallel()
	const fixture = "../../registry/evidence/testdata/witnessed"
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--policy", fixture + ".policy.json"}, 0, "VERIFIED: as of "},
		{nil, 1, "does not trust"},
	} {
		var out, diagnostics bytes.Buffer
		if code := run(append([]string{"verify", fixture + ".trialith"}, c.args...), &out, &diagnostics); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: exit code %d: %s%s", c.args, code, &out, &diagnostics)
		}
	}
}
