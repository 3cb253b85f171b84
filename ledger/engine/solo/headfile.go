package solo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// ErrRolledBack says that the data directory is not the one whose head was
// signed last: an old backup, or another writer's.
var ErrRolledBack = errors.New("signing would make a second history")

// signedHead is the last head that was signed, as the head file keeps it.
//
// It is written and synced before the signature is made. So the file never
// lags behind a signature, and a data directory that lags behind the file is
// not the one that was signed from.
type signedHead struct {
	ledger wire.LedgerID
	height uint64
	hash   wire.Hash
}

// The file has two slots of a disk's sector each, written in turn, so that a
// write that power cuts short leaves the head before it whole. A slot that is
// not whole is told by its sum. It may have held a head that was signed; but a
// head is noted only when its block is durable, so then the data directory is
// ahead of the other slot, and one that is not is refused.
const (
	headFormat = "trialith signed head 2"
	oldFormat  = "trialith signed head 1" // one text, replaced whole
	slotSize   = 512
)

// headFile is what was read of the file.
type headFile struct {
	last signedHead
	set  bool // there is a file
	slot int  // that last is in
	torn bool // the other slot is not whole
	old  bool // of the old format
}

func headOf(h chain.Header) signedHead { return signedHead{h.Ledger, h.Height, h.Hash()} }

func (s signedHead) text(format string) string {
	return fmt.Sprintf("%s\nledger %s\nheight %d\nheader %s\n", format, s.ledger, s.height, s.hash)
}

// encode is the head's slot: its text, the sum of that, and spaces.
func (s signedHead) encode() []byte {
	text := s.text(headFormat)
	text += fmt.Sprintf("sum %x\n", sha256.Sum256([]byte(text)))
	return pad(text)
}

func pad(text string) []byte {
	return fmt.Appendf(nil, "%-*s\n", slotSize-1, text)
}

func parseHead(text, format string) (signedHead, error) {
	var s signedHead
	var ledger, hash string
	_, err := fmt.Sscanf(text, format+"\nledger %64s\nheight %d\nheader %64s\n", &ledger, &s.height, &hash)
	if err != nil {
		return s, err
	}
	if err := s.ledger.UnmarshalText([]byte(ledger)); err != nil {
		return s, err
	}
	return s, s.hash.UnmarshalText([]byte(hash))
}

var (
	errForm  = errors.New("not in the form that this program writes")
	errEmpty = errors.New("empty")
)

func parseSlot(b []byte) (signedHead, error) {
	if bytes.Equal(b, pad("")) {
		return signedHead{}, errEmpty
	}
	s, err := parseHead(string(b), headFormat)
	if err == nil && !bytes.Equal(b, s.encode()) {
		err = errForm
	}
	return s, err
}

func parseFile(b []byte) (headFile, error) {
	f := headFile{set: true}
	if bytes.HasPrefix(b, []byte(oldFormat+"\n")) {
		s, err := parseHead(string(b), oldFormat)
		if err == nil && s.text(oldFormat) != string(b) {
			err = errForm
		}
		f.last, f.old = s, true
		return f, err
	}
	if len(b) != 2*slotSize {
		return f, fmt.Errorf("%d bytes, not %d", len(b), 2*slotSize)
	}
	one, err1 := parseSlot(b[:slotSize])
	two, err2 := parseSlot(b[slotSize:])
	switch {
	case err1 == nil && err2 == nil && one.height == two.height:
		return f, errors.New("two heads of one height")
	case err1 == nil && (err2 != nil || one.height > two.height):
		f.last, f.torn = one, err2 != nil && !errors.Is(err2, errEmpty)
	case err2 == nil:
		f.last, f.slot, f.torn = two, 1, err1 != nil
	default:
		return f, errForm
	}
	return f, nil
}

// readHead returns what is in the file, if there is one.
func readHead(fsys vfs.FS, path string) (headFile, error) {
	b, err := readBytes(fsys, path)
	if err != nil || b == nil {
		return headFile{}, err
	}
	return parseBytes(b, path)
}

// readBytes returns the bytes of the file, nil if there is none.
func readBytes(fsys vfs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("head file: %w", err)
	}
	b := make([]byte, 2*slotSize+1)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("head file: %w", err)
	}
	return b[:n], nil
}

func parseBytes(b []byte, path string) (headFile, error) {
	h, err := parseFile(b)
	if err != nil {
		return h, fmt.Errorf("head file %s: %w; restore it from beside the key", path, err)
	}
	return h, nil
}

// WriteHead writes the head file of a ledger whose head is h, by hand: after
// the file was lost, and after h was compared with the newest checkpoint that a
// witness or a reader has. It replaces the file whole, synced.
func WriteHead(fsys vfs.FS, path string, h chain.Header) error {
	if err := writeHead(fsys, path, headOf(h)); err != nil {
		return fmt.Errorf("head file: %w", err)
	}
	return nil
}

