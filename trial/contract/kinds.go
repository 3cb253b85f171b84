package contract

import (
	"fmt"
	"sync"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/dataset"
	"github.com/trialith/trialith/trial/directory"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/protocol"
	"github.com/trialith/trialith/trial/publication"
	"github.com/trialith/trialith/trial/safety"
)

// The kinds of transaction. Never renumber; append.
const (
	DirectoryRegister      tx.Kind = 1
	DirectoryRotate        tx.Kind = 2
	DirectoryRevoke        tx.Kind = 3
	DirectoryDelegate      tx.Kind = 4
	DirectoryEndDelegation tx.Kind = 5

	ProtocolRegister tx.Kind = 16
	ProtocolAmend    tx.Kind = 17
	ProtocolApprove  tx.Kind = 18
	ProtocolClassify tx.Kind = 19
	ProtocolOpen     tx.Kind = 20

	ProtocolCompletePhase tx.Kind = 21
	ProtocolLockPlan      tx.Kind = 22
	ProtocolAppoint       tx.Kind = 23

	ConsentEnrol     tx.Kind = 32
	ConsentAct       tx.Kind = 33
	ConsentEntry     tx.Kind = 34
	ConsentRemove    tx.Kind = 35
	ConsentCorrect   tx.Kind = 36
	ConsentReplace   tx.Kind = 37
	ConsentTransfer  tx.Kind = 38
	ConsentScreen    tx.Kind = 39
	ConsentRandomise tx.Kind = 40
	ConsentDeviate   tx.Kind = 41

	ConsentBatch       tx.Kind = 42
	ConsentCountersign tx.Kind = 43

	SafetyReport   tx.Kind = 48
	SafetyFollowUp tx.Kind = 49
	SafetyExposure tx.Kind = 50
	SafetyLook     tx.Kind = 51
	SafetyOpenLook tx.Kind = 52
	SafetyDecide   tx.Kind = 53

	DatasetCommit     tx.Kind = 64
	DatasetLock       tx.Kind = 65
	DatasetUnblind    tx.Kind = 66
	DatasetUnblindOne tx.Kind = 67

	PublicationCut     tx.Kind = 80
	PublicationStage   tx.Kind = 81
	PublicationHeld    tx.Kind = 82
	PublicationRelease tx.Kind = 83
	PublicationPin     tx.Kind = 84
	PublicationCorrect tx.Kind = 85
	PublicationRetract tx.Kind = 86
)

// Kind is a row of the table of transactions.
type Kind struct {
	Number    tx.Kind
	Name      string
	Directory bool // belongs to the directory's stream, else to a trial's
	read      func([]byte) (any, error)
	rule      func(body any) rule
}

// rule is one transaction, bound to the state it asks and writes.
type rule struct {
	check     func() error
	claims    func(*world) ([]*verifier.Item, error) // nil: needs no proof
	place     func(claim int, err error) error       // says of which claim a refusal is; nil: there is but one
	authorise func(*world, trial.Context) error
	validate  func(*world, trial.Context) error
	apply     func(*world, trial.Context) []event.Event
}

// transaction is what each body of a rule package can do with a state S.
type transaction[S any] interface {
	Check() error
	Authorise(S, trial.Context) error
	Validate(S, trial.Context) error
	Apply(S, trial.Context) []event.Event
}

// claimer is a body that carries a proof, and alone says of what.
type claimer interface {
	Claim() (*verifier.Item, error)
}

// batch is a body that carries many.
type batch interface {
	Claims() ([]*verifier.Item, error)
}

// criterion is a body whose proof is of what the ledger says.
type criterion interface {
	ClaimIn(consent.State) (*verifier.Item, error)
}

