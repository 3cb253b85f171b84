package sealed

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// PromiseBytes are those of an encoded promise.
const PromiseBytes = 32 + 32 + 8 + ed25519.SignatureSize

// Promise is a batcher's signed word that it holds an act on its disk and took
// it in an epoch: it says which act by the hash of its sealed bytes, which the
// device keeps. Encoded as its fields one after another, the epoch big-endian.
type Promise struct {
	Ledger    wire.LedgerID
	Sealed    Hash
	Epoch     uint64 // in which it was taken
	Signature tx.Signature
}

// signingBytes are "trialith/v1/promise" ‖ 0x00 ‖ the fields before the signature.
func (p *Promise) signingBytes() []byte {
	return domain("promise", p.Ledger[:], p.Sealed[:], binary.BigEndian.AppendUint64(nil, p.Epoch))
}

// Sign signs the promise with the batcher's key.
func (p *Promise) Sign(key ed25519.PrivateKey) {
	p.Signature = tx.Signature(ed25519.Sign(key, p.signingBytes()))
}

// Encode gives PromiseBytes bytes.
func (p *Promise) Encode() []byte {
	b := append(make([]byte, 0, PromiseBytes), p.Ledger[:]...)
	b = binary.BigEndian.AppendUint64(append(b, p.Sealed[:]...), p.Epoch)
	return append(b, p.Signature[:]...)
}

// ParsePromise reads an encoded promise. It checks no signature: see Verify.
func ParsePromise(b []byte) (p Promise, err error) {
	if len(b) != PromiseBytes {
		return p, fmt.Errorf("promise: %d bytes; it has %d", len(b), PromiseBytes)
	}
	p.Ledger, p.Sealed = wire.LedgerID(b[:32]), Hash(b[32:64])
	p.Epoch, p.Signature = binary.BigEndian.Uint64(b[64:72]), tx.Signature(b[72:])
	return p, nil
}

// Verify reports whether the batcher with the key promised this for the sealed
// bytes on the ledger.
func (p *Promise) Verify(ledger wire.LedgerID, batcher tx.PublicKey, sealed []byte) error {
	switch {
	case p.Ledger != ledger:
		return fmt.Errorf("promise: ledger: %v, not %v", p.Ledger, ledger)
	case p.Sealed != HashOf(sealed):
		return errors.New("promise: of another sealed act")
	case !p.Signature.Verify(batcher, p.signingBytes()):
		return errors.New("promise: signature: not the batcher's")
	}
	return nil
}

// StatementBytes are those of an encoded key statement.
const StatementBytes = 32 + 32 + KeyBytes + 8 + ed25519.SignatureSize

// Statement is a batcher's signed word about which key acts are sealed to.
// Encoded as its fields one after another, the time big-endian.
type Statement struct {
	Ledger    wire.LedgerID
	Batcher   trial.ActorID
	Key       Key
	NotAfter  int64 // milliseconds since 1970 UTC: seal nothing to it at or after this
	Signature tx.Signature
}

// signingBytes are "trialith/v1/seal/statement" ‖ 0x00 ‖ the fields before the signature.
func (s *Statement) signingBytes() []byte {
	return domain("seal/statement", s.Ledger[:], s.Batcher[:], s.Key[:], binary.BigEndian.AppendUint64(nil, uint64(s.NotAfter)))
}

// Sign signs the statement with the batcher's key.
func (s *Statement) Sign(key ed25519.PrivateKey) {
	s.Signature = tx.Signature(ed25519.Sign(key, s.signingBytes()))
}

// Encode gives StatementBytes bytes.
func (s *Statement) Encode() []byte {
	b := append(make([]byte, 0, StatementBytes), s.Ledger[:]...)
	b = append(append(b, s.Batcher[:]...), s.Key[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.NotAfter))
	return append(b, s.Signature[:]...)
}

// ParseStatement reads an encoded statement. It checks no signature: see Verify.
func ParseStatement(b []byte) (s Statement, err error) {
	if len(b) != StatementBytes {
		return s, fmt.Errorf("key statement: %d bytes; it has %d", len(b), StatementBytes)
	}
	s.Ledger, s.Batcher, s.Key = wire.LedgerID(b[:32]), trial.ActorID(b[32:64]), Key(b[64:64+KeyBytes])
	b = b[64+KeyBytes:]
	s.NotAfter, s.Signature = int64(binary.BigEndian.Uint64(b)), tx.Signature(b[8:])
	return s, nil
}

