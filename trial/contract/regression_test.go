package contract_test

import (
	"testing"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/safety"
)

// Holes that a review found, each closed. None may open again.

// refuses asks for a refusal with a code.
func (b *bench) refuses(what string, o outcome, want trial.Code) {
	b.tb.Helper()
	if o.Code != want {
		b.tb.Errorf("%s: code %d (%s), want %d", what, o.Code, o.Text, want)
	}
}

func (b *bench) revokeSite(at, by string, with ...string) outcome {
	return b.send(contract.DirectoryRevoke, directory.Revoke{Actor: actor(at)}, by, with...)
}

// TestRegressionRivalRevokesSite: any sponsor revoked any site.
func TestRegressionRivalRevokesSite(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.must(b.register("rival", trial.Sponsor, "regulator"))
	b.refuses("a rival sponsor", b.revokeSite("A", "rival"), trial.NotAuthorised)
	b.refuses("a rival sponsor with ethics", b.revokeSite("A", "rival", "ethics"), trial.NotAuthorised)
	b.refuses("another site", b.revokeSite("A", "B", "ethics"), trial.NotAuthorised)
	b.refuses("its sponsor alone", b.revokeSite("A", "sponsor"), trial.NeedsSecond)
	b.must(b.enrol("P", "A", 1))
	b.must(b.revokeSite("A", "sponsor", "ethics"))
	b.must(b.revokeSite("B", "B"))
	b.must(b.revokeSite("C", "regulator"))
	b.must(b.revoke("C1", "regulator"))
}

// TestRegressionRevokedSiteStops: the people of a revoked site enrolled and
// dosed on.
func TestRegressionRevokedSiteStops(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.enrol("Q", "A", 1))
	b.must(b.revokeSite("A", "sponsor", "ethics"))
	b.refuses("enrolment", b.enrol("R", "A", 1), trial.UnknownDelegate)
	b.refuses("a visit", b.enterEntry(b.entry("P", 1, act.Visit, "A", "week-2", 0, "pass-1"), "A"), trial.UnknownDelegate)
	b.refuses("unblinding one", b.unblindOne("A", "A1"), trial.UnknownDelegate)
	// Nobody loses the right to answer: the node admits acts, not the site.
	b.must(b.perform(b.consent("Q", 1)))
	b.must(b.enrol("S", "B", 1))
}

// TestRegressionForeignEthics: a second committee, bound to another trial or to
// none, took back what the first had decided and approved the version itself.
func TestRegressionForeignEthics(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.must(b.register("ethics2", trial.Ethics, "regulator"))
	b.must(b.enrol("P", "A", 1))
	b.must(b.amend(2, true))
	b.must(b.classify(2, true))
	judge := func(existing bool, by string, with ...string) outcome {
		t := protocol.Classify{Version: 2, Substantial: existing, Existing: existing, Reason: "r"}
		return b.send(contract.ProtocolClassify, t, by, with...)
	}
	approve := protocol.Approve{Version: 2, Form: "main", Approved: true}
	b.refuses("a foreign judgement", judge(false, "ethics2"), trial.NotAuthorised)
	b.refuses("a foreign approval", b.send(contract.ProtocolApprove, approve, "ethics2"), trial.NotAuthorised)
	b.refuses("with the sponsor", b.send(contract.ProtocolApprove, approve, "ethics2", "sponsor"), trial.NotAuthorised)

	b.must(judge(true, "ethics2", "ethics")) // joins
	b.refuses("the second weakens", judge(false, "ethics2"), trial.NotAuthorised)
	b.refuses("the first weakens what the second decided too", judge(false, "ethics"), trial.NotAuthorised)
	b.must(judge(false, "ethics", "ethics2"))
	b.must(judge(true, "ethics"))
	b.refuses("the second weakens what the first decided", judge(false, "ethics2"), trial.NotAuthorised)
	b.must(judge(false, "ethics"))
	b.must(judge(true, "ethics"))
	b.must(b.send(contract.ProtocolApprove, approve, "ethics2"))
	if n := len(protocol.Committees(b.stream)); n != 2 {
		t.Errorf("%d committees", n)
	}
}

