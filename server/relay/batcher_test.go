package relay

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// TestEpochs: what came in an epoch goes out together at its end, if it is
// enough; else it waits.
func TestEpochs(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range 3 {
		if p := l.take(n); p.Epoch != 0 {
			t.Errorf("promised for epoch %d", p.Epoch)
		}
	}
	l.batcher.Tick(t.Context())
	l.want()
	l.tick(1)
	l.want(3)
	l.take(3)
	l.take(4)
	l.tick(1)
	l.want(3)
	l.tick(2)
	l.want(3)
	l.take(5)
	l.tick(3)
	l.want(3, 3)
	if l.batcher.Held() != 0 {
		t.Errorf("%d acts held", l.batcher.Held())
	}
	if !strings.Contains(strings.Join(l.said, "\n"), "epoch 0: a batch of 3: at least 3") {
		t.Errorf("said %q", l.said)
	}
	// What is finished is not kept.
	b, err := os.ReadFile(l.journal())
	if err != nil || len(b) > 100 {
		t.Errorf("the journal has %d bytes: %v", len(b), err)
	}
}

// TestPressure: below the least size an act goes out when it cannot wait.
func TestPressure(t *testing.T) {
	t.Parallel()
	const day = 24 * hour
	// The day of genesis is 2023-11-14, 22:13:20: two epochs before the night.
	for name, c := range map[string]struct {
		kind     act.Kind
		versions []Version
		epoch    int64 // at whose end, from 1
	}{
		"a deadline before the next batch": {act.Consent, []Version{{Version: 1, Deadlines: []int64{genesisTime + 9*day, genesisTime + 5*hour + 1}}}, 4},
		"a deadline just after it":         {act.Consent, []Version{{Version: 1, Deadlines: []int64{genesisTime + 6*hour + slack - 1}}}, 5},
		"a deadline long ago":              {act.Consent, []Version{{Version: 1, Deadlines: []int64{genesisTime - 9*day}}}, 1},
		"the night, asked first":           {act.Consent, []Version{{Version: 1, First: true, Deadlines: []int64{genesisTime + 99*day}}}, 2},
		"another version's deadline":       {act.Consent, []Version{{Version: 2, Deadlines: []int64{genesisTime}}}, 0},
		"the night, asked again":           {act.Consent, []Version{{Version: 1, Deadlines: []int64{genesisTime + 99*day}}}, 0},
		"a withdrawal":                     {act.Withdraw, nil, 1},
		"options":                          {act.Superseded, nil, 0},
		"the successor's deadline":         {act.Superseded, []Version{{Version: 2, Deadlines: []int64{genesisTime}}}, 1},
	} {
		l := newLab(t)
		l.ledger.versions = c.versions
		l.takeAct(l.act(c.kind, 1))
		for e := range int64(8) {
			l.tick(e + 1)
			if want := c.epoch != 0 && e+1 >= c.epoch; (len(l.ledger.sizes) == 1) != want {
				t.Errorf("%s: at the end of epoch %d: %v", name, e, l.ledger.sizes)
			}
		}
	}
}

// TestFirstAsked: who proves by a root that N(v) was seen with is asked for the
// first time, also for a version that others are asked for again.
func TestFirstAsked(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.ledger.trees = map[string][]field.Leaf{"N-1": {{31: 1}, {}, {31: 2}}, "E-1": {{31: 3}}}
	l.look()
	newcomer, other := l.act(act.Consent, 1), l.act(act.Consent, 2)
	root, err := rootNow(t.Context(), l.ledger, theTrial, "N-1")
	if err != nil {
		t.Fatal(err)
	}
	newcomer.Proven.Root = root
	l.ledger.trees["N-1"] = append(l.ledger.trees["N-1"], field.Leaf{31: 4}) // the set has grown since
	l.look()
	l.takeAct(newcomer)
	l.takeAct(other)
	l.restart()
	l.tick(1)
	l.want()
	l.tick(2) // the first epoch that begins on the next day is over at midnight
	if l.want(1); l.ledger.effects[newcomer.Proven.Account] != 1 {
		t.Error("the other one was sent")
	}
}

