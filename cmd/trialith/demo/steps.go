package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
)

// country of the pilot study's sites.
const country = "US"

// enrolActors makes the directory: sponsor, ethics, and for each site in the
// data its key, an investigator and a second delegated person.
func (s *study) enrolActors(ctx context.Context) (string, error) {
	s.sponsor = newParty(s, "Sponsor of LZZT", trial.Sponsor, nil)
	s.ethics = newParty(s, "Ethics committee", trial.Ethics, nil)
	s.results = newResults(s)
	for _, p := range append(s.results.custodians(), s.sponsor, s.ethics, s.board.chair, s.board.member, s.board.statistician) {
		if _, err := s.regulator.must(ctx, contract.DirectoryRegister, wire.Directory, p.register(country)); err != nil {
			return "", err
		}
	}
	all, err := pilot.Participants()
	if err != nil {
		return "", err
	}
	for _, x := range pilot.Sites(all) {
		s.sites = append(s.sites, newSite(s, x.ID))
	}
	err = each(ctx, s.sites, func(ctx context.Context, x *site) error { return s.enrolSite(ctx, x) })
	if err != nil {
		return "", err
	}
	for _, p := range s.people {
		for _, x := range s.sites {
			if x.label == p.SiteID {
				p.site = x
			}
		}
	}
	return fmt.Sprintf("sponsor, ethics, regulator, safety board, 2 custodians, %d sites with an investigator each", len(s.sites)), nil
}

func newSite(s *study, label string) *site {
	x := &site{party: newParty(s, "Site "+label, trial.Site, nil), label: label, receipts: map[string][]trial.Version{}}
	x.site = trial.SiteID(x.id)
	x.investigator = newParty(s, "Investigator at "+label, trial.Investigator, nil)
	x.second = newParty(s, "Sub-investigator at "+label, trial.Investigator, nil)
	return x
}

func (s *study) enrolSite(ctx context.Context, x *site) error {
	if _, err := s.sponsor.must(ctx, contract.DirectoryRegister, wire.Directory, x.register(country), s.ethics); err != nil {
		return err
	}
	today := trial.DayOf(s.config.Clock.Now())
	for _, d := range []struct {
		person *party
		tasks  []trial.Task
	}{
		{x.investigator, []trial.Task{trial.Enrolling, trial.Recording}},
		{x.second, []trial.Task{trial.Countersigning}},
	} {
		if _, err := x.must(ctx, contract.DirectoryRegister, wire.Directory, d.person.register(country)); err != nil {
			return err
		}
		body := directory.Delegate{Person: d.person.id, Tasks: d.tasks, From: today}
		if _, err := x.must(ctx, contract.DirectoryDelegate, wire.Directory, body); err != nil {
			return err
		}
	}
	return nil
}

