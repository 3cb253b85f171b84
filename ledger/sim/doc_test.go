package sim

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The document of the faults names tests that there are, in the packages that it
// says.
func TestDocumentNamesTests(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	doc, err := os.ReadFile(filepath.Join(root, "docs", "ledger-faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile("`([^`\n]+)`")
	rows, found := 0, 0
	for line := range strings.Lines(string(doc)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| fault") {
			continue
		}
		rows++
		dir := ""
		for _, m := range words.FindAllStringSubmatch(line, -1) {
			switch word := m[1]; {
			case strings.HasPrefix(word, "ledger/") || strings.HasPrefix(word, "cmd/"):
				dir = filepath.Join(root, filepath.FromSlash(word))
			case strings.HasPrefix(word, "Test") || strings.HasPrefix(word, "Fuzz"):
				found++
				if !declared(t, dir, word) {
					t.Errorf("%s has no %s", dir, word)
				}
			}
		}
	}
	if rows != 16 || found < 30 {
		t.Errorf("%d faults with %d tests; the table was not read", rows, found)
	}
}

// declared reports whether a package's tests declare a function.
func declared(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "func "+name+"(") {
			return true
		}
	}
	return false
}
