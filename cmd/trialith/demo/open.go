package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

// Clinic is the site of a study that stays open after the demonstration, so that
// whoever watches can take part. It has keys of its own and speaks to the node
// over HTTP alone, as a real site does from its own browser.
type Clinic struct {
	config  Config
	study   *study
	site    *site
	sponsor *party
	ethics  *party
	inbox   *client.Inbox
	api     *client.Client

	version trial.Version
	cards   []*invitation
	read    uint64        // sequence of the newest letter read
	epochs  trial.Context // that count the ledger's epochs
	table   table
	amend   time.Time // when the sponsor amends; zero: not planned
}

// invitation is a card, and what the clinic knows of who has it.
type invitation struct {
	code client.Code
	box  client.Box
	from string // in every letter of who has the card
	card client.Card
	leaf field.Leaf // enrolled with it; zero: it was not used
}

// clinicName and contact are what a card says.
const (
	clinicName    = "Demonstration clinic"
	clinicContact = "Demonstration clinic, room 1 (an example: nobody answers)"
)

// OpenStudy registers the open study, has it approved and opens it at one site.
// The site's keys are left in the directory "clinic", to be tried on the site's
// page.
func OpenStudy(ctx context.Context, c Config) (*Clinic, error) {
	s := &study{config: c, http: &http.Client{Timeout: 60 * time.Second}}
	s.api = client.New(c.URL, s.http)
	info, err := s.api.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	s.ledger = info.Ledger
	s.regulator = newParty(s, "Regulator", trial.Regulator, demonstration.Key("regulator"))
	s.sponsor = newParty(s, "Sponsor of the walking study (example)", trial.Sponsor, nil)
	s.ethics = newParty(s, "Ethics committee of the walking study (example)", trial.Ethics, nil)
	h := &Clinic{
		config: c, study: s, api: s.api, sponsor: s.sponsor, ethics: s.ethics, version: 1,
		epochs: trial.Context{Genesis: info.GenesisTime.UnixMilli(), Epoch: info.EpochSeconds},
	}
	for _, p := range []*party{s.sponsor, s.ethics} {
		if _, err := s.regulator.must(ctx, contract.DirectoryRegister, wire.Directory, p.register(country)); err != nil {
			return nil, err
		}
	}
	h.site = newSite(s, "walk")
	if err := s.enrolSite(ctx, h.site); err != nil {
		return nil, err
	}
	s.sites = []*site{h.site}
	if err := h.register(ctx); err != nil {
		return nil, err
	}
	if h.inbox, err = client.NewInbox(); err != nil {
		return nil, err
	}
	return h, h.keep()
}

func (h *Clinic) register(ctx context.Context) error {
	var unique tx.Key
	rand.Read(unique[:]) //nolint:errcheck // never fails (crypto/rand)
	h.study.trial = act.TrialID(h.study.ledger, h.sponsor.id, unique)
	p := walk(false)
	o, err := h.sponsor.send(ctx, contract.ProtocolRegister, wire.StreamID(h.study.trial), unique, protocol.Register{Protocol: p})
	if err := accepted("register the open study", o, err); err != nil {
		return err
	}
	h.study.versions = []trial.Protocol{p}
	return h.approveAndOpen(ctx)
}

func (h *Clinic) approveAndOpen(ctx context.Context) error {
	if err := h.study.approve(ctx, h.version); err != nil {
		return err
	}
	return h.study.open(ctx, h.version)
}

// Trial is the open study's name.
func (h *Clinic) Trial() trial.ID { return h.study.trial }

// keep leaves the keys of the clinic's two people where a visitor finds them.
func (h *Clinic) keep() error {
	dir := filepath.Join(h.config.Dir, "clinic")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, key := range map[string]ed25519.PrivateKey{
		"investigator.key": h.site.investigator.key, "second-person.key": h.site.second.key,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(hex.EncodeToString(key.Seed())+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Invite makes a card for one more participant and leaves its letter in the
// card's mailbox.
func (h *Clinic) Invite(ctx context.Context) (client.Code, error) {
	code := client.NewCode()
	i := &invitation{code: code, box: code.Box(), from: code.From(), card: client.Card{
		Type: "card", Ledger: h.study.ledger.String(), Trial: h.study.trial.String(), Site: h.site.site.String(), SiteName: clinicName,
		Investigator: h.site.investigator.id.String(), Version: uint32(h.version), Day: int64(trial.DayOf(h.config.Clock.Now())),
		Study: walkTitle, Contact: clinicContact, Inbox: h.inbox.Public(), Code: fmt.Sprintf("W-%04d", len(h.cards)+1),
	}}
	letter, err := code.Seal(i.card)
	if err != nil {
		return "", err
	}
	if err := h.api.Post(ctx, i.box, letter); err != nil {
		return "", err
	}
	h.cards = append(h.cards, i)
	return code, nil
}
