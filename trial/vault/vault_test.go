package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/vault"
)

var study = trial.ID{7}

func ref(person, id string) vault.Ref {
	return vault.Ref{Trial: study, Person: person, Kind: "report", ID: id}
}

// fixture is a vault and where it lies.
type fixture struct {
	*vault.Vault
	dir, key string
}

func open(t testing.TB) fixture {
	t.Helper()
	base := t.TempDir()
	f := fixture{dir: filepath.Join(base, "vault"), key: filepath.Join(base, "keys", "vault.key")}
	f.Vault = f.again(t)
	return f
}

// again opens the same vault as a process that starts.
func (f fixture) again(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.Open(f.dir, f.key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f fixture) put(t testing.TB, r vault.Ref, content string) vault.Record {
	t.Helper()
	got, err := f.Put(r, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// files lists what lies in the vault, relative to it.
func (f fixture) files(t testing.TB) (out []string) {
	t.Helper()
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestKeepAndRead(t *testing.T) {
	t.Parallel()
	f := open(t)
	kept := f.put(t, ref("01-701-1015", "AE/1"), "APPLICATION SITE ERYTHEMA")
	for name, v := range map[string]*vault.Vault{"the same": f.Vault, "opened again": f.again(t)} {
		r, err := v.Get(ref("01-701-1015", "AE/1"))
		if err != nil || string(r.Content) != "APPLICATION SITE ERYTHEMA" || r.Commitment() != kept.Commitment() {
			t.Errorf("%s: %q, %v", name, r.Content, err)
		}
		if _, err := v.Get(ref("01-701-1015", "AE/2")); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: another id: %v", name, err)
		}
		if _, err := v.Get(ref("01-701-1016", "AE/1")); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: another person: %v", name, err)
		}
	}
}

// TestCommitment: equal content of two people commits to different things, the
// same content kept again to the same.
func TestCommitment(t *testing.T) {
	t.Parallel()
	f := open(t)
	a := f.put(t, ref("p", "1"), "HEADACHE")
	if b := f.put(t, ref("p", "1"), "HEADACHE"); b.Commitment() != a.Commitment() || b.Salt != a.Salt {
		t.Error("kept again, it has another salt")
	}
	for _, other := range []vault.Ref{ref("p", "2"), ref("q", "1"), {Trial: trial.ID{8}, Person: "p", Kind: "report", ID: "1"}} {
		if f.put(t, other, "HEADACHE").Commitment() == a.Commitment() {
			t.Errorf("%v: equal content shows in the commitment", other)
		}
	}
	if _, err := f.Put(ref("p", "1"), []byte("MIGRAINE")); !errors.Is(err, vault.ErrExists) {
		t.Errorf("a record was overwritten: %v", err)
	}
	r, err := f.Get(ref("p", "1"))
	if err != nil || string(r.Content) != "HEADACHE" {
		t.Errorf("after the refusal: %q, %v", r.Content, err)
	}
	if a.Commitment() == (vault.Record{Ref: vault.Ref{Kind: "reason"}, Salt: a.Salt, Content: a.Content}).Commitment() {
		t.Error("two kinds, one commitment")
	}
}

// TestDestroy: after it nothing of the person can be read, in this process or
// any later one, and nothing can be kept; others lose nothing.
func TestDestroy(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put(t, ref("p", "1"), "HEADACHE")
	f.put(t, ref("q", "1"), "NAUSEA")
	if err := f.DestroyKey(study, "p"); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]*vault.Vault{"the same": f.Vault, "opened again": f.again(t)} {
		if _, err := v.Get(ref("p", "1")); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("%s: Get: %v", name, err)
		}
		if _, err := v.Put(ref("p", "2"), []byte("x")); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("%s: Put: %v", name, err)
		}
		if _, err := v.List(study, "p"); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("%s: List: %v", name, err)
		}
		if r, err := v.Get(ref("q", "1")); err != nil || string(r.Content) != "NAUSEA" {
			t.Errorf("%s: another person: %v", name, err)
		}
		if err := v.DestroyKey(study, "p"); err != nil {
			t.Errorf("%s: again: %v", name, err)
		}
	}
	keys := 0
	for _, path := range f.files(t) {
		if filepath.Base(path) == "key" {
			keys++
		}
	}
	if keys != 1 {
		t.Errorf("%d wrapped keys left, want that of the other person", keys)
	}
	if err := f.DestroyKey(study, "nobody yet"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Put(ref("nobody yet", "1"), nil); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("who asked before anything was kept: %v", err)
	}
}

// TestDestroyInterrupted: stopped between the mark and the key's removal, the
// key goes when the vault is opened, and is of no use before.
func TestDestroyInterrupted(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put(t, ref("p", "1"), "HEADACHE")
	var key string
	for _, path := range f.files(t) {
		if filepath.Base(path) == "key" {
			key = path
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(key), "destroyed"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ref("p", "1")); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("before: %v", err)
	}
	f.again(t)
	if _, err := os.Stat(key); !os.IsNotExist(err) {
		t.Errorf("the wrapped key is still there: %v", err)
	}
}

