package relay

import (
	"context"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// Tick does what is due: forms the batches of epochs that are over, sends every
// batch whose outcome is not known, and writes the journal anew without what is
// finished. It fails only if the journal does.
func (b *Batcher) Tick(ctx context.Context) error {
	b.tick.Lock()
	defer b.tick.Unlock()
	b.tell("the node does not answer", b.look(ctx))
	now := b.cfg.Clock.Now()
	if _, err := b.keys.Statement(now); err != nil {
		b.tell("the next key to seal to", err)
	}
	b.tell("batches wait", b.close(now))
	b.tell("a batch is sent again", b.settleAll(ctx))
	return b.compact()
}

// look looks the trials up every few ticks, whatever came in between.
func (b *Batcher) look(ctx context.Context) error {
	if b.ticks++; b.ticks%b.cfg.Look != 1%b.cfg.Look {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return b.view.look(ctx, b.node)
}

// settleAll sends the batches whose outcome is not known, those of a trial in
// order: a later one that entered first would shut the earlier one out.
func (b *Batcher) settleAll(ctx context.Context) (waits error) {
	stuck := map[trial.ID]bool{}
	for again := true; again; {
		again = false
		b.mu.Lock()
		open := b.state.open()
		b.mu.Unlock()
		for _, x := range open {
			if stuck[x.Trial] {
				continue
			}
			err := b.settle(ctx, x)
			if err != nil {
				stuck[x.Trial], waits = true, fmt.Errorf("trial %s: %w", short(x.Trial), err)
			}
			again = again || err == nil // one that was formed anew is sent at once
		}
	}
	return waits
}

// settle sends a batch and learns what became of it. An error says that this is
// not known yet: it is sent again, and the same bytes are the same transaction.
func (b *Batcher) settle(ctx context.Context, x *batch) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := b.send(ctx, x)
	if errors.Is(err, ErrExpired) { // it never entered, and never will
		later := *x
		later.Expiry = b.cfg.Clock.Now() + life
		if err := b.commit(change{Dissolved: []tx.Key{x.Key}, Formed: []batch{later}}); err != nil {
			return err
		}
		err = b.send(ctx, &later)
	}
	if r, ok := errors.AsType[*trial.Refusal](err); ok {
		return b.refused(x, r)
	}
	if err != nil {
		return err
	}
	return b.commit(change{Finished: x.Acts, Dissolved: []tx.Key{x.Key}})
}

// send asks for a batch's outcome: nil, a refusal, or that it is not known.
func (b *Batcher) send(ctx context.Context, x *batch) error {
	e, err := b.envelope(x)
	if err != nil {
		return err
	}
	hash, err := b.node.Submit(ctx, e)
	switch {
	case err == nil:
		return b.node.Outcome(ctx, hash)
	case errors.Is(err, ErrExpired):
		// It may have entered before its expiry came.
		if early := b.node.Outcome(ctx, tx.Hash(e.Encode())); !errors.Is(early, ErrUnknown) {
			return early
		}
	}
	return err
}

// envelope is the transaction of a batch: the same bytes whenever it is made.
func (b *Batcher) envelope(x *batch) (*tx.Envelope, error) {
	acts, err := b.actsOf(x)
	if err != nil {
		return nil, err
	}
	e := &tx.Envelope{
		Ledger: b.ledger, Kind: contract.ConsentBatch, Stream: wire.StreamID(x.Trial), Expiry: x.Expiry, Idempotency: x.Key,
		Body: bodyOf(x, acts),
	}
	e.Sign(b.keys.actor)
	return e, nil
}

func (b *Batcher) actsOf(x *batch) ([]*held, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var acts []*held
	for _, id := range x.Acts {
		h, ok := b.state.acts[id]
		if !ok {
			return nil, fmt.Errorf("batch %x: an act is missing", x.Key)
		}
		acts = append(acts, h)
	}
	return acts, nil
}

// refused takes the act out that a batch was refused for, and forms it again
// from what waits: others take the place, and what is fewer than the least size
// without it waits, or whoever makes bad acts could make an honest one stand
// alone. Where no act is named they all wait for the next epoch: by then the
// node can say more, or the operator has mended what is wrong.
func (b *Batcher) refused(x *batch, r *trial.Refusal) error {
	place, named := consent.BadAct(r.Text)
	if !named || place >= len(x.Acts) {
		b.cfg.Tell(fmt.Sprintf("trial %s, epoch %d: a batch of %d refused; its acts wait for the next epoch: %v", short(x.Trial), x.Epoch, len(x.Acts), r))
		return b.commit(change{Dissolved: []tx.Key{x.Key}})
	}
	b.cfg.Tell(fmt.Sprintf("trial %s, epoch %d: an act left out of a batch of %d: refused with code %d", short(x.Trial), x.Epoch, len(x.Acts), r.Code))
	if err := b.commit(change{Finished: []actID{x.Acts[place]}, Dissolved: []tx.Key{x.Key}}); err != nil {
		return err
	}
	b.mu.Lock()
	waiting := b.state.waiting(x.Epoch + 1)[x.Trial]
	b.mu.Unlock()
	formed, finished, err := b.form(x.Trial, x.Epoch, waiting, b.cfg.Clock.Now())
	if err != nil {
		return err // they wait for the next epoch
	}
	return b.commit(change{Formed: formed, Finished: finished})
}

// compact writes the journal anew once something in it is finished: a batcher
// keeps an act no longer than it must.
func (b *Batcher) compact() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil || b.spent == 0 {
		return b.failed
	}
	if err := b.journal.Rewrite(b.state.describe()); err != nil {
		b.failed = fmt.Errorf("batcher: journal: %w; start it again", err)
		return b.failed
	}
	b.spent = 0
	b.step("rewritten")
	return nil
}
