package evidence

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/trialith/trialith/ledger/chain"
)

// Cosigned is a checkpoint that witnesses cosigned.
type Cosigned struct {
	_      struct{} `cbor:",toarray"`
	Note   []byte   // C2SP signed note: the node's signature, then cosignatures
	Stamps [][]byte // RFC 3161 time stamp tokens of the note's text
}

// Witnessed gives the checkpoints that witnesses cosigned, by height.
type Witnessed interface {
	// CosignedFrom returns the one of the least height from one on, and false if
	// there is none.
	CosignedFrom(height uint64) (Cosigned, bool, error)
	// CosignedUpTo returns the one of the greatest height up to one, and false if
	// there is none.
	CosignedUpTo(height uint64) (Cosigned, bool, error)
}

// collect picks the cosigned checkpoints that a file carries, by ascending
// height: the first after each milestone, which shows its time best, and the
// newest, which covers the most.
func collect(w Witnessed, x extracted) ([]Cosigned, error) {
	if w == nil {
		return nil, nil
	}
	h, err := readHistory(x.directory, x.trial)
	if err != nil {
		return nil, err
	}
	picked := map[uint64]Cosigned{}
	pick := func(c Cosigned, found bool, err error) error {
		if err != nil || !found {
			return err
		}
		at, err := heightOf(c.Note)
		if err == nil && at <= x.height {
			picked[at] = c
		}
		return err
	}
	for _, m := range h.milestones {
		if err := pick(w.CosignedFrom(m.height)); err != nil {
			return nil, err
		}
	}
	if err := pick(w.CosignedUpTo(x.height)); err != nil {
		return nil, err
	}
	return ascending(picked), nil
}

// ascending sorts by height.
func ascending(picked map[uint64]Cosigned) []Cosigned {
	out := make([]Cosigned, 0, len(picked))
	for _, height := range slices.Sorted(maps.Keys(picked)) {
		out = append(out, picked[height])
	}
	return out
}

// heightOf is the height that a signed checkpoint names, whoever signed it.
func heightOf(note []byte) (uint64, error) {
	text, _, found := strings.Cut(string(note), "\n\n")
	if !found {
		return 0, errors.New("not a signed note")
	}
	c, err := chain.ParseCheckpoint(text + "\n")
	return c.Height, err
}
