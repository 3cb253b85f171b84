package evidence

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/event"
	outcomes "github.com/trialith/trialith/trial/outcome"
)

// The checks of the results: the label, the gate and the outcome comparison.

// results is what the history tells of outcomes, data, looks and releases.
type results struct {
	versions []outcomes.Version
	// definitions are the SHA-256 of what each version registered.
	definitions []trial.Digest
	effective   map[trial.Version]trial.Day
	seen        outcomes.Seen
	told        outcomes.Moment // what was seen up to here
	cuts        []int64         // when each data cut was made, in the order of their numbers
	staged      map[uint32]event.Staged
	release     *event.Released // the newest
	entry       string          // of the release
	// comparison is made here, from the events up to the release.
	comparison outcomes.Comparison

	datasets map[string]bool // whether locked as committed last
	looks    looks
}

func (r *results) read(at *engine.Entry, e event.Event) {
	r.looks.read(at, e)
	switch e := e.(type) {
	case event.Registered:
		r.version(at, 1, trial.DayOf(at.Time), &e.Protocol)
	case event.Amended:
		r.version(at, e.Version, e.Effect, &e.Protocol)
		r.told.Time = at.Time
		r.seen.Moments = append(r.seen.Moments, r.told)
	case event.SiteOpened:
		r.inForce(e)
	case event.Enrolled:
		if r.seen.Enrolled == 0 {
			r.seen.Enrolled = at.Time
		}
	case event.Looked:
		r.saw(at.Time, func(m *outcomes.Moment) { m.Looks++ })
	case event.CutMade:
		r.cuts = append(r.cuts, at.Time)
		r.saw(at.Time, func(m *outcomes.Moment) { m.Cuts++ })
	case event.Unblinded:
		r.seen.Unblinded = at.Time
	case event.UnblindedOne:
		r.saw(at.Time, func(m *outcomes.Moment) { m.Single++ })
	case event.DatasetCommitted:
		if r.datasets == nil {
			r.datasets, r.seen.Data = map[string]bool{}, at.Time
		}
		r.datasets[e.Name] = false
	case event.DatasetLocked:
		for _, name := range e.Names {
			r.datasets[name] = true
		}
	case event.Staged:
		if r.staged == nil {
			r.staged = map[uint32]event.Staged{}
		}
		r.staged[e.Number] = e
	case event.Released:
		r.release, r.entry = &e, at.Name()
		r.comparison = r.compare(e)
	default:
	}
}

// saw counts what was seen of the data, for a version of the same moment too.
func (r *results) saw(now int64, count func(*outcomes.Moment)) {
	count(&r.told)
	for i := range r.seen.Moments {
		if r.seen.Moments[i].Time == now {
			count(&r.seen.Moments[i])
		}
	}
}

// compare holds what a release reports against the versions, as of its data cut.
func (r *results) compare(e event.Released) outcomes.Comparison {
	seen := r.seen
	if n := int(e.Cut); n > 0 && n <= len(r.cuts) {
		seen.Cut = r.cuts[n-1]
	}
	return outcomes.Compare(r.versions, seen, r.staged[e.Stage].Outcomes)
}

func (r *results) version(at *engine.Entry, n trial.Version, effective trial.Day, p *trial.Protocol) {
	if r.effective == nil {
		r.effective = map[trial.Version]trial.Day{}
	}
	r.effective[n] = effective
	r.definitions = append(r.definitions, sha256.Sum256(wire.Marshal(*p)))
	r.versions = append(r.versions, outcomes.Version{Number: n, Registered: at.Time, Open: p.OpenLabel(), Outcomes: p.Outcomes})
}

func (r *results) inForce(e event.SiteOpened) {
	i := slices.IndexFunc(r.versions, func(v outcomes.Version) bool { return v.Number == e.Version })
	if i < 0 {
		return
	}
	from := max(e.Time, r.effective[e.Version].Start())
	if v := &r.versions[i]; v.InForce == 0 || from < v.InForce {
		v.InForce = from
	}
}

