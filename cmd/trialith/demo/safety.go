package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/exchange/cdisc"
	"github.com/trialith/trialith/trial/safety"
	"github.com/trialith/trialith/trial/safety/board"
	"github.com/trialith/trialith/trial/safety/boundary"
	"github.com/trialith/trialith/trial/vault"
)

// severe is the boundary that the example registers. Its rate was taken from
// the placebo arm afterwards, and the demo says so.
const severe = "severe"

func severeBoundary() (trial.Boundary, error) {
	b, err := boundary.Make(4, 0.05, 1, 0)
	if err != nil {
		return b, err
	}
	b.ID, b.Name = severe, "Severe adverse events by arm"
	b.Scope = trial.ByArm
	b.Events = "treatment-emergent adverse events of severity SEVERE, by planned arm"
	b.RateEvents, b.RateDays = 6, 12820
	b.AnswerDays = 30
	return b, nil
}

// slug is the id of an arm by its name.
func slug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// monitoring is the data and safety monitoring board. Its statistician alone
// knows who is in which arm.
type monitoring struct {
	chair, member, statistician *party

	key      *board.Key
	boundary trial.Boundary
	arms     []string
	from     trial.Day // of the next look
	looks    []sealedLook
	before   []trial.ArmCount
	flags    []trial.Flag // at most one an arm, by look
}

// sealedLook is what the statistician keeps until the study is unblinded.
type sealedLook struct {
	number  uint32
	opening safety.Opening
	salt    [32]byte
}

func (s *study) newBoard() (*monitoring, error) {
	m := &monitoring{
		chair:        newParty(s, "Chair of the safety board", trial.DSMB, nil),
		member:       newParty(s, "Member of the safety board", trial.DSMB, nil),
		statistician: newParty(s, "Statistician of the safety board", trial.DSMB, nil),
		from:         approvalDay,
	}
	var seed [32]byte
	rand.Read(seed[:]) //nolint:errcheck // never fails (crypto/rand)
	var err error
	if m.key, err = board.NewKey(seed); err != nil {
		return nil, err
	}
	m.boundary, err = severeBoundary()
	return m, err
}

// adverse are the adverse events of one participant.
func (s *study) loadEvents(all []cdisc.AdverseEvent) {
	by := map[string]*participant{}
	for _, p := range s.people {
		by[p.USUBJID] = p
	}
	for _, e := range all {
		if p, ok := by[e.USUBJID]; ok {
			p.events = append(p.events, e)
		}
	}
}

// emergentSevere reports whether an event counts for the boundary.
func (p *participant) emergentSevere(e *cdisc.AdverseEvent) bool {
	return e.Severity == "SEVERE" && e.Emergent(p.FirstDose)
}

// received is the day on which the site collected an event.
func received(e *cdisc.AdverseEvent) trial.Day {
	day, _ := e.Received.Day()
	return day
}

// report enters the events collected on a day: details in the site's vault
// under the person's own data key, a commitment on the ledger, no arm.
func (s *study) report(ctx context.Context, p *participant, day trial.Day) error {
	var today []*cdisc.AdverseEvent
	var items []vault.Item
	for i := range p.events {
		e := &p.events[i]
		if received(e) != day {
			continue
		}
		today = append(today, e)
		items = append(items, vault.Item{
			Ref:     vault.Ref{Trial: s.trial, Person: p.USUBJID, Kind: "report", ID: fmt.Sprint(e.Seq)},
			Content: wire.Marshal([]any{e.USUBJID, e.Seq, e.Term, e.Decoded, e.BodySystem, e.Severity, e.Serious, e.Outcome, e.Causality, e.Start.String()}),
		})
	}
	records, err := s.vault.PutAll(items)
	if err != nil {
		return err
	}
	for i, e := range today {
		body := safety.Report{Site: p.site.site, Clock: clock(e), Received: day, Serious: e.Serious, Details: records[i].Commitment()}
		rand.Read(body.ID[:]) //nolint:errcheck // never fails (crypto/rand)
		if p.emergentSevere(e) {
			body.Boundaries = []string{severe}
		}
		if _, err := p.site.investigator.must(ctx, contract.SafetyReport, wire.StreamID(s.trial), body); err != nil {
			return err
		}
		s.tally.add(func(t *tally) { t.reports++ })
	}
	return nil
}

// clock is the reporting clock that an event starts. A death starts one whatever
// the site ticked: on the ledger a report with a clock that says "not serious"
// is a query.
func clock(e *cdisc.AdverseEvent) trial.Clock {
	switch {
	case e.Death || e.Outcome == "FATAL":
		return trial.SevenDays
	case e.Serious:
		return trial.FifteenDays
	default:
		return trial.NoClock
	}
}

// monthBegins reports whether a day follows a month end that the board looks at.
func monthBegins(day trial.Day) bool {
	return day > firstLookDay && time.UnixMilli(day.Start()).UTC().Day() == 1
}

