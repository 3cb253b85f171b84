package registry

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/trialith/trialith/trial"
)

// A content-addressable archive as this registry writes it: CAR version 1, one
// root, every block of its DAG once, depth first in the order of the links,
// nothing else. One package has one such archive.

// maxBlock bounds one block: a chunk, or the links of a file or directory.
const maxBlock = chunkSize + 1024

// MaxCAR bounds an archive in bytes.
const MaxCAR = MaxPackage + 4<<20

// MaxBlocks bounds how many blocks an archive has.
const MaxBlocks = 4 * MaxFiles

// CAR is the archive of a directory of files, and its root.
func CAR(files []File) ([]byte, trial.CID, error) {
	root, blocks, err := Root(files)
	if err != nil {
		return nil, trial.CID{}, err
	}
	return EncodeCAR(root, blocks), root, nil
}

// EncodeCAR writes an archive of blocks in their order.
func EncodeCAR(root trial.CID, blocks []Block) []byte {
	b := section(nil, carHeader(root))
	for _, k := range blocks {
		b = section(b, k.CID[:], k.Data)
	}
	return b
}

func section(b []byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b = appendVarint(b, uint64(n))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// carHeader is {"roots": [root], "version": 1} in DAG-CBOR.
func carHeader(root trial.CID) []byte {
	b := []byte("\xa2\x65roots\x81\xd8\x2a\x58")
	b = append(b, byte(len(root)+1), 0)
	b = append(b, root[:]...)
	return append(b, "\x67version\x01"...)
}

// Archive is a whole DAG that was read from an archive, every block re-hashed.
type Archive struct {
	root   trial.CID
	blocks []Block
	at     map[trial.CID][]byte
	seen   map[trial.CID]bool
}

// Root is the CID of the whole.
func (a *Archive) Root() trial.CID { return a.root }

// Blocks are the blocks, depth first from the root.
func (a *Archive) Blocks() []Block { return a.blocks }

var errCAR = errors.New("no archive (CAR version 1) with one root")

// DecodeCAR reads an archive that EncodeCAR could have written. The bytes may
// be hostile: each block is re-hashed; a block that is missing, that stands
// twice, in another order or belongs to no file is refused.
func DecodeCAR(b []byte) (*Archive, error) {
	if len(b) > MaxCAR {
		return nil, fmt.Errorf("archive: %d bytes; at most %d", len(b), MaxCAR)
	}
	root, rest, err := takeHeader(b)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	var blocks []Block
	for len(rest) > 0 {
		var k Block
		if k, rest, err = takeBlock(rest); err != nil {
			return nil, fmt.Errorf("archive: block %d: %w", len(blocks), err)
		}
		if blocks = append(blocks, k); len(blocks) > MaxBlocks {
			return nil, fmt.Errorf("archive: more than %d blocks", MaxBlocks)
		}
	}
	a, err := Assemble(root, blocks)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(EncodeCAR(root, a.blocks), b) {
		return nil, errors.New("archive: its blocks are not in their order, depth first from the root")
	}
	return a, nil
}

// Assemble makes a whole of blocks in any order. Each is re-hashed. A block that
// is missing, stands twice or belongs to no file is refused, as is a DAG that is
// not the profile's of its files.
func Assemble(root trial.CID, blocks []Block) (*Archive, error) {
	a := &Archive{root: root, at: map[trial.CID][]byte{}}
	if len(blocks) > MaxBlocks {
		return nil, fmt.Errorf("archive: %d blocks; at most %d", len(blocks), MaxBlocks)
	}
	for _, k := range blocks {
		if err := a.add(k); err != nil {
			return nil, fmt.Errorf("archive: %w", err)
		}
	}
	if err := a.walk(root, 0); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	for _, k := range blocks {
		if !a.seen[k.CID] {
			return nil, fmt.Errorf("archive: block %v belongs to no file", k.CID)
		}
	}
	if _, err := a.Files(); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return a, nil
}

func takeHeader(b []byte) (root trial.CID, rest []byte, err error) {
	n, rest, err := takeVarint(b)
	want := len(carHeader(cidOf(codecRaw, nil)))
	if err != nil || n != uint64(want) || len(rest) < want {
		return root, nil, errCAR
	}
	head, rest := rest[:n], rest[n:]
	at := bytes.IndexByte(head, 1) // where a CIDv1 begins
	if at < 0 || at+cidBytes > len(head) {
		return root, nil, errCAR
	}
	if root, err = castCID(head[at : at+cidBytes]); err != nil {
		return root, nil, err
	}
	if !bytes.Equal(head, carHeader(root)) {
		return root, nil, errCAR
	}
	return root, rest, nil
}

const cidBytes = len(trial.CID{})

func takeBlock(b []byte) (k Block, rest []byte, err error) {
	n, rest, err := takeVarint(b)
	if err != nil || n < uint64(cidBytes) || n > uint64(len(rest)) {
		return k, nil, errors.New("cut off")
	}
	if k.CID, err = castCID(rest[:cidBytes]); err != nil {
		return k, nil, err
	}
	k.Data = rest[cidBytes:n]
	return k, rest[n:], nil
}

func (a *Archive) add(k Block) error {
	if err := k.CID.Check(); err != nil {
		return err
	}
	if len(k.Data) > maxBlock {
		return fmt.Errorf("block %v: %d bytes; at most %d", k.CID, len(k.Data), maxBlock)
	}
	if cidOf(k.CID[1], k.Data) != k.CID {
		return fmt.Errorf("block %v: its bytes do not hash to it", k.CID)
	}
	if _, twice := a.at[k.CID]; twice {
		return fmt.Errorf("block %v stands twice", k.CID)
	}
	a.at[k.CID] = k.Data
	return nil
}

// walk lists the blocks below a CID, depth first, each once.
func (a *Archive) walk(c trial.CID, depth int) error {
	if a.seen[c] {
		return nil
	}
	data, found := a.at[c]
	if !found {
		return fmt.Errorf("incomplete: block %v is missing", c)
	}
	if depth > maxDepth+1 {
		return fmt.Errorf("deeper than %d directories", maxDepth)
	}
	if a.seen == nil {
		a.seen = map[trial.CID]bool{}
	}
	a.seen[c] = true
	a.blocks = append(a.blocks, Block{CID: c, Data: data})
	if c[1] == codecRaw {
		return nil
	}
	children, _, err := decodeNode(data)
	if err != nil {
		return fmt.Errorf("block %v: %w", c, err)
	}
	for _, child := range children {
		if err := a.walk(child.cid, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Files are the files of the directory, sorted by path. Their DAG is made anew
// and compared, so that no second encoding of the same files has another CID.
func (a *Archive) Files() ([]File, error) {
	r := reading{archive: a, index: map[string]trial.CID{}}
	if err := r.read(a.root, "", 0); err != nil {
		return nil, err
	}
	slices.SortFunc(r.files, byPath)
	again, err := CIDOf(r.files)
	if err != nil {
		return nil, err
	}
	if again != a.root {
		return nil, fmt.Errorf("its files make %v under the profile %s, not %v", again, Profile, a.root)
	}
	return r.files, nil
}

// Index is where each file's own DAG begins.
func (a *Archive) Index() (map[string]trial.CID, error) {
	r := reading{archive: a, index: map[string]trial.CID{}}
	return r.index, r.read(a.root, "", 0)
}

// reading turns a DAG into files. A few blocks can name each other so often that
// they stand for files without end, so visits and bytes are counted.
type reading struct {
	archive       *Archive
	files         []File
	index         map[string]trial.CID
	visits, bytes int
}

// read appends the files below a node. What it cannot hold within the limits
// it refuses; whether it is spelled as the profile spells it, Files compares.
func (r *reading) read(c trial.CID, path string, depth int) error {
	if err := r.visit(depth); err != nil {
		return err
	}
	data := r.archive.at[c]
	if c[1] == codecRaw {
		return r.file(path, c, [][]byte{data})
	}
	children, content, err := decodeNode(data)
	if err != nil || len(content) < 2 || content[0] != 0x08 {
		return fmt.Errorf("%q: %w", path, errNode)
	}
	if content[1] == typeFile {
		return r.join(path, c, children)
	}
	if path != "" {
		path += "/"
	}
	for _, child := range children {
		if err := r.read(child.cid, path+child.name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) visit(depth int) error {
	if r.visits++; r.visits > MaxBlocks || depth > maxDepth {
		return fmt.Errorf("more than %d files and directories, or deeper than %d", MaxBlocks, maxDepth)
	}
	return nil
}

func (r *reading) join(path string, of trial.CID, chunks []node) error {
	var parts [][]byte
	for _, c := range chunks {
		if c.cid[1] != codecRaw {
			return fmt.Errorf("%q: %w", path, errNode)
		}
		if err := r.visit(0); err != nil {
			return err
		}
		parts = append(parts, r.archive.at[c.cid])
	}
	return r.file(path, of, parts)
}

func (r *reading) file(path string, of trial.CID, parts [][]byte) error {
	for _, p := range parts {
		r.bytes += len(p)
	}
	if r.bytes > MaxPackage {
		return fmt.Errorf("more than %d bytes of files", MaxPackage)
	}
	r.index[path] = of
	r.files = append(r.files, File{Path: path, Data: bytes.Join(parts, nil)})
	return nil
}
