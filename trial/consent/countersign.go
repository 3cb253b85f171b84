package consent

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Countersign commits a site to its countersign table as it stands: for each
// leaf and version the day on which participant and site both signed the form
// (ICH E6(R3) 2.8.6). It is made in each epoch, before anybody has a motive to
// lie, and opened at settlement, removal and audit: a word of the site without
// an entry made before it is marked late. Sent by a person whom the site
// delegated recording to.
type Countersign struct {
	_     struct{} `cbor:",toarray"`
	Site  trial.SiteID
	Epoch uint64           // as of its end, or of now
	Table trial.Commitment // of the whole table, with a salt: it tells not even whether an entry was added
	Total uint32           // entries of the table; none is ever taken out
	Day   trial.Day        // of the latest entry that may be in it
}

// countersigned is a site's latest commitment.
type countersigned struct {
	_     struct{} `cbor:",toarray"`
	Epoch uint64
	Total uint32
	Day   trial.Day
}

func countersignedKey(site trial.SiteID) []byte {
	return append([]byte("consent/countersigned/"), site[:]...)
}

// Check refuses a form that no rule could accept.
func (t Countersign) Check() error {
	if t.Table == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "table: commit to the countersign table, with a salt")
	}
	return nil
}

// Authorise asks for a person delegated recording at the site.
func (t Countersign) Authorise(s State, c trial.Context) error {
	return delegated(s, c, t.Site, trial.Recording)
}

// Validate refuses a second commitment of an epoch, one of a past epoch, and a
// table that lost entries.
func (t Countersign) Validate(s State, c trial.Context) error {
	if len(s.VersionsOpen(t.Site)) == 0 {
		return trial.Refuse(trial.SiteNotOpen, "site: no version is open at this site")
	}
	if now := c.EpochAt(c.Now); t.Epoch > now {
		return trial.Refuse(trial.EpochInFuture, "epoch: %d has not begun; it is %d", t.Epoch, now)
	}
	if t.Day > trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayInFuture, "day: %v is in the future", t.Day)
	}
	last, ok := state.Load[countersigned](s, countersignedKey(t.Site))
	if !ok {
		return nil
	}
	if t.Epoch <= last.Epoch {
		return trial.Refuse(trial.EpochNotLater, "epoch: %d; the site's last table was of %d", t.Epoch, last.Epoch)
	}
	if t.Total < last.Total {
		return trial.Refuse(trial.TotalFell, "total: %d; the site's last table had %d entries, and none is taken out: correct one by a later one", t.Total, last.Total)
	}
	if t.Day < last.Day {
		return trial.Refuse(trial.DayTooEarly, "day: %v; the site's last table was of %v", t.Day, last.Day)
	}
	return nil
}

// Apply keeps what the next commitment is compared with.
func (t Countersign) Apply(s State, c trial.Context) []event.Event {
	state.Put(s, countersignedKey(t.Site), countersigned{Epoch: t.Epoch, Total: t.Total, Day: t.Day})
	return []event.Event{event.Countersigned{Site: t.Site, Epoch: t.Epoch, Table: t.Table, Total: t.Total, Day: t.Day, By: c.Signer.ID}}
}
