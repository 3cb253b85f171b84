package protocol

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// A role of the directory is bound to no trial: any committee's key could speak
// on any. So the first committee that decides on a trial is bound to it, another
// joins only with a bound one's cosignature, and no other is heard.

var ethicsKey = []byte("protocol/ethics")

// judgedKey names the committees that decided that a version affects those
// already enrolled and have not taken it back.
func judgedKey(v trial.Version) []byte {
	return binary.BigEndian.AppendUint32([]byte("protocol/judged/"), uint32(v))
}

// Committees lists the ethics committees that are bound to the trial, the first
// first.
func Committees(v state.View) []trial.ActorID {
	ids, _ := state.Load[[]trial.ActorID](v, ethicsKey)
	return ids
}

// maxCommittees keeps the list of a trial's committees readable.
const maxCommittees = 256

// byEthics asks for a committee that is bound to the trial, or may be now.
func byEthics(s State, c trial.Context) error {
	if _, ok := Sponsor(s); !ok {
		return trial.Refuse(trial.UnknownTrial, "no trial is registered in this stream")
	}
	if c.Signer.Role != trial.Ethics {
		return trial.Refuse(trial.NotAuthorised, "only an ethics committee decides this; the signer is: %s", c.Signer.Role)
	}
	bound := Committees(s)
	switch {
	case len(bound) == 0, slices.Contains(bound, c.Signer.ID):
		return nil
	case !cosignedByBound(s, c):
		return trial.Refuse(trial.NotAuthorised, "another ethics committee decides on this trial; a further one joins with its cosignature")
	case len(bound) >= maxCommittees:
		return trial.Refuse(trial.NotAuthorised, "%d ethics committees decide on this trial; no more can join", len(bound))
	}
	return nil
}

func cosignedByBound(s State, c trial.Context) bool {
	bound := Committees(s)
	return c.Cosigned(func(a trial.Actor) bool { return a.Role == trial.Ethics && slices.Contains(bound, a.ID) })
}

// bind lets a committee decide on the trial from now on.
func bind(s State, id trial.ActorID) {
	if bound := Committees(s); !slices.Contains(bound, id) {
		state.Put(s, ethicsKey, append(bound, id))
	}
}
