package directory

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Revoke ends an actor's right to sign. Sent by the actor, or by the authority
// that grants its role. What it signed before stays good.
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
	by := trial.Regulator
	switch a.Role {
	case trial.Site:
		by = trial.Sponsor
	case trial.Investigator, trial.Pharmacist:
		if trial.SiteID(c.Signer.ID) == a.Site {
			return nil
		}
	default:
	}
	if c.Signer.ID != t.Actor && c.Signer.Role != by {
		return trial.Refuse(trial.NotAuthorised, "an actor is revoked by itself or by who grants its role (%s)", a.Role)
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
