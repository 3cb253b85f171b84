package readmodel

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Cursor is the height of the last block whose rows are in the tables, 0 for none.
func (m *Model) Cursor(ctx context.Context) (uint64, error) {
	var height uint64
	err := m.read.WithContext(ctx).Raw("SELECT height FROM cursors").Row().Scan(&height)
	if err != nil {
		return 0, fmt.Errorf("readmodel: cursor: %w", err)
	}
	return height, nil
}

// Apply writes the rows of a block and moves the cursor, in one transaction of
// the database. A block that was applied before changes nothing.
func (m *Model) Apply(ctx context.Context, b engine.Block) error {
	m.apply.Lock()
	defer m.apply.Unlock()
	if m.world == nil {
		if err := m.reload(ctx); err != nil {
			return fmt.Errorf("readmodel: %w", err)
		}
	}
	from := m.world.height
	if b.Height <= from {
		return nil
	}
	if b.Height != from+1 {
		return fmt.Errorf("readmodel: block %d after %d; blocks come in order", b.Height, from)
	}
	err := m.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := m.world.block(tx, b); err != nil {
			return err
		}
		return m.world.flush(tx, from)
	})
	if err != nil {
		m.world = nil // holds what the tables do not
		return fmt.Errorf("readmodel: block %d: %w", b.Height, err)
	}
	staged := m.world.staged
	m.world.settle()
	m.show(b.Height, staged, false)
	return nil
}

func (w *world) block(db *gorm.DB, b engine.Block) error {
	w.blocks = append(w.blocks, blockRow{Height: b.Height, Time: b.Time, First: w.places, Count: uint32(len(b.Entries))})
	w.height = b.Height
	for i := range b.Entries {
		if err := w.entry(db, &b.Entries[i]); err != nil {
			return fmt.Errorf("entry %s: %w", b.Entries[i].Name(), err)
		}
		w.places++
	}
	return nil
}

func (w *world) entry(db *gorm.DB, e *engine.Entry) error {
	row := entryRow{
		Place: w.places, Stream: e.Stream[:], Sequence: e.Sequence, Height: e.Height, Idx: e.Index, Time: e.Time,
		Hash: e.Hash[:], Code: uint16(e.Result.Code), Signer: []byte{},
	}
	if len(e.Envelope) > 0 {
		envelope, err := tx.Decode(e.Envelope)
		if err != nil {
			return err
		}
		row.Kind, row.Signer = uint16(envelope.Kind), envelope.Key[:]
	}
	w.entries = append(w.entries, row)
	at := &at{world: w, db: db, Entry: e, trial: trial.ID(e.Stream), place: w.places}
	for i, x := range e.Result.Events {
		decoded, err := event.Decode(x.Kind, x.Body)
		if err == nil {
			err = at.tell(decoded)
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
	}
	at.close()
	return nil
}

// at is the entry whose events are being applied.
type at struct {
	*world
	*engine.Entry
	db    *gorm.DB
	trial trial.ID
	place uint64

	parted   []memberKey // leaves that this entry took out of the trial
	withdrew bool        // this entry is a participant's own withdrawal
}

// close ends the entry: what only its events together tell.
func (a *at) close() {
	for _, k := range a.parted {
		// A withdrawal whose version is settled changes no counter and says nothing of the leaf.
		if m := a.members.rows[k]; m.Way == 0 && a.withdrew {
			a.leftBy(k, trial.ByProof)
		}
	}
	if a.Stream == wire.Directory {
		return
	}
	if t := a.trials.change(a.trial); t != nil {
		t.Updated = a.Time
		if a.Result.Code != engine.Accepted {
			t.Refused++
		}
	}
}

// tell writes what one event changes. The set of events is sealed; one that no
// table needs is let pass here by name.
func (a *at) tell(e event.Event) error {
	switch e := e.(type) {
	case event.ActorRegistered:
		a.registered(e)
	case event.KeyRotated:
		return a.rotated(e)
	case event.ActorRevoked:
		if r := a.actors.change(e.Actor); r != nil {
			r.Revoked = e.Time
		}
	case event.Delegated:
		a.delegated(e)
	case event.DelegationEnded:
		if r := a.delegations.change(lineKey{e.Site, e.Person}); r != nil {
			r.Ended = e.Time
		}
	case event.Registered:
		a.trialRegistered(e)
	case event.Amended:
		a.amended(e)
	case event.Decided:
		a.decided(e)
	case event.Classified:
		return a.classified(e)
	case event.ImpactDerived:
		return a.impact(e.Version, e.Impact)
	case event.SiteOpened: // told with its times by Opened
	case event.Opened:
		return a.opened(e)
	default:
		return a.tellConsent(e)
	}
	return nil
}

func (a *at) tellConsent(e event.Event) error {
	switch e := e.(type) {
	case event.LeafSet:
		return a.leafSet(e)
	case event.Enrolled:
		a.enrolled(e)
	case event.Acted:
		return a.acted(e)
	case event.Left:
		return a.left(e)
	case event.WordCorrected:
		if n := len(a.leavings); n > 0 {
			a.leavings[n-1].Corrected = true
		}
	case event.Replaced:
		return a.replaced(e)
	case event.Transferred:
		return a.transferred(e)
	case event.Counted:
		a.counted(e)
	case event.Screened: // its leaf is in the tree of eligibility
	case event.Randomised:
		a.randomised(e)
	case event.Entered:
		a.entered(e)
	case event.Batched:
		a.batched(e)
	case event.Countersigned:
		a.countersigned(e)
	default:
		return a.tellResults(e)
	}
	return nil
}
