package readmodel

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Trials lists all trials, the newest first.
func (m *Model) Trials(ctx context.Context) ([]Trial, error) {
	return many(m.read.WithContext(ctx).Order("place DESC").Limit(MaxLimit), trialOf)
}

// Trial returns a trial.
func (m *Model) Trial(ctx context.Context, id trial.ID) (Trial, error) {
	r, err := one[trialRow](m.read.WithContext(ctx).Where("trial = ?", id[:]), "trial %v", id)
	if err != nil {
		return Trial{}, err
	}
	return trialOf(&r), nil
}

func trialOf(r *trialRow) Trial {
	return Trial{
		ID: trial.ID(r.Trial), Title: r.Title, Acronym: r.Acronym, Sponsor: r.Sponsor, SponsorID: trial.ActorID(r.SponsorActor),
		Status: r.Status, Registered: r.Registered, Updated: r.Updated, Entry: name(r.Sequence), Latest: trial.Version(r.Latest),
		Sites: r.Sites, Enrolled: r.Enrolled, Active: r.Active, Randomised: r.Randomised, Deviations: r.Deviations,
		Visits: r.Visits, Doses: r.Doses, Attests: r.Attests, Entries: r.Visits + r.Doses + r.Attests, Left: r.Departed,
		Withdrawn: r.Withdrawn, Ended: r.Ended, Replaced: r.Replaced, Acts: r.Acts, Refused: r.Refused,
	}
}

// Versions lists a trial's versions, oldest first, without protocols and changes.
func (m *Model) Versions(ctx context.Context, id trial.ID) ([]Version, error) {
	counters, err := m.sums(ctx, id)
	if err != nil {
		return nil, err
	}
	var bad error
	out, err := many(m.read.WithContext(ctx).Omit("protocol", "changes").Where("trial = ?", id[:]).Order("version"),
		func(r *versionRow) Version {
			v, err := version(r)
			if err != nil {
				bad = err
			}
			v.Counters = counters[v.Version]
			return v
		})
	if err == nil {
		err = bad
	}
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("trial %v: %w", id, ErrUnknown)
	}
	return out, err
}

// Version returns a version with its protocol and changes.
func (m *Model) Version(ctx context.Context, id trial.ID, n trial.Version) (Version, error) {
	r, err := one[versionRow](m.read.WithContext(ctx).Where("trial = ? AND version = ?", id[:], n), "trial %v, version %v", id, n)
	if err != nil {
		return Version{}, err
	}
	counters, err := m.sums(ctx, id)
	if err != nil {
		return Version{}, err
	}
	v, err := version(&r)
	if err != nil {
		return Version{}, err
	}
	v.Counters, v.Protocol = counters[n], new(trial.Protocol)
	if err := wire.Unmarshal(r.Protocol, v.Protocol); err != nil {
		return Version{}, fmt.Errorf("readmodel: protocol of version %v: %w", n, err)
	}
	if err := wire.Unmarshal(r.Changes, &v.Changes); err != nil {
		return Version{}, fmt.Errorf("readmodel: changes of version %v: %w", n, err)
	}
	return v, nil
}

func version(r *versionRow) (Version, error) {
	v := Version{
		Trial: trial.ID(r.Trial), Version: trial.Version(r.Version), Registered: r.Registered, Effective: trial.Day(r.Effective),
		Reason: r.Reason, FormSet: trial.Digest(r.FormSet), OpenedSites: r.OpenedSites, FirstOpened: r.FirstOpened,
		LastDue: r.LastDue, Entry: name(r.Sequence),
	}
	if err := wire.Unmarshal(r.Impact, &v.Impact); err != nil {
		return v, fmt.Errorf("readmodel: impact of version %v: %w", v.Version, err)
	}
	return v, nil
}

// Counters lists the counters of each set of each version of a trial.
func (m *Model) Counters(ctx context.Context, id trial.ID) ([]Counted, error) {
	return many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("version, member_set"), func(r *counterRow) Counted {
		return Counted{Version: trial.Version(r.Version), Set: trial.Set(r.MemberSet), Counters: trial.Counters{
			Owed: r.Owed, Acts: r.Acts, Superseded: r.Superseded, LeftProved0: r.LeftProved0, LeftProved1: r.LeftProved1,
			LeftWord0: r.LeftWord0, LeftWord1: r.LeftWord1, Ended: r.Ended,
		}}
	})
}

// sums adds the counters of each version's sets.
func (m *Model) sums(ctx context.Context, id trial.ID) (map[trial.Version]trial.Counters, error) {
	rows, err := m.Counters(ctx, id)
	out := map[trial.Version]trial.Counters{}
	for _, r := range rows {
		out[r.Version] = out[r.Version].Plus(r.Counters)
	}
	return out, err
}

// Decisions lists ethics' decisions on a trial, oldest first.
func (m *Model) Decisions(ctx context.Context, id trial.ID) ([]Decision, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	var bad error
	out, err := many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("place"), func(r *decisionRow) Decision {
		d := Decision{
			Version: trial.Version(r.Version), Form: r.Form, Approved: r.Approved, Reason: r.Reason,
			Ethics: trial.ActorID(r.Ethics), Time: r.Time, Entry: name(r.Sequence),
		}
		d.Name = names[d.Ethics].Name
		if err := wire.Unmarshal(r.Sites, &d.Sites); err != nil {
			bad = fmt.Errorf("readmodel: decision: %w", err)
		}
		return d
	})
	if err == nil {
		err = bad
	}
	return out, err
}

// Sites lists a trial's sites by name.
func (m *Model) Sites(ctx context.Context, id trial.ID) ([]Site, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	openings := map[trial.SiteID][]Opening{}
	_, err = many(m.read.WithContext(ctx).Where("trial = ?", id[:]).Order("version"), func(r *openingRow) struct{} {
		o := Opening{
			Site: trial.SiteID(r.Site), Version: trial.Version(r.Version), Opened: r.Opened, Deadline: r.Deadline,
			Existing: r.Existing, Entry: name(r.Sequence),
		}
		openings[o.Site] = append(openings[o.Site], o)
		return struct{}{}
	})
	if err != nil {
		return nil, err
	}
	out, err := many(m.read.WithContext(ctx).Where("trial = ?", id[:]), func(r *siteRow) Site {
		s := Site{
			ID: trial.SiteID(r.Site), Enrolled: r.Enrolled, Active: r.Active, Withdrawn: r.Withdrawn,
			Randomised: r.Randomised, Visits: r.Visits, Doses: r.Doses,
		}
		a := names[trial.ActorID(s.ID)]
		s.Name, s.Country, s.Openings = a.Name, a.Country, openings[s.ID]
		return s
	})
	slices.SortFunc(out, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out, err
}
