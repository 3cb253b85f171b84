package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// validate reads every block of a table file and closes it.
func validate(file vfs.File) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	readable, err := sstable.NewSimpleReadable(file)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r, err := sstable.NewReader(context.Background(), readable, sstable.ReaderOptions{})
	if err != nil {
		return err // NewReader has closed the file
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}

var tableNames = map[byte]string{
	tableFormat: "format", tableGenesis: "genesis", tableBase: "base", tableHeader: "header", tableCheckpoint: "checkpoint",
	tableCosigned: "cosigned checkpoint", tableStamp: "time stamp", tableEntry: "entry", tableTransaction: "transaction index",
	tableSequence: "stream index", tableIdempotency: "idempotency key", tableState: "state", tableNode: "state map",
	tableStream: "stream", tableStreamNode: "stream map", tableLog: "log",
}

// describe names a row for people.
func describe(key []byte) string {
	if len(key) == 0 {
		return "nothing"
	}
	name, ok := tableNames[key[0]]
	if !ok {
		return fmt.Sprintf("unknown row %x", key)
	}
	switch key[0] {
	case tableFormat, tableGenesis, tableBase:
		return name
	case tableHeader, tableCheckpoint, tableCosigned, tableStamp, tableEntry:
		if len(key) == 9 {
			return fmt.Sprintf("%s %d", name, binary.BigEndian.Uint64(key[1:]))
		}
	case tableLog:
		if len(key) == 10 {
			return fmt.Sprintf("log %d/%d", key[1], binary.BigEndian.Uint64(key[2:]))
		}
	}
	return fmt.Sprintf("%s %x", name, key[1:min(len(key), 9)])
}

// heightOf is the height that a row belongs to, where its key says so; of all
// others the state's, which is the head's.
func (x *examination) heightOf(key []byte) uint64 {
	if len(key) == 9 {
		n := binary.BigEndian.Uint64(key[1:])
		switch key[0] {
		case tableHeader, tableCheckpoint, tableCosigned, tableStamp:
			return max(n, 1)
		case tableEntry:
			return x.heightAt(n)
		}
	}
	return max(x.snap.Head().Height, 1)
}

// heightAt finds the block of a place in the log by its header.
func (x *examination) heightAt(place uint64) uint64 {
	lo, hi := uint64(1), max(x.snap.Head().Height, 1)
	for lo < hi {
		mid := lo + (hi-lo)/2
		h, err := x.snap.Header(mid)
		if err != nil || h.Size() > place {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}
