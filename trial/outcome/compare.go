package outcome

import (
	"slices"

	"github.com/trialith/trialith/trial"
)

// Compare holds reported outcomes against the registered ones. versions ascend
// by number; the first is version 1.
func Compare(versions []Version, seen Seen, reported []Reported) Comparison {
	if len(versions) == 0 {
		return Comparison{}
	}
	m := &matcher{versions: versions, seen: seen, reported: reported, base: inForce(versions, known(versions, seen))}
	c := Comparison{Version: m.base.Number, Blind: seen.Unblinded == 0}
	places := m.match()
	taken := make([]bool, len(reported))
	for i := range m.base.Outcomes {
		if places[i] >= 0 {
			taken[places[i]] = true
		}
		c.Lines = append(c.Lines, m.registered(&m.base.Outcomes[i], places[i]))
	}
	for j := range reported {
		if !taken[j] {
			c.Lines = append(c.Lines, m.added(j))
		}
	}
	c.Lines = append(c.Lines, m.withdrawn()...)
	return c
}

// known is the moment from which data may be known by arm: the earliest of
// unblinding, the data cut and, where the label is open, the first data; 0: none.
func known(versions []Version, seen Seen) (first int64) {
	moments := []int64{seen.Unblinded, seen.Cut}
	if OpenLabel(versions, seen.Unblinded) {
		moments = append(moments, seen.Data)
	}
	for _, t := range moments {
		if t != 0 && (first == 0 || t < first) {
			first = t
		}
	}
	return first
}

// OpenLabel reports whether everybody knows the arms of a trial all along: the
// first version says so, and every other that was in force before unblinding (0:
// there was none). What an amendment declares afterwards opens nothing.
func OpenLabel(versions []Version, unblinded int64) bool {
	for i := range versions {
		v := &versions[i]
		if !v.Open && (i == 0 || v.before(unblinded)) {
			return false
		}
	}
	return len(versions) > 0
}

// before reports whether a version was in force before a moment; 0: ever.
func (v *Version) before(t int64) bool { return v.InForce != 0 && (t == 0 || v.InForce < t) }

// inForce is the newest version that was in force before a moment; where none
// ever was, the first.
func inForce(versions []Version, t int64) *Version {
	found := &versions[0]
	for i := range versions {
		if versions[i].before(t) {
			found = &versions[i]
		}
	}
	return found
}

type matcher struct {
	versions []Version
	seen     Seen
	reported []Reported
	base     *Version
	told     []string // outcomes whose history stands beside an added line: once each
}

// match finds for each registered outcome its place in the report, or −1: first
// by the id that the report names, then by equal words and time, then by equal
// words alone. Each reported outcome stands for one registered outcome.
func (m *matcher) match() []int {
	places := slices.Repeat([]int{-1}, len(m.base.Outcomes))
	taken := make([]bool, len(m.reported))
	for _, same := range []func(*trial.Outcome, *Reported) bool{
		func(o *trial.Outcome, r *Reported) bool { return r.ID == o.ID },
		func(o *trial.Outcome, r *Reported) bool {
			return m.nameless(r) && equal(o.Name, r.Name) && sameTime(o.Timepoint, r.Timepoint)
		},
		func(o *trial.Outcome, r *Reported) bool { return m.nameless(r) && equal(o.Name, r.Name) },
	} {
		for i := range m.base.Outcomes {
			for j := range m.reported {
				if places[i] < 0 && !taken[j] && same(&m.base.Outcomes[i], &m.reported[j]) {
					places[i], taken[j] = j, true
				}
			}
		}
	}
	return places
}

// nameless reports whether a report names no outcome of the version compared with.
func (m *matcher) nameless(r *Reported) bool {
	return !slices.ContainsFunc(m.base.Outcomes, func(o trial.Outcome) bool { return o.ID == r.ID })
}

