package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"filippo.io/torchwood"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// Limits of what a witness reads and answers.
const (
	MaxProofHashes  = 63 // of C2SP tlog-witness
	MaxRequestBytes = chain.MaxCheckpointBytes + 8<<10
	maxAnswerBytes  = 16 << 10
)

// Request is the body of add-checkpoint: the size that the client believes the
// witness knows, the proof from there, and the signed checkpoint.
type Request struct {
	Old        uint64
	Proof      []wire.Hash
	Checkpoint []byte
}

// Encode is the body's one form.
func (r Request) Encode() []byte {
	b := fmt.Appendf(nil, "old %d\n", r.Old)
	for _, h := range r.Proof {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), r.Checkpoint...)
}

// ParseRequest parses a body, strictly: what Encode would not write is refused.
func ParseRequest(body []byte) (Request, error) {
	var r Request
	if len(body) > MaxRequestBytes {
		return r, fmt.Errorf("request: %d bytes; at most %d", len(body), MaxRequestBytes)
	}
	head, checkpoint, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return r, errors.New("request: no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if !found {
		return r, errors.New(`request: the first line is "old <size>"`)
	}
	var err error
	if r.Old, err = parseSize(size); err != nil {
		return r, fmt.Errorf("request: old size: %w", err)
	}
	if len(lines)-1 > MaxProofHashes {
		return r, fmt.Errorf("request: proof: %d hashes; at most %d", len(lines)-1, MaxProofHashes)
	}
	for i, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != wire.Size || base64.StdEncoding.EncodeToString(h) != line {
			return r, fmt.Errorf("request: proof: line %d is not the base64 of a hash", i+1)
		}
		r.Proof = append(r.Proof, wire.Hash(h))
	}
	r.Checkpoint = checkpoint
	return r, nil
}

// parseSize parses the size of a log as it is written, without leading zero.
func parseSize(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > math.MaxInt64 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q is not a size: decimal, without leading zero", s)
	}
	return n, nil
}

// head is what a witness compares of a checkpoint. A log of this project has a
// header line, and so a height and a time; another C2SP log may have none.
type head struct {
	origin string
	size   uint64
	root   wire.Hash
	header *chain.Checkpoint // nil for a log without header line
}

func parseHead(text string) (head, error) {
	if c, err := chain.ParseCheckpoint(text); err == nil && c.Size <= math.MaxInt64 {
		return head{c.Origin, c.Size, c.Root, &c}, nil
	}
	c, err := torchwood.ParseCheckpoint(text)
	if err != nil || c.String() != text || c.Origin == "" {
		return head{}, errors.New("checkpoint: not the lines origin, size and root of a C2SP tlog-checkpoint")
	}
	if strings.HasPrefix(c.Extension, "header ") {
		return head{}, errors.New(`checkpoint: the header line is "header <height> <time> <hash>", and the last`)
	}
	return head{origin: c.Origin, size: uint64(c.N), root: wire.Hash(c.Hash)}, nil
}
