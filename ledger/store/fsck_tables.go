package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// tables checks that no table has a row that the blocks do not account for, and
// that the streams, their states and the maps over them are those of the head.
func (x *examination) tables() {
	size, base := x.f.Size, x.base
	own := size - base.Size() // transactions whose entries are here
	x.step("header", func() error { return x.counted(tableHeader, x.f.Height-base.Height+min(base.Height, 1)) })
	x.step("entry", func() error { return x.counted(tableEntry, own) })
	if base.Height == 0 { // what travels with a snapshot is of its own count
		x.step("log", func() error { return x.hashes(2*size - uint64(bits.OnesCount64(size))) })
		x.step("stream index", func() error { return x.counted(tableSequence, size) })
		x.step("transaction index", func() error { return x.counted(tableTransaction, uint64(len(x.walk.seen))) })
	}
	x.step("idempotency key", x.idempotency)
	for _, table := range []byte{tableCheckpoint, tableCosigned, tableStamp} {
		x.step(tableNames[table], func() error { return x.notBeyond(table) })
	}
	x.step("database", x.known)
	x.streams()
}

// each calls fn for every row of a table and counts it.
func (x *examination) each(prefix []byte, fn func(key, value []byte) error) error {
	return x.snap.walk(prefix, prefix, func(key, value []byte) error {
		x.f.Rows++
		return fn(key, value)
	})
}

// counted checks the number of a table's rows. Each that a block accounts for
// was read; so one too many is nobody's.
func (x *examination) counted(table byte, want uint64) error {
	n := uint64(0)
	err := x.each([]byte{table}, func(_, _ []byte) error { n++; return nil })
	if err == nil && n != want {
		err = fmt.Errorf("%d rows; the blocks account for %d", n, want)
	}
	return err
}

// hashes checks the number of hashes in the log's rows.
func (x *examination) hashes(want uint64) error {
	n := uint64(0)
	err := x.each([]byte{tableLog}, func(_, value []byte) error { n += uint64(len(value) / wire.Size); return nil })
	if err == nil && n != want {
		err = fmt.Errorf("%d hashes; the blocks account for %d", n, want)
	}
	return err
}

