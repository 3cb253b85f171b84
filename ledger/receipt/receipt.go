// Package receipt is what a submitter keeps: proof that a transaction is in the
// ledger, where, when, and what came of it. It is checked with nothing but the
// ledger's genesis, and a policy of whose cosignatures count.
//
// It has one form, the text of a C2SP tlog-proof, which public tools check as
// far as the log goes:
//
//	c2sp.org/tlog-proof@v1
//	extra <CBOR [link, [rotation…]], base64>
//	index <place in the log, decimal>
//	<inclusion path, one hash in base64 a line>
//
//	<signed checkpoint>
//
// The checkpoint is of the transaction's own block or of a later one. The leaf
// that is proven commits to the link, so what the link says of stream, height,
// time and result is what the ledger logged. The rotations are those of the
// node's key up to the checkpoint's block; most ledgers have none.
package receipt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	fproof "github.com/transparency-dev/formats/proof"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// Limits of a receipt.
const (
	// MaxBytes bounds the text: a path, a link with all the rotations a ledger may
	// have, and a checkpoint with all its cosignatures.
	MaxBytes = chain.MaxCheckpointBytes + 16<<10 + 2*maxExtra
	maxPath  = 64 // an inclusion proof in a log of 2^64 leaves
	maxExtra = chain.MaxRotations << 10
)

// Receipt proves one entry under a checkpoint.
type Receipt struct {
	Index      uint64      // place in the log, from 0
	Link       chain.Link  // the entry's place in its stream
	Path       []wire.Hash // RFC 6962 inclusion proof of the link's leaf
	Checkpoint string      // C2SP signed note of the entry's block or a later one, with any cosignatures
	// Rotations of the node's key up to the checkpoint's height.
	Rotations []chain.Rotation
}

// extra is what the proof's extra line holds. Encoded as a CBOR array.
type extra struct {
	_         struct{} `cbor:",toarray"`
	Link      chain.Link
	Rotations []chain.Rotation
}

// New puts a receipt together.
func New(index uint64, l chain.Link, path []wire.Hash, checkpoint []byte, rotations []chain.Rotation) Receipt {
	return Receipt{Index: index, Link: l, Path: path, Checkpoint: string(checkpoint), Rotations: rotations}
}

// Text is the receipt's one form.
func (r Receipt) Text() []byte {
	hashes := make([][wire.Size]byte, len(r.Path))
	for i, h := range r.Path {
		hashes[i] = h
	}
	return fproof.TLogProof{
		Index: r.Index, Hashes: hashes, Checkpoint: []byte(r.Checkpoint),
		ExtraData: wire.Marshal(extra{Link: r.Link, Rotations: r.Rotations}),
	}.Marshal()
}

// Parse reads the text, strictly: what Text would not write is refused, so
// that a receipt has one spelling.
func Parse(text []byte) (Receipt, error) {
	var r Receipt
	if len(text) > MaxBytes {
		return r, fmt.Errorf("receipt: %d bytes; at most %d", len(text), MaxBytes)
	}
	var p fproof.TLogProof
	if err := p.Unmarshal(text); err != nil {
		return r, fmt.Errorf("receipt: %w", err)
	}
	switch {
	case len(p.Hashes) > maxPath:
		return r, fmt.Errorf("receipt: path: %d hashes; at most %d", len(p.Hashes), maxPath)
	case p.ExtraData == nil:
		return r, errors.New("receipt: no extra line; a proof of this ledger has the transaction's link there")
	case len(p.ExtraData) > maxExtra:
		return r, fmt.Errorf("receipt: link and rotations: %d bytes; at most %d", len(p.ExtraData), maxExtra)
	}
	var x extra
	if err := wire.Unmarshal(p.ExtraData, &x); err != nil {
		return r, fmt.Errorf("receipt: link: %w", err)
	}
	path := make([]wire.Hash, len(p.Hashes))
	for i, h := range p.Hashes {
		path[i] = h
	}
	r = New(p.Index, x.Link, path, p.Checkpoint, x.Rotations)
	if string(r.Text()) != string(text) {
		return r, errors.New("receipt: not in its canonical form; numbers have no leading zero, base64 no spare bits, lines end in one newline")
	}
	return r, canonicalSignatures(r.Checkpoint)
}

// canonicalSignatures refuses a signature with spare bits: the note's reader
// skips them, and the receipt would have a second spelling.
func canonicalSignatures(checkpoint string) error {
	_, lines, _ := strings.Cut(checkpoint, "\n\n")
	for line := range strings.Lines(lines) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(words) != 3 || words[0] != "\u2014" {
			return errors.New("receipt: checkpoint: a signature line is a dash, a name, and a signature")
		}
		if _, err := base64.StdEncoding.Strict().DecodeString(words[2]); err != nil {
			return fmt.Errorf("receipt: checkpoint: signature: %w", err)
		}
	}
	return nil
}
