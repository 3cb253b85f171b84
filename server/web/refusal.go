package web

import "github.com/trialith/trialith/trial"

// refusalMeaning says what a refusal code means. A refused transaction keeps
// its hash and code alone, so the words that it was refused with are gone.
func refusalMeaning(code trial.Code) string {
	if m, ok := refusals[code]; ok {
		return m
	}
	return "This code is newer than this server: it has no words for it."
}

var refusals = map[trial.Code]string{
	trial.Malformed:       "The transaction did not have the form that its kind asks for.",
	trial.UnknownKind:     "There is no such kind of transaction.",
	trial.UnknownKey:      "The key it was signed with is not in the directory.",
	trial.BadSignature:    "A signature on it does not verify.",
	trial.NotAuthorised:   "Whoever signed it has no right to do this.",
	trial.NeedsSecond:     "It needs the signature of a second person, and had none.",
	trial.WrongStream:     "It was sent to a stream where it does not belong.",
	trial.ProofInvalid:    "Its zero-knowledge proof does not verify.",
	trial.ExpiredActor:    "Whoever signed it was not serving any more.",
	trial.UnknownTrial:    "It names a study that is not registered.",
	trial.WrongLedger:     "It was made for another ledger.",
	trial.UnknownDelegate: "The site had not delegated this to the person who signed it.",

	trial.ActorExists:   "The actor is registered already.",
	trial.KeyExists:     "The key is in use already.",
	trial.NoSuchActor:   "It names an actor that is not registered.",
	trial.NoPossession:  "The holder of the new key did not sign for it.",
	trial.AlreadyEnded:  "What it would end has ended already.",
	trial.WrongRole:     "The actor it names does not have the role needed.",
	trial.NoSuchPerson:  "It names a person whom this site does not have.",
	trial.AlreadyActing: "The person is delegated already.",

	trial.TrialExists:      "The study is registered already; it can only be amended.",
	trial.NoSuchVersion:    "It names a version that is not registered.",
	trial.NotNextVersion:   "The version it registers is not the next one.",
	trial.NoChange:         "The amendment changes nothing.",
	trial.NotApproved:      "An ethics committee has not approved this.",
	trial.AlreadyOpen:      "The version is open at this site already.",
	trial.LaterVersionOpen: "A later version is open at this site already.",
	trial.VersionEnded:     "The version has ended.",
	trial.AlreadyDecided:   "The ethics committee has decided this already.",
	trial.UnknownForm:      "The version has no such consent form.",
	trial.AlreadyOpened:    "The version has opened somewhere, so whom it affects is fixed.",

	trial.SiteNotOpen:       "The version is not open at this site.",
	trial.OutdatedVersion:   "The version is outdated at this site: a later one is past its deadline there.",
	trial.NotYetEffective:   "The version is not in force yet.",
	trial.LeafUsed:          "The leaf was used before.",
	trial.UnknownRoot:       "The proof was made against a list of leaves that the ledger never had.",
	trial.RootExpired:       "The proof was made against a list of leaves that is too old.",
	trial.AccountUsed:       "This consent account was used already: nobody consents twice.",
	trial.AccountBurnt:      "This consent account belongs to somebody who has withdrawn.",
	trial.AccountUnused:     "There is no consent under this account that could be changed.",
	trial.WrongSequence:     "Another act under the same account came first.",
	trial.PassUsed:          "The pass was used before.",
	trial.PassBelowFloor:    "The consent shown is to a version that is not enough at this site any more: no current consent.",
	trial.SlotUsed:          "This participant’s visit or dose is recorded already.",
	trial.UnknownSlot:       "The protocol has no such visit or dose.",
	trial.NotRepeatable:     "This visit or dose happens once.",
	trial.NotEnrolled:       "The leaf is not enrolled in this study.",
	trial.NotOwed:           "The leaf does not owe consent to this version.",
	trial.NotActive:         "The leaf is not active any more.",
	trial.StatementsWrong:   "The site’s statements do not match the versions that are still open for this leaf.",
	trial.NoWord:            "There is no statement of the site’s that could be corrected.",
	trial.VersionSettled:    "The version’s count is settled and cannot change any more.",
	trial.NotEligibleLeaf:   "The leaf is not among those whose screening was attested.",
	trial.AlreadyRandomised: "This participant is randomised already.",
	trial.WrongForm:         "The consent names forms that are not those of the version.",
	trial.DayInFuture:       "The day it names has not come yet.",
	trial.DayTooEarly:       "The day it names is too long ago.",
	trial.AlreadyLeft:       "The leaf has left already.",
	trial.SameSite:          "The leaf belongs to that site already.",
	trial.TreeFull:          "The set has no place left.",
	trial.NotASuccessor:     "The later version does not stand in for the earlier one.",
}
