package engine

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// KindRotate is the kind of the one transaction that the engine executes
// itself: it gives the node another key. See chain.KindRotate.
const KindRotate = chain.KindRotate

// More of the engine's own codes.
const (
	// BadRotation: not what chain.Keys.Check lets pass at its place.
	BadRotation Code = 65532
	// Reserved: the state machine wrote a key that is the engine's.
	Reserved Code = 65531
)

// The engine's own rows in the directory's state. What begins with this byte no
// state machine writes.
const reserved = 0x00

var nodeRow = []byte{reserved, 'n', 'o', 'd', 'e'} // the node's present public key

func rotationRow(n int) []byte {
	return binary.BigEndian.AppendUint16([]byte{reserved, 'r', 'o', 't', 'a', 't', 'i', 'o', 'n', '/'}, uint16(n)) //nolint:gosec // below chain.MaxRotations
}

// NodeKey is the node's present key as a directory's state has it; before the
// first rotation it is the one that genesis names.
func NodeKey(genesis tx.PublicKey, directory state.View) tx.PublicKey {
	b, ok := directory.Get(nodeRow)
	if !ok {
		return genesis
	}
	if len(b) != len(tx.PublicKey{}) {
		panic(fmt.Sprintf("engine: the node's key has %d bytes", len(b))) // the disk's fault, as in state.Load
	}
	return tx.PublicKey(b)
}

// NodeKeys are all keys of the node, as a directory's state has them.
func NodeKeys(g chain.Genesis, directory state.View) (chain.Keys, error) {
	var rs []chain.Rotation
	for len(rs) < chain.MaxRotations {
		r, ok := state.Load[chain.Rotation](directory, rotationRow(len(rs)))
		if !ok {
			break
		}
		rs = append(rs, r)
	}
	return chain.NewKeys(g, rs...)
}

// Rotations picks the rotations out of the directory's entries. It does not
// check them: chain.NewKeys does.
func Rotations(directory []Entry) (out []chain.Rotation) {
	for i := range directory {
		e := &directory[i]
		if e.Stream != wire.Directory || e.Result.Code != Accepted {
			continue
		}
		if env, err := tx.Decode(e.Envelope); err == nil && env.Kind == KindRotate {
			out = append(out, chain.Rotation{Height: e.Height, Envelope: e.Envelope})
		}
	}
	return out
}

// Check says why a transaction must not enter: a rotation of the node's key by
// the engine's rule, any other by the state machine's.
func Check(m StateMachine, g chain.Genesis, at Point, directory, stream state.View, e *tx.Envelope) error {
	if e.Kind != KindRotate {
		return m.Check(at, directory, stream, e)
	}
	keys, err := NodeKeys(g, directory)
	if err == nil {
		err = keys.Check(e)
	}
	if err != nil {
		return fmt.Errorf("rotation: %w", err)
	}
	return nil
}

// Run executes one transaction on the directory and its own stream, whose
// writes lie in stream: a rotation by the engine's rule, any other by the state
// machine's, within the limits. What it leaves in stream is to be discarded
// unless the code is Accepted.
func Run(m StateMachine, g chain.Genesis, p Pending, directory state.View, stream *state.Overlay) Result {
	if p.Envelope.Kind == KindRotate {
		return rotate(g, p, directory, stream)
	}
	r := m.Execute(p, directory, stream)
	if r.Code == Accepted && !fits(r.Events, stream) {
		r.Code = TooLarge
	}
	if r.Code == Accepted && stream.Touches([]byte{reserved}) {
		r.Code = Reserved
	}
	if r.Code != Accepted {
		r.Events = nil
	}
	return r
}

// rotate keeps the whole transaction, so that the state alone shows who signs.
func rotate(g chain.Genesis, p Pending, directory state.View, stream *state.Overlay) Result {
	keys, err := NodeKeys(g, directory)
	if err != nil {
		panic(fmt.Sprintf("engine: %v", err)) // each was checked when it was kept
	}
	if err := keys.Check(p.Envelope); err != nil {
		return Result{Code: BadRotation}
	}
	next, err := chain.RotatesTo(p.Envelope)
	if err != nil {
		return Result{Code: BadRotation}
	}
	stream.Set(nodeRow, next[:])
	state.Put(stream, rotationRow(len(keys.Rotations())), chain.Rotation{Height: p.Point.Height, Envelope: p.Envelope.Encode()})
	return Result{}
}

// Prepare tells the state machine what of a block is its own.
func Prepare(m StateMachine, view func(wire.StreamID) state.View, block []Pending) {
	ours := func(p Pending) bool { return p.Envelope.Kind == KindRotate }
	if slices.ContainsFunc(block, ours) {
		block = slices.DeleteFunc(slices.Clone(block), ours)
	}
	m.Prepare(view, block)
}
