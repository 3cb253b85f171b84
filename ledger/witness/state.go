package witness

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The files of a witness's directory: for each log the newest checkpoint that
// was cosigned; what a log signed that cannot be true together with it; and
// what came without a proof that it extends it.
const (
	stateFormat = "trialith witness state 1 "
	extState    = ".state"
	extFork     = ".fork"
	extUnproven = ".unproven"
	// maxKept bounds how much of a kind one log can make a witness keep.
	maxKept = 16
)

// seen is the newest head of a log that the witness has cosigned. The zero
// value is that of a log that it has not seen.
type seen struct {
	head
	checkpoint []byte // signed by the log, and cosigned
}

// record keeps one log's state in one file.
type record struct {
	fsys vfs.FS
	dir  string
	name string // of the log's files
}

func newRecord(fsys vfs.FS, dir, origin string) record {
	sum := sha256.Sum256([]byte(origin))
	return record{fsys, dir, fmt.Sprintf("%x", sum[:8])}
}

func (r record) path(ext string) string { return r.fsys.PathJoin(r.dir, r.name+ext) }

// load reads the state. A file that is not whole is an error, not an unseen
// log: a witness that forgets would cosign a second history.
func (r record) load(origin string) (seen, error) {
	path := r.path(extState)
	b, err := readFile(r.fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, err
	}
	line, checkpoint, _ := strings.Cut(string(b), "\n")
	if line != stateLine(checkpoint) {
		return seen{}, fmt.Errorf("%s: damaged; without it this witness does not know what it signed for %q: bring the file back, or give the witness another key", path, origin)
	}
	text, err := TextOf([]byte(checkpoint))
	if err != nil {
		return seen{}, fmt.Errorf("%s: %w", path, err)
	}
	h, err := parseHead(text)
	if err != nil {
		return seen{}, fmt.Errorf("%s: %w", path, err)
	}
	if h.origin != origin {
		return seen{}, fmt.Errorf("%s: of the log %q, not %q", path, h.origin, origin)
	}
	return seen{h, []byte(checkpoint)}, nil
}

func stateLine(checkpoint string) string {
	return fmt.Sprintf("%s%x", stateFormat, sha256.Sum256([]byte(checkpoint)))
}

// save makes a state durable before it returns.
func (r record) save(checkpoint []byte) error {
	return replaceFile(r.fsys, r.dir, r.path(extState), []byte(stateLine(string(checkpoint))+"\n"+string(checkpoint)))
}

// keep keeps the newest checkpoint beside the one that was refused.
func (r record) keep(ext string, known, refused []byte) error {
	text, err := TextOf(refused)
	if err != nil {
		return err
	}
	names, err := r.fsys.List(r.dir)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	name, kept := fmt.Sprintf("%s-%x%s", r.name, sum[:8], ext), 0
	for _, n := range names {
		if n == name {
			return nil
		}
		if strings.HasPrefix(n, r.name+"-") && strings.HasSuffix(n, ext) {
			kept++
		}
	}
	if kept >= maxKept {
		return nil
	}
	return replaceFile(r.fsys, r.dir, r.fsys.PathJoin(r.dir, name), FormatFork(known, refused))
}

// FormatFork is the text of a fork's evidence: two signed notes with an empty
// line between them. ParseFork takes it apart.
func FormatFork(first, second []byte) []byte {
	return fmt.Appendf(nil, "%s\n%s", first, second)
}

// ParseFork returns the two signed notes. Their signatures are the caller's to check.
func ParseFork(b []byte) (first, second []byte, err error) {
	parts := strings.Split(string(b), "\n\n")
	if len(b) > MaxRequestBytes || len(parts) != 4 {
		return nil, nil, errors.New("fork: not two signed notes with an empty line between them")
	}
	return []byte(parts[0] + "\n\n" + parts[1] + "\n"), []byte(parts[2] + "\n\n" + parts[3]), nil
}

func readFile(fsys vfs.FS, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxRequestBytes))
	return b, errors.Join(err, f.Close())
}

// replaceFile writes a file whole, synced, with its name.
func replaceFile(fsys vfs.FS, dir, path string, b []byte) error {
	tmp := path + ".new"
	f, err := fsys.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// makeDir makes a directory that outlives a power cut.
func makeDir(fsys vfs.FS, dir string) error {
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parent := fsys.PathDir(dir)
	if parent == "" {
		parent = "."
	}
	return syncDir(fsys, parent)
}
