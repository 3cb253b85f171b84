package receipt

import (
	"fmt"
	"time"

	"github.com/trialith/trialith/ledger/chain"
)

// Policy says whose cosignatures make a checkpoint a witnessed one.
type Policy interface {
	// Check returns nil if the signed checkpoint carries valid cosignatures of
	// a quorum. It is asked only of checkpoints that the ledger's key signed.
	Check(checkpoint []byte) error
}

// Proven is what a receipt that verifies says.
type Proven struct {
	Index      uint64 // place in the log, from 0
	Link       chain.Link
	Checkpoint chain.Checkpoint // that it is proven under
	Witnessed  bool             // the policy's quorum has cosigned that checkpoint
	// Notice is to be shown with the receipt wherever it is shown; empty only
	// if the quorum holds and the ledger is no demonstration's.
	Notice string
}

// NoWitness is the notice of a receipt that only the ledger's own key vouches for.
const NoWitness = "No witness: only the ledger's own key vouches for this checkpoint. " +
	"Compare it with one that somebody else holds."

// Demonstration is the notice of a receipt of a demonstration's ledger.
const Demonstration = "Demonstration: the keys behind this ledger are public, so anyone can forge what it holds; no trial may rely on it. "

// Accepted says whether the transaction took effect.
func (p Proven) Accepted() bool { return p.Link.Code == 0 }

// Sentence says in plain words what is proven.
func (p Proven) Sentence() string {
	outcome := "it took effect"
	if !p.Accepted() {
		outcome = fmt.Sprintf("it was refused with code %d and had no effect", p.Link.Code)
	}
	vouched := "The ledger's key signed this"
	if p.Witnessed {
		vouched = "The ledger's key and a quorum of witnesses signed this"
	}
	return fmt.Sprintf("Transaction %v is number %d of the ledger's log and number %d of stream %v, in block %d of %s; %s. %s in a checkpoint of block %d of %s.",
		p.Link.Hash, p.Index, p.Link.Sequence, p.Link.Stream, p.Link.Height, instant(p.Link.Time), outcome,
		vouched, p.Checkpoint.Height, instant(p.Checkpoint.Time))
}

func instant(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// Verify checks the receipt against the ledger's genesis. policy says whose
// cosignatures count; without one, none does.
func (r Receipt) Verify(g chain.Genesis, policy Policy) (Proven, error) {
	p := Proven{Index: r.Index, Link: r.Link, Notice: NoWitness}
	if g.Demonstration {
		p.Notice = Demonstration + p.Notice
	}
	if len(r.Path) > maxPath {
		return p, fmt.Errorf("receipt: path: %d hashes; at most %d", len(r.Path), maxPath)
	}
	keys, err := chain.NewKeys(g, r.Rotations...)
	if err != nil {
		return p, fmt.Errorf("receipt: %w", err)
	}
	if p.Checkpoint, err = chain.OpenCheckpoint(keys, []byte(r.Checkpoint)); err != nil {
		return p, fmt.Errorf("receipt: %w", err)
	}
	if len(keys.Until(p.Checkpoint.Height)) != len(r.Rotations) {
		return p, fmt.Errorf("receipt: a rotation after block %d, which the checkpoint is of", p.Checkpoint.Height)
	}
	if err := r.place(p.Checkpoint); err != nil {
		return p, fmt.Errorf("receipt: %w", err)
	}
	if err := chain.VerifyInclusion(r.Link.Leaf(), r.Index, p.Checkpoint.Size, r.Path, p.Checkpoint.Root); err != nil {
		return p, fmt.Errorf("receipt: path: %w", err)
	}
	if policy != nil && policy.Check([]byte(r.Checkpoint)) == nil {
		p.Witnessed, p.Notice = true, ""
		if g.Demonstration {
			p.Notice = Demonstration
		}
	}
	return p, nil
}

// place checks that the link can stand where it stands in the log under c.
// Every block has a transaction and a time of its own, so height, time and
// place bound each other. A link that lies within these bounds is still what
// the ledger logged, and disagrees with the header that every mirror holds.
func (r Receipt) place(c chain.Checkpoint) error {
	l := r.Link
	switch {
	case l.Height == 0 || l.Height > c.Height:
		return fmt.Errorf("link: height %d; the checkpoint is of block %d", l.Height, c.Height)
	case l.Height == c.Height && l.Time != c.Time:
		return fmt.Errorf("link: time %d; the checkpoint says that block %d has %d", l.Time, c.Height, c.Time)
	case l.Height < c.Height && l.Time >= c.Time:
		return fmt.Errorf("link: time %d in block %d is not before that of block %d", l.Time, l.Height, c.Height)
	case r.Index >= c.Size:
		return fmt.Errorf("index %d; the checkpoint's log has %d transactions", r.Index, c.Size)
	case uint64(l.Index) > r.Index || r.Index-uint64(l.Index) < l.Height-1:
		return fmt.Errorf("link: %d in block %d cannot be number %d of the log: each block before has a transaction", l.Index, l.Height, r.Index)
	case c.Size-1-r.Index < c.Height-l.Height:
		return fmt.Errorf("link: block %d ends too late in the log for %d blocks to follow", l.Height, c.Height-l.Height)
	}
	return nil
}
