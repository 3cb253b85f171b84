package contract_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/event"
)

// The section of docs/wire.md about kinds, acts, refusals and events is written
// from the code, so that neither can change alone.

const (
	wireTitle = "## Acts and kinds"
	wireEnd   = "<!-- end of acts and kinds -->"
)

func TestWirePage(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "wire.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	section := wireSection(t)
	before, rest, ok := strings.Cut(string(page), wireTitle+"\n")
	_, after, closed := strings.Cut(rest, wireEnd+"\n")
	switch {
	case *update && !ok:
		before, after = strings.TrimRight(string(page), "\n")+"\n\n", ""
	case !ok, !closed:
		t.Fatalf("%s: no section %q", path, wireTitle)
	}
	if want := before + section + after; want != string(page) {
		if !*update {
			t.Fatalf("%s: the section %q is not that of the code; go test -update writes it", path, wireTitle)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
	}
}

func wireSection(t *testing.T) string {
	t.Helper()
	var s strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&s, format, args...) }
	w(`%s

A transaction's body is the array of the fields of its kind. Vectors, one of each kind and one of each kind of act, are in
`+"`trial/contract/testdata/kinds.json`"+`: body, envelope, TxHash, and of a proof the act's bytes, context and message. Those of a
directory belong to the directory's stream, all others to a trial's.

`, wireTitle)
	types := map[string]reflect.Type{}
	w("| kind | name | body |\n|---|---|---|\n")
	for n, body := range bodies(t) {
		k := contract.Kinds()[n]
		w("| %d | `%s` | %s |\n", k.Number, k.Name, fields(body, types))
	}
	w("\n### Acts\n\n")
	w(`A body that carries a proof holds *proven* = [act, root, account, proof]. The act's bytes are the array of its fields, the
message = hashToField("act", bytes), the context = hashToField("context", array of [word text, ledger, trial, version uint32,
slot text, rep uint32]), where version counts in the word ` + "`consent`" + ` alone, slot and rep in entries alone, and all are 0 or empty
elsewhere. A field that the kind has no use for is 0 or empty. Root is 32 zero bytes where the tree is one's own leaf.

`)
	w("| act | kind | word | proven against | bounds | fields used besides ledger, trial, kind |\n|---|---|---|---|---|---|\n")
	for k := act.Enrol; k <= act.Attest; k++ {
		r, _ := k.Rule()
		bounds := "vacuous"
		if r.Criteria {
			bounds = "registered criteria"
		}
		w("| %d | %s | `%s` | %s | %s | %s |\n", k, k, r.Word, treeWords[r.Tree], bounds, used(r))
	}
	w(`
A batch holds 1 to %d acts, consent, options, withdraw or superseded, all of one trial, and the number of the epoch that it closes:
later than that of its batcher's last batch in the trial, and not to come. Each act is judged as one alone is, in order, against the
state before the batch. One whose account is burnt, or was used with its sequence or a later one, by an act before it in the batch
too, is skipped and counts nowhere. Any other bad act refuses the batch with its code; at the door the text begins
`+"`acts: PLACE: `"+`, counted from 0.
`, consent.MaxBatch)
	w("\n### Refusals\n\nCodes are append-only; 0 is accepted. What is refused by its form, signatures, proof or its signer's right does not enter the\nledger; what is refused by the order of things enters as its hash and the code. No rule of rule set 1 gives 100 and 107.\n\n| code | name |\n|---|---|\n")
	list := codes(t)
	names := make([]string, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(list[a], list[b]) })
	for _, name := range names {
		w("| %d | %s |\n", list[name], spaced(name))
	}
	w("\n### Events\n\nEach is the array of its fields.\n\n| event | name | fields |\n|---|---|---|\n")
	for _, e := range allEvents {
		n, _ := event.Encode(e)
		w("| %d | %s | %s |\n", n, spaced(reflect.TypeOf(e).Name()), fields(reflect.TypeOf(e), types))
	}
	w("\n### Structures\n\nA ledger id, trial id, actor id, site id, public key, digest, commitment, leaf, account and root are 32 bytes each.\n\n| structure | fields |\n|---|---|\n")
	w("%s", structures(types))
	w("\n%s\n", wireEnd)
	return s.String()
}