// TestLeftOvers: a file that was half written when the process stopped is no
// record, and goes.
func TestLeftOvers(t *testing.T) {
	t.Parallel()
	f := open(t)
	half := filepath.Join(f.dir, "tmp", "new-1")
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := f.again(t)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := v.Put(ref("p", "1"), []byte("x")); err != nil {
		t.Error(err)
	}
}

// TestOnDisk: neither content nor names stand in the files or their names, and
// nobody else may read them.
func TestOnDisk(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put(t, ref("01-701-1015", "AE/1"), strings.Repeat("ERYTHEMA ", 20))
	secret, err := os.ReadFile(f.key)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(f.files(t), f.key) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", path, info.Mode())
		}
		if path == f.key {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"ERYTHEMA", "01-701", "AE/1", "report", string(secret[:64])} {
			if bytes.Contains(b, []byte(word)) || strings.Contains(path[len(f.dir):], word) {
				t.Errorf("%s shows %q", path, word)
			}
		}
	}
}

// TestAlteredFiles: each byte of each file counts; a file taken for another
// person's, another record's or another trial's is none.
func TestAlteredFiles(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.put(t, ref("p", "1"), "HEADACHE")
	f.put(t, ref("p", "2"), "NAUSEA")
	f.put(t, ref("q", "1"), "VERTIGO")
	read := func(path string, change func([]byte) []byte) error {
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(bytes.Clone(was)), 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(path, was, 0o600)
		v, err := vault.Open(f.dir, f.key)
		if err != nil {
			return err
		}
		for _, r := range []vault.Ref{ref("p", "1"), ref("p", "2"), ref("q", "1")} {
			if _, err := v.Get(r); err != nil {
				return err
			}
		}
		return nil
	}
	files := f.files(t)
	for _, path := range files {
		if err := read(path, func(b []byte) []byte { return b }); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func([]byte) []byte{
			"first byte": func(b []byte) []byte { b[0] ^= 1; return b },
			"last byte":  func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"cut":        func(b []byte) []byte { return b[:len(b)-1] },
			"longer":     func(b []byte) []byte { return append(b, 0) },
			"empty":      func([]byte) []byte { return nil },
		} {
			if read(path, change) == nil {
				t.Errorf("%s: %s: was taken", filepath.Base(path), name)
			}
		}
		for _, other := range files {
			if other == path {
				continue
			}
			b, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			if read(path, func([]byte) []byte { return b }) == nil {
				t.Errorf("%s in the place of %s was taken", other, path)
			}
		}
	}
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	refused := func(what, want string, change func(f fixture) fixture) {
		t.Helper()
		f := open(t)
		f.put(t, ref("p", "1"), "HEADACHE")
		f = change(f)
		_, err := vault.Open(f.dir, f.key)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want an error with %q", what, err, want)
		}
	}
	refused("missing", "is missing; restore it", func(f fixture) fixture { os.Remove(f.key); return f })
	refused("readable by others", "chmod 600", func(f fixture) fixture { os.Chmod(f.key, 0o640); return f })
	refused("of another vault", "another vault's key", func(f fixture) fixture { f.key = open(t).key; return f })
	refused("not hexadecimal", "64 lower-case", func(f fixture) fixture { os.WriteFile(f.key, bytes.Repeat([]byte("x"), 65), 0o600); return f })
	refused("empty", "64 lower-case", func(f fixture) fixture { os.WriteFile(f.key, nil, 0o600); return f })
	refused("huge", "not a file of 64", func(f fixture) fixture { os.WriteFile(f.key, make([]byte, 1<<20), 0o600); return f })
	refused("a directory", "not a file of 64", func(f fixture) fixture { os.Remove(f.key); os.Mkdir(f.key, 0o700); return f })
	refused("inside", "lies in the vault", func(f fixture) fixture { f.key = filepath.Join(f.dir, "x", "..", "key"); return f })
}