// Verify reports whether acts for a batcher on a ledger may be sealed to the
// statement's key now. The batcher's own key comes from the ledger's directory,
// never from who brought the statement.
func (s *Statement) Verify(ledger wire.LedgerID, batcher trial.ActorID, key tx.PublicKey, now int64) error {
	switch {
	case s.Ledger != ledger:
		return fmt.Errorf("key statement: ledger: %v, not %v", s.Ledger, ledger)
	case s.Batcher != batcher:
		return fmt.Errorf("key statement: of the batcher %v, not %v", s.Batcher, batcher)
	case now >= s.NotAfter:
		return errors.New("key statement: too old; get it anew")
	case !s.Signature.Verify(key, s.signingBytes()):
		return errors.New("key statement: signature: not the batcher's")
	}
	if _, err := kem.NewPublicKey(s.Key[:]); err != nil {
		return fmt.Errorf("key statement: key: %w", err)
	}
	return nil
}

// AnswerBytes are those of every answer to a sealed act: who sees the size of
// one does not see what it says.
const AnswerBytes = 256

// Code says why a batcher did not take an act. Append, never renumber.
type Code uint8

// The codes.
const (
	// Unreadable: sealed to a key that the batcher does not have. Get its key anew.
	Unreadable Code = iota + 1
	// Malformed: not the canonical bytes of an act that goes by batch.
	Malformed
	// Elsewhere: made for another ledger, or for a trial that is not on it.
	Elsewhere
	// Unproven: the proof does not show what the act says.
	Unproven
	// Used: the act's account is on the ledger already. There is nothing to send.
	Used
	// Busy: it cannot take more now. Send elsewhere, or later.
	Busy
	codes
)

// RefusedError is a batcher's no.
type RefusedError struct {
	Code Code
	Text string // what was wrong, and the remedy
}

func (e *RefusedError) Error() string { return "batcher: " + e.Text }

// Refuse makes a batcher's no.
func Refuse(c Code, format string, args ...any) error {
	return &RefusedError{Code: c, Text: fmt.Sprintf(format, args...)}
}

const (
	answerPromise = 1
	answerRefusal = 2
)

// Answer encodes a promise: 1 ‖ promise ‖ zeros; or a refusal:
// 2 ‖ code ‖ length of the text ‖ text ‖ zeros.
func Answer(p *Promise, err error) []byte {
	out := make([]byte, AnswerBytes)
	if err == nil {
		out[0] = answerPromise
		copy(out[1:], p.Encode())
		return out
	}
	r, ok := errors.AsType[*RefusedError](err)
	if !ok { // a fault of the batcher, whose words stay there
		r = &RefusedError{Code: Busy, Text: "cannot take it now; send elsewhere or later"}
	}
	out[0], out[1] = answerRefusal, byte(r.Code)
	out[2] = byte(copy(out[3:], r.Text))
	return out
}

// ParseAnswer reads an answer; the error is a *RefusedError where the batcher
// refused. Verify the promise.
func ParseAnswer(b []byte) (p Promise, err error) {
	if len(b) != AnswerBytes {
		return p, fmt.Errorf("answer: %d bytes; it has %d", len(b), AnswerBytes)
	}
	var rest []byte
	switch n := int(b[2]); {
	case b[0] == answerPromise:
		p, err = ParsePromise(b[1 : 1+PromiseBytes])
		rest = b[1+PromiseBytes:]
	case b[0] == answerRefusal && b[1] > 0 && Code(b[1]) < codes && 3+n <= len(b):
		err = &RefusedError{Code: Code(b[1]), Text: string(b[3 : 3+n])}
		rest = b[3+n:]
	default:
		return p, errors.New("answer: neither a promise nor a refusal")
	}
	if len(bytes.TrimLeft(rest, "\x00")) > 0 {
		return Promise{}, errors.New("answer: not filled up with zeros")
	}
	return p, err
}
