package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mode OCTAL FILE checks the permissions of a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if info.Mode().Perm() != os.FileMode(want) {
		ts.Fatalf("%s: mode %v", args[1], info.Mode())
	}
}

// root NAME FILE sets a variable to the root in the JSON of data commit.
func rootOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: root NAME FILE")
	}
	var c commitment
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &c))
	ts.Setenv(args[0], c.Root.String())
}

// secretabsent SECRET FILE… checks that the secret stands in none of the files.
func secretAbsent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: secretabsent SECRET FILE...")
	}
	secret := strings.TrimSpace(ts.ReadFile(args[0]))
	if len(secret) != 64 {
		ts.Fatalf("%s: %d characters", args[0], len(secret))
	}
	for _, name := range args[1:] {
		if strings.Contains(ts.ReadFile(name), secret) {
			ts.Fatalf("the secret stands in %s", name)
		}
	}
}

// replace FROM TO OLD NEW copies a file with one word changed, which must be there.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: replace FROM TO OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("%s: no %q", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.ReplaceAll(text, args[2], args[3])), 0o600))
}
