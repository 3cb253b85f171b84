package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/engine"
)

// SetCosigned keeps the checkpoint of a height with the cosignatures of
// witnesses, durably: a witness may not sign an old head again. It replaces what
// is kept of that height. Unlike blocks, it may be written by any goroutine.
func (s *Store) SetCosigned(height uint64, msg []byte) error {
	return s.setBeside(tableCosigned, height, msg)
}

// SetStamp keeps the RFC 3161 time stamp of the checkpoint of a height, durably.
func (s *Store) SetStamp(height uint64, token []byte) error {
	return s.setBeside(tableStamp, height, token)
}

func (s *Store) setBeside(table byte, height uint64, value []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store: %c %d: %v", table, height, r)
		}
	}()
	return s.db.Set(numbered(table, height), value, s.sync)
}

// NewestCosigned returns the cosigned checkpoint of the greatest height that has
// one, or engine.ErrUnknown.
func (s *Snapshot) NewestCosigned() (height uint64, msg []byte, err error) {
	return s.beside(tableCosigned, (*pebble.Iterator).Last)
}

// CosignedFrom returns the cosigned checkpoint of the least height that has one
// and is not below the one given, or engine.ErrUnknown.
func (s *Snapshot) CosignedFrom(height uint64) (at uint64, msg []byte, err error) {
	return s.beside(tableCosigned, from(tableCosigned, height))
}

// StampFrom returns the time stamp of the least height that has one and is not
// below the one given, or engine.ErrUnknown.
func (s *Snapshot) StampFrom(height uint64) (at uint64, token []byte, err error) {
	return s.beside(tableStamp, from(tableStamp, height))
}

func from(table byte, height uint64) func(*pebble.Iterator) bool {
	return func(it *pebble.Iterator) bool { return it.SeekGE(numbered(table, height)) }
}

func (s *Snapshot) beside(table byte, seek func(*pebble.Iterator) bool) (height uint64, value []byte, err error) {
	prefix := []byte{table}
	it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, nil, fmt.Errorf("store: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !seek(it) {
		return 0, nil, engine.ErrUnknown
	}
	if len(it.Key()) != 9 {
		return 0, nil, fmt.Errorf("store: table %c: a key of %d bytes", table, len(it.Key()))
	}
	return binary.BigEndian.Uint64(it.Key()[1:]), append([]byte(nil), it.Value()...), nil
}
