package evidence

import (
	"context"
	"errors"
	"fmt"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// proofBatch is how many proofs are verified together: the cost of one falls
// until about here, and a bad one is found among fewer.
const proofBatch = 1024

// recorder runs the contract during a replay, and keeps every proof with the
// statement that the contract built for it instead of verifying it at once. No
// rule reads whether a proof held but to refuse, so what the replay finds
// stands if all of them hold; proofs says whether they do.
type recorder struct {
	*contract.Machine
	ctx     context.Context
	entry   string // the one at hand
	refusal error  // of the last Check
	checked int
	signed  int

	items []verifier.Item
	names []string // of the entries of items
}

var (
	_ engine.StateMachine = (*recorder)(nil)
	_ contract.Verifier   = (*recorder)(nil)
)

func newRecorder(ctx context.Context, g chain.Genesis) (*recorder, error) {
	r := &recorder{ctx: ctx}
	var err error
	r.Machine, err = contract.FromGenesis(g, r)
	return r, err
}

// Check is the machine's. It ends a replay whose context has ended.
func (r *recorder) Check(at engine.Point, directory, stream state.View, e *tx.Envelope) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.entry = (&engine.Entry{Stream: e.Stream, Sequence: at.Sequence}).Name()
	r.refusal = r.Machine.Check(at, directory, stream, e)
	if r.refusal == nil {
		r.checked++
		r.signed += 1 + len(e.Cosigners)
	}
	return r.refusal
}

// Prepare does nothing: proofs are verified after the replay.
func (r *recorder) Prepare(func(wire.StreamID) state.View, []engine.Pending) {}

// Verify keeps a proof. Check and Execute ask for the same ones; each is kept
// once for an entry.
func (r *recorder) Verify(p verifier.Proof, s verifier.Statement) error {
	item := verifier.Item{Proof: p, Statement: s}
	for i := len(r.items) - 1; i >= 0 && r.names[i] == r.entry; i-- {
		if r.items[i] == item {
			return nil
		}
	}
	r.items, r.names = append(r.items, item), append(r.names, r.entry)
	return nil
}

// VerifyBatch is not asked: there is no Prepare.
func (r *recorder) VerifyBatch(items []verifier.Item) []int {
	for i := range items {
		_ = r.Verify(items[i].Proof, items[i].Statement) // keeps it
	}
	return nil
}

// run replays both streams, once; the checks of signatures, replay and proofs
// share what it finds. The outcome is why it could not be run at all.
func (v *verification) run() (outcome, bool) {
	switch {
	case v.recorder != nil:
		return outcome{}, true
	case len(v.headers) == 0:
		return after(checkHeaders), false
	case v.streams[0] == nil:
		return after(checkDirectory), false
	case v.streams[1] == nil:
		return after(checkTrial), false
	case v.withheld != "":
		return skipped("%s", v.withheld), false
	}
	r, err := newRecorder(v.ctx, *v.genesis)
	if err != nil {
		return failed("file:"+partGenesis, "%v", err), false
	}
	v.recorder = r
	result, err := replayed(r, *v.genesis, v.streams[0].entries, v.streams[1].entries, v.headers)
	if errors.As(err, &v.stopped) {
		return outcome{}, true
	}
	v.replayed = &result
	return outcome{}, true
}

// replayed is replay.Run. A rule that panics is a fault of the program, but one
// that a hostile file found: the file does not verify, and the verifier goes on.
func replayed(r *recorder, g chain.Genesis, directory, of []engine.Entry, headers []chain.Header) (result replay.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &replay.Divergence{Entry: r.entry, Reason: fmt.Sprintf("the rules stopped: %v", p)}
		}
	}()
	return replay.Run(r, g, directory, of, headers)
}

func (v *verification) signatures() outcome {
	if o, ok := v.run(); !ok {
		return o
	}
	r := v.recorder
	if v.stopped == nil {
		return passed("%d signatures of %d transactions, each by a key that the directory knew at that time", r.signed, r.checked)
	}
	if refusal := new(trial.Refusal); v.stopped.Entry == r.entry && errors.As(r.refusal, &refusal) {
		switch refusal.Code {
		case trial.BadSignature, trial.UnknownKey, trial.ExpiredActor:
			return failed(v.stopped.Entry, "%s", refusal.Text)
		default:
		}
	}
	return skipped("%d transactions passed; the replay ended at %s", r.checked, v.stopped.Entry)
}

func (v *verification) replay() outcome {
	if o, ok := v.run(); !ok {
		return o
	}
	if v.stopped != nil {
		return failed(v.stopped.Entry, "%s", v.stopped.Reason)
	}
	refused := 0
	for _, s := range v.streams {
		for i := range s.entries {
			switch e := &s.entries[i]; {
			case e.Result.Code == engine.Accepted:
			case !trial.Code(e.Result.Code).Known():
				return failed(e.Name(), "refused with code %d, which the table of refusals has not", e.Result.Code)
			default:
				refused++
			}
		}
	}
	return passed("%d transactions executed again through the contract give the same results and events; %d refused ones are kept by hash and code alone, so that they were refused rests on the node's word",
		v.recorder.checked, refused)
}

// proofs verifies every proof that the replay met, as far as it came.
func (v *verification) proofs() outcome {
	if v.recorder == nil {
		return after(checkReplay)
	}
	if v.key == nil {
		return after(checkKeyPinned)
	}
	r := v.recorder
	for from := 0; from < len(r.items); from += proofBatch {
		if v.ctx.Err() != nil {
			break // Verify returns it
		}
		to := min(from+proofBatch, len(r.items))
		if bad := v.key.VerifyBatch(r.items[from:to]); len(bad) > 0 {
			err := v.key.Verify(r.items[from+bad[0]].Proof, r.items[from+bad[0]].Statement)
			return failed(r.names[from+bad[0]], "its proof does not hold: %v; bad in this batch of %d: %d", err, to-from, len(bad))
		}
	}
	if v.stopped != nil {
		return skipped("%d proofs hold; the replay ended at %s", len(r.items), v.stopped.Entry)
	}
	return passed("all %d zero-knowledge proofs hold, each for the statement that the contract makes", len(r.items))
}
