package readmodel

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
)

// listKey names a list of 32-byte names: a tree, or the accounts.
type listKey struct {
	trial trial.ID
	name  string
}

// accountList is the accounts' key; no tree has that name.
const accountList = "accounts"

// list is the bytes of a tree's places, or of the accounts. What is shown is
// never written to: a change is made on a copy.
type list struct {
	bytes  []byte
	height uint64 // of the block that changed it last
}

func (l list) tag() string { return fmt.Sprintf(`"%d-%d"`, l.height, len(l.bytes)/field.Size) }

// set puts a name at a place.
func (l *list) set(place uint64, name []byte, height uint64) error {
	at := place * field.Size
	switch n := uint64(len(l.bytes)); {
	case at == n:
		l.bytes = append(l.bytes, name...)
	case at < n:
		copy(l.bytes[at:at+field.Size], name)
	default:
		return fmt.Errorf("place %d; the list ends at %d", place, n/field.Size)
	}
	l.height = height
	return nil
}

func (l list) at(place uint64) (leaf field.Leaf) {
	if at := place * field.Size; at < uint64(len(l.bytes)) {
		copy(leaf[:], l.bytes[at:])
	}
	return leaf
}

// Trees lists a trial's trees by name.
func (m *Model) Trees(ctx context.Context, id trial.ID) ([]Tree, error) {
	if _, err := m.Trial(ctx, id); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Tree
	for k, l := range m.shown.lists {
		if k.trial == id && k.name != accountList {
			out = append(out, Tree{Name: k.name, Size: uint64(len(l.bytes) / field.Size), Height: l.height})
		}
	}
	slices.SortFunc(out, func(a, b Tree) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Leaves returns the places of a tree.
func (m *Model) Leaves(_ context.Context, id trial.ID, tree string) (Leaves, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	l, ok := m.shown.lists[listKey{id, tree}]
	if !ok || tree == accountList {
		return Leaves{Height: m.shown.height}, fmt.Errorf("tree %q of trial %v: %w", tree, id, ErrUnknown)
	}
	return Leaves{Bytes: l.bytes, Height: m.shown.height, Tag: l.tag()}, nil
}

// AccountList returns the consent accounts used, 32 bytes each, in the order of
// their first acts.
func (m *Model) AccountList(ctx context.Context, id trial.ID) (Leaves, error) {
	if _, err := m.Trial(ctx, id); err != nil {
		return Leaves{}, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	l := m.shown.lists[listKey{id, accountList}]
	return Leaves{Bytes: l.bytes, Height: m.shown.height, Tag: l.tag()}, nil
}

// Height is the cursor, as readers see it.
func (m *Model) Height() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.shown.height
}

// Wait returns when the cursor has reached a height, or when ctx ends.
func (m *Model) Wait(ctx context.Context, height uint64) error {
	for {
		m.mu.RLock()
		at, changed := m.shown.height, m.shown.changed
		m.mu.RUnlock()
		if at >= height {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("readmodel: at block %d of %d: %w", at, height, ctx.Err())
		case <-changed:
		}
	}
}

// show lets readers see what a block changed.
func (m *Model) show(height uint64, staged map[listKey]list, whole bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if whole || m.shown.lists == nil {
		m.shown.lists = map[listKey]list{}
	}
	maps.Copy(m.shown.lists, staged)
	m.shown.height = height
	close(m.shown.changed)
	m.shown.changed = make(chan struct{})
}
