package sim

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
)

const (
	signers = 5 // who may be granted to
	trials  = 4
	bodies  = 60 // so few that some are taken
)

// make builds a transaction that no other step builds.
func (w *world) make(r *rand.Rand) []byte {
	w.serial++
	return build(r, w.serial)
}

func build(r *rand.Rand, serial uint64) []byte {
	body := fmt.Sprint(r.IntN(bodies))
	if r.IntN(10) == 0 {
		body += strings.Repeat("x", r.IntN(4<<10))
	}
	return toy.Tx(toy.Key(2+r.IntN(signers)), toy.Add, toy.Stream(r.IntN(trials)), body, serial)
}

// chance is randomness for one action, of which it may use as much as it likes.
func (w *world) chance() *rand.Rand {
	return rand.New(rand.NewPCG(w.plan.Uint64(), 1)) //nolint:gosec // a life is to be lived again
}

// enter sends a transaction and waits for it.
func (w *world) enter(raw []byte) (engine.Entry, error) {
	w.model.sent(raw)
	e, err := enginetest.Enter(w.ctx, w.ledger, raw)
	if err == nil {
		w.model.told(e)
		w.model.saw(w.ledger.Head())
	}
	return e, err
}

// mayFail lets pass what the ledger may rightly answer to a transaction that is
// well formed: its signer is not granted yet.
func (w *world) mayFail(raw []byte, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrRefused):
		return w.model.mayRefuse(raw)
	}
	return err
}

func (w *world) one() error {
	raw := w.make(w.chance())
	_, err := w.enter(raw)
	return w.mayFail(raw, err)
}

