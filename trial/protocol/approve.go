package protocol

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Approve is ethics' decision on a version and one of its forms, for some sites
// or for all (EU CTR 536/2014 part II; 21 CFR 56.109). No session opens before
// both are approved.
type Approve struct {
	_        struct{} `cbor:",toarray"`
	Version  trial.Version
	Form     string
	Sites    []trial.SiteID // ascending, each once; none: all
	Approved bool
	Reason   string // needed for a refusal
}

// Check refuses a form that no rule could accept.
func (t Approve) Check() error {
	if len(t.Sites) > 4096 || !slices.IsSortedFunc(t.Sites, compareSites) ||
		len(slices.Compact(slices.Clone(t.Sites))) != len(t.Sites) {
		return trial.Refuse(trial.Malformed, "sites: at most 4096, ascending, each once; none means all")
	}
	if len(t.Reason) > 4096 || !t.Approved && t.Reason == "" {
		return trial.Refuse(trial.Malformed, "reason: a refusal states one, in at most 4096 bytes")
	}
	return nil
}

func compareSites(a, b trial.SiteID) int { return slices.Compare(a[:], b[:]) }

// Authorise asks for an ethics committee that decides on this trial.
func (t Approve) Authorise(s State, c trial.Context) error { return byEthics(s, c) }

// Validate refuses an unknown version or form, and a decision made before.
func (t Approve) Validate(s State, _ trial.Context) error {
	v, ok := Get(s, t.Version)
	if !ok {
		return trial.Refuse(trial.NoSuchVersion, "version: %v is not registered", t.Version)
	}
	if !slices.ContainsFunc(v.Protocol.Forms, func(f trial.Form) bool { return f.ID == t.Form }) {
		return trial.Refuse(trial.UnknownForm, "form: version %v has no %q", t.Version, t.Form)
	}
	for _, site := range t.scope() {
		if _, ok := s.Get(decisionKey(t.Version, t.Form, site)); ok {
			return trial.Refuse(trial.AlreadyDecided, "form: %q of version %v is decided there; amend to ask again", t.Form, t.Version)
		}
	}
	return nil
}

// scope is the sites decided on; the zero site stands for all.
func (t Approve) scope() []trial.SiteID {
	if len(t.Sites) == 0 {
		return []trial.SiteID{{}}
	}
	return t.Sites
}

// Apply writes the decisions, and binds the committee to the trial.
func (t Approve) Apply(s State, c trial.Context) []event.Event {
	bind(s, c.Signer.ID)
	for _, site := range t.scope() {
		state.Put(s, decisionKey(t.Version, t.Form, site), decision{Approved: t.Approved, Time: c.Now})
	}
	return []event.Event{event.Decided{
		Version: t.Version, Form: t.Form, Sites: t.Sites, Approved: t.Approved, Reason: t.Reason, Ethics: c.Signer.ID,
	}}
}
