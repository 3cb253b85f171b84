package evidence

import (
	"encoding/binary"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
)

// A sequence is canonical CBOR items, each after its length in 4 bytes, big
// endian. It has no bound of its own; each item has wire.MaxItem.

const prefixSize = 4

func appendItem(b []byte, x any) []byte {
	item := wire.Marshal(x)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(item))), item...)
}

// itemAt returns the item at an offset and where the next begins.
func itemAt(b []byte, at int) (item []byte, next int, err error) {
	if len(b)-at < prefixSize {
		return nil, 0, fmt.Errorf("%d bytes are left; an item begins with its length in %d", len(b)-at, prefixSize)
	}
	n := binary.BigEndian.Uint32(b[at:])
	at += prefixSize
	if n > wire.MaxItem || int(n) > len(b)-at {
		return nil, 0, fmt.Errorf("length %d; %d bytes are left, and an item has at most %d", n, len(b)-at, wire.MaxItem)
	}
	return b[at : at+int(n)], at + int(n), nil
}

// countItems counts the items of a sequence by their lengths alone, as far as
// those lead.
func countItems(b []byte) (n int) {
	for at := 0; at < len(b); n++ {
		_, next, err := itemAt(b, at)
		if err != nil {
			return n
		}
		at = next
	}
	return n
}

// damage says which item of a sequence does not decode.
type damage struct {
	item, offset int
	err          error
}

// decodeSequence decodes a sequence and returns where each item begins. After
// a damaged item nothing more is read.
func decodeSequence[T any](b []byte) (items []T, offsets []int, bad *damage) {
	for at := 0; at < len(b); {
		raw, next, err := itemAt(b, at)
		var x T
		if err == nil {
			err = wire.Unmarshal(raw, &x)
		}
		if err != nil {
			return items, offsets, &damage{item: len(items), offset: at, err: err}
		}
		items, offsets = append(items, x), append(offsets, at)
		at = next
	}
	return items, offsets, nil
}
