package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/registry/analysis"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/dataset/rows"
	"github.com/trialith/trialith/trial/exchange/cdisc"
	"github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
	"github.com/trialith/trialith/trial/safety"
	"github.com/trialith/trialith/trial/vault"
)

// datasets are the tables whose rows are committed.
var datasets = []string{"adsl", "ae", "dm", "ex"}

// The outcomes that the data can report, as the published definition names them.
const (
	outcomeCIBICPrimary   = "END2"
	outcomeAdverseEvents  = "END3"
	outcomeCIBICSecondary = "END7"
)

const (
	examplePlan = `# Statistical analysis plan (example)

Adverse events: those that started on or after the first dose, counted by planned arm.

CIBIC+: number and mean at weeks 8, 16 and 24 by planned arm, efficacy population, last observation carried forward; observed values beside it.
`
	scoreTable = "cibic"
	scoresPath = "tables/" + scoreTable
	eventsPath = "tables/adverse-events-by-arm"
)

func analysisPlanDigest() trial.Digest { return sha256.Sum256([]byte(examplePlan)) }

// results is what the sponsor and the custodians do with the data.
type results struct {
	keepers [2]*custodian
	day     trial.Day // the data cut
	car     []byte
	root    trial.CID
}

func newResults(s *study) *results {
	r := &results{}
	for i, name := range []string{"University library", "Patients' association"} {
		r.keepers[i] = &custodian{party: newParty(s, name, trial.Custodian, nil)}
	}
	return r
}

func (r *results) custodians() []*party { return []*party{r.keepers[0].party, r.keepers[1].party} }

