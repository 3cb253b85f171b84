package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// Tree names a tree of a trial.
type Tree struct {
	Name   string `json:"name" example:"N-1"`
	Size   uint64 `json:"size" doc:"places, emptied ones too"`
	Height uint64 `json:"height" doc:"of the block that changed it last"`
}

// Leaf is what the ledger knows of an enrolled leaf.
type Leaf struct {
	Leaf      string          `json:"leaf"`
	Site      string          `json:"site"`
	Version   trial.Version   `json:"version" doc:"it was enrolled under"`
	Active    bool            `json:"active"`
	Day       string          `json:"day" format:"date" doc:"of enrolment"`
	Entry     string          `json:"entry"`
	Replaces  string          `json:"replaces,omitempty"`
	Owes      []Owing         `json:"owes"`
	Unsettled []trial.Version `json:"unsettled" doc:"versions that a removal must state"`
}

// Owing is a leaf's membership in a set of a version.
type Owing struct {
	Version trial.Version `json:"version"`
	Set     string        `json:"set" enum:"N,E"`
	Left    string        `json:"left" doc:"how it left; empty: it has not" example:"withdrew by proof"`
	Used    bool          `json:"used" doc:"as shown or said when it left"`
}

func (s *server) treeRoutes() {
	get(s, "/v1/trials/{trial}/trees", "trees", "A trial's trees", s.trees)
	get(s, "/v1/trials/{trial}/leaves/{leaf}", "leaf", "An enrolled leaf, and what it owes", s.leaf)
	const octets = "application/octet-stream"
	leaves := binary("/v1/trials/{trial}/trees/{name}/leaves", "leaves", "All places of a tree in order, 32 bytes each, zero where emptied", octets)
	leaves.Description = "The same bytes for everyone: whose leaf a reader looks for cannot be told from the request. " +
		"With height the answer waits, at most 10 seconds, until that block is applied."
	huma.Register(s.api, leaves, answering(s, s.leaves))
	accounts := binary("/v1/trials/{trial}/accounts", "accounts", "The consent accounts used, 32 bytes each, in order of their first acts", octets)
	huma.Register(s.api, accounts, answering(s, s.accounts))
	entries := binary("/v1/trials/{trial}/accounts/entries", "entry-accounts",
		"The accounts of recorded visits, doses and attestations, 32 bytes each, in order", octets)
	entries.Description = "The same bytes for everyone: a device finds here which of its visits are recorded, without asking for one."
	huma.Register(s.api, entries, answering(s, s.entryAccounts))
}

func (s *server) trees(ctx context.Context, in *TrialPath) (*out[[]Tree], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	ts, err := s.Model.Trees(ctx, id)
	if err != nil {
		return nil, err
	}
	return answer(list(ts, func(t *readmodel.Tree) Tree { return Tree(*t) }))
}

// names answers a list of 32-byte names.
type names struct {
	Status       int
	ContentType  string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	Height       uint64 `header:"Trialith-Height" doc:"the block that the list is as of, at least"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func namesOf(l readmodel.Leaves, known string) *names {
	n := &names{
		Status: http.StatusOK, ContentType: "application/octet-stream", ETag: l.Tag, Height: l.Height, CacheControl: "no-cache", Body: l.Bytes,
	}
	if known == l.Tag {
		n.Status, n.Body = http.StatusNotModified, nil
	}
	return n
}

type inLeaves struct {
	TrialPath
	Name   string `path:"name" pattern:"^[A-Za-z0-9-]{1,32}$" doc:"N-1, E-2, X-1-2, pass-1, eligible"`
	Height uint64 `query:"height" doc:"a block that the answer must know of"`
	Known  string `header:"If-None-Match" doc:"the ETag of an earlier answer"`
}

func (s *server) leaves(ctx context.Context, in *inLeaves) (*names, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.reached(ctx, max(in.Height, s.Ledger.Head().Height)); err != nil {
		return nil, err
	}
	l, err := s.Model.Leaves(ctx, id, in.Name)
	if err != nil {
		return nil, err
	}
	return namesOf(l, in.Known), nil
}

type inAccounts struct {
	TrialPath
	Known string `header:"If-None-Match" doc:"the ETag of an earlier answer"`
}

func (s *server) accounts(ctx context.Context, in *inAccounts) (*names, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	l, err := s.Model.AccountList(ctx, id)
	if err != nil {
		return nil, err
	}
	return namesOf(l, in.Known), nil
}

func (s *server) entryAccounts(ctx context.Context, in *inAccounts) (*names, error) {
	id, err := s.known(ctx, &in.TrialPath)
	if err != nil {
		return nil, err
	}
	l, err := s.Model.EntryAccounts(ctx, id)
	if err != nil {
		return nil, err
	}
	return namesOf(l, in.Known), nil
}

type inLeaf struct {
	TrialPath
	Leaf string `path:"leaf" pattern:"^[0-9a-f]{64}$" doc:"the leaf, 64 lower-case hex digits"`
}

func (s *server) leaf(ctx context.Context, in *inLeaf) (*out[Leaf], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	leaf, err := name[field.Leaf]("leaf", in.Leaf)
	if err != nil {
		return nil, err
	}
	if err := s.fresh(ctx); err != nil {
		return nil, err
	}
	m, err := s.Model.Member(ctx, id, leaf)
	if err != nil {
		return nil, err
	}
	body := Leaf{
		Leaf: in.Leaf, Site: m.Site.String(), Version: m.Version, Active: m.Active, Day: m.Day.String(), Entry: m.Entry,
		Owes: list(m.Owes, owingOf), Unsettled: s.unsettled(id, m.Owes),
	}
	if m.Replaces != (field.Leaf{}) {
		body.Replaces = m.Replaces.String()
	}
	return answer(body)
}

func owingOf(o *readmodel.Owing) Owing {
	x := Owing{Version: o.Version, Set: o.Set.String(), Used: o.Used}
	if o.Left != 0 {
		x.Left = o.Left.String()
	}
	return x
}

// unsettled lists the versions that a removal of the leaf would have to state,
// were it in a block now: nobody spoke of them, and their counters may change.
func (s *server) unsettled(id trial.ID, owes []readmodel.Owing) []trial.Version {
	view, release := s.Ledger.View(wire.StreamID(id))
	defer release()
	now := s.soon()
	out := []trial.Version{}
	for _, o := range owes {
		if o.Left == 0 && !contract.Settled(view, o.Version, now) {
			out = append(out, o.Version)
		}
	}
	return out
}

var errNoSuch = problem.New(http.StatusNotFound, "this node does not serve it")
