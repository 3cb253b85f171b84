package chain

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// KindRotate is the kind of the transaction that gives the node another key. It
// is the ledger's own: no state machine may give it another meaning. It stands
// in the directory's stream, its body is CBOR [new public key], the present key
// signs it, and the new one cosigns it, which shows that somebody holds it.
const KindRotate tx.Kind = 65535

// MaxRotations bounds the keys of one ledger, because every receipt after a
// rotation carries it.
const MaxRotations = 256

// Rotation is the transaction from whose block on the node signs with another
// key. Encoded as a CBOR array.
type Rotation struct {
	_        struct{} `cbor:",toarray"`
	Height   uint64   `json:"height"`   // of the block that it is in, the first that the new key signs
	Envelope []byte   `json:"envelope"` // canonical bytes
}

type rotateBody struct {
	_    struct{} `cbor:",toarray"`
	Node tx.PublicKey
}

// NewRotation makes the transaction that gives the node the key next instead of
// its present one.
func NewRotation(ledger wire.LedgerID, present, next ed25519.PrivateKey, expiry int64, idempotency tx.Key) *tx.Envelope {
	e := &tx.Envelope{
		Ledger: ledger, Kind: KindRotate, Stream: wire.Directory, Expiry: expiry, Idempotency: idempotency,
		Body: wire.Marshal(rotateBody{Node: tx.PublicKey(next.Public().(ed25519.PublicKey))}),
	}
	e.Sign(present)
	e.Cosign(next)
	return e
}

// RotatesTo returns the key that a rotation's envelope names.
func RotatesTo(e *tx.Envelope) (tx.PublicKey, error) {
	var b rotateBody
	if err := wire.Unmarshal(e.Body, &b); err != nil {
		return b.Node, fmt.Errorf("rotation: body: %w", err)
	}
	return b.Node, nil
}

// Keys are the keys of a ledger's node: genesis's, and those that took its place.
//
// They show who signs from which height on, as far as the rotations at hand go.
// That none was left out they cannot show: who holds an old key can always write
// a history in which it was never given up. Witnesses are for that.
type Keys struct {
	genesis   Genesis
	rotations []Rotation
	nodes     []tx.PublicKey // genesis's, then one for each rotation
}

// Keys are the keys of a ledger that has not rotated.
func (g Genesis) Keys() Keys { return Keys{genesis: g, nodes: []tx.PublicKey{g.Node}} }

// NewKeys checks each rotation against the key before it.
func NewKeys(g Genesis, rotations ...Rotation) (Keys, error) {
	k := g.Keys()
	last := uint64(1)
	for i, r := range rotations {
		e, err := tx.Decode(r.Envelope)
		if err == nil {
			err = k.Check(e)
		}
		if err == nil && r.Height < last {
			err = fmt.Errorf("height %d; it is in a block, and not before the rotation before it", r.Height)
		}
		if err != nil {
			return k, fmt.Errorf("rotation %d: %w", i+1, err)
		}
		k, last = k.with(r, e), r.Height
	}
	return k, nil
}

// Check says why e may not rotate the key that k ends with.
func (k Keys) Check(e *tx.Envelope) error {
	if e.Kind != KindRotate || e.Stream != wire.Directory || e.Ledger != k.genesis.ID() {
		return errors.New("not a rotation in this ledger's directory")
	}
	if len(k.rotations) >= MaxRotations {
		return fmt.Errorf("a ledger has at most %d", MaxRotations)
	}
	next, err := RotatesTo(e)
	if err != nil {
		return err
	}
	taken := func(a Authority) bool { return a.Key == next }
	switch present := k.Present(); {
	case slices.Contains(k.nodes, next):
		return errors.New("new key: was the node's before; make a fresh one")
	case slices.ContainsFunc(k.genesis.Authorities, taken):
		return errors.New("new key: an authority's; make a fresh one")
	case e.Key != present.ID():
		return fmt.Errorf("signer: %v; the node's present key is %v", e.Key, present.ID())
	case len(e.Cosigners) != 1 || e.Cosigners[0].Key != next.ID():
		return errors.New("cosigners: the new key, and it alone")
	case !e.Signature.Verify(present, e.SigningBytes()):
		return errors.New("signature: not the present key's over these bytes")
	case !e.Cosigners[0].Signature.Verify(next, e.SigningBytes()):
		return errors.New("cosigners: not the new key's signature over these bytes")
	}
	return nil
}

// with appends a rotation that Check let pass.
func (k Keys) with(r Rotation, e *tx.Envelope) Keys {
	next, err := RotatesTo(e)
	if err != nil {
		panic(err) // Check decoded it
	}
	k.rotations = append(slices.Clip(k.rotations), r)
	k.nodes = append(slices.Clip(k.nodes), next)
	return k
}

// Genesis is the genesis of the ledger.
func (k Keys) Genesis() Genesis { return k.genesis }

// Present is the key after the last rotation.
func (k Keys) Present() tx.PublicKey { return k.nodes[len(k.nodes)-1] }

// At is the key that signs the checkpoint of a height.
func (k Keys) At(height uint64) tx.PublicKey { return k.nodes[len(k.Until(height))] }

// Until returns the rotations up to a height: what a receipt of that height
// must carry.
func (k Keys) Until(height uint64) []Rotation {
	n := 0
	for n < len(k.rotations) && k.rotations[n].Height <= height {
		n++
	}
	return slices.Clip(k.rotations[:n])
}

// Rotations returns all of them.
func (k Keys) Rotations() []Rotation { return slices.Clip(k.rotations) }

// VerifierKey is the present key in the text form that public tools take,
// "<name>+<hash>+<key>".
func (k Keys) VerifierKey() (string, error) {
	node := k.Present()
	return note.NewEd25519VerifierKey(k.genesis.Origin, node[:])
}
