package protocol

import (
	"encoding/binary"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Open activates a version at a site: the block that holds it is the version's
// opening there. Sent by the sponsor, cosigned by the site's key; ethics has
// approved version and form for the site.
type Open struct {
	_       struct{} `cbor:",toarray"`
	Version trial.Version
	Site    trial.SiteID
}

func openedKey(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("protocol/opened/"), uint32(v))
}

// Check has nothing to refuse by form alone.
func (t Open) Check() error { return nil }

// Authorise asks for the sponsor and the site.
func (t Open) Authorise(s State, c trial.Context) error {
	if err := bySponsor(s, c); err != nil {
		return err
	}
	if !c.Cosigned(func(a trial.Actor) bool { return a.Role == trial.Site && trial.SiteID(a.ID) == t.Site }) {
		return trial.Refuse(trial.NeedsSecond, "site: %v has not cosigned; sponsor and site open together", t.Site)
	}
	return nil
}

// Validate refuses a version that is not approved there, is open, comes after a
// later one, or has ended.
func (t Open) Validate(s State, c trial.Context) error {
	v, ok := Get(s, t.Version)
	if !ok {
		return trial.Refuse(trial.NoSuchVersion, "version: %v is not registered", t.Version)
	}
	approved := false
	for _, f := range v.Protocol.Forms {
		approved = approved || Approved(s, t.Version, f.ID, t.Site)
	}
	if !approved {
		return trial.Refuse(trial.NotApproved, "version: ethics has approved no form of version %v for this site", t.Version)
	}
	if _, open := s.VersionOpened(t.Version, t.Site); open {
		return trial.Refuse(trial.AlreadyOpen, "version: %v is open at this site", t.Version)
	}
	for later := t.Version + 1; later <= Latest(s); later++ {
		if _, open := s.VersionOpened(later, t.Site); open {
			return trial.Refuse(trial.LaterVersionOpen, "version: %v is open at this site, which is later", later)
		}
	}
	// Otherwise a settled version could get new members.
	if s.VersionEnded(t.Version, c.Now) {
		return trial.Refuse(trial.VersionEnded, "version: %v has ended at every site; open the present one", t.Version)
	}
	if !s.RoomToOpen(t.Version) {
		return trial.Refuse(trial.TreeFull, "version: the set of %v has not a place for everybody enrolled; register the trial with the larger circuit", t.Version)
	}
	return nil
}

// Apply marks the version as opened somewhere, and tells re-consent where.
func (t Open) Apply(s State, c trial.Context) []event.Event {
	state.Put(s, openedKey(t.Version), c.Now)
	return []event.Event{event.SiteOpened{Version: t.Version, Site: t.Site, Time: c.Now}}
}
