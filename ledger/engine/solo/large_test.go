package solo

import (
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// TestTooLarge: effects that nobody could decode again are refused, with every
// write discarded, and what is within the limits is read back.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	k := toy.Key(2)
	enter(t, l, toy.GrantTx(k, 1))
	for i, c := range []struct {
		body string
		code engine.Code
	}{
		{"value 33554433", engine.TooLarge},
		{"event 33554432", engine.TooLarge},
		{"events 524289", engine.TooLarge},
		{"value 5000000", engine.Accepted},
		{"event 5000000", engine.Accepted},
		{"events 100000", engine.Accepted},
	} {
		e := enter(t, l, toy.Tx(k, toy.Flood, toy.Stream(0), c.body, uint64(i+2)))
		if e.Result.Code != c.code || c.code != engine.Accepted && (len(e.Envelope) > 0 || len(e.Result.Events) > 0) {
			t.Errorf("%s: code %d with %d events and an envelope of %d bytes", c.body, e.Result.Code, len(e.Result.Events), len(e.Envelope))
		}
	}
	audit(t, l)
}
