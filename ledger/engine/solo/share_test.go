package solo

import (
	"context"
	"errors"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/wire"
)

// One signer who floods the queue gets half of it, and others still enter. When
// the blocks go on, so does the flood.
func TestOneSignerDoesNotFillTheQueue(t *testing.T) {
	t.Parallel()
	c := config(t)
	hold := make(chan struct{})
	c.MaxQueue, c.Machine = 16, &toy.Machine{Hold: hold}
	l := open(t, c)
	var queued []wire.TxHash
	submit := func(key int, n uint64) error {
		hash, err := l.Submit(context.Background(), toy.GrantTx(toy.Key(key), n))
		if err == nil {
			queued = append(queued, hash)
		}
		return err
	}
	flood := 0
	for n := range uint64(100) {
		err := submit(2, n)
		if err == nil {
			flood++
		} else if !errors.Is(err, engine.ErrShare) || !errors.Is(err, engine.ErrBusy) {
			t.Fatal(err)
		}
	}
	if flood != c.MaxQueue/2 {
		t.Errorf("one signer has %d of %d places", flood, c.MaxQueue)
	}
	others := 0
	for key := 3; ; key++ {
		err := submit(key, 1)
		if errors.Is(err, engine.ErrBusy) && !errors.Is(err, engine.ErrShare) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		others++
	}
	if others != c.MaxQueue-flood {
		t.Errorf("others have %d places", others)
	}
	close(hold)
	for _, hash := range queued {
		if _, err := l.Wait(limit(t), hash); err != nil {
			t.Fatal(err)
		}
	}
	enter(t, l, toy.GrantTx(toy.Key(2), 1000))
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.shares) != 0 || len(l.claims) != 0 || l.admitted != 0 || l.bytes != 0 || l.checking != 0 {
		t.Errorf("%d shares, %d claims, %d admitted, %d bytes, %d being checked of nothing",
			len(l.shares), len(l.claims), l.admitted, l.bytes, l.checking)
	}
}
