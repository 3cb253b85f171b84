package api

import (
	"context"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// Member is an enrolled leaf in the list of all, from which a device takes its
// own without asking for it by name.
type Member struct {
	Leaf     string        `json:"leaf"`
	Site     string        `json:"site" doc:"where it is now"`
	Version  trial.Version `json:"version" doc:"it was enrolled under"`
	Enrolled string        `json:"enrolled" format:"date-time" doc:"its registered answer days count from here"`
	Active   bool          `json:"active"`
	Left     string        `json:"left,omitempty" format:"date-time" doc:"when it left: what opened at its site until then it still owes, or withdraws from"`
}

// Latest is the latest act under a consent account. Whose it is nobody knows.
type Latest struct {
	Account  string        `json:"account"`
	Version  trial.Version `json:"version"`
	Kind     string        `json:"kind" enum:"consent,options,withdraw,superseded"`
	Sequence uint32        `json:"sequence" doc:"the next act under the account carries one more"`
}

// Batch is what a batcher gathered over an epoch, and its size.
type Batch struct {
	Batcher string `json:"batcher"`
	Name    string `json:"name" doc:"of the batcher"`
	Epoch   uint64 `json:"epoch" doc:"that it closed"`
	Acts    uint32 `json:"acts" doc:"that counted"`
	Skipped uint32 `json:"skipped" doc:"whose account was used or burnt meanwhile: they count nowhere"`
	Time    string `json:"time" format:"date-time"`
	Entry   string `json:"entry"`
}

// Countersigned is a site's latest commitment to its countersign table.
type Countersigned struct {
	Epoch uint64 `json:"epoch"`
	Total uint32 `json:"total" doc:"entries of the table; it never falls"`
	Day   string `json:"day" format:"date"`
	Table string `json:"table" doc:"the commitment"`
	Entry string `json:"entry"`
}

func (s *server) peopleRoutes() {
	const same = "The same list for everyone: whose entry a reader looks for cannot be told from the request."
	get(s, "/v1/trials/{trial}/members", "members", "All enrolled leaves in order of enrolment", s.members, same)
	get(s, "/v1/trials/{trial}/accounts/latest", "latest-acts", "The latest act under each consent account, in order of their first acts", s.latest, same)
	get(s, "/v1/trials/{trial}/batches", "batches", "The batches of acts, newest first, at most 1000", s.batches)
}

func (s *server) batches(ctx context.Context, in *TrialPath) (*out[[]Batch], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	all, err := s.Model.Batches(ctx, id, readmodel.MaxLimit)
	if err != nil {
		return nil, err
	}
	return answer(list(all, func(b *readmodel.Batch) Batch {
		return Batch{
			Batcher: b.Batcher.String(), Name: b.Name, Epoch: b.Epoch, Acts: b.Acts, Skipped: b.Skipped, Time: instant(b.Time), Entry: b.Entry,
		}
	}))
}

// countersigned is a site's latest table, nil where it has none.
func (s *server) countersigned(ctx context.Context, id trial.ID, site trial.SiteID) (*Countersigned, error) {
	all, err := s.Model.CountersignedAt(ctx, id, &site, 1)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	c := all[0]
	return &Countersigned{Epoch: c.Epoch, Total: c.Total, Day: c.Day.String(), Table: c.Table.String(), Entry: c.Entry}, nil
}

func (s *server) members(ctx context.Context, in *TrialPath) (*out[[]Member], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	all, err := s.Model.AllMembers(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(list(all, func(m *readmodel.Member) Member {
		return Member{Leaf: m.Leaf.String(), Site: m.Site.String(), Version: m.Version, Enrolled: instant(m.Enrolled), Active: m.Active, Left: instant(m.Left)}
	}))
}

func (s *server) latest(ctx context.Context, in *TrialPath) (*out[[]Latest], error) {
	id, err := s.known(ctx, in)
	if err != nil {
		return nil, err
	}
	all, err := s.Model.AllAccounts(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(list(all, func(a *readmodel.Account) Latest {
		return Latest{Account: a.Account.String(), Version: a.Version, Kind: a.Kind, Sequence: a.Sequence}
	}))
}

// soon is the earliest time that the next block can have: what it may hold is
// judged by it.
func (s *server) soon() int64 { return max(s.Clock.Now(), s.Ledger.Head().Time+1) }

func (s *server) settled(id trial.ID, v trial.Version) bool {
	view, release := s.Ledger.View(wire.StreamID(id))
	defer release()
	return contract.Settled(view, v, s.soon())
}

func (s *server) floor(id trial.ID, site trial.SiteID) trial.Version {
	view, release := s.Ledger.View(wire.StreamID(id))
	defer release()
	return reconsent.Floor(view, site, s.soon())
}
