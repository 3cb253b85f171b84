package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module, and root its place seen from here.
const (
	module = "github.com/trialith/trialith/"
	root   = "../.."
)

// room is a set of packages and what of ours they may import. A name ending
// in /* stands for everything below it; a package below an internal directory
// belongs to the room around it.
type room struct {
	packages, may []string
}

var (
	light = []string{"circuits/field", "circuits/tree", "circuits/verifier"}
	heavy = []string{"circuits/membership", "circuits/prover", "circuits/browser", "circuits/browser/*", "circuits/ceremony"}
	// words are what rules and followers speak: floor 1 without the formats.
	words = []string{"trial", "trial/event", "trial/act", "trial/outcome"}
	rules = []string{
		"trial/directory", "trial/protocol", "trial/consent", "trial/safety", "trial/dataset", "trial/publication",
		"trial/supply", "trial/payment", "trial/access", "reconsent",
	}
	// kept is the ledger without its engines' insides: what a reader of blocks needs.
	kept = []string{
		"ledger/wire", "ledger/tx", "ledger/chain", "ledger/state", "ledger/store", "ledger/receipt", "ledger/witness",
		"ledger/engine",
	}
	engines   = []string{"ledger/engine/solo", "ledger/engine/comet", "ledger/engine/replay", "ledger/engine/enginetest", "ledger/sim"}
	followers = []string{"server/readmodel", "registry", "registry/analysis", "registry/node", "registry/evidence", "reconsent/notify"}
	pages     = []string{"server/api", "server/web", "server/auth", "server/problem", "server/relay", "server/mailbox", "server/upload", "server/web/app/*"}
	formats   = []string{
		"trial/exchange/ctgov", "trial/exchange/usdm", "trial/exchange/cdisc", "trial/exchange/fhir", "trial/exchange/epcis",
		"trial/exchange/pain001",
	}
)

// house is every package and the walls around it, from the ground floor up. A
// new package is placed here on purpose, or the test fails.
var house = []room{
	// Floor 0. The ledger knows nothing of trials; light circuits never pull in
	// the prover; the words of a trial stand on nothing.
	// The package of the name "ledger" is what only its own tests share.
	{slices.Concat(kept, engines, []string{"ledger"}), []string{"ledger/*"}},
	// What leaves the node and what others make of it; nothing of ours stands on these but the command line.
	{[]string{"ledger/tiles", "ledger/mirror", "ledger/monitor"}, []string{"ledger/*"}},
	{light, light},
	{heavy, []string{"circuits/*", "ledger/wire"}},
	// The record of a ceremony is checked by who has no prover.
	{[]string{"circuits/ceremony/transcript"}, []string{"ledger/wire"}},
	{[]string{"trial"}, nil},

	// Floor 1. ledger/wire is the canonical bytes and hashes and nothing else.
	{[]string{"trial/act", "trial/outcome"}, []string{"trial", "circuits/field", "ledger/wire"}},
	{[]string{"trial/event"}, []string{"trial", "trial/act", "trial/outcome", "circuits/field", "ledger/wire"}},
	{formats, []string{"trial"}},
	{[]string{"trial/vault"}, []string{"trial", "ledger/wire"}},
	// What opens one row of a committed dataset, for who has the row and for who checks it.
	{[]string{"trial/dataset/rows"}, []string{"trial", "ledger/wire"}},
	// The maker of tables and the board's seal are no rules: floats and chance stay out of these.
	{[]string{"trial/safety/boundary"}, []string{"trial"}},
	{[]string{"trial/safety/board"}, []string{"trial", "ledger/wire"}},

	// Floor 2. Rule packages never import each other.
	{rules, slices.Concat(words, light, []string{"ledger/wire", "ledger/tx", "ledger/state"})},

	// Floor 3.
	{[]string{"trial/contract"}, slices.Concat(words, rules, []string{
		"ledger/wire", "ledger/tx", "ledger/chain", "ledger/state", "ledger/engine", "circuits/verifier",
	})},

	// Floor 4. Followers read blocks and events; none opens the vault. The
	// fields of an event are field elements and kinds of acts, so who reads one
	// may name them.
	{[]string{"server/readmodel", "reconsent/notify", "registry"}, slices.Concat(kept, []string{"trial", "trial/event", "trial/act", "trial/outcome", "circuits/field", "registry/analysis"})},
	{[]string{"registry/analysis"}, nil},
	{[]string{"registry/node"}, slices.Concat(kept, []string{"trial", "trial/event", "trial/outcome", "circuits/field", "registry"})},
	{[]string{"registry/evidence"}, slices.Concat(kept, []string{
		"ledger/engine/replay", "trial", "trial/event", "trial/outcome", "trial/contract", "trial/dataset/rows", "circuits/field", "circuits/verifier", "circuits/ceremony/transcript", "registry",
		"registry/evidence/demonstration",
	})},
	{[]string{"registry/evidence/demonstration"}, []string{"ledger/tx"}},

	// Floor 5. The server never holds the prover nor a participant's secrets.
	{[]string{"trial/device"}, []string{"trial", "trial/act", "trial/consent", "circuits/*", "ledger/wire"}},
	// The sealed act, its promise and the batcher's key: for who seals and who opens.
	{[]string{"server/relay/sealed"}, []string{"trial", "ledger/wire", "ledger/tx"}},
	{[]string{"server/client"}, []string{"trial", "trial/act", "circuits/*", "ledger/wire", "ledger/tx", "ledger/receipt", "server/relay/sealed"}},
	{pages, slices.Concat(kept, words, rules, formats, followers, pages, light, []string{"trial/contract", "trial/vault", "server/relay/sealed"})},

	// Floor 6. cmd/trialith is the only wiring.
	{[]string{"cmd/trialith"}, []string{"ledger/*", "circuits/*", "trial/*", "trial", "registry", "registry/*", "reconsent", "reconsent/*", "server/*", "cmd/trialith/demo"}},
	{[]string{"cmd/trialith/demo"}, slices.Concat(kept, words, rules, formats, light, heavy, []string{
		"trial/contract", "trial/dataset/rows", "trial/safety/boundary", "trial/safety/board", "trial/vault", "trial/device", "server/client", "registry", "registry/analysis", "registry/evidence", "registry/evidence/demonstration", "cmd/trialith/demo/pilot",
	})},
	{[]string{"cmd/trialith/demo/pilot"}, []string{"trial", "trial/exchange/usdm", "trial/exchange/cdisc"}},
	{[]string{"cmd/prover"}, []string{"trial", "trial/act", "trial/device", "circuits/*", "ledger/wire"}},
}

