package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
	"github.com/trialith/trialith/trial/safety"
)

// asked answers what publication asks of the other rooms, over a trial's state
// alone: no key, no directory, so that a reader of the state can ask the same.
type asked struct{ state.View }

// published is what the rules of publication write to.
type published struct {
	state.Store
	asked
	world *world
}

var (
	_ publication.Questions = asked{}
	_ publication.State     = published{}
)

func asPublication(w *world) publication.State {
	return published{Store: w.Store, asked: asked{w.Store}, world: w}
}

func (p published) Delegated(site trial.SiteID, person trial.ActorID, task trial.Task, now int64) bool {
	return p.world.Delegated(site, person, task, now)
}

func (p published) Approved(v trial.Version, site trial.SiteID) bool {
	version, _ := protocol.Get(p.Store, v)
	return slices.ContainsFunc(version.Protocol.Forms, func(f trial.Form) bool {
		return protocol.Approved(p.Store, v, f.ID, site)
	})
}

func (a asked) Sponsor() (trial.ActorID, bool) { return protocol.Sponsor(a) }

func (a asked) Versions() (out []publication.Version) {
	for n := trial.Version(1); n <= protocol.Latest(a); n++ {
		v, _ := protocol.Get(a, n)
		out = append(out, publication.Version{
			Number: n, Registered: v.Registered, InForce: reconsent.InForce(a, n), Protocol: &v.Protocol,
		})
	}
	return out
}

func (a asked) Consents(now int64) (out []publication.Consent) {
	for _, s := range Standings(a, now) {
		out = append(out, publication.Consent{
			Version: s.Version, Verdict: s.Verdict.String(),
			Holds:  s.Verdict.Word != reconsent.Incomplete && s.Verdict.Word != reconsent.Fault,
			NotDue: s.Verdict.Word == reconsent.NotDue,
			// Who owes and is none of those with time left may be overdue.
			Overdue: min(s.Verdict.K, s.Counters.Owed-min(s.Counters.Owed, s.NotDue)),
		})
	}
	return out
}

func (a asked) Completed() (out []publication.Completed) {
	for _, p := range protocol.CompletedPhases(a) {
		out = append(out, publication.Completed{Phase: p.ID, Day: p.Day})
	}
	return out
}

func (a asked) PlanLocked() int64 { return protocol.FirstPlan(a) }

func (a asked) Data(cut trial.Day) publication.Data {
	d := publication.Data{Datasets: len(dataset.Names(a)), Unlocked: dataset.UnlockedBeforeUnblinding(a, cut)}
	d.First, _ = dataset.FirstCommitted(a)
	d.Unblinded, _ = dataset.Unblinded(a)
	for _, r := range dataset.Datasets(a) {
		if r.Cut <= cut {
			d.Subjects = max(d.Subjects, r.Subjects)
		} else {
			d.Beyond = append(d.Beyond, fmt.Sprintf("%s up to %v", r.Name, r.Cut))
		}
	}
	return d
}

func (a asked) Safety(now int64) publication.Safety {
	x := publication.Safety{Registered: safety.LateBoundaries(a), Looks: len(safety.Looks(a)), Reports: len(safety.Reports(a))}
	for _, l := range safety.Sealed(a) {
		x.Unopened = append(x.Unopened, fmt.Sprintf("look %d of %v", l.Number, l.AsOf))
	}
	for _, f := range safety.Unanswered(a, now) {
		x.Unanswered = append(x.Unanswered, fmt.Sprintf("%s crossed on %v not answered in time", strings.TrimSpace(f.Boundary+" "+f.Arm), f.Crossed))
	}
	for _, r := range safety.LateReports(a) {
		x.Late = append(x.Late, fmt.Sprintf("report %v received %v", r.ID, r.Received))
	}
	return x
}

// Gate lists every check between the newest results of the trial whose state v
// is and VERIFIED, at a time in milliseconds since 1970 UTC: what each found, and
// who can mend it.
func Gate(v state.View, now int64) []trial.Check { return publication.Missing(asked{v}, now) }

// Label is the word on the results of the trial whose state v is, at a time in
// milliseconds since 1970 UTC.
func Label(v state.View, now int64) trial.Label { return publication.Label(asked{v}, now) }
