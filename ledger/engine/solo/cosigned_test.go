package solo

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// TestCosigned keeps cosigned checkpoints and stamps beside the blocks: only
// the ledger's own, found by height, there after the ledger is opened again.
func TestCosigned(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	if _, err := l.Cosigned(); !errors.Is(err, engine.ErrUnknown) {
		t.Fatalf("the newest cosigned checkpoint of an empty ledger: %v", err)
	}
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	for i := range 5 {
		enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "x", uint64(2+i)))
	}
	at := func(height uint64) []byte {
		msg, err := l.CheckpointAt(height)
		if err != nil {
			t.Fatal(err)
		}
		return append(msg, "— witness.example AAAAAAAA\n"...)
	}
	for _, height := range []uint64{2, 5} {
		if err := l.SetCosigned(height, at(height)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetCosigned(3, at(4)); err == nil {
		t.Error("the checkpoint of another height was kept")
	}
	if err := l.SetCosigned(99, at(4)); err == nil {
		t.Error("the checkpoint of a height that is not there was kept")
	}
	if err := l.SetStamp(4, []byte("token")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, c)
	if got, err := l.Cosigned(); err != nil || !bytes.Equal(got, at(5)) {
		t.Errorf("newest: %q, %v", got, err)
	}
	for height, want := range map[uint64]uint64{0: 2, 2: 2, 3: 5, 5: 5} {
		if got, msg, err := l.CosignedFrom(height); err != nil || got != want || !bytes.Equal(msg, at(want)) {
			t.Errorf("from %d: height %d, %v; want %d", height, got, err, want)
		}
	}
	if _, _, err := l.CosignedFrom(6); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("from 6: %v", err)
	}
	if _, err := l.CosignedAt(3); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("at 3: %v", err)
	}
	if height, token, err := l.StampFrom(1); err != nil || height != 4 || string(token) != "token" {
		t.Errorf("stamp: %d %q, %v", height, token, err)
	}
}

func TestAwaitBlock(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	reached := make(chan error, 1)
	go func() { reached <- l.AwaitBlock(limit(t), 1) }()
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	enter(t, l, toy.GrantTx(toy.Key(3), 2))
	if err := <-reached; err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := l.AwaitBlock(ended, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	go func() { reached <- l.AwaitBlock(limit(t), 2) }()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-reached; !errors.Is(err, engine.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
