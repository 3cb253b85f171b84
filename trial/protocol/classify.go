package protocol

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Classify is ethics' own judgement of whom a version affects, in place of the
// derived one (C7). The record shows who decided, and why.
type Classify struct {
	_           struct{} `cbor:",toarray"`
	Version     trial.Version
	Substantial bool
	Existing    bool // those already enrolled must be asked again
	Reason      string
}

// Check refuses a judgement without a reason.
func (t Classify) Check() error {
	if n := len(t.Reason); n == 0 || n > 4096 {
		return trial.Refuse(trial.Malformed, "reason: %d bytes; 1 to 4096", n)
	}
	return nil
}

// Authorise asks for an ethics committee that decides on this trial. That those
// enrolled must be asked again is taken back only by who decided it: each such
// committee signs.
func (t Classify) Authorise(s State, c trial.Context) error {
	if err := byEthics(s, c); err != nil {
		return err
	}
	if t.Existing {
		return nil
	}
	for _, id := range judges(s, t.Version) {
		if id != c.Signer.ID && !c.Cosigned(func(a trial.Actor) bool { return a.ID == id }) {
			return trial.Refuse(trial.NotAuthorised, "existing: the committee %v decided that those enrolled must be asked again; it alone takes that back", id)
		}
	}
	return nil
}

func judges(s State, v trial.Version) []trial.ActorID {
	ids, _ := state.Load[[]trial.ActorID](s, judgedKey(v))
	return ids
}

// Validate refuses version 1, which affects nobody before it, and a version
// that has opened: whom it affects is fixed by then.
func (t Classify) Validate(s State, _ trial.Context) error {
	if _, ok := Get(s, t.Version); !ok || t.Version == 1 {
		return trial.Refuse(trial.NoSuchVersion, "version: %v is no amendment", t.Version)
	}
	if _, ok := s.Get(openedKey(t.Version)); ok {
		return trial.Refuse(trial.AlreadyOpened, "version: %v has opened; whom it affects is fixed", t.Version)
	}
	return nil
}

// Apply binds the committee, keeps who decided, and tells re-consent, which
// keeps the impact.
func (t Classify) Apply(s State, c trial.Context) []event.Event {
	bind(s, c.Signer.ID)
	switch ids := judges(s, t.Version); {
	case !t.Existing:
		s.Delete(judgedKey(t.Version))
	case !slices.Contains(ids, c.Signer.ID):
		state.Put(s, judgedKey(t.Version), append(ids, c.Signer.ID))
	}
	return []event.Event{event.Classified{
		Version: t.Version, Impact: trial.Impact{Substantial: t.Substantial, Existing: t.Existing, Decided: true},
		Reason: t.Reason, Ethics: c.Signer.ID,
	}}
}
