package tiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialith/trialith/ledger/chain"
)

// ErrNotFound says that a reader has no such file.
var ErrNotFound = errors.New("no such file")

// Reader reads files of the layout: a directory's or a server's. What it
// returns is unchecked, but not longer than Path.Limit.
type Reader interface {
	Read(context.Context, Path) ([]byte, error)
}

// Dir is a directory that holds the layout. A file in it is whole or not there:
// it is written beside, synced and renamed. One process writes.
type Dir struct{ root string }

// incoming is where files are written before they get their name.
const incoming = ".incoming"

// ReadDir is a directory that is only read, while another process may write it.
func ReadDir(root string) Reader { return Dir{root} }

// OpenDir opens or makes a directory for writing, and removes what a writer
// that was killed left half-written.
func OpenDir(root string) (Dir, error) {
	d := Dir{root}
	if err := os.RemoveAll(filepath.Join(root, incoming)); err != nil {
		return d, fmt.Errorf("tiles: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(root, incoming), 0o755); err != nil { //nolint:gosec // what is laid out is public
		return d, fmt.Errorf("tiles: %w", err)
	}
	return d, nil
}

func (d Dir) file(p Path) string { return filepath.Join(d.root, filepath.FromSlash(p.String())) }

// Read reads a file; one that is not there is ErrNotFound.
func (d Dir) Read(_ context.Context, p Path) ([]byte, error) {
	f, err := os.Open(d.file(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tiles: %v: %w", p, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("tiles: %w", err)
	}
	b, err := readAll(f, p)
	return b, errors.Join(err, f.Close())
}

// readAll reads to the end, and refuses more than the file's limit.
func readAll(r io.Reader, p Path) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, int64(p.Limit())+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("tiles: %v: %w", p, err)
	case len(b) > p.Limit():
		return nil, fmt.Errorf("tiles: %v: more than %d bytes", p, p.Limit())
	}
	return b, nil
}

// Write writes a file, whole or not at all.
func (d Dir) Write(p Path, b []byte) error {
	return d.fill(p, func(w io.Writer) error { return put(w, b, nil) })
}

// fill writes what fn writes.
func (d Dir) fill(p Path, fn func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Join(d.root, incoming), "*")
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("tiles: %v: %w", p, err), os.Remove(tmp.Name()))
		}
	}()
	if err = fn(tmp); err == nil {
		err = tmp.Chmod(0o644) //nolint:gosec // what is laid out is public
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	to := d.file(p)
	if err = os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // what is laid out is public
		return err
	}
	return os.Rename(tmp.Name(), to)
}

func (d Dir) has(p Path) bool {
	_, err := os.Stat(d.file(p))
	return err == nil
}

// Publish makes durable what was written for a checkpoint, then writes the
// checkpoint, so that it never covers what is not there; then it removes the
// partial files that full ones have taken the place of. old is what the
// directory had published before.
func (d Dir) Publish(old, now chain.Checkpoint, msg []byte) error {
	made := map[string]bool{d.root: true}
	Since(old, now, func(p Path) bool {
		for dir := filepath.Dir(d.file(p)); dir != d.root; dir = filepath.Dir(dir) {
			made[dir] = true
		}
		return true
	})
	for dir := range made {
		// Who keeps headers alone has no directory of tiles.
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := d.Write(Path{Kind: Checkpoint}, msg); err != nil {
		return err
	}
	if err := syncDir(d.root); err != nil {
		return err
	}
	return d.prune(old, now)
}

func (d Dir) prune(old, now chain.Checkpoint) (err error) {
	Since(old, now, func(p Path) bool {
		if p.Full() {
			err = os.RemoveAll(d.file(p) + ".p")
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	return nil
}

// Published is what the directory has published: its signed checkpoint with its
// text parsed and its signature not verified. Nothing yet is ErrNotFound.
func (d Dir) Published(ctx context.Context) (msg []byte, c chain.Checkpoint, err error) {
	if msg, err = d.Read(ctx, Path{Kind: Checkpoint}); err != nil {
		return nil, c, err
	}
	c, err = published(msg)
	return msg, c, err
}

// Fetch reads a file. Where one that is not full is gone, because the log has
// grown past it, it is cut from the full one.
func Fetch(ctx context.Context, r Reader, p Path) ([]byte, error) {
	b, err := r.Read(ctx, p)
	if !errors.Is(err, ErrNotFound) || p.Full() || p.Width == 0 {
		return b, err
	}
	full := p
	full.Width = Width
	all, bad := r.Read(ctx, full)
	if bad != nil {
		return nil, errors.Join(err, bad)
	}
	return p.cut(all)
}

// trimmed is the base of a server's addresses, without a slash at its end.
func trimmed(base string) string { return strings.TrimRight(base, "/") }
