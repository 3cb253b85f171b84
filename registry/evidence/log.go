package evidence

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

var (
	logHasher = rfc6962.DefaultHasher
	logRanges = compact.RangeFactory{Hash: logHasher.HashChildren}
)

// placed is an entry's leaf and its place in the log.
type placed struct {
	place uint64
	leaf  []byte
}

// computeLog computes the log of the given size from the leaves that the file
// has, by ascending place, and the gaps between them. It tells reached each size
// that an entry or a gap ends at.
func computeLog(size uint64, leaves []placed, gaps []Gap, reached func(*compact.Range) error) error {
	log := logRanges.NewEmptyRange(0)
	for log.End() < size {
		switch {
		case len(leaves) > 0 && leaves[0].place == log.End():
			if err := log.Append(logHasher.HashLeaf(leaves[0].leaf), nil); err != nil {
				return err
			}
			leaves = leaves[1:]
		case len(gaps) > 0 && gaps[0].First == log.End():
			if err := fill(log, gaps[0], size); err != nil {
				return err
			}
			gaps = gaps[1:]
		default:
			return fmt.Errorf("place %d of the log is covered neither by an entry nor by a gap", log.End())
		}
		if err := reached(log); err != nil {
			return err
		}
	}
	if len(leaves) > 0 || len(gaps) > 0 {
		return fmt.Errorf("%d entries and %d gaps lie beyond the log of %d transactions, or upon each other", len(leaves), len(gaps), size)
	}
	return nil
}

// roots compares the log, as it grows, with the roots of headers.
type roots struct {
	headers  []chain.Header // by ascending height, that were not reached yet
	compared map[uint64]bool
}

func newRoots(headers []chain.Header) *roots {
	return &roots{headers: headers, compared: map[uint64]bool{}}
}

func (r *roots) reached(log *compact.Range) error {
	for len(r.headers) > 0 && r.headers[0].Size() < log.End() {
		r.headers = r.headers[1:] // a gap goes across its end
	}
	if len(r.headers) == 0 || r.headers[0].Size() != log.End() {
		return nil
	}
	h := r.headers[0]
	root, err := log.GetRootHash(nil)
	if err != nil {
		return err
	}
	if wire.Hash(root) != h.Root {
		return fmt.Errorf("the entries and the hashes between them do not give the root that was signed at height %d", h.Height)
	}
	r.compared[h.Height] = true
	return nil
}

func fill(root *compact.Range, g Gap, size uint64) error {
	if g.Count == 0 || g.Count > size-g.First {
		return fmt.Errorf("gap at %d: %d places of a log of %d", g.First, g.Count, size)
	}
	hashes := make([][]byte, len(g.Hashes))
	for i := range g.Hashes {
		hashes[i] = g.Hashes[i][:]
	}
	r, err := logRanges.NewRange(g.First, g.First+g.Count, hashes)
	if err != nil {
		return fmt.Errorf("gap at %d: %w", g.First, err)
	}
	return root.AppendRange(r, nil)
}

// splitAt parts gaps at sizes of the log, ascending, so that its root at each
// can be computed.
func splitAt(gaps []Gap, sizes []uint64) (parts []Gap) {
	for _, g := range gaps {
		for _, size := range sizes {
			if g.First < size && size < g.First+g.Count {
				parts = append(parts, Gap{First: g.First, Count: size - g.First})
				g = Gap{First: size, Count: g.First + g.Count - size}
			}
		}
		parts = append(parts, g)
	}
	return parts
}

// gapsBetween lists the gaps between ascending places of a log, without hashes.
func gapsBetween(size uint64, places []uint64) (gaps []Gap) {
	next := uint64(0)
	for _, p := range append(places, size) {
		if p > next {
			gaps = append(gaps, Gap{First: next, Count: p - next})
		}
		next = p + 1
	}
	return gaps
}

// fillGaps computes the hashes of the gaps from the ledger's own entries. It
// reads the whole log up to the last gap, because a leaf holds the head of its
// stream, which only the stream's entries before it give.
func fillGaps(src Source, gaps []Gap) error {
	heads := map[wire.StreamID]wire.Hash{}
	place := uint64(0)
	for i := range gaps {
		g := &gaps[i]
		end := g.First + g.Count
		r := logRanges.NewEmptyRange(g.First)
		for place < end {
			entries, err := src.Entries(place, int(min(page, end-place)))
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				return fmt.Errorf("the log ends at %d, before %d", place, end)
			}
			for j := range entries {
				link := entries[j].Link(heads[entries[j].Stream])
				heads[link.Stream] = link.Head()
				if place >= g.First {
					if err := r.Append(logHasher.HashLeaf(link.Leaf()), nil); err != nil {
						return err
					}
				}
				place++
			}
		}
		for _, h := range r.Hashes() {
			g.Hashes = append(g.Hashes, wire.Hash(h))
		}
	}
	return nil
}

// placeOf is an entry's place in the log, by the headers from height 1 on.
func placeOf(headers []chain.Header, height uint64, index uint32) (uint64, error) {
	if height == 0 || height > uint64(len(headers)) {
		return 0, fmt.Errorf("height %d; the headers end at %d", height, len(headers))
	}
	h := headers[height-1]
	if index >= h.Count {
		return 0, fmt.Errorf("index %d in block %d of %d transactions", index, height, h.Count)
	}
	return h.First + uint64(index), nil
}
