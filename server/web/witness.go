package web

import (
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/witness"
)

// witnessing is what independent witnesses have cosigned of the ledger: up to
// which block, and of when. The zero value: nothing.
type witnessing struct {
	Height uint64
	Time   int64
	Behind uint64 // newer blocks
}

// witnessing reads the newest cosigned checkpoint. What does not open, or has
// not the quorum of the node's own policy, is no cosignature to a visitor.
func (s *site) witnessing() (w witnessing) {
	if s.Witnesses == nil {
		return w
	}
	note, err := s.Ledger.Cosigned()
	if err != nil || s.Witnesses.Check(note) != nil {
		return w
	}
	text, err := witness.TextOf(note)
	if err != nil {
		return w
	}
	c, err := chain.ParseCheckpoint(text)
	if err != nil {
		return w
	}
	w = witnessing{Height: c.Height, Time: c.Time}
	if head := s.Ledger.Head().Height; head > c.Height {
		w.Behind = head - c.Height
	}
	return w
}
