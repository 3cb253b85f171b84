// Package device is a participant's own device: it holds the master secret,
// makes leaves, and turns what the person decides into acts with proofs.
// Neither the secrets nor what would let anyone compute an account ever leave
// it. The device builds context and message itself; it never proves a number
// handed to it.
package device

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// Prover makes the proof for a witness. *prover.Prover is one.
type Prover interface {
	Prove(prover.Witness) (verifier.Proof, error)
}

// Leaves downloads all leaves of a tree in order, emptied places as zero: asking
// for one path would reveal whose it is.
type Leaves interface {
	Leaves(ctx context.Context, tree string) ([]field.Leaf, error)
}

// ErrNoCurrentConsent says that the device holds no pass that a site accepts:
// its participant has to consent to the present version first.
var ErrNoCurrentConsent = errors.New("no current consent: read the new version and decide first")

// ErrNotEligible says that the attested attributes do not meet the registered criteria.
var ErrNotEligible = errors.New("the attested attributes do not meet the registered criteria; no proof can be made")

// Config of a device.
type Config struct {
	Ledger wire.LedgerID
	Trial  trial.ID
	Prover Prover
	Public Leaves
}

// Device is one participant's device in one trial. It is safe for concurrent use.
type Device struct {
	config Config
	master [32]byte

	mu        sync.Mutex
	enrolment uint32
	enrolled  *credential
	under     trial.Version
	screened  *credential
	consents  []given // oldest first
	entered   map[slot]bool
}

// slot is a visit and its repetition. A second pass would make a second account
// in one slot, so the device remembers which it has filled.
type slot struct {
	id  string
	rep uint32
}

// credential is a leaf and what opens it.
type credential struct {
	secret, trapdoor field.Element
	attributes       field.Attributes
	leaf             field.Element
}

// given is a consent that the ledger accepted, with its pass.
type given struct {
	version  trial.Version
	sequence uint32
	pass     *credential
}

// New makes a device with a fresh master secret.
func New(c Config) *Device {
	d := &Device{config: c, entered: map[slot]bool{}}
	rand.Read(d.master[:]) //nolint:errcheck // never fails (crypto/rand)
	return d
}

// derive makes the credential for a use; each use has secrets of its own.
func (d *Device) derive(use string, attributes field.Attributes) (*credential, error) {
	c := &credential{attributes: attributes}
	var err error
	if c.secret, err = field.Derive(d.master, field.SecretTag+use, d.config.Ledger, d.config.Trial, d.enrolment); err != nil {
		return nil, err
	}
	if c.trapdoor, err = field.Derive(d.master, field.TrapdoorTag+use, d.config.Ledger, d.config.Trial, d.enrolment); err != nil {
		return nil, err
	}
	c.leaf = field.NewLeaf(field.Identity(c.secret, c.trapdoor), attributes)
	return c, nil
}

// Leaf is the public leaf of this enrolment.
func (d *Device) Leaf() (field.Leaf, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.enrolled == nil {
		return field.Leaf{}, false
	}
	return field.LeafOf(d.enrolled.leaf), true
}

func (d *Device) act(k act.Kind) act.Act {
	return act.Act{Ledger: d.config.Ledger, Trial: d.config.Trial, Kind: k}
}

// ownLeaf proves an act against the tree that holds the leaf alone.
func (d *Device) ownLeaf(c *credential, a act.Act) (consent.Proven, error) {
	w := prover.OwnLeaf(c.secret, c.trapdoor, c.attributes, a.Context(), a.Message())
	p, err := d.prove(w, a)
	p.Root = field.Root{} // anybody computes it
	return p, err
}

func (d *Device) prove(w prover.Witness, a act.Act) (consent.Proven, error) {
	proof, err := d.config.Prover.Prove(w)
	if err != nil {
		return consent.Proven{}, fmt.Errorf("%s: %w", a.Kind, err)
	}
	return consent.Proven{Act: a, Root: w.Statement.Root, Account: w.Statement.Account, Proof: proof}, nil
}

// member makes a witness of membership in a tree, with vacuous bounds.
func (d *Device) member(ctx context.Context, c *credential, name string, a act.Act) (prover.Witness, error) {
	w := prover.Witness{Secret: c.secret, Trapdoor: c.trapdoor, Attributes: c.attributes}
	leaves, err := d.config.Public.Leaves(ctx, name)
	if err != nil {
		return w, fmt.Errorf("leaves of %s: %w", name, err)
	}
	place := slices.Index(leaves, field.LeafOf(c.leaf))
	if place < 0 {
		return w, fmt.Errorf("%s: this device's leaf is not in tree %s", a.Kind, name)
	}
	elements := make([]field.Element, len(leaves))
	for i, l := range leaves {
		if l == (field.Leaf{}) {
			continue
		}
		if elements[i], err = l.Element(); err != nil {
			return w, fmt.Errorf("leaves of %s: place %d: %w", name, i, err)
		}
	}
	t, err := tree.Build(tree.Depth, elements)
	if err != nil {
		return w, err
	}
	if w.Path, err = t.Path(uint64(place)); err != nil {
		return w, err
	}
	w.Sign(a.Context(), a.Message())
	return w, nil
}
