package readmodel

import (
	"fmt"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

func (a *at) registered(e event.ActorRegistered) {
	x := e.Actor
	a.actors.put(x.ID, actorRow{
		Actor: x.ID[:], Role: uint8(x.Role), Name: plain(x.Name), Country: plain(x.Country), Site: x.Site[:], Expires: x.Expires,
		Revoked: x.Revoked, Public: e.Key[:], Registered: a.Time, Place: a.place,
	})
	a.key(x.ID, e.Key)
}

func (a *at) key(actor trial.ActorID, public [32]byte) {
	id := tx.PublicKey(public).ID()
	a.keys.put(id, keyRow{KeyID: id[:], Actor: actor[:]})
}

func (a *at) rotated(e event.KeyRotated) error {
	r := a.actors.change(e.Actor)
	if r == nil {
		return fmt.Errorf("actor %v: rotated and never registered", e.Actor)
	}
	r.Public = e.Key[:]
	a.key(e.Actor, e.Key)
	return nil
}

func (a *at) delegated(e event.Delegated) {
	d := e.Delegation
	a.delegations.put(lineKey{e.Site, d.Person}, delegationRow{
		Site: e.Site[:], Person: d.Person[:], Tasks: wire.Marshal(d.Tasks), FromDay: int32(d.From), UntilDay: int32(d.Until),
		Ended: d.Ended, Since: a.Time,
	})
}

// The words of a trial's status.
const (
	statusRegistered = "registered"
	statusApproved   = "approved"
	statusOpen       = "open"
)

func (a *at) trialRegistered(e event.Registered) {
	p := &e.Protocol
	a.trials.put(a.trial, trialRow{
		Trial: a.Stream[:], Title: plain(p.Title), Acronym: plain(p.Acronym), Sponsor: plain(p.Sponsor), SponsorActor: e.Sponsor[:],
		Status: statusRegistered, Registered: a.Time, Place: a.place, Sequence: a.Sequence, Latest: 1,
	})
	a.version(1, p, e.FormSet, versionRow{Effective: int32(trial.DayOf(a.Time))})
}

func (a *at) amended(e event.Amended) {
	a.version(e.Version, &e.Protocol, e.FormSet, versionRow{
		Effective: int32(e.Effect), Reason: plain(e.Reason), Changes: wire.Marshal(e.Changes),
	})
	if t := a.trials.change(a.trial); t != nil {
		p := &e.Protocol
		t.Latest, t.Title, t.Acronym, t.Sponsor = uint32(e.Version), plain(p.Title), plain(p.Acronym), plain(p.Sponsor)
	}
}

func (a *at) version(v trial.Version, p *trial.Protocol, forms trial.Digest, r versionRow) {
	r.Trial, r.Version, r.Registered, r.Sequence = a.Stream[:], uint32(v), a.Time, a.Sequence
	r.FormSet, r.Protocol, r.Impact = forms[:], wire.Marshal(p), wire.Marshal(trial.Impact{})
	if r.Changes == nil {
		r.Changes = wire.Marshal([]trial.Change{})
	}
	a.versions.put(versionKey{a.trial, v}, r)
}

func (a *at) decided(e event.Decided) {
	a.decisions = append(a.decisions, decisionRow{
		Trial: a.Stream[:], Place: a.place, Version: uint32(e.Version), Form: plain(e.Form), Sites: wire.Marshal(e.Sites),
		Approved: e.Approved, Reason: plain(e.Reason), Ethics: e.Ethics[:], Time: a.Time, Sequence: a.Sequence,
	})
	if t := a.trials.change(a.trial); t != nil && e.Approved && t.Status == statusRegistered {
		t.Status = statusApproved
	}
}

// classified keeps from what the impact was derived: only the judgement changed.
func (a *at) classified(e event.Classified) error {
	r := a.versions.rows[versionKey{a.trial, e.Version}]
	if r == nil {
		return fmt.Errorf("version %v: classified and never registered", e.Version)
	}
	var derived trial.Impact
	if err := wire.Unmarshal(r.Impact, &derived); err != nil {
		return err
	}
	impact := e.Impact
	impact.Classes = derived.Classes
	return a.impact(e.Version, impact)
}

func (a *at) impact(v trial.Version, i trial.Impact) error {
	r := a.versions.change(versionKey{a.trial, v})
	if r == nil {
		return fmt.Errorf("version %v: has an impact and was never registered", v)
	}
	r.Impact = wire.Marshal(i)
	return nil
}

func (a *at) opened(e event.Opened) error {
	v := a.versions.change(versionKey{a.trial, e.Version})
	t := a.trials.change(a.trial)
	if v == nil || t == nil {
		return fmt.Errorf("version %v: opened and never registered", e.Version)
	}
	at := siteKey{a.trial, e.Site}
	a.openings.put(openingKey{at, e.Version}, openingRow{
		Trial: a.Stream[:], Site: e.Site[:], Version: uint32(e.Version), Opened: e.Time, Deadline: e.Deadline,
		Existing: e.Existing, Sequence: a.Sequence,
	})
	v.OpenedSites++
	if v.FirstOpened == 0 {
		v.FirstOpened = e.Time
	}
	v.LastDue = max(v.LastDue, e.Deadline)
	t.Status = statusOpen
	if s := a.site(e.Site); !s.Opened {
		s.Opened = true
		t.Sites++
	}
	return nil
}

// site returns the row of a site of the trial, to be written to.
func (a *at) site(id trial.SiteID) *siteRow {
	k := siteKey{a.trial, id}
	if s := a.sites.change(k); s != nil {
		return s
	}
	return a.sites.put(k, siteRow{Trial: a.Stream[:], Site: id[:]})
}