func writeHead(fsys vfs.FS, path string, s signedHead) error {
	tmp := path + ".new"
	f, err := fsys.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(append(s.encode(), pad("")...))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, path); err != nil {
		return err
	}
	dir, err := fsys.OpenDir(dirOf(fsys, path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// writeSlot overwrites one slot. The file does not grow, so that its data is
// all there is to sync.
func writeSlot(fsys vfs.FS, path string, at int, slot []byte) error {
	f, err := fsys.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(slot, int64(at)*slotSize)
	if err == nil {
		err = f.SyncData()
	}
	return errors.Join(err, f.Close())
}

func dirOf(fsys vfs.FS, path string) string {
	if d := fsys.PathDir(path); d != "" {
		return d
	}
	return "."
}

// guard refuses to sign where a signature would fork the history.
type guard struct {
	fsys vfs.FS
	path string // empty: no guard
	file headFile
	text []byte    // the file, when it was written last by this ledger
	held io.Closer // the lock beside the file
}

// lock keeps every other ledger from the head file for as long as this one
// runs: two that read it at the same moment would both find it their own.
func (g *guard) lock() (err error) {
	if g.path == "" {
		return nil
	}
	if g.held, err = g.fsys.Lock(g.path + ".lock"); err != nil {
		return fmt.Errorf("head file %s: another ledger signs by it; a ledger has one writer: %w", g.path, err)
	}
	return nil
}

func (g *guard) unlock() error {
	if g.held == nil {
		return nil
	}
	return g.held.Close()
}

// open compares the file with the directory that was opened: the signed header
// must be in it.
func (g *guard) open(head chain.Header, header func(uint64) (chain.Header, error)) error {
	if g.path == "" {
		return nil
	}
	f, err := readHead(g.fsys, g.path)
	if err != nil {
		return err
	}
	s := f.last
	switch {
	case !f.set && head.Height > 0:
		return fmt.Errorf("head file %s is missing and the ledger has %d blocks: %w; bring the file back from beside the key, "+
			"or compare header %v with a checkpoint that others hold and write the file anew", g.path, head.Height, ErrRolledBack, head.Hash())
	case !f.set:
		return nil
	case s.ledger != head.Ledger:
		return fmt.Errorf("head file %s: of ledger %v: %w", g.path, s.ledger, ErrRolledBack)
	case s.height > head.Height:
		return fmt.Errorf("head file %s: height %d was signed, the data directory ends at %d: %w; it is an old backup: bring back the newest",
			g.path, s.height, head.Height, ErrRolledBack)
	case f.torn && s.height == head.Height:
		return fmt.Errorf("head file %s: a head after %d was noted and cannot be read, and the data directory ends there: %w; "+
			"bring both back as they were together", g.path, s.height, ErrRolledBack)
	}
	h, err := header(s.height)
	if err != nil {
		return fmt.Errorf("head file: %w", err)
	}
	if h.Hash() != s.hash {
		return fmt.Errorf("head file %s: another block was signed at height %d: %w", g.path, s.height, ErrRolledBack)
	}
	g.file = f
	return nil
}

// allow syncs the head that is about to be signed, unless somebody else signed
// since: then there are two writers.
func (g *guard) allow(h chain.Header) error {
	if g.path == "" {
		return nil
	}
	f, err := g.read()
	if err != nil {
		return err
	}
	if f != g.file {
		return fmt.Errorf("head file %s: changed by somebody else, to height %d: %w; a ledger has one writer", g.path, f.last.height, ErrRolledBack)
	}
	next := headOf(h)
	switch {
	case f.set && (next.height < f.last.height || next.height == f.last.height && next != f.last):
		return fmt.Errorf("head file %s: height %d was signed: %w", g.path, f.last.height, ErrRolledBack)
	case f.set && next == f.last:
		return nil
	case !f.set || f.old:
		f.slot = 0
		g.text = append(next.encode(), pad("")...)
		err = writeHead(g.fsys, g.path, next)
	default:
		f.slot = 1 - f.slot
		slot := next.encode()
		if g.text != nil {
			copy(g.text[f.slot*slotSize:], slot)
		}
		err = writeSlot(g.fsys, g.path, f.slot, slot)
	}
	if err != nil {
		return fmt.Errorf("head file: %w", err)
	}
	g.file = headFile{last: next, set: true, slot: f.slot}
	return nil
}

// read returns what is in the file now. It parses what is not as it was left.
func (g *guard) read() (headFile, error) {
	b, err := readBytes(g.fsys, g.path)
	switch {
	case err != nil || b == nil:
		return headFile{}, err
	case g.text != nil && bytes.Equal(b, g.text):
		return g.file, nil
	}
	f, err := parseBytes(b, g.path)
	if err == nil && f == g.file && !f.old {
		g.text = b
	}
	return f, err
}