// burst has several clients send at once, and some not wait.
func (w *world) burst() error {
	errs := make([]error, 2+w.n(6))
	var wg sync.WaitGroup
	for i := range errs {
		r := w.chance()
		first := w.serial
		w.serial += 8
		wg.Go(func() {
			for j := range 1 + r.IntN(8) {
				raw := build(r, first+uint64(j)+1)
				if errs[i] = w.mayFail(raw, w.send(raw, r.IntN(4) > 0)); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (w *world) send(raw []byte, wait bool) error {
	if wait {
		_, err := w.enter(raw)
		return err
	}
	w.model.sent(raw)
	_, err := w.ledger.Submit(w.ctx, raw)
	return err
}

// again sends what was sent before: it enters once.
func (w *world) again() error {
	raw := w.model.any(w.n)
	if raw == nil {
		return nil
	}
	_, err := w.enter(raw)
	if errors.Is(err, engine.ErrDuplicate) { // another one has its key since
		return w.model.mayBeDuplicate(raw, err)
	}
	return w.mayFail(raw, err)
}

// usedKey sends another transaction under a key that one sent before has.
func (w *world) usedKey() error {
	raw := w.model.any(w.n)
	if raw == nil {
		return nil
	}
	e, err := tx.Decode(raw)
	if err != nil {
		return err
	}
	e.Body = fmt.Appendf(nil, "other %d", w.serial)
	w.serial++
	if e.Kind != toy.Add {
		return nil
	}
	for i := range signers {
		if toy.Public(toy.Key(2+i)).ID() == e.Key {
			e.Sign(toy.Key(2 + i))
		}
	}
	other := e.Encode()
	_, err = w.enter(other)
	if errors.Is(err, engine.ErrDuplicate) {
		return w.model.mayBeDuplicate(other, err)
	}
	if err == nil && w.model.isTold(tx.Hash(raw)) {
		return errors.New("two transactions entered under one key")
	}
	return w.mayFail(other, err)
}

func (w *world) grant() error {
	w.serial++
	_, err := w.enter(toy.GrantTx(toy.Key(2+w.n(signers)), w.serial))
	return err
}

// nodeKeys are the numbers of the keys that the node has after genesis's.
const firstNodeKey, nodeKeys = 1000, 100

// nodeKey finds a private key of the node by its public one.
func nodeKey(public tx.PublicKey) (ed25519.PrivateKey, error) {
	for n := range nodeKeys {
		if k := toy.Key(firstNodeKey + n); toy.Public(k) == public {
			return k, nil
		}
	}
	return nil, errors.New("no such key")
}

// rotate gives the node another key. Whether it has entered or not after a power
// cut, the node goes on with the key that its directory names.
func (w *world) rotate() error {
	keys, err := w.ledger.Keys()
	if err != nil {
		return err
	}
	present := toy.Key(0)
	n := len(keys.Rotations())
	if n > 0 {
		if present, err = nodeKey(keys.Present()); err != nil {
			return err
		}
	}
	if n == nodeKeys {
		return nil
	}
	w.serial++
	var unique tx.Key
	binary.BigEndian.PutUint64(unique[:], w.serial)
	e := chain.NewRotation(toy.Genesis().ID(), present, toy.Key(firstNodeKey+n), toy.Far, unique)
	_, err = w.enter(e.Encode())
	return err
}

// refused checks that a transaction is refused with the right reason.
func (w *world) refused(raw []byte, want error) error {
	if _, err := w.ledger.Submit(w.ctx, raw); !errors.Is(err, want) {
		return fmt.Errorf("answered %w, not %w", err, want)
	}
	return nil
}

func (w *world) stranger() error {
	w.serial++
	return w.refused(toy.Tx(toy.Key(99), toy.Add, toy.Stream(0), "x", w.serial), engine.ErrRefused)
}

func (w *world) late() error {
	w.serial++
	expiry := w.clock.Now() - int64(w.n(1000))
	return w.refused(toy.TxUntil(toy.Key(2), toy.Add, toy.Stream(0), "x", w.serial, expiry), engine.ErrExpired)
}

func (w *world) garbage() error {
	raw := w.make(w.chance())
	return w.refused(raw[:w.n(len(raw))], engine.ErrMalformed)
}

// jump sets the clock up to a day forth or back, or a little forth.
func (w *world) jump() error {
	day := int((24 * time.Hour).Milliseconds())
	to := w.n(2*day) - day
	if w.n(2) == 0 {
		to = w.n(1000)
	}
	w.clock.T.Add(int64(to))
	return nil
}

// proofs asks for proofs of what was told, and checks them.
func (w *world) proofs() error {
	w.model.saw(w.ledger.Head())
	if err := w.model.prove(w.ledger, w.n); err != nil {
		return err
	}
	h := w.ledger.Head()
	p, err := w.ledger.StreamProof(toy.Stream(w.n(trials + 1)))
	if err != nil || w.ledger.Head() != h { // somebody's transaction has come in between
		return err
	}
	return p.Verify(h)
}

func (w *world) restart() error {
	if err := w.ledger.Close(); err != nil {
		return err
	}
	w.report.Restarts++
	if err := w.fsck(); err != nil {
		return err
	}
	return w.open()
}

// backup takes one under load, restores it, and opens what was restored.
func (w *world) backup() error {
	w.serial++
	dir := fmt.Sprint("backup", w.serial)
	made := make(chan error, 1)
	var m store.Manifest
	go func() {
		var err error
		m, err = w.ledger.Backup(dir)
		made <- err
	}()
	if err := errors.Join(w.burst(), <-made); err != nil {
		return err
	}
	want, err := w.ledger.Header(m.Height)
	if err != nil || want.Hash() != m.Header {
		return fmt.Errorf("of header %v, the ledger's is %v: %w", m.Header, want.Hash(), err)
	}
	to := dir + ".restored"
	known := []store.Mark{{Height: want.Height, Header: want.Hash()}}
	if _, _, err := store.Restore(dir, to, store.RestoreOptions{FS: w.disk, Known: known}); err != nil {
		return err
	}
	l, err := solo.Open(solo.Config{
		Dir: to, Key: toy.Key(0), KeyOf: nodeKey, Clock: &w.clock, Machine: w.Machine, Genesis: toy.Genesis(), FS: w.disk,
	})
	if err != nil {
		return fmt.Errorf("restored: %w", err)
	}
	if l.Head() != want {
		err = fmt.Errorf("restored to %+v, taken at %+v", l.Head(), want)
	}
	w.report.Backups++
	return errors.Join(err, enginetest.Audit(l), l.Close(), w.disk.RemoveAll(dir), w.disk.RemoveAll(to))
}

// powerCut loses what was not synced, or some of it.
func (w *world) powerCut() error {
	return w.lose(w.model.clone(), w.crash(w.chance()))
}

func (w *world) crash(r *rand.Rand) *vfs.MemFS {
	return w.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
}

// lose goes on with a disk as a power cut left it, and with what had been told.
func (w *world) lose(m *model, disk *vfs.MemFS) error {
	w.report.Cuts++
	if err := w.ledger.Close(); err != nil {
		return err
	}
	w.mem, w.model = disk, m
	// Blocks that the cut took were told to no one but this follower, which the
	// cut took as well: it is another, and begins anew.
	w.follower = new(enginetest.Recorder)
	if err := w.fsck(); err != nil {
		return err
	}
	return w.open()
}

// powerCutUnderLoad cuts between two changes of the disk.
func (w *world) powerCutUnderLoad() error {
	r := w.chance()
	at := w.disk.Changes() + 1 + int64(w.n(40))
	var m *model
	var disk *vfs.MemFS
	w.disk.BeforeEach(func(change int64) {
		if change == at {
			m = w.model.clone()
			disk = w.crash(r)
		}
	})
	err := w.burst()
	w.disk.BeforeEach(nil)
	if err != nil {
		return err
	}
	if disk == nil {
		return w.powerCut()
	}
	return w.lose(m, disk)
}

// diskError has the disk fail in a log or in the head file, where the ledger
// writes while somebody waits. It must stop, and stand by what it told.
func (w *world) diskError() error {
	f := &faulty.Fault{
		At: w.disk.Changes() + 1 + int64(w.n(20)), Mode: faulty.Mode(w.n(3)), Err: faulty.ErrIO,
		Match: func(name string) bool { return strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "keys") },
	}
	if w.n(2) == 0 {
		f.Err = faulty.ErrSpace
	}
	r := w.chance()
	w.disk.Fail(f)
	err := w.burst()
	if err != nil && !errors.Is(err, engine.ErrStopped) {
		return err
	}
	if err != nil && !w.disk.Failed() {
		return fmt.Errorf("without a fault: %w", err)
	}
	if err != nil {
		w.report.Errors++
		if _, err := w.ledger.Submit(w.ctx, w.make(r)); !errors.Is(err, engine.ErrStopped) {
			return fmt.Errorf("after a failure it answers %w", err)
		}
	}
	m := w.model.clone()
	disk := w.crash(r)
	_ = w.ledger.Close() // what a failed ledger says when it is closed is not the point
	w.mem, w.model, w.follower = disk, m, new(enginetest.Recorder)
	if err := w.fsck(); err != nil {
		return err
	}
	return w.open()
}

// extends checks that the log of the head goes on from where it was at h.
func extends(e engine.Engine, h chain.Header) error {
	got, err := e.Header(h.Height)
	if err != nil || got != h {
		return fmt.Errorf("block %d was shown as %v, now %v: %w", h.Height, h.Hash(), got.Hash(), errors.Join(err, errChanged))
	}
	if h.Size() == 0 {
		return nil
	}
	now := e.Head()
	p, err := e.ConsistencyProof(h.Size(), now.Size())
	if err != nil {
		return err
	}
	return chain.VerifyConsistency(h.Size(), now.Size(), p, h.Root, now.Root)
}

var errChanged = errors.New("what was told has changed")