// TestAsksAtFixedTimes: what a batcher asks a node does not tell when acts come.
func TestAsksAtFixedTimes(t *testing.T) {
	t.Parallel()
	questions := func(acts int) uint64 {
		l := newLab(t)
		for n := range acts {
			l.take(n)
			l.batcher.Take(t.Context(), l.sealed([]byte{1})) //nolint:errcheck // refused
			if err := l.batcher.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 - acts {
			if err := l.batcher.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return l.ledger.asked
	}
	if none, some := questions(0), questions(2); none != some {
		t.Errorf("asked %d times without acts, %d times with", none, some)
	}
}

// TestPressingAloneGoes: what can wait does not go out with what cannot, where
// both are few.
func TestPressingAloneGoes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.take(1)
	l.takeAct(l.act(act.Withdraw, 2))
	l.tick(1)
	l.want(1)
	l.take(3)
	l.take(4)
	l.tick(2)
	l.want(1, 3)
}

func TestJitter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.batcher.cfg.Jitter = 6 * 60 * 1e9
	seen := map[int64]bool{}
	for range 50 {
		l.batcher.draw()
		if j := l.batcher.jitter; j < 0 || j >= hour/10 {
			t.Fatalf("%d", j)
		}
		seen[l.batcher.jitter] = true
	}
	if len(seen) < 40 {
		t.Errorf("%d of 50 differ", len(seen))
	}
	l.batcher.jitter = 1000
	for n := range 3 {
		l.take(n)
	}
	l.tick(1)
	l.want()
	l.clock.set(genesisTime + hour + 1000)
	if err := l.batcher.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.want(3)
}

// TestOrderTellsNothing: acts leave in another order than they came in.
func TestOrderTellsNothing(t *testing.T) {
	t.Parallel()
	acts := make([]*held, 100)
	for i := range acts {
		acts[i] = &held{end: int64(i)}
	}
	shuffle(acts)
	fixed := 0
	var all []int64
	for i, h := range acts {
		if all = append(all, h.end); h.end == int64(i) {
			fixed++
		}
	}
	slices.Sort(all)
	if fixed > 10 || slices.Compact(all)[99] != 99 {
		t.Errorf("%d of 100 in place", fixed)
	}
}

// TestBadActIsLeftOut: the others of its batch lose nothing, not even time.
func TestBadActIsLeftOut(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range 20 {
		l.take(n)
	}
	l.ledger.bad[accountOf(4)], l.ledger.bad[accountOf(17)] = trial.RootExpired, trial.PassUsed
	l.tick(1)
	l.want(18)
	if l.batcher.Held() != 0 || len(l.ledger.effects) != 18 {
		t.Errorf("%d held, %d on the ledger", l.batcher.Held(), len(l.ledger.effects))
	}
}

// TestBadActsHideNobody: bad acts do not count towards the least size.
func TestBadActsHideNobody(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range 4 {
		l.take(n)
	}
	l.ledger.bad[accountOf(0)], l.ledger.bad[accountOf(3)] = trial.UnknownRoot, trial.UnknownRoot
	l.tick(1)
	if l.want(); l.batcher.Held() != 2 {
		t.Errorf("%d held", l.batcher.Held())
	}
	l.take(4)
	l.tick(2)
	l.want(3)
}

// TestBadActsTakeNoPlace: a batch full of bad acts keeps nobody out.
func TestBadActsTakeNoPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range consent.MaxBatch {
		l.take(n)
		l.ledger.bad[accountOf(n)] = trial.UnknownRoot
	}
	for n := range 20 {
		l.take(1000 + n)
	}
	l.tick(1)
	l.want(20)
}

// TestNothingNamed: a batch refused for no act's sake is not lost.
func TestNothingNamed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range 4 {
		l.take(n)
	}
	refusal := trial.Refuse(trial.UnknownKey, "key: not in the directory")
	l.ledger.before = func() error { return refusal }
	l.tick(1)
	l.tick(2)
	if l.want(); l.batcher.Held() != 4 {
		t.Errorf("%d held", l.batcher.Held())
	}
	l.ledger.before = func() error { return nil }
	l.tick(3)
	l.want(4)
}

