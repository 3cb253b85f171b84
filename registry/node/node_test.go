package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/boxo/ipld/merkledag"
	dagtest "github.com/ipfs/boxo/ipld/merkledag/test"
	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/go-cid"
	car "github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"
	mh "github.com/multiformats/go-multihash"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/registry/analysis"
	"github.com/trialith/trialith/trial"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func open(t testing.TB, dir string) *Node {
	t.Helper()
	n, err := Open(t.Context(), Config{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fresh(t testing.TB) *Node {
	t.Helper()
	n := open(t, t.TempDir())
	t.Cleanup(func() { shut(t, n) })
	return n
}

func shut(t testing.TB, n *Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// results is a small package; what distinguishes it goes into its summary.
func results(t testing.TB, summary string) []registry.File {
	t.Helper()
	arms := []string{"Placebo", "High"}
	p, err := registry.Build(registry.Input{
		Trial: trial.ID{1}, Version: 1, Cut: 16000, Staged: 16010, License: registry.License{URL: "https://example.org/licence", Name: "Open"},
		Protocol:     trial.Protocol{Title: "A trial", Outcomes: []trial.Outcome{{ID: "o1", Level: trial.Primary, Name: "Score"}}},
		AnalysisPlan: "Count.", Summary: summary, Arms: []registry.Arm{{Name: "Placebo", Participants: 1}, {Name: "High", Participants: 1}},
		Events: analysis.EventsByArm(arms, nil, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Files
}

// TestSameCIDs: the library of IPFS nodes and our own layout find the same CIDs,
// on trees of every shape that a package may have.
func TestSameCIDs(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 100, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 + 5}
	trees := [][]registry.File{
		{{Path: "a", Data: nil}},
		{{Path: "a-b", Data: nil}, {Path: "a/b", Data: []byte("x")}, {Path: "a.b", Data: []byte("x")}, {Path: "a0", Data: nil}},
	}
	for range 20 {
		var files []registry.File
		for i := range 1 + r.IntN(40) {
			data := make([]byte, sizes[min(r.IntN(30), len(sizes)-1)%len(sizes)])
			for j := range data {
				data[j] = byte(j >> 12 * r.IntN(2))
			}
			files = append(files, registry.File{Path: strings.Repeat("d/", r.IntN(4)) + fmt.Sprintf("f%d", i), Data: data[:r.IntN(len(data)+1)]})
		}
		trees = append(trees, files)
	}
	var wide []registry.File
	for i := range registry.MaxFiles {
		wide = append(wide, registry.File{Path: fmt.Sprintf("%s%04d", strings.Repeat("x", 190), i), Data: []byte{byte(i)}})
	}
	trees = append(trees, wide)
	for i, files := range trees {
		nd, err := lay(t.Context(), dagtest.Mock(), files)
		if err != nil {
			t.Fatal(err)
		}
		want, err := registry.CIDOf(files)
		if err != nil {
			t.Fatal(err)
		}
		if got := nd.Cid().String(); got != want.String() {
			t.Errorf("tree %d of %d files: the library finds %s, the registry %v", i, len(files), got, want)
		}
	}
}

func TestImportReadExport(t *testing.T) {
	t.Parallel()
	n, files := fresh(t), results(t, "Found.")
	root, err := n.Import(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	want, err := registry.CIDOf(files)
	if err != nil || root != want {
		t.Fatalf("%v; want %v (%v)", root, want, err)
	}
	if again, err := n.Import(t.Context(), files); err != nil || again != root {
		t.Errorf("a second import: %v, %v", again, err)
	}
	back, err := n.Files(t.Context(), root)
	if err != nil || len(back) != len(files) {
		t.Fatal(len(back), err)
	}
	for i := range files {
		if back[i].Path != files[i].Path || !bytes.Equal(back[i].Data, files[i].Data) {
			t.Errorf("%s differs", files[i].Path)
		}
	}
	var out bytes.Buffer
	if err := n.Export(t.Context(), root, &out); err != nil {
		t.Fatal(err)
	}
	made, _, err := registry.CAR(files)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), made) {
		t.Error("the library's archive and our own differ")
	}
	custodian := fresh(t)
	got, err := custodian.ImportCAR(t.Context(), bytes.NewReader(out.Bytes()))
	if err != nil || got != root {
		t.Fatal(got, err)
	}
	if held, err := custodian.Held(t.Context(), root); err != nil || !held {
		t.Errorf("held: %v, %v", held, err)
	}
	var copied bytes.Buffer
	if err := custodian.Export(t.Context(), root, &copied); err != nil || !bytes.Equal(copied.Bytes(), made) {
		t.Error("a custodian's archive differs", err)
	}
}

// TestPersonsAreRefused: nothing of a refused package reaches the store.
func TestPersonsAreRefused(t *testing.T) {
	t.Parallel()
	n := fresh(t)
	files := append(results(t, "Found."), registry.File{Path: "tables/dm.csv", Data: []byte("USUBJID\r\n01-701-1015\r\n")})
	if _, err := n.Import(t.Context(), files); err == nil || !strings.Contains(err.Error(), "person") {
		t.Errorf("files: %v", err)
	}
	b, root, err := registry.CAR(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.ImportCAR(t.Context(), bytes.NewReader(b)); err == nil || !strings.Contains(err.Error(), "person") {
		t.Errorf("archive: %v", err)
	}
	wantNothing(t, n, root)
}

// wantNothing holds that neither pin nor block of a package is there.
func wantNothing(t *testing.T, n *Node, root trial.CID) {
	t.Helper()
	if pins, err := n.Pins(t.Context()); err != nil || len(pins) > 0 {
		t.Errorf("pins %v, %v", pins, err)
	}
	if has, err := n.blocks.Has(t.Context(), toCID(root)); err != nil || has {
		t.Errorf("the root is stored: %v, %v", has, err)
	}
}

// carOf writes any blocks as an archive, by the library.
func carOf(t *testing.T, root cid.Cid, list map[cid.Cid][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := storage.NewWritable(&b, []cid.Cid{root}, car.WriteAsCarV1(true), car.StoreIdentityCIDs(true), car.AllowDuplicatePuts(true))
	if err != nil {
		t.Fatal(err)
	}
	for c, data := range list {
		if err := w.Put(t.Context(), c.KeyString(), data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finalize(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	n := fresh(t)
	files := results(t, "Found.")
	good, root, err := registry.CAR(files)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(code uint64, data []byte) mh.Multihash {
		h, err := mh.Sum(data, code, -1)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	identity := cid.NewCidV1(cid.Raw, sum(mh.IDENTITY, []byte("x")))
	sha1 := cid.NewCidV1(cid.Raw, sum(mh.SHA1, []byte("x")))
	v0 := merkledag.NodeWithData([]byte{0x08, 0x01})
	forged := bytes.Clone(good)
	forged[len(forged)-1] ^= 1
	two := &bytes.Buffer{}
	w, err := storage.NewWritable(two, []cid.Cid{toCID(root), toCID(root)}, car.WriteAsCarV1(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Finalize(); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 2<<20+1)
	bigCID := cid.NewCidV1(cid.Raw, sum(mh.SHA2_256, big))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":       {nil, ""},
		"no archive":    {[]byte("hello"), ""},
		"huge header":   {[]byte{0xff, 0xff, 0xff, 0xff, 0x7f}, ""},
		"cut off":       {good[:len(good)-5], ""},
		"incomplete":    {good[:len(good)-lastSection(t, files)], "missing"},
		"forged":        {forged, "integrity"},
		"trailing":      {append(bytes.Clone(good), 1, 2), ""},
		"two roots":     {two.Bytes(), "roots"},
		"identity hash": {carOf(t, identity, map[cid.Cid][]byte{identity: []byte("x")}), "only CIDv1"},
		"SHA-1":         {carOf(t, sha1, map[cid.Cid][]byte{sha1: []byte("x")}), "only CIDv1"},
		"CIDv0":         {carOf(t, v0.Cid(), map[cid.Cid][]byte{v0.Cid(): v0.RawData()}), "only CIDv1"},
		"a huge block":  {carOf(t, bigCID, map[cid.Cid][]byte{bigCID: big}), ""},
	} {
		if _, err := n.ImportCAR(t.Context(), bytes.NewReader(c.b)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	wantNothing(t, n, root)
}

// lastSection is how many bytes the last block takes in an archive.
func lastSection(t *testing.T, files []registry.File) int {
	t.Helper()
	root, list, err := registry.Root(files)
	if err != nil {
		t.Fatal(err)
	}
	return len(registry.EncodeCAR(root, list)) - len(registry.EncodeCAR(root, list[:len(list)-1]))
}

// TestCrash: after a crash between import and pin the blocks are there and
// nobody holds or sees them; said again, the import completes.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir, files := t.TempDir(), results(t, "Found.")
	n := open(t, dir)
	root, list, err := registry.Root(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.put(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	shut(t, n) // nothing after the blocks was done
	n = open(t, dir)
	if held, err := n.Held(t.Context(), root); err != nil || held {
		t.Errorf("held: %v, %v", held, err)
	}
	if _, err := n.Publish(t.Context(), trial.ID{1}, root); err == nil {
		t.Error("published what no pin holds")
	}
	if got, err := n.Import(t.Context(), files); err != nil || got != root {
		t.Fatal(got, err)
	}
	shut(t, n) // pinned, not published
	n = open(t, dir)
	if _, found, err := n.Resolve(t.Context(), trial.ID{1}); err != nil || found {
		t.Errorf("resolved: %v, %v", found, err)
	}
	if _, err := n.Publish(t.Context(), trial.ID{1}, root); err != nil {
		t.Fatal(err)
	}
	shut(t, n)
	n = open(t, dir)
	defer shut(t, n)
	if r, found, err := n.Resolve(t.Context(), trial.ID{1}); err != nil || !found || r.Root != root {
		t.Errorf("%+v, %v, %v", r, found, err)
	}
}

// TestReadBack: a block that the store lost is told, not left out.
func TestReadBack(t *testing.T) {
	t.Parallel()
	n, files := fresh(t), results(t, "Found.")
	root, err := n.Import(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	_, list, err := registry.Root(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.blocks.DeleteBlock(t.Context(), toCID(list[len(list)-1].CID)); err != nil {
		t.Fatal(err)
	}
	if err := n.Export(t.Context(), root, &bytes.Buffer{}); err == nil {
		t.Error("exported without a block")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	n, err := Open(t.Context(), Config{Dir: dir, Key: key, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, n)
	id := trial.ID{1}
	var last Release
	for i, summary := range []string{"First.", "Corrected."} {
		root, err := n.Import(t.Context(), results(t, summary))
		if err != nil {
			t.Fatal(err)
		}
		if last, err = n.Publish(t.Context(), id, root); err != nil {
			t.Fatal(err)
		}
		if again, err := n.Publish(t.Context(), id, root); err != nil || again.Sequence != last.Sequence {
			t.Errorf("said again: %+v, %v", again, err)
		}
		wantRecord(t, n, id, last, uint64(i+1))
	}
	if len(last.Earlier) != 1 {
		t.Errorf("earlier: %v", last.Earlier)
	}
	if renewed, err := n.Renew(t.Context()); err != nil || renewed != 0 {
		t.Errorf("renewed %d, %v", renewed, err)
	}
	now = now.Add(recordLife - recordRenew/2)
	if renewed, err := n.Renew(t.Context()); err != nil || renewed != 1 {
		t.Errorf("renewed %d, %v", renewed, err)
	}
	r, _, err := n.Resolve(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	wantRecord(t, n, id, r, 3)
	other, err := n.Name(trial.ID{2})
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := n.Name(id); err != nil || mine == other {
		t.Errorf("two trials, one name: %s, %v", mine, err)
	}
}

// wantRecord checks a record as any IPFS node does: by its name alone.
func wantRecord(t *testing.T, n *Node, id trial.ID, r Release, sequence uint64) {
	t.Helper()
	name, err := n.ipnsName(id)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := ipns.UnmarshalRecord(r.Record)
	if err != nil {
		t.Fatal(err)
	}
	if err := ipns.ValidateWithName(rec, name); err != nil {
		t.Error(err)
	}
	value, err := rec.Value()
	if err != nil || value.String() != "/ipfs/"+r.Root.String() {
		t.Errorf("%v, %v", value, err)
	}
	if got, err := rec.Sequence(); err != nil || got != sequence {
		t.Errorf("sequence %d, %v; want %d", got, err, sequence)
	}
	of, err := rec.Metadata("trial")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := of.AsString(); err != nil || s != id.String() {
		t.Errorf("%s, %v", s, err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Config{"dir": {Key: key}, "key": {Dir: t.TempDir(), Key: key[:10]}} {
		if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), Config{Dir: file, Key: key}); err == nil {
		t.Error("a file was opened as a store")
	}
}
