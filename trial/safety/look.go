package safety

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// SealedBytes is the length of what a look holds encrypted to the board: one
// length, whatever was found.
const SealedBytes = 256

// MaxSpan is how many days one look may be about: ten years, so that no look is
// work without end.
const MaxSpan = 3660

// Look looks at every registered boundary as of a closed cut-off. Sent by a
// member of the data and safety monitoring board (ICH E6(R3) 3.16.1; FDA
// guidance on data monitoring committees, 2006). Pooled boundaries are
// evaluated by the contract. Of those by arm the look holds a commitment alone,
// of one length whatever it says (see Opening).
type Look struct {
	_      struct{} `cbor:",toarray"`
	AsOf   trial.Day
	Board  trial.Commitment // to the Opening; zero where no boundary is by arm
	Sealed []byte           // flags encrypted to the board; empty where Board is zero
}

// LookRecord is a look, and once it is opened what it was about.
type LookRecord struct {
	_      struct{}  `cbor:",toarray"`
	Number uint32    // from 1
	From   trial.Day // the day after the look before; at the first the day the trial opened
	AsOf   trial.Day
	Time   int64 // block time, milliseconds since 1970 UTC
	Board  trial.Commitment
	Days   uint64        // person-days up to AsOf, all arms
	Counts []trial.Count // one for each boundary registered by then, by id
	Opened int64         // 0: sealed
	Arms   []trial.ArmCount
}

// Check refuses a form that no rule could accept.
func (t Look) Check() error {
	want := SealedBytes
	if t.Board == (trial.Commitment{}) {
		want = 0
	}
	if len(t.Sealed) != want {
		return trial.Refuse(trial.Malformed, "sealed: %d bytes; %d beside a commitment, none without one", len(t.Sealed), SealedBytes)
	}
	return nil
}

// Authorise asks for the board.
func (t Look) Authorise(s State, c trial.Context) error { return byBoard(s, c) }

// Validate refuses a look at nothing, at a day looked at before, and at one
// that some open site has not closed.
func (t Look) Validate(s State, _ trial.Context) error {
	if err := t.boundaries(s); err != nil {
		return err
	}
	from, err := interval(s, t.AsOf)
	if err != nil {
		return err
	}
	if t.AsOf < from {
		return trial.Refuse(trial.DayClosed, "as of: %v; the days before %v are looked at", t.AsOf, from)
	}
	if span := int64(t.AsOf) - int64(from) + 1; span > MaxSpan {
		return trial.Refuse(trial.LookTooLong, "as of: %v; %d days since %v, and a look is about at most %d: look as of an earlier day first", t.AsOf, span, from, MaxSpan)
	}
	if _, complete := pooled(s, t.AsOf); !complete {
		return trial.Refuse(trial.ExposureMissing, "as of: %v; exposure up to that very day is missing from %v", t.AsOf, missing(s, t.AsOf))
	}
	return nil
}

func (t Look) boundaries(s State) error {
	all := boundaries(s)
	if len(all) == 0 {
		return trial.Refuse(trial.UnknownBoundary, "no boundary is registered; a look is at boundaries registered before it")
	}
	byArm := slices.ContainsFunc(all, func(r registered) bool { return r.Boundary.Scope == trial.ByArm })
	if byArm != (t.Board != trial.Commitment{}) {
		return trial.Refuse(trial.BoardMissing, "board: a boundary by arm is registered: %t; commit to the arms' counts where one is, and only there", byArm)
	}
	return nil
}

// interval is the first day that a look now is about.
func interval(v state.View, asOf trial.Day) (trial.Day, error) {
	if h, _ := state.Load[head](v, headKey); h.Looks > 0 {
		return h.Closed + 1, nil
	}
	first, ok := firstOpening(v)
	if !ok {
		return 0, trial.Refuse(trial.SiteNotOpen, "as of: %v; the trial has opened at no site", asOf)
	}
	return first, nil
}