// TestNodeAway: batches are sent until their outcome is known, whatever the
// network loses.
func TestNodeAway(t *testing.T) {
	t.Parallel()
	away := errors.New("connection refused")
	for name, lose := range map[string]func(*ledger, error){
		"before it arrived": func(l *ledger, err error) { l.before = func() error { return err } },
		"after it arrived":  func(l *ledger, err error) { l.after = func() error { return err } },
	} {
		l := newLab(t)
		for n := range 4 {
			l.take(n)
		}
		lose(l.ledger, away)
		l.tick(1)
		if l.batcher.Held() != 4 {
			t.Errorf("%s: %d held", name, l.batcher.Held())
		}
		// A later batch of the trial does not overtake it.
		for n := range 3 {
			l.take(10 + n)
		}
		l.tick(3) // its envelope has expired
		lose(l.ledger, nil)
		l.tick(3)
		l.tick(3)
		l.want(4, 3)
		if l.batcher.Held() != 0 {
			t.Errorf("%s: %d held: %q", name, l.batcher.Held(), l.said)
		}
	}
}

// TestSentElsewhere: an act that came to the ledger by another way is finished.
func TestSentElsewhere(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range 5 {
		l.take(n)
	}
	l.ledger.latest[accountOf(2)] = latest{Kind: act.Consent}
	l.tick(1)
	l.want(4)
	if l.batcher.Held() != 0 {
		t.Errorf("%d held", l.batcher.Held())
	}
}

// TestOneActOfAnAccount: a later act of an account waits for the first.
func TestOneActOfAnAccount(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.batcher.cfg.KMin = 1
	l.takeAct(l.act(act.Options, 1))
	l.take(1)
	l.tick(1)
	l.want(1)
	if got := l.ledger.latest[accountOf(1)]; got.Kind != act.Consent {
		t.Fatalf("%+v came first", got)
	}
	l.tick(2)
	if got := l.ledger.latest[accountOf(1)]; got.Kind != act.Options || l.batcher.Held() != 0 {
		t.Errorf("%+v, %d held", got, l.batcher.Held())
	}
}