// register registers version 1. The lint's warnings are printed, not hidden:
// placeholders stand as they are.
func (s *study) register(ctx context.Context) (string, error) {
	p, lints, err := register()
	if err != nil {
		return "", err
	}
	for _, l := range lints {
		fmt.Fprintf(s.config.Report.Err, "       lint: %v\n", l)
	}
	var unique tx.Key
	rand.Read(unique[:]) //nolint:errcheck // never fails (crypto/rand)
	s.trial = act.TrialID(s.ledger, s.sponsor.id, unique)
	o, err := s.sponsor.send(ctx, contract.ProtocolRegister, wire.StreamID(s.trial), unique, protocol.Register{Protocol: p})
	if err != nil {
		return "", err
	}
	if !o.Accepted() {
		return "", fmt.Errorf("refused (%d): %s", o.Code, o.Refusal)
	}
	s.versions = []trial.Protocol{p}
	for _, a := range p.Arms {
		s.board.arms = append(s.board.arms, a.ID)
	}
	slices.Sort(s.board.arms)
	if _, err := s.sponsor.must(ctx, contract.ProtocolLockPlan, wire.StreamID(s.trial), protocol.LockPlan{Document: analysisPlanDigest()}); err != nil {
		return "", err
	}
	if err := s.appointBoard(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d outcomes, %d arms, %d visits, %d phases; %d lint findings", len(p.Outcomes), len(p.Arms), len(p.Visits), len(p.Phases), len(lints)), nil
}

// appointBoard names the members of the trial's own board; ethics cosigns.
func (s *study) appointBoard(ctx context.Context) error {
	var body protocol.Appoint
	for _, p := range []*party{s.board.chair, s.board.member, s.board.statistician} {
		body.Board = append(body.Board, p.id)
	}
	slices.SortFunc(body.Board, func(a, b trial.ActorID) int { return slices.Compare(a[:], b[:]) })
	_, err := s.sponsor.must(ctx, contract.ProtocolAppoint, wire.StreamID(s.trial), body, s.ethics)
	return err
}

func (s *study) openFirst(ctx context.Context) (string, error) {
	s.config.Clock.Jump(approvalDay)
	if err := s.approve(ctx, 1); err != nil {
		return "", err
	}
	return fmt.Sprintf("version 1 open at %d sites", len(s.sites)), s.open(ctx, 1)
}

func (s *study) approve(ctx context.Context, v trial.Version) error {
	for _, f := range s.versions[v-1].Forms {
		body := protocol.Approve{Version: v, Form: f.ID, Approved: true}
		if _, err := s.ethics.must(ctx, contract.ProtocolApprove, wire.StreamID(s.trial), body); err != nil {
			return err
		}
	}
	return nil
}

func (s *study) open(ctx context.Context, v trial.Version) error {
	return each(ctx, s.sites, func(ctx context.Context, x *site) error {
		body := protocol.Open{Version: v, Site: x.site}
		_, err := s.sponsor.must(ctx, contract.ProtocolOpen, wire.StreamID(s.trial), body, x.party)
		return err
	})
}

func (s *study) beforeAmendment(ctx context.Context) (string, error) {
	before := s.tally.copy()
	if err := s.course(ctx, "until version 2", 0, amendmentDay); err != nil {
		return "", err
	}
	return s.tally.since(before), nil
}

// amendment changes the risks, while the study goes on. Whom it affects is
// derived from the change.
func (s *study) amendment(ctx context.Context) (string, error) {
	if !s.board.asksForAmendment() {
		return "the board asked for none: version 2 does not open", nil
	}
	p := amend(s.versions[0])
	s.config.Clock.Jump(amendmentDay)
	body := protocol.Amend{Version: 2, Protocol: p, Reason: exampleReason, Effective: openingDay}
	if _, err := s.sponsor.must(ctx, contract.ProtocolAmend, wire.StreamID(s.trial), body); err != nil {
		return "", err
	}
	s.versions = append(s.versions, p)
	if err := s.course(ctx, "until version 2", amendmentDay, amendmentApprovalDay); err != nil {
		return "", err
	}
	s.config.Clock.Jump(amendmentApprovalDay)
	if err := s.approve(ctx, 2); err != nil {
		return "", err
	}
	if err := s.course(ctx, "until version 2", amendmentApprovalDay, openingDay); err != nil {
		return "", err
	}
	s.config.Clock.Jump(openingDay)
	if err := s.open(ctx, 2); err != nil {
		return "", err
	}
	deadline := openingDay + trial.Day(p.Terms.DeadlineDays)
	return fmt.Sprintf("opens %v at %d sites, deadline %v", openingDay, len(s.sites), deadline), nil
}

// reconsent lets everyone in the study answer in the first epoch, but the
// three whose course the example uses.
func (s *study) reconsent(ctx context.Context) (string, error) {
	if len(s.versions) < 2 {
		return "nobody is asked again", nil
	}
	var asked []*participant
	owing, silent := 0, 0
	for _, p := range s.people {
		if !p.in {
			continue
		}
		owing++
		if len(p.special()) > 0 {
			silent++
			continue
		}
		asked = append(asked, p)
	}
	bar := s.config.Report.bar(len(asked), "re-consent")
	defer bar.Finish() //nolint:errcheck // only the screen
	err := each(ctx, asked, func(ctx context.Context, p *participant) error {
		defer bar.Add(1) //nolint:errcheck // only the screen
		return s.consent(ctx, p, 2)
	})
	return fmt.Sprintf("%d owe it, %d consent, %d do not (example)", owing, len(asked), silent), err
}

func (s *study) afterAmendment(ctx context.Context) (string, error) {
	before := s.tally.copy()
	from := amendmentDay
	if len(s.versions) > 1 {
		from = openingDay
	}
	if err := s.course(ctx, "to the end", from, 1<<30); err != nil {
		return "", err
	}
	return s.tally.since(before), nil
}
