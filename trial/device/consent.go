package device

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// Consent agrees to a version with the choices made, and makes the pass that
// later shows this consent. Given must be called when the ledger accepted it.
func (d *Device) Consent(ctx context.Context, v trial.Version, forms trial.Digest, choice act.Choice) (consent.Act, error) {
	c, err := d.credential()
	if err != nil {
		return consent.Act{}, err
	}
	d.mu.Lock()
	pass, err := d.derive(fmt.Sprintf("/pass/%v", v), field.Attributes{})
	d.mu.Unlock()
	if err != nil {
		return consent.Act{}, err
	}
	// The salt is the device's alone and enters no vault: whoever had it could
	// try all choices, which are few.
	var salt [32]byte
	rand.Read(salt[:]) //nolint:errcheck // never fails (crypto/rand)
	a := d.act(act.Consent)
	a.Version, a.FormSet, a.Options, a.Pass = v, forms, choice.Commit(salt), field.LeafOf(pass.leaf)
	w, err := d.member(ctx, c, d.owing(v), a)
	if err != nil {
		return consent.Act{}, err
	}
	p, err := d.prove(w, a)
	return consent.Act{Proven: p}, err
}

// Given notes that the ledger accepted the consent to a version.
func (d *Device) Given(v trial.Version) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	pass, err := d.derive(fmt.Sprintf("/pass/%v", v), field.Attributes{})
	if err != nil {
		return err
	}
	d.consents = append(d.consents, given{version: v, pass: pass})
	return nil
}

// owing is the tree in which this device's leaf owes consent to a version.
func (d *Device) owing(v trial.Version) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v == d.under {
		return act.SetTree(v, trial.New)
	}
	return act.SetTree(v, trial.Existing)
}

func (d *Device) credential() (*credential, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.enrolled == nil {
		return nil, fmt.Errorf("not enrolled: the site enrols this device first")
	}
	return d.enrolled, nil
}

// sequence is the next number under the account of a version.
func (d *Device) sequence(v trial.Version) uint32 {
	for _, g := range d.consents {
		if g.version == v {
			return g.sequence + 1
		}
	}
	return 0
}

// Withdraw leaves the trial under one version that is not settled. Withdraw
// under each: silence under one would count as missing. No reason is asked.
func (d *Device) Withdraw(v trial.Version) (consent.Act, error) {
	c, err := d.credential()
	if err != nil {
		return consent.Act{}, err
	}
	a := d.act(act.Withdraw)
	a.Version = v
	d.mu.Lock()
	a.Sequence = d.sequence(v)
	d.mu.Unlock()
	p, err := d.ownLeaf(c, a)
	return consent.Act{Proven: p, Leaf: field.LeafOf(c.leaf)}, err
}

// Visit is what an entry is about.
type Visit struct {
	Kind act.Kind // visit, dose or attest
	Site trial.SiteID
	Slot string
	Rep  uint32
	Day  trial.Day
}

// Entry proves a current consent for a visit or dose, with the oldest pass from
// the floor on: until a deadline that says nothing about who has answered.
// Floor is the site's, as this device knows it. ErrNoCurrentConsent: it holds
// no such pass.
func (d *Device) Entry(ctx context.Context, v Visit, floor trial.Version) (consent.Entry, error) {
	d.mu.Lock()
	filled := d.entered[slot{v.Slot, v.Rep}]
	var pass *credential
	for _, g := range d.consents {
		if g.version >= floor {
			pass = g.pass
			break
		}
	}
	d.mu.Unlock()
	if filled {
		return consent.Entry{}, fmt.Errorf("%s %q: recorded before", v.Kind, v.Slot)
	}
	if pass == nil {
		return consent.Entry{}, ErrNoCurrentConsent
	}
	a := d.act(v.Kind)
	a.Site, a.Slot, a.Rep, a.Day = v.Site, v.Slot, v.Rep, v.Day
	w, err := d.member(ctx, pass, act.PassLeaves(floor), a)
	if err != nil {
		return consent.Entry{}, err
	}
	p, err := d.prove(w, a)
	return consent.Entry{Proven: p}, err
}

// Entered notes that the ledger accepted the entry.
func (d *Device) Entered(v Visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entered[slot{v.Slot, v.Rep}] = true
}
