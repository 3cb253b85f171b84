package engine

import (
	"bytes"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
)

// FuzzFault15Entry: an entry has one encoding, whoever writes it.
func FuzzFault15Entry(f *testing.F) {
	f.Add((&Entry{Height: 7, Result: Result{Events: []Event{{Kind: 3, Body: []byte("body")}}}, Envelope: []byte("x")}).Encode())
	f.Add((&Entry{Time: -1, Result: Result{Code: 9}}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Entry
		if wire.Unmarshal(b, &e) != nil {
			return
		}
		if !bytes.Equal(e.Encode(), b) {
			t.Fatalf("%x encodes to %x", b, e.Encode())
		}
		if got, want := ResultsHash([]Entry{e}), wire.Sum("results", e.Result); got != want {
			t.Fatalf("%x: results %v, want %v", b, got, want)
		}
	})
}
