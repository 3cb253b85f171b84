package main

import (
	"context"
	"encoding/binary"
	"os"
	"sync/atomic"
	"time"

	"github.com/codenotary/immudb/embedded/logger"
	"github.com/codenotary/immudb/embedded/store"
)

// immudb is immudb's store, embedded, each transaction one entry. Its licence
// (Business Source License 1.1) allows it to be measured and not to be built on.
type immudb struct {
	store *store.ImmuStore
	next  atomic.Uint64
}

func openImmudb(_ context.Context, c options) (system, error) {
	sync := c.age
	if sync == 0 {
		if sync = time.Millisecond; c.clients >= many {
			sync = 2 * time.Millisecond
		}
	}
	s, err := store.Open(c.dir, store.DefaultOptions().
		WithSynced(true).WithSyncFrequency(sync).
		WithMaxConcurrency(c.clients+8).WithMaxActiveTransactions(c.clients+1000).WithMaxWaitees(c.clients+1000).
		WithMaxTxEntries(max(c.batch, 1)).WithMaxKeyLen(32).WithEmbeddedValues(true).
		WithLogger(logger.NewSimpleLoggerWithLevel("immudb", os.Stderr, logger.LogError)))
	if err != nil {
		return nil, err
	}
	return &immudb{store: s}, nil
}

func (s *immudb) add(ctx context.Context, entry []byte) error {
	tx, err := s.store.NewWriteOnlyTx(ctx)
	if err != nil {
		return err
	}
	if err := tx.Set(binary.BigEndian.AppendUint64(nil, s.next.Add(1)), nil, entry); err != nil {
		return err
	}
	// Asynchronous only towards its index: it returns after the sync.
	_, err = tx.AsyncCommit(ctx)
	return err
}

// prove makes proofs that the store's newest state contains a transaction.
func (s *immudb) prove(_ context.Context, n int) (bytes int, each time.Duration, err error) {
	last, _ := s.store.CommittedAlh()
	newest, err := s.store.ReadTxHeader(last, false, false)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	for i := range uint64(n) {
		header, err := s.store.ReadTxHeader(1+i*(last-1)/uint64(n), false, false)
		if err != nil {
			return 0, 0, err
		}
		p, err := s.store.DualProof(header, newest)
		if err != nil {
			return 0, 0, err
		}
		hashes := len(p.InclusionProof) + len(p.ConsistencyProof) + len(p.LastInclusionProof) + 1
		if p.LinearProof != nil {
			hashes += len(p.LinearProof.Terms)
		}
		if p.LinearAdvanceProof != nil {
			hashes += len(p.LinearAdvanceProof.LinearProofTerms)
		}
		bytes = max(bytes, 32*hashes)
	}
	return bytes, time.Since(start) / time.Duration(n), nil
}

func (s *immudb) close() error { return s.store.Close() }
