package consent

import (
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Entry records a visit, a dose or an attestation under the protocol. It
// carries the proof of a current consent (C8), made by the participant's
// device: a site cannot mint a visit. Sent by a person whom the site delegated
// recording to. Safety visits and emergencies never need it.
type Entry struct {
	_      struct{} `cbor:",toarray"`
	Proven Proven   // kind visit, dose or attest
}

func slotKey(a field.Account) []byte { return append([]byte("consent/slot/"), a[:]...) }

// Check refuses a form that no rule could accept.
func (t Entry) Check() error { return t.Proven.check(act.Visit, act.Dose, act.Attest) }

// Claim is what the proof must show.
func (t Entry) Claim() (*verifier.Item, error) {
	return t.Proven.statement(t.Proven.Root), nil
}

// Authorise asks for a person delegated recording at the site in the act.
func (t Entry) Authorise(s State, c trial.Context) error {
	if err := t.Proven.here(c); err != nil {
		return err
	}
	return delegated(s, c, t.Proven.Act.Site, trial.Recording)
}

// Validate refuses an unknown slot, a slot filled before, a first dose while
// safety holds, and a pass that does not stand for a current consent at this
// site. Ongoing treatment is never held.
func (t Entry) Validate(s State, c trial.Context) error {
	a := &t.Proven.Act
	open := s.VersionsOpen(a.Site)
	if len(open) == 0 {
		return trial.Refuse(trial.SiteNotOpen, "site: no version is open at this site")
	}
	latest := open[len(open)-1].Version
	visit, ok := slot(s, open, a.Slot)
	if !ok {
		return trial.Refuse(trial.UnknownSlot, "slot: %q is no visit of the versions open at this site", a.Slot)
	}
	if a.Rep != 0 && !visit.Repeatable {
		return trial.Refuse(trial.NotRepeatable, "rep: %q is not repeatable; 0", a.Slot)
	}
	if (a.Kind == act.Dose) != visit.Dose {
		return trial.Refuse(trial.UnknownSlot, "slot: %q is not the slot of a %s", a.Slot, a.Kind)
	}
	if a.Slot == trial.FirstDose {
		if err := s.SafetyHold(c.Now); err != nil {
			return err
		}
	}
	if err := onTime(s, c, latest, a.Day); err != nil {
		return err
	}
	if _, used := s.Get(slotKey(t.Proven.Account)); used {
		return trial.Refuse(trial.SlotUsed, "account: this participant's %q is recorded", a.Slot)
	}
	p, _, _ := s.Protocol(latest)
	return acceptsPass(s, c, s.Floor(a.Site, c.Now), t.Proven.Root, trial.Hours(p.Terms.RecordingHours))
}

// slot finds a visit in the newest version that has it.
func slot(s State, open []trial.Opening, id string) (trial.Visit, bool) {
	for _, o := range slices.Backward(open) {
		p, _, _ := s.Protocol(o.Version)
		if v, ok := p.Visit(id); ok {
			return v, true
		}
	}
	return trial.Visit{}, false
}

// Apply uses the account of the slot, and hashes the passes that the next entry
// would have to hash again.
func (t Entry) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	a := &t.Proven.Act
	floor := s.Floor(a.Site, c.Now)
	state.Put(s, slotKey(t.Proven.Account), a.Day)
	r.passes(floor)
	r.tell(event.Entered{
		Kind: a.Kind, Site: a.Site, Slot: a.Slot, Rep: a.Rep, Day: a.Day, Account: t.Proven.Account, Floor: floor,
	})
	return r.done()
}
