package safety

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// Reports lists the safety reports with their latest assessments, by id.
func Reports(v state.View) []Record { return list[Record](v, reportPrefix) }

// LateReports lists those entered after their clock had run out.
func LateReports(v state.View) []Record {
	return slices.DeleteFunc(Reports(v), func(r Record) bool { return !r.Late() })
}

// Queries lists reports that contradict themselves: a clock runs for what is
// serious alone, and the latest assessment says that it is not. The
// investigator answers by a follow-up.
func Queries(v state.View) []Record {
	return slices.DeleteFunc(Reports(v), func(r Record) bool { return r.Clock == trial.NoClock || r.Serious })
}

// Boundaries lists the registered boundaries, by id.
func Boundaries(v state.View) []trial.Boundary {
	var out []trial.Boundary
	for _, r := range boundaries(v) {
		out = append(out, r.Boundary)
	}
	return out
}

// LateBoundaries lists those that were registered after the first look.
func LateBoundaries(v state.View) (ids []string) {
	first, ok := state.Load[LookRecord](v, lookKey(1))
	for _, r := range boundaries(v) {
		if ok && place(first.Counts, r.Boundary.ID) < 0 {
			ids = append(ids, r.Boundary.ID)
		}
	}
	return ids
}

// Counts lists the pooled counts as they are now, one for each boundary, by id.
func Counts(v state.View) []trial.Count {
	var out []trial.Count
	for _, r := range boundaries(v) {
		n, _ := state.Load[trial.Count](v, key(totalPrefix, r.Boundary.ID))
		n.Boundary = r.Boundary.ID
		out = append(out, n)
	}
	return out
}

// Looks lists the looks in their order.
func Looks(v state.View) []LookRecord { return list[LookRecord](v, lookPrefix) }

// Next is the first day that a look now would be about: the From that an
// opening names. It is false where the trial has opened at no site.
func Next(v state.View) (trial.Day, bool) {
	day, err := interval(v, 0)
	return day, err == nil
}

// FlagRecord is a flag and its answer.
type FlagRecord struct {
	trial.Flag
	Raised   int64 // when the board could first see it, milliseconds since 1970 UTC
	Due      int64 // until when the board answers
	Answered int64 // 0: not
	Decision trial.BoardDecision
}

// Flags lists what was crossed, by boundary and arm; by arm only what opened
// looks told.
func Flags(v state.View) []FlagRecord {
	var out []FlagRecord
	for _, r := range list[raised](v, flagPrefix) {
		b, _ := state.Load[registered](v, key(boundaryPrefix, r.Flag.Boundary))
		a, _ := state.Load[answer](v, decisionKey(r.Flag.Look, r.Flag.Boundary))
		out = append(out, FlagRecord{
			Flag: r.Flag, Raised: r.Time, Due: r.Time + trial.Days(b.Boundary.AnswerDays), Answered: a.First, Decision: a.Decision,
		})
	}
	return out
}

// Unanswered lists the flags that the board has not answered, or had not when
// its days ran out, as of a time.
func Unanswered(v state.View, now int64) []FlagRecord {
	return slices.DeleteFunc(Flags(v), func(f FlagRecord) bool {
		if f.Answered == 0 {
			return now <= f.Due
		}
		return f.Answered <= f.Due
	})
}

// AllAnswered reports whether every flag was answered in its days, or still may be.
func AllAnswered(v state.View, now int64) bool { return len(Unanswered(v, now)) == 0 }

// Sealed lists the looks that committed to something and are not opened.
func Sealed(v state.View) []LookRecord {
	return slices.DeleteFunc(Looks(v), func(r LookRecord) bool { return r.Opened != 0 || r.Board == (trial.Commitment{}) })
}

func list[T any](v state.View, prefix []byte) (out []T) {
	v.Scan(prefix, func(k, _ []byte) bool {
		x, _ := state.Load[T](v, slices.Clone(k))
		out = append(out, x)
		return true
	})
	return out
}
