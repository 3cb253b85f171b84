package publication

import "github.com/trialith/trialith/trial"

// Label is the word on a trial's results at a time. It is a function of state
// and time, stored nowhere: a page computes it at its clock, a verifier at the
// time of the last header.
func Label(q Questions, now int64) trial.Label {
	l := trial.Label{Word: trial.Awaited, Due: Due(q)}
	released := ReleasedStages(q)
	if n := len(released); n > 0 {
		stands(q, &l, released[n-1])
	}
	if IsDue(l, now) && !final(q, released) {
		l.Word = trial.Overdue
	}
	return l
}

// IsDue reports whether results should be out at a time.
func IsDue(l trial.Label, now int64) bool { return l.Due != 0 && now >= l.Due }

// stands fills in what the release that stands says.
func stands(q Questions, l *trial.Label, stage uint32) {
	s, _ := GetStage(q, stage)
	l.Word, l.Stage, l.Package, l.Exceptions = s.Word, stage, s.Package, s.Exceptions
	if s.Holders() == 0 {
		l.Marks = append(l.Marks, trial.NamedNotHeld)
	}
	first := s
	for first.Supersedes != 0 {
		first, _ = GetStage(q, first.Supersedes)
	}
	if IsDue(*l, first.Released) {
		l.Marks = append(l.Marks, trial.Late)
	}
	if s.Supersedes != 0 {
		l.Marks = append(l.Marks, trial.Corrected)
	}
	if s.Retracted != 0 {
		// What was retracted is not verified any more, and not unsaid either.
		l.Word = trial.PublishedWithExceptions
		l.Marks = append(l.Marks, trial.Retracted)
	}
}

// Due is when results are due: the registered days after the last phase was
// completed, at the end of that day; 0: a phase is open, or no span is
// registered. An amendment may shorten the span, never lengthen it, and a phase
// that it adds to a trial that had ended puts off nothing.
func Due(q Questions) int64 {
	end, ok := ended(q)
	var days uint32
	for _, v := range q.Versions() {
		if n := v.Protocol.ResultsDueDays; n != 0 && (v.InForce != 0 || v.Number == 1) && (days == 0 || n < days) {
			days = n
		}
	}
	if !ok || days == 0 {
		return 0
	}
	return (end + 1).Start() + trial.Days(days)
}

// final reports whether results of the whole trial are out and stand: released,
// and cut no earlier than the end of its last phase.
func final(q Questions, released []uint32) bool {
	end, ok := ended(q)
	for _, n := range released {
		s, _ := GetStage(q, n)
		if c, cut := GetCut(q, s.Cut); cut && ok && c.AsOf >= end && s.Retracted == 0 && s.SupersededBy == 0 {
			return true
		}
	}
	return false
}
