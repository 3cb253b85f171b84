// Package contract is the state machine of the ledger: the table of
// transactions, who may send each, and what it does to the state.
//
// A transaction passes four gates. Form and authority are asked before it may
// enter (Check); a proof is part of the authority. In its block the proof is
// verified with all others of the block in one batch, authority is asked again,
// and the rule's own ladder of refusals decides. What passes is applied and
// cannot fail; what does not leaves its hash and the refusal's code.
package contract

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/publication"
	"github.com/trialith/trialith/trial/safety"
)

// RuleSet is the version of the rules in this package. Headers name it; an
// older one stays compiled in when a newer is added.
const RuleSet = 1

// Authority is a party that the genesis names.
type Authority struct {
	Role    trial.Role
	Name    string
	Country string
	Key     tx.PublicKey
}

// Verifier decides proofs. *verifier.Key is one.
type Verifier interface {
	Verify(verifier.Proof, verifier.Statement) error
	// VerifyBatch returns the places of those that do not hold, ascending.
	VerifyBatch([]verifier.Item) []int
}

// Config of a machine.
type Config struct {
	Ledger      wire.LedgerID
	Genesis     int64  // ledger's first moment, milliseconds since 1970 UTC
	Epoch       uint32 // seconds
	Authorities []Authority
	Node        tx.PublicKey // wraps the acts it admits
	Verifier    Verifier
}

// Machine executes transactions by the rules of this package.
type Machine struct {
	config      Config
	authorities map[wire.KeyID]authority // the node among them, by genesis's key
	node        trial.Actor
	protocols   protocols
	signatures  tx.Verifier
	bodies      bodies
	proven      proven
	door        door
}

type authority struct {
	actor trial.Actor
	key   tx.PublicKey
}

var _ engine.StateMachine = (*Machine)(nil)

// New makes a machine for one ledger.
func New(c Config) (*Machine, error) {
	if c.Verifier == nil {
		return nil, errors.New("contract: no verifier; a ledger names its verifying key in the genesis")
	}
	if c.Epoch == 0 {
		return nil, errors.New("contract: epoch: 0 seconds; an hour is usual")
	}
	m := &Machine{config: c, authorities: map[wire.KeyID]authority{}}
	m.protocols.known = map[trial.Version]decoded{}
	m.proven.limit = proofsRemembered
	for _, a := range append(c.Authorities, Authority{Role: trial.Node, Name: "node", Key: c.Node}) {
		id := a.Key.ID()
		if _, twice := m.authorities[id]; twice {
			return nil, fmt.Errorf("contract: authority %q: its key stands twice", a.Name)
		}
		m.authorities[id] = authority{key: a.Key, actor: trial.Actor{
			ID: act.ActorID(c.Ledger, a.Role, a.Key), Role: a.Role, Name: a.Name, Country: a.Country,
		}}
	}
	m.node = m.authorities[c.Node.ID()].actor
	return m, nil
}

// Actor resolves a key at a time: an authority of the genesis, whom the
// directory registered, or the node by its present key. A key that the node gave
// up is nobody's.
func (m *Machine) Actor(dir state.View, key wire.KeyID, now int64) (trial.Actor, tx.PublicKey, bool) {
	a, named := m.authorities[key]
	if named && a.actor.Role != trial.Node {
		return a.actor, a.key, true
	}
	if !named {
		if actor, public, ok := directory.Holder(dir, key, now); ok {
			return actor, public, true
		}
	}
	node := engine.NodeKey(m.config.Node, dir)
	if key != node.ID() {
		return trial.Actor{}, tx.PublicKey{}, false
	}
	return m.node, node, true
}

// Check says why a transaction must not enter the ledger.
func (m *Machine) Check(at engine.Point, dir, stream state.View, e *tx.Envelope) error {
	r, c, err := m.open(at, dir, e)
	if err != nil {
		return err
	}
	if err := m.signed(dir, e, c.Now); err != nil {
		return err
	}
	w := m.world(dir, state.NewOverlay(stream))
	if err := r.authorise(w, c); err != nil {
		return err
	}
	if r.claims == nil {
		return nil
	}
	items, err := r.claims(w)
	if err != nil {
		return err
	}
	if err := m.admit(r, items); err != nil || e.Kind != ConsentAct && e.Kind != ConsentBatch {
		return err
	}
	// Nobody answers for an act with a name: a copy of one, its proof made to
	// look new, would enter as a refusal as often as anybody sends it. And who
	// forms a batch must hear which act to leave out; the ledger keeps the code alone.
	return r.validate(w, c)
}

// open decodes a transaction and resolves who signed it.
func (m *Machine) open(at engine.Point, dir state.View, e *tx.Envelope) (rule, trial.Context, error) {
	var c trial.Context
	k, ok := KindOf(e.Kind)
	if !ok {
		return rule{}, c, trial.Refuse(trial.UnknownKind, "kind: %d is unknown to rule set %d", e.Kind, RuleSet)
	}
	if e.Ledger != m.config.Ledger {
		return rule{}, c, trial.Refuse(trial.WrongLedger, "ledger: this is %v", m.config.Ledger)
	}
	if k.Directory != (e.Stream == wire.Directory) {
		return rule{}, c, trial.Refuse(trial.WrongStream, "stream: %s belongs to the other kind of stream", k.Name)
	}
	r, err := m.bodies.read(k, e.Body)
	if err != nil {
		return rule{}, c, trial.Refuse(trial.Malformed, "%v", err)
	}
	if err := r.check(); err != nil {
		return rule{}, c, err
	}
	c, err = m.context(at, dir, e)
	return r, c, err
}

