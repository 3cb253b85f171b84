package demo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/exchange/cdisc"
)

// atOnce is how many actors act at the same time: enough that one proves while
// another waits for its block, on a machine of two cores.
const atOnce = 4

// each runs fn for all at once, a few at a time.
func each[T any](ctx context.Context, all []T, fn func(context.Context, T) error) error {
	return eachOf(ctx, atOnce, all, fn)
}

func eachOf[T any](ctx context.Context, limit int, all []T, fn func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for _, x := range all {
		g.Go(func() error { return fn(ctx, x) })
	}
	return g.Wait()
}

// course walks through the days of the study. On each day everyone does what
// the data say they did, one kind of step after another, because a proof of
// membership is made against the leaves as they stand.
func (s *study) course(ctx context.Context, title string, from, until trial.Day) error {
	days := s.days(from, until)
	bar := s.config.Report.bar(len(days), title)
	defer bar.Finish() //nolint:errcheck // only the screen
	for _, day := range days {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.config.Clock.Jump(day)
		if err := s.day(ctx, day); err != nil {
			return fmt.Errorf("%v: %w", day, err)
		}
		bar.Add(1) //nolint:errcheck // only the screen
	}
	return nil
}

func (s *study) day(ctx context.Context, day trial.Day) error {
	v, floor := trial.Version(1), trial.Version(1)
	if len(s.versions) > 1 && day >= openingDay {
		v = 2
		if deadline := openingDay + trial.Day(s.versions[0].Terms.DeadlineDays); day > deadline {
			floor = 2
		}
	}
	if monthBegins(day) && slices.Contains(s.lookDays(), day) {
		if err := s.look(ctx, day-1); err != nil {
			return fmt.Errorf("look as of %v: %w", day-1, err)
		}
	}
	screening := func(p *participant) bool { return p.Screening == day }
	dosing := func(p *participant) bool { return p.FirstDose == day && p.in }
	for _, phase := range []struct {
		who func(*participant) bool
		do  func(context.Context, *participant) error
	}{
		{screening, func(ctx context.Context, p *participant) error { return s.enrol(ctx, p, v) }},
		{screening, func(ctx context.Context, p *participant) error { return s.consent(ctx, p, v) }},
		{dosing, s.screen},
		{dosing, func(ctx context.Context, p *participant) error { return s.randomise(ctx, p, v) }},
		{dosing, func(ctx context.Context, p *participant) error { return s.dose(ctx, p, floor) }},
		{
			func(p *participant) bool {
				return slices.ContainsFunc(p.events, func(e cdisc.AdverseEvent) bool { return received(&e) == day })
			},
			func(ctx context.Context, p *participant) error { return s.report(ctx, p, day) },
		},
		{func(p *participant) bool { return v == 2 && withdraws[p.USUBJID] == day && p.in }, s.withdraw},
		{
			func(p *participant) bool { return v == 2 && silent[p.USUBJID] == day && p.in },
			func(ctx context.Context, p *participant) error {
				if err := s.lapsed(ctx, p, day); err != nil {
					return err
				}
				return s.remove(ctx, p, trial.ByWord)
			},
		},
		{
			func(p *participant) bool { return p.EndOfParticipation == day && p.in },
			func(ctx context.Context, p *participant) error { return s.remove(ctx, p, trial.Ended) },
		},
	} {
		if err := each(ctx, s.who(phase.who), func(ctx context.Context, p *participant) error {
			if err := phase.do(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.USUBJID, err)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *study) who(is func(*participant) bool) (found []*participant) {
	for _, p := range s.people {
		if is(p) {
			found = append(found, p)
		}
	}
	return found
}

// tally is what the actors know happened, to be compared with the ledger.
type tally struct {
	mu                                                 sync.Mutex
	enrolled, randomised, ineligible, doses, withdrawn int
	reports                                            int
	consented                                          map[trial.Version]int
	removed                                            map[trial.Leaving]int
	refused                                            map[string]int
}

func (t *tally) add(change func(*tally)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.consented == nil {
		t.consented, t.removed, t.refused = map[trial.Version]int{}, map[trial.Leaving]int{}, map[string]int{}
	}
	change(t)
}

func (t *tally) copy() *tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &tally{
		reports: t.reports, enrolled: t.enrolled, randomised: t.randomised, ineligible: t.ineligible, doses: t.doses, withdrawn: t.withdrawn,
		consented: maps.Clone(t.consented), removed: maps.Clone(t.removed), refused: maps.Clone(t.refused),
	}
}

// since says in words what happened since an earlier copy.
func (t *tally) since(was *tally) string {
	now := t.copy()
	text := fmt.Sprintf("%d enrolled, %d randomised, %d first doses, %d ended",
		now.enrolled-was.enrolled, now.randomised-was.randomised, now.doses-was.doses, now.removed[trial.Ended]-was.removed[trial.Ended])
	if n := now.reports - was.reports; n > 0 {
		text += fmt.Sprintf(", %d adverse events", n)
	}
	if n := now.ineligible - was.ineligible; n > 0 {
		text += fmt.Sprintf("; %d could not prove the criteria", n)
	}
	if n := now.withdrawn - was.withdrawn; n > 0 {
		text += fmt.Sprintf("; %d withdrew by proof", n)
	}
	if n := now.refused["visit"] - was.refused["visit"]; n > 0 {
		text += fmt.Sprintf("; %d visits refused, %d removed by word", n, now.removed[trial.ByWord]-was.removed[trial.ByWord])
	}
	return text
}

// summary asks the node what the ledger says, and fails where the actors know
// better.
func (s *study) summary(ctx context.Context) (*Summary, error) {
	t := s.tally.copy()
	info, err := s.api.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	public, err := s.api.Trial(ctx, s.trial)
	if err != nil {
		return nil, err
	}
	proofs, proving := s.prover.busy.read()
	out := &Summary{
		Trial: s.trial.String(), Enrolled: public.Enrolled, Randomised: public.Randomised + public.Deviations,
		Ineligible: public.Deviations, Withdrawn: t.withdrawn, Doses: public.Doses,
		AdverseEvents: s.adverseEvents(), Queries: []string{}, Flags: []Flag{}, PackageCID: s.results.root.String(),
		Consented: map[string]int{"1": 0, "2": 0}, C9: map[string]string{}, Removed: map[string]int{}, Refused: t.refused,
		Transactions: info.Transactions, Blocks: info.Height,
		Proofs: proofs, Proving: round(proving.Seconds()), ProvingAlone: round(s.alone.Seconds()), Seconds: s.config.Report.took,
		api: s.api, id: s.trial,
	}
	if out.Refused == nil {
		out.Refused = map[string]int{}
	}
	for class, n := range t.removed {
		out.Removed[class.String()] = n
	}
	for _, v := range public.Versions {
		out.Consented[v.Version.String()] = int(v.Counters.Acts)
		out.C9[v.Version.String()] = v.Verdict
		if known := t.consented[v.Version]; known != int(v.Counters.Acts) {
			return nil, fmt.Errorf("version %v: participants hold %d receipts, the ledger counts %d", v.Version, known, v.Counters.Acts)
		}
	}
	for _, p := range s.people {
		if p.site != nil && len(p.site.receipts[p.USUBJID]) > 0 {
			out.FirstConsents++
		}
	}
	if err := s.published(ctx, out); err != nil {
		return nil, err
	}
	if out.Enrolled != t.enrolled || out.Randomised != t.randomised || out.Doses != t.doses {
		return nil, fmt.Errorf("the actors did %d enrolments, %d randomisations and %d doses; the ledger has %d, %d and %d",
			t.enrolled, t.randomised, t.doses, out.Enrolled, out.Randomised, out.Doses)
	}
	return out, nil
}

// published adds what the ledger and the board say of safety and results.
func (s *study) published(ctx context.Context, out *Summary) error {
	for _, q := range s.queries() {
		out.Queries = append(out.Queries, fmt.Sprintf("%s/%d %s", q.USUBJID, q.Seq, q.Rule))
	}
	names := map[string]string{}
	for _, a := range s.versions[0].Arms {
		names[a.ID] = a.Name
	}
	for _, f := range s.board.flags {
		out.Flags = append(out.Flags, Flag{
			Boundary: f.Boundary, Arm: names[f.Arm], Crossed: f.Crossed.String(), Look: s.board.looks[f.Look-1].opening.AsOf.String(),
			Events: f.Events, ExpectedMicro: f.ExpectedMicro,
		})
	}
	public, err := s.api.Safety(ctx, s.trial)
	if err != nil {
		return err
	}
	if len(public.Flags) != len(s.board.flags) {
		return fmt.Errorf("the board found %d flags, the opened looks show %d", len(s.board.flags), len(public.Flags))
	}
	r, err := s.api.Results(ctx, s.trial)
	if err != nil {
		return err
	}
	out.Label, out.Exceptions = r.Label, r.Exceptions
	return nil
}
