package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/ledger/wire"
)

const (
	g1 = curve.SizeOfG1AffineCompressed
	g2 = curve.SizeOfG2AffineCompressed
)

// The library's decoder makes room for as many points as a file says, and reads
// a point longer than expected if its flags say so, which moves every count
// after it. So before it runs, the file's length, its counts and the flags of
// each point are held to the one layout that a circuit's contributions have.

// layout walks over a file of known length and keeps the first error.
type layout struct {
	rest []byte
	err  error
}

func (l *layout) take(n int) []byte {
	b := l.rest[:n]
	l.rest = l.rest[n:]
	return b
}

// points takes n points and refuses one that is not compressed.
func (l *layout) points(n, size int) {
	for i := range n {
		if b := l.take(size); b[0]>>6 == 0 && l.err == nil {
			l.err = fmt.Errorf("point %d of a list of %d is not compressed", i, n)
		}
	}
}

// count takes a count of a number of bytes and refuses any but the expected.
func (l *layout) count(bytes int, want uint64) {
	var b [8]byte
	copy(b[8-bytes:], l.take(bytes))
	if got := binary.BigEndian.Uint64(b[:]); got != want && l.err == nil {
		l.err = fmt.Errorf("a count of %d where %d belongs", got, want)
	}
}

// challenge takes the end of the file: the hash of the state before, by its
// length. The state that phase 2 starts from has none.
func (l *layout) challenge(want []byte) {
	l.count(1, uint64(len(want)))
	if l.err == nil && !bytes.Equal(l.take(len(want)), want) {
		l.err = errors.New("it follows another contribution than the one before it")
	}
}

func layout1(b []byte, n uint64, previous wire.Hash) error {
	if want := transcript.Size1(n); len(b) != want {
		return fmt.Errorf("%d bytes; a contribution to phase 1 over a domain of %d has %d", len(b), n, want)
	}
	l := layout{rest: b}
	for range 3 {
		l.points(1, g1)
		l.points(1, g2)
	}
	l.count(8, n)
	l.points(1, g2)
	l.points(int(2*n-2), g1)
	l.points(int(n-1), g2)
	l.points(int(2*n), g1)
	l.challenge(previous[:])
	return l.err
}

// layout2 is for phase 2; the start has no previous state.
func layout2(b []byte, n uint64, private int, previous []byte) error {
	if want := transcript.Size2(n, private) - sha256.Size + len(previous); len(b) != want {
		return fmt.Errorf("%d bytes; phase 2 of this circuit has %d", len(b), want)
	}
	l := layout{rest: b}
	l.count(2, 0) // commitments
	l.points(1, g1)
	l.count(4, uint64(private))
	l.points(private, g1)
	l.count(4, n-1)
	l.points(int(n-1), g1)
	l.points(1, g2)
	l.points(1, g1)
	l.points(1, g2)
	l.challenge(previous)
	return l.err
}

// decode1 reads a contribution to phase 1, whose points it checks to lie in
// their groups.
func decode1(b []byte, n uint64, previous wire.Hash) (*mpcsetup.Phase1, error) {
	if err := layout1(b, n, previous); err != nil {
		return nil, err
	}
	p := new(mpcsetup.Phase1)
	return p, decode(b, p)
}

func decode2(b []byte, c *circuit, previous []byte) (*mpcsetup.Phase2, error) {
	if err := layout2(b, c.domain, c.private, previous); err != nil {
		return nil, err
	}
	p := new(mpcsetup.Phase2)
	return p, decode(b, p)
}

// coded is what the library reads and writes.
type coded interface {
	io.ReaderFrom
	io.WriterTo
}

// decode reads all of b, and refuses any encoding but the one that is written.
func decode(b []byte, p coded) error {
	if n, err := p.ReadFrom(bytes.NewReader(b)); err != nil || n != int64(len(b)) {
		return fmt.Errorf("%d of %d bytes read: %w", n, len(b), errors.Join(err, errShort(n, b)))
	}
	again, err := encode(p)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return wire.ErrNotCanonical
	}
	return nil
}

func errShort(n int64, b []byte) error {
	if n == int64(len(b)) {
		return nil
	}
	return errors.New("something follows the end")
}

func encode(p io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := p.WriteTo(&b)
	return b.Bytes(), err
}
