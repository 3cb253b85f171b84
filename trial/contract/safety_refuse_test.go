package contract_test

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/safety"
)

// looked is a watched trial with an event in arm x on day 0, looked at as of
// day 2, on day 3.
func looked(b *bench) *watch {
	w := watched(b.tb)
	w.must(w.happens("e1", "A", "x", "all", "arm"))
	w.day(3)
	w.must(w.expose("A", 2, 10, 10))
	w.must(w.expose("B", 2, 5, 0))
	w.must(w.look(2))
	return w
}

// unblinded is a looked-at trial whose board has unblinded it; alter changes
// what the look committed to before it did.
func unblinded(b *bench, alter func(*safety.Opening)) *watch {
	w := watched(b.tb)
	w.must(w.happens("e1", "A", "x", "all", "arm"))
	w.day(3)
	w.must(w.expose("A", 2, 10, 10))
	w.must(w.expose("B", 2, 5, 0))
	o := w.secret.opening(first, first+2, "arm")
	alter(&o)
	w.secret.held = append(w.secret.held, o)
	w.must(w.send(contract.SafetyLook, safety.Look{AsOf: o.AsOf, Board: o.Commit(saltOf(1)), Sealed: make([]byte, safety.SealedBytes)}, "member"))
	w.unblind()
	return w
}

func altered(alter func(*safety.Opening)) func(*bench) outcome {
	return func(b *bench) outcome { return unblinded(b, alter).openLook(1) }
}

// reporting alters a report of today and sends it.
func reporting(by string, alter func(*safety.Report)) func(*bench) outcome {
	return func(b *bench) outcome {
		w := watched(b.tb)
		w.day(5)
		r := w.reportOf("e", "A", first+5, "all")
		alter(&r)
		return w.report(r, by)
	}
}

// exposing closes days of site A on day 5, after it closed those up to day 2
// with 20 person-days.
func exposing(until int, days uint64, by string) func(*bench) outcome {
	return func(b *bench) outcome {
		w := looked(b)
		w.day(5)
		return w.send(contract.SafetyExposure, safety.Exposure{Site: site("A"), Until: first + trial.Day(until), Days: days}, by)
	}
}

func looking(t safety.Look, by string) func(*bench) outcome {
	return func(b *bench) outcome {
		w := looked(b)
		w.day(6)
		w.must(w.expose("A", 5, 0, 0))
		return w.send(contract.SafetyLook, t, by)
	}
}

func sealedLook(asOf int) safety.Look {
	return safety.Look{AsOf: first + trial.Day(asOf), Board: trial.Commitment{1}, Sealed: make([]byte, safety.SealedBytes)}
}

func following(by string, alter func(*safety.FollowUp)) func(*bench) outcome {
	return func(b *bench) outcome {
		w := looked(b)
		t := safety.FollowUp{ID: reportID("e1"), Serious: true, Boundaries: []string{"all", "arm"}, Details: trial.Commitment{2}}
		alter(&t)
		return w.send(contract.SafetyFollowUp, t, by)
	}
}

func deciding(t safety.Decide, by string, with ...string) func(*bench) outcome {
	return func(b *bench) outcome { return looked(b).send(contract.SafetyDecide, t, by, with...) }
}

func nowhere(b *bench) *watch {
	w := watched(b.tb)
	w.trial, w.stream = trial.ID{1}, new(state.Memory)
	return w
}

