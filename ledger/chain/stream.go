package chain

import (
	"fmt"
	"math"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// Link is one transaction's place in its stream. Its hash is the stream's head
// after the transaction; the hash before it is Previous, zero for the first.
type Link struct {
	_         struct{}      `cbor:",toarray"`
	Previous  wire.Hash     `json:"previous"`
	Stream    wire.StreamID `json:"stream"`
	Sequence  uint64        `json:"sequence"` // in the stream, from 0
	Height    uint64        `json:"height"`
	Index     uint32        `json:"index"` // in the block
	Time      int64         `json:"time"`
	Directory uint64        `json:"directory"` // transactions in the directory when it executed
	Hash      wire.TxHash   `json:"hash"`
	Code      uint16        `json:"code"`
}

// Head is H("stream", previous, stream, sequence, height, index, time, directory, hash, code).
func (l Link) Head() wire.Hash {
	var buf [256]byte
	b := wire.AppendArray(buf[:0], 9)
	b = wire.AppendBytes(b, l.Previous[:])
	b = wire.AppendBytes(b, l.Stream[:])
	b = wire.AppendUint(b, l.Sequence)
	b = wire.AppendUint(b, l.Height)
	b = wire.AppendUint(b, uint64(l.Index))
	b = wire.AppendInt(b, l.Time)
	b = wire.AppendUint(b, l.Directory)
	b = wire.AppendBytes(b, l.Hash[:])
	return wire.SumEncoded("stream", wire.AppendUint(b, uint64(l.Code)))
}

// Leaf is the log's leaf for the linked transaction: CBOR [hash, code, head].
//
// It holds the head so that an inclusion proof shows not only that a
// transaction is in the log and what came of it, but also its stream, its
// sequence and its time; and it holds no body, so that a refused transaction
// leaves none.
func (l Link) Leaf() []byte { return l.LeafAt(l.Head()) }

// LeafAt is the leaf by a head that is known to be the link's.
func (l Link) LeafAt(head wire.Hash) []byte {
	b := wire.AppendArray(make([]byte, 0, 80), 3)
	b = wire.AppendBytes(b, l.Hash[:])
	b = wire.AppendUint(b, uint64(l.Code))
	return wire.AppendBytes(b, head[:])
}

// Stream is what the streams root says of one stream: the value under its id.
type Stream struct {
	_      struct{}  `cbor:",toarray"`
	Head   wire.Hash `json:"head"`
	Count  uint64    `json:"count"`
	Digest wire.Hash `json:"digest"` // root of the map of its state
}

// Encode returns the canonical bytes of s.
func (s Stream) Encode() []byte {
	b := wire.AppendArray(make([]byte, 0, 80), 3)
	b = wire.AppendBytes(b, s.Head[:])
	b = wire.AppendUint(b, s.Count)
	return wire.AppendBytes(b, s.Digest[:])
}

// DecodeStream parses canonical bytes.
func DecodeStream(b []byte) (Stream, error) {
	var s Stream
	r := wire.NewReader(b)
	r.Array(3)
	r.Fixed(s.Head[:])
	s.Count = r.Uint(math.MaxUint64)
	r.Fixed(s.Digest[:])
	if err := r.Done(); err != nil {
		return s, fmt.Errorf("stream: %w", err)
	}
	return s, nil
}

// StreamProof shows what a header's streams root says of one stream. A stream
// that has no transaction yet is proven absent, with a zero Stream.
type StreamProof struct {
	_      struct{}      `cbor:",toarray"`
	ID     wire.StreamID `json:"id"`
	Height uint64        `json:"height"` // of the header it belongs to
	Stream Stream        `json:"stream"`
	Proof  state.Proof   `json:"proof"`
}

// Verify checks the proof against the header it belongs to.
func (p StreamProof) Verify(h Header) error {
	if p.Height != h.Height {
		return fmt.Errorf("stream proof: made for height %d, not %d", p.Height, h.Height)
	}
	var err error
	if p.Stream.Count == 0 {
		if p.Stream != (Stream{}) {
			return fmt.Errorf("stream proof: stream %s: a head without transactions", p.ID)
		}
		err = p.Proof.Absent(h.Streams, p.ID[:])
	} else {
		err = p.Proof.Present(h.Streams, p.ID[:], p.Stream.Encode())
	}
	if err != nil {
		return fmt.Errorf("stream proof: stream %s at height %d: %w", p.ID, p.Height, err)
	}
	return nil
}
