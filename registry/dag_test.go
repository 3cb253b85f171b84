package registry

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/trialith/trialith/trial"
)

// TestKnownCIDs holds the hashing to CIDs that every IPFS implementation knows.
func TestKnownCIDs(t *testing.T) {
	t.Parallel()
	d := &dag{known: map[trial.CID][]byte{}}
	for _, c := range []struct {
		what string
		got  trial.CID
		want string
	}{
		{"an empty file", d.file(nil).cid, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
		{"hello world", d.file([]byte("hello world")).cid, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"},
		{"an empty directory", d.directory(nil, "").cid, "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%s: %v; want %s", c.what, c.got, c.want)
		}
	}
}

func sample() []File {
	return []File{
		{"a/b/deep.txt", []byte("deep")},
		{"a-b.txt", []byte("sorts before a/ as a path")},
		{"a/c.txt", []byte("c")},
		{"big.bin", bytes.Repeat([]byte("0123456789abcdef"), 3*chunkSize/16+1)},
		{"empty.txt", nil},
		{"twin.txt", []byte("c")},
	}
}

func TestRootIgnoresOrder(t *testing.T) {
	t.Parallel()
	files := sample()
	want, err := CIDOf(files)
	if err != nil {
		t.Fatal(err)
	}
	files[0], files[3] = files[3], files[0]
	if got, err := CIDOf(files); err != nil || got != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	files[0].Data = append([]byte("x"), files[0].Data...)
	if got, _ := CIDOf(files); got == want {
		t.Error("another byte, the same CID")
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	many := make([]File, MaxFiles+1)
	for name, files := range map[string][]File{
		"none":        nil,
		"too many":    many,
		"dots":        {{"../a", nil}},
		"absolute":    {{"/a", nil}},
		"hidden":      {{"a/.b", nil}},
		"upper":       {{"A", nil}},
		"space":       {{"a b", nil}},
		"twice":       {{"a", nil}, {"a", nil}},
		"file as dir": {{"a", nil}, {"a/b", nil}},
		"deep":        {{strings.Repeat("a/", maxDepth) + "a", nil}},
		"long":        {{strings.Repeat("a", maxPath+1), nil}},
	} {
		if _, err := CIDOf(files); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestArchiveRoundTrip(t *testing.T) {
	t.Parallel()
	b, root, err := CAR(sample())
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := CAR(sample())
	if !bytes.Equal(b, again) {
		t.Error("two archives of one package differ")
	}
	a, err := DecodeCAR(b)
	if err != nil {
		t.Fatal(err)
	}
	files, err := a.Files()
	if err != nil || a.Root() != root {
		t.Fatal(a.Root(), err)
	}
	if got, err := CIDOf(files); err != nil || got != root || len(files) != len(sample()) {
		t.Errorf("%d files make %v, %v; want %v", len(files), got, err, root)
	}
}

// blocksOf are the blocks of an archive, to be written in other ways.
func blocksOf(t *testing.T) (trial.CID, []Block) {
	t.Helper()
	root, blocks, err := Root(sample())
	if err != nil {
		t.Fatal(err)
	}
	return root, blocks
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	root, blocks := blocksOf(t)
	good := EncodeCAR(root, blocks)
	stray := Block{CID: cidOf(codecRaw, []byte("stray")), Data: []byte("stray")}
	swapped := append([]Block{}, blocks...)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	forged := append([]Block{}, blocks...)
	forged[1].Data = append([]byte("x"), forged[1].Data...)
	identity := append([]byte{}, good...)
	copy(identity[bytes.Index(identity, root[:]):], []byte{1, codecRaw, 0, 32})
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":          {nil, "CAR"},
		"cut off":        {good[:len(good)-1], "cut off"},
		"trailing":       {append(bytes.Clone(good), 0), "cut off"},
		"missing block":  {EncodeCAR(root, blocks[:len(blocks)-1]), "missing"},
		"no block":       {EncodeCAR(root, nil), "missing"},
		"stray block":    {EncodeCAR(root, append(clone(blocks), stray)), "belongs to no file"},
		"twice":          {EncodeCAR(root, append(clone(blocks), blocks[1])), "twice"},
		"other order":    {EncodeCAR(root, swapped), "order"},
		"forged":         {EncodeCAR(root, forged), "hash"},
		"other root":     {EncodeCAR(stray.CID, blocks), "missing"},
		"identity hash":  {identity, "CIDv1"},
		"root of a file": {EncodeCAR(stray.CID, []Block{stray}), ""},
		"long varint":    {append([]byte{0xba, 0x80, 0x00}, good[1:]...), "CAR"},
	} {
		if _, err := DecodeCAR(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func clone(b []Block) []Block { return append([]Block{}, b...) }

// TestBombs: a few blocks that stand for files without end, or bytes without
// end, are refused before they are laid out.
func TestBombs(t *testing.T) {
	t.Parallel()
	d := &dag{known: map[trial.CID][]byte{}}
	chunk := d.put(codecRaw, make([]byte, chunkSize), nil)
	var chunks []node
	content := varintField([]byte{0x08, typeFile}, 3, 100*chunkSize)
	for range 100 {
		chunks = append(chunks, chunk)
		content = varintField(content, 4, chunkSize)
	}
	long := d.put(codecNode, encodeNode(chunks, content), chunks)
	long.name = "long"
	fat := d.put(codecNode, encodeNode([]node{long}, []byte{0x08, typeDirectory}), []node{long})
	below := d.put(codecNode, encodeNode(nil, []byte{0x08, typeDirectory}), nil)
	for range maxDepth - 1 {
		var many []node
		for i := range 100 {
			below.name = string(binary.BigEndian.AppendUint16(nil, uint16(i)))
			many = append(many, below)
		}
		below = d.put(codecNode, encodeNode(many, []byte{0x08, typeDirectory}), many)
	}
	for name, root := range map[string]trial.CID{"bytes": fat.cid, "directories": below.cid} {
		var list []Block
		for c, data := range d.known {
			list = append(list, Block{c, data})
		}
		a := &Archive{root: root, at: d.known}
		if _, err := a.Files(); err == nil || !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Assemble(root, list); err == nil {
			t.Errorf("%s: assembled", name)
		}
	}
}

// TestOtherLayouts: the same files under another layout have another CID, and
// are refused.
func TestOtherLayouts(t *testing.T) {
	t.Parallel()
	d := &dag{known: map[trial.CID][]byte{}}
	leaf := d.file([]byte("x"))
	for name, c := range map[string]struct {
		children []string
		data     []byte
	}{
		"unsorted":      {[]string{"b", "a"}, []byte{0x08, typeDirectory}},
		"named twice":   {[]string{"a", "a"}, []byte{0x08, typeDirectory}},
		"dots":          {[]string{".."}, []byte{0x08, typeDirectory}},
		"symlink":       {[]string{"a"}, []byte{0x08, 4}},
		"sharded":       {[]string{"a"}, []byte{0x08, 5}},
		"with a mode":   {[]string{"a"}, []byte{0x08, typeDirectory, 0x38, 1}},
		"no data":       {[]string{"a"}, nil},
		"a file's type": {[]string{"a"}, []byte{0x08, typeFile}},
	} {
		var children []node
		for _, n := range c.children {
			leaf.name = n
			children = append(children, leaf)
		}
		top := d.put(codecNode, encodeNode(children, c.data), children)
		list := []Block{{top.cid, d.known[top.cid]}, {leaf.cid, d.known[leaf.cid]}}
		if _, err := Assemble(top.cid, list); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzDecodeCAR(f *testing.F) {
	b, _, err := CAR([]File{{"a/b.txt", []byte("b")}, {"c.txt", []byte("c")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeCAR(b)
		if err != nil {
			return
		}
		if !bytes.Equal(EncodeCAR(a.Root(), a.Blocks()), b) {
			t.Error("accepted another encoding")
		}
	})
}
