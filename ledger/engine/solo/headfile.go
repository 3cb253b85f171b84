package solo

import (
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

const headFormat = "trialith signed head 1"

func headOf(h chain.Header) signedHead { return signedHead{h.Ledger, h.Height, h.Hash()} }

func (s signedHead) String() string {
	return fmt.Sprintf("%s\nledger %s\nheight %d\nheader %s\n", headFormat, s.ledger, s.height, s.hash)
}

func parseHead(text string) (signedHead, error) {
	var s signedHead
	var ledger, hash string
	_, err := fmt.Sscanf(text, headFormat+"\nledger %64s\nheight %d\nheader %64s\n", &ledger, &s.height, &hash)
	if err != nil {
		return s, err
	}
	if err := s.ledger.UnmarshalText([]byte(ledger)); err != nil {
		return s, err
	}
	if err := s.hash.UnmarshalText([]byte(hash)); err != nil {
		return s, err
	}
	if s.String() != text {
		return s, errors.New("not in the form that this program writes")
	}
	return s, nil
}

// readHead returns the head in the file, and whether there is one.
func readHead(fsys vfs.FS, path string) (signedHead, bool, error) {
	f, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return signedHead{}, false, nil
	}
	if err != nil {
		return signedHead{}, false, fmt.Errorf("head file: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, 1024))
	if err = errors.Join(err, f.Close()); err != nil {
		return signedHead{}, false, fmt.Errorf("head file: %w", err)
	}
	s, err := parseHead(string(b))
	if err != nil {
		return s, false, fmt.Errorf("head file %s: %w; restore it from beside the key", path, err)
	}
	return s, true, nil
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
	_, err = f.Write([]byte(s.String()))
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
	last signedHead
	set  bool
}

// open compares the file with the directory that was opened: the signed header
// must be in it.
func (g *guard) open(head chain.Header, header func(uint64) (chain.Header, error)) error {
	if g.path == "" {
		return nil
	}
	s, found, err := readHead(g.fsys, g.path)
	if err != nil {
		return err
	}
	if !found {
		if head.Height > 0 {
			return fmt.Errorf("head file %s is missing and the ledger has %d blocks: %w; bring the file back from beside the key, "+
				"or compare header %v with a checkpoint that others hold and write the file anew", g.path, head.Height, ErrRolledBack, head.Hash())
		}
		return nil
	}
	if s.ledger != head.Ledger {
		return fmt.Errorf("head file %s: of ledger %v: %w", g.path, s.ledger, ErrRolledBack)
	}
	if s.height > head.Height {
		return fmt.Errorf("head file %s: height %d was signed, the data directory ends at %d: %w; it is an old backup: bring back the newest",
			g.path, s.height, head.Height, ErrRolledBack)
	}
	h, err := header(s.height)
	if err != nil {
		return fmt.Errorf("head file: %w", err)
	}
	if h.Hash() != s.hash {
		return fmt.Errorf("head file %s: another block was signed at height %d: %w", g.path, s.height, ErrRolledBack)
	}
	g.last, g.set = s, true
	return nil
}

// allow syncs the head that is about to be signed, unless somebody else signed
// since: then there are two writers.
func (g *guard) allow(h chain.Header) error {
	if g.path == "" {
		return nil
	}
	s, found, err := readHead(g.fsys, g.path)
	if err != nil {
		return err
	}
	if found != g.set || s != g.last {
		return fmt.Errorf("head file %s: changed by somebody else, to height %d: %w; a ledger has one writer", g.path, s.height, ErrRolledBack)
	}
	next := headOf(h)
	if found && (next.height < s.height || next.height == s.height && next != s) {
		return fmt.Errorf("head file %s: height %d was signed: %w", g.path, s.height, ErrRolledBack)
	}
	if next != s {
		if err := writeHead(g.fsys, g.path, next); err != nil {
			return fmt.Errorf("head file: %w", err)
		}
	}
	g.last, g.set = next, true
	return nil
}
