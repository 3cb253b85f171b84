package readmodel

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

type (
	versionKey struct {
		trial   trial.ID
		version trial.Version
	}
	siteKey struct {
		trial trial.ID
		site  trial.SiteID
	}
	openingKey struct {
		siteKey
		version trial.Version
	}
	counterKey struct {
		versionKey
		set trial.Set
	}
	memberKey struct {
		trial trial.ID
		leaf  field.Leaf
	}
	membershipKey struct {
		memberKey
		version trial.Version
	}
	lineKey struct {
		site   trial.SiteID
		person trial.ActorID
	}
	placeKey struct {
		listKey
		place uint64
	}
	accountKey struct {
		trial   trial.ID
		account field.Account
	}
)

// world is the rows that events change, in memory while blocks are applied.
type world struct {
	height, places uint64

	actors      table[trial.ActorID, actorRow]
	keys        table[wire.KeyID, keyRow]
	delegations table[lineKey, delegationRow]
	trials      table[trial.ID, trialRow]
	versions    table[versionKey, versionRow]
	openings    table[openingKey, openingRow]
	sites       table[siteKey, siteRow]
	counters    table[counterKey, counterRow]
	members     table[memberKey, memberRow]
	memberships table[membershipKey, membershipRow]
	lists       map[listKey]list
	results

	// The block's own.
	staged         map[listKey]list
	leaves         table[placeKey, leafRow]
	accounts       table[accountKey, accountRow]
	blocks         []blockRow
	entries        []entryRow
	decisions      []decisionRow
	randomisations []randomisationRow
	visits         []visitRow
	leavings       []leavingRow
	batches        []batchRow
	tables         []countersignedRow
}

func newWorld() *world {
	return &world{
		actors:      newTable[trial.ActorID, actorRow]("actor"),
		keys:        newTable[wire.KeyID, keyRow]("key_id"),
		delegations: newTable[lineKey, delegationRow]("site", "person"),
		trials:      newTable[trial.ID, trialRow]("trial"),
		versions:    newTable[versionKey, versionRow]("trial", "version"),
		openings:    newTable[openingKey, openingRow]("trial", "site", "version"),
		sites:       newTable[siteKey, siteRow]("trial", "site"),
		counters:    newTable[counterKey, counterRow]("trial", "version", "member_set"),
		members:     newTable[memberKey, memberRow]("trial", "leaf"),
		memberships: newTable[membershipKey, membershipRow]("trial", "leaf", "version"),
		leaves:      newTable[placeKey, leafRow]("trial", "tree", "place"),
		accounts:    newTable[accountKey, accountRow]("trial", "account"),
		lists:       map[listKey]list{},
		staged:      map[listKey]list{},
		results:     newResults(),
	}
}

// reload reads the world from the tables and shows it. Call it under apply.
func (m *Model) reload(ctx context.Context) error {
	m.world = nil
	w := newWorld()
	err := m.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return w.load(tx) })
	if err != nil {
		return fmt.Errorf("read the tables: %w", err)
	}
	m.world = w
	m.show(w.height, w.lists, true)
	return nil
}

