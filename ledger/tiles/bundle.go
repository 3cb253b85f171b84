package tiles

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Limits of one item, in bytes.
const (
	maxLeaf        = 128
	maxHeader      = 512
	maxRotation    = 1 << 10
	maxTransaction = tx.MaxBytes + 128
)

// Limit is how many bytes a file has at most.
func (p Path) Limit() int {
	switch p.Kind {
	case Checkpoint:
		return chain.MaxCheckpointBytes
	case Genesis:
		return chain.MaxGenesisBytes
	case Rotations:
		return chain.MaxRotations * maxRotation
	case Hashes:
		return p.Width * wire.Size
	case Entries:
		return p.Width * (2 + maxLeaf)
	case Headers:
		return p.Width * (2 + maxHeader)
	default:
		return p.Width * (4 + maxTransaction)
	}
}

// Transaction is what a bundle holds of one transaction; the rest of its entry
// follows from the headers and from what came before. Encoded as a CBOR array.
type Transaction struct {
	_        struct{} `cbor:",toarray"`
	Stream   wire.StreamID
	Hash     wire.TxHash
	Code     uint16
	Envelope []byte // canonical bytes; empty when refused
}

// TransactionOf is what a bundle holds of an entry.
func TransactionOf(e *engine.Entry) Transaction {
	return Transaction{Stream: e.Stream, Hash: e.Hash, Code: uint16(e.Result.Code), Envelope: e.Envelope}
}

// Entry is the entry as far as a bundle tells; replay.Whole fills in the rest.
func (t *Transaction) Entry() engine.Entry {
	return engine.Entry{Stream: t.Stream, Hash: t.Hash, Result: engine.Result{Code: engine.Code(t.Code)}, Envelope: t.Envelope}
}

// check holds what the bytes alone can show.
func (t *Transaction) check() error {
	if refused := t.Code != uint16(engine.Accepted); refused != (len(t.Envelope) == 0) {
		return fmt.Errorf("code %d and an envelope of %d bytes; an accepted transaction has one, a refused one none", t.Code, len(t.Envelope))
	}
	if t.Code == uint16(engine.Accepted) && tx.Hash(t.Envelope) != t.Hash {
		return errors.New("the hash is not that of its envelope")
	}
	return nil
}

// AppendEntry appends an item behind its length in two bytes, as C2SP
// tlog-tiles has its entries.
func AppendEntry(b, item []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(item))), item...)
}

func appendTransaction(b []byte, t Transaction) []byte {
	item := wire.Marshal(t)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(item))), item...)
}

var errCut = errors.New("it ends within an item")

// item takes the first item of a bundle, behind a length of so many bytes.
func item(b []byte, prefix int) (one, rest []byte, err error) {
	if len(b) < prefix {
		return nil, nil, errCut
	}
	n := uint64(0)
	for _, x := range b[:prefix] {
		n = n<<8 | uint64(x)
	}
	if n > uint64(len(b)-prefix) {
		return nil, nil, errCut
	}
	return b[prefix : prefix+int(n)], b[prefix+int(n):], nil
}

// prefix is the size of the length before each item.
func (p Path) prefix() int {
	if p.Kind == Transactions {
		return 4
	}
	return 2
}

// split returns the items of a file, which must be as many as its path says.
func (p Path) split(b []byte) ([][]byte, error) {
	items, rest, err := p.take(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes after the last item", len(rest))
	}
	if err != nil {
		return nil, fmt.Errorf("tiles: %v: %w", p, err)
	}
	return items, nil
}

// take returns the first items, and what stands behind them.
func (p Path) take(b []byte) (items [][]byte, rest []byte, err error) {
	if p.Kind == Hashes {
		if len(b) < p.Width*wire.Size {
			return nil, nil, errCut
		}
		for range p.Width {
			items, b = append(items, b[:wire.Size]), b[wire.Size:]
		}
		return items, b, nil
	}
	for range p.Width {
		var one []byte
		if one, b, err = item(b, p.prefix()); err != nil {
			return nil, nil, err
		}
		items = append(items, one)
	}
	return items, b, nil
}

// cut returns the file at p, which is not full, from the bytes of the full one.
func (p Path) cut(full []byte) ([]byte, error) {
	_, rest, err := p.take(full)
	if err != nil {
		return nil, fmt.Errorf("tiles: %v: cut from the full file: %w", p, err)
	}
	return full[:len(full)-len(rest)], nil
}

// DecodeHeaders reads a bundle of headers.
func DecodeHeaders(p Path, b []byte) ([]chain.Header, error) {
	items, err := p.split(b)
	if err != nil {
		return nil, err
	}
	out := make([]chain.Header, len(items))
	for i, x := range items {
		if out[i], err = chain.DecodeHeader(x); err != nil {
			return nil, fmt.Errorf("tiles: %v: %d: %w", p, i, err)
		}
		if want := p.Index*Width + uint64(i) + 1; out[i].Height != want {
			return nil, fmt.Errorf("tiles: %v: %d: header %d stands where %d belongs", p, i, out[i].Height, want)
		}
	}
	return out, nil
}

// DecodeRotations reads the node's rotations, which chain.NewKeys checks.
func DecodeRotations(b []byte) ([]chain.Rotation, error) {
	var rs []chain.Rotation
	if err := wire.Unmarshal(b, &rs); err != nil {
		return nil, fmt.Errorf("tiles: rotations: %w", err)
	}
	return rs, nil
}

// EncodeHeaders makes a bundle of headers.
func EncodeHeaders(hs []chain.Header) []byte { return bundle(hs, chain.Header.Encode) }

// EncodeTransactions makes a bundle of transactions.
func EncodeTransactions(ts []Transaction) (b []byte) {
	for _, t := range ts {
		b = appendTransaction(b, t)
	}
	return b
}

// DecodeTransactions reads a bundle of transactions. It checks each envelope
// against its hash, and decodes none.
func DecodeTransactions(p Path, b []byte) ([]Transaction, error) {
	items, err := p.split(b)
	if err != nil {
		return nil, err
	}
	out := make([]Transaction, len(items))
	for i, x := range items {
		if err = wire.Unmarshal(x, &out[i]); err == nil {
			err = out[i].check()
		}
		if err != nil {
			return nil, fmt.Errorf("tiles: %v: transaction %d: %w", p, p.Index*Width+uint64(i), err)
		}
	}
	return out, nil
}
