package rows_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/dataset/rows"
)

var update = flag.Bool("update", false, "write the golden file again")

var secret = rows.Secret(sha256.Sum256([]byte("a secret of these tests")))

// table has n rows, three of each person.
func table(n int) *rows.Table {
	t := &rows.Table{Dataset: "ae", Columns: []string{rows.Subject, "AESEQ", "AETERM", "ARM"}}
	for i := range n {
		t.Cells = append(t.Cells, []string{fmt.Sprintf("01-%04d", i/3), fmt.Sprint(i%3 + 1), "HEADACHE, \"mild\"\nat night", ""})
	}
	return t
}

func build(t testing.TB, table *rows.Table, secret rows.Secret) *rows.Tree {
	t.Helper()
	tree, err := rows.Build(table, secret)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// naive is the root by the words of RFC 6962 section 2.1 and of the package's
// comment, with nothing of the package's own.
func naive(table *rows.Table) []byte {
	leaves := make([][]byte, len(table.Cells))
	schema := wire.Sum("schema", table.Columns)
	for i, cells := range table.Cells {
		content := wire.Marshal([]any{table.Dataset, i + 1, schema, cells})
		salt, err := hkdf.Key(sha256.New, secret[:], nil, "trialith/v1/row\x00"+string(content), 32)
		if err != nil {
			panic(err)
		}
		c := wire.Sum("commit", "row", [32]byte(salt), content)
		h := sha256.Sum256(append([]byte{0}, c[:]...))
		leaves[i] = h[:]
	}
	return fold(leaves)
}

func fold(leaves [][]byte) []byte {
	if len(leaves) == 0 {
		h := sha256.Sum256(nil)
		return h[:]
	}
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	h := sha256.Sum256(slices.Concat([]byte{1}, fold(leaves[:k]), fold(leaves[k:])))
	return h[:]
}

// TestRootAndEveryRow: the root is that of the definition, and each row of
// tables of many sizes opens against it, in both forms, and against no other.
func TestRootAndEveryRow(t *testing.T) {
	t.Parallel()
	for n := range 35 {
		tb := table(n)
		tree := build(t, tb, secret)
		root := tree.Root()
		if !bytes.Equal(root[:], naive(tb)) {
			t.Errorf("%d rows: root %v, by the definition %x", n, root, naive(tb))
		}
		for number := uint64(1); number <= uint64(n); number++ {
			o, err := tree.Prove(number)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			for form, b := range map[string][]byte{"CBOR": o.Encode(), "JSON": text} {
				back, err := rows.Decode(b)
				if err != nil {
					t.Fatalf("%d of %d, %s: %v", number, n, form, err)
				}
				if err := back.Verify(root); err != nil {
					t.Errorf("%d of %d, %s: %v", number, n, form, err)
				}
				if !slices.Equal(back.Cells, tb.Cells[number-1]) {
					t.Errorf("%d of %d, %s: other cells", number, n, form)
				}
			}
			if err := o.Verify(build(t, table(n+1), secret).Root()); !errors.Is(err, rows.ErrNotProven) {
				t.Errorf("%d of %d: proven in another table: %v", number, n, err)
			}
		}
		for _, number := range []uint64{0, uint64(n) + 1} {
			if _, err := tree.Prove(number); err == nil {
				t.Errorf("row %d of %d was opened", number, n)
			}
		}
	}
}

// TestAlteredOpenings: nothing that an opening says can be changed.
func TestAlteredOpenings(t *testing.T) {
	t.Parallel()
	tree := build(t, table(21), secret)
	for name, change := range map[string]func(*rows.Opening){
		"dataset":       func(o *rows.Opening) { o.Dataset = "cm" },
		"number":        func(o *rows.Opening) { o.Number++ },
		"a cell":        func(o *rows.Opening) { o.Cells[3] = "Placebo" },
		"a column":      func(o *rows.Opening) { o.Columns[1] = "AGE" },
		"cells swapped": func(o *rows.Opening) { o.Cells[0], o.Cells[1] = o.Cells[1], o.Cells[0] },
		"cells joined":  func(o *rows.Opening) { o.Cells[0], o.Cells[1] = o.Cells[0]+o.Cells[1], "" },
		"salt":          func(o *rows.Opening) { o.Salt[31] ^= 1 },
		"path":          func(o *rows.Opening) { o.Path[0][0] ^= 1 },
		"path cut":      func(o *rows.Opening) { o.Path = o.Path[1:] },
		"path longer":   func(o *rows.Opening) { o.Path = append(o.Path, trial.Digest{}) },
		"half the rows": func(o *rows.Opening) { o.Rows = 10 },
		"one row":       func(o *rows.Opening) { o.Rows, o.Number, o.Path = 1, 1, nil },
	} {
		o, err := tree.Prove(6)
		if err != nil {
			t.Fatal(err)
		}
		back, err := rows.Decode(o.Encode()) // a copy of its own
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Verify(tree.Root()); err != nil {
			t.Fatal(err)
		}
		change(back)
		if err := back.Verify(tree.Root()); err == nil {
			t.Errorf("%s: changed, and still proven", name)
		}
	}
}

// TestSalts: no two rows have one salt, and a row that was corrected has
// another under the same secret.
func TestSalts(t *testing.T) {
	t.Parallel()
	seen := map[trial.Digest]string{}
	add := func(name string, tb *rows.Table, secret rows.Secret) {
		tree := build(t, tb, secret)
		for n := range tree.Rows() {
			o, err := tree.Prove(n + 1)
			if err != nil {
				t.Fatal(err)
			}
			if other, twice := seen[o.Salt]; twice {
				t.Errorf("%s, row %d: the salt of %s", name, n+1, other)
			}
			seen[o.Salt] = name
		}
	}
	same := &rows.Table{Dataset: "ae", Columns: []string{"A"}, Cells: [][]string{{"x"}, {"x"}, {"x"}}}
	add("equal rows", same, secret)
	corrected := *same
	corrected.Cells = [][]string{{"y"}, {"y"}, {"y"}}
	add("corrected", &corrected, secret)
	renamed := *same
	renamed.Dataset = "cm"
	add("another dataset", &renamed, secret)
	add("another secret", same, rows.Secret{1})
}

// TestNoGuessing: knowing all of a row but its arm, and all other rows, does
// not show the arm: every guess has a root of its own, none without the secret
// is the one committed.
func TestNoGuessing(t *testing.T) {
	t.Parallel()
	tb := table(4)
	tb.Cells[2][3] = "Placebo"
	committed := build(t, tb, secret)
	file, _, err := committed.File()
	if err != nil {
		t.Fatal(err)
	}
	tree := build(t, tb, rows.Secret{})
	other, _, err := tree.File()
	if err != nil {
		t.Fatal(err)
	}
	if tree.Root() == committed.Root() || other == file {
		t.Error("the commitment does not depend on the secret")
	}
	if again, _, _ := build(t, table(4), secret).File(); again == file {
		t.Error("another table, one file commitment")
	}
	if s := fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret); strings.Contains(s, hex.EncodeToString(secret[:4])) || strings.Contains(s, "0x") {
		t.Errorf("a secret was printed: %s", s)
	}
}

