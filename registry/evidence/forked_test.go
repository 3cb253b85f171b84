package evidence

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/compact"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
)

// The tests here are of a node that shows one reader a block of which no witness
// has heard. It holds its own key, so that every signature is right.

// writeFile writes the evidence file of a lab that a witness observes.
func (o *observed) writeFile() []byte {
	o.t.Helper()
	var b bytes.Buffer
	if err := Write(o.t.Context(), &b, o.ledger, o.trial, Contents{Key: verifier.Development(), Witnessed: o.ledger}); err != nil {
		o.t.Fatal(err)
	}
	return b.Bytes()
}

// forge signs the last header of a file anew after it was changed.
func forge(t *testing.T, parts map[string][]byte, do func(*chain.Header)) {
	t.Helper()
	headers := list[chain.Header](t, parts[partHeaders])
	last := &headers[len(headers)-1]
	do(last)
	parts[partHeaders] = sequence(headers)
	msg, err := last.Checkpoint(labGenesis().Origin).Sign(chain.NewSigner(labGenesis().Origin, demonstration.Key("node")))
	if err != nil {
		t.Fatal(err)
	}
	parts[partCheckpoint] = msg
}

// TestCutAfterWitnessed: after the newest cosigned head the node signs a header
// that counts one entry of the trial less. All that is left of the trial was
// witnessed, and that nothing is missing was not.
func TestCutAfterWitnessed(t *testing.T) {
	t.Parallel()
	o := observe(newLab(t, labGenesis(), verifier.Development(), nil))
	o.found()
	o.begin()
	o.enrol(1)
	before := list[chain.StreamProof](t, unpack(t, o.writeFile())[partStreams])[1].Stream
	o.enrol(1) // is to vanish
	o.cosign()
	o.beginAnother()
	shown := o.writeFile()
	if c, _ := verifyUnder(t, shown, o.policy(Builtin())).Check(checkWitnesses); c.Status != NotChecked {
		t.Errorf("a block above the newest cosigned one: %+v", c)
	}
	cut := change(t, shown, func(parts map[string][]byte) {
		trial := list[engine.Entry](t, parts[partTrial])
		last := trial[len(trial)-1]
		parts[partTrial] = sequence(trial[:len(trial)-1])
		place := must[uint64](t)(placeOf(list[chain.Header](t, parts[partHeaders]), last.Height, last.Index))
		leaf := wire.Hash(logHasher.HashLeaf(last.Link(before.Head).Leaf()))
		parts[partLog] = sequence(append([]Gap{{First: place, Count: 1, Hashes: []wire.Hash{leaf}}}, list[Gap](t, parts[partLog])...))
		proofs := list[chain.StreamProof](t, parts[partStreams])
		proofs[1].Stream = before
		var nodes state.Memory
		m := state.NewMap(&nodes)
		root := m.Update([]state.Write{
			{Key: proofs[0].ID[:], Value: proofs[0].Stream.Encode()},
			{Key: proofs[1].ID[:], Value: before.Encode()},
		})
		for i := range proofs {
			proofs[i].Proof = m.Prove(proofs[i].ID[:])
		}
		parts[partStreams] = sequence(proofs)
		forge(t, parts, func(h *chain.Header) { h.Streams = root })
	})
	r := verifyUnder(t, cut, o.policy(Builtin()))
	for _, id := range []string{checkCheckpoint, checkStreams, checkReplay, checkDigest, checkLogRoot} {
		if c, _ := r.Check(id); c.Status != Passed {
			t.Errorf("the node did not cheat as it should: %+v", c)
		}
	}
	if c, _ := r.Check(checkWitnesses); c.Status == Passed {
		t.Errorf("a cut that no witness saw: %+v", c)
	}
}

