package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
	"github.com/trialith/trialith/trial/exchange/cdisc"
)

// The example of re-consent, chosen because it fits the real course of these
// three: one withdraws by proof on the last day, two never answer, and their
// last visits are refused.
var (
	withdraws = map[string]trial.Day{"01-708-1272": mustDay("2013-04-04")}
	silent    = map[string]trial.Day{"01-701-1429": mustDay("2013-04-30"), "01-718-1328": mustDay("2013-05-01")}
)

// Dates of the example that the data do not hold.
var (
	genesisDay  = mustDay("2012-06-29")
	approvalDay = mustDay("2012-07-02")
	openingDay  = mustDay("2013-03-18")

	// The board looks at month ends from this one on.
	firstLookDay = mustDay("2012-07-31")

	amendmentDay         = mustDay("2013-03-04")
	amendmentApprovalDay = mustDay("2013-03-11")
)

// GenesisDay is the day on which the demo's ledger begins.
func GenesisDay() trial.Day { return genesisDay }

func mustDay(s string) trial.Day {
	d, err := trial.ParseDay(s)
	if err != nil {
		panic(err) // a constant of this file
	}
	return d
}

// participant is a person with a device of their own.
type participant struct {
	pilot.Participant
	site   *site
	phone  *device.Device
	public *download
	in     bool // in the study
	events []cdisc.AdverseEvent
}

// special are the days of the example on which something happens to them.
func (p *participant) special() (days []trial.Day) {
	for _, m := range []map[string]trial.Day{withdraws, silent} {
		if d, ok := m[p.USUBJID]; ok {
			days = append(days, d)
		}
	}
	return days
}

// download gets whole leaf lists, the same for everyone, as of a block.
type download struct {
	api    *client.Client
	trial  trial.ID
	height uint64
}

// Leaves downloads a tree.
func (d *download) Leaves(ctx context.Context, tree string) ([]field.Leaf, error) {
	return d.api.Leaves(ctx, d.trial, tree, d.height)
}

// saw notes the block that an outcome stands in.
func (p *participant) saw(o client.Outcome) { p.public.height = max(p.public.height, o.Height) }

