package ceremony

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/wire"
)

// maxKey bounds a key's file.
const maxKey = 64 << 20

// run goes through all contributions and counts the steps.
type run struct {
	*Ceremony
	ctx      context.Context
	step, of int
}

// Verify computes everything again from the circuit's source and the
// contributions' files: each step of both phases, the start of phase 2 and, once
// the ceremony is sealed, both keys, and compares each with the record and with
// the keys in the directory. For an unfinished ceremony it verifies what is there.
//
// The record itself was checked when the ceremony was opened.
func (x *Ceremony) Verify(ctx context.Context) error {
	r := x.run(ctx, 0)
	last, commons, evaluations, err := r.both()
	if err != nil || !x.state.Done() {
		return err
	}
	keys, err := r.keys(last, commons, evaluations, x.state.Phases[1].Beacon.Value)
	if err != nil {
		return err
	}
	if err := x.made(keys); err != nil {
		return err
	}
	return x.compareKeys(keys)
}

// run plans the steps of going through everything, and extra ones.
func (x *Ceremony) run(ctx context.Context, extra int) *run {
	of := len(x.state.Phases[0].Contributors) + extra
	if x.state.Phases[0].Closed {
		of += 1 + len(x.state.Phases[1].Contributors)
	}
	if x.state.Phases[1].Closed {
		of++
	}
	return &run{Ceremony: x, ctx: ctx, of: of}
}

func (r *run) begin(format string, args ...any) error {
	r.step++
	r.progress(r.step, r.of, fmt.Sprintf(format, args...))
	return r.ctx.Err()
}

// both verifies phase 1 and, if it is sealed, phase 2. It returns the last state
// of phase 2 with what the keys are made of; nil while phase 1 is open.
func (r *run) both() (*mpcsetup.Phase2, *mpcsetup.SrsCommons, *mpcsetup.Phase2Evaluations, error) {
	last, err := r.first()
	if err != nil || !r.state.Phases[0].Closed {
		return nil, nil, nil, err
	}
	commons, start, evaluations, err := r.start(last, r.state.Phases[0].Beacon.Value)
	if err != nil {
		return nil, nil, nil, err
	}
	if b, err := encode(start); err != nil || wire.Hash(sha256.Sum256(b)) != r.state.Start {
		return nil, nil, nil, errors.Join(err, errors.New("ceremony: phase 2 starts from another state than phase 1 and its beacon give"))
	}
	if _, err := r.read2(-1); err != nil {
		return nil, nil, nil, err
	}
	second, err := r.second(start)
	return second, commons, evaluations, err
}

// first verifies the contributions to phase 1, each upon the one before.
func (r *run) first() (*mpcsetup.Phase1, error) {
	previous := mpcsetup.NewPhase1(r.circuit.domain)
	for i, c := range r.state.Phases[0].Contributors {
		if err := r.begin("phase 1: verifying the contribution of %s", c.Name); err != nil {
			return nil, err
		}
		next, err := r.read1(i)
		if err != nil {
			return nil, err
		}
		if err := previous.Verify(next); err != nil {
			return nil, fmt.Errorf("ceremony: contribution %d to phase 1, of %s: %w", i+1, c.Name, err)
		}
		previous = next
	}
	return previous, nil
}

// start seals phase 1 by a beacon and computes what phase 2 starts from. It
// uses up the last state of phase 1.
func (r *run) start(last *mpcsetup.Phase1, beacon []byte) (*mpcsetup.SrsCommons, *mpcsetup.Phase2, *mpcsetup.Phase2Evaluations, error) {
	if err := r.begin("phase 1: applying the beacon and computing the circuit's polynomials"); err != nil {
		return nil, nil, nil, err
	}
	commons := last.Seal(beacon)
	second := new(mpcsetup.Phase2)
	evaluations := second.Initialize(r.circuit.system, &commons)
	return &commons, second, &evaluations, nil
}

// second verifies the contributions to phase 2.
func (r *run) second(previous *mpcsetup.Phase2) (*mpcsetup.Phase2, error) {
	for i, c := range r.state.Phases[1].Contributors {
		if err := r.begin("phase 2: verifying the contribution of %s", c.Name); err != nil {
			return nil, err
		}
		next, err := r.read2(i)
		if err != nil {
			return nil, err
		}
		if err := previous.Verify(next); err != nil {
			return nil, fmt.Errorf("ceremony: contribution %d to phase 2, of %s: %w", i+1, c.Name, err)
		}
		previous = next
	}
	return previous, nil
}

