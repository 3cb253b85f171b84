// Package receipt is what a submitter keeps: proof that a transaction is in the
// ledger, where, when, and what came of it. It is checked with nothing but the
// ledger's genesis.
package receipt

import (
	"fmt"

	fproof "github.com/transparency-dev/formats/proof"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// Version is the only form of receipt there is.
const Version = 1

// Limits of a receipt.
const (
	MaxBytes = 128 << 10
	maxPath  = 64 // an inclusion proof in a log of 2^64 leaves
)

// Receipt proves one entry under the checkpoint of its own block. Encoded as a
// CBOR array of its fields.
type Receipt struct {
	_       struct{}     `cbor:",toarray"`
	Version uint8        `json:"version"`
	Header  chain.Header `json:"header"` // of the block
	// Link is the entry's place in its stream; Height and Time are the header's.
	Link       chain.Link  `json:"link"`
	Path       []wire.Hash `json:"path"`       // RFC 6962 inclusion proof of the link's leaf
	Checkpoint string      `json:"checkpoint"` // C2SP signed note of the header, with any cosignatures
}

// New puts a receipt together.
func New(h chain.Header, l chain.Link, path []wire.Hash, checkpoint []byte) Receipt {
	return Receipt{Version: Version, Header: h, Link: l, Path: path, Checkpoint: string(checkpoint)}
}

// Proven is what a receipt that verifies says.
type Proven struct {
	Index uint64 // place in the log, from 0
	Link  chain.Link
	// Notice is to be shown with the receipt wherever it is shown.
	Notice string
}

// NoWitness is the notice of a receipt that only the ledger's own key vouches for.
const NoWitness = "No witness: only the ledger's own key vouches for this checkpoint. " +
	"Compare it with one that somebody else holds."

// Demonstration is the notice of a receipt of a demonstration's ledger.
const Demonstration = "Demonstration: the keys behind this ledger are public, so anyone can forge what it holds; no trial may rely on it. "

// Accepted says whether the transaction took effect.
func (p Proven) Accepted() bool { return p.Link.Code == 0 }

// Verify checks the receipt against the ledger's genesis.
func (r Receipt) Verify(g chain.Genesis) (Proven, error) {
	h, l := r.Header, r.Link
	p := Proven{Index: h.First + uint64(l.Index), Link: l, Notice: NoWitness}
	if g.Demonstration {
		p.Notice = Demonstration + p.Notice
	}
	switch {
	case r.Version != Version:
		return p, fmt.Errorf("receipt: version %d; only %d is known", r.Version, Version)
	case h.Version != chain.HeaderVersion:
		return p, fmt.Errorf("receipt: header: version %d; only %d is known", h.Version, chain.HeaderVersion)
	case h.Ledger != g.ID():
		return p, fmt.Errorf("receipt: ledger %v; this genesis is %v", h.Ledger, g.ID())
	case l.Index >= h.Count:
		return p, fmt.Errorf("receipt: index %d in a block of %d", l.Index, h.Count)
	case l.Height != h.Height || l.Time != h.Time:
		return p, fmt.Errorf("receipt: the link's height and time are not the header's")
	case len(r.Path) > maxPath:
		return p, fmt.Errorf("receipt: path: %d hashes; at most %d", len(r.Path), maxPath)
	}
	c, err := chain.OpenCheckpoint(g.Keys(), []byte(r.Checkpoint))
	if err != nil {
		return p, fmt.Errorf("receipt: %w", err)
	}
	if err := c.Matches(h); err != nil {
		return p, fmt.Errorf("receipt: %w", err)
	}
	if err := chain.VerifyInclusion(l.Leaf(), p.Index, c.Size, r.Path, c.Root); err != nil {
		return p, fmt.Errorf("receipt: path: %w", err)
	}
	return p, nil
}

// Encode returns the canonical bytes of r.
func (r Receipt) Encode() []byte { return wire.Marshal(r) }

// Decode parses canonical bytes.
func Decode(b []byte) (Receipt, error) {
	var r Receipt
	if len(b) > MaxBytes {
		return r, fmt.Errorf("receipt: %d bytes; at most %d", len(b), MaxBytes)
	}
	if err := wire.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}

// TLogProof returns the receipt as a C2SP tlog-proof, which public tools check
// as far as the log goes; header and link travel in its extra line.
func (r Receipt) TLogProof() []byte {
	hashes := make([][wire.Size]byte, len(r.Path))
	for i, h := range r.Path {
		hashes[i] = h
	}
	return fproof.TLogProof{
		Index: r.Header.First + uint64(r.Link.Index), Hashes: hashes,
		Checkpoint: []byte(r.Checkpoint), ExtraData: wire.Marshal([]any{r.Header, r.Link}),
	}.Marshal()
}
