package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// view is what a batcher knows of the trials. It is looked up at fixed
// times, whether acts come or not: a node that saw it asked when an act came
// could tell whose page it had served just before.
type view struct {
	mu     sync.Mutex
	height uint64
	trials map[trial.ID]*study // nil: not looked up yet
}

// study is what is known of one trial. It is replaced, never changed, but for
// the roots, which are only added to.
type study struct {
	versions []Version
	latest   map[field.Account]Latest
	// newcomers are the roots that N(v) was seen with: who consents under one
	// is asked for the first time.
	newcomers map[rootOf]bool
}

type rootOf struct {
	version trial.Version
	root    field.Root
}

// judge refuses an act that the ledger would skip or knows no trial for, and
// says whether its participant is asked for the first time.
func (v *view) judge(p *consent.Proven) (first bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.trials == nil {
		return false, sealed.Refuse(sealed.Busy, "knows nothing of the ledger yet; send elsewhere or later")
	}
	s, ok := v.trials[p.Act.Trial]
	if !ok {
		return false, sealed.Refuse(sealed.Elsewhere, "act: trial: %v is not on this ledger", p.Act.Trial)
	}
	if s.over(p) {
		return false, sealed.Refuse(sealed.Used, "act: account: on the ledger already; there is nothing to send")
	}
	return s.newcomers[rootOf{p.Act.Version, p.Root}], nil
}

// over reports whether the ledger would skip an act: it would be the second
// first act of its account, or comes after a later one, or after a withdrawal. A
// withdrawal itself is over by another alone: its device makes it anew if need be.
func (s *study) over(p *consent.Proven) bool {
	known, ok := s.latest[p.Account]
	switch {
	case !ok:
		return false
	case known.Withdrawn, p.Act.Kind == act.Consent, p.Act.Kind == act.Superseded:
		return true
	default:
		return p.Act.Kind == act.Options && p.Act.Sequence <= known.Sequence
	}
}

// of is what is known of a trial.
func (v *view) of(id trial.ID) (*study, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.trials[id]; ok {
		return s, nil
	}
	return nil, errors.New("not looked up yet")
}

// look looks everything up, if there is a new block since.
func (v *view) look(ctx context.Context, n Node) error {
	height, err := n.Height(ctx)
	v.mu.Lock()
	same, known := v.trials != nil && height == v.height, v.trials
	v.mu.Unlock()
	if err != nil || same {
		return err
	}
	ids, err := n.Trials(ctx)
	if err != nil {
		return err
	}
	trials := make(map[trial.ID]*study, len(ids))
	for _, id := range ids {
		if trials[id], err = lookAt(ctx, n, id, known[id]); err != nil {
			return fmt.Errorf("trial %s: %w", short(id), err)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.height, v.trials = height, trials
	return nil
}

func lookAt(ctx context.Context, n Node, id trial.ID, known *study) (*study, error) {
	versions, err := n.Versions(ctx, id)
	if err != nil {
		return nil, err
	}
	accounts, err := n.Accounts(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &study{versions: versions, latest: accounts, newcomers: map[rootOf]bool{}}
	if known != nil {
		for r := range known.newcomers {
			s.newcomers[r] = true
		}
	}
	for _, v := range versions {
		root, err := rootNow(ctx, n, id, act.SetTree(v.Version, trial.New))
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.newcomers[rootOf{v.Version, root}] = true
	}
	return s, nil
}

// rootNow computes the root of a tree from its leaves.
func rootNow(ctx context.Context, n Node, id trial.ID, name string) (root field.Root, err error) {
	leaves, err := n.Leaves(ctx, id, name)
	if err != nil {
		return root, err
	}
	elements := make([]field.Element, len(leaves))
	for i, l := range leaves {
		if l == (field.Leaf{}) {
			continue
		}
		if elements[i], err = l.Element(); err != nil {
			return root, fmt.Errorf("leaves of %s: place %d: %w", name, i, err)
		}
	}
	t, err := tree.Build(tree.Depth, elements)
	if err != nil {
		return root, fmt.Errorf("leaves of %s: %w", name, err)
	}
	return field.RootOf(t.Root()), nil
}
