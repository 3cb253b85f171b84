package relay

import (
	"context"
	"errors"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// Take judges a sealed act at the door and answers with a promise, by which time
// the act is on the disk. The same act again is promised again. It fails with a
// *sealed.RefusedError, or with a fault that is told to nobody outside.
func (b *Batcher) Take(ctx context.Context, message []byte) (*sealed.Promise, error) {
	release, err := b.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	bytes, err := b.open(message)
	if err != nil {
		return nil, err
	}
	a, err := b.read(bytes)
	if err != nil {
		return nil, err
	}
	first, err := b.view.judge(&a.Proven)
	if err != nil {
		return nil, err
	}
	if err := b.proven(a); err != nil {
		return nil, err
	}
	epoch, err := b.keep(bytes, a, first)
	if err != nil {
		return nil, err
	}
	return b.keys.promise(sealed.HashOf(message), epoch), nil
}

// enter takes one of the turns in which acts are judged.
func (b *Batcher) enter(ctx context.Context) (release func(), err error) {
	select {
	case b.turns <- struct{}{}:
		return func() { <-b.turns }, nil
	case <-ctx.Done():
		return nil, sealed.Refuse(sealed.Busy, "too many at once; send elsewhere or later")
	}
}

func (b *Batcher) open(message []byte) ([]byte, error) {
	if len(message) != sealed.Bytes {
		return nil, sealed.Refuse(sealed.Malformed, "sealed act: %d bytes; it has %d", len(message), sealed.Bytes)
	}
	key, ok := b.keys.opener(sealed.KeyID(message[:sealed.KeyIDBytes]))
	if !ok {
		return nil, sealed.Refuse(sealed.Unreadable, "%v", sealed.ErrUnreadable)
	}
	bytes, err := sealed.Open(key, b.ledger, b.keys.Actor(), message)
	switch {
	case errors.Is(err, sealed.ErrUnreadable):
		return nil, sealed.Refuse(sealed.Unreadable, "%v", err)
	case err != nil:
		return nil, sealed.Refuse(sealed.Malformed, "%v", err)
	}
	return bytes, nil
}

// read parses canonical bytes and refuses what no batch may carry.
func (b *Batcher) read(bytes []byte) (*consent.Act, error) {
	a := new(consent.Act)
	if err := wire.Unmarshal(bytes, a); err != nil {
		return nil, sealed.Refuse(sealed.Malformed, "act: %v", err)
	}
	if err := a.Check(); err != nil {
		return nil, sealed.Refuse(sealed.Malformed, "%v", err)
	}
	if a.Proven.Act.Ledger != b.ledger {
		return nil, sealed.Refuse(sealed.Elsewhere, "act: ledger: made for %v", a.Proven.Act.Ledger)
	}
	return a, nil
}

func (b *Batcher) proven(a *consent.Act) error {
	item, err := a.Claim()
	if err == nil {
		err = b.verifier.Verify(item.Proof, item.Statement)
	}
	if err != nil {
		return sealed.Refuse(sealed.Unproven, "act: %v; prove it anew", err)
	}
	return nil
}

// keep writes an act down and returns the epoch that it came in.
func (b *Batcher) keep(bytes []byte, a *consent.Act, first bool) (uint64, error) {
	epoch, end, err := b.hold(taken{Act: bytes, Epoch: b.epoch(b.cfg.Clock.Now()), First: first}, a)
	if err != nil {
		return 0, err
	}
	return epoch, b.synced(end)
}

// perAccount is how many acts of one account are held, and a withdrawal beside as
// many others.
const perAccount = 4

func (b *Batcher) hold(t taken, a *consent.Act) (epoch uint64, end int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := idOf(t.Act)
	if h, again := b.state.acts[id]; again {
		return h.epoch, h.end, nil
	}
	// Any proof can be made into many that show the same: one act must not do to
	// fill the batcher.
	if n := b.state.of[a.Proven.Account]; n >= 2*perAccount || n >= perAccount && a.Proven.Act.Kind != act.Withdraw {
		return 0, 0, sealed.Refuse(sealed.Busy, "holds %d acts of this account and takes no more now; send elsewhere or later", n)
	}
	if len(b.state.acts) >= b.cfg.MaxHeld {
		return 0, 0, sealed.Refuse(sealed.Busy, "holds %d acts and takes no more now; send elsewhere or later", len(b.state.acts))
	}
	end, err = b.write(change{Taken: []taken{t}})
	if err != nil {
		return 0, 0, err
	}
	h := b.state.acts[id]
	h.end = end
	return h.epoch, end, nil
}
