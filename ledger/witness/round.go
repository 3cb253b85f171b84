package witness

import (
	"sync"

	"github.com/trialith/trialith/ledger/chain"
)

// round is one head on its way past the witnesses. It is over when all that
// take part have settled.
type round struct {
	chain.Checkpoint
	text   string
	signed []byte
	over   chan struct{}

	mu   sync.Mutex
	open int
}

func newRound(signed []byte) (*round, error) {
	text, err := TextOf(signed)
	if err != nil {
		return nil, err
	}
	c, err := chain.ParseCheckpoint(text)
	return &round{Checkpoint: c, text: text, signed: signed, over: make(chan struct{})}, err
}

// join takes part; the function it returns settles, once.
func (r *round) join() func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open++
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.open--; r.open == 0 {
			close(r.over)
		}
	})
}

// offer is a round as one witness is given it.
type offer struct {
	*round
	settle func()
}

// slot holds the newest offer: an older one that nobody took is dropped.
type slot chan offer

// put has one caller.
func (s slot) put(o offer) {
	select {
	case old := <-s:
		old.settle()
	default:
	}
	s <- o
}

// newer takes what is in the slot instead of o, if anything is.
func (s slot) newer(o offer) offer {
	select {
	case next := <-s:
		o.settle()
		return next
	default:
		return o
	}
}