// missing lists the sites that were open on a day and have not closed it.
func missing(s State, day trial.Day) (sites []trial.SiteID) {
	s.Scan(sitePrefix, func(k, _ []byte) bool {
		site := trial.SiteID(k[len(sitePrefix):])
		if since, _ := state.Load[trial.Day](s, slices.Clone(k)); since <= day && !has(s, append(exposureKey(day), site[:]...)) {
			sites = append(sites, site)
		}
		return true
	})
	return sites
}

// Apply evaluates the pooled boundaries on each closed day since the last look.
func (t Look) Apply(s State, c trial.Context) []event.Event {
	h, _ := state.Load[head](s, headKey)
	from, _ := interval(s, t.AsOf)
	h.Looks, h.Closed = h.Looks+1, t.AsOf
	state.Put(s, headKey, h)
	r := LookRecord{Number: h.Looks, From: from, AsOf: t.AsOf, Time: c.Now, Board: t.Board, Counts: standing(s, h.Looks)}
	flags := r.evaluate(s)
	raise(s, flags, c.Now)
	state.Put(s, lookKey(r.Number), r)
	return []event.Event{
		event.Looked{Look: r.Number, From: r.From, AsOf: r.AsOf, Board: t.Board, Sealed: t.Sealed},
		event.PooledLook{Look: r.Number, AsOf: r.AsOf, Days: r.Days, Counts: r.Counts, Flags: flags},
	}
}

// standing is every boundary's count as the look before left it.
func standing(s State, look uint32) []trial.Count {
	before, _ := state.Load[LookRecord](s, lookKey(look-1))
	var out []trial.Count
	for _, b := range boundaries(s) {
		n := trial.Count{Boundary: b.Boundary.ID}
		if i := place(before.Counts, n.Boundary); i >= 0 {
			n = before.Counts[i]
		}
		out = append(out, n)
	}
	return out
}

func place(counts []trial.Count, id string) int {
	return slices.IndexFunc(counts, func(n trial.Count) bool { return n.Boundary == id })
}

// evaluate moves the counts to the cut-off, day by day, and finds what is
// crossed on a day that every open site has closed. Between closed days
// exposure is unknown here, and events against too little of it would flag.
func (r *LookRecord) evaluate(s State) (flags []trial.Flag) {
	all := boundaries(s)
	for day := r.From; day <= r.AsOf; day++ {
		for i := range r.Counts {
			c, _ := state.Load[change](s, changeKey(day, r.Counts[i].Boundary))
			step(&r.Counts[i], c)
		}
		days, complete := pooled(s, day)
		if !complete {
			continue
		}
		r.Days = days
		for i := range all {
			if b := &all[i].Boundary; b.Scope == trial.Pooled {
				flags = latch(s, flags, cross(b, "", r.Number, day, r.Counts[i].Highest, days))
			}
		}
	}
	return flags
}

// cross tells the flag that a count raises, or none: Crossed is 0.
func cross(b *trial.Boundary, arm string, look uint32, day trial.Day, events, days uint64) trial.Flag {
	if !b.Flag(events, days) {
		return trial.Flag{}
	}
	return trial.Flag{Boundary: b.ID, Arm: arm, Look: look, Crossed: day, Events: events, Days: days, ExpectedMicro: b.ExpectedMicro(days)}
}

// latch appends a flag that was not raised before.
func latch(s state.View, flags []trial.Flag, f trial.Flag) []trial.Flag {
	if f.Boundary == "" || has(s, flagKey(f.Boundary, f.Arm)) ||
		slices.ContainsFunc(flags, func(g trial.Flag) bool { return g.Boundary == f.Boundary && g.Arm == f.Arm }) {
		return flags
	}
	return append(flags, f)
}

// raised is a flag and when the board could first see it.
type raised struct {
	_    struct{} `cbor:",toarray"`
	Flag trial.Flag
	Time int64
}

func raise(s State, flags []trial.Flag, now int64) {
	for _, f := range flags {
		state.Put(s, flagKey(f.Boundary, f.Arm), raised{Flag: f, Time: now})
	}
}
