package protocol

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Amend registers the next version whole; what changed is derived, never
// stated. Sent by the sponsor. Whom it affects is derived from the change
// (C7), and it opens nowhere before ethics approved it.
type Amend struct {
	_         struct{}      `cbor:",toarray"`
	Version   trial.Version // latest + 1
	Protocol  trial.Protocol
	Reason    string
	Effective trial.Day
}

// Check refuses a protocol that the rules cannot work with.
func (t Amend) Check() error {
	if n := len(t.Reason); n == 0 || n > 4096 {
		return trial.Refuse(trial.Malformed, "reason: %d bytes; 1 to 4096: participants will read why", n)
	}
	if t.Version > trial.MaxVersions {
		return trial.Refuse(trial.Malformed, "version: %v; a trial has at most %d: register a new one that names this", t.Version, trial.MaxVersions)
	}
	return checkProtocol(&t.Protocol)
}

// Authorise asks for the sponsor.
func (t Amend) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a version out of order or without a change.
func (t Amend) Validate(s State, c trial.Context) error {
	latest := Latest(s)
	if t.Version != latest+1 {
		return trial.Refuse(trial.NotNextVersion, "version: %v; the next is %v", t.Version, latest+1)
	}
	old, _ := Get(s, latest)
	if len(trial.Diff(&old.Protocol, &t.Protocol)) == 0 {
		return trial.Refuse(trial.NoChange, "protocol: equal to version %v; nothing to agree to again", latest)
	}
	if t.Effective < trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayTooEarly, "effective: %v is past", t.Effective)
	}
	return nil
}

// Apply writes the version.
func (t Amend) Apply(s State, c trial.Context) []event.Event {
	h, _ := state.Load[head](s, headKey)
	old, _ := Get(s, h.Latest)
	h.Latest = t.Version
	v := Version{
		Protocol: t.Protocol, FormSet: act.FormSet(t.Protocol.Forms),
		Registered: c.Now, Effective: t.Effective, Reason: t.Reason,
	}
	state.Put(s, headKey, h)
	state.Put(s, versionKey(t.Version), v)
	return []event.Event{event.Amended{
		Version: t.Version, Protocol: t.Protocol, FormSet: v.FormSet,
		Changes: trial.Diff(&old.Protocol, &t.Protocol), Reason: t.Reason, Effect: t.Effective,
	}}
}
