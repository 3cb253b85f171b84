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
}

// Latest is the latest act under a consent account. Whose it is nobody knows.
type Latest struct {
	Account  string        `json:"account"`
	Version  trial.Version `json:"version"`
	Kind     string        `json:"kind" enum:"consent,options,withdraw,superseded"`
	Sequence uint32        `json:"sequence" doc:"the next act under the account carries one more"`
}

func (s *server) peopleRoutes() {
	const same = "The same list for everyone: whose entry a reader looks for cannot be told from the request."
	get(s, "/v1/trials/{trial}/members", "members", "All enrolled leaves in order of enrolment", s.members, same)
	get(s, "/v1/trials/{trial}/accounts/latest", "latest-acts", "The latest act under each consent account, in order of their first acts", s.latest, same)
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
		return Member{Leaf: m.Leaf.String(), Site: m.Site.String(), Version: m.Version, Enrolled: instant(m.Enrolled), Active: m.Active}
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