// idempotency checks the keys that were used against the transactions.
func (x *examination) idempotency() error {
	n, before := uint64(0), uint64(0)
	refused := x.walk.refused
	err := x.each([]byte{tableIdempotency}, func(key, value []byte) error {
		if len(key) != 1+2*wire.Size+16 || len(value) != wire.Size {
			return fmt.Errorf("a row of %d and %d bytes", len(key), len(value))
		}
		n++
		hash, stream := wire.TxHash(value), wire.StreamID(key[1:1+wire.Size])
		place, here := x.walk.seen[hash]
		if !here {
			before++
		}
		if own, ok := refused[hash]; ok {
			if own != stream {
				return wrong(x.heightAt(place), "idempotency key", "transaction %v used it in stream %v, the row says %v", hash, own, stream)
			}
			delete(refused, hash)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(refused) > 0:
		return fmt.Errorf("%d refused transactions have no row", len(refused))
	case x.base.Height == 0 && before > 0 || n-before != x.walk.used:
		return fmt.Errorf("%d rows, %d of transactions that are not here; the blocks account for %d", n, before, x.walk.used)
	}
	return nil
}

// notBeyond checks that a table of heights has none above the head.
func (x *examination) notBeyond(table byte) error {
	return x.each([]byte{table}, func(key, _ []byte) error {
		if len(key) != 9 || binary.BigEndian.Uint64(key[1:]) > x.f.Height {
			return fmt.Errorf("%s lies beyond the head, %d", describe(key), x.f.Height)
		}
		return nil
	})
}

// known checks that there is no row of an unknown table.
func (x *examination) known() error {
	for table := range 256 {
		if _, ok := tableNames[byte(table)]; ok {
			continue
		}
		prefix := []byte{byte(table)}
		err := x.snap.walk(prefix, prefix, func(key, _ []byte) error { return fmt.Errorf("%x: a row of no table", key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// streams checks the streams of the head, from the root down, so that what is
// wrong is named and not what was computed from it.
func (x *examination) streams() {
	ids := map[wire.StreamID]chain.Stream{}
	x.step("stream", func() error { return x.heads(ids) })
	x.step("stream map", func() error {
		return x.mapped([]byte{tableStreamNode}, x.f.Height, x.snap.Head().Streams, prefixed{x.snap, []byte{tableStream}})
	})
	for _, table := range []byte{tableState, tableNode} {
		x.step(tableNames[table], func() error { return x.owned(table, ids) })
	}
	x.step("stream", func() error {
		order := slices.SortedFunc(maps.Keys(ids), func(a, b wire.StreamID) int { return bytes.Compare(a[:], b[:]) })
		for _, id := range order {
			x.step("state", func() error { return x.stateOf(id, ids[id]) })
		}
		return nil
	})
}

// heads compares head and count of each stream with what the blocks lead to.
func (x *examination) heads(ids map[wire.StreamID]chain.Stream) error {
	err := x.each([]byte{tableStream}, func(key, value []byte) error {
		s, err := chain.DecodeStream(value)
		if err != nil || len(key) != 1+wire.Size {
			return fmt.Errorf("%s: %w", describe(key), err)
		}
		id := wire.StreamID(key[1:])
		want := x.walk.stream(id)
		if s.Head != want.Head || s.Count != want.Count {
			return wrong(x.lastOf(id), "stream", "%v: %d entries to head %v; the blocks give %d to %v", id, s.Count, s.Head, want.Count, want.Head)
		}
		ids[id] = s
		return nil
	})
	x.f.Streams = uint64(len(ids))
	if err != nil {
		return err
	}
	for id, s := range x.walk.streams {
		if _, ok := ids[id]; !ok && s.Count > 0 {
			return wrong(x.lastOf(id), "stream", "%v: missing; it has %d entries", id, s.Count)
		}
	}
	return nil
}

// lastOf is the height of a stream's last entry, to which its row and its state belong.
func (x *examination) lastOf(id wire.StreamID) uint64 {
	s := x.walk.stream(id)
	if s.Count > 0 {
		if row, err := x.snap.get(sequenceKey(id, s.Count-1)); err == nil && len(row) == 8+wire.Size {
			if place := binary.BigEndian.Uint64(row); place < x.f.Size {
				return x.heightAt(place)
			}
		}
	}
	return max(x.f.Height, 1)
}

// owned checks that each row of a table of streams is of a stream there is.
func (x *examination) owned(table byte, ids map[wire.StreamID]chain.Stream) error {
	return x.each([]byte{table}, func(key, _ []byte) error {
		if len(key) < 1+wire.Size {
			return fmt.Errorf("a key of %d bytes", len(key))
		}
		if _, ok := ids[wire.StreamID(key[1:1+wire.Size])]; !ok {
			return fmt.Errorf("%s is of no stream there is", describe(key))
		}
		return nil
	})
}

// stateOf compares a stream's state with its digest, and the map over it.
func (x *examination) stateOf(id wire.StreamID, s chain.Stream) error {
	height := x.lastOf(id)
	err := x.mapped(named(tableNode, id), height, s.Digest, prefixed{x.snap, named(tableState, id)})
	if at := new(atRow); err != nil && !errors.As(err, &at) {
		return wrong(height, "state", "stream %v: %w", id, err)
	}
	return err
}

// mapped builds the map over rows again and compares its root, then each of its
// nodes with those kept under a prefix.
func (x *examination) mapped(prefix []byte, height uint64, root wire.Hash, rows prefixed) error {
	var writes []state.Write
	err := x.snap.walk(rows.prefix, rows.prefix, func(key, value []byte) error {
		writes = append(writes, state.Write{Key: bytes.Clone(key[len(rows.prefix):]), Value: bytes.Clone(value)})
		return nil
	})
	if err != nil {
		return wrong(height, tableNames[rows.prefix[0]], "%w", err)
	}
	built := new(state.Memory)
	if got := state.NewMap(built).Update(writes); got != root {
		return wrong(height, tableNames[rows.prefix[0]], "%s: its rows give the digest %v, the ledger says %v", describe(rows.prefix), got, root)
	}
	nodes, n := 0, 0
	built.Scan(nil, func(_, _ []byte) bool { nodes++; return true })
	err = x.snap.walk(prefix, prefix, func(key, value []byte) error {
		want, ok := built.Get(key[len(prefix):])
		if !ok || !bytes.Equal(want, value) {
			return fmt.Errorf("%s: node %x: not what the rows give", describe(prefix), key[len(prefix):])
		}
		n++
		return nil
	})
	if err == nil && n != nodes {
		err = fmt.Errorf("%s: %d nodes, the rows give %d", describe(prefix), n, nodes)
	}
	if err != nil {
		return wrong(height, tableNames[prefix[0]], "%w", err)
	}
	return nil
}

// prefixed is the rows under a prefix.
type prefixed struct {
	s      *Snapshot
	prefix []byte
}