func (w *world) load(tx *gorm.DB) error {
	if err := tx.Raw("SELECT height, places FROM cursors").Row().Scan(&w.height, &w.places); err != nil {
		return err
	}
	for _, load := range []func() error{
		func() error {
			return w.actors.load(tx, func(r *actorRow) trial.ActorID { return trial.ActorID(r.Actor) })
		},
		func() error { return w.keys.load(tx, func(r *keyRow) wire.KeyID { return wire.KeyID(r.KeyID) }) },
		func() error {
			return w.delegations.load(tx, func(r *delegationRow) lineKey {
				return lineKey{trial.SiteID(r.Site), trial.ActorID(r.Person)}
			})
		},
		func() error { return w.trials.load(tx, func(r *trialRow) trial.ID { return trial.ID(r.Trial) }) },
		func() error {
			return w.versions.load(tx, func(r *versionRow) versionKey {
				return versionKey{trial.ID(r.Trial), trial.Version(r.Version)}
			})
		},
		func() error {
			return w.openings.load(tx, func(r *openingRow) openingKey {
				return openingKey{siteKey{trial.ID(r.Trial), trial.SiteID(r.Site)}, trial.Version(r.Version)}
			})
		},
		func() error {
			return w.sites.load(tx, func(r *siteRow) siteKey { return siteKey{trial.ID(r.Trial), trial.SiteID(r.Site)} })
		},
		func() error {
			return w.counters.load(tx, func(r *counterRow) counterKey {
				return counterKey{versionKey{trial.ID(r.Trial), trial.Version(r.Version)}, trial.Set(r.MemberSet)}
			})
		},
		func() error {
			return w.members.load(tx, func(r *memberRow) memberKey { return memberKey{trial.ID(r.Trial), field.Leaf(r.Leaf)} })
		},
		func() error {
			return w.memberships.load(tx, func(r *membershipRow) membershipKey {
				return membershipKey{memberKey{trial.ID(r.Trial), field.Leaf(r.Leaf)}, trial.Version(r.Version)}
			})
		},
		func() error { return w.loadLists(tx) },
		func() error { return w.results.load(tx) },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) loadLists(tx *gorm.DB) error {
	var leaves []leafRow
	if err := tx.Order("trial, tree, place").Find(&leaves).Error; err != nil {
		return err
	}
	for _, r := range leaves {
		k := listKey{trial.ID(r.Trial), r.Tree}
		l := w.lists[k]
		if err := l.set(r.Place, r.Leaf, max(l.height, r.Height)); err != nil {
			return fmt.Errorf("tree %s: %w", r.Tree, err)
		}
		w.lists[k] = l
	}
	var accounts []accountRow
	if err := tx.Order("trial, number").Find(&accounts).Error; err != nil {
		return err
	}
	for _, r := range accounts {
		k := listKey{trial.ID(r.Trial), accountList}
		l := w.lists[k]
		if err := l.set(r.Number, r.Account, w.height); err != nil {
			return fmt.Errorf("accounts: %w", err)
		}
		w.lists[k] = l
	}
	return nil
}

// stage returns a copy of a list that may be changed.
func (w *world) stage(k listKey) list {
	l, ok := w.staged[k]
	if !ok {
		l = w.lists[k]
		l.bytes = slices.Clone(l.bytes)
	}
	return l
}

// settle makes what was staged the present, once it is durable.
func (w *world) settle() {
	maps.Copy(w.lists, w.staged)
	w.staged = map[listKey]list{}
	clear(w.leaves.rows)
	clear(w.accounts.rows)
	w.results.settle()
	w.blocks, w.entries, w.decisions = w.blocks[:0], w.entries[:0], w.decisions[:0]
	w.randomisations, w.visits, w.leavings = w.randomisations[:0], w.visits[:0], w.leavings[:0]
	w.batches, w.tables = w.batches[:0], w.tables[:0]
}

// flush writes what the block changed, and the cursor with it.
func (w *world) flush(tx *gorm.DB, from uint64) error {
	for _, write := range []func(*gorm.DB) error{
		func(tx *gorm.DB) error { return insert(tx, w.blocks) },
		func(tx *gorm.DB) error { return insert(tx, w.entries) },
		w.actors.flush, w.keys.flush, w.delegations.flush, w.trials.flush, w.versions.flush, w.openings.flush,
		w.sites.flush, w.counters.flush, w.members.flush, w.memberships.flush, w.leaves.flush, w.accounts.flush,
		func(tx *gorm.DB) error { return insert(tx, w.decisions) },
		func(tx *gorm.DB) error { return insert(tx, w.randomisations) },
		func(tx *gorm.DB) error { return insert(tx, w.visits) },
		func(tx *gorm.DB) error { return insert(tx, w.leavings) },
		func(tx *gorm.DB) error { return insert(tx, w.batches) },
		func(tx *gorm.DB) error { return insert(tx, w.tables) },
		w.results.flush,
	} {
		if err := write(tx); err != nil {
			return err
		}
	}
	moved := tx.Exec("UPDATE cursors SET height = ?, places = ? WHERE height = ?", w.height, w.places, from)
	if moved.Error == nil && moved.RowsAffected != 1 {
		return fmt.Errorf("the cursor has left %d: somebody else writes these tables; one process may", from)
	}
	return moved.Error
}
