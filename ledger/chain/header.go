package chain

import (
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
)

// HeaderVersion is the only form of header there is.
const HeaderVersion = 1

// Header commits to one block and to everything before it. Encoded as a CBOR array.
type Header struct {
	_        struct{}      `cbor:",toarray"`
	Version  uint8         `json:"version"`
	Ledger   wire.LedgerID `json:"ledger"`
	Height   uint64        `json:"height"`
	Time     int64         `json:"time"`     // milliseconds since 1970 UTC, above the previous block's
	First    uint64        `json:"first"`    // place of the block's first transaction in the log
	Count    uint32        `json:"count"`    // transactions in the block, at least 1
	Previous wire.Hash     `json:"previous"` // hash of the header before
	Root     wire.Hash     `json:"root"`     // RFC 6962, over the leaves of all First + Count transactions
	Streams  wire.Hash     `json:"streams"`  // root of the map from stream id to Stream
	Results  wire.Hash     `json:"results"`  // H("results", [[code, events]…]) of the block
	Rules    uint32        `json:"rules"`    // rule-set version in force
}

// Header is the header at height 0 that genesis alone determines: no block, an
// empty log, no stream. The first block's Previous is its hash.
func (g Genesis) Header() Header {
	return Header{
		Version: HeaderVersion, Ledger: g.ID(), Time: g.Time, Rules: g.Rules,
		Root: wire.Hash(hasher.EmptyRoot()),
	}
}

// Hash is H("header", header).
func (h Header) Hash() wire.Hash { return wire.Sum("header", h) }

// Size is the number of transactions in the log after this block.
func (h Header) Size() uint64 { return h.First + uint64(h.Count) }

// Encode returns the canonical bytes of h.
func (h Header) Encode() []byte { return wire.Marshal(h) }

// DecodeHeader parses canonical bytes.
func DecodeHeader(b []byte) (Header, error) {
	var h Header
	if err := wire.Unmarshal(b, &h); err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	if h.Version != HeaderVersion {
		return h, fmt.Errorf("header: version %d; only %d is known", h.Version, HeaderVersion)
	}
	return h, nil
}

// Follows checks that h is a possible successor of prev: the same ledger, the
// next height, a later time, the next transactions, and prev's hash.
func (h Header) Follows(prev Header) error {
	switch {
	case h.Version != HeaderVersion:
		return fmt.Errorf("header %d: version %d; only %d is known", h.Height, h.Version, HeaderVersion)
	case h.Ledger != prev.Ledger:
		return fmt.Errorf("header %d: belongs to ledger %s", h.Height, h.Ledger)
	case h.Height != prev.Height+1:
		return fmt.Errorf("header %d: stands where %d belongs", h.Height, prev.Height+1)
	case h.Time <= prev.Time:
		return fmt.Errorf("header %d: time %d is not after %d", h.Height, h.Time, prev.Time)
	case h.First != prev.Size():
		return fmt.Errorf("header %d: first transaction %d, the log has %d", h.Height, h.First, prev.Size())
	case h.Count == 0:
		return fmt.Errorf("header %d: a block has at least one transaction", h.Height)
	case h.Size() < h.First:
		return fmt.Errorf("header %d: transaction count overflows", h.Height)
	case h.Rules < prev.Rules:
		return fmt.Errorf("header %d: rule set %d after %d; it never goes back", h.Height, h.Rules, prev.Rules)
	case h.Previous != prev.Hash():
		return fmt.Errorf("header %d: previous is not the hash of header %d", h.Height, prev.Height)
	}
	return nil
}

// CheckHeaders checks a chain of headers from height 1 on, gap-free, against genesis.
func CheckHeaders(g Genesis, headers []Header) error {
	prev := g.Header()
	for _, h := range headers {
		if err := h.Follows(prev); err != nil {
			return err
		}
		prev = h
	}
	return nil
}
