// Package monitor watches a ledger for its readers: it keeps what the ledger
// has signed, compares whatever it signs next and shows to others with that,
// and makes of two histories a proof that anybody can check.
package monitor

import (
	"errors"
	"fmt"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// Form of the evidence.
const (
	evidenceName    = "trialith equivocation"
	evidenceVersion = 1
	// MaxEvidence bounds an evidence file, in bytes.
	MaxEvidence = wire.MaxItem
	maxPath     = 128 // of a consistency proof between logs below 2^64
)

// Signed is a signed checkpoint, with the rotations that give the node's key of
// its height. Encoded as a CBOR array.
type Signed struct {
	_          struct{} `cbor:",toarray"`
	Checkpoint string
	Rotations  []chain.Rotation
}

// Open verifies the signature.
func (s Signed) Open(g chain.Genesis) (chain.Checkpoint, error) {
	keys, err := chain.NewKeys(g, s.Rotations...)
	if err != nil {
		return chain.Checkpoint{}, err
	}
	c, err := chain.OpenCheckpoint(keys, []byte(s.Checkpoint))
	if err == nil && len(keys.Until(c.Height)) != len(s.Rotations) {
		err = fmt.Errorf("checkpoint: a rotation after block %d, which it is of", c.Height)
	}
	return c, err
}

// Equivocation shows that a ledger's node signed two histories: two checkpoints
// that cannot both be of one ledger. Encoded as a CBOR array.
//
// If the two do not contradict each other on their face, one of two things
// shows that the later one has another past than the earlier: the headers that
// it commits to, from the earlier one's height on, of which the first is not
// the earlier one's; or a proof that its log begins with a log of the earlier
// one's size and another root.
type Equivocation struct {
	_       struct{} `cbor:",toarray"`
	Name    string
	Version uint8
	Ledger  wire.LedgerID
	Earlier Signed
	Later   Signed // of the same height or a higher one
	Headers []chain.Header
	Root    wire.Hash
	Path    []wire.Hash
}

func newEquivocation(g chain.Genesis, earlier, later Signed) *Equivocation {
	return &Equivocation{Name: evidenceName, Version: evidenceVersion, Ledger: g.ID(), Earlier: earlier, Later: later}
}

// Encode returns the canonical bytes.
func (e *Equivocation) Encode() []byte { return wire.Marshal(e) }

// Parse reads canonical bytes.
func Parse(b []byte) (*Equivocation, error) {
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("evidence: %d bytes; at most %d", len(b), MaxEvidence)
	}
	e := new(Equivocation)
	if err := wire.Unmarshal(b, e); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if e.Name != evidenceName || e.Version != evidenceVersion {
		return nil, fmt.Errorf("evidence: %.40q, version %d; only %q, version %d, is known", e.Name, e.Version, evidenceName, evidenceVersion)
	}
	return e, nil
}

// Check verifies the evidence against the ledger's genesis, without anything
// else. It returns a sentence that says what is proven, or an error that says
// why nothing is.
func (e *Equivocation) Check(g chain.Genesis) (string, error) {
	if e.Ledger != g.ID() {
		return "", fmt.Errorf("evidence: of ledger %v; this genesis is of %v", e.Ledger, g.ID())
	}
	a, err := e.Earlier.Open(g)
	if err != nil {
		return "", fmt.Errorf("evidence: earlier checkpoint: %w", err)
	}
	b, err := e.Later.Open(g)
	if err != nil {
		return "", fmt.Errorf("evidence: later checkpoint: %w", err)
	}
	if a.Height > b.Height {
		return "", errors.New("evidence: the earlier checkpoint is of the higher block")
	}
	why, err := e.why(a, b)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("The node of ledger %v signed two histories. It signed the checkpoint of block %d of %s, and the checkpoint of block %d of %s: %s.",
		g.ID(), a.Height, instant(a.Time), b.Height, instant(b.Time), why), nil
}

func instant(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

func (e *Equivocation) why(a, b chain.Checkpoint) (string, error) {
	if why := contradiction(a, b); why != "" {
		return why, nil
	}
	switch {
	case len(e.Headers) > 0:
		return e.otherBlock(a, b)
	case len(e.Path) > 0:
		return e.otherLog(a, b)
	}
	return "", errors.New("evidence: the two checkpoints do not contradict each other, and nothing shows that their pasts do")
}

// contradiction says why two checkpoints cannot be of one ledger whatever their
// blocks hold; "" if they can. a is not of a higher block than b.
func contradiction(a, b chain.Checkpoint) string {
	switch {
	case a.Height == b.Height && a.Header != b.Header:
		return "they are of one height and name two blocks"
	case a.Height == b.Height && (a.Size != b.Size || a.Root != b.Root):
		return "they are of one block and name two logs"
	case a.Height == b.Height && a.Time != b.Time:
		return "they are of one block and name two times"
	case a.Height == b.Height:
		return ""
	case b.Size < a.Size || b.Size-a.Size < b.Height-a.Height:
		return fmt.Sprintf("the log goes from %d to %d transactions, and each of the blocks between has one", a.Size, b.Size)
	case b.Time <= a.Time:
		return "the later block is not of a later time"
	}
	return ""
}

// otherBlock follows the later checkpoint's headers down to the earlier one's height.
func (e *Equivocation) otherBlock(a, b chain.Checkpoint) (string, error) {
	first := e.Headers[0]
	if first.Height != a.Height {
		return "", fmt.Errorf("evidence: the headers begin at %d, not at the earlier checkpoint's %d", first.Height, a.Height)
	}
	for i, h := range e.Headers[1:] {
		if err := h.Follows(e.Headers[i]); err != nil {
			return "", fmt.Errorf("evidence: %w", err)
		}
	}
	if err := b.Matches(e.Headers[len(e.Headers)-1]); err != nil {
		return "", fmt.Errorf("evidence: the later checkpoint does not commit to these headers: %w", err)
	}
	if a.Matches(first) == nil {
		return "", errors.New("evidence: the later checkpoint commits to the earlier one's block; nothing is wrong")
	}
	return fmt.Sprintf("the later one commits to another block %d", a.Height), nil
}

// otherLog verifies what the later checkpoint's log begins with.
func (e *Equivocation) otherLog(a, b chain.Checkpoint) (string, error) {
	if len(e.Path) > maxPath {
		return "", fmt.Errorf("evidence: path: %d hashes; at most %d", len(e.Path), maxPath)
	}
	if err := chain.VerifyConsistency(a.Size, b.Size, e.Path, e.Root, b.Root); err != nil {
		return "", fmt.Errorf("evidence: path: %w", err)
	}
	if e.Root == a.Root {
		return "", errors.New("evidence: the later log begins with the earlier one; nothing is wrong")
	}
	return fmt.Sprintf("the log of the later one does not begin with the %d transactions of the earlier one's", a.Size), nil
}
