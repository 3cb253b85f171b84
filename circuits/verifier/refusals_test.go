package verifier_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every number has tests, and every test that the document names is there.
func TestRefusalsAreTested(t *testing.T) {
	t.Parallel()
	const root = "../.."
	document, err := os.ReadFile(filepath.Join(root, "docs", "refusals.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, dir := range []string{"circuits", "trial"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path) //nolint:gosec // a source file of ours
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllSubmatch(b, -1) {
				there[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	name := regexp.MustCompile("`(Test\\w+)`")
	for n := 1; n <= 25; n++ {
		_, rest, found := strings.Cut(string(document), "\n| "+strconv.Itoa(n)+" |")
		row, _, _ := strings.Cut(rest, "\n")
		if !found || !name.MatchString(row) {
			t.Errorf("refusal %d has no test", n)
		}
	}
	for _, m := range name.FindAllStringSubmatch(string(document), -1) {
		if !there[m[1]] && m[1] != "TestRefusalsAreTested" {
			t.Errorf("%s is named in the document, and is nowhere", m[1])
		}
	}
}
