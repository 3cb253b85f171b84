package safety

import (
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// Opening is what a look commits to: for each arm the exposure of each day, and
// when events came to count. It is all that a flag follows from, so whoever has
// it finds the same flags, and on the same day.
type Opening struct {
	_    struct{}  `cbor:",toarray"`
	From trial.Day // as in the look's record
	AsOf trial.Day
	Arms []ArmOpening // every registered arm, by id
}

// ArmOpening is one arm between two looks.
type ArmOpening struct {
	_      struct{} `cbor:",toarray"`
	Arm    string
	Days   []uint32     // person-days of each day, From to AsOf
	Events []ArmChanges // every registered boundary by arm, by id
}

// ArmChanges are the days on which an arm's count for a boundary changed.
type ArmChanges struct {
	_        struct{} `cbor:",toarray"`
	Boundary string
	Changes  []DayChange // ascending days, none without a change
}

// DayChange tells how many events came to count on a day, and how many were
// assessed lower. Additions are taken first.
type DayChange struct {
	_       struct{} `cbor:",toarray"`
	Day     trial.Day
	Added   uint32
	Lowered uint32
}

// Commit commits to the opening, as Look.Board holds it. The salt is as secret
// as the arms.
func (o *Opening) Commit(salt [32]byte) trial.Commitment {
	return act.Commit("look", salt, wire.Marshal(o))
}

// check refuses an opening that is not about just these days, arms and
// boundaries.
func (o *Opening) check(from, asOf trial.Day, arms, boundaries []string) error {
	if o.From != from || o.AsOf != asOf {
		return fmt.Errorf("from, as of: %v to %v; this look is about %v to %v", o.From, o.AsOf, from, asOf)
	}
	if !slices.EqualFunc(o.Arms, arms, func(a ArmOpening, id string) bool { return a.Arm == id }) {
		return fmt.Errorf("arms: write each of %q once, in that order", arms)
	}
	for i := range o.Arms {
		if err := o.Arms[i].check(from, asOf, boundaries); err != nil {
			return fmt.Errorf("arms: %q: %w", o.Arms[i].Arm, err)
		}
	}
	return nil
}

func (a *ArmOpening) check(from, asOf trial.Day, boundaries []string) error {
	if days := int(asOf-from) + 1; len(a.Days) != days {
		return fmt.Errorf("days: %d numbers; one for each of %d days", len(a.Days), days)
	}
	if !slices.EqualFunc(a.Events, boundaries, func(c ArmChanges, id string) bool { return c.Boundary == id }) {
		return fmt.Errorf("events: write each of %q once, in that order", boundaries)
	}
	for _, e := range a.Events {
		last := from - 1
		for _, c := range e.Changes {
			if c.Day <= last || c.Day > asOf || c.Added == 0 && c.Lowered == 0 {
				return fmt.Errorf("events: %q: %v: days from %v to %v, ascending, each once, with a change", e.Boundary, c.Day, from, asOf)
			}
			last = c.Day
		}
	}
	return nil
}

// Evaluate moves each arm's counts through the days of the opening and lists
// what is crossed, by arm, boundary and day: at most the first day each. Before
// is how the look before left the arms, nil at the first. The flags are those
// of these days; the caller knows which latched before.
func Evaluate(look uint32, o *Opening, before []trial.ArmCount, boundaries []trial.Boundary) (after []trial.ArmCount, flags []trial.Flag, err error) {
	for i := range o.Arms {
		a := &o.Arms[i]
		n := arm(a, before)
		for j := range a.Events {
			found, err := follow(look, o, a, &n, j, boundaries)
			if err != nil {
				return nil, nil, fmt.Errorf("arms: %q: events: %w", a.Arm, err)
			}
			flags = append(flags, found...)
		}
		for _, d := range a.Days {
			n.Days += uint64(d)
		}
		after = append(after, n)
	}
	return after, flags, nil
}

// arm is where an arm's counts stood, with a zero for a boundary that is new.
func arm(a *ArmOpening, before []trial.ArmCount) trial.ArmCount {
	n := trial.ArmCount{Arm: a.Arm}
	var was []trial.Count
	if i := slices.IndexFunc(before, func(b trial.ArmCount) bool { return b.Arm == a.Arm }); i >= 0 {
		n.Days, was = before[i].Days, before[i].Counts
	}
	for _, e := range a.Events {
		c := trial.Count{Boundary: e.Boundary}
		if i := place(was, e.Boundary); i >= 0 {
			c = was[i]
		}
		n.Counts = append(n.Counts, c)
	}
	return n
}

// follow walks one boundary through the days of one arm.
func follow(look uint32, o *Opening, a *ArmOpening, n *trial.ArmCount, j int, boundaries []trial.Boundary) ([]trial.Flag, error) {
	i := slices.IndexFunc(boundaries, func(b trial.Boundary) bool { return b.ID == a.Events[j].Boundary })
	if i < 0 {
		return nil, fmt.Errorf("%q is not registered", a.Events[j].Boundary)
	}
	var flags []trial.Flag
	changes, days := a.Events[j].Changes, n.Days
	for k, d := range a.Days {
		day := o.From + trial.Day(k)
		days += uint64(d)
		if len(changes) > 0 && changes[0].Day == day {
			c := changes[0]
			if uint64(c.Lowered) > n.Counts[j].Events+uint64(c.Added) {
				return nil, fmt.Errorf("%q: %v: more assessed lower than counted", a.Events[j].Boundary, day)
			}
			step(&n.Counts[j], change{Added: c.Added, Lowered: c.Lowered})
			changes = changes[1:]
		}
		if len(flags) > 0 {
			continue
		}
		if f := cross(&boundaries[i], a.Arm, look, day, n.Counts[j].Highest, days); f.Boundary != "" {
			flags = append(flags, f)
		}
	}
	return flags, nil
}
