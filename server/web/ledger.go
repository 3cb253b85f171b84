package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

const entriesAPage = 50

// ledgerPage is a page of the list of entries, newest first.
type ledgerPage struct {
	Name, ID, Notice string
	Genesis          int64
	Height           uint64
	Time             int64
	Entries          []readmodel.Entry
	Signers          map[wire.KeyID]string
	Total            uint64
	Page, Pages      uint64
	Stream           string // as in the address: "", "directory" or a study's name
	Streams          []link
	Witnessing       witnessing
}

func (p ledgerPage) address(page uint64) string {
	q := url.Values{}
	if p.Stream != "" {
		q.Set("stream", p.Stream)
	}
	if page > 1 {
		q.Set("page", strconv.FormatUint(page, 10))
	}
	if len(q) == 0 {
		return "/ledger"
	}
	return "/ledger?" + q.Encode()
}

var errNoSuchPage = &failure{http.StatusNotFound, "No such page of the ledger", "Pages are numbered from 1 on, the newest entries first."}

func (s *site) ledger(c *gin.Context) (view, error) {
	g, h := s.Ledger.Genesis(), s.Ledger.Head()
	p := ledgerPage{
		Name: g.Name, ID: g.ID().String(), Genesis: g.Time, Height: h.Height, Time: h.Time,
		Page: 1, Stream: c.Query("stream"), Streams: []link{{"Everything", ""}, {"Directory: who may sign", "directory"}},
		Witnessing: s.witnessing(),
	}
	if q, given := c.GetQuery("page"); given {
		n, err := strconv.ParseUint(q, 10, 32)
		if err != nil || n == 0 {
			return view{}, errNoSuchPage
		}
		p.Page = n
	}
	stream, err := streamOf(p.Stream)
	if err != nil {
		return view{}, err
	}
	trials, err := s.Model.Trials(c)
	if err != nil {
		return view{}, err
	}
	for _, t := range trials {
		p.Streams = append(p.Streams, link{"Study: " + studyName(t), t.ID.String()})
	}
	if err := s.fillLedger(c, &p, stream); err != nil {
		return view{}, err
	}
	return view{Title: "Ledger", Trail: []link{{"Home", "/"}}, Body: ledgerView(p)}, nil
}

// streamOf reads the name of a stream in an address; nil stands for all.
func streamOf(name string) (*wire.StreamID, error) {
	var id wire.StreamID
	switch name {
	case "":
		return nil, nil //nolint:nilnil // no stream is a choice here, not a fault
	case "directory":
		return &id, nil
	}
	if err := id.UnmarshalText([]byte(name)); err != nil {
		return nil, &failure{http.StatusNotFound, "No such stream", "A stream is the directory, or a study by the 64 digits of its name."}
	}
	return &id, nil
}

func (s *site) fillLedger(ctx context.Context, p *ledgerPage, stream *wire.StreamID) (err error) {
	newest, err := s.Model.LatestEntries(ctx, stream, 1)
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		p.Total = newest[0].Place + 1
		if stream != nil {
			p.Total = newest[0].Sequence + 1
		}
	}
	p.Pages = max(1, (p.Total+entriesAPage-1)/entriesAPage)
	if p.Page > p.Pages {
		return errNoSuchPage
	}
	end := p.Total - (p.Page-1)*entriesAPage
	from := end - min(end, entriesAPage)
	if end > from {
		if stream == nil {
			p.Entries, err = s.Model.Entries(ctx, from, int(end-from))
		} else {
			p.Entries, err = s.Model.StreamEntries(ctx, *stream, from, int(end-from))
		}
	}
	slices.Reverse(p.Entries)
	if err == nil {
		p.Signers, err = s.signers(ctx, p.Entries)
	}
	return err
}

func (s *site) signers(ctx context.Context, entries []readmodel.Entry) (map[wire.KeyID]string, error) {
	names := map[wire.KeyID]string{}
	for _, e := range entries {
		if _, ok := names[e.Signer]; ok || e.Signer == (wire.KeyID{}) {
			continue
		}
		name, err := s.signer(ctx, e.Signer)
		if err != nil {
			return nil, err
		}
		names[e.Signer] = name
	}
	return names, nil
}

// signer names who holds a key, with the role that the directory gives.
func (s *site) signer(ctx context.Context, key wire.KeyID) (string, error) {
	node, err := s.Ledger.Keys()
	if err != nil {
		return "", err
	}
	if node.Holds(key) {
		return "The ledger’s own node, for somebody who stays unnamed", nil
	}
	a, err := s.Model.Signer(ctx, key)
	if errors.Is(err, readmodel.ErrUnknown) {
		return "Key " + short(key.String()), nil
	}
	return a.Name + " (" + roleWord(a.Role) + ")", err
}

func (s *site) actorName(ctx context.Context, id trial.ActorID) (string, error) {
	a, err := s.Model.Actor(ctx, id)
	if errors.Is(err, readmodel.ErrUnknown) {
		return short(id.String()), nil
	}
	return a.Name, err
}

func roleWord(r trial.Role) string {
	switch r {
	case trial.Ethics:
		return "ethics committee"
	case trial.DSMB:
		return "safety board"
	default:
		return r.String()
	}
}

// kindTitle is what a kind of transaction is called on the pages.
func kindTitle(name string) string {
	if t, ok := kindTitles[name]; ok {
		return t
	}
	if name == "" {
		return "Refused transaction"
	}
	return name
}

var kindTitles = map[string]string{
	"directory.register": "Actor registered", "directory.rotate": "Key replaced", "directory.revoke": "Actor revoked",
	"directory.delegate": "Person delegated at a site", "directory.end-delegation": "Delegation ended",
	"protocol.register": "Study registered", "protocol.amend": "Study amended", "protocol.approve": "Ethics decision",
	"protocol.classify": "Ethics judged an amendment’s impact", "protocol.open": "Version opened at a site",
	"consent.enrol": "Participant enrolled", "consent.act": "Consent act, proven", "consent.entry": "Visit or dose under consent",
	"consent.remove": "Participant removed by the site’s word", "consent.correct": "Site’s word corrected",
	"consent.replace": "Enrolment replaced", "consent.transfer": "Participant moved to another site",
	"consent.screen": "Screening attested", "consent.randomise": "Participant randomised",
	"consent.deviate": "Randomised with a deviation", "consent.batch": "Consent acts of an epoch, proven",
	"consent.countersign": "Site committed to its countersigned forms",
	"safety.report":       "Safety report", "safety.follow-up": "Safety report followed up", "safety.exposure": "Exposure closed up to a day",
	"safety.look": "Safety board looked", "safety.open-look": "Look opened", "safety.decide": "Safety board decided",
	"protocol.complete-phase": "Phase completed", "protocol.lock-plan": "Analysis plan locked",
	"protocol.appoint": "Safety board appointed",
	"dataset.commit":   "Data committed", "dataset.lock": "Data locked", "dataset.unblind": "Study unblinded",
	"dataset.unblind-one": "One participant’s arm opened",
	"publication.cut":     "Data cut made", "publication.stage": "Results package named", "publication.held": "Custodian answered",
	"publication.release": "Results released", "publication.pin": "Package kept by a node", "publication.correct": "Results corrected",
	"publication.retract": "Results retracted",
}

func kindName(e readmodel.Entry) string {
	if e.KindName != "" {
		return e.KindName
	}
	if k, ok := contract.KindOf(e.Kind); ok {
		return k.Name
	}
	return ""
}
