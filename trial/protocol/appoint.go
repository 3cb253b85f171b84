package protocol

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Appoint names the members of the trial's monitoring board, who alone look,
// decide and unblind (ICH E6(R3) 3.16.1; FDA guidance on data monitoring
// committees, 2006). Sent by the sponsor, cosigned by an ethics committee that
// is bound to the trial; where none is, the cosigner is bound. Sent again, it
// replaces the board.
type Appoint struct {
	_     struct{}        `cbor:",toarray"`
	Board []trial.ActorID // ascending, each once
}

// The size of a board: what it decides needs two of its members.
const (
	minBoard = 2
	maxBoard = 16
)

var boardKey = []byte("protocol/board")

// Board lists the members of the trial's monitoring board, ascending; none is
// appointed where it is empty.
func Board(v state.View) []trial.ActorID {
	ids, _ := state.Load[[]trial.ActorID](v, boardKey)
	return ids
}

// OnBoard reports whether an actor is a member of the trial's monitoring board.
func OnBoard(v state.View, id trial.ActorID) bool { return slices.Contains(Board(v), id) }

func compareActors(a, b trial.ActorID) int { return slices.Compare(a[:], b[:]) }

// Check refuses a list that is no board or has more than one form.
func (t Appoint) Check() error {
	if n := len(t.Board); n < minBoard || n > maxBoard {
		return trial.Refuse(trial.Malformed, "board: %d members; %d to %d", n, minBoard, maxBoard)
	}
	if !slices.IsSortedFunc(t.Board, compareActors) || len(slices.Compact(slices.Clone(t.Board))) != len(t.Board) {
		return trial.Refuse(trial.Malformed, "board: ascending, each member once")
	}
	return nil
}

// Authorise asks for the sponsor and for a committee that decides on the trial.
func (t Appoint) Authorise(s State, c trial.Context) error {
	if err := bySponsor(s, c); err != nil {
		return err
	}
	if _, ok := binding(s, c); !ok && !cosignedByBound(s, c) {
		return trial.Refuse(trial.NeedsSecond, "cosigners: the ethics committee that decides on this trial appoints the board with the sponsor")
	}
	return nil
}

// binding is the cosigning committee that is to be bound, where none is yet.
func binding(s State, c trial.Context) (trial.ActorID, bool) {
	if len(Committees(s)) > 0 {
		return trial.ActorID{}, false
	}
	i := slices.IndexFunc(c.Cosigners, func(a trial.Actor) bool { return a.Role == trial.Ethics })
	if i < 0 {
		return trial.ActorID{}, false
	}
	return c.Cosigners[i].ID, true
}

// Validate refuses a member whom the regulator has not registered for a board,
// and one whose right to sign has ended.
func (t Appoint) Validate(s State, c trial.Context) error {
	for _, id := range t.Board {
		is, serves := s.Serves(id, trial.DSMB, c.Now)
		switch {
		case !serves:
			return trial.Refuse(trial.NoSuchActor, "board: %v is not registered, or its right to sign has ended", id)
		case !is:
			return trial.Refuse(trial.WrongRole, "board: %v is registered in another role than that of a monitoring board", id)
		}
	}
	return nil
}

// Apply writes the board.
func (t Appoint) Apply(s State, c trial.Context) []event.Event {
	if id, ok := binding(s, c); ok {
		bind(s, id)
	}
	state.Put(s, boardKey, t.Board)
	return []event.Event{event.Appointed{Board: t.Board, Time: c.Now}}
}