// lookDays are the days on which the board looks back at a month: up to the
// first after everything has happened.
func (s *study) lookDays() (days []trial.Day) {
	last := firstLookDay
	for _, p := range s.people {
		last = max(last, p.EndOfParticipation, p.LastDose)
		for i := range p.events {
			last = max(last, received(&p.events[i]))
		}
	}
	for day := firstLookDay + 1; ; day++ {
		if !monthBegins(day) {
			continue
		}
		days = append(days, day)
		if day > last {
			return days
		}
	}
}

// look closes a month: each site tells its pooled exposure, the board looks at
// the arms, commits to what it saw, and decides.
func (s *study) look(ctx context.Context, asOf trial.Day) error {
	if err := each(ctx, s.sites, func(ctx context.Context, x *site) error { return s.exposure(ctx, x, asOf) }); err != nil {
		return err
	}
	m := s.board
	o := m.open(s.people, asOf)
	number := uint32(len(m.looks) + 1)
	after, found, err := safety.Evaluate(number, &o, m.before, []trial.Boundary{m.boundary})
	if err != nil {
		return err
	}
	sealed, err := board.Seal(m.key.Public(), board.Look{Ledger: s.ledger, Trial: s.trial, AsOf: asOf}, m.crossed(found))
	if err != nil {
		return err
	}
	x := sealedLook{number: number, opening: o}
	rand.Read(x.salt[:]) //nolint:errcheck // never fails (crypto/rand)
	body := safety.Look{AsOf: asOf, Board: o.Commit(x.salt), Sealed: sealed}
	if _, err := m.statistician.must(ctx, contract.SafetyLook, wire.StreamID(s.trial), body); err != nil {
		return err
	}
	m.looks, m.before, m.from = append(m.looks, x), after, asOf+1
	return s.decide(ctx, number, m.latch(found))
}

func (s *study) exposure(ctx context.Context, x *site, until trial.Day) error {
	var days uint64
	for _, p := range s.people {
		if p.site == x {
			days += uint64(max(0, int(min(p.LastDose, until)-p.FirstDose)+1))
		}
	}
	body := safety.Exposure{Site: x.site, Until: until, Days: days}
	_, err := x.investigator.must(ctx, contract.SafetyExposure, wire.StreamID(s.trial), body)
	return err
}

// open computes what the look commits to: each arm's exposure of each day, and
// the days on which events came to count.
func (m *monitoring) open(people []*participant, asOf trial.Day) safety.Opening {
	o := safety.Opening{From: m.from, AsOf: asOf}
	for _, arm := range m.arms {
		a := safety.ArmOpening{Arm: arm, Days: make([]uint32, asOf-m.from+1)}
		added := map[trial.Day]uint32{}
		for _, p := range people {
			if slug(p.Arm) != arm {
				continue
			}
			for day := max(p.FirstDose, m.from); day <= min(p.LastDose, asOf); day++ {
				a.Days[day-m.from]++
			}
			for i := range p.events {
				if day := received(&p.events[i]); p.emergentSevere(&p.events[i]) && day >= m.from && day <= asOf {
					added[day]++
				}
			}
		}
		changes := safety.ArmChanges{Boundary: severe}
		for day := m.from; day <= asOf; day++ {
			if n := added[day]; n > 0 {
				changes.Changes = append(changes.Changes, safety.DayChange{Day: day, Added: n})
			}
		}
		a.Events = []safety.ArmChanges{changes}
		o.Arms = append(o.Arms, a)
	}
	return o
}

func (m *monitoring) crossed(found []trial.Flag) (bits []bool) {
	for _, arm := range m.arms {
		bits = append(bits, slices.ContainsFunc(found, func(f trial.Flag) bool { return f.Arm == arm }))
	}
	return bits
}

// latch keeps the first flag of each arm, and returns those that are new.
func (m *monitoring) latch(found []trial.Flag) (fresh []trial.Flag) {
	for _, f := range found {
		if !slices.ContainsFunc(m.flags, func(g trial.Flag) bool { return g.Arm == f.Arm }) {
			m.flags, fresh = append(m.flags, f), append(fresh, f)
		}
	}
	return fresh
}

// decide answers what a look flagged, without naming an arm: at the first flag
// the board goes on and watches, at the second it asks for a modification
// (example).
func (s *study) decide(ctx context.Context, look uint32, fresh []trial.Flag) error {
	m := s.board
	for i := range fresh {
		body := safety.Decide{Look: look, Boundary: severe, Decision: trial.Continue, Reason: "Go on and watch. (Example.)"}
		if len(m.flags)-len(fresh)+i > 0 {
			body.Decision, body.Reason = trial.Modify, "Say more about severe skin reactions, dizziness and fainting. (Example.)"
		}
		if _, err := m.chair.must(ctx, contract.SafetyDecide, wire.StreamID(s.trial), body, m.member); err != nil {
			return err
		}
	}
	return nil
}

// asksForAmendment reports whether the board asked for a modification.
func (m *monitoring) asksForAmendment() bool { return len(m.flags) > 1 }

// openVault opens the sites' vault; its key lies beside it, not in it.
func openVault(dir string) (*vault.Vault, error) {
	return vault.Open(filepath.Join(dir, "vault"), filepath.Join(dir, "vault.key"))
}
