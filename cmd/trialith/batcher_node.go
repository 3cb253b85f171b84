package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/relay"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// batcherNode is a node over HTTP, as a batcher asks it.
type batcherNode struct{ api *client.Client }

// clock is the machine's, or on a demonstration the node's.
func (n batcherNode) clock(ctx context.Context, g chain.Genesis) (engine.Clock, error) {
	l, err := n.api.Ledger(ctx)
	if err != nil {
		return nil, hint(err, "is --node the address of a node that runs?")
	}
	if l.Ledger != g.ID() {
		return nil, hint(fmt.Errorf("the node keeps the ledger %v, this batcher is of %v", l.Ledger, g.ID()), "name a node of the same ledger")
	}
	if l.Clock != "study" {
		return solo.RealClock{}, nil
	}
	s := &studyClock{api: n.api}
	return s, s.read(ctx)
}

// studyClock is a demonstration's clock, which jumps: the node has it.
type studyClock struct {
	api *client.Client
	mu  sync.Mutex
	now int64
}

// Now is what the node says, or what it said last.
func (s *studyClock) Now() int64 {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s.read(ctx) //nolint:errcheck // the time before is a time too
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *studyClock) read(ctx context.Context) error {
	now, err := s.api.Now(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = max(s.now, now.UnixMilli())
	return nil
}

// batched are the kinds of acts that the list of accounts knows.
var batched = []act.Kind{act.Consent, act.Options, act.Withdraw, act.Superseded}

// Latest is the list of the latest acts of a trial.
func (n batcherNode) Latest(ctx context.Context, id trial.ID) (map[field.Account]relay.Latest, error) {
	all, err := n.api.LatestActs(ctx, id)
	if err != nil {
		return nil, missing(err)
	}
	out := make(map[field.Account]relay.Latest, len(all))
	for _, a := range all {
		i := slices.IndexFunc(batched, func(k act.Kind) bool { return k.String() == a.Kind })
		if i < 0 {
			return nil, fmt.Errorf("the node names a kind of act, %q, that this batcher does not know; run the same release", a.Kind)
		}
		out[a.Account] = relay.Latest{Kind: batched[i], Sequence: a.Sequence}
	}
	return out, nil
}

// Versions are those of a trial, with the deadlines of its sites.
func (n batcherNode) Versions(ctx context.Context, id trial.ID) ([]relay.Version, error) {
	all, err := n.api.Deadlines(ctx, id)
	if err != nil {
		return nil, missing(err)
	}
	out := make([]relay.Version, 0, len(all))
	for _, d := range all {
		v := relay.Version{Version: d.Version, First: !d.Existing}
		for _, t := range d.Deadlines {
			v.Deadlines = append(v.Deadlines, t.UnixMilli())
		}
		out = append(out, v)
	}
	return out, nil
}

// Submit sends a transaction once.
func (n batcherNode) Submit(ctx context.Context, e *tx.Envelope) (wire.TxHash, error) {
	hash, err := n.api.Offer(ctx, e)
	p, answered := errors.AsType[*client.Problem](err)
	switch {
	case answered && p.Code != 0:
		err = trial.Refuse(p.Code, "%s", p.Detail)
	case answered && strings.HasSuffix(p.Type, ":expired"):
		err = relay.ErrExpired
	}
	return hash, err
}

// Outcome waits a few seconds for a transaction's block.
func (n batcherNode) Outcome(ctx context.Context, hash wire.TxHash) error {
	o, err := n.api.Ask(ctx, hash)
	if err == nil && !o.Accepted() {
		err = trial.Refuse(o.Code, "%s", o.Refusal)
	}
	return missing(err)
}

// missing says that the node does not know what was asked for.
func missing(err error) error {
	if p, ok := errors.AsType[*client.Problem](err); ok && p.Status == http.StatusNotFound {
		return relay.ErrUnknown
	}
	return err
}
