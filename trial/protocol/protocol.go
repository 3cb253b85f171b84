// Package protocol holds the rules about what is registered: the protocol and
// its versions, ethics' decisions on them, and where they are open.
package protocol

import (
	"encoding/binary"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// State is what the rules of the protocol read and write: the trial's stream,
// and questions that other rooms answer.
type State interface {
	state.Store
	// RoomToOpen reports whether a version's set can take everybody enrolled.
	RoomToOpen(trial.Version) bool
	// VersionOpened reports when a version opened at a site.
	VersionOpened(trial.Version, trial.SiteID) (int64, bool)
	// VersionEnded reports whether a version has ended wherever it opened.
	VersionEnded(trial.Version, int64) bool
	// Serves reports whether an actor is registered in a role, and whether it
	// may sign at a time.
	Serves(trial.ActorID, trial.Role, int64) (is, serves bool)
}

// Version is a registered version of the protocol.
type Version struct {
	_          struct{} `cbor:",toarray"`
	Protocol   trial.Protocol
	FormSet    trial.Digest
	Registered int64
	Effective  trial.Day // in force from then on, never before it opens at a site
	Reason     string    // of the amendment; empty for version 1
}

type head struct {
	_       struct{} `cbor:",toarray"`
	Sponsor trial.ActorID
	Latest  trial.Version
}

type decision struct {
	_        struct{} `cbor:",toarray"`
	Approved bool
	Time     int64
}

var headKey = []byte("protocol/head")

func versionKey(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("protocol/version/"), uint32(v))
}

// decisionKey names a decision on a form of a version at a site; the zero site is all.
func decisionKey(v trial.Version, form string, site trial.SiteID) []byte {
	k := binary.BigEndian.AppendUint32([]byte("protocol/decision/"), uint32(v))
	return append(append(append(k, form...), 0), site[:]...)
}

// Get returns a registered version.
func Get(v state.View, n trial.Version) (Version, bool) {
	return state.Load[Version](v, versionKey(n))
}

// Latest returns the number of the newest version, 0 where no trial is registered.
func Latest(v state.View) trial.Version {
	h, _ := state.Load[head](v, headKey)
	return h.Latest
}

// Sponsor returns who registered the trial.
func Sponsor(v state.View) (trial.ActorID, bool) {
	h, ok := state.Load[head](v, headKey)
	return h.Sponsor, ok
}

// Approved reports whether ethics approved a form of a version for a site. A
// decision on the site goes before one on all sites.
func Approved(v state.View, n trial.Version, form string, site trial.SiteID) bool {
	for _, s := range []trial.SiteID{site, {}} {
		if d, ok := state.Load[decision](v, decisionKey(n, form, s)); ok {
			return d.Approved
		}
	}
	return false
}

// TrialID names the trial that a sponsor registers under an idempotency key.
func TrialID(c trial.Context) trial.ID {
	return act.TrialID(c.Ledger, c.Signer.ID, tx.Key(c.Unique))
}

func bySponsor(s State, c trial.Context) error {
	sponsor, ok := Sponsor(s)
	if !ok {
		return trial.Refuse(trial.UnknownTrial, "no trial is registered in this stream")
	}
	if c.Signer.ID != sponsor {
		return trial.Refuse(trial.NotAuthorised, "only the sponsor that registered the trial may do this")
	}
	return nil
}

// Raw returns the encoding of a registered version as it stands in the state.
func Raw(v state.View, n trial.Version) ([]byte, bool) { return v.Get(versionKey(n)) }
