package contract_test

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/directory"
	outcomes "github.com/trialith/trialith/trial/outcome"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
)

func (b *bench) phase(id string, day trial.Day) outcome {
	return b.send(contract.ProtocolCompletePhase, protocol.CompletePhase{Phase: id, Day: day}, "sponsor")
}

func (b *bench) plan(document byte) outcome {
	return b.send(contract.ProtocolLockPlan, protocol.LockPlan{Document: trial.Digest{document}}, "sponsor")
}

func phaseRefusals() []refused {
	return []refused{
		{trial.UnknownPhase, false, "no phase of the protocol", func(b *bench) outcome { return b.phase("washout", trial.DayOf(b.now)) }},
		{trial.PhaseComplete, false, "a phase twice", func(b *bench) outcome {
			b.complete("treatment")
			return b.phase("treatment", trial.DayOf(b.now))
		}},
		{trial.PhaseOutOfOrder, false, "the second phase first", func(b *bench) outcome { return b.phase("follow-up", trial.DayOf(b.now)) }},
		{trial.DayInFuture, false, "a phase complete tomorrow", func(b *bench) outcome { return b.phase("treatment", trial.DayOf(b.now)+1) }},
		{trial.DayTooEarly, false, "a phase complete before the one before it", func(b *bench) outcome {
			b.complete("treatment")
			return b.phase("follow-up", trial.DayOf(b.now)-1)
		}},
		{trial.Malformed, true, "a phase without an id", func(b *bench) outcome { return b.phase("", trial.DayOf(b.now)) }},
		{trial.NotAuthorised, true, "a phase completed by ethics", func(b *bench) outcome {
			return b.send(contract.ProtocolCompletePhase, protocol.CompletePhase{Phase: "treatment", Day: trial.DayOf(b.now)}, "ethics")
		}},
		{trial.PlanLocked, false, "a plan twice", func(b *bench) outcome {
			b.must(b.plan(1))
			b.must(b.plan(2))
			return b.plan(1)
		}},
		{trial.Malformed, true, "a plan without a hash", func(b *bench) outcome { return b.plan(0) }},
		{trial.NotAuthorised, true, "a plan locked by a site", func(b *bench) outcome {
			return b.send(contract.ProtocolLockPlan, protocol.LockPlan{Document: trial.Digest{1}}, "A")
		}},
	}
}

// staged has the custodians, and a package staged at a cut of today.
func staged(b *bench) {
	b.house()
	b.must(b.cut())
	b.must(b.stage("one", reported(), 0))
}

func out(b *bench) {
	staged(b)
	b.must(b.release(1, "sponsor"))
}

// answer is a custodian's answer that vouches for other things than it was sent.
func (b *bench) answer(t publication.Held, by string) outcome {
	return b.send(contract.PublicationHeld, t, by)
}

// custodian registers a custodian's key under the name of an organisation.
func (b *bench) custodian(name, organisation string) {
	b.tb.Helper()
	t := directory.Register{Role: trial.Custodian, Name: organisation, Country: "CH"}
	t.Prove(ledgerID, key(name))
	b.must(b.send(contract.DirectoryRegister, t, "regulator"))
}

func (b *bench) elsewhere() { b.trial, b.stream = trial.ID{1}, new(state.Memory) }

