package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// Recorder is a follower that keeps every block it was told, and its cursor as
// a database would. At the height FailAt it fails once, after it worked and
// before its cursor moved.
type Recorder struct {
	FailAt uint64
	Gate   chan struct{} // if set, waited for by every Apply

	mu     sync.Mutex
	at     uint64
	blocks []engine.Block
}

// NewRecorder is a recorder whose cursor is already somewhere.
func NewRecorder(at uint64) *Recorder { return &Recorder{at: at} }

// Cursor is the height of the last block applied.
func (r *Recorder) Cursor(context.Context) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, nil
}

// Apply keeps the block.
func (r *Recorder) Apply(ctx context.Context, b engine.Block) error {
	if r.Gate != nil {
		select {
		case <-r.Gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocks = append(r.blocks, b)
	if b.Height == r.FailAt {
		r.FailAt = 0
		return errors.New("no room")
	}
	r.at = b.Height
	return nil
}

// Heights are those of the blocks it was told, in order.
func (r *Recorder) Heights() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]uint64, len(r.blocks))
	for i := range r.blocks {
		out[i] = r.blocks[i].Height
	}
	return out
}

// Check compares what it was told with the ledger: each block once, in order,
// as it is.
func (r *Recorder) Check(e engine.Engine) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, told := range r.blocks {
		if told.Height != uint64(i+1) {
			return fmt.Errorf("block %d was told where %d belongs", told.Height, i+1)
		}
		b, err := e.Block(told.Height)
		if err != nil {
			return err
		}
		if told.Time != b.Time || engine.ResultsHash(told.Entries) != engine.ResultsHash(b.Entries) || len(told.Entries) != len(b.Entries) {
			return fmt.Errorf("block %d was told as another than it is", told.Height)
		}
		for j := range b.Entries {
			if told.Entries[j].Hash != b.Entries[j].Hash || told.Entries[j].Name() != b.Entries[j].Name() {
				return fmt.Errorf("block %d: entry %d was told as another", told.Height, j)
			}
		}
	}
	return nil
}

// heights checks that a follower was told the blocks 1 to n, each once.
func heights(t testing.TB, r *Recorder, n uint64) {
	t.Helper()
	got := r.Heights()
	for i, h := range got {
		if h != uint64(i+1) {
			t.Fatalf("told blocks %d", got)
		}
	}
	if uint64(len(got)) != n {
		t.Errorf("told %d blocks of %d", len(got), n)
	}
}

// followers: each is told each block once, in order; a slow one delays neither
// the chain nor the others.
func followers(t testing.TB, open Open) {
	o := options(t)
	quick, slow := new(Recorder), &Recorder{Gate: make(chan struct{})}
	o.Followers = []engine.Follower{quick, slow}
	e := open(t, o)
	defer shut(t, e)
	Load(t, e, 6, 6)
	until(t, "the quick one", func() bool {
		at, err := quick.Cursor(t.Context())
		return err != nil || at == e.Head().Height
	})
	if n := len(slow.Heights()); n != 0 {
		t.Errorf("the slow one was told %d blocks; it waits in its first", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wants(t, "caught up with a slow one", e.CatchUp(ctx), context.Canceled)
	close(slow.Gate)
	if err := e.CatchUp(limit(t)); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Recorder{quick, slow} {
		heights(t, r, e.Head().Height)
		if err := r.Check(e); err != nil {
			t.Error(err)
		}
	}
}

// followersAfterRestart: a follower goes on from its cursor; one that is new
// begins at block 1.
func followersAfterRestart(t testing.TB, open Open) {
	o := options(t)
	old, fresh := new(Recorder), new(Recorder)
	o.Followers = []engine.Follower{old}
	for i := range 3 {
		if i == 2 {
			o.Followers = append(o.Followers, fresh)
		}
		e := open(t, o)
		Load(t, e, 3, 3)
		if i != 0 { // the first time it is left wherever it is
			if err := e.CatchUp(limit(t)); err != nil {
				t.Fatal(err)
			}
			heights(t, old, e.Head().Height)
		}
		if i == 2 {
			heights(t, fresh, e.Head().Height)
			for _, r := range []*Recorder{old, fresh} {
				if err := r.Check(e); err != nil {
					t.Error(err)
				}
			}
		}
		shut(t, e)
	}
}

// followerFails: the failure is told, the chain and the others go on, and the
// block comes again after a restart.
func followerFails(t testing.TB, open Open) {
	o := options(t)
	good, bad := new(Recorder), &Recorder{FailAt: 2}
	o.Followers = []engine.Follower{good, bad}
	e := open(t, o)
	for i := range 4 {
		enter(t, e, toy.GrantTx(toy.Key(2+i), 1))
	}
	if err := e.CatchUp(limit(t)); err == nil {
		t.Error("caught up, though a follower failed")
	}
	if e.Err() == nil {
		t.Error("the failure is silent")
	}
	enter(t, e, toy.GrantTx(toy.Key(9), 1))
	head := e.Head().Height
	shut(t, e)
	ahead := NewRecorder(head + 90)
	e = open(t, o)
	if err := e.CatchUp(limit(t)); err != nil {
		t.Fatal(err)
	}
	heights(t, good, head)
	if got, want := fmt.Sprint(bad.Heights()), "[1 2 2 3 4 5]"; got != want {
		t.Errorf("the one that failed was told %s, want %s", got, want)
	}
	shut(t, e)
	o.Followers = []engine.Follower{ahead}
	e = open(t, o)
	defer shut(t, e)
	if err := e.CatchUp(limit(t)); err == nil {
		t.Error("a follower ahead of the ledger was not noticed")
	}
}
