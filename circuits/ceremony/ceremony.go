package ceremony

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/ledger/wire"
)

// maxRecord bounds the file of a manifest or an entry.
const maxRecord = 64 << 10

// Progress is told each step before it begins; steps are counted from 1.
type Progress func(step, of int, what string)

// Signer is who acts: a name for the record, a key, and the time by their clock
// in milliseconds.
type Signer struct {
	Name string
	Key  ed25519.PrivateKey
	Now  int64
}

// Plan is what a ceremony begins with.
type Plan struct {
	Name    string
	Depth   int // of the trees
	Minimum int // of distinct contributors, in each phase
}

// Ceremony is a ceremony in a directory. Whoever has a copy of the directory can
// contribute to it or verify it; only entries that fit the chain count.
type Ceremony struct {
	dir      string
	circuit  *circuit
	record   transcript.Transcript
	state    *transcript.State
	progress Progress
}

// Config says where a ceremony lies.
type Config struct {
	Dir      string
	Compile  Compile  // membership.Compile if nil
	Progress Progress // nothing is told if nil
}

func (c *Config) fill() {
	if c.Compile == nil {
		c.Compile = membership.Compile
	}
	if c.Progress == nil {
		c.Progress = func(int, int, string) {}
	}
}

// Init begins a ceremony in a new or empty directory. The signer becomes its
// coordinator. A directory with a ceremony is left as it is, with fs.ErrExist.
func Init(c Config, p Plan, by Signer) (*Ceremony, error) {
	c.fill()
	if p.Depth < 1 || p.Depth > 255 || p.Minimum < 0 || p.Minimum > 1<<15 {
		return nil, fmt.Errorf("ceremony: depth %d, minimum %d: out of range", p.Depth, p.Minimum)
	}
	c.Progress(1, 2, "compiling the circuit")
	of, err := c.Compile.circuit(p.Depth)
	if err != nil {
		return nil, err
	}
	m := transcript.Manifest{
		Format: transcript.Format, Version: transcript.Version, Name: p.Name, Depth: uint8(p.Depth), Circuit: of.hash,
		Domain: of.domain, Minimum: uint16(p.Minimum), Began: by.Now, Coordinator: transcript.PublicKey(by.Key.Public().(ed25519.PublicKey)),
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	c.Progress(2, 2, "writing the manifest")
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return nil, err
	}
	if err := create(c.Dir, manifestFile, wire.Marshal(m)); err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	return Open(c)
}

// Open reads a ceremony's record and checks every entry of it. It reads no
// contribution.
func Open(c Config) (*Ceremony, error) {
	c.fill()
	b, err := read(c.Dir, manifestFile, maxRecord)
	if err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	x := &Ceremony{dir: c.Dir, progress: c.Progress}
	if err := wire.Unmarshal(b, &x.record.Manifest); err != nil {
		return nil, fmt.Errorf("ceremony: manifest: %w", err)
	}
	if x.state, err = transcript.Begin(x.record.Manifest); err != nil {
		return nil, err
	}
	for {
		found, err := x.next()
		if err != nil {
			return nil, err
		}
		if !found {
			break
		}
	}
	if x.circuit, err = c.Compile.circuit(int(x.record.Manifest.Depth)); err != nil {
		return nil, err
	}
	return x, x.circuit.matches(x.record.Manifest)
}

// next reads the next entry, if there is one.
func (x *Ceremony) next() (bool, error) {
	name := fmt.Sprintf(entryFile, len(x.record.Entries)+1)
	b, err := read(x.dir, name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return false, x.gapless()
	}
	if err != nil {
		return false, fmt.Errorf("ceremony: %w", err)
	}
	var e transcript.Entry
	if err := wire.Unmarshal(b, &e); err != nil {
		return false, fmt.Errorf("ceremony: %s: %w", name, err)
	}
	if err := x.state.Apply(&e); err != nil {
		return false, fmt.Errorf("ceremony: %s: %w", name, err)
	}
	x.record.Entries = append(x.record.Entries, e)
	return true, nil
}

// gapless refuses a directory where entries follow a missing one.
func (x *Ceremony) gapless() error {
	files, err := filepath.Glob(filepath.Join(escape(x.dir), "entry-*.cbor"))
	if err != nil {
		return err
	}
	if n := len(x.record.Entries); len(files) != n {
		return fmt.Errorf("ceremony: %d files of entries, and only %d follow each other; one is missing", len(files), n)
	}
	return nil
}

// escape makes a path stand for itself in a pattern.
func escape(path string) string {
	var out []rune
	for _, r := range path {
		switch r {
		case '*', '?', '[', '\\':
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

// State is the ceremony as far as its entries tell.
func (x *Ceremony) State() *transcript.State { return x.state }

// Transcript is the record that travels in evidence files.
func (x *Ceremony) Transcript() *transcript.Transcript { return &x.record }

// enter signs an entry and makes it the last. Somebody else's entry that came
// meanwhile is never overwritten.
func (x *Ceremony) enter(kind transcript.Kind, by Signer, body any) error {
	e := transcript.Entry{
		Previous: x.state.Head(), Kind: kind, Phase: x.state.Phase(), Time: by.Now, Name: by.Name, Body: wire.Marshal(body),
	}
	e.Sign(by.Key)
	if err := x.state.Apply(&e); err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	err := create(x.dir, fmt.Sprintf(entryFile, len(x.record.Entries)+1), wire.Marshal(e))
	if errors.Is(err, fs.ErrExist) {
		return errors.New("ceremony: somebody else's entry came first; do it again upon theirs")
	}
	if err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	x.record.Entries = append(x.record.Entries, e)
	return nil
}

// Announce names the beacon that will close the phase at hand.
func (x *Ceremony) Announce(by Signer, source string, at int64, size int) error {
	if size < 0 || size > transcript.MaxBeacon {
		size = 0 // refused with the range
	}
	return x.enter(transcript.Announced, by, transcript.Announcement{Source: source, At: at, Size: uint16(size)})
}
