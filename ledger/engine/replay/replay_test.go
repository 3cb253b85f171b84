package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// history is what an evidence file carries.
type history struct {
	directory, trial []engine.Entry
	headers          []chain.Header
	wantDirectory    chain.Stream
	wantTrial        chain.Stream
}

func (h history) clone() history {
	h.directory, h.trial, h.headers = slices.Clone(h.directory), slices.Clone(h.trial), slices.Clone(h.headers)
	return h
}

func (h history) run() error {
	r, err := replay.Run(new(toy.Machine), toy.Genesis(), h.directory, h.trial, h.headers)
	if err != nil {
		return err
	}
	return r.Match(h.wantDirectory, h.wantTrial)
}

// record makes a ledger with trials streams and returns the history of the
// first. Of each trial's transactions every third is refused.
func record(t testing.TB, trials, each int) history {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := solo.Open(solo.Config{Dir: t.TempDir(), Key: toy.Key(0), Machine: new(toy.Machine), Genesis: toy.Genesis()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	enter := func(raws ...[]byte) {
		var last wire.TxHash
		for _, raw := range raws {
			if last, err = l.Submit(ctx, raw); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Wait(ctx, last); err != nil {
			t.Fatal(err)
		}
	}
	k := toy.Key(2)
	enter(toy.GrantTx(k, 1))
	n := uint64(1)
	for i := range each {
		var raws [][]byte
		for s := range trials {
			body := fmt.Sprint(i)
			if i%3 == 2 {
				body = fmt.Sprint(i - 1) // taken
			}
			n++
			raws = append(raws, toy.Tx(k, toy.Add, toy.Stream(s), body, n))
		}
		if i%4 == 0 {
			raws = append(raws, toy.GrantTx(toy.Key(100+i), 1))
		}
		enter(raws...)
	}
	var h history
	if h.directory, err = l.StreamEntries(wire.Directory, 0, 1<<30); err != nil {
		t.Fatal(err)
	}
	if h.trial, err = l.StreamEntries(toy.Stream(0), 0, 1<<30); err != nil {
		t.Fatal(err)
	}
	if h.headers, err = l.Headers(1, l.Head().Height); err != nil {
		t.Fatal(err)
	}
	for id, to := range map[wire.StreamID]*chain.Stream{wire.Directory: &h.wantDirectory, toy.Stream(0): &h.wantTrial} {
		p, err := l.StreamProof(id)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(l.Head()); err != nil {
			t.Fatal(err)
		}
		*to = p.Stream
	}
	return h
}

// resign replaces an entry's envelope by another body's under a right signature.
func resign(e *engine.Entry, body string) {
	env, err := tx.Decode(e.Envelope)
	if err != nil {
		panic(err)
	}
	env.Body = []byte(body)
	env.Sign(toy.Key(2))
	e.Envelope = env.Encode()
	e.Hash = tx.Hash(e.Envelope)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for _, trials := range []int{1, 3} {
		h := record(t, trials, 12)
		if err := h.run(); err != nil {
			t.Fatalf("%d trials: %v", trials, err)
		}
		if len(h.trial) != 12 || h.trial[2].Result.Code != toy.Taken {
			t.Fatalf("%d trials: the history is not what it should be", trials)
		}
		for _, c := range []struct {
			name, want string
			change     func(*history)
		}{
			{"code of an accepted", "trial/4", func(h *history) { h.trial[4].Result.Code = 3 }},
			{"code of an accepted, body gone", "", func(h *history) {
				h.trial[4].Result = engine.Result{Code: 3}
				h.trial[4].Envelope = nil
			}},
			{"code of a refused", "", func(h *history) { h.trial[5].Result.Code = 3 }},
			{"a refused one accepted", "trial/5", func(h *history) { h.trial[5].Result.Code = 0 }},
			{"hash of a refused", "", func(h *history) { h.trial[5].Hash[0] ^= 1 }},
			{"missing", "trial/4", func(h *history) { h.trial = slices.Delete(h.trial, 4, 5) }},
			{"first missing", "trial/0", func(h *history) { h.trial = h.trial[1:] }},
			{"last missing", "trial/11", func(h *history) { h.trial = h.trial[:11] }},
			{"missing and renumbered", "", func(h *history) {
				h.trial = slices.Delete(h.trial, 4, 5)
				for i := range h.trial {
					h.trial[i].Sequence = uint64(i)
				}
			}},
			{"missing in the directory", "directory/2", func(h *history) { h.directory = slices.Delete(h.directory, 2, 3) }},
			{"swapped", "trial/3", func(h *history) { h.trial[3], h.trial[4] = h.trial[4], h.trial[3] }},
			{"swapped and renumbered", "", func(h *history) {
				a, b := &h.trial[3], &h.trial[4]
				a.Hash, b.Hash, a.Envelope, b.Envelope, a.Result, b.Result = b.Hash, a.Hash, b.Envelope, a.Envelope, b.Result, a.Result
			}},
			{"twice", "trial/5", func(h *history) {
				h.trial[5] = h.trial[4]
				h.trial[5].Sequence = 5
				h.trial[5].Height++
				h.trial[5].Time = h.headers[h.trial[5].Height-1].Time
			}},
			{"time", "trial/4", func(h *history) { h.trial[4].Time++ }},
			{"time of a directory entry", "directory/1", func(h *history) { h.directory[1].Time-- }},
			{"height", "trial/4", func(h *history) { h.trial[4].Height = 99 }},
			{"index", "trial/4", func(h *history) { h.trial[4].Index += 50 }},
			{"directory sequence", "trial/4", func(h *history) { h.trial[4].Directory-- }},
			{"stream", "trial/4", func(h *history) { h.trial[4].Stream[0] ^= 1 }},
			{"envelope", "trial/4", func(h *history) {
				h.trial[4].Envelope = slices.Clone(h.trial[4].Envelope)
				h.trial[4].Envelope[100] ^= 1
			}},
			{"envelope and hash", "trial/4", func(h *history) {
				h.trial[4].Envelope = slices.Clone(h.trial[4].Envelope)
				h.trial[4].Envelope[len(h.trial[4].Envelope)-5] ^= 1
				h.trial[4].Hash = tx.Hash(h.trial[4].Envelope)
			}},
			{"another transaction, rightly signed", "trial/4", func(h *history) { resign(&h.trial[4], "forged") }},
			{"event", "trial/4", func(h *history) {
				h.trial[4].Result.Events = []engine.Event{{Kind: 2, Body: []byte("forged")}}
			}},
			{"header", "header/3", func(h *history) { h.headers[2].First++ }},
			{"header chain", "header/4", func(h *history) { h.headers[2].Streams[0] ^= 1 }},
			{"header missing", "header/3", func(h *history) { h.headers = slices.Delete(h.headers, 2, 3) }},
			{"state digest", "trial/11", func(h *history) { h.wantTrial.Digest[0] ^= 1 }},
			{"directory head", "", func(h *history) { h.wantDirectory.Head[0] ^= 1 }},
		} {
			bad := h.clone()
			c.change(&bad)
			err := bad.run()
			var d *replay.Divergence
			if !errors.As(err, &d) {
				t.Errorf("%d trials, %s: %v", trials, c.name, err)
				continue
			}
			if c.want != "" && d.Entry != c.want {
				t.Errorf("%d trials, %s: found at %s, want %s", trials, c.name, err, c.want)
			}
		}
	}
}

// With one trial every block is whole, so even what has no body is found where it is.
func TestReplayNamesTheRefused(t *testing.T) {
	t.Parallel()
	h := record(t, 1, 12)
	for name, change := range map[string]func(*engine.Entry){
		"code": func(e *engine.Entry) { e.Result.Code = 3 },
		"hash": func(e *engine.Entry) { e.Hash[0] ^= 1 },
	} {
		bad := h.clone()
		change(&bad.trial[5])
		err := bad.run()
		var d *replay.Divergence
		if !errors.As(err, &d) || d.Entry != "trial/5" {
			t.Errorf("%s of a refused: %v, want trial/5", name, err)
		}
	}
}

// What a ledger must never have let in is refused for that reason, though it
// is signed and linked as it should be.
func TestReplayHoldsTheLedgerToItsRules(t *testing.T) {
	t.Parallel()
	h := record(t, 1, 4)
	first, err := tx.Decode(h.trial[0].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	for reason, change := range map[string]func(*tx.Envelope){
		"idempotency key": func(e *tx.Envelope) { e.Idempotency = first.Idempotency },
		"expired":         func(e *tx.Envelope) { e.Expiry = h.trial[1].Time },
		"ledger":          func(e *tx.Envelope) { e.Ledger[0] ^= 1 },
		"stream":          func(e *tx.Envelope) { e.Stream = toy.Stream(5) },
	} {
		bad := h.clone()
		env, err := tx.Decode(bad.trial[1].Envelope)
		if err != nil {
			t.Fatal(err)
		}
		change(env)
		env.Sign(toy.Key(2))
		bad.trial[1].Envelope = env.Encode()
		bad.trial[1].Hash = tx.Hash(bad.trial[1].Envelope)
		var d *replay.Divergence
		if err := bad.run(); !errors.As(err, &d) || d.Entry != "trial/1" || !strings.Contains(d.Reason, reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// A transaction may come again, if another engine's proposer lets it in, but
// only to be refused for that.
func TestReplayTakesRepetitionsForWhatTheyAre(t *testing.T) {
	t.Parallel()
	h := record(t, 1, 4)
	// No block is whole, so that codes show in the heads alone.
	prev := toy.Genesis().Header()
	for i := range h.headers {
		n := &h.headers[i]
		n.Count, n.First, n.Previous = n.Count+1, prev.Size(), prev.Hash()
		prev = *n
	}
	for _, c := range []struct {
		first, again engine.Code
		ok           bool
	}{
		{toy.Taken, engine.Duplicate, true},
		{engine.Duplicate, engine.Duplicate, true},
		{engine.Expired, engine.Expired, true},
		{engine.Expired, engine.Duplicate, true},
		{toy.Taken, toy.Taken, false},
		{toy.Taken, engine.Expired, false},
		{engine.Duplicate, engine.Expired, false},
		{engine.Expired, toy.Taken, false},
	} {
		twice := h.clone()
		for i, code := range []engine.Code{c.first, c.again} {
			e := &twice.trial[2+i]
			e.Hash, e.Result, e.Envelope = wire.TxHash{9}, engine.Result{Code: code}, nil
		}
		var d *replay.Divergence
		err := twice.run()
		if !errors.As(err, &d) {
			t.Fatalf("codes %d and %d: %v; the head is another at least", c.first, c.again, err)
		}
		if same := strings.Contains(d.Reason, "same transaction"); same == c.ok {
			t.Errorf("codes %d and %d: %v", c.first, c.again, err)
		}
	}
}

func BenchmarkReplay(b *testing.B) {
	h := record(b, 1, 3000)
	for b.Loop() {
		if err := h.run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(h.trial)+len(h.directory)), "entries")
}