// TestRewrittenAfterWitnessed: the log of a header after a cosigned one does not
// begin with the log that was cosigned.
func TestRewrittenAfterWitnessed(t *testing.T) {
	t.Parallel()
	o := observe(newLab(t, labGenesis(), verifier.Development(), nil))
	o.found()
	o.begin()
	o.beginAnother()
	o.enrol(1)
	o.cosign()
	o.beginAnother()
	b := change(t, o.writeFile(), func(parts map[string][]byte) {
		gaps := list[Gap](t, parts[partLog])
		gaps[0].Hashes[0][0] ^= 1
		parts[partLog] = sequence(gaps)
		headers := list[chain.Header](t, parts[partHeaders])
		var leaves [2][]placed
		for i, part := range []string{partDirectory, partTrial} {
			var head wire.Hash
			for _, e := range list[engine.Entry](t, parts[part]) {
				link := e.Link(head)
				head = link.Head()
				leaves[i] = append(leaves[i], placed{must[uint64](t)(placeOf(headers, e.Height, e.Index)), link.Leaf()})
			}
		}
		var root []byte
		err := computeLog(headers[len(headers)-1].Size(), merge(leaves[0], leaves[1]), gaps, func(log *compact.Range) (err error) {
			root, err = log.GetRootHash(nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		forge(t, parts, func(h *chain.Header) { h.Root = wire.Hash(root) })
	})
	r := verifyUnder(t, b, o.policy(Builtin()))
	if c, _ := r.Check(checkLogRoot); r.Verdict != NotValid || c.Status != Failed || !strings.Contains(c.Reason, "signed at height 14") {
		t.Errorf("%s", text(r))
	}
}

// cosignedLater is a ledger whose witnesses see the head while a file is
// written, and by then it has grown.
type cosignedLater struct {
	*observed
	asked int
}

func (c *cosignedLater) Cosigned() ([]byte, error)                  { return c.ledger.Cosigned() }
func (c *cosignedLater) StampFrom(h uint64) (uint64, []byte, error) { return c.ledger.StampFrom(h) }

func (c *cosignedLater) CosignedFrom(h uint64) (uint64, []byte, error) {
	if c.asked++; c.asked == 2 {
		c.enrol(1)
		c.cosign()
	}
	return c.ledger.CosignedFrom(h)
}

// TestWitnessedAbove: on a ledger that goes on growing, a file is witnessed by a
// checkpoint above its own, to which the headers lead.
func TestWitnessedAbove(t *testing.T) {
	t.Parallel()
	o := observe(newLab(t, labGenesis(), verifier.Development(), nil))
	o.found()
	o.begin()
	o.cosign()
	o.enrol(1)
	height := o.ledger.Head().Height
	var b bytes.Buffer
	x := Contents{Key: verifier.Development(), Witnessed: &cosignedLater{observed: o}, Patience: 1 << 40}
	if err := Write(t.Context(), &b, o.ledger, o.trial, x); err != nil {
		t.Fatal(err)
	}
	r := verifyUnder(t, b.Bytes(), o.policy(Builtin()))
	if c, _ := r.Check(checkWitnesses); c.Status != Passed || r.Verdict != Reservations {
		t.Fatal(text(r))
	}
	parts := unpack(t, b.Bytes())
	if m := must[Manifest](t)(decodeManifest(parts[partManifest])); m.Height != height || len(list[chain.Header](t, parts[partHeaders])) != int(height)+1 {
		t.Errorf("of height %d with %d headers; want %d and one more", m.Height, len(list[chain.Header](t, parts[partHeaders])), height)
	}
	for name, do := range map[string]func(map[string][]byte){
		"another header above": func(p map[string][]byte) {
			p[partHeaders] = sequence(func() []chain.Header {
				hs := list[chain.Header](t, p[partHeaders])
				hs[len(hs)-1].Streams[0] ^= 1
				return hs
			}())
		},
		"its checkpoint left out": func(p map[string][]byte) {
			cs := list[Cosigned](t, p[partCosigned])
			p[partCosigned] = sequence(cs[:len(cs)-1])
		},
	} {
		if r := verifyUnder(t, change(t, b.Bytes(), do), o.policy(Builtin())); r.Verdict != NotValid {
			t.Errorf("%s: %s", name, text(r))
		}
	}
}

// few is the quorum of a writer whom one witness is not enough, but at one height.
type few struct{ height uint64 }

func (f few) Check(checkpoint []byte) error {
	if at, err := heightOf(checkpoint); err != nil || at != f.height {
		return errors.New("too few")
	}
	return nil
}

// TestQuorumOfWriter: a checkpoint that not all witnesses have cosigned yet is
// passed over for a later one that they have, if there is one.
func TestQuorumOfWriter(t *testing.T) {
	t.Parallel()
	o := observe(newLab(t, labGenesis(), verifier.Development(), nil))
	o.found()
	o.begin()
	o.cosign()
	first := o.ledger.Head().Height
	o.beginAnother()
	o.cosign()
	second := o.ledger.Head().Height
	for want, quorum := range map[uint64]uint64{second: second, first: second + 1} {
		at, _, enough, err := Contents{Witnessed: o.ledger, Quorum: few{quorum}}.cosignedFrom(1)
		if at != want || enough != (quorum == second) || err != nil {
			t.Errorf("quorum at %d: height %d, %v, %v; want %d", quorum, at, enough, err, want)
		}
	}
}