// TestReplaysFillNothing: what is on the ledger is no filler, of whatever kind:
// who recorded sealed acts cannot bring an honest one out alone with them. A
// withdrawal made before its consent was seen there is no such one.
func TestReplaysFillNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var recorded [][]byte
	for n := range 3 {
		l.ledger.latest[accountOf(n)] = latest{Kind: act.Consent}
		recorded = append(recorded, l.sealed(wire.Marshal(l.act(act.Options, n))))
	}
	l.look()
	for _, message := range recorded {
		if _, err := l.batcher.Take(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	l.tick(1)
	l.want(3)
	l.look()
	l.take(9)
	for _, message := range recorded {
		_, err := l.batcher.Take(t.Context(), message)
		if r, ok := errors.AsType[*sealed.RefusedError](err); !ok || r.Code != sealed.Used {
			t.Errorf("again: %v", err)
		}
	}
	l.takeAct(l.act(act.Withdraw, 0))
	l.ledger.latest[accountOf(1)] = latest{Kind: act.Withdraw, Sequence: 1}
	l.look()
	again := l.act(act.Withdraw, 1)
	again.Proven.Act.Sequence = 2
	if _, err := l.batcher.Take(t.Context(), l.sealed(wire.Marshal(again))); err == nil {
		t.Error("left twice")
	}
	l.tick(2)
	l.want(3, 1) // the withdrawal alone
}

// TestWithdrawalOvertakes: a withdrawal does not wait with the act that it makes
// moot, nor behind one that has to come first.
func TestWithdrawalOvertakes(t *testing.T) {
	t.Parallel()
	for sequence, epochs := range map[uint32]int64{0: 1, 1: 2} {
		for n := range 8 { // names are hashes: which of two comes first is chance
			l := newLab(t)
			l.take(n)
			w := l.act(act.Withdraw, n)
			w.Proven.Act.Sequence = sequence
			l.takeAct(w)
			for e := range epochs {
				l.tick(1 + e)
			}
			if got := l.ledger.latest[accountOf(n)]; got.Kind != act.Withdraw {
				t.Errorf("sequence %d: %+v after %d epochs", sequence, got, epochs)
			}
			l.tick(1 + epochs)
			if l.batcher.Held() != 0 {
				t.Errorf("sequence %d: %d held", sequence, l.batcher.Held())
			}
		}
	}
}

func TestFullBatch(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for n := range consent.MaxBatch + 5 {
		l.take(n)
	}
	l.tick(1)
	l.want(consent.MaxBatch)
	l.tick(2)
	l.want(consent.MaxBatch, 5)
}

func TestDoor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	good := l.act(act.Consent, 1)
	l.ledger.latest[accountOf(50)] = latest{Kind: act.Consent}
	l.look()
	with := func(change func(*consent.Act)) []byte {
		a := good
		change(&a)
		return l.sealed(wire.Marshal(a))
	}
	another := l.sealed(wire.Marshal(good))
	another[0] ^= 1
	broken := l.sealed(wire.Marshal(good))
	broken[2000] ^= 1
	elsewhere, err := sealed.Seal(mustKey(t, l), wire.LedgerID{1}, l.keys.Actor(), wire.Marshal(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		message []byte
		code    sealed.Code
	}{
		"short":              {another[1:], sealed.Malformed},
		"another key":        {another, sealed.Unreadable},
		"changed":            {broken, sealed.Unreadable},
		"sealed for another": {elsewhere, sealed.Unreadable},
		"no CBOR":            {l.sealed([]byte{0xff}), sealed.Malformed},
		"a byte more":        {l.sealed(append(wire.Marshal(good), 0)), sealed.Malformed},
		"an enrolment":       {with(func(a *consent.Act) { a.Proven.Act.Kind = act.Enrol }), sealed.Malformed},
		"no options":         {with(func(a *consent.Act) { a.Proven.Act.Options = trial.Commitment{} }), sealed.Malformed},
		"another ledger":     {with(func(a *consent.Act) { a.Proven.Act.Ledger[0]++ }), sealed.Elsewhere},
		"another trial":      {with(func(a *consent.Act) { a.Proven.Act.Trial[0]++ }), sealed.Elsewhere},
		"no proof":           {with(func(a *consent.Act) { a.Proven.Proof[0] = 0xff }), sealed.Unproven},
		"an account used":    {with(func(a *consent.Act) { a.Proven.Account = accountOf(50) }), sealed.Used},
	} {
		_, err := l.batcher.Take(t.Context(), c.message)
		if r, ok := errors.AsType[*sealed.RefusedError](err); !ok || r.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.ledger.latest[accountOf(60)] = latest{Kind: act.Consent}
	l.look()
	l.takeAct(l.act(act.Options, 60))

	l.batcher.cfg.MaxHeld = 1
	_, err = l.batcher.Take(t.Context(), l.sealed(wire.Marshal(good)))
	if r, ok := errors.AsType[*sealed.RefusedError](err); !ok || r.Code != sealed.Busy {
		t.Errorf("full: %v", err)
	}
}

func mustKey(t *testing.T, l *lab) sealed.Key {
	t.Helper()
	s, err := l.keys.Statement(l.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s.Key
}

// TestAgain: an act that comes again, sealed anew or not, is promised again and
// sent once; after a restart too.
func TestAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a := l.act(act.Consent, 1)
	first := l.takeAct(a)
	l.clock.set(genesisTime + hour + hour/2)
	second := l.takeAct(a)
	l.restart()
	third := l.takeAct(a)
	if first.Epoch != 0 || second.Epoch != 0 || third.Epoch != 0 || first.Sealed == second.Sealed {
		t.Errorf("epochs %d, %d, %d", first.Epoch, second.Epoch, third.Epoch)
	}
	l.batcher.cfg.KMin = 1
	l.tick(2)
	l.want(1)
}

// TestKilledAnywhere: wherever the process is killed, it goes on with what is on
// its disk; each promised act comes to the ledger, and counts once.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	type moment struct {
		name     string
		dir      string
		ledger   *ledger
		now      int64
		promised []field.Account
	}
	var mu sync.Mutex
	var moments []moment
	var promised []field.Account
	look := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		m := moment{name: name, dir: t.TempDir(), ledger: l.ledger.clone(nil), now: l.clock.Now(), promised: slices.Clone(promised)}
		if err := os.CopyFS(m.dir, os.DirFS(l.dir)); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, m)
	}
	l.batcher.step = func(what string) { look(what) }
	l.ledger.before = func() error { look("before it is sent"); return nil }
	l.ledger.after = func() error { look("sent, not known"); return nil }
	take := func(n int) {
		l.take(n)
		promised = append(promised, accountOf(n))
		look("promised")
	}
	for n := range 5 {
		take(n)
	}
	l.ledger.bad[accountOf(3)] = trial.RootExpired
	l.tick(1)
	for n := range 4 {
		take(10 + n)
	}
	l.tick(2)
	l.want(4, 4)
	if len(moments) < 25 {
		t.Fatalf("%d moments", len(moments))
	}
	for i, m := range moments {
		r := &lab{t: t, dir: m.dir, clock: &clock{now: m.now}, genesis: l.genesis}
		r.ledger = m.ledger
		r.ledger.clock = r.clock
		r.ledger.bad[accountOf(3)] = trial.RootExpired
		var err error
		if r.keys, err = OpenKeys(r.dir, r.genesis.ID()); err != nil {
			t.Fatal(err)
		}
		r.open()
		r.batcher.cfg.KMin = 1
		for e := (m.now-genesisTime)/hour + 1; e < 6; e++ {
			r.tick(e)
		}
		for _, a := range m.promised {
			if n := r.ledger.effects[a]; n != 1 && a != accountOf(3) {
				t.Errorf("moment %d, %s: an act came to the ledger %d times", i, m.name, n)
			}
		}
		for a, n := range r.ledger.effects {
			if n > 1 {
				t.Errorf("moment %d, %s: %v counted %d times", i, m.name, a, n)
			}
		}
		if r.batcher.Held() != 0 {
			t.Errorf("moment %d, %s: %d held in the end", i, m.name, r.batcher.Held())
		}
		r.batcher.Close()
	}
}