func accepted(what string, o client.Outcome, err error) error {
	if err == nil && !o.Accepted() {
		err = fmt.Errorf("refused (%d): %s", o.Code, o.Refusal)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// enrol is the visit SCREENING 1: the site checks who they are and enrols the
// leaf that their device makes.
func (s *study) enrol(ctx context.Context, p *participant, v trial.Version) error {
	p.phone = s.device(p)
	body, err := p.phone.Enrol(p.site.site, p.site.investigator.id, v, p.Screening, field.Attributes{attributeAge: p.Age})
	if err != nil {
		return err
	}
	o, err := p.site.investigator.must(ctx, contract.ConsentEnrol, wire.StreamID(s.trial), body)
	if err != nil {
		return err
	}
	p.saw(o)
	p.in = true
	s.tally.add(func(t *tally) { t.enrolled++ })
	return nil
}

// consent is the participant's own act: no key of a site or node is in it. The
// site is shown the receipt.
func (s *study) consent(ctx context.Context, p *participant, v trial.Version) error {
	form := s.versions[v-1].Forms[0]
	choice := act.Choice{Form: form.ID, Language: form.Language, Taken: p.taken(form)}
	body, err := p.phone.Consent(ctx, v, act.FormSet(s.versions[v-1].Forms), choice)
	if err != nil {
		return err
	}
	o, err := p.public.api.EnterAct(ctx, body)
	if err := accepted(fmt.Sprintf("consent to version %v", v), o, err); err != nil {
		return err
	}
	p.saw(o)
	p.site.saw(p.USUBJID, v)
	s.tally.add(func(t *tally) { t.consented[v]++ })
	return p.phone.Given(v)
}

// taken are the options this person takes: they default to off, and somebody
// has to choose (example: the results for all, the biobank for every second).
func (p *participant) taken(f trial.Form) (ids []string) {
	for i, o := range f.Options {
		if i == 0 || p.Age%2 == 0 {
			ids = append(ids, o.ID)
		}
	}
	return ids
}

// screen attests the leaf with the screening attributes.
func (s *study) screen(ctx context.Context, p *participant) error {
	body, err := p.phone.Screen(p.site.site, p.site.investigator.id, p.FirstDose, field.Attributes{attributeAge: p.Age, attributeMMSE: p.MMSE})
	if err != nil {
		return err
	}
	o, err := p.site.investigator.must(ctx, contract.ConsentScreen, wire.StreamID(s.trial), body)
	if err != nil {
		return err
	}
	p.saw(o)
	return nil
}

// randomise proves the registered criteria. Who cannot is recorded as a
// deviation by two people: the data say they were randomised all the same.
func (s *study) randomise(ctx context.Context, p *participant, v trial.Version) error {
	body, err := p.phone.Eligible(ctx, p.site.site, p.site.investigator.id, v, &s.versions[v-1], p.FirstDose)
	if errors.Is(err, device.ErrNotEligible) {
		return s.deviate(ctx, p, v)
	}
	if err != nil {
		return err
	}
	o, err := p.site.investigator.must(ctx, contract.ConsentRandomise, wire.StreamID(s.trial), body)
	if err != nil {
		return err
	}
	p.saw(o)
	s.tally.add(func(t *tally) { t.randomised++ })
	return nil
}

func (s *study) deviate(ctx context.Context, p *participant, v trial.Version) error {
	leaf, _ := p.phone.Screened()
	body := consent.Deviate{
		Leaf: leaf, Version: v, Day: p.FirstDose,
		Criterion: "attested attributes outside the registered criteria", Reason: reason("outside the criteria"),
	}
	_, err := p.site.investigator.must(ctx, contract.ConsentDeviate, wire.StreamID(s.trial), body, p.site.second)
	s.tally.add(func(t *tally) { t.randomised++; t.ineligible++ })
	return err
}

// reason commits to a reason with a fresh salt. The site keeps both.
func reason(text string) trial.Commitment {
	var salt [32]byte
	rand.Read(salt[:]) //nolint:errcheck // never fails (crypto/rand)
	return act.Commit("reason", salt, []byte(text))
}

// dose records the first dose with a pass.
func (s *study) dose(ctx context.Context, p *participant, floor trial.Version) error {
	visit := device.Visit{Kind: act.Dose, Site: p.site.site, Slot: trial.FirstDose, Day: p.FirstDose}
	body, err := p.phone.Entry(ctx, visit, floor)
	if err != nil {
		return err
	}
	o, err := p.site.investigator.must(ctx, contract.ConsentEntry, wire.StreamID(s.trial), body)
	if err != nil {
		return err
	}
	p.saw(o)
	p.phone.Entered(visit)
	s.tally.add(func(t *tally) { t.doses++ })
	return nil
}

// lapsed is the visit of someone who never answered. Their device has not heard
// of the deadline and shows the old consent; the ledger refuses it.
func (s *study) lapsed(ctx context.Context, p *participant, day trial.Day) error {
	slot := ""
	for _, v := range p.Visits {
		if v.Day == day {
			slot = strings.ReplaceAll(strings.ToLower(v.Name), " ", "-")
		}
	}
	visit := device.Visit{Kind: act.Visit, Site: p.site.site, Slot: slot, Day: day}
	body, err := p.phone.Entry(ctx, visit, 1)
	if err != nil {
		return err
	}
	o, err := p.site.investigator.send(ctx, contract.ConsentEntry, wire.StreamID(s.trial), [16]byte{}, body)
	if err != nil {
		return err
	}
	if o.Accepted() {
		return fmt.Errorf("visit %q of %v was accepted without a current consent", slot, day)
	}
	s.tally.add(func(t *tally) { t.refused[act.Visit.String()]++ })
	return nil
}

// withdraw leaves by proof, under each version that is not settled.
func (s *study) withdraw(ctx context.Context, p *participant) error {
	unsettled, err := s.unsettled(ctx, p)
	if err != nil {
		return err
	}
	for _, v := range unsettled {
		body, err := p.phone.Withdraw(v)
		if err != nil {
			return err
		}
		o, err := p.public.api.EnterAct(ctx, body)
		if err := accepted(fmt.Sprintf("withdraw under version %v", v), o, err); err != nil {
			return err
		}
		p.saw(o)
	}
	p.in = false
	s.tally.add(func(t *tally) { t.withdrawn++ })
	return nil
}

func (s *study) unsettled(ctx context.Context, p *participant) ([]trial.Version, error) {
	leaf, _ := p.phone.Leaf()
	info, err := p.public.api.Leaf(ctx, s.trial, leaf)
	return info.Unsettled, err
}

// remove takes a leaf out by the site's word: it states, for each version that
// is not settled, whether it was shown the receipt of a consent.
func (s *study) remove(ctx context.Context, p *participant, class trial.Leaving) error {
	leaf, _ := p.phone.Leaf()
	unsettled, err := s.unsettled(ctx, p)
	if err != nil {
		return err
	}
	body := consent.Remove{Leaf: leaf, Class: class, Reason: reason(class.String())}
	for _, v := range unsettled {
		body.Statements = append(body.Statements, consent.Statement{Version: v, Used: p.site.knows(p.USUBJID, v)})
	}
	if _, err := p.site.investigator.must(ctx, contract.ConsentRemove, wire.StreamID(s.trial), body, p.site.second); err != nil {
		return err
	}
	p.in = false
	s.tally.add(func(t *tally) { t.removed[class]++ })
	return nil
}
