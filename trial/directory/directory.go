// Package directory holds the rules about who may sign: actors, their keys, and
// the sites' delegation logs. Roles are granted by the authority responsible
// for them, never by their holder.
package directory

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// State is what the rules of the directory read and write: the directory's stream.
type State interface {
	state.Store
	// Authority is an actor named by the genesis of the ledger.
	Authority(wire.KeyID) (trial.Actor, tx.PublicKey, bool)
}

type keyRecord struct {
	_      struct{} `cbor:",toarray"`
	Public tx.PublicKey
	Actor  trial.ActorID
	From   int64
	Until  int64 // 0: still good
}

func actorKey(id trial.ActorID) []byte { return append([]byte("actor/"), id[:]...) }
func keyKey(id wire.KeyID) []byte      { return append([]byte("key/"), id[:]...) }
func currentKey(id trial.ActorID) []byte {
	return append([]byte("current/"), id[:]...)
}

func delegationKey(site trial.SiteID, person trial.ActorID) []byte {
	return append(append([]byte("delegation/"), site[:]...), person[:]...)
}

// Holder returns who holds a key at the given time, and the key.
func Holder(v state.View, id wire.KeyID, now int64) (trial.Actor, tx.PublicKey, bool) {
	k, ok := state.Load[keyRecord](v, keyKey(id))
	if !ok || now < k.From || (k.Until != 0 && now >= k.Until) {
		return trial.Actor{}, tx.PublicKey{}, false
	}
	a, ok := Actor(v, k.Actor)
	return a, k.Public, ok
}

// Actor returns a registered actor.
func Actor(v state.View, id trial.ActorID) (trial.Actor, bool) {
	return state.Load[trial.Actor](v, actorKey(id))
}

// Delegated reports whether a site had delegated a task to a person at a time,
// and both had the right to sign then: a revoked site's people stop with it.
func Delegated(v state.View, site trial.SiteID, person trial.ActorID, task trial.Task, now int64) bool {
	d, ok := state.Load[trial.Delegation](v, delegationKey(site, person))
	return ok && d.Covers(task, now) && serving(v, trial.ActorID(site), now) && serving(v, person, now)
}

func serving(v state.View, id trial.ActorID, now int64) bool {
	a, ok := Actor(v, id)
	return ok && a.Serving(now)
}

// Serves reports whether an actor is registered in a role, and whether it may
// sign at a time.
func Serves(v state.View, id trial.ActorID, role trial.Role, now int64) (is, serves bool) {
	a, ok := Actor(v, id)
	return ok && a.Role == role, ok && a.Serving(now)
}

// possession is what a new key signs, so that nobody registers another's key.
func possession(ledger wire.LedgerID, role trial.Role, name string, key tx.PublicKey) []byte {
	return append([]byte("trialith/v1/possession\x00"), wire.Marshal([]any{ledger, role, name, key})...)
}