// TestTornJournal: a journal cut at any byte holds every change that was whole.
func TestTornJournal(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var ends []int64
	for n := range 4 {
		l.take(n)
		info, err := os.Stat(l.journal())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	whole, err := os.ReadFile(l.journal())
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		s := newState()
		replay(whole[:cut], s.apply)
		want := 0
		for _, end := range ends {
			if int64(cut) >= end {
				want++
			}
		}
		if len(s.acts) != want {
			t.Fatalf("cut at %d: %d acts, want %d", cut, len(s.acts), want)
		}
	}
	// One damaged record does not take the others with it.
	for _, at := range []int64{ends[0] + 2, ends[0] + 5, ends[0] + 9, ends[0] + 100} {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		s := newState()
		replay(b, s.apply)
		if len(s.acts) != 3 {
			t.Errorf("damaged at %d: %d acts", at, len(s.acts))
		}
	}
}

// TestFailedDisk: what is not written, or not synced, is not promised; and after
// a sync failed nothing is any more.
func TestFailedDisk(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*journal){
		"write": func(j *journal) { j.file.Close() },
		"sync":  func(j *journal) { j.failed = errors.New("the disk is gone") },
	} {
		l := newLab(t)
		l.take(1)
		fail(l.batcher.journal)
		for range 2 {
			if _, err := l.batcher.Take(t.Context(), l.sealed(wire.Marshal(l.act(act.Consent, 2)))); err == nil {
				t.Errorf("%s: promised", name)
			}
		}
		if name == "sync" && l.batcher.Tick(t.Context()) == nil {
			t.Error("goes on after a failed sync")
		}
	}
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if _, err := OpenBatcher(l.batcher.cfg); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("%v", err)
	}
}