// TestCanonical: files that hold the same table commit to the same.
func TestCanonical(t *testing.T) {
	t.Parallel()
	var want rows.Table
	for i, file := range []string{
		"USUBJID,A\np,1\np,\"a \"\"b\"\"\"\nq, x\n",
		"\xef\xbb\xbfUSUBJID,A\r\np,1\r\np,\"a \"\"b\"\"\"\r\nq, x\r\n",
		"\"USUBJID\",\"A\"\n\"p\",\"1\"\n\"p\",\"a \"\"b\"\"\"\n\"q\",\" x\"",
	} {
		tb, err := rows.Read("t", strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = *tb
		}
		if build(t, tb, secret).Root() != build(t, &want, secret).Root() || !bytes.Equal(tb.Canonical(), want.Canonical()) {
			t.Errorf("file %d: another commitment", i)
		}
		again, err := rows.Read("t", bytes.NewReader(tb.Canonical()))
		if err != nil || build(t, again, secret).Root() != build(t, &want, secret).Root() {
			t.Errorf("file %d: its canonical form is another table (%v)", i, err)
		}
		if n := tb.Subjects(); n != 2 {
			t.Errorf("file %d: %d subjects", i, n)
		}
	}
	if got := string(want.Canonical()); got != "\"USUBJID\",\"A\"\n\"p\",\"1\"\n\"p\",\"a \"\"b\"\"\"\n\"q\",\" x\"\n" {
		t.Errorf("canonical form: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dataset, file, want string }{
		"empty":         {"ae", "", "empty"},
		"short row":     {"ae", "A,B\n1\n", "wrong number of fields"},
		"open quote":    {"ae", "A\n\"x\n", "quote"},
		"column twice":  {"ae", "A,B,A\n", "columns 1 and 3 are both named A"},
		"unnamed":       {"ae", "A,\n", "column 2"},
		"not UTF-8":     {"ae", "A,B\nx,\xff\n", "row 1: B: not UTF-8"},
		"name":          {"AE/../x", "A\n", "a to z"},
		"no name":       {"", "A\n", "a to z"},
		"huge cell":     {"ae", "A\n" + strings.Repeat("x", rows.MaxCell+1), "at most 65536"},
		"huge":          {"ae", strings.Repeat("x", rows.MaxBytes+1), "more than 33554432 bytes"},
		"many columns":  {"ae", strings.Repeat("A,", 512) + "B\n", "1 to 512"},
		"name too long": {"ae", strings.Repeat("A", 65) + "\n", "column 1"},
	} {
		_, err := rows.Read(c.dataset, strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want an error with %q", name, err, c.want)
		}
	}
	for name, b := range map[string]string{
		"nothing": "", "half": "{", "unknown field": `{"arm":"x"}`, "no cells": `{"dataset":"ae","number":1,"rows":1,"columns":["A"]}`,
		"two objects": `{"dataset":"ae","number":1,"rows":1,"columns":["A"],"cells":["x"],"salt":"` + strings.Repeat("0", 64) + `","path":[]}{}`,
		"row 0":       `{"dataset":"ae","number":0,"rows":1,"columns":["A"],"cells":["x"]}`,
		"salt":        `{"dataset":"ae","number":1,"rows":1,"columns":["A"],"cells":["x"],"salt":"00"}`,
	} {
		if o, err := rows.Decode([]byte(b)); err == nil {
			t.Errorf("%s: was taken: %+v", name, o)
		}
	}
}

// TestVector: the bytes stay.
func TestVector(t *testing.T) {
	t.Parallel()
	tree := build(t, table(5), secret)
	o, err := tree.Prove(4)
	if err != nil {
		t.Fatal(err)
	}
	file, salt, err := tree.File()
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("root %v\nschema %v\nfile %v\nfile salt %x\nrow 4 %x\n", tree.Root(), rows.Schema(o.Columns), file, salt, o.Encode())
	path := filepath.Join("testdata", "vector.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "wire.md"))
	if err != nil {
		t.Fatal(err)
	}
	hexes := strings.ReplaceAll(string(page), "\n", "")
	for line := range strings.Lines(got) {
		words := strings.Fields(line)
		if x := words[len(words)-1]; !strings.Contains(hexes, x) {
			t.Errorf("docs/wire.md lacks %s", x)
		}
	}
}

func BenchmarkBuild10000(b *testing.B) {
	tb := table(10_000)
	b.ReportAllocs()
	for b.Loop() {
		build(b, tb, secret)
	}
}

func BenchmarkVerify(b *testing.B) {
	tree := build(b, table(10_000), secret)
	o, err := tree.Prove(7777)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := o.Verify(tree.Root()); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzDecode: what is read is given back, and never panics.
func FuzzDecode(f *testing.F) {
	tree := build(f, table(5), secret)
	o, err := tree.Prove(2)
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(o.Encode())
	f.Add(text)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := rows.Decode(b)
		if err != nil {
			return
		}
		if got.Verify(tree.Root()) == nil && !slices.Contains([]string{"01-0000", "01-0001"}, got.Cells[0]) {
			t.Errorf("a row of nobody was proven: %+v", got)
		}
		if b[0] != '{' && !bytes.Equal(got.Encode(), b) {
			t.Errorf("%x comes back as %x", b, got.Encode())
		}
	})
}
