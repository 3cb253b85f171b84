package safety

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// OpenLook publishes what a look committed to, once the study is unblinded.
// Looks are opened in their order. The contract recomputes every flag and
// checks that the arms add up to the pooled events and exposure of the look.
// Sent by a member of the monitoring board. That each person was put in the
// right arm is for the regulator, from the vault.
type OpenLook struct {
	_       struct{} `cbor:",toarray"`
	Look    uint32
	Opening Opening
	Salt    [32]byte
}

// Check has nothing to refuse by form alone.
func (t OpenLook) Check() error { return nil }

// Authorise asks for the board.
func (t OpenLook) Authorise(s State, c trial.Context) error { return byBoard(s, c) }

// Validate refuses an opening too early, out of order, of something else than
// was committed to, or of arms that do not add up.
func (t OpenLook) Validate(s State, _ trial.Context) error {
	if !s.Unblinded() {
		return trial.Refuse(trial.StillBlinded, "look: %d would tell arms; the board unblinds the study first", t.Look)
	}
	r, err := t.next(s)
	if err != nil {
		return err
	}
	if t.Opening.Commit(t.Salt) != r.Board {
		return trial.Refuse(trial.OpeningWrong, "opening, salt: not what look %d committed to", t.Look)
	}
	if err := t.Opening.check(r.From, r.AsOf, arms(s), r.byArm(s)); err != nil {
		return trial.Refuse(trial.OpeningShape, "opening: %v", err)
	}
	after, _, err := t.evaluate(s, r)
	if err != nil {
		return trial.Refuse(trial.OpeningShape, "opening: %v", err)
	}
	return t.addsUp(s, r, after)
}

// next is the look to be opened: the first that is sealed.
func (t OpenLook) next(s State) (LookRecord, error) {
	r, ok := state.Load[LookRecord](s, lookKey(t.Look))
	if !ok || r.Board == (trial.Commitment{}) {
		return r, trial.Refuse(trial.NoSuchLook, "look: %d committed to nothing", t.Look)
	}
	if r.Opened != 0 {
		return r, trial.Refuse(trial.LookOpen, "look: %d is open", t.Look)
	}
	for n := t.Look - 1; n > 0; n-- {
		if before, _ := state.Load[LookRecord](s, lookKey(n)); before.Board != (trial.Commitment{}) && before.Opened == 0 {
			return r, trial.Refuse(trial.LookOutOfOrder, "look: %d is sealed; open it first", n)
		}
	}
	return r, nil
}

// byArm lists the boundaries by arm that were registered at the look, by id.
func (r *LookRecord) byArm(s State) (ids []string) {
	for _, b := range boundaries(s) {
		if b.Boundary.Scope == trial.ByArm && place(r.Counts, b.Boundary.ID) >= 0 {
			ids = append(ids, b.Boundary.ID)
		}
	}
	return ids
}

func (t OpenLook) evaluate(s State, r LookRecord) ([]trial.ArmCount, []trial.Flag, error) {
	before, _ := state.Load[LookRecord](s, lookKey(r.Number-1))
	var all []trial.Boundary
	for _, b := range boundaries(s) {
		all = append(all, b.Boundary)
	}
	return Evaluate(r.Number, &t.Opening, before.Arms, all)
}

// addsUp compares the arms' sums with what is pooled: exposure at the cut-off,
// and the events of each day.
func (t OpenLook) addsUp(s State, r LookRecord, after []trial.ArmCount) error {
	var days uint64
	for _, a := range after {
		days += a.Days
	}
	if days != r.Days {
		return trial.Refuse(trial.SumsDiffer, "opening: days: the arms have %d person-days up to %v, the sites reported %d", days, r.AsOf, r.Days)
	}
	for j, id := range r.byArm(s) {
		if err := t.eventsAddUp(s, j, id); err != nil {
			return err
		}
	}
	return nil
}

func (t OpenLook) eventsAddUp(s State, j int, id string) error {
	added, lowered := map[trial.Day]uint64{}, map[trial.Day]uint64{}
	for i := range t.Opening.Arms {
		for _, c := range t.Opening.Arms[i].Events[j].Changes {
			added[c.Day] += uint64(c.Added)
			lowered[c.Day] += uint64(c.Lowered)
		}
	}
	for day := t.Opening.From; day <= t.Opening.AsOf; day++ {
		c, _ := state.Load[change](s, changeKey(day, id))
		if added[day] != uint64(c.Added) || lowered[day] != uint64(c.Lowered) {
			return trial.Refuse(trial.SumsDiffer, "opening: events: %q: %v: the arms have %d more and %d fewer, the reports %d and %d",
				id, day, added[day], lowered[day], c.Added, c.Lowered)
		}
	}
	return nil
}

// Apply keeps the arms' counts, and raises the flags that the look had found.
func (t OpenLook) Apply(s State, c trial.Context) []event.Event {
	r, _ := state.Load[LookRecord](s, lookKey(t.Look))
	after, found, _ := t.evaluate(s, r)
	var flags []trial.Flag
	for _, f := range found {
		flags = latch(s, flags, f)
	}
	raise(s, flags, r.Time) // the board has known since the look
	r.Opened, r.Arms = c.Now, after
	state.Put(s, lookKey(t.Look), r)
	h, _ := state.Load[head](s, headKey)
	h.Opened++
	state.Put(s, headKey, h)
	return []event.Event{event.LookOpened{Look: r.Number, AsOf: r.AsOf, Arms: after, Flags: flags}}
}
