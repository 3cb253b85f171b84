package solo

import (
	"errors"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// entered refuses a transaction that is in the ledger, where its idempotency key
// may not say so: of the refused in a block that store.Complete appended nobody
// knows which keys they used.
func (l *Ledger) entered(now *committed, hash wire.TxHash) error {
	if !l.completed {
		return nil
	}
	_, err := now.Place(hash)
	switch {
	case errors.Is(err, engine.ErrUnknown):
		return nil
	case err != nil:
		return err
	}
	return &engine.DuplicateError{Earlier: hash}
}
