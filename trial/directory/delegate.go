package directory

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Delegate writes a person on a site's delegation log (ICH E6(R3) 2.3.3). Sent
// by the site's key. A later line for the same person replaces the earlier one.
type Delegate struct {
	_      struct{} `cbor:",toarray"`
	Person trial.ActorID
	Tasks  []trial.Task // ascending, each once
	From   trial.Day
	Until  trial.Day // the last day; 0: open
}

// Check refuses a form that no rule could accept.
func (t Delegate) Check() error {
	if len(t.Tasks) == 0 || !slices.IsSorted(t.Tasks) || len(slices.Compact(slices.Clone(t.Tasks))) != len(t.Tasks) {
		return trial.Refuse(trial.Malformed, "tasks: at least one, ascending, each once")
	}
	if t.Tasks[0] < trial.Enrolling || t.Tasks[len(t.Tasks)-1] > trial.Countersigning {
		return trial.Refuse(trial.Malformed, "tasks: 1 enrolling, 2 recording, 3 countersigning")
	}
	if t.Until != 0 && t.Until < t.From {
		return trial.Refuse(trial.Malformed, "until: %v is before from, %v", t.Until, t.From)
	}
	return nil
}

// Authorise asks for a site's own key.
func (t Delegate) Authorise(_ State, c trial.Context) error {
	if c.Signer.Role != trial.Site {
		return trial.Refuse(trial.NotAuthorised, "a site delegates with its own key; the signer is: %s", c.Signer.Role)
	}
	return nil
}

// Validate refuses a person of another site, and a pharmacist for more than
// recording.
func (t Delegate) Validate(s State, c trial.Context) error {
	a, ok := Actor(s, t.Person)
	if !ok {
		return trial.Refuse(trial.NoSuchPerson, "person: %v is not registered; register the investigator first", t.Person)
	}
	if a.Site != trial.SiteID(c.Signer.ID) {
		return trial.Refuse(trial.NoSuchPerson, "person: %v works at another site", t.Person)
	}
	if a.Role != trial.Investigator && !slices.Equal(t.Tasks, []trial.Task{trial.Recording}) {
		return trial.Refuse(trial.WrongRole, "tasks: a %s may record, no more; enrolling and countersigning are an investigator's", a.Role)
	}
	if t.From < trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayTooEarly, "from: %v is past; a delegation cannot be made to have been", t.From)
	}
	return nil
}

// Apply writes the line.
func (t Delegate) Apply(s State, c trial.Context) []event.Event {
	d := trial.Delegation{Person: t.Person, Tasks: t.Tasks, From: t.From, Until: t.Until}
	state.Put(s, delegationKey(trial.SiteID(c.Signer.ID), t.Person), d)
	return []event.Event{event.Delegated{Site: trial.SiteID(c.Signer.ID), Delegation: d}}
}

// EndDelegation ends a person's line at once. Sent by the site's key.
type EndDelegation struct {
	_      struct{} `cbor:",toarray"`
	Person trial.ActorID
}

// Check has nothing to refuse by form alone.
func (t EndDelegation) Check() error { return nil }

// Authorise asks for a site's own key.
func (t EndDelegation) Authorise(_ State, c trial.Context) error {
	if c.Signer.Role != trial.Site {
		return trial.Refuse(trial.NotAuthorised, "a site ends a delegation with its own key; the signer is: %s", c.Signer.Role)
	}
	return nil
}

// Validate refuses a line that is not there or has ended.
func (t EndDelegation) Validate(s State, c trial.Context) error {
	d, ok := state.Load[trial.Delegation](s, delegationKey(trial.SiteID(c.Signer.ID), t.Person))
	if !ok {
		return trial.Refuse(trial.NoSuchPerson, "person: %v is not on this site's log", t.Person)
	}
	if d.Ended != 0 {
		return trial.Refuse(trial.AlreadyEnded, "person: the delegation of %v has ended", t.Person)
	}
	return nil
}

// Apply ends the line.
func (t EndDelegation) Apply(s State, c trial.Context) []event.Event {
	site := trial.SiteID(c.Signer.ID)
	d, _ := state.Load[trial.Delegation](s, delegationKey(site, t.Person))
	d.Ended = c.Now
	state.Put(s, delegationKey(site, t.Person), d)
	return []event.Event{event.DelegationEnded{Site: site, Person: t.Person, Time: c.Now}}
}