// doors are the modules of others that only some packages may use.
var doors = []struct {
	prefix string
	only   []string
}{
	{"github.com/ipfs/boxo/", []string{"registry/node"}},
	{"gorm.io/", []string{"server/readmodel"}},
	{"github.com/go-gormigrate/", []string{"server/readmodel"}},
	{"github.com/glebarez/", []string{"server/readmodel"}},
	{"github.com/cometbft/", []string{"ledger/engine/comet"}},
	{"github.com/consensys/gnark/", heavy},
	{"github.com/cockroachdb/pebble/", slices.Concat(kept, engines, []string{"ledger"})},
	{"github.com/gin-gonic/", slices.Concat(pages, []string{"cmd/trialith"})},
	{"github.com/danielgtaylor/huma/", slices.Concat(pages, []string{"cmd/trialith"})},
}

// TestWalls holds the import walls for every package of the module, for this
// machine and for the browser.
func TestWalls(t *testing.T) {
	t.Parallel()
	for _, platform := range [][]string{nil, {"GOOS=js", "GOARCH=wasm"}} {
		imports := listed(t, platform)
		if _, found := imports["trial"]; !found {
			t.Fatal("the list of packages lacks trial; the walls were not checked")
		}
		for _, b := range breaches(imports) {
			t.Error(b)
		}
	}
}

// listed returns what each package of the module imports, tests left out.
func listed(t *testing.T, platform []string) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), platform...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		imports[strings.TrimPrefix(fields[0], module)] = fields[1:]
	}
	return imports
}

