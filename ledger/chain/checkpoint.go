package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// MaxCheckpointBytes bounds a signed checkpoint with its cosignatures.
const MaxCheckpointBytes = 64 << 10

// Checkpoint is what the node signs: the text of a C2SP tlog-checkpoint, with
// the header's time and hash in an extension line, so that one signature covers
// the log and the header chain, and a witness that holds no header still sees
// what time the ledger claims.
//
//	<origin>
//	<size in decimal>
//	<root in base64>
//	header <height in decimal> <time in milliseconds, decimal> <header hash in base64>
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   wire.Hash
	Height uint64
	Time   int64 // the header's, in milliseconds since 1970 UTC
	Header wire.Hash
}

// Checkpoint is the checkpoint of the log after the header's block.
func (h Header) Checkpoint(origin string) Checkpoint {
	return Checkpoint{Origin: origin, Size: h.Size(), Root: h.Root, Height: h.Height, Time: h.Time, Header: h.Hash()}
}

// Text is the note's text, which is what a signature covers.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\nheader %d %d %s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]),
		c.Height, c.Time, base64.StdEncoding.EncodeToString(c.Header[:]))
}

// Matches checks that the checkpoint is the header's own.
func (c Checkpoint) Matches(h Header) error {
	switch {
	case c.Height != h.Height:
		return fmt.Errorf("checkpoint: height %d, the header's is %d", c.Height, h.Height)
	case c.Header != h.Hash():
		return fmt.Errorf("checkpoint: another header at height %d", h.Height)
	case c.Time != h.Time:
		return fmt.Errorf("checkpoint: time %d, that of header %d is %d", c.Time, h.Height, h.Time)
	case c.Size != h.Size() || c.Root != h.Root:
		return fmt.Errorf("checkpoint: log of %d transactions, another than header %d has", c.Size, h.Height)
	}
	return nil
}

// ParseCheckpoint parses a note's text, strictly: text that Text would not
// write is refused.
func ParseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return c, errors.New("checkpoint: needs the four lines origin, size, root, header")
	}
	c.Origin = lines[0]
	var err error
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil {
		return c, fmt.Errorf("checkpoint: size: %w", err)
	}
	if c.Root, err = parseBase64(lines[2]); err != nil {
		return c, fmt.Errorf("checkpoint: root: %w", err)
	}
	words := strings.Split(lines[3], " ")
	if len(words) != 4 || words[0] != "header" {
		return c, errors.New(`checkpoint: the fourth line is "header <height> <time> <hash>"`)
	}
	if c.Height, err = strconv.ParseUint(words[1], 10, 64); err != nil {
		return c, fmt.Errorf("checkpoint: height: %w", err)
	}
	if c.Time, err = strconv.ParseInt(words[2], 10, 64); err != nil {
		return c, fmt.Errorf("checkpoint: time: %w", err)
	}
	if c.Time < 0 {
		return c, fmt.Errorf("checkpoint: time: %d; milliseconds since 1970", c.Time)
	}
	if c.Header, err = parseBase64(words[3]); err != nil {
		return c, fmt.Errorf("checkpoint: header: %w", err)
	}
	if c.Text() != text {
		return c, errors.New("checkpoint: not in its canonical form; numbers have no leading zero, hashes no spare bits")
	}
	return c, nil
}

// Sign signs the checkpoint with the node's signer.
func (c Checkpoint) Sign(s note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// OpenCheckpoint parses a signed checkpoint of the ledger whose node has the
// keys k, and checks the signature of the key of the checkpoint's own height: an
// older one has no say any more. Further signatures are let pass unread.
func OpenCheckpoint(k Keys, msg []byte) (Checkpoint, error) {
	if len(msg) > MaxCheckpointBytes {
		return Checkpoint{}, fmt.Errorf("checkpoint: %d bytes; at most %d", len(msg), MaxCheckpointBytes)
	}
	text, _, _ := strings.Cut(string(msg), "\n\n")
	c, err := ParseCheckpoint(text + "\n")
	if err != nil {
		return c, err
	}
	if origin := k.genesis.Origin; c.Origin != origin {
		return c, fmt.Errorf("checkpoint: origin %q; this ledger's is %q", c.Origin, origin)
	}
	n, err := note.Open(msg, note.VerifierList(nodeKey{c.Origin, k.At(c.Height)}))
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w; at height %d the node's key is %v", err, c.Height, k.At(c.Height).ID())
	}
	if n.Text != text+"\n" {
		return c, errors.New("checkpoint: an empty line in its text")
	}
	return c, nil
}

// NewSigner makes the signer of the checkpoints under origin.
func NewSigner(origin string, key ed25519.PrivateKey) note.Signer {
	return nodeSigner{nodeKey{origin, tx.PublicKey(key.Public().(ed25519.PublicKey))}, key}
}

// NewVerifier makes the verifier of checkpoints that key signs under origin.
func NewVerifier(origin string, key tx.PublicKey) note.Verifier { return nodeKey{origin, key} }

// VerifierKey is the node's key in the text form that public tools take,
// "<name>+<hash>+<key>".
func (g Genesis) VerifierKey() (string, error) {
	return note.NewEd25519VerifierKey(g.Origin, g.Node[:])
}

const algEd25519 = 1 // of C2SP signed-note

// nodeKey verifies as note's own Ed25519 verifier does, but for ZIP-215, the
// rule of every signature here.
type nodeKey struct {
	name string
	key  tx.PublicKey
}

type nodeSigner struct {
	nodeKey
	private ed25519.PrivateKey
}

var (
	_ note.Verifier = nodeKey{}
	_ note.Signer   = nodeSigner{}
)

func (k nodeKey) Name() string { return k.name }

// KeyHash is the first four bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key).
func (k nodeKey) KeyHash() uint32 {
	h := sha256.New()
	h.Write([]byte(k.name + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(k.key[:])
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func (k nodeKey) Verify(msg, sig []byte) bool {
	return len(sig) == ed25519.SignatureSize && tx.Signature(sig).Verify(k.key, msg)
}

func (s nodeSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

func parseBase64(s string) (wire.Hash, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return wire.Hash{}, err
	}
	if len(b) != wire.Size {
		return wire.Hash{}, fmt.Errorf("%d bytes, not %d", len(b), wire.Size)
	}
	return wire.Hash(b), nil
}