// TestRegressionForeignBoard: the board of any trial looked, decided and
// unblinded.
func TestRegressionForeignBoard(t *testing.T) {
	t.Parallel()
	w := watched(t)
	for _, name := range []string{"data chair", "data member"} { // another trial's board
		w.must(w.register(name, trial.DSMB, "regulator"))
	}
	w.day(3)
	w.must(w.expose("A", 2, 10, 10))
	w.must(w.expose("B", 2, 10, 10))
	look := safety.Look{AsOf: first + 2, Board: trial.Commitment{9}, Sealed: make([]byte, safety.SealedBytes)}
	decide := safety.Decide{Look: 1, Boundary: "all", Decision: trial.Stop, Reason: "r"}
	unblind := dataset.Unblind{Allocation: trial.Commitment{1}}
	foreign := func(kind tx.Kind, body any) {
		t.Helper()
		w.refuses("a foreign member", w.send(kind, body, "data chair", "data member"), trial.NotAuthorised)
		w.refuses("a foreign member with one of ours", w.send(kind, body, "data chair", "chair"), trial.NotAuthorised)
	}
	foreign(contract.SafetyLook, look)
	w.must(w.look(2))
	foreign(contract.SafetyDecide, decide)
	foreign(contract.DatasetUnblind, unblind)
	w.refuses("decided with a foreign member", w.send(contract.SafetyDecide, decide, "chair", "data member"), trial.NeedsSecond)
	w.refuses("unblinded with a foreign member", w.send(contract.DatasetUnblind, unblind, "chair", "data member"), trial.NeedsSecond)

	w.must(w.appoint("data chair", "member")) // replaces
	w.refuses("who was replaced", w.send(contract.SafetyDecide, decide, "chair", "member"), trial.NotAuthorised)
	w.must(w.send(contract.DatasetUnblind, unblind, "data chair", "member"))
	w.refuses("who was replaced opens", w.send(contract.SafetyOpenLook, safety.OpenLook{Look: 1}, "chair"), trial.NotAuthorised)
}

// TestRegressionBoardBindsEthics: where no committee has decided yet, the one
// that appoints the board with the sponsor is bound, and no other after it.
func TestRegressionBoardBindsEthics(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(b.registerTrial())
	b.must(b.register("ethics2", trial.Ethics, "regulator"))
	b.board()
	approve := protocol.Approve{Version: 1, Form: "main", Approved: true}
	b.refuses("another committee", b.send(contract.ProtocolApprove, approve, "ethics2"), trial.NotAuthorised)
	appoint := protocol.Appoint{Board: boardOf("chair", "member")}
	b.refuses("a board by another committee", b.send(contract.ProtocolAppoint, appoint, "sponsor", "ethics2"), trial.NeedsSecond)
	b.must(b.send(contract.ProtocolApprove, approve, "ethics"))
	b.must(b.revoke("member", "regulator"))
	b.refuses("a member who was revoked", b.send(contract.ProtocolAppoint, appoint, "sponsor", "ethics"), trial.NoSuchActor)
}

// TestRegressionLapsedElsewhere: who lapsed at A was entered at a site where
// version 1 never opened, on a consent to version 1. At B, which still uses
// version 1, that consent is current: the rules bind a consent to no site.
func TestRegressionLapsedElsewhere(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.must(b.enrol("Q", "A", 1))
	b.must(b.perform(b.consent("Q", 1)))
	b.next(2, true, "A")
	b.must(b.open(2, "C"))
	visit := func(person, at, slot, tree string) outcome {
		return b.enterEntry(b.entry(person, 1, act.Visit, at, slot, 0, tree), at)
	}
	b.now += 31 * day
	b.refuses("at A", visit("P", "A", "week-2", "pass-1"), trial.PassBelowFloor)
	b.refuses("at C", visit("P", "C", "rescue", "pass-1"), trial.PassBelowFloor)
	b.must(visit("P", "B", "week-2", "pass-1"))
}

// TestRegressionFirstOpenedIsTheFloor: before any deadline too.
func TestRegressionFirstOpenedIsTheFloor(t *testing.T) {
	t.Parallel()
	b := treated(t)
	b.next(2, false, "C")
	b.refuses("at C", b.enterEntry(b.entry("P", 1, act.Visit, "C", "rescue", 0, "pass-1"), "C"), trial.PassBelowFloor)
	b.now += day
	b.must(b.enrol("T", "C", 2))
	b.must(b.perform(b.consent("T", 2)))
	b.must(b.enterEntry(b.entry("T", 2, act.Visit, "C", "week-2", 0, "pass-2"), "C"))
}

// TestRegressionPharmacist: a pharmacist was delegated enrolling.
func TestRegressionPharmacist(t *testing.T) {
	t.Parallel()
	b := started(t)
	b.must(b.register("A7", trial.Pharmacist, "A"))
	b.refuses("enrolling", b.delegate("A", "A7", trial.Enrolling), trial.WrongRole)
	b.refuses("countersigning", b.delegate("A", "A7", trial.Recording, trial.Countersigning), trial.WrongRole)
	b.must(b.delegate("A", "A7", trial.Recording))
}