// lockData ends the trial's phases, commits to the rows of the data, locks them,
// and only then has the board release who was in which arm.
func (s *study) lockData(ctx context.Context) (string, error) {
	s.results.day = trial.DayOf(s.config.Clock.Now())
	stream := wire.StreamID(s.trial)
	for _, p := range s.versions[len(s.versions)-1].Phases {
		body := protocol.CompletePhase{Phase: p.ID, Day: s.results.day}
		if _, err := s.sponsor.must(ctx, contract.ProtocolCompletePhase, stream, body); err != nil {
			return "", err
		}
	}
	count := uint64(0)
	for _, name := range datasets {
		n, err := s.commitRows(ctx, name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		count += n
	}
	if _, err := s.sponsor.must(ctx, contract.DatasetLock, stream, dataset.Lock{Names: datasets, Cut: s.results.day}); err != nil {
		return "", err
	}
	var salt [32]byte
	rand.Read(salt[:]) //nolint:errcheck // never fails (crypto/rand)
	body := dataset.Unblind{Allocation: act.Commit("allocation", salt, s.allocation())}
	if _, err := s.board.chair.must(ctx, contract.DatasetUnblind, stream, body, s.board.member); err != nil {
		return "", err
	}
	text := fmt.Sprintf("%d rows of %s", count, strings.Join(datasets, ", "))
	if n := len(s.queries()); n > 0 {
		text += fmt.Sprintf("; %d queries: fatal, not marked serious", n)
	}
	return text, nil
}

// allocation is the list of who was in which planned arm.
func (s *study) allocation() []byte {
	var list [][2]string
	for _, p := range s.people {
		list = append(list, [2]string{p.USUBJID, p.Arm})
	}
	return wire.Marshal(list)
}

// commitRows commits to one table; its secret goes to the vault.
func (s *study) commitRows(ctx context.Context, name string) (uint64, error) {
	all, err := pilot.Table(name)
	if err != nil {
		return 0, err
	}
	table, err := rows.Read(name, bytes.NewReader(s.only(all).CSV()))
	if err != nil {
		return 0, err
	}
	var secret rows.Secret
	rand.Read(secret[:]) //nolint:errcheck // never fails (crypto/rand)
	if _, err := s.vault.Put(vault.Ref{Trial: s.trial, Person: "study", Kind: "dataset secret", ID: name}, secret[:]); err != nil {
		return 0, err
	}
	tree, err := rows.Build(table, secret)
	if err != nil {
		return 0, err
	}
	file, _, err := tree.File()
	if err != nil {
		return 0, err
	}
	body := dataset.Commit{
		Name: name, Root: tree.Root(), Rows: tree.Rows(), Subjects: table.Subjects(), Columns: table.Columns, File: file, Cut: s.results.day,
	}
	_, err = s.sponsor.must(ctx, contract.DatasetCommit, wire.StreamID(s.trial), body)
	return tree.Rows(), err
}

// only keeps the rows of the people in this run.
func (s *study) only(t *pilot.Rows) *pilot.Rows {
	here := map[string]bool{}
	for _, p := range s.people {
		here[p.USUBJID] = true
	}
	kept := &pilot.Rows{Name: t.Name, Columns: t.Columns}
	at := 0
	for i, c := range t.Columns {
		if c == rows.Subject {
			at = i
		}
	}
	for _, r := range t.Cells {
		if here[r[at]] {
			kept.Cells = append(kept.Cells, r)
		}
	}
	return kept
}

// openLooks publishes what each look committed to. The contract recomputes
// every flag and checks that the arms add up to the pooled counts.
func (s *study) openLooks(ctx context.Context) (string, error) {
	for _, x := range s.board.looks {
		body := safety.OpenLook{Look: x.number, Opening: x.opening, Salt: x.salt}
		if _, err := s.board.statistician.must(ctx, contract.SafetyOpenLook, wire.StreamID(s.trial), body); err != nil {
			return "", err
		}
	}
	var words []string
	for _, f := range s.board.flags {
		words = append(words, fmt.Sprintf("%s crossed %v", f.Arm, f.Crossed))
	}
	if len(words) == 0 {
		words = []string{"no flag"}
	}
	return fmt.Sprintf("%d looks; %s", len(s.board.looks), strings.Join(words, "; ")), nil
}

// stage makes the data cut and the package, names it on the ledger, and hands
// its bytes to two custodians of other organisations, who check them.
func (s *study) stage(ctx context.Context) (string, error) {
	stream := wire.StreamID(s.trial)
	if _, err := s.sponsor.must(ctx, contract.PublicationCut, stream, publication.Cut{AsOf: s.results.day}); err != nil {
		return "", err
	}
	in, err := s.input()
	if err != nil {
		return "", err
	}
	pack, err := registry.Build(in)
	if err != nil {
		return "", err
	}
	if s.results.car, s.results.root, err = registry.CAR(pack.Files); err != nil {
		return "", err
	}
	contents, err := registry.Read(pack.Files)
	if err != nil {
		return "", err
	}
	body := publication.Stage{Package: s.results.root, Manifest: contents.Manifest, Outcomes: contents.Reported, Cut: 1}
	if _, err := s.sponsor.must(ctx, contract.PublicationStage, stream, body); err != nil {
		return "", err
	}
	for _, k := range s.results.keepers {
		if err := k.receive(ctx, s); err != nil {
			return "", fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return fmt.Sprintf("%d files, %.0f kB, %v", len(pack.Files), float64(len(s.results.car))/1000, s.results.root), nil
}

// input computes the package from the unblinded data.
func (s *study) input() (registry.Input, error) {
	in := registry.Input{
		Ledger: s.ledger, Trial: s.trial, Version: trial.Version(len(s.versions)), Protocol: s.versions[len(s.versions)-1],
		Cut: s.results.day, Staged: s.results.day, AnalysisPlan: examplePlan,
		License: registry.License{URL: "https://opensource.org/license/mit", Name: "MIT License"},
	}
	var names []string
	for _, a := range in.Protocol.Arms {
		n := 0
		for _, p := range s.people {
			if p.Arm == a.Name {
				n++
			}
		}
		names = append(names, a.Name)
		in.Arms = append(in.Arms, registry.Arm{Name: a.Name, Participants: n})
	}
	in.Events = s.eventTable(names)
	scores, err := s.scores()
	if err != nil {
		return in, err
	}
	week24 := analysis.Scores([]int{24}, names, scores)
	all := analysis.Scores([]int{8, 16, 24}, names, scores)
	in.Scores = []registry.ScoreTable{{ID: scoreTable, Title: "CIBIC+ by week and planned arm", Cells: all}}
	for _, o := range in.Protocol.Outcomes {
		r := registry.Reported{Reported: outcome.Reported{ID: o.ID, Level: o.Level, Name: o.Name, Timepoint: o.Timepoint}}
		switch o.ID {
		case outcomeAdverseEvents:
			r.N, r.Table = uint32(len(s.people)), eventsPath
		case outcomeCIBICPrimary:
			r.N, r.Table = analysed(week24), scoresPath
		case outcomeCIBICSecondary:
			r.N, r.Table = analysed(analysis.Scores([]int{8}, names, scores)), scoresPath
		default:
			continue // missing, which is the truth
		}
		in.Reported = append(in.Reported, r)
	}
	in.Summary = summary(in.Arms, in.Events, week24)
	return in, nil
}

func analysed(cells []analysis.ScoreCell) (n uint32) {
	for _, c := range cells {
		n += uint32(c.All.N)
	}
	return n
}

func (s *study) eventTable(arms []string) analysis.Events {
	var subjects []analysis.Subject
	var events []analysis.Event
	for _, p := range s.people {
		subjects = append(subjects, analysis.Subject{ID: p.USUBJID, Arm: p.Arm, Start: p.FirstDose.String()})
		for i := range p.events {
			e := &p.events[i]
			events = append(events, analysis.Event{
				Subject: e.USUBJID, Start: e.Start.String(), System: e.BodySystem, Severity: e.Severity,
				Serious: e.Serious, Fatal: e.Death || e.Outcome == "FATAL",
			})
		}
	}
	return analysis.EventsByArm(arms, subjects, events)
}

func (s *study) scores() ([]analysis.Score, error) {
	all, err := pilot.CIBIC()
	if err != nil {
		return nil, err
	}
	here := map[string]bool{}
	for _, p := range s.people {
		here[p.USUBJID] = true
	}
	var out []analysis.Score
	for _, x := range all {
		if !here[x.USUBJID] {
			continue
		}
		week, err := strconv.Atoi(strings.TrimPrefix(x.Visit, "Week "))
		if err != nil {
			return nil, fmt.Errorf("adqscibc: AVISIT %q is no week", x.Visit)
		}
		out = append(out, analysis.Score{
			Subject: x.USUBJID, Arm: x.Treatment, Week: week, Value: int64(x.Value), Analysed: x.Analysed && x.Efficacy, Carried: x.Carried,
		})
	}
	return out, nil
}

// summary tells in plain words what was found, with the numbers of this run.
func summary(arms []registry.Arm, events analysis.Events, week24 []analysis.ScoreCell) string {
	var b strings.Builder
	b.WriteString("# What this trial found (example text, numbers computed from the data)\n\n")
	for i, a := range arms {
		fmt.Fprintf(&b, "- %s: %d people; %d had at least one side effect after the first dose.", a.Name, a.Participants, events.Arms[i].Any.Participants)
		if mean := week24[i].All.String(); mean != "" {
			fmt.Fprintf(&b, " The doctors' impression after 24 weeks was %s on average (4 means no change, lower is better).", mean)
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThe tests of memory, vital signs and laboratory results that were planned are not in this report.\n")
	return b.String()
}

// release makes the package the trial's results on the sponsor's demand, and a
// custodian gives its bytes to the registry, which takes only what is released.
func (s *study) release(ctx context.Context) (string, error) {
	if _, err := s.sponsor.must(ctx, contract.PublicationRelease, wire.StreamID(s.trial), publication.Release{Stage: 1}); err != nil {
		return "", err
	}
	root, err := s.results.keepers[0].api.Deliver(ctx, s.trial, s.results.keepers[0].car)
	if err != nil {
		return "", err
	}
	if root != s.results.root {
		return "", errors.New("the registry names another package than the ledger")
	}
	r, err := s.api.Results(ctx, s.trial)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d exceptions", r.Label, len(r.Exceptions)), nil
}

// adverseEvents sums what the run entered.
func (s *study) adverseEvents() AdverseEvents {
	out := AdverseEvents{ByArm: map[string]int{}}
	for _, p := range s.people {
		for i := range p.events {
			e := &p.events[i]
			out.Total++
			if e.Serious {
				out.Serious++
			}
			if e.Severity == "SEVERE" {
				out.Severe++
			}
			if e.Emergent(p.FirstDose) {
				out.ByArm[p.Arm]++
			}
		}
	}
	return out
}

// queries are the contradictions in the adverse events of this run.
func (s *study) queries() []cdisc.Query {
	var all []cdisc.AdverseEvent
	for _, p := range s.people {
		all = append(all, p.events...)
	}
	return cdisc.Queries(all)
}
