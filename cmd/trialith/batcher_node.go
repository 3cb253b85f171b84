package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	go s.run(ctx)
	return s, nil
}

// studyClock is a demonstration's clock, which jumps: the node has it. It is read
// at fixed times, not when an act comes.
type studyClock struct {
	api *client.Client
	mu  sync.Mutex
	now int64
}

// Now is what the node said last.
func (s *studyClock) Now() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// run reads the clock until ctx ends. A node that is away has the time stand still.
func (s *studyClock) run(ctx context.Context) {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		s.read(ctx) //nolint:errcheck // the time before is a time too
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
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

// Height is that of the newest block.
func (n batcherNode) Height(ctx context.Context) (uint64, error) {
	l, err := n.api.Ledger(ctx)
	return l.Height, err
}

// Trials are all that there are.
func (n batcherNode) Trials(ctx context.Context) ([]trial.ID, error) { return n.api.Trials(ctx) }

// Accounts is the list of the accounts used.
func (n batcherNode) Accounts(ctx context.Context, id trial.ID) (map[field.Account]relay.Latest, error) {
	all, err := n.api.Latest(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make(map[field.Account]relay.Latest, len(all))
	for _, a := range all {
		out[a.Account] = relay.Latest{Withdrawn: a.Kind == act.Withdraw.String(), Sequence: a.Sequence}
	}
	return out, nil
}

// Leaves is a tree.
func (n batcherNode) Leaves(ctx context.Context, id trial.ID, name string) ([]field.Leaf, error) {
	leaves, err := n.api.Leaves(ctx, id, name, 0)
	return leaves, missing(err)
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
