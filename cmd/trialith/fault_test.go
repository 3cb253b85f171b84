package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// loaded is a node under load, and the receipts that it gave.
type loaded struct {
	t       *testing.T
	v       *victim
	genesis chain.Genesis
	http    *http.Client

	mu   sync.Mutex
	kept map[wire.TxHash]receipt.Receipt
}

// newLoaded starts a node in a process of its own. The regulator's key is known,
// so anybody can enter actors.
func newLoaded(t *testing.T) *loaded {
	t.Helper()
	dir := t.TempDir()
	v := &victim{t: t, dir: filepath.Join(dir, "node"), clock: filepath.Join(dir, "clock"), address: "127.0.0.1:0"}
	now := demo.NewClock(demo.GenesisDay()).Now()
	fileClock(v.clock).set(now)
	if err := writeDemo(v.dir, now); err != nil {
		t.Fatal(err)
	}
	if err := v.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		v.cmd.Process.Kill() //nolint:errcheck // gone already if it failed
		v.cmd.Wait()         //nolint:errcheck // it was killed
	})
	g, _, err := readNode(v.dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &loaded{t: t, v: v, genesis: g, http: &http.Client{Transport: new(http.Transport)}, kept: map[wire.TxHash]receipt.Receipt{}}
	t.Cleanup(l.http.CloseIdleConnections)
	return l
}

func (l *loaded) client() *client.Client { return client.New("http://"+l.v.address, l.http) }

// send enters actors until ctx ends, and keeps the receipt of each.
func (l *loaded) send(ctx context.Context, series int) {
	c := l.client()
	for i := 0; ctx.Err() == nil; i++ {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			l.t.Error(err)
			return
		}
		body := directory.Register{Role: trial.Sponsor, Name: fmt.Sprintf("Sponsor %d of client %d", i, series), Country: "US"}
		body.Prove(l.genesis.ID(), key)
		o, err := c.Send(ctx, client.Order{Kind: contract.DirectoryRegister, Stream: wire.Directory, Body: body, Signer: demonstration.Key("regulator")})
		if err != nil || !o.Accepted() {
			if ctx.Err() == nil {
				l.t.Errorf("%+v %v", o, err)
			}
			return
		}
		r, err := c.Receipt(ctx, o.Hash)
		if err != nil { // the node died in between; who asks again gets it
			continue
		}
		l.mu.Lock()
		l.kept[o.Hash] = r
		l.mu.Unlock()
	}
}

// broken counts the receipts that do not verify, or that the node at an address
// no longer stands by.
func (l *loaded) broken(ctx context.Context, c *client.Client) (n int, err error) {
	for hash, old := range l.kept {
		p, e := old.Verify(l.genesis, nil)
		if e == nil {
			var now receipt.Receipt
			if now, e = c.Receipt(ctx, hash); e == nil && (now.Link != old.Link || now.Index != old.Index) {
				e = fmt.Errorf("receipt of number %d, now of %d", old.Index, now.Index)
			}
		}
		if e != nil {
			n, err = n+1, fmt.Errorf("transaction %v, number %d: %w", hash, p.Index, e)
		}
	}
	return n, err
}

// TestFault02KillUnderLoad kills the real process with SIGKILL at random
// moments while clients send and keep their receipts. Every receipt that was
// given before a kill verifies after all of them, and the directory is whole.
func TestFault02KillUnderLoad(t *testing.T) {
	t.Parallel()
	kills := 4
	if os.Getenv("TRIALITH_LONG") == "1" {
		kills = 40
	}
	l := newLoaded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(kills)*time.Minute)
	defer cancel()
	load, stop := context.WithCancel(ctx)
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() { l.send(load, i) })
	}
	for range kills {
		time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		if err := l.v.kill(); err != nil {
			t.Fatalf("%v: %s", err, &l.v.stderr)
		}
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	clients.Wait()
	if n, err := l.broken(ctx, l.client()); n > 0 {
		t.Errorf("%d of %d receipts: %v", n, len(l.kept), err)
	}
	if len(l.kept) < kills {
		t.Errorf("%d receipts over %d kills; there was no load", len(l.kept), kills)
	}
	t.Logf("%d receipts over %d kills", len(l.kept), kills)
	// The control: a node of the same genesis that never saw them stands by none.
	other := newLoaded(t)
	if n, _ := l.broken(ctx, other.client()); n != len(l.kept) {
		t.Errorf("an empty ledger stands by %d of %d receipts", len(l.kept)-n, len(l.kept))
	}
	if err := l.v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l.v.cmd.Wait() //nolint:errcheck // it was killed
	f, err := solo.Fsck(filepath.Join(l.v.dir, dirLedger), filepath.Join(l.v.dir, dirKeys, fileHead), l.genesis, store.FsckOptions{})
	if err != nil || len(f.Found) > 0 {
		t.Errorf("%v: %+v", err, f)
	}
}