// kinds is the table, in the order of the numbers.
var kinds = []Kind{
	row[directory.Register](DirectoryRegister, "directory.register", asDirectory),
	row[directory.Rotate](DirectoryRotate, "directory.rotate", asDirectory),
	row[directory.Revoke](DirectoryRevoke, "directory.revoke", asDirectory),
	row[directory.Delegate](DirectoryDelegate, "directory.delegate", asDirectory),
	row[directory.EndDelegation](DirectoryEndDelegation, "directory.end-delegation", asDirectory),

	row[protocol.Register](ProtocolRegister, "protocol.register", asProtocol),
	row[protocol.Amend](ProtocolAmend, "protocol.amend", asProtocol),
	row[protocol.Approve](ProtocolApprove, "protocol.approve", asProtocol),
	row[protocol.Classify](ProtocolClassify, "protocol.classify", asProtocol),
	row[protocol.Open](ProtocolOpen, "protocol.open", asProtocol),
	row[protocol.CompletePhase](ProtocolCompletePhase, "protocol.complete-phase", asProtocol),
	row[protocol.LockPlan](ProtocolLockPlan, "protocol.lock-plan", asProtocol),
	row[protocol.Appoint](ProtocolAppoint, "protocol.appoint", asProtocol),

	row[consent.Enrol](ConsentEnrol, "consent.enrol", asConsent),
	row[consent.Act](ConsentAct, "consent.act", asConsent),
	row[consent.Entry](ConsentEntry, "consent.entry", asConsent),
	row[consent.Remove](ConsentRemove, "consent.remove", asConsent),
	row[consent.Correct](ConsentCorrect, "consent.correct", asConsent),
	row[consent.Replace](ConsentReplace, "consent.replace", asConsent),
	row[consent.Transfer](ConsentTransfer, "consent.transfer", asConsent),
	row[consent.Screen](ConsentScreen, "consent.screen", asConsent),
	row[consent.Randomise](ConsentRandomise, "consent.randomise", asConsent),
	row[consent.Deviate](ConsentDeviate, "consent.deviate", asConsent),
	row[consent.Batch](ConsentBatch, "consent.batch", asConsent),
	row[consent.Countersign](ConsentCountersign, "consent.countersign", asConsent),

	row[safety.Report](SafetyReport, "safety.report", asSafety),
	row[safety.FollowUp](SafetyFollowUp, "safety.follow-up", asSafety),
	row[safety.Exposure](SafetyExposure, "safety.exposure", asSafety),
	row[safety.Look](SafetyLook, "safety.look", asSafety),
	row[safety.OpenLook](SafetyOpenLook, "safety.open-look", asSafety),
	row[safety.Decide](SafetyDecide, "safety.decide", asSafety),

	row[dataset.Commit](DatasetCommit, "dataset.commit", asDataset),
	row[dataset.Lock](DatasetLock, "dataset.lock", asDataset),
	row[dataset.Unblind](DatasetUnblind, "dataset.unblind", asDataset),
	row[dataset.UnblindOne](DatasetUnblindOne, "dataset.unblind-one", asDataset),

	row[publication.Cut](PublicationCut, "publication.cut", asPublication),
	row[publication.Stage](PublicationStage, "publication.stage", asPublication),
	row[publication.Held](PublicationHeld, "publication.held", asPublication),
	row[publication.Release](PublicationRelease, "publication.release", asPublication),
	row[publication.Pin](PublicationPin, "publication.pin", asPublication),
	row[publication.Correct](PublicationCorrect, "publication.correct", asPublication),
	row[publication.Retract](PublicationRetract, "publication.retract", asPublication),
}

func asDirectory(w *world) directory.State { return w }
func asProtocol(w *world) protocol.State   { return w }
func asConsent(w *world) consent.State     { return w }
func asSafety(w *world) safety.State       { return w }
func asDataset(w *world) dataset.State     { return w }

func row[T transaction[S], S any](n tx.Kind, name string, as func(*world) S) Kind {
	return Kind{
		Number: n, Name: name, Directory: n < ProtocolRegister,
		read: func(b []byte) (any, error) {
			var t T
			err := wire.Unmarshal(b, &t)
			return t, err
		},
		rule: func(body any) rule {
			t := body.(T)
			r := rule{
				check:     t.Check,
				authorise: func(w *world, c trial.Context) error { return t.Authorise(as(w), c) },
				validate:  func(w *world, c trial.Context) error { return t.Validate(as(w), c) },
				apply:     func(w *world, c trial.Context) []event.Event { return t.Apply(as(w), c) },
			}
			switch p := body.(type) {
			case claimer:
				once := sync.OnceValues(func() ([]*verifier.Item, error) { return alone(p.Claim()) })
				r.claims = func(*world) ([]*verifier.Item, error) { return once() }
			case batch:
				once := sync.OnceValues(p.Claims)
				r.claims, r.place = func(*world) ([]*verifier.Item, error) { return once() }, consent.At
			case criterion:
				r.claims = func(w *world) ([]*verifier.Item, error) { return alone(p.ClaimIn(w)) }
			}
			return r
		},
	}
}

func alone(item *verifier.Item, err error) ([]*verifier.Item, error) {
	return []*verifier.Item{item}, err
}

// Name is the word for a kind, empty for one that is unknown.
func Name(n tx.Kind) string {
	if n == engine.KindRotate {
		return "node.rotate" // the engine's own; it is not in the table
	}
	k, _ := KindOf(n)
	return k.Name
}

// Kinds lists the table.
func Kinds() []Kind { return kinds }

// KindOf finds a row by its number.
func KindOf(n tx.Kind) (Kind, bool) {
	for _, k := range kinds {
		if k.Number == n {
			return k, true
		}
	}
	return Kind{}, false
}

// Decode reads the body of a transaction of this kind, by value: one of the
// exported types of the rule packages.
func (k Kind) Decode(body []byte) (any, error) {
	b, err := k.read(body)
	if err != nil {
		return nil, fmt.Errorf("%s: body: %w", k.Name, err)
	}
	return b, nil
}

// bind reads a body, and binds it to its rule.
func (k Kind) bind(body []byte) (rule, error) {
	b, err := k.Decode(body)
	if err != nil {
		return rule{}, err
	}
	return k.rule(b), nil
}