func reportRefusals() []refused {
	return []refused{
		{trial.UnknownTrial, true, "a report in no trial", func(b *bench) outcome { return nowhere(b).happens("e", "A", "x") }},
		{trial.UnknownTrial, true, "a look in no trial", func(b *bench) outcome { return nowhere(b).send(contract.SafetyLook, sealedLook(0), "chair") }},
		{trial.UnknownDelegate, true, "a report by another site", reporting("B", func(*safety.Report) {})},
		{trial.UnknownDelegate, true, "a report by the sponsor", reporting("sponsor", func(*safety.Report) {})},
		{trial.Malformed, true, "a clock of 8 days", reporting("A", func(r *safety.Report) { r.Clock = 8 })},
		{trial.Malformed, true, "no id", reporting("A", func(r *safety.Report) { r.ID = trial.ReportID{} })},
		{trial.Malformed, true, "no details", reporting("A", func(r *safety.Report) { r.Details = trial.Commitment{} })},
		{trial.Malformed, true, "a boundary twice", reporting("A", func(r *safety.Report) { r.Boundaries = []string{"all", "all"} })},
		{trial.Malformed, true, "boundaries out of order", reporting("A", func(r *safety.Report) { r.Boundaries = []string{"arm", "all"} })},
		{trial.Malformed, true, "too long a boundary", reporting("A", func(r *safety.Report) { r.Boundaries = []string{string(make([]byte, 129))} })},
		{trial.UnknownBoundary, false, "a boundary that is not registered", reporting("A", func(r *safety.Report) { r.Boundaries = []string{"more"} })},
		{trial.DayInFuture, false, "received tomorrow", reporting("A", func(r *safety.Report) { r.Received++ })},
		{trial.DayTooEarly, false, "received before the site was open", reporting("A", func(r *safety.Report) { r.Received = first - 1 })},
		{trial.SiteNotOpen, false, "a report of a site that is not open", func(b *bench) outcome { return watched(b.tb).happens("e", "C", "x") }},
		{trial.ReportExists, false, "a report twice", func(b *bench) outcome { return looked(b).happens("e1", "A", "x") }},
		{trial.NoSuchReport, true, "following up nothing", following("A1", func(t *safety.FollowUp) { t.ID[0] ^= 1 })},
		{trial.UnknownDelegate, true, "followed up by another site", following("B1", func(*safety.FollowUp) {})},
		{trial.Malformed, true, "followed up without details", following("A1", func(t *safety.FollowUp) { t.Details = trial.Commitment{} })},
		{trial.Malformed, true, "followed up with a boundary twice", following("A1", func(t *safety.FollowUp) { t.Boundaries = []string{"arm", "arm"} })},
		{trial.NotAuthorised, true, "lowered by the site's key", following("A", func(t *safety.FollowUp) { t.Serious, t.Reason = false, trial.Commitment{3} })},
		{trial.NotAuthorised, true, "taken off a boundary by the site's key", following("A", func(t *safety.FollowUp) { t.Boundaries, t.Reason = nil, trial.Commitment{3} })},
		{trial.ReasonMissing, false, "lowered without a reason", following("A1", func(t *safety.FollowUp) { t.Boundaries = []string{"all"} })},
		{trial.ReasonMissing, false, "a reason for nothing", following("A1", func(t *safety.FollowUp) { t.Reason = trial.Commitment{3} })},
		{trial.UnknownBoundary, false, "followed up to what is not registered", following("A1", func(t *safety.FollowUp) { t.Boundaries = []string{"all", "arm", "more"} })},
	}
}