func (m *Machine) context(at engine.Point, dir state.View, e *tx.Envelope) (trial.Context, error) {
	c := trial.Context{
		Ledger: m.config.Ledger, Trial: trial.ID(e.Stream), Genesis: m.config.Genesis, Epoch: m.config.Epoch,
		Now: at.Time, Height: at.Height, Unique: e.Idempotency,
	}
	var err error
	if c.Signer, err = m.serving(dir, e.Key, c.Now); err != nil {
		return c, err
	}
	for _, x := range e.Cosigners {
		a, err := m.serving(dir, x.Key, c.Now)
		if err != nil {
			return c, err
		}
		c.Cosigners = append(c.Cosigners, a)
	}
	return c, nil
}

func (m *Machine) serving(dir state.View, key wire.KeyID, now int64) (trial.Actor, error) {
	a, _, ok := m.Actor(dir, key, now)
	if !ok {
		return a, trial.Refuse(trial.UnknownKey, "key: %v is not in the directory", key)
	}
	if !a.Serving(now) {
		return a, trial.Refuse(trial.ExpiredActor, "key: the right of %q to sign has ended", a.Name)
	}
	return a, nil
}

func (m *Machine) signed(dir state.View, e *tx.Envelope, now int64) error {
	message := e.SigningBytes()
	_, key, _ := m.Actor(dir, e.Key, now)
	if !m.signatures.Verify(key, message, e.Signature) {
		return trial.Refuse(trial.BadSignature, "signature: not the signer's over these bytes")
	}
	for _, x := range e.Cosigners {
		_, key, _ := m.Actor(dir, x.Key, now)
		if !m.signatures.Verify(key, message, x.Signature) {
			return trial.Refuse(trial.BadSignature, "cosigners: %v: not the cosigner's signature over these bytes", x.Key)
		}
	}
	return nil
}

// Execute runs one transaction of a block.
func (m *Machine) Execute(p engine.Pending, dir state.View, stream state.Store) engine.Result {
	w := m.world(dir, stream)
	events, err := m.execute(p, w)
	if err != nil {
		return engine.Result{Code: code(err)}
	}
	return engine.Result{Events: events}
}

func (m *Machine) execute(p engine.Pending, w *world) ([]engine.Event, error) {
	r, c, err := m.open(p.Point, w.directory, p.Envelope)
	if err != nil {
		return nil, err
	}
	if err := r.authorise(w, c); err != nil {
		return nil, err
	}
	if r.claims != nil {
		items, err := r.claims(w)
		if err != nil {
			return nil, err
		}
		if err := m.proves(r, items); err != nil {
			return nil, err
		}
	}
	if err := r.validate(w, c); err != nil {
		return nil, err
	}
	return react(w, c, r.apply(w, c)), nil
}

// react lets the rooms that follow another's rules write their own keys, in
// the order of the table, and tells what they did behind what made them do it.
func react(w *world, c trial.Context, events []event.Event) (encoded []engine.Event) {
	for i := 0; i < len(events); i++ {
		events = append(events, reconsent.React(w, c, events[i])...)
		events = append(events, consent.React(w, c, events[i])...)
		events = append(events, safety.React(w, c, events[i])...)
		events = append(events, publication.React(asPublication(w), c, events[i])...)
		kind, body := event.Encode(events[i])
		encoded = append(encoded, engine.Event{Kind: kind, Body: body})
	}
	return encoded
}

func (m *Machine) world(dir state.View, stream state.Store) *world {
	return &world{Store: &reads{Store: stream}, directory: dir, machine: m}
}

func code(err error) engine.Code {
	if r, ok := errors.AsType[*trial.Refusal](err); ok {
		return engine.Code(r.Code)
	}
	panic(fmt.Sprintf("contract: a rule failed without a refusal: %v", err))
}

// FromGenesis makes the machine of the ledger that a genesis names.
func FromGenesis(g chain.Genesis, v Verifier) (*Machine, error) {
	if g.Rules != RuleSet {
		return nil, fmt.Errorf("contract: genesis: rule set %d; this version knows %d", g.Rules, RuleSet)
	}
	c := Config{Ledger: g.ID(), Genesis: g.Time, Epoch: g.Epoch, Node: g.Node, Verifier: v}
	for _, a := range g.Authorities {
		role, ok := trial.ParseRole(a.Role)
		if !ok {
			return nil, fmt.Errorf("contract: genesis: authority %q: role %q is none of the directory's", a.Name, a.Role)
		}
		c.Authorities = append(c.Authorities, Authority{Role: role, Name: a.Name, Country: a.Country, Key: a.Key})
	}
	return New(c)
}
