package monitor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tiles"
	"github.com/trialith/trialith/ledger/wire"
)

// Config says what a monitor watches. Dir, Genesis and Clock are needed.
type Config struct {
	Dir     string // what it has seen, and evidence; made if it is not there
	Genesis chain.Genesis
	Clock   engine.Clock
	Policy  receipt.Policy // whose cosignatures count; nil: nobody's are asked for
}

// Monitor follows one ledger through any number of servers. It is for one
// goroutine, and one process has its directory.
type Monitor struct {
	cfg   Config
	dir   tiles.Dir
	known *Known
}

// The part of the directory that is not of the layout.
const dirEvidence = "evidence"

// drift is how far a ledger's clock may go before the monitor's, in
// milliseconds: as far as a witness lets it.
const drift = 5 * 60 * 1000

// Open opens a monitor's directory, and verifies what it knows.
func Open(ctx context.Context, c Config) (*Monitor, error) {
	if c.Dir == "" || c.Clock == nil {
		return nil, errors.New("monitor: name a directory, and give a clock")
	}
	dir, err := tiles.OpenDir(c.Dir)
	if err != nil {
		return nil, err
	}
	known, err := OpenKnown(ctx, c.Genesis, dir)
	if err != nil {
		return nil, err
	}
	return &Monitor{cfg: c, dir: dir, known: known}, nil
}

// Checkpoint is the newest that is known; zero before any.
func (m *Monitor) Checkpoint() chain.Checkpoint { return m.known.Checkpoint() }

// Report is what a look at one server found.
type Report struct {
	Checkpoint chain.Checkpoint
	New        uint64 // blocks that were not known before
	// Doubts are what is not as it should be and proves nothing: no quorum of
	// witnesses, a clock that goes before the monitor's, a server that lags.
	Doubts []string
	// Evidence is the file that was written of what the server showed.
	Evidence string
}

// Look asks one server. The error is an *EquivocationError if the ledger signed
// two histories, of which the proof was written to Report.Evidence; any other
// says that the server does not show what it must, or cannot be reached.
func (m *Monitor) Look(ctx context.Context, r tiles.Reader) (Report, error) {
	seen, err := m.known.Examine(ctx, r)
	var twice *EquivocationError
	var behind *BehindError
	switch {
	case errors.As(err, &twice):
		file, bad := KeepEvidence(filepath.Join(m.cfg.Dir, dirEvidence), twice.Evidence)
		return Report{Checkpoint: m.known.Checkpoint(), Evidence: file}, errors.Join(err, bad)
	case errors.As(err, &behind):
		return Report{Checkpoint: m.known.Checkpoint(), Doubts: []string{behind.Error()}}, nil
	case err != nil:
		return Report{Checkpoint: m.known.Checkpoint()}, err
	}
	out := Report{Checkpoint: seen.Checkpoint, New: uint64(len(seen.Headers)), Doubts: m.doubts(seen)}
	if !m.better(seen) {
		return out, nil
	}
	return out, m.keep(seen)
}

func (m *Monitor) doubts(s *Seen) (out []string) {
	if ahead := s.Checkpoint.Time - m.cfg.Clock.Now(); ahead > drift {
		out = append(out, fmt.Sprintf("its newest block is of %s, %d seconds before this machine's clock", instant(s.Checkpoint.Time), ahead/1000))
	}
	if m.cfg.Policy != nil {
		if err := m.cfg.Policy.Check([]byte(s.Signed.Checkpoint)); err != nil {
			out = append(out, "not witnessed: "+err.Error())
		}
	}
	return out
}

// better reports whether a checkpoint is worth keeping: it is newer, or the
// policy is content with it and was not with the one that is known.
func (m *Monitor) better(s *Seen) bool {
	if at := m.known.Checkpoint(); at.Origin == "" || s.Checkpoint.Height > at.Height {
		return true
	}
	p := m.cfg.Policy
	return p != nil && p.Check([]byte(m.known.signed.Checkpoint)) != nil && p.Check([]byte(s.Signed.Checkpoint)) == nil
}

// keep writes the headers, then the checkpoint.
func (m *Monitor) keep(s *Seen) error {
	old := m.known.Checkpoint()
	if err := m.dir.Write(tiles.Path{Kind: tiles.Rotations}, wire.Marshal(s.Signed.Rotations)); err != nil {
		return err
	}
	if err := WriteHeaders(m.dir, old.Height, s.Headers); err != nil {
		return err
	}
	if err := m.dir.Publish(old, s.Checkpoint, []byte(s.Signed.Checkpoint)); err != nil {
		return err
	}
	m.known.Keep(s)
	return nil
}

// WriteHeaders writes the bundles that headers above a height make, together
// with those that the directory has of the first one's bundle.
func WriteHeaders(dir tiles.Dir, above uint64, hs []chain.Header) error {
	if len(hs) == 0 {
		return nil
	}
	first := above / tiles.Width * tiles.Width // height before the first bundle's
	before, err := headers(context.Background(), dir, first+1, above)
	if err != nil {
		return err
	}
	hs = append(before, hs...)
	for index := first / tiles.Width; len(hs) > 0; index++ {
		n := min(len(hs), tiles.Width)
		p := tiles.Path{Kind: tiles.Headers, Index: index, Width: n}
		if err := dir.Write(p, tiles.EncodeHeaders(hs[:n])); err != nil {
			return err
		}
		hs = hs[n:]
	}
	return nil
}
