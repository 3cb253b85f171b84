package contract_test

import (
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/protocol"
)

func consentRefusals() []refused {
	enrolled := func(b *bench) { b.must(b.enrol("P", "A", 1)) }
	agreed := func(b *bench) {
		enrolled(b)
		b.must(b.perform(b.consent("P", 1)))
	}
	return []refused{
		{trial.NotAuthorised, true, "enrolled by a sponsor", func(b *bench) outcome { return b.send(contract.ConsentEnrol, b.enrolment("P", "A", 1), "sponsor") }},
		{trial.NotAuthorised, true, "a colleague of the named investigator", func(b *bench) outcome {
			return b.send(contract.ConsentEnrol, b.enrolment("P", "A", 1), "A2")
		}},
		{trial.NotAuthorised, true, "an act wrapped by an investigator", func(b *bench) outcome {
			enrolled(b)
			return b.send(contract.ConsentAct, b.consent("P", 1), "A1")
		}},
		{trial.NeedsSecond, true, "a kiosk without a second person", func(b *bench) outcome {
			e := b.enrolment("P", "A", 1)
			e.Kiosk = true
			return b.send(contract.ConsentEnrol, e, "A1")
		}},
		{trial.NeedsSecond, true, "removed by one", func(b *bench) outcome {
			agreed(b)
			return b.send(contract.ConsentRemove, consent.Remove{Leaf: leafOf("P"), Class: trial.ByWord, Statements: said("1+"), Reason: trial.Commitment{1}}, "A1")
		}},
		{trial.NeedsSecond, true, "cosigned by another site's", func(b *bench) outcome {
			agreed(b)
			return b.send(contract.ConsentRemove, consent.Remove{Leaf: leafOf("P"), Class: trial.ByWord, Statements: said("1+"), Reason: trial.Commitment{1}}, "A1", "B1")
		}},
		{trial.UnknownDelegate, true, "enrolled elsewhere", func(b *bench) outcome {
			e := b.enrolment("P", "A", 1)
			e.Proven.Act.Site = site("B")
			return b.send(contract.ConsentEnrol, e, "A1")
		}},
		{trial.UnknownDelegate, true, "the delegation has ended", func(b *bench) outcome {
			b.must(b.end("A", "A1"))
			return b.enrol("P", "A", 1)
		}},
		{trial.UnknownDelegate, true, "removed by another site", func(b *bench) outcome {
			agreed(b)
			return b.remove("P", "B", trial.ByWord, said("1+")...)
		}},
		{trial.ProofInvalid, true, "a false proof", func(b *bench) outcome {
			e := b.enrolment("P", "A", 1)
			e.Proven.Proof = badProof
			return b.send(contract.ConsentEnrol, e, "A1")
		}},
		{trial.SiteNotOpen, false, "enrolled where it is not open", func(b *bench) outcome { return b.enrol("P", "C", 1) }},
		{trial.SiteNotOpen, false, "a visit where nothing is open", func(b *bench) outcome {
			agreed(b)
			return b.enterEntry(b.entry("P", 1, act.Visit, "C", "week-2", 0, "pass-1"), "C")
		}},
		{trial.SiteNotOpen, false, "moved where nothing is open", func(b *bench) outcome {
			agreed(b)
			return b.transfer("P", "A", "C")
		}},
		{trial.SiteNotOpen, false, "screened where nothing is open", func(b *bench) outcome { return b.screen("P", "C") }},
		{trial.OutdatedVersion, false, "enrolled under an old version", func(b *bench) outcome {
			b.next(2, false, "A")
			b.now += 31 * day
			return b.enrol("P", "A", 1)
		}},
		{trial.OutdatedVersion, false, "replaced under another version", func(b *bench) outcome {
			agreed(b)
			b.next(2, true, "A")
			return b.replace("P", "Q", "A", 2, said("1+", "2-")...)
		}},
		{trial.NotYetEffective, false, "enrolled before it is in force", func(b *bench) outcome {
			p := b.protocol()
			p.Risks = "more"
			b.must(b.send(contract.ProtocolAmend, protocol.Amend{Version: 2, Protocol: p, Reason: "r", Effective: trial.DayOf(b.now) + 3}, "sponsor"))
			b.approve(2)
			b.must(b.open(2, "A"))
			return b.enrol("P", "A", 2)
		}},
		{trial.LeafUsed, false, "enrolled twice", func(b *bench) outcome {
			enrolled(b)
			return b.enrol("P", "B", 1)
		}},
		{trial.UnknownRoot, true, "no root at all", func(b *bench) outcome {
			enrolled(b)
			t := b.consent("P", 1)
			t.Proven.Root = field.Root{1}
			return b.perform(t)
		}},
		{trial.RootExpired, true, "a root of long ago", func(b *bench) outcome {
			enrolled(b)
			t := b.consent("P", 1)
			b.now += 2 * hour
			b.must(b.enrol("Q", "A", 1))
			b.now += 100 * day
			return b.perform(t)
		}},
		{trial.AccountUsed, true, "consent twice", func(b *bench) outcome {
			agreed(b)
			t := b.consent("P", 1)
			t.Proven.Act.Pass = passOf("P", 9)
			return b.perform(t)
		}},
		{trial.AccountUsed, true, "superseded after consent", func(b *bench) outcome {
			agreed(b)
			b.next(2, true, "A")
			return b.perform(b.superseded("P", 1, 2))
		}},
		{trial.AccountBurnt, true, "consent after withdrawal", func(b *bench) outcome {
			enrolled(b)
			t := b.consent("P", 1)
			b.must(b.perform(b.withdrawal("P", 1, 0)))
			return b.perform(t)
		}},
		{trial.AccountBurnt, true, "withdrawn twice", func(b *bench) outcome {
			agreed(b)
			b.must(b.perform(b.withdrawal("P", 1, 1)))
			return b.perform(b.withdrawal("P", 1, 2))
		}},
		{trial.AccountUnused, true, "options without consent", func(b *bench) outcome {
			enrolled(b)
			return b.perform(b.options("P", 1, 1))
		}},
		{trial.WrongSequence, true, "a consent that is not first", func(b *bench) outcome {
			enrolled(b)
			t := b.consent("P", 1)
			t.Proven.Act.Sequence = 1
			return b.perform(t)
		}},
		{trial.WrongSequence, true, "options out of order", func(b *bench) outcome {
			agreed(b)
			return b.perform(b.options("P", 1, 2))
		}},
		{trial.WrongSequence, true, "a withdrawal out of order", func(b *bench) outcome {
			agreed(b)
			return b.perform(b.withdrawal("P", 1, 0))
		}},
		{trial.PassUsed, true, "another's pass", func(b *bench) outcome {
			agreed(b)
			b.must(b.enrol("Q", "A", 1))
			t := b.consent("Q", 1)
			t.Proven.Act.Pass = passOf("P", 1)
			return b.perform(t)
		}},
		{trial.PassBelowFloor, false, "a visit on a lapsed consent", func(b *bench) outcome {
			agreed(b)
			b.next(2, true, "A")
			b.now += 31 * day
			return b.enterEntry(b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1"), "A")
		}},
		{trial.SlotUsed, false, "a visit twice", func(b *bench) outcome {
			agreed(b)
			b.must(b.enterEntry(b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1"), "A"))
			return b.enterEntry(b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1"), "A")
		}},
		{trial.UnknownSlot, false, "a visit that is not planned", func(b *bench) outcome {
			agreed(b)
			return b.enterEntry(b.entry("P", 1, act.Visit, "A", "week-3", 0, "pass-1"), "A")
		}},
		{trial.UnknownSlot, false, "a dose at a visit without one", func(b *bench) outcome {
			agreed(b)
			return b.enterEntry(b.entry("P", 1, act.Dose, "A", "week-2", 0, "pass-1"), "A")
		}},
		{trial.UnknownSlot, false, "a visit in the slot of a dose", func(b *bench) outcome {
			agreed(b)
			return b.enterEntry(b.entry("P", 1, act.Visit, "A", trial.FirstDose, 0, "pass-1"), "A")
		}},
		{trial.NotRepeatable, false, "a first dose again", func(b *bench) outcome {
			agreed(b)
			return b.enterEntry(b.entry("P", 1, act.Dose, "A", trial.FirstDose, 1, "pass-1"), "A")
		}},
		{trial.NotEnrolled, true, "removing nobody", func(b *bench) outcome { return b.remove("P", "A", trial.ByWord) }},
		{trial.NotEnrolled, true, "replacing nobody", func(b *bench) outcome { return b.replace("P", "Q", "A", 1) }},
		{trial.NotEnrolled, true, "moving nobody", func(b *bench) outcome { return b.transfer("P", "A", "B") }},
		{trial.NotEnrolled, true, "withdrawing nobody", func(b *bench) outcome { return b.perform(b.withdrawal("P", 1, 0)) }},
		{trial.NotOwed, true, "withdrawn from what is not owed", func(b *bench) outcome {
			agreed(b)
			b.must(b.amend(2, true))
			return b.perform(b.withdrawal("P", 2, 0))
		}},
		{trial.NotActive, false, "moved after leaving", func(b *bench) outcome {
			agreed(b)
			b.must(b.remove("P", "A", trial.ByWord, said("1+")...))
			return b.transfer("P", "A", "B")
		}},
		{trial.NotActive, false, "replaced after leaving", func(b *bench) outcome {
			agreed(b)
			b.must(b.remove("P", "A", trial.ByWord, said("1+")...))
			return b.replace("P", "Q", "A", 1)
		}},
		{trial.NotAuthorised, true, "replaced by another site", func(b *bench) outcome {
			agreed(b)
			return b.replace("P", "Q", "B", 1, said("1+")...)
		}},
		{trial.StatementsWrong, false, "a version left out", func(b *bench) outcome {
			agreed(b)
			b.next(2, true, "A")
			return b.remove("P", "A", trial.ByWord, said("1+")...)
		}},
		{trial.StatementsWrong, false, "a version too many", func(b *bench) outcome {
			agreed(b)
			return b.remove("P", "A", trial.Ended, said("1+", "2-")...)
		}},
		{trial.StatementsWrong, false, "a version twice", func(b *bench) outcome {
			agreed(b)
			return b.remove("P", "A", trial.Ended, said("1+", "1-")...)
		}},
		{trial.Malformed, true, "statements unsorted", func(b *bench) outcome {
			agreed(b)
			return b.remove("P", "A", trial.Ended, said("2-", "1+")...)
		}},
		{trial.Malformed, true, "left by proof, said by word", func(b *bench) outcome { return b.remove("P", "A", trial.ByProof) }},
		{trial.NoWord, false, "correcting what was not said", func(b *bench) outcome {
			agreed(b)
			return b.correct("P", "A", 1, true)
		}},
		{trial.NoWord, false, "correcting what was proven", func(b *bench) outcome {
			agreed(b)
			b.must(b.perform(b.withdrawal("P", 1, 1)))
			return b.correct("P", "A", 1, false)
		}},
		{trial.NoChange, false, "correcting to the same", func(b *bench) outcome {
			agreed(b)
			b.must(b.remove("P", "A", trial.ByWord, said("1+")...))
			return b.correct("P", "A", 1, true)
		}},
		{trial.VersionSettled, true, "consent to a settled version", func(b *bench) outcome {
			enrolled(b)
			b.next(2, true, "A", "B")
			b.now += 60 * day
			return b.perform(b.consent("P", 1))
		}},
		{trial.VersionSettled, true, "giving up a settled version", func(b *bench) outcome {
			enrolled(b)
			b.next(2, true, "A", "B")
			b.now += 60 * day
			return b.perform(b.superseded("P", 1, 2))
		}},
		{trial.VersionSettled, false, "correcting a settled version", func(b *bench) outcome {
			enrolled(b)
			b.next(2, true, "A", "B")
			b.must(b.remove("P", "A", trial.ByWord, said("1-", "2-")...))
			b.now += 60 * day
			return b.correct("P", "A", 1, true)
		}},
		{trial.NotEligibleLeaf, true, "deviating who was not screened", func(b *bench) outcome {
			enrolled(b)
			return b.deviate("P", "A")
		}},
		{trial.AlreadyRandomised, false, "randomised twice", func(b *bench) outcome {
			b.must(b.screen("P", "A"))
			b.must(b.randomise("P", "A", 1))
			return b.randomise("P", "A", 1)
		}},
		{trial.AlreadyRandomised, false, "deviated twice", func(b *bench) outcome {
			b.must(b.screen("P", "A"))
			b.must(b.deviate("P", "A"))
			return b.deviate("P", "A")
		}},
		{trial.NoSuchVersion, true, "criteria of no version", func(b *bench) outcome {
			b.must(b.screen("P", "A"))
			return b.randomise("P", "A", 9)
		}},
		{trial.WrongForm, true, "another version's forms", func(b *bench) outcome {
			enrolled(b)
			t := b.consent("P", 1)
			t.Proven.Act.FormSet[0] ^= 1
			return b.perform(t)
		}},
		{trial.DayInFuture, false, "enrolled tomorrow", func(b *bench) outcome {
			e := b.enrolment("P", "A", 1)
			e.Proven.Act.Day++
			return b.send(contract.ConsentEnrol, e, "A1")
		}},
		{trial.DayTooEarly, false, "recorded too late", func(b *bench) outcome {
			e := b.enrolment("P", "A", 1)
			b.now += 2 * day
			return b.send(contract.ConsentEnrol, e, "A1")
		}},
		{trial.AlreadyLeft, false, "removed twice", func(b *bench) outcome {
			agreed(b)
			b.must(b.remove("P", "A", trial.ByWord, said("1+")...))
			return b.remove("P", "A", trial.Ended)
		}},
		{trial.SameSite, false, "moved nowhere", func(b *bench) outcome {
			agreed(b)
			return b.transfer("P", "A", "A")
		}},
		{trial.TreeFull, false, "no place left", func(b *bench) outcome {
			b.fill("N-1")
			return b.enrol("P", "A", 1)
		}},
		{trial.TreeFull, true, "no place for passes", func(b *bench) outcome {
			enrolled(b)
			b.fill("pass-1")
			return b.perform(b.consent("P", 1))
		}},
		{trial.TreeFull, false, "no place for the screened", func(b *bench) outcome {
			b.fill("eligible")
			return b.screen("P", "A")
		}},
		{trial.NotASuccessor, true, "given up for itself", func(b *bench) outcome {
			enrolled(b)
			return b.perform(b.superseded("P", 1, 1))
		}},
	}
}

func batchRefusals() []refused {
	// pair are two enrolled, each with a consent to version 1.
	pair := func(b *bench) (p, q consent.Act) {
		b.must(b.enrol("P", "A", 1))
		b.must(b.enrol("Q", "A", 1))
		return b.consent("P", 1), b.consent("Q", 1)
	}
	return []refused{
		{trial.Malformed, true, "a batch of nothing", func(b *bench) outcome { return b.batch(0) }},
		{trial.Malformed, true, "a batch too large", func(b *bench) outcome {
			p, _ := pair(b)
			return b.batch(0, slices.Repeat([]consent.Act{p}, consent.MaxBatch+1)...)
		}},
		{trial.Malformed, true, "an enrolment in a batch", func(b *bench) outcome {
			p, q := pair(b)
			q.Proven = b.enrolment("R", "A", 1).Proven
			return b.batch(0, p, q)
		}},
		{trial.NotAuthorised, true, "a batch from the node", func(b *bench) outcome {
			p, q := pair(b)
			return b.send(contract.ConsentBatch, consent.Batch{Acts: []consent.Act{p, q}}, "node")
		}},
		{trial.ExpiredActor, true, "a batch from a batcher that was revoked", func(b *bench) outcome {
			p, q := pair(b)
			b.must(b.revoke("batcher", "regulator"))
			return b.batch(0, p, q)
		}},
		{trial.UnknownTrial, true, "an act for another trial in a batch", func(b *bench) outcome {
			p, q := pair(b)
			q.Proven.Act.Trial[0] ^= 1
			return b.batch(0, p, q)
		}},
		{trial.WrongLedger, true, "an act for another ledger in a batch", func(b *bench) outcome {
			p, q := pair(b)
			q.Proven.Act.Ledger[0] ^= 1
			return b.batch(0, p, q)
		}},
		{trial.ProofInvalid, true, "a false proof in a batch", func(b *bench) outcome {
			p, q := pair(b)
			q.Proven.Proof = badProof
			return b.batch(0, p, q)
		}},
		{trial.EpochInFuture, true, "a batch of tomorrow", func(b *bench) outcome {
			p, q := pair(b)
			return b.batch(b.epoch()+1, p, q)
		}},
		{trial.EpochNotLater, true, "a second batch of an epoch", func(b *bench) outcome {
			p, q := pair(b)
			b.must(b.batch(b.epoch(), p))
			return b.batch(b.epoch(), q)
		}},
		{trial.EpochNotLater, true, "the same batch again", func(b *bench) outcome {
			p, q := pair(b)
			b.must(b.batch(b.epoch(), p, q))
			return b.batch(b.epoch(), p, q)
		}},
		{trial.PassUsed, true, "one pass twice in a batch", func(b *bench) outcome {
			p, q := pair(b)
			q.Proven.Act.Pass = p.Proven.Act.Pass
			return b.batch(b.epoch(), p, q)
		}},
		{trial.TreeFull, true, "more passes in a batch than places", func(b *bench) outcome {
			p, q := pair(b)
			b.fillBut("pass-1", 1)
			return b.batch(b.epoch(), p, q)
		}},
		{trial.WrongSequence, true, "an act in a batch that leaves one out", func(b *bench) outcome {
			p, q := pair(b)
			return b.batch(b.epoch(), p, q, b.options("P", 1, 2))
		}},
		{trial.RootExpired, true, "a batch that is late", func(b *bench) outcome {
			p, q := pair(b)
			b.now += 2 * hour
			b.must(b.enrol("R", "A", 1))
			b.now += 100 * day
			return b.batch(b.epoch(), p, q)
		}},
	}
}

func countersignRefusals() []refused {
	return []refused{
		{trial.Malformed, true, "no countersign table", func(b *bench) outcome {
			t := b.countersigned("A", 0, 1)
			t.Table = trial.Commitment{}
			return b.send(contract.ConsentCountersign, t, "A1")
		}},
		{trial.UnknownDelegate, true, "countersigned by another site's person", func(b *bench) outcome {
			return b.send(contract.ConsentCountersign, b.countersigned("A", 0, 1), "B1")
		}},
		{trial.UnknownDelegate, true, "countersigned by the site's key", func(b *bench) outcome {
			return b.send(contract.ConsentCountersign, b.countersigned("A", 0, 1), "A")
		}},
		{trial.SiteNotOpen, false, "countersigned where nothing is open", func(b *bench) outcome { return b.countersign("C", 0, 1) }},
		{trial.EpochInFuture, false, "countersigned for tomorrow", func(b *bench) outcome { return b.countersign("A", b.epoch()+1, 1) }},
		{trial.EpochNotLater, false, "countersigned twice in an epoch", func(b *bench) outcome {
			b.must(b.countersign("A", b.epoch(), 1))
			return b.countersign("A", b.epoch(), 2)
		}},
		{trial.TotalFell, false, "an entry of the countersign table vanished", func(b *bench) outcome {
			b.must(b.countersign("A", b.epoch(), 2))
			b.now += hour
			return b.countersign("A", b.epoch(), 1)
		}},
		{trial.DayInFuture, false, "a countersign table of tomorrow", func(b *bench) outcome {
			t := b.countersigned("A", 0, 1)
			t.Day++
			return b.send(contract.ConsentCountersign, t, "A1")
		}},
		{trial.DayTooEarly, false, "a countersign table of an earlier day", func(b *bench) outcome {
			b.must(b.countersign("A", b.epoch(), 1))
			b.now += hour
			t := b.countersigned("A", b.epoch(), 1)
			t.Day--
			return b.send(contract.ConsentCountersign, t, "A1")
		}},
	}
}

// fill makes a tree say that all its places are used.
func (b *bench) fill(tree string) { b.fillBut(tree, 0) }

// fillBut leaves a tree that many places.
func (b *bench) fillBut(tree string, left uint64) {
	state.Put(b.stream, []byte("consent/root/"+tree+"\x00"), struct {
		_      struct{} `cbor:",toarray"`
		Root   field.Root
		Since  uint64
		Size   uint64
		Hashed uint64
		Height uint64
	}{Root: field.Root{1}, Size: 1<<21 - left, Hashed: 1<<21 - left})
}

func (b *bench) screen(person, at string) outcome {
	a := b.act(act.Screen, 0)
	a.Site, a.Person, a.Day = site(at), actor(at+"1"), trial.DayOf(b.now)
	l := screenedOf(person)
	t := consent.Screen{Leaf: l, Proven: consent.Proven{Act: a, Account: accountOf(l, &a)}}
	return b.send(contract.ConsentScreen, t, at+"1")
}

func (b *bench) randomise(person, at string, v trial.Version) outcome {
	a := b.act(act.Eligible, v)
	a.Site, a.Person, a.Day = site(at), actor(at+"1"), trial.DayOf(b.now)
	t := consent.Randomise{Proven: consent.Proven{Act: a, Account: accountOf(screenedOf(person), &a), Root: b.root("eligible")}}
	return b.send(contract.ConsentRandomise, t, at+"1")
}

func (b *bench) deviate(person, at string) outcome {
	t := consent.Deviate{Leaf: screenedOf(person), Version: 1, Day: trial.DayOf(b.now), Criterion: "age", Reason: trial.Commitment{4}}
	return b.send(contract.ConsentDeviate, t, at+"1", at+"2")
}
