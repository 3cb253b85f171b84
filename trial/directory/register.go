package directory

import (
	"crypto/ed25519"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Register grants a role to the holder of a key.
//
// Sent by the authority responsible for the role: the genesis regulator for
// sponsor, ethics, dsmb, custodian, batcher, witness and processor; the sponsor
// with ethics as cosigner for a site; the site itself for its investigators and
// pharmacists (ICH E6(R3) 2.3: the site's delegation, never the sponsor's).
type Register struct {
	_          struct{} `cbor:",toarray"`
	Role       trial.Role
	Name       string
	Country    string // ISO 3166-1 alpha-2
	Expires    int64  // milliseconds since 1970 UTC; 0: does not
	Key        tx.PublicKey
	Possession tx.Signature // by Key
}

// Prove signs the possession of the key to be registered.
func (t *Register) Prove(ledger wire.LedgerID, key ed25519.PrivateKey) {
	t.Key = tx.PublicKey(key.Public().(ed25519.PublicKey))
	t.Possession = tx.Signature(ed25519.Sign(key, possession(ledger, t.Role, t.Name, t.Key)))
}

// Actor is the actor that t registers.
func (t Register) Actor(c trial.Context) trial.Actor {
	a := trial.Actor{
		ID: act.ActorID(c.Ledger, t.Role, t.Key), Role: t.Role, Name: t.Name,
		Country: t.Country, Expires: t.Expires, Granted: c.Signer.ID,
	}
	if t.Role == trial.Investigator || t.Role == trial.Pharmacist {
		a.Site = trial.SiteID(c.Signer.ID)
	}
	return a
}

// Check refuses a form that no rule could accept.
func (t Register) Check() error {
	if t.Role < trial.Sponsor || t.Role > trial.Processor {
		return trial.Refuse(trial.Malformed, "role: %d is none of the directory's", t.Role)
	}
	if t.Role == trial.Regulator {
		return trial.Refuse(trial.NotAuthorised, "role: a regulator is named by the genesis of a ledger, never registered")
	}
	if n := len(t.Name); n == 0 || n > 200 {
		return trial.Refuse(trial.Malformed, "name: %d bytes; 1 to 200", n)
	}
	if len(t.Country) != 2 || t.Country[0] < 'A' || t.Country[0] > 'Z' || t.Country[1] < 'A' || t.Country[1] > 'Z' {
		return trial.Refuse(trial.Malformed, "country: %q; two capital letters of ISO 3166-1", t.Country)
	}
	return nil
}

// Authorise asks for the authority responsible for the role.
func (t Register) Authorise(_ State, c trial.Context) error {
	if !t.Possession.Verify(t.Key, possession(c.Ledger, t.Role, t.Name, t.Key)) {
		return trial.Refuse(trial.NoPossession, "possession: not signed by the key that is registered; its holder signs role, name and key")
	}
	switch t.Role {
	case trial.Site:
		if c.Signer.Role != trial.Sponsor {
			return trial.Refuse(trial.NotAuthorised, "a site is granted by a sponsor; the signer is: %s", c.Signer.Role)
		}
		if !c.Cosigned(func(a trial.Actor) bool { return a.Role == trial.Ethics }) {
			return trial.Refuse(trial.NeedsSecond, "a site needs the cosignature of an ethics committee")
		}
	case trial.Investigator, trial.Pharmacist:
		if c.Signer.Role != trial.Site {
			return trial.Refuse(trial.NotAuthorised, "role: %s is granted by the site's own key; the signer is: %s", t.Role, c.Signer.Role)
		}
	default:
		if c.Signer.Role != trial.Regulator {
			return trial.Refuse(trial.NotAuthorised, "role: %s is granted by the regulator; the signer is: %s", t.Role, c.Signer.Role)
		}
	}
	return nil
}

// Validate refuses a key or actor that is there already.
func (t Register) Validate(s State, c trial.Context) error {
	if _, _, ok := s.Authority(t.Key.ID()); ok {
		return trial.Refuse(trial.KeyExists, "key: an authority's, or the node's")
	}
	if _, ok := s.Get(keyKey(t.Key.ID())); ok {
		return trial.Refuse(trial.KeyExists, "key: registered before; each actor needs a key of its own")
	}
	if t.Expires != 0 && t.Expires <= c.Now {
		return trial.Refuse(trial.Malformed, "expires: already past; leave it 0 or name a later time")
	}
	return nil
}

// Apply writes the actor and the key.
func (t Register) Apply(s State, c trial.Context) []event.Event {
	a := t.Actor(c)
	state.Put(s, actorKey(a.ID), a)
	state.Put(s, keyKey(t.Key.ID()), keyRecord{Public: t.Key, Actor: a.ID, From: c.Now})
	state.Put(s, currentKey(a.ID), t.Key.ID())
	return []event.Event{event.ActorRegistered{Actor: a, Key: t.Key}}
}
