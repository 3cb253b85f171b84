package device

import (
	"context"
	"errors"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// Enrol makes this enrolment's leaf, with what is known without a trial
// procedure, and proves that the device holds its secret.
func (d *Device) Enrol(site trial.SiteID, investigator trial.ActorID, v trial.Version, day trial.Day, attributes field.Attributes) (consent.Enrol, error) {
	d.mu.Lock()
	d.enrolment++
	c, err := d.derive("", attributes)
	d.enrolled, d.under, d.screened, d.consents = c, v, nil, nil
	d.mu.Unlock()
	if err != nil {
		return consent.Enrol{}, err
	}
	a := d.act(act.Enrol)
	a.Version, a.Site, a.Person, a.Day = v, site, investigator, day
	p, err := d.ownLeaf(c, a)
	return consent.Enrol{Proven: p, Leaf: field.LeafOf(c.leaf)}, err
}

// Screen makes the leaf with the screening attributes that the site attests.
func (d *Device) Screen(site trial.SiteID, investigator trial.ActorID, day trial.Day, attributes field.Attributes) (consent.Screen, error) {
	d.mu.Lock()
	c, err := d.derive("/eligible", attributes)
	d.screened = c
	d.mu.Unlock()
	if err != nil {
		return consent.Screen{}, err
	}
	a := d.act(act.Screen)
	a.Site, a.Person, a.Day = site, investigator, day
	p, err := d.ownLeaf(c, a)
	return consent.Screen{Proven: p, Leaf: field.LeafOf(c.leaf)}, err
}

// Screened is the public leaf with the screening attributes.
func (d *Device) Screened() (field.Leaf, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.screened == nil {
		return field.Leaf{}, false
	}
	return field.LeafOf(d.screened.leaf), true
}

// Eligible proves the registered criteria of a protocol. ErrNotEligible: they
// are not met, and no proof exists.
func (d *Device) Eligible(ctx context.Context, site trial.SiteID, investigator trial.ActorID, v trial.Version, p *trial.Protocol, day trial.Day) (consent.Randomise, error) {
	d.mu.Lock()
	c := d.screened
	d.mu.Unlock()
	if c == nil {
		return consent.Randomise{}, errors.New("eligible: not screened; the site attests the screening attributes first")
	}
	lo, hi := p.Bounds()
	for i, x := range c.attributes {
		if x < lo[i] || x > hi[i] {
			return consent.Randomise{}, ErrNotEligible
		}
	}
	a := d.act(act.Eligible)
	a.Version, a.Site, a.Person, a.Day = v, site, investigator, day
	w, err := d.member(ctx, c, act.EligibleLeaves, a)
	if err != nil {
		return consent.Randomise{}, err
	}
	w.Statement.Min, w.Statement.Max = lo, hi
	proven, err := d.prove(w, a)
	return consent.Randomise{Proven: proven}, err
}