// keys seals phase 2 by a beacon. It uses up its arguments.
func (r *run) keys(last *mpcsetup.Phase2, commons *mpcsetup.SrsCommons, evaluations *mpcsetup.Phase2Evaluations, beacon []byte) (Keys, error) {
	if err := r.begin("phase 2: applying the beacon and computing the keys"); err != nil {
		return Keys{}, err
	}
	pk, vk := last.Seal(commons, evaluations, beacon)
	keys, err := encodeKeys(pk, vk)
	if err != nil {
		return Keys{}, err
	}
	_, err = verifier.ParseKey(keys.Verifying)
	return keys, err
}

// made compares keys with the sealed record.
func (x *Ceremony) made(keys Keys) error {
	if err := x.state.CheckKey(keys.Verifying, verifier.HashKey(keys.Verifying)); err != nil {
		return err
	}
	if got := wire.Hash(sha256.Sum256(keys.Proving)); got != x.state.ProvingKey {
		return fmt.Errorf("ceremony: the contributions give the proving key %v, and %v is sealed", got, x.state.ProvingKey)
	}
	return nil
}

// compareKeys compares the keys in the directory, if it has them.
func (x *Ceremony) compareKeys(keys Keys) error {
	for name, want := range map[string][]byte{VerifyingFile: keys.Verifying, ProvingFile: keys.Proving, TranscriptFile: x.record.Encode()} {
		got, err := read(x.dir, name, maxKey)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("ceremony: %w", err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("ceremony: %s is another than the ceremony made; seal again writes the right one", name)
		}
	}
	return nil
}

// Seal verifies all contributions and closes the phase at hand with the value of
// the announced beacon. The first seal makes what phase 2 starts from, the second
// the keys. On a finished ceremony it writes the keys again.
func (x *Ceremony) Seal(ctx context.Context, by Signer, beacon []byte) error {
	if x.state.Done() {
		return x.again(ctx, beacon)
	}
	if err := x.state.MaySeal(beacon, by.Now); err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	if x.state.Phase() == 1 {
		return x.seal1(ctx, by, beacon)
	}
	return x.seal2(ctx, by, beacon)
}

func (x *Ceremony) seal1(ctx context.Context, by Signer, beacon []byte) error {
	r := x.run(ctx, 2)
	last, err := r.first()
	if err != nil {
		return err
	}
	_, start, _, err := r.start(last, beacon)
	if err != nil {
		return err
	}
	if err := r.begin("writing the start of phase 2"); err != nil {
		return err
	}
	b, err := encode(start)
	if err != nil {
		return err
	}
	hash, err := keep(x.dir, b)
	if err != nil {
		return fmt.Errorf("ceremony: %w", err)
	}
	return x.enter(transcript.Sealed, by, transcript.Seal{Beacon: beacon, Result: hash})
}

func (x *Ceremony) seal2(ctx context.Context, by Signer, beacon []byte) error {
	r := x.run(ctx, 2)
	last, commons, evaluations, err := r.both()
	if err != nil {
		return err
	}
	keys, err := r.keys(last, commons, evaluations, beacon)
	if err != nil {
		return err
	}
	if err := r.begin("writing the keys"); err != nil {
		return err
	}
	body := transcript.Seal{Beacon: beacon, Result: verifier.HashKey(keys.Verifying), Proving: sha256.Sum256(keys.Proving)}
	if err := x.enter(transcript.Sealed, by, body); err != nil {
		return err
	}
	return x.writeKeys(keys)
}

// again makes a finished ceremony's files again, for one that was killed between
// its last entry and its keys.
func (x *Ceremony) again(ctx context.Context, beacon []byte) error {
	if want := x.state.Phases[1].Beacon.Value; !bytes.Equal(want, beacon) {
		return fmt.Errorf("ceremony: it is sealed by the beacon %x, and this is another", want)
	}
	r := x.run(ctx, 1)
	last, commons, evaluations, err := r.both()
	if err != nil {
		return err
	}
	keys, err := r.keys(last, commons, evaluations, beacon)
	if err != nil {
		return err
	}
	if err := x.made(keys); err != nil {
		return err
	}
	if err := r.begin("writing the keys"); err != nil {
		return err
	}
	return x.writeKeys(keys)
}

func (x *Ceremony) writeKeys(keys Keys) error {
	return errors.Join(
		write(x.dir, ProvingFile, keys.Proving),
		write(x.dir, VerifyingFile, keys.Verifying),
		write(x.dir, TranscriptFile, x.record.Encode()),
	)
}
