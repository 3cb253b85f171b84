package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
)

// What is entered: transactions of one size, by some signers, in some streams.
const (
	benchSize    = 300
	benchSigners = 16
	benchStreams = 16
)

// Kinds of the benchmark's transactions.
const (
	benchGrant tx.Kind = 1 + iota // the directory: the body is a signer's public key
	benchEntry
)

// entryMachine is the least of a state machine, so that what is measured is the
// ledger: it keeps who may sign, and takes what they signed.
type entryMachine struct {
	// unsigned leaves the signatures unlooked at: what the ledger costs without.
	unsigned bool
	// writing writes 32 bytes of the stream's state with every transaction.
	writing bool

	signatures tx.Verifier
}

// Check finds the signer's key in the directory and verifies the signature.
func (m *entryMachine) Check(_ engine.Point, directory, _ state.View, e *tx.Envelope) error {
	if m.unsigned {
		return nil
	}
	key := benchNode()
	if e.Kind != benchGrant {
		b, ok := directory.Get(signerRow(e.Key))
		if !ok || len(b) != len(key) {
			return errors.New("signer: not in the directory")
		}
		key = tx.PublicKey(b)
	}
	if !m.signatures.Verify(key, e.SigningBytes(), e.Signature) {
		return errors.New("signature: wrong")
	}
	return nil
}

// Prepare does nothing.
func (m *entryMachine) Prepare(func(wire.StreamID) state.View, []engine.Pending) {}

// Execute accepts.
func (m *entryMachine) Execute(p engine.Pending, _ state.View, stream state.Store) engine.Result {
	switch {
	case p.Envelope.Kind == benchGrant:
		key := tx.PublicKey(p.Envelope.Body)
		stream.Set(signerRow(key.ID()), key[:])
	case m.writing:
		stream.Set(append([]byte{'e'}, p.Hash[:]...), p.Hash[:])
	}
	return engine.Result{}
}

func signerRow(id wire.KeyID) []byte { return append([]byte{'s'}, id[:]...) }

var benchNode = sync.OnceValue(func() tx.PublicKey { return demonstration.Public("node") })

// benchGenesis never changes, so that transactions are signed once for all runs.
func benchGenesis() chain.Genesis {
	return chain.Genesis{
		Version: chain.GenesisVersion, Name: "Trialith benchmark", Time: 1_700_000_000_000, Epoch: 60 * 60,
		Rules: 1, Origin: "trialith.example/bench", Node: benchNode(), Demonstration: true,
	}
}

func benchSigner(n int) ed25519.PrivateKey {
	return demonstration.Key(fmt.Sprintf("bench/%d", n))
}

// openBench opens the ledger in a directory that was made for it.
func openBench(dir string, m engine.StateMachine) (*solo.Ledger, error) {
	return solo.Open(solo.Config{
		Dir: filepath.Join(dir, dirLedger), HeadFile: filepath.Join(dir, fileHead),
		Key: demonstration.Key("node"), Genesis: benchGenesis(), Machine: m,
	})
}

// grantSigners enters the signers' keys into the directory.
func grantSigners(ctx context.Context, l engine.Engine, expiry int64) error {
	for i := range benchSigners {
		key := benchSigner(i).Public().(ed25519.PublicKey)
		e := benchEnvelope(benchGrant, wire.Directory, uint64(i), expiry, key)
		e.Sign(demonstration.Key("node"))
		if err := enterEntry(ctx, l, e.Encode()); err != nil {
			return fmt.Errorf("key of signer %d: %w", i, err)
		}
	}
	return nil
}

func benchEnvelope(kind tx.Kind, stream wire.StreamID, n uint64, expiry int64, body []byte) tx.Envelope {
	e := tx.Envelope{Version: tx.Version, Ledger: benchGenesis().ID(), Kind: kind, Stream: stream, Expiry: expiry, Body: body}
	binary.BigEndian.PutUint64(e.Idempotency[8:], n)
	return e
}

// enterEntry returns when a transaction is durable.
func enterEntry(ctx context.Context, l engine.Engine, raw []byte) error {
	hash, err := l.Submit(ctx, raw)
	if err != nil {
		return err
	}
	entry, err := l.Wait(ctx, hash)
	if err == nil && entry.Result.Code != engine.Accepted {
		err = fmt.Errorf("refused: %d", entry.Result.Code)
	}
	return err
}

// writeEntries writes n transactions into a file, one after another; every
// system measured, ours and others, enters these bytes. As many as signed says
// are signed. The rest carry as many bytes that are no signature, for who looks
// at none: signing a million takes half a minute.
func writeEntries(ctx context.Context, path string, n, signed int, expiry int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { errs[w] = signEntries(ctx, f, w, workers, n, signed, expiry) })
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), f.Close())
}

// signEntries writes every workers-th block of the transactions, beginning with its own.
func signEntries(ctx context.Context, f *os.File, worker, workers, n, signed int, expiry int64) error {
	var streams [benchStreams]wire.StreamID
	for i := range streams {
		streams[i] = wire.StreamID(wire.Sum("trial", i))
	}
	var signers [benchSigners]ed25519.PrivateKey
	var names [benchSigners]wire.KeyID
	for i := range signers {
		signers[i] = benchSigner(i)
		names[i] = tx.PublicKey(signers[i].Public().(ed25519.PublicKey)).ID()
	}
	// A byte string of 24 to 255 bytes has a head of two, and so has this one.
	e := benchEnvelope(benchEntry, streams[0], 0, expiry, make([]byte, 24))
	body := make([]byte, 24+benchSize-len(e.Encode()))
	const step = 1024
	for at := worker * step; at < n; at += workers * step {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := make([]byte, 0, step*benchSize)
		for i := at; i < min(at+step, n); i++ {
			binary.BigEndian.PutUint64(body, uint64(i))
			e := benchEnvelope(benchEntry, streams[i%benchStreams], uint64(i), expiry, body)
			if i < signed {
				e.Sign(signers[i%benchSigners])
			} else {
				e.Key, e.Signature = names[i%benchSigners], tx.Signature(sha512.Sum512(body))
			}
			block = append(block, e.Encode()...)
		}
		if _, err := f.WriteAt(block, int64(at)*benchSize); err != nil {
			return err
		}
	}
	return nil
}