func lookRefusals() []refused {
	return []refused{
		{trial.UnknownDelegate, true, "exposure by another site", exposing(4, 20, "B")},
		{trial.Malformed, true, "exposure beyond measure", exposing(4, 1<<41, "A")},
		{trial.DayNotOver, false, "today closed", exposing(5, 20, "A")},
		{trial.DayClosed, false, "a day closed twice", exposing(2, 20, "A")},
		{trial.DayTooEarly, false, "a day before the site was open", exposing(-1, 20, "A")},
		{trial.ExposureFell, false, "exposure that falls", exposing(4, 19, "A")},
		{trial.SiteNotOpen, false, "exposure of a site that is not open", func(b *bench) outcome {
			w := looked(b)
			return w.send(contract.SafetyExposure, safety.Exposure{Site: site("C"), Until: first + 2}, "C")
		}},
		{trial.NotAuthorised, true, "a look by the sponsor", looking(sealedLook(5), "sponsor")},
		{trial.Malformed, true, "a seal too short", looking(safety.Look{AsOf: first + 5, Board: trial.Commitment{1}, Sealed: make([]byte, 255)}, "chair")},
		{trial.Malformed, true, "a seal without a commitment", looking(safety.Look{AsOf: first + 5, Sealed: make([]byte, 256)}, "chair")},
		{trial.BoardMissing, false, "no commitment where a boundary is by arm", looking(safety.Look{AsOf: first + 5}, "chair")},
		{trial.BoardMissing, false, "a commitment where no boundary is by arm", func(b *bench) outcome {
			return pooledOnly(b).send(contract.SafetyLook, sealedLook(0), "chair")
		}},
		{trial.UnknownBoundary, false, "a look at nothing", func(b *bench) outcome {
			b.board()
			return b.send(contract.SafetyLook, sealedLook(0), "chair")
		}},
		{trial.SiteNotOpen, false, "a look before the trial is open", func(b *bench) outcome {
			w := watch{bench: newBench(b.tb), secret: newStatistician()}
			w.watchedBy()
			w.must(w.registerTrial())
			w.board()
			return w.send(contract.SafetyLook, sealedLook(0), "chair")
		}},
		{trial.LookTooLong, false, "a look at ten years and a day", looking(sealedLook(3663), "chair")},
		{trial.DayClosed, false, "a look at a day looked at", looking(sealedLook(2), "chair")},
		{trial.ExposureMissing, false, "a look that site B has not closed", looking(sealedLook(5), "chair")},
		{trial.ExposureMissing, false, "a look between cut-offs", looking(sealedLook(4), "chair")},
		{trial.NotAuthorised, true, "decided by ethics", deciding(safety.Decide{Look: 1, Boundary: "all", Decision: trial.Stop, Reason: "r"}, "ethics", "chair")},
		{trial.NeedsSecond, true, "decided by one", deciding(safety.Decide{Look: 1, Boundary: "all", Decision: trial.Stop, Reason: "r"}, "chair")},
		{trial.NeedsSecond, true, "decided with the sponsor", deciding(safety.Decide{Look: 1, Boundary: "all", Decision: trial.Stop, Reason: "r"}, "chair", "sponsor")},
		{trial.Malformed, true, "no decision", deciding(safety.Decide{Look: 1, Boundary: "all", Reason: "r"}, "chair", "member")},
		{trial.Malformed, true, "decided without a reason", deciding(safety.Decide{Look: 1, Boundary: "all", Decision: trial.Stop}, "chair", "member")},
		{trial.NoSuchLook, false, "decided on no look", deciding(safety.Decide{Look: 2, Boundary: "all", Decision: trial.Stop, Reason: "r"}, "chair", "member")},
		{trial.UnknownBoundary, false, "decided on no boundary", deciding(safety.Decide{Look: 1, Boundary: "more", Decision: trial.Stop, Reason: "r"}, "chair", "member")},
		{trial.FlagUnanswered, false, "enrolled while a flag waits", func(b *bench) outcome {
			w := watched(b.tb)
			w.must(w.happens("e1", "A", "x", "all"))
			w.day(1)
			w.must(w.expose("A", 0, 1, 0))
			w.must(w.expose("B", 0, 0, 0))
			w.must(w.look(0))
			w.now += 15 * day
			return w.enrol("P", "A", 1)
		}},
		{trial.BoardHolds, false, "enrolled while the board holds", func(b *bench) outcome {
			w := looked(b)
			w.must(w.decideOn(1, "arm", trial.Stop))
			return w.enrol("P", "A", 1)
		}},
	}
}

// pooledOnly is a trial without a boundary by arm, closed up to day 0.
func pooledOnly(b *bench) *watch {
	w := &watch{bench: newBench(b.tb), secret: newStatistician(), names: map[string]string{"x": "x", "y": "y"}}
	w.watchedBy()
	w.boundaries = w.boundaries[:1]
	w.must(w.registerTrial())
	w.approve(1)
	w.must(w.open(1, "A"))
	w.board()
	w.day(1)
	w.must(w.expose("A", 0, 1, 1))
	return w
}

