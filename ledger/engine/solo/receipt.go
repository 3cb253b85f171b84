package solo

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/wire"
)

// maxLooks is how many cosigned checkpoints in a row a receipt is sought under.
const maxLooks = 64

// Receipt returns the receipt of a transaction, under the first checkpoint that
// covers it and that witnesses have cosigned, if one can be found with the
// configured quorum; as long as there is none, under that of its own block.
func (l *Ledger) Receipt(hash wire.TxHash) (receipt.Receipt, error) {
	e, err := l.Entry(hash)
	if err != nil {
		return receipt.Receipt{}, err
	}
	cosigned, err := l.cosignedFrom(e.Height)
	if err != nil {
		return receipt.Receipt{}, err
	}
	if cosigned != nil {
		return l.ReceiptUnder(hash, cosigned)
	}
	return read(l, func(c *committed) (receipt.Receipt, error) {
		checkpoint, err := c.at(e.Height)
		if err != nil {
			return receipt.Receipt{}, err
		}
		return l.receipt(c, &e, e.Height, checkpoint)
	})
}

// cosignedFrom returns the first cosigned checkpoint of a height or above that
// has the configured quorum, else the first one; nil if there is none.
func (l *Ledger) cosignedFrom(height uint64) (first []byte, err error) {
	for range maxLooks {
		at, msg, err := l.CosignedFrom(height)
		switch {
		case errors.Is(err, engine.ErrUnknown):
			return first, nil
		case err != nil:
			return nil, err
		case l.cfg.Quorum == nil || l.cfg.Quorum.Check(msg) == nil:
			return msg, nil
		}
		if first == nil {
			first = msg
		}
		height = at + 1
	}
	return first, nil
}

// ReceiptUnder returns the receipt of a transaction under a given checkpoint of
// this ledger, of its block or a later one: one that witnesses have cosigned.
func (l *Ledger) ReceiptUnder(hash wire.TxHash, checkpoint []byte) (receipt.Receipt, error) {
	return read(l, func(c *committed) (receipt.Receipt, error) {
		keys, err := l.keysOf(c)
		if err != nil {
			return receipt.Receipt{}, err
		}
		cp, err := chain.OpenCheckpoint(keys, checkpoint)
		if err != nil {
			return receipt.Receipt{}, err
		}
		e, err := c.Entry(hash)
		if err != nil {
			return receipt.Receipt{}, err
		}
		if cp.Height < e.Height || cp.Height > c.Head().Height {
			return receipt.Receipt{}, fmt.Errorf("checkpoint of block %d for a transaction of block %d: %w", cp.Height, e.Height, engine.ErrUnknown)
		}
		return l.receipt(c, &e, cp.Height, checkpoint)
	})
}

// receipt proves an entry in the log as it was after the block of a height.
func (l *Ledger) receipt(c *committed, e *engine.Entry, height uint64, checkpoint []byte) (receipt.Receipt, error) {
	previous, err := c.Previous(*e)
	if err != nil {
		return receipt.Receipt{}, err
	}
	index, err := c.Place(e.Hash)
	if err != nil {
		return receipt.Receipt{}, err
	}
	h, err := c.Header(height)
	if err != nil {
		return receipt.Receipt{}, err
	}
	path, err := c.InclusionProof(index, h.Size())
	if err != nil {
		return receipt.Receipt{}, err
	}
	keys, err := l.keysOf(c)
	if err != nil {
		return receipt.Receipt{}, err
	}
	return receipt.New(index, e.Link(previous), path, checkpoint, keys.Until(height)), nil
}
