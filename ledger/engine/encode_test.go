package engine

import (
	"bytes"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
)

func TestEncodingIsWires(t *testing.T) {
	t.Parallel()
	events := func(n int) []Event {
		out := make([]Event, n)
		for i := range out {
			out[i] = Event{Kind: uint16(i * 300), Body: make([]byte, i*i)}
		}
		return out
	}
	entries := []Entry{
		{},
		{Stream: wire.StreamID{1}, Sequence: 1 << 40, Height: 300, Index: 70000, Time: -5, Directory: 25, Hash: wire.TxHash{2}},
		{Time: 1 << 50, Result: Result{Code: Duplicate}},
		{Result: Result{Events: events(1)}, Envelope: []byte("envelope")},
		{Result: Result{Code: 24, Events: events(40)}, Envelope: make([]byte, 70000)},
	}
	for i := range entries {
		if got, want := entries[i].Encode(), wire.Marshal(entries[i]); !bytes.Equal(got, want) {
			t.Errorf("entry %d: %x, want %x", i, got, want)
		}
		xs := make([]any, i)
		for j := range xs {
			xs[j] = entries[j].Result
		}
		if got, want := ResultsHash(entries[:i]), wire.Sum("results", xs...); got != want {
			t.Errorf("results of %d: %v, want %v", i, got, want)
		}
	}
}
