package directory

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Revoke ends an actor's right to sign. Sent by the actor, by the regulator, or
// by who granted the role: its site revokes an investigator or pharmacist, and
// of all sponsors only the one that granted a site revokes it, with ethics as
// cosigner as for the grant. What it signed before stays good.
type Revoke struct {
	_     struct{} `cbor:",toarray"`
	Actor trial.ActorID
}

// Check has nothing to refuse by form alone.
func (t Revoke) Check() error { return nil }

// Authorise asks for the actor or the granting authority.
func (t Revoke) Authorise(s State, c trial.Context) error {
	a, ok := Actor(s, t.Actor)
	if !ok {
		return trial.Refuse(trial.NoSuchActor, "actor: %v is not registered", t.Actor)
	}
	switch {
	case c.Signer.ID == t.Actor, c.Signer.Role == trial.Regulator:
		return nil
	case c.Signer.ID != a.Granted:
		return trial.Refuse(trial.NotAuthorised, "an actor is revoked by itself, by who granted its role (%s), or by the regulator", a.Role)
	case a.Role == trial.Site && !c.Cosigned(func(x trial.Actor) bool { return x.Role == trial.Ethics }):
		return trial.Refuse(trial.NeedsSecond, "a site is revoked by its sponsor with the cosignature of an ethics committee, as it was granted")
	}
	return nil
}

// Validate refuses who is revoked already.
func (t Revoke) Validate(s State, _ trial.Context) error {
	if a, _ := Actor(s, t.Actor); a.Revoked != 0 {
		return trial.Refuse(trial.AlreadyEnded, "actor: %v is revoked already", t.Actor)
	}
	return nil
}

// Apply marks the actor.
func (t Revoke) Apply(s State, c trial.Context) []event.Event {
	a, _ := Actor(s, t.Actor)
	a.Revoked = c.Now
	state.Put(s, actorKey(a.ID), a)
	return []event.Event{event.ActorRevoked{Actor: a.ID, Time: c.Now}}
}
