package problem

import (
	"fmt"

	"github.com/trialith/trialith/trial"
)

// Meaning says in a few words what a refusal code means; "" for none. The words
// may improve; the codes are part of consensus.
func Meaning(c trial.Code) string {
	if c == 0 {
		return ""
	}
	if s, ok := meanings[c]; ok {
		return s
	}
	return fmt.Sprintf("refused with code %d", c)
}

var meanings = map[trial.Code]string{
	trial.Malformed:       "the transaction has not the form of its kind",
	trial.UnknownKind:     "there is no such kind of transaction",
	trial.UnknownKey:      "the signer's key is not in the directory",
	trial.BadSignature:    "a signature does not verify",
	trial.NotAuthorised:   "the signer has no right to do this",
	trial.NeedsSecond:     "a second person's signature is missing",
	trial.WrongStream:     "sent to the wrong stream",
	trial.ProofInvalid:    "the proof does not verify",
	trial.ExpiredActor:    "the signer's right has ended",
	trial.UnknownTrial:    "the trial is not registered",
	trial.WrongLedger:     "made for another ledger",
	trial.UnknownDelegate: "the site had not delegated this to the signer",

	trial.ActorExists:   "the actor is registered already",
	trial.KeyExists:     "the key is registered already",
	trial.NoSuchActor:   "the actor is not registered",
	trial.NoPossession:  "the new key has not signed for itself",
	trial.AlreadyEnded:  "it has ended already",
	trial.WrongRole:     "the actor has another role",
	trial.NoSuchPerson:  "the person is not of this site",
	trial.AlreadyActing: "the person is delegated already",

	trial.TrialExists:      "the trial is registered already",
	trial.NoSuchVersion:    "the version is not registered",
	trial.NotNextVersion:   "not the next version",
	trial.NoChange:         "it changes nothing",
	trial.NotApproved:      "ethics has not approved it",
	trial.AlreadyOpen:      "the version is open there already",
	trial.LaterVersionOpen: "a later version is open there",
	trial.VersionEnded:     "the version has ended",
	trial.AlreadyDecided:   "ethics has decided already",
	trial.UnknownForm:      "the version has no such form",
	trial.AlreadyOpened:    "the version has opened somewhere",
	trial.UnknownPhase:     "the protocol in force has no such phase",
	trial.PhaseComplete:    "the phase is complete already",
	trial.PhaseOutOfOrder:  "an earlier phase is not complete",
	trial.PlanLocked:       "this analysis plan is locked already",

	trial.SiteNotOpen:       "the version is not open at this site",
	trial.OutdatedVersion:   "a later version is past its deadline at this site",
	trial.NotYetEffective:   "the version is not in force yet",
	trial.LeafUsed:          "the leaf was used before",
	trial.UnknownRoot:       "the proof's root was never this tree's",
	trial.RootExpired:       "the proof's root is too old",
	trial.AccountUsed:       "the consent account was used before",
	trial.AccountBurnt:      "the participant has withdrawn",
	trial.AccountUnused:     "the account has not consented",
	trial.WrongSequence:     "another act of the account came first",
	trial.PassUsed:          "the pass was used before",
	trial.PassBelowFloor:    "no current consent: this site needs one to a later version",
	trial.SlotUsed:          "this participant's visit or dose is recorded already",
	trial.UnknownSlot:       "the protocol has no such visit",
	trial.NotRepeatable:     "the visit is not repeatable",
	trial.NotEnrolled:       "the leaf is not enrolled",
	trial.NotOwed:           "the leaf does not owe consent to this version",
	trial.NotActive:         "the leaf has left",
	trial.StatementsWrong:   "the statements are not on the versions that are unsettled",
	trial.NoWord:            "there is no word to correct",
	trial.VersionSettled:    "the version is settled",
	trial.NotEligibleLeaf:   "the leaf was not attested after screening",
	trial.AlreadyRandomised: "randomised before",
	trial.WrongForm:         "the forms are not this version's",
	trial.DayInFuture:       "the day is in the future",
	trial.DayTooEarly:       "the day is too long ago",
	trial.AlreadyLeft:       "the leaf has left already",
	trial.SameSite:          "the leaf is at this site",
	trial.TreeFull:          "the tree is full",
	trial.NotASuccessor:     "the other version is not later",
	trial.EpochInFuture:     "the epoch has not begun",
	trial.EpochNotLater:     "one of this epoch, or of a later one, was sent before",
	trial.TotalFell:         "the total of countersigned forms cannot become less",

	trial.ReportExists:    "the report is entered already",
	trial.NoSuchReport:    "the report is not entered in this trial",
	trial.UnknownBoundary: "the boundary is not registered, or the look was not at it",
	trial.ReasonMissing:   "a lower assessment needs a reason, and nothing else has one",
	trial.DayNotOver:      "the day is not over",
	trial.DayClosed:       "the day is closed already",
	trial.ExposureFell:    "exposure cannot become less",
	trial.ExposureMissing: "a site has not closed the day",
	trial.BoardMissing:    "a look commits to arms just where a boundary is by arm",
	trial.StillBlinded:    "the study is not unblinded yet",
	trial.NoSuchLook:      "there is no such look",
	trial.LookOpen:        "the look is open already",
	trial.LookOutOfOrder:  "an earlier look is still sealed",
	trial.OpeningWrong:    "not what the look committed to",
	trial.OpeningShape:    "the opening is not of this look's days, arms and boundaries",
	trial.SumsDiffer:      "the arms do not add up to what was reported",
	trial.FlagUnanswered:  "the monitoring board has not answered a flag in its days",
	trial.BoardHolds:      "the monitoring board holds enrolment and first doses",
	trial.LookTooLong:     "the look is about too many days at once",

	trial.DatasetLocked:    "the data are locked up to this cut",
	trial.NotCommitted:     "the dataset is not committed at this cut",
	trial.AlreadyLocked:    "the dataset is locked already",
	trial.AlreadyUnblinded: "the study is unblinded already",

	trial.NoSuchCut:         "no such data cut was made",
	trial.NoSuchStage:       "no such results package is staged",
	trial.AlreadyReleased:   "the results are released already",
	trial.IsCorrection:      "a correction needs a reason",
	trial.NotOverdue:        "the results are not overdue",
	trial.SponsorsCustodian: "a custodian is not of the sponsor's organisation",
	trial.SameOrganisation:  "custodians are of different organisations",
	trial.AlreadyHeld:       "the custodian has said so already",
	trial.PackageDiffers:    "not the package that is staged",
	trial.NotReleased:       "the results are not released",
	trial.NotStanding:       "other results stand in their place, or they are retracted",
	trial.NoCorrection:      "the package corrects no released one",

	trial.Reserved:    "it would write what is the ledger's own",
	trial.BadRotation: "not a rotation of the node's present key",
	trial.Expired:     "its expiry had come when its block was made",
	trial.Duplicate:   "its signer used its idempotency key before",
	trial.TooLarge:    "its effects are larger than the ledger keeps",
}
