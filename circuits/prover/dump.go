package prover

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
)

// WriteDump writes the prover in the form that [Load] reads: the length of the
// key as 8 bytes, the key as it lies in memory, the constraint system. It is for
// a page's prover, which would take a second to decompress the key's points and
// to compile the circuit. The form depends on the library's version and on the
// order of bytes in memory, so it is made anew with each build and never kept.
func (p *Prover) WriteDump(w io.Writer) error {
	var key bytes.Buffer
	if err := p.key.WriteDump(&key); err != nil {
		return fmt.Errorf("prover: dump: %w", err)
	}
	head := binary.BigEndian.AppendUint64(nil, uint64(key.Len()))
	if _, err := w.Write(append(head, key.Bytes()...)); err != nil {
		return fmt.Errorf("prover: dump: %w", err)
	}
	if _, err := p.system.WriteTo(w); err != nil {
		return fmt.Errorf("prover: dump: %w", err)
	}
	return nil
}

// Load returns the prover of what WriteDump wrote for trees of the given depth.
// The dump's SHA-256 must be the given one: nothing else about it is checked.
func Load(depth int, dump []byte, hash [32]byte) (*Prover, error) {
	if got := sha256.Sum256(dump); got != hash {
		return nil, fmt.Errorf("prover: dump: its SHA-256 is %x, and %x is pinned; fetch it again", got, hash)
	}
	if len(dump) < 8 {
		return nil, errors.New("prover: dump: cut short")
	}
	n := binary.BigEndian.Uint64(dump)
	rest := dump[8:]
	if n > uint64(len(rest)) {
		return nil, errors.New("prover: dump: cut short")
	}
	p := &Prover{depth: depth, key: new(groth16.ProvingKey), system: new(cs_bn254.R1CS)}
	if err := p.key.ReadDump(bytes.NewReader(rest[:n])); err != nil {
		return nil, fmt.Errorf("prover: dump: key: %w", err)
	}
	if _, err := p.system.ReadFrom(bytes.NewReader(rest[n:])); err != nil {
		return nil, fmt.Errorf("prover: dump: constraint system: %w", err)
	}
	return p.fitting()
}
