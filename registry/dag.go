package registry

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/trialith/trialith/trial"
)

// Limits of a package, its directories and its files. Within them the profile
// never shards a directory and never needs a second level of file blocks.
const (
	MaxFiles   = 1000
	MaxPackage = 64 << 20 // bytes of all files
	maxPath    = 200
	maxDepth   = 8
)

// chunkSize and the widths are those of the UnixFS profile unixfs-v1-2025
// (IPIP-499), by which every implementation finds the same CIDs.
const chunkSize = 1 << 20

// Profile names how CIDs are made of files.
const Profile = "unixfs-v1-2025"

// Block is a block of a package's DAG: CIDv1, SHA-256, raw or dag-pb.
type Block struct {
	CID  trial.CID
	Data []byte
}

// Root computes the DAG of a directory of files under the profile: the CID of
// its root and its blocks, depth first from the root, each once. It reads and
// writes nothing, so a custodian or a verifier can compute what a registry
// claims.
func Root(files []File) (trial.CID, []Block, error) {
	if err := checkFiles(files); err != nil {
		return trial.CID{}, nil, err
	}
	d := &dag{known: map[trial.CID][]byte{}}
	root := d.directory(slices.SortedFunc(slices.Values(files), byPath), "")
	var blocks []Block
	seen := map[trial.CID]bool{}
	var walk func(c trial.CID)
	walk = func(c trial.CID) {
		if seen[c] {
			return
		}
		seen[c] = true
		blocks = append(blocks, Block{CID: c, Data: d.known[c]})
		for _, l := range d.links[c] {
			walk(l)
		}
	}
	walk(root.cid)
	return root.cid, blocks, nil
}

// CIDOf is the CID of a directory of files.
func CIDOf(files []File) (trial.CID, error) {
	c, _, err := Root(files)
	return c, err
}

func byPath(a, b File) int { return strings.Compare(a.Path, b.Path) }

// checkFiles holds files to the limits, and their paths to one spelling.
func checkFiles(files []File) error {
	if len(files) == 0 || len(files) > MaxFiles {
		return fmt.Errorf("package: %d files; it has 1 to %d", len(files), MaxFiles)
	}
	total := 0
	names := map[string]bool{}
	for _, f := range files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if names[f.Path] {
			return fmt.Errorf("package: %q stands twice", f.Path)
		}
		names[f.Path] = true
		if total += len(f.Data); total > MaxPackage {
			return fmt.Errorf("package: more than %d bytes", MaxPackage)
		}
	}
	for _, f := range files {
		for i, c := range f.Path {
			if c == '/' && names[f.Path[:i]] {
				return fmt.Errorf("package: %q is a file and a directory", f.Path[:i])
			}
		}
	}
	return nil
}

// checkPath admits plain names of lower-case letters, digits, dots, hyphens and
// underscores: one spelling on every file system, and nothing to escape in a URL.
func checkPath(p string) error {
	if len(p) > maxPath || strings.Count(p, "/") >= maxDepth {
		return fmt.Errorf("package: path %.80q: longer than %d bytes or deeper than %d", p, maxPath, maxDepth)
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
			return fmt.Errorf("package: path %q: names are of a-z, 0-9, '.', '_' and '-', and begin with no dot", p)
		}
	}
	return nil
}

// dag collects blocks.
type dag struct {
	known map[trial.CID][]byte
	links map[trial.CID][]trial.CID
}

// node is a part of a DAG; size is the sum of the bytes of its blocks.
type node struct {
	name string
	cid  trial.CID
	size uint64
}

// The codecs of a block, as a CID names them.
const (
	codecRaw  = 0x55
	codecNode = 0x70 // dag-pb
)

// cidOf is CIDv1 with SHA-256.
func cidOf(codec byte, data []byte) trial.CID {
	sum := sha256.Sum256(data)
	return trial.CID(append([]byte{1, codec, 0x12, 32}, sum[:]...))
}

func (d *dag) put(codec byte, data []byte, children []node) node {
	n := node{cid: cidOf(codec, data), size: uint64(len(data))}
	d.known[n.cid] = data
	if d.links == nil {
		d.links = map[trial.CID][]trial.CID{}
	}
	var links []trial.CID
	for _, c := range children {
		n.size += c.size
		links = append(links, c.cid)
	}
	d.links[n.cid] = links
	return n
}

