package relay

import (
	"cmp"
	"crypto/sha256"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
)

// actID names an act by its canonical bytes.
type actID [sha256.Size]byte

// change is what one record of the journal says happened. Its parts are applied
// in the order of the fields.
type change struct {
	_         struct{} `cbor:",toarray"`
	Taken     []taken
	Finished  []actID  // on the ledger, or refused for good
	Dissolved []tx.Key // batches whose acts wait again
	Formed    []batch
	Closed    uint64 // all epochs before it are; 0: says nothing
}

// taken is an act, the epoch in which it came, and whether its participant is
// asked for the first time.
type taken struct {
	_     struct{} `cbor:",toarray"`
	Act   []byte
	Epoch uint64
	First bool
}

// batch is one that was formed: its envelope follows from it, so that whoever
// starts again sends the same bytes.
type batch struct {
	_      struct{} `cbor:",toarray"`
	Trial  trial.ID
	Epoch  uint64 // that it closes
	Acts   []actID
	Expiry int64
	Key    tx.Key // of the content; names the batch
}

// held is an act from when it is promised until it is finished.
type held struct {
	id    actID
	bytes []byte
	act   consent.Act
	epoch uint64
	first bool   // its participant is asked for the first time
	end   int64  // where its record ends in the journal
	batch tx.Key // that it is in; zero: it waits
}

func (h *held) account() field.Account { return h.act.Proven.Account }

// state is what the journal describes.
type state struct {
	acts    map[actID]*held
	of      map[field.Account]int // how many acts an account has
	batches map[tx.Key]*batch
	closed  uint64
}

func newState() *state {
	return &state{acts: map[actID]*held{}, of: map[field.Account]int{}, batches: map[tx.Key]*batch{}}
}

// apply takes a change in. It must be repeatable: a journal that was cut may
// hold a change whose acts it holds no more.
func (s *state) apply(c change) {
	for _, t := range c.Taken {
		id := actID(sha256.Sum256(t.Act))
		h := &held{id: id, bytes: t.Act, epoch: t.Epoch, first: t.First}
		if _, twice := s.acts[id]; !twice && wire.Unmarshal(t.Act, &h.act) == nil {
			s.acts[id] = h
			s.of[h.account()]++
		}
	}
	for _, id := range c.Finished {
		s.finish(id)
	}
	for _, key := range c.Dissolved {
		s.dissolve(key)
	}
	for i := range c.Formed {
		b := c.Formed[i]
		b.Acts = slices.DeleteFunc(slices.Clone(b.Acts), func(id actID) bool { return s.acts[id] == nil })
		if len(b.Acts) < len(c.Formed[i].Acts) {
			continue // not the bytes that were formed: what is left of it waits
		}
		s.batches[b.Key] = &b
		for _, id := range b.Acts {
			s.acts[id].batch = b.Key
		}
	}
	s.closed = max(s.closed, c.Closed)
}

func (s *state) finish(id actID) {
	h, ok := s.acts[id]
	if !ok {
		return
	}
	delete(s.acts, id)
	if s.of[h.account()]--; s.of[h.account()] == 0 {
		delete(s.of, h.account())
	}
}

func (s *state) dissolve(key tx.Key) {
	b, ok := s.batches[key]
	if !ok {
		return
	}
	delete(s.batches, key)
	for _, id := range b.Acts {
		if h := s.acts[id]; h != nil && h.batch == key {
			h.batch = tx.Key{}
		}
	}
}

// describe gives the changes that make the state out of nothing.
func (s *state) describe() (out []change) {
	for _, h := range s.sorted() {
		out = append(out, change{Taken: []taken{{Act: h.bytes, Epoch: h.epoch, First: h.first}}})
	}
	for _, b := range s.open() {
		out = append(out, change{Formed: []batch{*b}})
	}
	return append(out, change{Closed: s.closed})
}

// sorted lists the acts in an order of their names.
func (s *state) sorted() []*held {
	out := make([]*held, 0, len(s.acts))
	for _, h := range s.acts {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *held) int { return slices.Compare(a.id[:], b.id[:]) })
	return out
}

// open lists the batches whose outcome is not known, oldest first.
func (s *state) open() []*batch {
	out := make([]*batch, 0, len(s.batches))
	for _, b := range s.batches {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *batch) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), slices.Compare(a.Trial[:], b.Trial[:]), slices.Compare(a.Key[:], b.Key[:]))
	})
	return out
}

// slip is how many epochs a clock may go back without having been wrong before.
const slip = 1

// present takes out what a clock that was far ahead had written: a batcher that
// believed it would keep every act until that time comes.
func (s *state) present(epoch uint64) {
	if s.closed > epoch+slip {
		s.closed = epoch
	}
	for _, h := range s.acts {
		if h.epoch > epoch+slip {
			h.epoch = epoch
		}
	}
}

// waiting lists the acts in no batch that came before an epoch, by trial.
func (s *state) waiting(before uint64) map[trial.ID][]*held {
	out := map[trial.ID][]*held{}
	for _, h := range s.sorted() {
		if h.batch == (tx.Key{}) && h.epoch < before {
			id := h.act.Proven.Act.Trial
			out[id] = append(out[id], h)
		}
	}
	return out
}
