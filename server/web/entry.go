package web

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// entryPage is one transaction with all that is known of it.
type entryPage struct {
	readmodel.Entry
	Kind       string
	Signer     string
	Second     []string // cosigners
	Fields     []fact
	Raw        string // hex of the envelope's canonical bytes
	Bytes      int
	Study      string // name of the study; empty for the directory
	Evidence   string // address of a file that holds the entry; empty: none
	Receipt    *receipt.Receipt
	Proven     receipt.Proven // what the receipt says, with the notice to show beside it
	Witnessing witnessing
}

// fact is a field with its value, as a reader sees it.
type fact struct {
	Name, Value string
	Address     string // of a page about the value
}

// trialOf is the study whose stream the entry is in.
func (p entryPage) trialOf() trial.ID { return trial.ID(p.Stream) }

func (s *site) entry(c *gin.Context) (view, error) {
	var hash wire.TxHash
	if err := hash.UnmarshalText([]byte(c.Param("hash"))); err != nil {
		return view{}, &failure{http.StatusNotFound, "No such entry", "An entry’s address ends in the 64 digits of its hash, as on its receipt."}
	}
	e, err := s.Model.Entry(c, hash)
	if err != nil {
		return view{}, err
	}
	p := entryPage{Entry: e, Kind: kindName(e), Witnessing: s.witnessing()}
	if err := s.fillEntry(c, &p); err != nil {
		return view{}, err
	}
	trail := []link{{"Home", "/"}, {"Ledger", "/ledger"}}
	if p.Study != "" {
		trail = append(trail, link{p.Study, studyAddress(p.trialOf())})
	}
	return view{Title: "Entry " + e.Name + ": " + kindTitle(p.Kind), Trail: trail, Body: entryView(p)}, nil
}

func (s *site) fillEntry(ctx context.Context, p *entryPage) error {
	if p.Stream != wire.Directory {
		t, err := s.Model.Trial(ctx, p.trialOf())
		if err == nil {
			p.Study, p.Evidence = studyName(t), s.Evidence(t.ID)
		}
	}
	if r, err := s.Ledger.Receipt(p.Hash); err == nil {
		if p.Proven, err = r.Verify(s.Ledger.Genesis(), s.Witnesses); err != nil {
			return err
		}
		p.Receipt = &r
	}
	if p.Refused() {
		return nil
	}
	kept, err := s.Ledger.Entry(p.Hash)
	if err != nil {
		return err
	}
	p.Raw, p.Bytes = hex.EncodeToString(kept.Envelope), len(kept.Envelope)
	env, err := tx.Decode(kept.Envelope)
	if err != nil {
		return err
	}
	return s.decode(ctx, p, env)
}

func (s *site) decode(ctx context.Context, p *entryPage, env *tx.Envelope) (err error) {
	if p.Signer, err = s.signer(ctx, env.Key); err != nil {
		return err
	}
	for _, co := range env.Cosigners {
		name, err := s.signer(ctx, co.Key)
		if err != nil {
			return err
		}
		p.Second = append(p.Second, name)
	}
	k, ok := contract.KindOf(env.Kind)
	if !ok {
		return nil
	}
	p.Kind = k.Name
	body, err := k.Decode(env.Body)
	if err != nil {
		return err
	}
	p.Fields = facts(body, p.trialOf())
	return nil
}

// named finds an entry by its name in a stream, such as trial/57: of the study
// in the query, or of the only study there is.
func (s *site) named(c *gin.Context) (view, error) {
	n, err := strconv.ParseUint(c.Param("sequence"), 10, 63)
	if err != nil {
		return view{}, readmodel.ErrUnknown
	}
	found, err := s.findNamed(c, c.Param("stream"), n, c.Query("trial"))
	if err != nil {
		return view{}, err
	}
	switch len(found) {
	case 0:
		return view{}, readmodel.ErrUnknown
	case 1:
		c.Redirect(http.StatusSeeOther, found[0].Address)
		return view{}, errSent
	default:
		return ambiguous(c.Param("stream")+"/"+c.Param("sequence"), found), nil
	}
}

// findNamed lists the entries that a name can mean.
func (s *site) findNamed(ctx context.Context, stream string, n uint64, id string) ([]link, error) {
	switch stream {
	case "directory":
		return s.at(ctx, nil, wire.Directory, n, "the directory")
	case "trial":
	default:
		return nil, nil
	}
	trials, err := s.Model.Trials(ctx)
	if err != nil {
		return nil, err
	}
	var found []link
	for _, t := range trials {
		if id != "" && id != t.ID.String() {
			continue
		}
		if found, err = s.at(ctx, found, wire.StreamID(t.ID), n, studyName(t)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *site) at(ctx context.Context, found []link, stream wire.StreamID, n uint64, of string) ([]link, error) {
	es, err := s.Model.StreamEntries(ctx, stream, n, 1)
	if err != nil || len(es) == 0 || es[0].Sequence != n {
		return found, err
	}
	return append(found, link{kindTitle(kindName(es[0])) + ", in " + of, "/ledger/" + es[0].Hash.String()}), nil
}
