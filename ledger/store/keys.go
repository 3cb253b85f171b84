package store

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// The keys of the database. The first byte is the table; numbers are big
// endian, so that they sort.
//
//	v                          format of the directory
//	g                          genesis
//	b                          header that a restored snapshot is of
//	B                          mark of a restoration that is not complete
//	H height                   header
//	c height                   signed checkpoint
//	C height                   the same with cosignatures of witnesses
//	T height                   RFC 3161 time stamp of it
//	e index                    entry, by its place in the log
//	t tx hash                  place in the log
//	q stream sequence          place in the log, and the stream's head after it
//	i stream key idempotency   tx hash
//	s stream key               state of a stream
//	m stream node              node of the map over a stream's state
//	S stream                   head, count and digest of a stream
//	M node                     node of the map over the streams
//	l level index              hashes of full subtrees of the log, from this one on
const (
	tableFormat      = 'v'
	tableGenesis     = 'g'
	tableBase        = 'b'
	tableRestoring   = 'B'
	tableHeader      = 'H'
	tableCheckpoint  = 'c'
	tableCosigned    = 'C'
	tableStamp       = 'T'
	tableEntry       = 'e'
	tableTransaction = 't'
	tableSequence    = 'q'
	tableIdempotency = 'i'
	tableState       = 's'
	tableNode        = 'm'
	tableStream      = 'S'
	tableStreamNode  = 'M'
	tableLog         = 'l'
)

func numbered(table byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{table}, n)
}

func named(table byte, name [wire.Size]byte) []byte {
	return append([]byte{table}, name[:]...)
}

func sequenceKey(s wire.StreamID, n uint64) []byte {
	return binary.BigEndian.AppendUint64(named(tableSequence, s), n)
}

func idempotencyKey(s wire.StreamID, signer wire.KeyID, k tx.Key) []byte {
	return slices.Concat([]byte{tableIdempotency}, s[:], signer[:], k[:])
}

func logKey(n chain.Node) []byte {
	return binary.BigEndian.AppendUint64([]byte{tableLog, byte(n.Level)}, n.Index)
}

// after is the least key above all that begin with prefix; nil if there is none.
func after(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for len(end) > 0 {
		last := len(end) - 1
		if end[last]++; end[last] != 0 {
			return end
		}
		end = end[:last]
	}
	return nil
}
