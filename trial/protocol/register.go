package protocol

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Register makes a trial: its protocol is public before the first participant.
// Sent by a sponsor (WHO trial registration; ICMJE; Declaration of Helsinki 35).
type Register struct {
	_        struct{} `cbor:",toarray"`
	Protocol trial.Protocol
}

// Check refuses a protocol that the rules cannot work with.
func (t Register) Check() error { return checkProtocol(&t.Protocol) }

func checkProtocol(p *trial.Protocol) error {
	if err := p.Check(); err != nil {
		return trial.Refuse(trial.Malformed, "protocol: %v", err)
	}
	return nil
}

// Authorise asks for a sponsor and for the stream that bears the trial's name.
func (t Register) Authorise(_ State, c trial.Context) error {
	if c.Signer.Role != trial.Sponsor {
		return trial.Refuse(trial.NotAuthorised, "a trial is registered by a sponsor; the signer is: %s", c.Signer.Role)
	}
	if id := TrialID(c); id != c.Trial {
		return trial.Refuse(trial.WrongStream, "stream: this sponsor and idempotency key make trial %v", id)
	}
	return nil
}

// Validate refuses a second registration.
func (t Register) Validate(s State, _ trial.Context) error {
	if _, ok := Sponsor(s); ok {
		return trial.Refuse(trial.TrialExists, "the trial is registered; amend it")
	}
	return nil
}

// Apply writes version 1.
func (t Register) Apply(s State, c trial.Context) []event.Event {
	v := Version{Protocol: t.Protocol, FormSet: act.FormSet(t.Protocol.Forms), Registered: c.Now, Effective: trial.DayOf(c.Now)}
	state.Put(s, headKey, head{Sponsor: c.Signer.ID, Latest: 1})
	state.Put(s, versionKey(1), v)
	return []event.Event{event.Registered{Sponsor: c.Signer.ID, Protocol: t.Protocol, FormSet: v.FormSet}}
}
