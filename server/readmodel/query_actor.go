package readmodel

import (
	"context"
	"fmt"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// authorities lists who may sign from the beginning: whom the genesis names,
// and the node that wraps the acts it admits.
func (m *Model) authorities() (out []Actor) {
	g := m.config.Genesis
	if g.Version == 0 {
		return nil
	}
	ledger := g.ID()
	add := func(role trial.Role, name, country string, key tx.PublicKey) {
		a := Actor{Key: key.ID(), Public: key, Genesis: true}
		a.ID, a.Role, a.Name, a.Country = act.ActorID(ledger, role, key), role, name, country
		out = append(out, a)
	}
	for _, x := range g.Authorities {
		role, _ := trial.ParseRole(x.Role)
		add(role, x.Name, x.Country, x.Key)
	}
	add(trial.Node, "node", "", g.Node)
	return out
}

// Actors lists who may sign, or might have: authorities of the genesis first,
// then as registered.
func (m *Model) Actors(ctx context.Context) ([]Actor, error) {
	rows, err := many(m.read.WithContext(ctx).Order("place"), actor)
	if err != nil {
		return nil, err
	}
	return append(m.authorities(), rows...), nil
}

// Actor returns one actor.
func (m *Model) Actor(ctx context.Context, id trial.ActorID) (Actor, error) {
	for _, a := range m.authorities() {
		if a.ID == id {
			return a, nil
		}
	}
	r, err := one[actorRow](m.read.WithContext(ctx).Where("actor = ?", id[:]), "actor %v", id)
	if err != nil {
		return Actor{}, err
	}
	return actor(&r), nil
}

// Signer returns who holds or held a key.
func (m *Model) Signer(ctx context.Context, key wire.KeyID) (Actor, error) {
	for _, a := range m.authorities() {
		if a.Key == key {
			return a, nil
		}
	}
	r, err := one[keyRow](m.read.WithContext(ctx).Where("key_id = ?", key[:]), "key %v", key)
	if err != nil {
		return Actor{}, err
	}
	return m.Actor(ctx, trial.ActorID(r.Actor))
}

func actor(r *actorRow) Actor {
	a := Actor{Public: tx.PublicKey(r.Public), Registered: r.Registered}
	a.Key = a.Public.ID()
	a.Actor = trial.Actor{
		ID: trial.ActorID(r.Actor), Role: trial.Role(r.Role), Name: r.Name, Country: r.Country, Site: trial.SiteID(r.Site),
		Expires: r.Expires, Revoked: r.Revoked,
	}
	return a
}

// names returns the names of all registered actors.
func (m *Model) names(ctx context.Context) (map[trial.ActorID]Actor, error) {
	all, err := m.Actors(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[trial.ActorID]Actor, len(all))
	for _, a := range all {
		out[a.ID] = a
	}
	return out, nil
}

// Delegations lists a site's delegation log, in the order it was written.
func (m *Model) Delegations(ctx context.Context, site trial.SiteID) ([]Delegation, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	var bad error
	out, err := many(m.read.WithContext(ctx).Where("site = ?", site[:]).Order("since, person"), func(r *delegationRow) Delegation {
		d := Delegation{Site: site, Since: r.Since}
		d.Person, d.From, d.Until, d.Ended = trial.ActorID(r.Person), trial.Day(r.FromDay), trial.Day(r.UntilDay), r.Ended
		if err := wire.Unmarshal(r.Tasks, &d.Tasks); err != nil {
			bad = fmt.Errorf("readmodel: delegation: %w", err)
		}
		d.Name = names[d.Person].Name
		return d
	})
	if err == nil {
		err = bad
	}
	return out, err
}
