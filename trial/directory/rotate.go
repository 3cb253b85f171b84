package directory

import (
	"crypto/ed25519"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Rotate replaces an actor's key by a new one. Sent by the actor, with the key
// that goes. What the old key signed stays good.
type Rotate struct {
	_          struct{} `cbor:",toarray"`
	Key        tx.PublicKey
	Possession tx.Signature // by Key, over role and name of the actor
}

// Prove signs the possession of the new key.
func (t *Rotate) Prove(ledger wire.LedgerID, a trial.Actor, key ed25519.PrivateKey) {
	t.Key = tx.PublicKey(key.Public().(ed25519.PublicKey))
	t.Possession = tx.Signature(ed25519.Sign(key, possession(ledger, a.Role, a.Name, t.Key)))
}

// Check has nothing to refuse by form alone.
func (t Rotate) Check() error { return nil }

// Authorise asks for a registered actor and the new key's holder.
func (t Rotate) Authorise(s State, c trial.Context) error {
	if _, ok := Actor(s, c.Signer.ID); !ok {
		return trial.Refuse(trial.NotAuthorised, "only a registered actor's key rotates; an authority's is fixed by the genesis")
	}
	if !t.Possession.Verify(t.Key, possession(c.Ledger, c.Signer.Role, c.Signer.Name, t.Key)) {
		return trial.Refuse(trial.NoPossession, "possession: not signed by the new key; its holder signs role, name and key")
	}
	return nil
}

// Validate refuses a key that is in use.
func (t Rotate) Validate(s State, _ trial.Context) error {
	if _, _, ok := s.Authority(t.Key.ID()); ok {
		return trial.Refuse(trial.KeyExists, "key: it is an authority's in the genesis")
	}
	if _, ok := s.Get(keyKey(t.Key.ID())); ok {
		return trial.Refuse(trial.KeyExists, "key: registered before; make a new one")
	}
	return nil
}

// Apply ends the old key and begins the new one.
func (t Rotate) Apply(s State, c trial.Context) []event.Event {
	old, _ := state.Load[wire.KeyID](s, currentKey(c.Signer.ID))
	k, _ := state.Load[keyRecord](s, keyKey(old))
	k.Until = c.Now
	state.Put(s, keyKey(old), k)
	state.Put(s, keyKey(t.Key.ID()), keyRecord{Public: t.Key, Actor: c.Signer.ID, From: c.Now})
	state.Put(s, currentKey(c.Signer.ID), t.Key.ID())
	return []event.Event{event.KeyRotated{Actor: c.Signer.ID, Key: t.Key}}
}
