// Package toy is a small state machine for the tests of the engines. Its bodies
// are text; its directory holds the keys that may sign.
package toy

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Kinds of transaction.
const (
	Grant tx.Kind = 1 + iota // directory: the body is a public key
	Add                      // adds "key" once; refused with Taken the second time
	Note                     // always accepted; writes the point it ran at
	Flood                    // writes a value, or tells events, of so many bytes: "value 9", "event 9", "events 9"
)

// Refusals.
const (
	Taken     engine.Code = 7
	NotBefore engine.Code = 9
)

// ErrSignature is why Check refuses.
var ErrSignature = errors.New("signer: not in the directory, or a wrong signature")

// Machine is the state machine. Gate, if set, is waited for by every Check, and
// Hold by every block before it executes.
type Machine struct {
	Gate   chan struct{}
	Hold   chan struct{}
	Checks atomic.Int64
	Blocks atomic.Int64 // that came to Prepare

	signatures tx.Verifier
}

var _ engine.StateMachine = (*Machine)(nil)

// Check verifies the signature with a key of the directory; the node's grants
// need none.
func (m *Machine) Check(_ engine.Point, directory, _ state.View, e *tx.Envelope) error {
	m.Checks.Add(1)
	if m.Gate != nil {
		<-m.Gate
	}
	key, ok := directory.Get(keyName(e.Key))
	if e.Kind == Grant {
		key, ok = e.Body, true
	}
	if !ok || len(key) != ed25519.PublicKeySize || !m.signatures.Verify(tx.PublicKey(key), e.SigningBytes(), e.Signature) {
		return ErrSignature
	}
	return nil
}

// Prepare waits for Hold.
func (m *Machine) Prepare(func(wire.StreamID) state.View, []engine.Pending) {
	m.Blocks.Add(1)
	if m.Hold != nil {
		<-m.Hold
	}
}

// Execute runs one transaction. Before it refuses it writes what it must not.
func (m *Machine) Execute(p engine.Pending, directory state.View, stream state.Store) engine.Result {
	e := p.Envelope
	switch e.Kind {
	case Grant:
		stream.Set(keyName(e.Key), e.Body)
	case Add:
		stream.Set([]byte("scratch"), e.Body)
		if _, ok := directory.Get(keyName(e.Key)); !ok {
			return engine.Result{Code: NotBefore}
		}
		if _, ok := stream.Get(e.Body); ok {
			return engine.Result{Code: Taken, Events: []engine.Event{{Kind: 99}}}
		}
		stream.Delete([]byte("scratch"))
		stream.Set(e.Body, fmt.Appendf(nil, "%d", p.Point.Sequence))
	case Note:
		stream.Set([]byte("note/"+p.Hash.String()), fmt.Appendf(nil, "%+v", p.Point))
	}
	if e.Kind == Flood {
		return flood(string(e.Body), stream)
	}
	return engine.Result{Events: []engine.Event{{Kind: uint16(e.Kind), Body: wire.Marshal(e.Body)}}}
}

// keyName is where the directory keeps a key that may sign.
func keyName(id wire.KeyID) []byte { return append([]byte("key/"), id[:]...) }

func flood(body string, stream state.Store) engine.Result {
	var what string
	var n int
	if _, err := fmt.Sscan(body, &what, &n); err != nil {
		panic(err)
	}
	switch what {
	case "value":
		stream.Set([]byte("flood"), make([]byte, n))
	case "event":
		return engine.Result{Events: []engine.Event{{Kind: uint16(Flood), Body: make([]byte, n)}}}
	case "events":
		return engine.Result{Events: make([]engine.Event, n)}
	}
	return engine.Result{}
}

// Key returns the n-th key of a fixed series.
func Key(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "trialith test key %d", n))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public is the public half.
func Public(k ed25519.PrivateKey) tx.PublicKey {
	return tx.PublicKey(k.Public().(ed25519.PublicKey))
}

// Genesis is the genesis of the test ledger, whose node key is Key(0).
func Genesis() chain.Genesis {
	return chain.Genesis{
		Version: chain.GenesisVersion, Name: "Test ledger", Time: 1_700_000_000_000, Epoch: 3600, Rules: 1,
		Origin: "trialith.example/test", Node: Public(Key(0)),
		Authorities: []chain.Authority{{Role: "regulator", Name: "Test regulator", Country: "CH", Key: Public(Key(1))}},
	}
}

// Stream names a trial of the test.
func Stream(n int) wire.StreamID {
	return wire.StreamID(wire.Sum("trial", n))
}

// Far is an expiry that no test reaches.
const Far = 1 << 50

// Tx makes a signed transaction; equal arguments make equal bytes.
func Tx(key ed25519.PrivateKey, kind tx.Kind, stream wire.StreamID, body string, idempotency uint64) []byte {
	return TxUntil(key, kind, stream, body, idempotency, Far)
}

// TxUntil is Tx with an expiry.
func TxUntil(key ed25519.PrivateKey, kind tx.Kind, stream wire.StreamID, body string, idempotency uint64, expiry int64) []byte {
	e := tx.Envelope{Ledger: Genesis().ID(), Kind: kind, Stream: stream, Expiry: expiry, Body: []byte(body)}
	binary.BigEndian.PutUint64(e.Idempotency[8:], idempotency)
	e.Sign(key)
	return e.Encode()
}

// GrantTx lets a key sign.
func GrantTx(key ed25519.PrivateKey, idempotency uint64) []byte {
	return Tx(key, Grant, wire.Directory, string(bytes.Clone(key.Public().(ed25519.PublicKey))), idempotency)
}

// Clock is a clock that is set by hand.
type Clock struct{ T atomic.Int64 }

// Now is the time that was set.
func (c *Clock) Now() int64 { return c.T.Load() }

// PublicBytes is the public half of the n-th key, as a grant's body has it.
func PublicBytes(n int) []byte {
	k := Public(Key(n))
	return k[:]
}
