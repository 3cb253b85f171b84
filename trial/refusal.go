package trial

import "fmt"

// Code is why a rule refused. Codes are numbered, append-only and part of
// consensus; their texts are not, and may improve.
type Code uint16

// The refusals, by family of rules. Never renumber; append.
const (
	// Form and authority: such a transaction never enters the ledger, unless
	// its signer's right ended in the same block.
	Malformed       Code = 1
	UnknownKind     Code = 2
	UnknownKey      Code = 3
	BadSignature    Code = 4
	NotAuthorised   Code = 5
	NeedsSecond     Code = 6
	WrongStream     Code = 7
	ProofInvalid    Code = 8
	ExpiredActor    Code = 9
	UnknownTrial    Code = 10
	WrongLedger     Code = 11
	UnknownDelegate Code = 12

	// Directory.
	ActorExists   Code = 100
	KeyExists     Code = 101
	NoSuchActor   Code = 102
	NoPossession  Code = 103
	AlreadyEnded  Code = 104
	WrongRole     Code = 105
	NoSuchPerson  Code = 106
	AlreadyActing Code = 107

	// Protocol.
	TrialExists      Code = 200
	NoSuchVersion    Code = 201
	NotNextVersion   Code = 202
	NoChange         Code = 203
	NotApproved      Code = 204
	AlreadyOpen      Code = 205
	LaterVersionOpen Code = 206
	VersionEnded     Code = 207
	AlreadyDecided   Code = 208
	UnknownForm      Code = 209
	AlreadyOpened    Code = 210
	UnknownPhase     Code = 211
	PhaseComplete    Code = 212
	PhaseOutOfOrder  Code = 213
	PlanLocked       Code = 214

	// Consent.
	SiteNotOpen       Code = 300
	OutdatedVersion   Code = 301
	NotYetEffective   Code = 302
	LeafUsed          Code = 303
	UnknownRoot       Code = 304
	RootExpired       Code = 305
	AccountUsed       Code = 306
	AccountBurnt      Code = 307
	AccountUnused     Code = 308
	WrongSequence     Code = 309
	PassUsed          Code = 310
	PassBelowFloor    Code = 311
	SlotUsed          Code = 312
	UnknownSlot       Code = 313
	NotRepeatable     Code = 314
	NotEnrolled       Code = 315
	NotOwed           Code = 316
	NotActive         Code = 317
	StatementsWrong   Code = 318
	NoWord            Code = 319
	VersionSettled    Code = 320
	NotEligibleLeaf   Code = 321
	AlreadyRandomised Code = 322
	WrongForm         Code = 323
	DayInFuture       Code = 324
	DayTooEarly       Code = 325
	AlreadyLeft       Code = 326
	SameSite          Code = 327
	TreeFull          Code = 328
	NotASuccessor     Code = 329
	EpochInFuture     Code = 330
	EpochNotLater     Code = 331
	TotalFell         Code = 332

	// Safety.
	ReportExists    Code = 400
	NoSuchReport    Code = 401
	UnknownBoundary Code = 402
	ReasonMissing   Code = 403
	DayNotOver      Code = 404
	DayClosed       Code = 405
	ExposureFell    Code = 406
	ExposureMissing Code = 407
	BoardMissing    Code = 408
	StillBlinded    Code = 409
	NoSuchLook      Code = 410
	LookOpen        Code = 411
	LookOutOfOrder  Code = 412
	OpeningWrong    Code = 413
	OpeningShape    Code = 414
	SumsDiffer      Code = 415
	FlagUnanswered  Code = 416
	BoardHolds      Code = 417
	LookTooLong     Code = 418

	// Data.
	DatasetLocked    Code = 500
	NotCommitted     Code = 501
	AlreadyLocked    Code = 502
	AlreadyUnblinded Code = 503

	// Publication.
	NoSuchCut         Code = 600
	NoSuchStage       Code = 601
	AlreadyReleased   Code = 602
	IsCorrection      Code = 603
	NotOverdue        Code = 604
	SponsorsCustodian Code = 605
	SameOrganisation  Code = 606
	AlreadyHeld       Code = 607
	PackageDiffers    Code = 608
	NotReleased       Code = 609
	NotStanding       Code = 610
	NoCorrection      Code = 611

	// The engine's own: no rule gives them.
	Reserved    Code = 65531
	BadRotation Code = 65532
	Expired     Code = 65533
	Duplicate   Code = 65534
	TooLarge    Code = 65535
)

// Refusal is a rule's no: a code for machines, a sentence for people that names
// the field, the rule and the remedy.
type Refusal struct {
	Code Code
	Text string
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused (%d): %s", r.Code, r.Text) }

// Refuse makes a refusal.
func Refuse(code Code, format string, args ...any) error {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}
