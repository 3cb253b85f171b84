package solo

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// plain is a state machine that does as little as one can, so that what is
// measured is the ledger.
type plain struct {
	keys   map[wire.KeyID]tx.PublicKey // nil: signatures are not looked at
	writes bool                        // one key of its stream's state each

	signatures tx.Verifier
}

var errForged = errors.New("signature: wrong")

func (p *plain) Check(_ engine.Point, _, _ state.View, e *tx.Envelope) error {
	if p.keys != nil && !p.signatures.Verify(p.keys[e.Key], e.SigningBytes(), e.Signature) {
		return errForged
	}
	return nil
}

func (p *plain) Prepare(func(wire.StreamID) state.View, []engine.Pending) {}

func (p *plain) Execute(t engine.Pending, _ state.View, stream state.Store) engine.Result {
	if p.writes {
		stream.Set(t.Hash[:], t.Envelope.Body[:64])
	}
	return engine.Result{}
}

const (
	benchBytes = 300 // of a transaction
	benchKeys  = 64
)

// benchTxs makes n transactions of 300 bytes, by 64 keys, in 16 streams.
func benchTxs(b *testing.B, n int, signed bool) (raws [][]byte, keys map[wire.KeyID]tx.PublicKey) {
	var private [benchKeys]ed25519.PrivateKey
	if signed {
		keys = map[wire.KeyID]tx.PublicKey{}
	}
	for i := range private {
		private[i] = toy.Key(i + 1)
		if signed {
			keys[toy.Public(private[i]).ID()] = toy.Public(private[i])
		}
	}
	e := tx.Envelope{Version: tx.Version, Ledger: toy.Genesis().ID(), Kind: 1, Expiry: toy.Far}
	e.Stream = toy.Stream(0)
	e.Body = make([]byte, 64)
	e.Body = make([]byte, 64+benchBytes-len(e.Encode()))
	raws = make([][]byte, n)
	for i := range raws {
		e.Stream = toy.Stream(i % 16)
		e.Key = wire.KeyID{byte(i % benchKeys), 1}
		binary.BigEndian.PutUint64(e.Idempotency[:], uint64(i))
		if signed {
			e.Sign(private[i%benchKeys])
		}
		if raws[i] = e.Encode(); len(raws[i]) != benchBytes {
			b.Fatalf("transaction of %d bytes", len(raws[i]))
		}
	}
	return raws, keys
}

// BenchmarkLedger has so many clients who each wait for their transaction of
// 300 bytes to be durable and signed before they send the next. An operation is
// a transaction. Run it with -benchtime 100000x; the rates of a machine that
// does other things besides say nothing, its CPU time says more.
func BenchmarkLedger(b *testing.B) {
	for _, c := range []struct {
		name           string
		signed, writes bool
	}{{"unsigned", false, false}, {"unsigned, writing", false, true}, {"signed", true, false}} {
		for _, clients := range []int{1, 64, 1024} {
			b.Run(fmt.Sprintf("%s/%d", c.name, clients), func(b *testing.B) {
				raws, keys := benchTxs(b, b.N, c.signed)
				cfg := config(b)
				cfg.MemTable = 0
				cfg.Machine = &plain{keys: keys, writes: c.writes}
				l := open(b, cfg)
				benchClients(b, raws, clients, func(raw []byte) error {
					hash, err := l.Submit(context.Background(), raw)
					if err == nil {
						_, err = l.Wait(context.Background(), hash)
					}
					return err
				})
				b.ReportMetric(float64(len(raws))/float64(l.Head().Height), "tx/block")
			})
		}
	}
}

// BenchmarkPebble is the yardstick: the same clients, for each of whom the
// database alone keeps the 300 bytes under a number, one synced batch for all
// who wait.
func BenchmarkPebble(b *testing.B) {
	for _, clients := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			raws, _ := benchTxs(b, b.N, false)
			db, err := pebble.Open(b.TempDir(), &pebble.Options{Logger: silent{}, MemTableSize: 32 << 20})
			if err != nil {
				b.Fatal(err)
			}
			type waiting struct {
				raw  []byte
				done chan error
			}
			queue := make(chan waiting, clients)
			var writer sync.WaitGroup
			writer.Go(func() {
				for n := uint64(0); ; {
					first, ok := <-queue
					if !ok {
						return
					}
					group := []waiting{first}
					for len(queue) > 0 {
						group = append(group, <-queue)
					}
					batch := db.NewBatch()
					for _, w := range group {
						n++
						err = errors.Join(err, batch.Set(binary.BigEndian.AppendUint64(nil, n), w.raw, nil))
					}
					err = errors.Join(err, batch.Commit(pebble.Sync))
					for _, w := range group {
						w.done <- err
					}
				}
			})
			benchClients(b, raws, clients, func(raw []byte) error {
				w := waiting{raw, make(chan error, 1)}
				queue <- w
				return <-w.done
			})
			close(queue)
			writer.Wait()
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func benchClients(b *testing.B, raws [][]byte, clients int, send func([]byte) error) {
	took := make([]time.Duration, len(raws))
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime(b)
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(raws) {
					return
				}
				start := time.Now()
				if err := send(raws[i]); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	used := cpuTime(b) - before
	n := float64(len(raws))
	slices.Sort(took)
	b.ReportMetric(n/b.Elapsed().Seconds(), "tx/s")
	b.ReportMetric(float64(used.Nanoseconds())/1000/n, "cpu-µs/tx")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// cpuTime is what the process has used, in all threads.
func cpuTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