// TestManyAtOnce: acts that come together share syncs, and lose nothing.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var wg sync.WaitGroup
	for n := range 64 {
		message := l.sealed(wire.Marshal(l.act(act.Consent, n)))
		wg.Go(func() {
			if _, err := l.batcher.Take(context.Background(), message); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if err := l.batcher.Tick(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	l.restart()
	l.tick(1)
	l.want(64)
}

// TestKeyOfWrongClock: a key that was made while the clock was far ahead is not
// announced for all the time until then.
func TestKeyOfWrongClock(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	now := l.clock.Now()
	wrong, err := l.keys.Statement(now + 100*keyLife)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := l.keys.Statement(now)
		if err != nil || s.NotAfter != now+keyLife || s.Key == wrong.Key {
			t.Errorf("until %d, now %d, %v", s.NotAfter, now, err)
		}
		if _, ok := l.keys.opener(wrong.Key.ID()); !ok {
			t.Error("what was sealed to it does not open")
		}
		l.restart()
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	begin := l.clock.Now()
	statement := func(now int64) sealed.Statement {
		s, err := l.keys.Statement(now)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(l.genesis.ID(), l.keys.Actor(), l.keys.Public(), now); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := statement(begin)
	if again := statement(begin + keyLife - keyOverlap - 1); again.Key != first.Key || again.NotAfter != begin+keyLife {
		t.Error("changed before its time")
	}
	old := l.sealed(wire.Marshal(l.act(act.Consent, 1)))
	l.clock.set(begin + keyLife - 1)
	second := statement(l.clock.Now())
	if second.Key == first.Key {
		t.Fatal("not changed in time")
	}
	l.restart()
	if again := statement(l.clock.Now()); again.Key != second.Key {
		t.Error("another key after a restart")
	}
	if _, err := l.batcher.Take(t.Context(), old); err != nil {
		t.Errorf("sealed to the key before: %v", err)
	}
	statement(begin + keyLife + keyLinger)
	if _, err := l.batcher.Take(t.Context(), old); err == nil {
		t.Error("a key that was destroyed opens")
	}
	files, err := filepath.Glob(filepath.Join(l.dir, "*"+extSeal))
	if err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := InitKeys(l.dir, l.genesis.ID()); err == nil {
		t.Error("keys were replaced")
	}
}

// TestOneAccountFillsNothing: who has one account, and makes one proof into many
// that show the same, keeps nobody out.
func TestOneAccountFillsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.batcher.cfg.MaxHeld = 20
	refused := 0
	for range 100 {
		_, err := l.batcher.Take(t.Context(), l.sealed(wire.Marshal(l.act(act.Consent, 1))))
		if r, ok := errors.AsType[*sealed.RefusedError](err); ok && r.Code == sealed.Busy {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if held := l.batcher.Held(); held > 4 || refused != 100-held {
		t.Errorf("%d held, %d refused", held, refused)
	}
	l.restart()
	l.batcher.cfg.MaxHeld = 20
	if _, err := l.batcher.Take(t.Context(), l.sealed(wire.Marshal(l.act(act.Consent, 1)))); err == nil {
		t.Error("one more after a restart")
	}
	l.take(2)
	l.take(3)
	l.tick(1)
	l.want(3)
	l.tick(2)
	if l.batcher.Held() != 0 {
		t.Errorf("%d held in the end", l.batcher.Held())
	}
}

// TestClockWasWrong: what a clock that was ahead for a while had written does not
// hold acts up until that time comes.
func TestClockWasWrong(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.ledger.versions = nil // no deadline presses
	l.look()
	l.take(0)
	l.clock.set(genesisTime + 5000*hour)
	if err := l.batcher.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.take(1) // promised for an epoch that has not come
	l.clock.set(genesisTime + hour/2)
	l.take(2)
	l.restart()
	l.tick(1)
	l.tick(2)
	l.want(3)
	// Back by a little, over an epoch's end: no second batch of that epoch.
	for n := range 3 {
		l.take(10 + n)
	}
	l.clock.set(genesisTime + 2*hour - 1)
	if err := l.batcher.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.want(3)
	l.tick(3)
	l.want(3, 3)
}