func (m *matcher) registered(o *trial.Outcome, place int) Line {
	l := Line{Status: Missing, ID: o.ID, Level: o.Level, Name: o.Name, Timepoint: o.Timepoint, History: m.history(o.ID)}
	if place < 0 {
		return l
	}
	r := &m.reported[place]
	l.Status, l.Place, l.N = AsRegistered, uint32(place+1), r.N
	if l.Changes = differences(o, r); len(l.Changes) > 0 {
		l.Status, l.Since = Changed, m.since(o.ID, r)
	}
	return l
}

// added is a reported outcome that the version compared with does not have.
func (m *matcher) added(place int) Line {
	r := &m.reported[place]
	l := Line{Status: Added, Level: r.Level, Name: r.Name, Timepoint: r.Timepoint, Place: uint32(place + 1), N: r.N}
	for i := range m.versions {
		for j := range m.versions[i].Outcomes {
			o := &m.versions[i].Outcomes[j]
			if m.find(m.base, o.ID) == nil && (o.ID == r.ID || equal(o.Name, r.Name)) {
				l.ID, l.Since = o.ID, m.versions[i].Number
				if !slices.Contains(m.told, o.ID) {
					l.History, m.told = m.history(o.ID), append(m.told, o.ID)
				}
				return l
			}
		}
	}
	return l
}

// since is the first version whose outcome of that id is the one reported.
func (m *matcher) since(id string, r *Reported) trial.Version {
	for i := range m.versions {
		if o := m.find(&m.versions[i], id); o != nil && len(differences(o, r)) == 0 {
			return m.versions[i].Number
		}
	}
	return 0
}

// withdrawn lists outcomes of earlier versions that the one compared with has
// no more, at the highest level they had. Those the report brings back are added
// lines.
func (m *matcher) withdrawn() (lines []Line) {
	for i := range m.versions {
		v := &m.versions[i]
		if v.Number >= m.base.Number {
			break
		}
		for j := range v.Outcomes {
			o := &v.Outcomes[j]
			if m.find(m.base, o.ID) != nil || m.isReported(o) {
				continue
			}
			if k := slices.IndexFunc(lines, func(l Line) bool { return l.ID == o.ID }); k >= 0 {
				lines[k].Level = min(lines[k].Level, o.Level)
				continue
			}
			lines = append(lines, Line{
				Status: Withdrawn, ID: o.ID, Level: o.Level, Name: o.Name, Timepoint: o.Timepoint, History: m.history(o.ID),
			})
		}
	}
	return lines
}

func (m *matcher) isReported(o *trial.Outcome) bool {
	return slices.ContainsFunc(m.reported, func(r Reported) bool {
		return r.ID == o.ID || m.nameless(&r) && equal(o.Name, r.Name)
	})
}

func (m *matcher) find(v *Version, id string) *trial.Outcome {
	i := slices.IndexFunc(v.Outcomes, func(o trial.Outcome) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &v.Outcomes[i]
}

// history tells what each version changed of the outcome of an id.
func (m *matcher) history(id string) (out []Revision) {
	for i := 1; i < len(m.versions); i++ {
		v := &m.versions[i]
		changes := between(m.find(&m.versions[i-1], id), m.find(v, id))
		if len(changes) > 0 {
			out = append(out, Revision{Version: v.Number, Time: v.Registered, Changes: changes, Known: m.seen.before(v.Registered)})
		}
	}
	return out
}

func between(before, after *trial.Outcome) []Change {
	switch {
	case before == nil && after == nil:
		return nil
	case before == nil:
		return []Change{{Field: whole, After: after.Name}}
	case after == nil:
		return []Change{{Field: whole, Before: before.Name}}
	}
	return differences(before, &Reported{Level: after.Level, Name: after.Name, Timepoint: after.Timepoint})
}

func differences(o *trial.Outcome, r *Reported) (changes []Change) {
	if o.Level != r.Level {
		changes = append(changes, Change{Field: "level", Before: o.Level.String(), After: r.Level.String()})
	}
	if !equal(o.Name, r.Name) {
		changes = append(changes, Change{Field: "name", Before: o.Name, After: r.Name})
	}
	if !sameTime(o.Timepoint, r.Timepoint) {
		changes = append(changes, Change{Field: "time point", Before: o.Timepoint, After: r.Timepoint})
	}
	return changes
}