// directory makes the node of the files below a prefix. files are sorted.
func (d *dag) directory(files []File, prefix string) node {
	var children []node
	for i := 0; i < len(files); {
		name, _, below := strings.Cut(files[i].Path[len(prefix):], "/")
		if !below {
			c := d.file(files[i].Data)
			c.name = name
			children = append(children, c)
			i++
			continue
		}
		inside := prefix + name + "/"
		end := i
		for end < len(files) && strings.HasPrefix(files[end].Path, inside) {
			end++
		}
		c := d.directory(files[i:end], inside)
		c.name = name
		children = append(children, c)
		i = end
	}
	// "a-b" sorts before "a/c" as a path, and "a" before "a-b" as a name.
	slices.SortFunc(children, func(a, b node) int { return strings.Compare(a.name, b.name) })
	return d.put(codecNode, encodeNode(children, []byte{0x08, typeDirectory}), children)
}

// file makes the node of a file: one raw block, or a node over raw chunks.
func (d *dag) file(data []byte) node {
	if len(data) <= chunkSize {
		return d.put(codecRaw, data, nil)
	}
	var children []node
	content := []byte{0x08, typeFile}
	content = varintField(content, 3, uint64(len(data)))
	for chunk := range slices.Chunk(data, chunkSize) {
		children = append(children, d.put(codecRaw, chunk, nil))
		content = varintField(content, 4, uint64(len(chunk)))
	}
	return d.put(codecNode, encodeNode(children, content), children)
}

// UnixFS kinds of node.
const (
	typeDirectory = 1
	typeFile      = 2
)

// encodeNode is the dag-pb encoding: links first, each hash, name, size; then
// the data.
func encodeNode(children []node, data []byte) []byte {
	var b []byte
	for _, c := range children {
		link := bytesField(nil, 1, c.cid[:])
		link = bytesField(link, 2, []byte(c.name))
		link = varintField(link, 3, c.size)
		b = bytesField(b, 2, link)
	}
	return bytesField(b, 1, data)
}

func bytesField(b []byte, number byte, data []byte) []byte {
	b = append(b, number<<3|2)
	b = appendVarint(b, uint64(len(data)))
	return append(b, data...)
}

func varintField(b []byte, number byte, x uint64) []byte {
	return appendVarint(append(b, number<<3), x)
}

func appendVarint(b []byte, x uint64) []byte {
	for x >= 0x80 {
		b = append(b, byte(x)|0x80)
		x >>= 7
	}
	return append(b, byte(x))
}

var errNode = errors.New("a dag-pb node of no file and no directory of this profile")

// decodeNode reads what encodeNode writes, and nothing else: decoded, encoded
// again and compared.
func decodeNode(b []byte) (children []node, data []byte, err error) {
	rest := b
	for len(rest) > 0 && rest[0] == 2<<3|2 {
		var link []byte
		if link, rest, err = takeBytes(rest, 2); err != nil {
			return nil, nil, err
		}
		child, err := decodeLink(link)
		if err != nil {
			return nil, nil, err
		}
		children = append(children, child)
	}
	if data, rest, err = takeBytes(rest, 1); err != nil {
		return nil, nil, err
	}
	if len(rest) > 0 || !bytes.Equal(encodeNode(children, data), b) {
		return nil, nil, errNode
	}
	return children, data, nil
}

func decodeLink(b []byte) (n node, err error) {
	hash, b, err := takeBytes(b, 1)
	if err != nil {
		return n, err
	}
	name, b, err := takeBytes(b, 2)
	if err != nil {
		return n, err
	}
	if n.cid, err = castCID(hash); err != nil {
		return n, err
	}
	if len(b) == 0 || b[0] != 3<<3 {
		return n, errNode
	}
	if n.size, b, err = takeVarint(b[1:]); err != nil || len(b) > 0 {
		return n, errNode
	}
	n.name = string(name)
	return n, nil
}

func takeBytes(b []byte, number byte) (data, rest []byte, err error) {
	if len(b) == 0 || b[0] != number<<3|2 {
		return nil, nil, errNode
	}
	n, b, err := takeVarint(b[1:])
	if err != nil || n > uint64(len(b)) {
		return nil, nil, errNode
	}
	return b[:n], b[n:], nil
}

func takeVarint(b []byte) (x uint64, rest []byte, err error) {
	for i := 0; i < len(b) && i < 9; i++ {
		x |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			if i > 0 && b[i] == 0 || x > math.MaxInt64 {
				return 0, nil, errNode
			}
			return x, b[i+1:], nil
		}
	}
	return 0, nil, errNode
}

// castCID reads the CIDs of the profile and no others: an identity hash would
// carry data that nothing counts, and another hash function would not bind.
func castCID(b []byte) (c trial.CID, err error) {
	if len(b) != len(c) {
		return c, fmt.Errorf("a CID of %d bytes; only CIDv1 with SHA-256, raw or dag-pb, is known", len(b))
	}
	c = trial.CID(b)
	return c, c.Check()
}
