package readmodel

import (
	"bytes"
	"context"
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
)

// Account returns a consent account.
func (m *Model) Account(ctx context.Context, id trial.ID, a field.Account) (Account, error) {
	r, err := one[accountRow](m.read.WithContext(ctx).Where("trial = ? AND account = ?", id[:], a[:]), "account %v", a)
	if err != nil {
		return Account{}, err
	}
	return account(&r), nil
}

// Accounts lists up to limit consent accounts, newest first act first.
func (m *Model) Accounts(ctx context.Context, id trial.ID, limit int) ([]Account, error) {
	return many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("number DESC").Limit(bound(limit)), account)
}

// AllAccounts lists the consent accounts of a trial, oldest first act first.
func (m *Model) AllAccounts(ctx context.Context, id trial.ID) ([]Account, error) {
	return many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("number"), account)
}

func account(r *accountRow) Account {
	return Account{
		Account: field.Account(r.Account), Version: trial.Version(r.Version), Kind: r.Kind, Sequence: r.ActSequence,
		First: r.FirstAct, Latest: r.LatestAct, Entry: name(r.Sequence),
	}
}

// Member returns an enrolled leaf with what it owes.
func (m *Model) Member(ctx context.Context, id trial.ID, leaf field.Leaf) (Member, error) {
	r, err := one[memberRow](m.read.WithContext(ctx).Where("trial = ? AND leaf = ?", id[:], leaf[:]), "leaf %v", leaf)
	if err != nil {
		return Member{}, err
	}
	out := member(&r)
	q := m.read.WithContext(ctx).Where("trial = ? AND leaf = ?", id[:], leaf[:]).Order("version")
	out.Owes, err = many(q, func(r *membershipRow) Owing {
		return Owing{
			Version: trial.Version(r.Version), Set: trial.Set(r.MemberSet), Place: r.Place, Left: trial.Leaving(r.Way), Used: r.Used,
		}
	})
	return out, err
}

// Members lists up to limit enrolled leaves of a trial, or of one site of it,
// newest first.
func (m *Model) Members(ctx context.Context, id trial.ID, site *trial.SiteID, limit int) ([]Member, error) {
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC").Limit(bound(limit))
	if site != nil {
		q = q.Where("site = ?", site[:])
	}
	return many(q, member)
}

// AllMembers lists the enrolled leaves of a trial, oldest first.
func (m *Model) AllMembers(ctx context.Context, id trial.ID) ([]Member, error) {
	return many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place"), member)
}

func member(r *memberRow) Member {
	m := Member{
		Leaf: field.Leaf(r.Leaf), Site: trial.SiteID(r.Site), Version: trial.Version(r.Version), Day: trial.Day(r.Day),
		Enrolled: r.Enrolled, Kiosk: r.Kiosk, Active: r.Active, Left: r.Departed, By: trial.Leaving(r.Way), Entry: name(r.Sequence),
	}
	copy(m.Replaces[:], r.Replaces)
	return m
}

// Randomisations lists up to limit randomisations, newest first.
func (m *Model) Randomisations(ctx context.Context, id trial.ID, limit int) ([]Randomisation, error) {
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC").Limit(bound(limit))
	return many(q, func(r *randomisationRow) Randomisation {
		return Randomisation{
			Site: trial.SiteID(r.Site), Version: trial.Version(r.Version), Day: trial.Day(r.Day), Account: field.Account(r.Account),
			Deviation: r.Deviation, Time: r.Time, Entry: name(r.Sequence),
		}
	})
}

// Visits lists up to limit entries of participants, newest first; at one site
// where it is not nil.
func (m *Model) Visits(ctx context.Context, id trial.ID, site *trial.SiteID, limit int) ([]Visit, error) {
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC").Limit(bound(limit))
	if site != nil {
		q = q.Where("site = ?", site[:])
	}
	return many(q, func(r *visitRow) Visit {
		return Visit{
			Kind: r.Kind, Site: trial.SiteID(r.Site), Slot: r.Slot, Rep: r.Rep, Day: trial.Day(r.Day), Account: field.Account(r.Account),
			Floor: trial.Version(r.Floor), Time: r.Time, Entry: name(r.Sequence),
		}
	})
}

// EntryAccounts returns the accounts of all visits, doses and attestations, 32
// bytes each, in the order in which they were recorded.
func (m *Model) EntryAccounts(ctx context.Context, id trial.ID) (Leaves, error) {
	height := m.Height()
	var rows [][]byte
	if err := m.read.WithContext(ctx).Model(&visitRow{}).Where("trial = ?", id[:]).Order("place").Pluck("account", &rows).Error; err != nil {
		return Leaves{}, fmt.Errorf("readmodel: %w", err)
	}
	// The list only grows: its length is its name.
	return Leaves{Bytes: bytes.Join(rows, nil), Height: height, Tag: fmt.Sprintf(`"%d"`, len(rows))}, nil
}

// Leavings lists up to limit leavings, newest first.
func (m *Model) Leavings(ctx context.Context, id trial.ID, limit int) ([]Leaving, error) {
	q := m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place DESC, version").Limit(bound(limit))
	return many(q, func(r *leavingRow) Leaving {
		return Leaving{
			Leaf: field.Leaf(r.Leaf), Site: trial.SiteID(r.Site), Version: trial.Version(r.Version), Set: trial.Set(r.MemberSet),
			By: trial.Leaving(r.Way), Used: r.Used, First: r.WasActive, Corrected: r.Corrected, Time: r.Time, Entry: name(r.Sequence),
		}
	})
}

// EnrolmentByDay counts the leaves enrolled on each day that has one, in order.
func (m *Model) EnrolmentByDay(ctx context.Context, id trial.ID) ([]Point, error) {
	return m.points(ctx, "SELECT day, COUNT(*) AS count FROM members WHERE trial = ? GROUP BY day ORDER BY day", id[:])
}

// ActsByDay counts the consents to one version on each day that has one, in order.
func (m *Model) ActsByDay(ctx context.Context, id trial.ID, v trial.Version) ([]Point, error) {
	return m.points(ctx, "SELECT first_act / 86400000 AS day, COUNT(*) AS count FROM accounts "+
		"WHERE trial = ? AND version = ? AND consented GROUP BY first_act / 86400000 ORDER BY day", id[:], v)
}

func (m *Model) points(ctx context.Context, query string, args ...any) (out []Point, err error) {
	if err := m.read.WithContext(ctx).Raw(query, args...).Scan(&out).Error; err != nil {
		return nil, fmt.Errorf("readmodel: %w", err)
	}
	return out, nil
}
