package publication

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Pin is a receipt: a node of the registry keeps the bytes of a released
// package. Sent by the sponsor or a custodian, each for nodes of its own; a later
// receipt for the same node replaces the earlier one. It changes no label.
type Pin struct {
	_     struct{} `cbor:",toarray"`
	Stage uint32
	Node  string    // the name that the registry's node goes by
	Until trial.Day // the last day it is promised for; 0: open
}

// PinRecord is a receipt as it stands.
type PinRecord struct {
	_     struct{} `cbor:",toarray"`
	By    trial.ActorID
	Node  string
	Until trial.Day
	Time  int64
}

func pinPrefix(stage uint32) []byte {
	return append(append([]byte("publication/pin/"), stageKey(stage)...), '/')
}

func pinKey(stage uint32, by trial.ActorID, node string) []byte {
	return append(append(pinPrefix(stage), by[:]...), node...)
}

// Check refuses a node without a name.
func (t Pin) Check() error {
	if n := len(t.Node); n == 0 || n > 128 {
		return trial.Refuse(trial.Malformed, "node: %d bytes; 1 to 128", n)
	}
	if trial.HasControl(t.Node) {
		return trial.Refuse(trial.Malformed, "node: %q; a name without control characters", t.Node)
	}
	return nil
}

// Authorise asks for the sponsor or a custodian.
func (t Pin) Authorise(s State, c trial.Context) error {
	if c.Signer.Role == trial.Custodian {
		if _, ok := s.Sponsor(); !ok {
			return noTrial()
		}
		return nil
	}
	return bySponsor(s, c)
}

// Validate refuses a receipt for what is not out, and one that has run out.
func (t Pin) Validate(s State, c trial.Context) error {
	r, ok := GetStage(s, t.Stage)
	switch {
	case !ok:
		return noStage(t.Stage)
	case r.Released == 0:
		return trial.Refuse(trial.NotReleased, "stage: package %d is not released; its bytes are the custodians' until then", t.Stage)
	case t.Until != 0 && t.Until < trial.DayOf(c.Now):
		return trial.Refuse(trial.DayTooEarly, "until: %v is past", t.Until)
	}
	return nil
}

// Apply keeps the receipt.
func (t Pin) Apply(s State, c trial.Context) []event.Event {
	state.Put(s, pinKey(t.Stage, c.Signer.ID, t.Node), PinRecord{By: c.Signer.ID, Node: t.Node, Until: t.Until, Time: c.Now})
	return tell(event.Pinned{Stage: t.Stage, By: c.Signer.ID, Node: t.Node, Until: t.Until, Time: c.Now})
}
