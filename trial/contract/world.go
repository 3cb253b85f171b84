package contract

import (
	"bytes"
	"sync"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/safety"
)

// world answers what one room's rules ask of another's, over the state of one
// transaction: its own stream, and the directory.
type world struct {
	state.Store
	directory state.View
	machine   *Machine
}

var (
	_ directory.State = (*world)(nil)
	_ protocol.State  = (*world)(nil)
	_ consent.State   = (*world)(nil)
	_ safety.State    = (*world)(nil)
	_ dataset.State   = (*world)(nil)
)

func (w *world) Authority(id wire.KeyID) (trial.Actor, tx.PublicKey, bool) {
	if a, ok := w.machine.authorities[id]; ok {
		return a.actor, a.key, true
	}
	m := w.machine
	node := engine.NodeKey(m.config.Node, w.directory)
	return m.node, node, id == node.ID()
}

func (w *world) Delegated(site trial.SiteID, person trial.ActorID, task trial.Task, now int64) bool {
	return directory.Delegated(w.directory, site, person, task, now)
}

func (w *world) Protocol(v trial.Version) (*trial.Protocol, trial.Digest, bool) {
	return w.machine.protocols.get(w, v)
}

func (w *world) TrialSponsor() (trial.ActorID, bool) { return protocol.Sponsor(w) }

func (w *world) Serves(id trial.ActorID, role trial.Role, now int64) (is, serves bool) {
	return directory.Serves(w.directory, id, role, now)
}

func (w *world) OnBoard(id trial.ActorID) bool { return protocol.OnBoard(w, id) }

func (w *world) SafetyHold(now int64) error { return safety.Hold(w, now) }

func (w *world) Unblinded() bool {
	_, done := dataset.Unblinded(w)
	return done
}

func (w *world) VersionOpened(v trial.Version, site trial.SiteID) (int64, bool) {
	o, ok := reconsent.At(w, v, site)
	return o.Opened, ok
}

func (w *world) VersionEnded(v trial.Version, now int64) bool {
	_, ended := reconsent.End(w, v, now)
	return ended
}

func (w *world) MayEnrolUnder(v trial.Version, site trial.SiteID, now int64) error {
	return reconsent.MayEnrolUnder(w, v, site, now)
}

func (w *world) VersionsOpen(site trial.SiteID) []trial.Opening { return reconsent.OpenAt(w, site) }

func (w *world) RoomToOpen(v trial.Version) bool { return consent.RoomToOpen(w, v) }

func (w *world) NextDeadline(v trial.Version, after int64) (int64, bool) {
	return reconsent.NextDeadline(w, v, after)
}

func (w *world) Floor(site trial.SiteID, now int64) trial.Version {
	return reconsent.Floor(w, site, now)
}

func (w *world) Settled(v trial.Version, now int64) bool {
	return Settled(w, v, now)
}

// Settled reports whether nothing may change a version's counters any more.
func Settled(v state.View, n trial.Version, now int64) bool {
	if protocol.Latest(v) <= n {
		return false // only a later version's deadline ends one
	}
	if _, ended := reconsent.End(v, n, now); !ended {
		return false
	}
	return reconsent.Settled(v, n, now, consent.StayingUntil(v, n))
}

// protocols spares decoding a registered version again for each transaction. It
// holds what the state holds: an entry is used only for the very bytes it was
// made from.
type protocols struct {
	mu    sync.Mutex
	known map[trial.Version]decoded
}

type decoded struct {
	raw     []byte
	version *protocol.Version
}

func (p *protocols) get(v state.View, n trial.Version) (*trial.Protocol, trial.Digest, bool) {
	raw, ok := protocol.Raw(v, n)
	if !ok {
		return nil, trial.Digest{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.known[n]
	if !ok || !bytes.Equal(d.raw, raw) {
		version, _ := protocol.Get(v, n)
		d = decoded{raw: bytes.Clone(raw), version: &version}
		p.known[n] = d
	}
	return &d.version.Protocol, d.version.FormSet, true
}