func openingRefusals() []refused {
	events := func(o *safety.Opening) *[]safety.DayChange { return &o.Arms[0].Events[0].Changes }
	same := func(*safety.Opening) {}
	return []refused{
		{trial.StillBlinded, false, "opened while blinded", func(b *bench) outcome { return looked(b).openLook(1) }},
		{trial.NotAuthorised, true, "opened by the sponsor", func(b *bench) outcome {
			return unblinded(b, same).send(contract.SafetyOpenLook, safety.OpenLook{Look: 1}, "sponsor")
		}},
		{trial.NoSuchLook, false, "opening no look", func(b *bench) outcome {
			return unblinded(b, same).send(contract.SafetyOpenLook, safety.OpenLook{Look: 2}, "chair")
		}},
		{trial.NoSuchLook, false, "opening a look without a commitment", func(b *bench) outcome {
			w := pooledOnly(b)
			w.must(w.send(contract.SafetyLook, safety.Look{AsOf: first}, "chair"))
			w.unblind()
			return w.send(contract.SafetyOpenLook, safety.OpenLook{Look: 1}, "chair")
		}},
		{trial.LookOpen, false, "opened twice", func(b *bench) outcome {
			w := unblinded(b, same)
			w.must(w.openLook(1))
			return w.openLook(1)
		}},
		{trial.LookOutOfOrder, false, "the second before the first", func(b *bench) outcome {
			w := looked(b)
			w.day(5)
			w.must(w.expose("A", 4, 0, 0))
			w.must(w.expose("B", 4, 0, 0))
			w.must(w.look(4))
			w.unblind()
			return w.openLook(2)
		}},
		{trial.OpeningWrong, false, "another salt", func(b *bench) outcome {
			w := unblinded(b, same)
			return w.send(contract.SafetyOpenLook, safety.OpenLook{Look: 1, Opening: w.secret.held[0], Salt: saltOf(2)}, "member")
		}},
		{trial.OpeningWrong, false, "arms swapped afterwards", func(b *bench) outcome {
			w := unblinded(b, same)
			o := w.secret.held[0]
			o.Arms = []safety.ArmOpening{o.Arms[1], o.Arms[0]}
			o.Arms[0].Arm, o.Arms[1].Arm = "x", "y"
			return w.send(contract.SafetyOpenLook, safety.OpenLook{Look: 1, Opening: o, Salt: saltOf(1)}, "member")
		}},
		{trial.OpeningShape, false, "another cut-off", altered(func(o *safety.Opening) { o.From++ })},
		{trial.OpeningShape, false, "an arm left out", altered(func(o *safety.Opening) { o.Arms = o.Arms[:1] })},
		{trial.OpeningShape, false, "arms out of order", altered(func(o *safety.Opening) { slices.Reverse(o.Arms) })},
		{trial.OpeningShape, false, "a day left out", altered(func(o *safety.Opening) { o.Arms[0].Days = o.Arms[0].Days[1:] })},
		{trial.OpeningShape, false, "a boundary left out", altered(func(o *safety.Opening) { o.Arms[1].Events = nil })},
		{trial.OpeningShape, false, "a day outside", altered(func(o *safety.Opening) { (*events(o))[0].Day = first - 1 })},
		{trial.OpeningShape, false, "a day twice", altered(func(o *safety.Opening) { *events(o) = append(*events(o), (*events(o))[0]) })},
		{trial.OpeningShape, false, "a change of nothing", altered(func(o *safety.Opening) { (*events(o))[0].Added = 0 })},
		{trial.OpeningShape, false, "lower than nothing", altered(func(o *safety.Opening) { (*events(o))[0].Lowered = 2 })},
		{trial.SumsDiffer, false, "exposure that is not the sites'", altered(func(o *safety.Opening) { o.Arms[0].Days[1]++ })},
		{trial.SumsDiffer, false, "an event too many", altered(func(o *safety.Opening) { (*events(o))[0].Added++ })},
		{trial.SumsDiffer, false, "an event lowered", altered(func(o *safety.Opening) { (*events(o))[0].Lowered++ })},
		{trial.SumsDiffer, false, "an event on another day", altered(func(o *safety.Opening) { (*events(o))[0].Day++ })},
		{trial.SumsDiffer, false, "an event hidden", altered(func(o *safety.Opening) { *events(o) = nil })},
	}
}
