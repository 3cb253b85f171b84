package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

// poll is how often the clinic looks into its mailbox, in real time.
const poll = 500 * time.Millisecond

// AmendAfter is how long after the first consent the sponsor amends the open
// study, in real time: a visitor has read their receipt by then, and sees what a
// new version is like.
const AmendAfter = 90 * time.Second

// Run plays the clinic and its sponsor until ctx ends: it enrols who answers a
// card, takes visits in, and amends the study once somebody has consented. A
// letter that it can make nothing of is told and left.
func (h *Clinic) Run(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if err := h.turn(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintf(h.config.Report.Err, "trialith: demonstration clinic: %v\n", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (h *Clinic) turn(ctx context.Context) error {
	letters, err := h.api.Mail(ctx, h.inbox.Box(), h.read)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range letters {
		h.read = l.Sequence
		var words client.Letter
		if err := h.inbox.Open(l.Body, &words); err != nil {
			continue // anybody can post what nobody can read
		}
		errs = append(errs, h.answer(ctx, words))
	}
	if !h.amend.IsZero() && time.Now().After(h.amend) {
		h.amend = time.Time{}
		errs = append(errs, h.amendStudy(ctx))
	}
	return errors.Join(append(errs, h.postTable(ctx))...)
}

func (h *Clinic) answer(ctx context.Context, l client.Letter) error {
	i := h.invited(l)
	if i == nil {
		return fmt.Errorf("a letter of type %q from nobody who was invited", l.Type)
	}
	switch l.Type {
	case "enrol":
		return h.enrol(ctx, i, l.Body)
	case "receipt":
		return h.countersign(ctx, i, l)
	case "visit":
		return h.visit(ctx, i, l)
	case "withdrawn":
		return h.tell(ctx, i, client.Letter{Type: "acknowledged", What: "withdrawn"})
	default:
		return fmt.Errorf("a letter of type %q, which a clinic does not know", l.Type)
	}
}

// invited finds the invitation that a letter is of: who wrote it has the card.
func (h *Clinic) invited(l client.Letter) *invitation {
	for _, i := range h.cards {
		if l.From == i.from && l.Subject == i.card.Code {
			return i
		}
	}
	return nil
}

func (h *Clinic) tell(ctx context.Context, i *invitation, l client.Letter) error {
	letter, err := i.code.Seal(l)
	if err != nil {
		return err
	}
	return h.api.Post(ctx, i.box, letter)
}

// enrol signs what the participant's device made, if it is what the card said.
func (h *Clinic) enrol(ctx context.Context, i *invitation, body []byte) error {
	var t consent.Enrol
	if err := wire.Unmarshal(body, &t); err != nil {
		return h.refuse(ctx, i, fmt.Sprintf("the request could not be read: %v", err))
	}
	want := act.Act{
		Ledger: h.study.ledger, Trial: h.study.trial, Kind: act.Enrol, Version: trial.Version(i.card.Version),
		Site: h.site.site, Person: h.site.investigator.id, Day: trial.Day(i.card.Day),
	}
	if t.Proven.Act != want || t.Kiosk {
		return h.refuse(ctx, i, "the request is not what the card says")
	}
	if i.leaf != (field.Leaf{}) {
		return h.refuse(ctx, i, "this card was used before; ask for another")
	}
	o, err := h.site.investigator.send(ctx, contract.ConsentEnrol, wire.StreamID(h.study.trial), once("enrol", body), t)
	if err := accepted("enrol", o, err); err != nil {
		return errors.Join(err, h.refuse(ctx, i, err.Error()))
	}
	i.leaf = t.Leaf
	if err := h.tell(ctx, i, client.Letter{Type: "enrolled", Transaction: o.Hash.String()}); err != nil {
		return err
	}
	next, err := h.Invite(ctx)
	if err == nil {
		fmt.Fprintf(h.config.Report.Out, "      card %v was used; another: %v\n", i.code, next)
	}
	return err
}

// once names a letter's transaction by its bytes: a letter sent twice is one.
func once(what string, body []byte) tx.Key {
	sum := wire.SumBytes(what, body)
	return tx.Key(sum[:16])
}

func (h *Clinic) refuse(ctx context.Context, i *invitation, reason string) error {
	return h.tell(ctx, i, client.Letter{Type: "refused", Reason: reason})
}

// visit signs the entry that the device made with its pass.
func (h *Clinic) visit(ctx context.Context, i *invitation, l client.Letter) error {
	var t consent.Entry
	if err := wire.Unmarshal(l.Body, &t); err != nil {
		return h.refuse(ctx, i, fmt.Sprintf("the visit could not be read: %v", err))
	}
	if t.Proven.Act.Site != h.site.site {
		return h.refuse(ctx, i, "the visit is for another site")
	}
	o, err := h.site.investigator.send(ctx, contract.ConsentEntry, wire.StreamID(h.study.trial), once("entry", l.Body), t)
	if err := accepted("visit", o, err); err != nil {
		return errors.Join(err, h.refuse(ctx, i, err.Error()))
	}
	return h.tell(ctx, i, client.Letter{Type: "visited", Slot: t.Proven.Act.Slot, Code: l.Code, Transaction: o.Hash.String()})
}

// countersign notes the consent that a participant showed the receipt of. The
// first one has the sponsor amend the study.
func (h *Clinic) countersign(ctx context.Context, i *invitation, l client.Letter) error {
	v := trial.Version(l.Version)
	if v < 1 || v > h.version || i.leaf == (field.Leaf{}) {
		return h.refuse(ctx, i, "a receipt of a version that this clinic has not, or of nobody it enrolled")
	}
	h.table.add(line{Leaf: i.leaf, Version: v, Form: h.study.versions[v-1].Forms[0].ID, Day: trial.DayOf(h.config.Clock.Now())})
	if h.version == 1 && h.amend.IsZero() {
		h.amend = time.Now().Add(h.config.AmendAfter)
	}
	return h.tell(ctx, i, client.Letter{Type: "countersigned", Version: l.Version})
}

// amendStudy makes version 2, which those who are in must be asked about.
func (h *Clinic) amendStudy(ctx context.Context) error {
	p := walk(true)
	body := protocol.Amend{Version: 2, Protocol: p, Reason: walkReason, Effective: trial.DayOf(h.config.Clock.Now())}
	if _, err := h.sponsor.must(ctx, contract.ProtocolAmend, wire.StreamID(h.study.trial), body); err != nil {
		return err
	}
	h.study.versions = append(h.study.versions, p)
	h.version = 2
	return h.approveAndOpen(ctx)
}