var treeWords = map[act.Tree]string{
	act.OwnLeaf: "one's own leaf", act.Owing: "`N-v` or `E-v`", act.OwingBoth: "`X-v-w`, w the successor",
	act.EligibleTree: "`eligible`", act.PassTree: "`pass-f`, f the site's floor",
}

var allEvents = []event.Event{
	event.ActorRegistered{},
	event.KeyRotated{},
	event.ActorRevoked{},
	event.Delegated{},
	event.DelegationEnded{},
	event.Registered{},
	event.Amended{},
	event.Decided{},
	event.Classified{},
	event.SiteOpened{},
	event.PhaseCompleted{},
	event.PlanLocked{},
	event.Appointed{},
	event.ImpactDerived{},
	event.Opened{},
	event.LeafSet{},
	event.Enrolled{},
	event.Acted{},
	event.Left{},
	event.WordCorrected{},
	event.Replaced{},
	event.Transferred{},
	event.Counted{},
	event.Screened{},
	event.Randomised{},
	event.Entered{},
	event.Batched{},
	event.Countersigned{},
	event.Reported{},
	event.FollowedUp{},
	event.Exposed{},
	event.Looked{},
	event.PooledLook{},
	event.LookOpened{},
	event.BoardDecided{},
	event.DatasetCommitted{},
	event.DatasetLocked{},
	event.Unblinded{},
	event.UnblindedOne{},
	event.CutMade{},
	event.Staged{},
	event.PackageHeld{},
	event.Released{},
	event.Pinned{},
	event.ResultsCorrected{},
	event.ResultsRetracted{},
}

// bodies are the types of the kinds' bodies, in the order of the table.
func bodies(t *testing.T) []reflect.Type {
	t.Helper()
	b := newBench(t)
	everyKind(b)
	types := make([]reflect.Type, len(contract.Kinds()))
	for i, k := range contract.Kinds() {
		for _, e := range b.sent {
			if e.Kind != k.Number {
				continue
			}
			body, err := k.Decode(e.Body)
			if err != nil {
				t.Fatalf("%s: %v: %s", k.Name, err, hex.EncodeToString(e.Body))
			}
			types[i] = reflect.TypeOf(body)
		}
	}
	return types
}

func used(r act.Rule) string {
	var out []string
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).Kind() == reflect.Bool && v.Field(i).Bool() && name != "Criteria" {
			out = append(out, spaced(name))
		}
	}
	if r.Slot {
		out = append(out, "rep", "kit", "pay")
	}
	return strings.Join(out, ", ")
}

// fields lists the fields of a structure and notes the structures in it.
func fields(t reflect.Type, types map[string]reflect.Type) string {
	var out []string
	for f := range t.Fields() {
		if f.Name != "_" {
			out = append(out, spaced(f.Name)+": "+wireType(f.Type, types))
		}
	}
	return strings.Join(out, ", ")
}

func wireType(t reflect.Type, types map[string]reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Array:
		if name := spaced(t.Name()); t.PkgPath() != "" && t.Len() == 32 {
			return map[bool]string{true: "trial id", false: name}[name == "id"]
		}
		return fmt.Sprintf("%d bytes", t.Len())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes" // one for each
		}
		return "array of " + wireType(t.Elem(), types)
	case reflect.Struct:
		types[spaced(t.Name())] = t
		return "*" + spaced(t.Name()) + "*"
	case reflect.Int32:
		return map[bool]string{true: "day int32", false: "int32"}[t == reflect.TypeFor[trial.Day]()]
	default:
		return t.Kind().String()
	}
}

// structures lists what the bodies hold, to the last level.
func structures(types map[string]reflect.Type) string {
	lines := map[string]string{}
	for len(lines) < len(types) {
		for _, name := range sorted(types) {
			lines[name] = fmt.Sprintf("| *%s* | %s |\n", name, fields(types[name], types))
		}
	}
	var s strings.Builder
	for _, name := range sorted(types) {
		s.WriteString(lines[name])
	}
	return s.String()
}

func sorted(m map[string]reflect.Type) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// spaced writes a Go name as words: "FormSet" is "form set".
func spaced(name string) string {
	var s strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		ends := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || ends) {
			s.WriteByte(' ')
		}
		s.WriteRune(unicode.ToLower(r))
	}
	return s.String()
}
