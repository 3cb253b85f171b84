package consent

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// MaxBatch is how many acts a batch holds at most. That many of the largest
// stay within the bytes of a transaction.
const MaxBatch = 256

// Batch brings the acts that a batcher gathered over an epoch, so that nobody
// can tell from their time whose they are. Sent by a registered batcher, which
// opened what devices sealed to its key; like a node it gains no right by it.
// There is one batch for each batcher and epoch in a trial, in order.
//
// Each act is judged as one alone is, all of them against the state before the
// batch: what one does to a tree does not outdate the root of another. An act
// whose account was used or burnt meanwhile, be it by an act before it in the
// batch, is skipped and counted nowhere. Any other bad act refuses the batch,
// which may be formed again without it.
type Batch struct {
	_     struct{} `cbor:",toarray"`
	Acts  Acts     // 1 to MaxBatch, in an order that tells nothing
	Epoch uint64   // that it closes
}

// Acts are those of a batch. How many they are is asked before one is read: what
// is one byte of a hostile body would take the memory of a whole act.
type Acts []Act

// UnmarshalCBOR refuses more acts than a batch may have.
func (a *Acts) UnmarshalCBOR(b []byte) error {
	head := wire.NewReader(b)
	if head.List(MaxBatch) == 0 {
		*a = nil
		return head.Done()
	}
	return wire.Unmarshal(b, (*[]Act)(a))
}

func batchedKey(batcher trial.ActorID) []byte {
	return append([]byte("consent/batched/"), batcher[:]...)
}

// At says of which act of a batch, counted from 0, a refusal is.
func At(place int, err error) error {
	var r *trial.Refusal
	if !errors.As(err, &r) {
		return fmt.Errorf("acts: %d: %w", place, err)
	}
	return trial.Refuse(r.Code, "acts: %d: %s", place, r.Text)
}

// BadAct is the reverse of [At]: the place of the act that a batch was refused
// for, from the refusal's text; false where the batch as a whole is at fault.
func BadAct(text string) (place int, ok bool) {
	rest, ok := strings.CutPrefix(text, "acts: ")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, ": ")
	if !ok {
		return 0, false
	}
	place, err := strconv.Atoi(number)
	return place, err == nil && place >= 0 && place < MaxBatch
}

// each asks something of every act, in order.
func (t Batch) each(ask func(Act) error) error {
	for i := range t.Acts {
		if err := ask(t.Acts[i]); err != nil {
			return At(i, err)
		}
	}
	return nil
}

// Check refuses a form that no rule could accept.
func (t Batch) Check() error {
	if n := len(t.Acts); n == 0 || n > MaxBatch {
		return trial.Refuse(trial.Malformed, "acts: a batch has %d; 1 to %d", n, MaxBatch)
	}
	return t.each(Act.Check)
}

// Claims are what the proofs must show, in the order of the acts.
func (t Batch) Claims() ([]*verifier.Item, error) {
	items := make([]*verifier.Item, len(t.Acts))
	for i := range t.Acts {
		item, err := t.Acts[i].Claim()
		if err != nil {
			return nil, At(i, err)
		}
		items[i] = item
	}
	return items, nil
}

// Authorise asks for a batcher, and for acts that were made for this trial.
func (t Batch) Authorise(_ State, c trial.Context) error {
	if c.Signer.Role != trial.Batcher {
		return trial.Refuse(trial.NotAuthorised, "a batch is sent by a batcher; the regulator registers those")
	}
	return t.each(func(a Act) error { return a.Proven.here(c) })
}

// Validate refuses a batch out of order, and one with a bad act.
func (t Batch) Validate(s State, c trial.Context) error {
	if now := c.EpochAt(c.Now); t.Epoch > now {
		return trial.Refuse(trial.EpochInFuture, "epoch: %d has not begun; it is %d", t.Epoch, now)
	}
	if last, ok := state.Load[uint64](s, batchedKey(c.Signer.ID)); ok && t.Epoch <= last {
		return trial.Refuse(trial.EpochNotLater, "epoch: %d; this batcher's last batch in the trial closed %d", t.Epoch, last)
	}
	_, err := t.plan(s, c)
	return err
}

// planned is an act of a batch that counts.
type planned struct {
	act *Act
	set trial.Set
}

// forming is what the acts planned so far will have done: all that one act of a
// batch can change about another.
type forming struct {
	accounts map[field.Account]account
	passes   map[field.Leaf]bool
}

// plan judges the acts, and leaves out those whose account was used meanwhile.
func (t Batch) plan(s State, c trial.Context) (counts []planned, err error) {
	f := forming{accounts: map[field.Account]account{}, passes: map[field.Leaf]bool{}}
	for i := range t.Acts {
		a := &t.Acts[i]
		known, ok := f.accounts[a.Proven.Account]
		if !ok {
			known, _ = getAccount(s, a.Proven.Account)
		}
		if known.overtaken(&a.Proven.Act) {
			continue
		}
		set, err := a.judge(s, c, known)
		if err == nil {
			err = f.take(s, a, known)
		}
		if err != nil {
			return nil, At(i, err)
		}
		counts = append(counts, planned{a, set})
	}
	return counts, nil
}

// take refuses what two acts of a batch cannot both have.
func (f *forming) take(s State, t *Act, known account) error {
	a := &t.Proven.Act
	known.did(a)
	f.accounts[t.Proven.Account] = known
	if a.Kind != act.Consent {
		return nil
	}
	if f.passes[a.Pass] {
		return trial.Refuse(trial.PassUsed, "pass: of an act before it in the batch; the device makes a new one for each consent")
	}
	f.passes[a.Pass] = true
	return roomForPasses(s, a.Version, uint64(len(f.passes)))
}

// Apply does the acts that count, and tells the batch's size before them.
func (t Batch) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	counts, _ := t.plan(s, c)
	state.Put(s, batchedKey(c.Signer.ID), t.Epoch)
	r.tell(event.Batched{Batcher: c.Signer.ID, Epoch: t.Epoch, Acts: uint32(len(counts)), Skipped: uint32(len(t.Acts) - len(counts))})
	for _, p := range counts {
		r.act(p.act, p.set)
	}
	return r.done()
}