// milestone notes the moments that the trial's credibility rests on.
func (h *history) milestone(at *engine.Entry, e event.Event) {
	name := ""
	switch e := e.(type) {
	case event.Registered:
		name = "registered"
	case event.Enrolled:
		if h.enrolments == 0 {
			name = "first enrolment"
		}
	case event.SiteOpened:
		name = fmt.Sprintf("version %v opened at site %v", e.Version, e.Site)
	case event.PlanLocked:
		name = "analysis plan locked"
	case event.DatasetLocked:
		name = "data locked up to " + e.Cut.String()
	case event.Unblinded:
		name = "unblinded"
	case event.Released:
		name = "results released"
	default:
	}
	if name != "" {
		h.milestones = append(h.milestones, Milestone{Name: name, Time: instant(at.Time), Entry: at.Name(), height: at.Height, time: at.Time})
	}
}

// asOf is the time of the last header.
func (v *verification) asOf() int64 { return v.headers[len(v.headers)-1].Time }

// label is the contract's word on the results, as of the last header.
func (v *verification) label() {
	if v.replayed == nil {
		return
	}
	l := contract.Label(v.replayed.TrialState, v.asOf())
	v.report.Label, v.report.Marks, v.report.Exceptions = l.Word, l.Marks, l.Exceptions
}

// verdictOnResults is the label in the sentence.
func (v *verification) verdictOnResults() string {
	words := "results " + strings.Join(append([]string{v.report.Label}, v.report.Marks...), ", ")
	switch n := len(v.report.Exceptions); n {
	case 0:
		return words
	case 1:
		return words + " (1 exception)"
	default:
		return fmt.Sprintf("%s (%d exceptions)", words, n)
	}
}

// results holds what the release says against what the replay and the verifier
// find themselves.
func (v *verification) results() {
	h, o := v.told()
	if h == nil {
		for _, id := range []string{checkPackage, checkOutcomes, checkLooks, checkData} {
			v.add(id, o)
		}
		return
	}
	t := &h.results
	v.add(checkPackage, v.carried(t))
	v.add(checkOutcomes, t.compared())
	v.gate(t)
	v.add(checkLooks, t.looked())
	v.add(checkData, t.data())
}

// compared holds the outcome comparison that the verifier made against the one
// that was released.
func (r *results) compared() outcome {
	if r.release == nil {
		return skipped("no results are released; %d outcomes are registered", r.registered())
	}
	c := &r.comparison
	if !bytes.Equal(wire.Marshal(c), wire.Marshal(&r.release.Comparison)) {
		return failed(r.entry, "the released comparison of outcomes is not the one that the registered versions and the report give")
	}
	n := c.Counts()
	words := fmt.Sprintf("against version %v: %d reported as registered, %d changed, %d missing, %d added, %d withdrawn by amendment",
		c.Version, n[outcomes.AsRegistered], n[outcomes.Changed], n[outcomes.Missing], n[outcomes.Added], n[outcomes.Withdrawn])
	if slices.ContainsFunc(c.Lines, func(l outcomes.Line) bool { return l.Deviation() != "" }) {
		return except(r.entry, "%s", words)
	}
	return passed("%s", words)
}

func (r *results) registered() int {
	if len(r.versions) == 0 {
		return 0
	}
	return len(r.versions[len(r.versions)-1].Outcomes)
}

// gate adds one check for each id of the gate at the release. The replay has
// evaluated each again: an event that says otherwise diverges there.
func (v *verification) gate(r *results) {
	if r.release == nil {
		return
	}
	var ids []string
	details, fails := map[string][]string{}, map[string]bool{}
	for _, c := range r.release.Checks {
		if !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
		}
		details[c.ID] = append(details[c.ID], c.Detail)
		fails[c.ID] = fails[c.ID] || !c.Holds
	}
	for _, id := range ids {
		o := passed("%s", strings.Join(details[id], "; "))
		if fails[id] {
			o = except(r.entry, "%s", strings.Join(details[id], "; "))
		}
		v.add(checkGate+id, o)
	}
}

func (r *results) looked() outcome { return r.looks.verdict(r.seen.Unblinded != 0) }

// data: no row is meant to be in a file. What a file can show is that each
// dataset was fixed, row by row, before anybody knew the allocation; the gate
// says when.
func (r *results) data() outcome {
	if len(r.datasets) == 0 {
		return skipped("no data are committed")
	}
	for _, name := range slices.Sorted(maps.Keys(r.datasets)) {
		if !r.datasets[name] {
			return skipped("%d datasets are committed by the roots of their rows; %q is not locked yet", len(r.datasets), name)
		}
	}
	return passed("%d datasets are committed by the roots of their rows, and locked; no row is in this file: one that is shown is checked by \"trialith data verify\"", len(r.datasets))
}