func publicationRefusals() []refused {
	long := make([]byte, 5000)
	return []refused{
		{trial.DayInFuture, false, "a cut of tomorrow", func(b *bench) outcome {
			return b.send(contract.PublicationCut, publication.Cut{AsOf: trial.DayOf(b.now) + 1}, "sponsor")
		}},
		{trial.DayTooEarly, false, "a cut made backwards", func(b *bench) outcome {
			return b.send(contract.PublicationCut, publication.Cut{AsOf: trial.DayOf(b.now) - 2}, "sponsor")
		}},
		{trial.NotAuthorised, true, "a cut by a site", func(b *bench) outcome { return b.send(contract.PublicationCut, publication.Cut{}, "A") }},
		{trial.UnknownTrial, true, "a cut of no trial", func(b *bench) outcome {
			b.elsewhere()
			return b.cut()
		}},
		{trial.NoSuchCut, false, "staged without a cut", func(b *bench) outcome { return b.stage("one", nil, 0) }},
		{trial.NoSuchStage, false, "staged to correct nothing", func(b *bench) outcome {
			b.must(b.cut())
			return b.stage("one", nil, 1)
		}},
		{trial.NotReleased, false, "staged to correct what is not out", func(b *bench) outcome {
			staged(b)
			return b.stage("two", nil, 1)
		}},
		{trial.Malformed, true, "staged without a CID", func(b *bench) outcome {
			return b.send(contract.PublicationStage, publication.Stage{Manifest: trial.Digest{1}, Cut: 1}, "sponsor")
		}},
		{trial.Malformed, true, "staged without a manifest", func(b *bench) outcome {
			return b.send(contract.PublicationStage, publication.Stage{Package: packageOf("one"), Cut: 1}, "sponsor")
		}},
		{trial.Malformed, true, "an outcome without a level", func(b *bench) outcome {
			return b.stage("one", []outcomes.Reported{{Name: "x"}}, 0)
		}},
		{trial.Malformed, true, "an outcome without a name", func(b *bench) outcome {
			return b.stage("one", []outcomes.Reported{{Level: trial.Primary}}, 0)
		}},
		{trial.Malformed, true, "more outcomes than anybody reads", func(b *bench) outcome {
			return b.stage("one", make([]outcomes.Reported, outcomes.MaxReported+1), 0)
		}},
		{trial.NotAuthorised, true, "staged by a custodian", func(b *bench) outcome {
			b.house()
			return b.send(contract.PublicationStage, publication.Stage{Package: packageOf("one"), Manifest: trial.Digest{1}}, "K")
		}},

		{trial.NoSuchStage, false, "holding nothing", func(b *bench) outcome {
			b.house()
			return b.answer(publication.Held{Stage: 9, Refusal: "there is none"}, "K")
		}},
		{trial.NotAuthorised, true, "held by the sponsor itself", func(b *bench) outcome {
			staged(b)
			return b.holds("sponsor", 1)
		}},
		{trial.UnknownTrial, true, "holding for no trial", func(b *bench) outcome {
			b.house()
			b.elsewhere()
			return b.answer(publication.Held{Stage: 1, Refusal: "none"}, "K")
		}},
		{trial.SponsorsCustodian, false, "a custodian of the sponsor's house", func(b *bench) outcome {
			staged(b)
			b.custodian("M", " SPONSOR  ")
			return b.holds("M", 1)
		}},
		{trial.SameOrganisation, false, "two keys of one house", func(b *bench) outcome {
			staged(b)
			b.custodian("M", "k")
			b.must(b.holds("K", 1))
			return b.holds("M", 1)
		}},
		{trial.AlreadyHeld, false, "held twice", func(b *bench) outcome {
			staged(b)
			b.must(b.holds("K", 1))
			return b.holds("K", 1)
		}},
		{trial.PackageDiffers, false, "other bytes", func(b *bench) outcome {
			staged(b)
			return b.answer(publication.Held{Stage: 1, Package: packageOf("other"), Outcomes: outcomes.Digest(reported()), Cells: true}, "K")
		}},
		{trial.PackageDiffers, false, "other outcomes in the bytes", func(b *bench) outcome {
			staged(b)
			return b.answer(publication.Held{Stage: 1, Package: packageOf("one"), Outcomes: outcomes.Digest(nil), Cells: true}, "K")
		}},
		{trial.Malformed, true, "held with small cells", func(b *bench) outcome {
			staged(b)
			return b.answer(publication.Held{Stage: 1, Package: packageOf("one"), Outcomes: outcomes.Digest(reported())}, "K")
		}},
		{trial.Malformed, true, "refused and vouched for", func(b *bench) outcome {
			staged(b)
			return b.answer(publication.Held{Stage: 1, Cells: true, Refusal: "small cells"}, "K")
		}},
		{trial.Malformed, true, "refused at length", func(b *bench) outcome {
			staged(b)
			return b.answer(publication.Held{Stage: 1, Refusal: string(long)}, "K")
		}},

		{trial.NoSuchStage, false, "releasing nothing", func(b *bench) outcome { return b.release(1, "sponsor") }},
		{trial.AlreadyReleased, false, "released twice", func(b *bench) outcome {
			out(b)
			return b.release(1, "sponsor")
		}},
		{trial.IsCorrection, false, "a correction released without a reason", func(b *bench) outcome {
			out(b)
			b.must(b.stage("two", nil, 1))
			return b.release(2, "sponsor")
		}},
		{trial.NotOverdue, false, "released by a custodian who cannot wait", func(b *bench) outcome {
			staged(b)
			return b.release(1, "L")
		}},
		{trial.NotAuthorised, true, "released by ethics", func(b *bench) outcome {
			staged(b)
			return b.release(1, "ethics")
		}},
		{trial.UnknownTrial, true, "releasing for no trial", func(b *bench) outcome {
			b.elsewhere()
			return b.release(1, "regulator")
		}},

		{trial.NoSuchStage, false, "a pin of nothing", func(b *bench) outcome { return b.pin(1, "node", 0, "sponsor") }},
		{trial.NotReleased, false, "a pin of what is not out", func(b *bench) outcome {
			staged(b)
			return b.pin(1, "node", 0, "K")
		}},
		{trial.DayTooEarly, false, "a pin that has run out", func(b *bench) outcome {
			out(b)
			return b.pin(1, "node", trial.DayOf(b.now)-1, "K")
		}},
		{trial.Malformed, true, "a pin on no node", func(b *bench) outcome { return b.pin(1, "", 0, "sponsor") }},
		{trial.NotAuthorised, true, "a pin by a site", func(b *bench) outcome { return b.pin(1, "node", 0, "A") }},
		{trial.UnknownTrial, true, "a pin of no trial", func(b *bench) outcome {
			b.house()
			b.elsewhere()
			return b.pin(1, "node", 0, "K")
		}},

		{trial.NoSuchStage, false, "correcting with nothing", func(b *bench) outcome { return b.correctResults(7, "r", "sponsor") }},
		{trial.NoCorrection, false, "correcting with a package that corrects none", func(b *bench) outcome {
			staged(b)
			return b.correctResults(1, "r", "sponsor")
		}},
		{trial.AlreadyReleased, false, "correcting twice", func(b *bench) outcome {
			out(b)
			b.must(b.stage("two", nil, 1))
			b.must(b.correctResults(2, "r", "sponsor"))
			return b.correctResults(2, "r", "sponsor")
		}},
		{trial.NotStanding, false, "correcting what is corrected", func(b *bench) outcome {
			out(b)
			b.must(b.stage("two", nil, 1))
			b.must(b.stage("three", nil, 1))
			b.must(b.correctResults(2, "r", "sponsor"))
			return b.correctResults(3, "r", "sponsor")
		}},
		{trial.Malformed, true, "correcting without a reason", func(b *bench) outcome { return b.correctResults(1, "", "sponsor") }},
		{trial.NotAuthorised, true, "corrected by the regulator", func(b *bench) outcome { return b.correctResults(1, "r", "regulator") }},
		{trial.NotReleased, false, "retracting what is not out", func(b *bench) outcome {
			staged(b)
			return b.retract(1, "r", "sponsor")
		}},
		{trial.NotStanding, false, "retracting twice", func(b *bench) outcome {
			out(b)
			b.must(b.retract(1, "r", "regulator"))
			return b.retract(1, "r", "sponsor")
		}},
		{trial.Malformed, true, "retracting without a reason", func(b *bench) outcome { return b.retract(1, "", "sponsor") }},
		{trial.NotAuthorised, true, "retracted by a custodian", func(b *bench) outcome {
			out(b)
			return b.retract(1, "r", "K")
		}},
		{trial.UnknownTrial, true, "retracting for no trial", func(b *bench) outcome {
			b.elsewhere()
			return b.retract(1, "r", "regulator")
		}},
	}
}

func (b *bench) pin(stage uint32, node string, until trial.Day, by string) outcome {
	return b.send(contract.PublicationPin, publication.Pin{Stage: stage, Node: node, Until: until}, by)
}

func (b *bench) correctResults(stage uint32, reason, by string) outcome {
	return b.send(contract.PublicationCorrect, publication.Correct{Stage: stage, Reason: reason}, by)
}

func (b *bench) retract(stage uint32, reason, by string) outcome {
	return b.send(contract.PublicationRetract, publication.Retract{Stage: stage, Reason: reason}, by)
}