// breaches returns one sentence for each import that goes through a wall and
// each package that has no room.
func breaches(imports map[string][]string) []string {
	var out []string
	for pkg, list := range imports {
		home, found := roomOf(pkg)
		if !found {
			out = append(out, fmt.Sprintf("%s has no room; place it in the table of this test, with what it may import", pkg))
			continue
		}
		for _, path := range list {
			if ours, inside := strings.CutPrefix(path, module); inside {
				if !admits(home.may, ours) && !sameRoom(pkg, ours) {
					out = append(out, fmt.Sprintf("%s imports %s; its room may import only %s", pkg, ours, strings.Join(home.may, ", ")))
				}
				continue
			}
			for _, d := range doors {
				if strings.HasPrefix(path+"/", d.prefix) && !admits(d.only, outer(pkg)) {
					out = append(out, fmt.Sprintf("%s imports %s; only %s may", pkg, path, strings.Join(d.only, ", ")))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func roomOf(pkg string) (room, bool) {
	for _, r := range house {
		if admits(r.packages, outer(pkg)) {
			return r, true
		}
	}
	return room{}, false
}

// outer is the package that an internal one belongs to.
func outer(pkg string) string {
	before, _, _ := strings.Cut(pkg, "/internal/")
	return before
}

// sameRoom admits what is below a package's own internal directory: the Go
// tool itself keeps everyone else out.
func sameRoom(pkg, imported string) bool {
	return strings.Contains(imported, "/internal/") && outer(imported) == outer(pkg)
}

func admits(list []string, pkg string) bool {
	return slices.ContainsFunc(list, func(may string) bool {
		if below, found := strings.CutSuffix(may, "/*"); found {
			return strings.HasPrefix(pkg, below+"/")
		}
		return may == pkg
	})
}

// TestWallsControl shows that the check reports what it must: made-up imports
// that each break one wall, beside imports that are allowed.
func TestWallsControl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pkg, imported string
		forbidden     bool
	}{
		{"circuits/verifier", module + "circuits/tree", false},
		{"circuits/verifier", module + "circuits/prover", true},
		{"circuits/verifier", "github.com/consensys/gnark/backend/groth16", true},
		{"circuits/verifier", "github.com/consensys/gnark-crypto/ecc", false},
		{"circuits/prover", "github.com/consensys/gnark/backend/groth16", false},
		{"circuits/ceremony/transcript", "github.com/consensys/gnark/backend/groth16", true},
		{"registry/evidence", module + "circuits/ceremony/transcript", false},
		{"registry/evidence", module + "circuits/ceremony", true},
		{"circuits/browser", module + "trial/act", true},
		{"circuits/browser/kernel", module + "circuits/tree", false},
		{"circuits/browser/kernel", module + "trial", true},
		{"server/web", module + "circuits/browser", true},
		{"ledger/engine/solo", module + "ledger/store", false},
		{"ledger/chain", module + "trial", true},
		{"ledger/store", module + "trial/vault", true},
		{"trial", module + "ledger/wire", true},
		{"trial/event", module + "trial/consent", true},
		{"trial/exchange/usdm", module + "trial/act", true},
		{"trial/consent", module + "circuits/tree", false},
		{"trial/consent", module + "circuits/membership", true},
		{"trial/consent", module + "reconsent", true},
		{"reconsent", module + "trial/consent", true},
		{"trial/safety", module + "trial/dataset", true},
		{"trial/contract", module + "trial/consent", false},
		{"trial/contract", module + "server/readmodel", true},
		{"registry", module + "trial/vault", true},
		{"registry/evidence", module + "trial/contract", false},
		{"registry", module + "trial/contract", true},
		{"registry/node", "github.com/ipfs/boxo/blockstore", false},
		{"registry", "github.com/ipfs/boxo/files", true},
		{"server/readmodel", "gorm.io/gorm", false},
		{"server/api", "gorm.io/gorm", true},
		{"server/api", module + "server/problem", false},
		{"server/web", module + "circuits/prover", true},
		{"server/api", module + "trial/device", true},
		{"server/api", module + "ledger/engine/solo", true},
		{"server/client", module + "server/api", true},
		{"trial/device", module + "circuits/prover", false},
		{"cmd/trialith", module + "ledger/engine/solo", false},
		{"cmd/trialith/demo", module + "ledger/engine/solo", true},
		{"ledger/engine", module + "ledger/internal/toy", false},
		{"utils", "fmt", true},
		{"ledger/novelty", "fmt", true},
	} {
		got := breaches(map[string][]string{c.pkg: {c.imported}})
		if (len(got) > 0) != c.forbidden {
			t.Errorf("%s importing %s: reported %q, forbidden %v", c.pkg, c.imported, got, c.forbidden)
		}
	}
}

// topLevel is everything that may stand at the top of the repository.
var topLevel = []string{
	"circuits", "trial", "registry", "reconsent", "ledger", "server", "cmd", "go.mod", "go.sum", "README.md", "LICENSE",
	"CHANGELOG.md", ".ci", "docs", ".golangci.yml", ".gitignore", ".git",
}

// TestTopLevel keeps the top of the repository to the house: no Go file, no
// second place for things.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	for _, name := range strangers(entries(t)) {
		t.Errorf("%s stands at the top of the repository; move it into a room, or place it in the table of this test", name)
	}
	if got := strangers([]string{"circuits", "deps.go", "utils"}); !slices.Equal(got, []string{"deps.go", "utils"}) {
		t.Errorf("control: %q", got)
	}
}

func strangers(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(topLevel, name) })
}

// entries lists the top of the repository as git sees it, so that a
// developer's ignored files do not count; without git, as the disk holds it.
func entries(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		var names []string
		for file := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			name, _, _ := strings.Cut(file, "/")
			if _, err := os.Lstat(filepath.Join(root, name)); err == nil && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names
	}
	list, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(list))
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
