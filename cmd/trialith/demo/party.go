package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
)

// party is anyone who signs: with a key and memory of their own, and no way to
// the ledger but HTTP.
type party struct {
	name   string
	role   trial.Role
	key    ed25519.PrivateKey
	id     trial.ActorID
	ledger wire.LedgerID
	api    *client.Client
	clock  func() int64
}

func newParty(s *study, name string, role trial.Role, key ed25519.PrivateKey) *party {
	if key == nil {
		_, key, _ = ed25519.GenerateKey(rand.Reader) // never fails (crypto/rand)
	}
	p := &party{name: name, role: role, key: key, ledger: s.ledger, api: client.New(s.config.URL, s.http), clock: s.config.Clock.Now}
	p.id = act.ActorID(s.ledger, role, [32]byte(key.Public().(ed25519.PublicKey)))
	return p
}

// register is the transaction that makes the directory know this party.
func (p *party) register(country string) directory.Register {
	r := directory.Register{Role: p.role, Name: p.name, Country: country}
	r.Prove(p.ledger, p.key)
	return r
}

// expiry of a transaction after it was made: what does not arrive within a day
// is made again.
const expiry = 24 * 60 * 60 * 1000

// send signs a transaction, has it cosigned, and waits for its outcome.
func (p *party) send(ctx context.Context, kind tx.Kind, stream wire.StreamID, unique tx.Key, body any, cosigners ...*party) (client.Outcome, error) {
	e := &tx.Envelope{
		Ledger: p.ledger, Kind: kind, Stream: stream, Expiry: p.clock() + expiry,
		Idempotency: unique, Body: wire.Marshal(body),
	}
	if unique == (tx.Key{}) {
		rand.Read(e.Idempotency[:]) //nolint:errcheck // never fails (crypto/rand)
	}
	e.Sign(p.key)
	for _, c := range cosigners {
		e.Cosign(c.key)
	}
	o, err := p.api.Enter(ctx, e)
	if err != nil {
		return o, fmt.Errorf("%s: %s: %w", p.name, contract.Name(kind), err)
	}
	return o, nil
}

// must sends a transaction that has to be accepted.
func (p *party) must(ctx context.Context, kind tx.Kind, stream wire.StreamID, body any, cosigners ...*party) (client.Outcome, error) {
	o, err := p.send(ctx, kind, stream, tx.Key{}, body, cosigners...)
	if err == nil && !o.Accepted() {
		err = fmt.Errorf("%s: %s: refused (%d): %s", p.name, contract.Name(kind), o.Code, o.Refusal)
	}
	return o, err
}

// site is a trial site: its own key, an investigator, a second person, and a
// notebook of the receipts its participants showed.
type site struct {
	*party
	label        string
	site         trial.SiteID
	investigator *party
	second       *party

	mu       sync.Mutex
	receipts map[string][]trial.Version // of accepted consents, by subject
}

func (s *site) saw(subject string, v trial.Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts[subject] = append(s.receipts[subject], v)
}

// knows says whether the site has seen the receipt of a subject's consent to a version.
func (s *site) knows(subject string, v trial.Version) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.receipts[subject], v)
}