// TestHostileNames: no name leads out of the vault or to another's records.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	f := open(t)
	before := around(t, f)
	names := []string{"../x", "/etc/passwd", "a/b", "..", ".", "key", "destroyed", "vault", "tmp", "con", "a\x00b", strings.Repeat("é", 128)}
	for i, person := range names {
		for _, id := range names {
			f.put(t, vault.Ref{Trial: study, Person: person, Kind: "k", ID: id}, fmt.Sprint(i, id))
		}
	}
	for i, person := range names {
		refs, err := f.List(study, person)
		if err != nil || len(refs) != len(names) {
			t.Fatalf("%q: %d records, %v", person, len(refs), err)
		}
		for _, r := range refs {
			got, err := f.Get(r)
			if err != nil || string(got.Content) != fmt.Sprint(i, r.ID) {
				t.Errorf("%q %q: %q, %v", person, r.ID, got.Content, err)
			}
		}
	}
	if got := around(t, f); got != before {
		t.Errorf("beside the vault lies %s, before %s", got, before)
	}
	for _, bad := range []string{"", strings.Repeat("x", 257), "\xff"} {
		if _, err := f.Put(ref(bad, "1"), nil); err == nil {
			t.Errorf("person %.10q: was taken", bad)
		}
		if _, err := f.Get(ref("p", bad)); err == nil || errors.Is(err, vault.ErrNotFound) {
			t.Errorf("id %.10q: %v", bad, err)
		}
		if err := f.DestroyKey(study, bad); err == nil {
			t.Errorf("destroy %.10q: was taken", bad)
		}
		if _, err := f.List(study, bad); err == nil {
			t.Errorf("list %.10q: was taken", bad)
		}
	}
	if _, err := f.Put(ref("p", "big"), make([]byte, vault.MaxContent+1)); err == nil {
		t.Error("more than the limit was taken")
	}
}

func around(t *testing.T, f fixture) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(f.dir))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(entries)
}

// TestQuiet: neither a record nor an error prints what is kept.
func TestQuiet(t *testing.T) {
	t.Parallel()
	f := open(t)
	r := f.put(t, ref("01-701-1015", "1"), "HEADACHE")
	_, missing := f.Get(ref("01-701-1015", "2"))
	_, exists := f.Put(ref("01-701-1015", "1"), []byte("MIGRAINE"))
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s", r, r, r, r), missing.Error(), exists.Error()} {
		for _, word := range []string{"HEADACHE", "MIGRAINE", "01-701-1015", strings.Trim(fmt.Sprint([]int{int(r.Salt[0]), int(r.Salt[1]), int(r.Salt[2])}), "[]")} {
			if strings.Contains(s, word) {
				t.Errorf("%q stands in %q", word, s)
			}
		}
	}
}

// TestPutAll: many at once are kept as one by one, repeated or not.
func TestPutAll(t *testing.T) {
	t.Parallel()
	f := open(t)
	was := f.put(t, ref("p", "1"), "1")
	items := []vault.Item{
		{Ref: ref("p", "1"), Content: []byte("1")},
		{Ref: ref("p", "2"), Content: []byte("2")},
		{Ref: ref("q", "1"), Content: []byte("3")},
		{Ref: ref("p", "2"), Content: []byte("2")},
	}
	kept, err := f.PutAll(items)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.again(t).PutAll(items)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range kept {
		got, err := f.Get(items[i].Ref)
		if err != nil || !bytes.Equal(got.Content, items[i].Content) || got.Commitment() != r.Commitment() || again[i].Commitment() != r.Commitment() {
			t.Errorf("item %d: %v", i, err)
		}
	}
	if kept[0].Commitment() != was.Commitment() || kept[1].Commitment() != kept[3].Commitment() {
		t.Error("an item that was kept before has another commitment")
	}
	for name, bad := range map[string][]vault.Item{
		"another content":       {{Ref: ref("r", "1")}, {Ref: ref("p", "1"), Content: []byte("other")}},
		"two contents, one ref": {{Ref: ref("r", "2"), Content: []byte("1")}, {Ref: ref("r", "2"), Content: []byte("2")}},
	} {
		if _, err := f.PutAll(bad); !errors.Is(err, vault.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := f.Get(bad[0].Ref); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s: the first was kept: %v", name, err)
		}
	}
	if _, err := f.PutAll(nil); err != nil {
		t.Error(err)
	}
}

// TestTogether: many at once, on the same people and the same records.
func TestTogether(t *testing.T) {
	t.Parallel()
	f := open(t)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 12 {
				r := ref(fmt.Sprint("p", i%3), fmt.Sprint(i))
				if _, err := f.Put(r, []byte(r.ID)); err != nil {
					t.Errorf("worker %d: %v", w, err)
				}
				if got, err := f.Get(r); err != nil || string(got.Content) != r.ID {
					t.Errorf("worker %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	for p := range 3 {
		if refs, err := f.List(study, fmt.Sprint("p", p)); err != nil || len(refs) != 4 {
			t.Errorf("p%d: %d records, %v", p, len(refs), err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	f := open(b)
	i := 0
	for b.Loop() {
		i++
		f.put(b, ref(fmt.Sprint("p", i%254), fmt.Sprint(i)), "APPLICATION SITE ERYTHEMA")
	}
}

func BenchmarkPutAll1191(b *testing.B) {
	items := make([]vault.Item, 1191)
	for i := range items {
		items[i] = vault.Item{Ref: ref(fmt.Sprint("p", i%225), fmt.Sprint(i)), Content: []byte("APPLICATION SITE ERYTHEMA")}
	}
	for b.Loop() {
		b.StopTimer()
		f := open(b)
		b.StartTimer()
		if _, err := f.PutAll(items); err != nil {
			b.Fatal(err)
		}
	}
}
