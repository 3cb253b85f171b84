package engine

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
)

// What a submission or a read may fail with. Callers branch on these.
var (
	// ErrBusy: the queue is full.
	ErrBusy = errors.New("the queue is full; send the same transaction again later")
	// ErrShare: of the queue its signer has as much as is left for all others.
	// It is ErrBusy.
	ErrShare error = shareError{}
	// ErrMalformed: the bytes are not a transaction of this ledger.
	ErrMalformed = errors.New("malformed")
	// ErrRefused: the state machine's Check refused it; it has not entered.
	ErrRefused = errors.New("refused")
	// ErrExpired: its expiry has come; it has not entered and never will.
	ErrExpired = errors.New("expired; sign it again with a later expiry")
	// ErrDuplicate: its signer used its idempotency key before. See DuplicateError.
	ErrDuplicate = errors.New("this idempotency key was used before")
	// ErrUnknown: there is no such entry, block or proof.
	ErrUnknown = errors.New("not in the ledger")
	// ErrClosed: the ledger was closed.
	ErrClosed = errors.New("the ledger is closed")
	// ErrStopped: the ledger stopped after a failure, such as a failed sync.
	ErrStopped = errors.New("the ledger has stopped")
)

// RefusedError is what Submit returns when Check refuses. It is ErrRefused,
// and whatever Check's error is.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives both errors to errors.Is and errors.As.
func (e *RefusedError) Unwrap() []error { return []error{ErrRefused, e.Err} }

// DuplicateError is what Submit returns for a transaction whose signer used its
// idempotency key in its stream for another one: that one stands.
type DuplicateError struct{ Earlier wire.TxHash }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%v, by transaction %v", ErrDuplicate, e.Earlier)
}

// Is says that it is ErrDuplicate.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

type shareError struct{}

func (shareError) Error() string {
	return "the queue is full of this signer's transactions; send the same one again when some of them are in blocks"
}

func (shareError) Is(target error) bool { return target == ErrBusy }
