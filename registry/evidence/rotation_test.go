package evidence

import (
	"testing"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/registry/evidence/demonstration"
)

// A file verifies through a rotation of the node's key: the directory's stream
// in it says who signs. The key that was given up signs no more.
func TestRotatedNode(t *testing.T) {
	t.Parallel()
	l := newLab(t, labGenesis(), verifier.Development(), nil)
	l.found()
	e := chain.NewRotation(l.ledger.ID(), demonstration.Key("node"), demonstration.Key("node 2"), 1<<50, tx.Key{1})
	if got := l.enter(*e); got.Result.Code != engine.Accepted {
		t.Fatalf("rotation: code %d", got.Result.Code)
	}
	l.begin()
	file := l.file()
	if r := check(t, file); r.Verdict != Reservations {
		t.Fatal(text(r))
	}

	head := l.ledger.Head().Checkpoint(l.ledger.Genesis().Origin)
	for name, c := range map[string]struct {
		signer string
		good   bool
	}{"the present key": {"node 2", true}, "the key given up": {"node", false}, "a stranger's": {"sponsor", false}} {
		msg, err := head.Sign(chain.NewSigner(head.Origin, demonstration.Key(c.signer)))
		if err != nil {
			t.Fatal(err)
		}
		altered := change(t, file, func(p map[string][]byte) { p[partCheckpoint] = msg })
		if c.good {
			if r := check(t, altered); r.Verdict != Reservations {
				t.Errorf("control, %s: %s", name, r.Sentence)
			}
			continue
		}
		caught(t, name, altered, "")
	}
	caught(t, "another height for the rotation", edit(t, file, partDirectory, func(es []engine.Entry) []engine.Entry {
		for i := range es {
			if env, err := tx.Decode(es[i].Envelope); err == nil && env.Kind == engine.KindRotate {
				es[i].Height--
			}
		}
		return es
	}), "")
}
