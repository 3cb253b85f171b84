package solo

import (
	"bytes"
	"errors"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// quorate is content with the checkpoint of one height.
type quorate struct{ checkpoint []byte }

func (q *quorate) Check(checkpoint []byte) error {
	if !bytes.Equal(checkpoint, q.checkpoint) {
		return errors.New("too few")
	}
	return nil
}

// A checkpoint that too few have cosigned is passed over for one that enough have.
func TestReceiptUnderAQuorum(t *testing.T) {
	t.Parallel()
	c, q := config(t), new(quorate)
	c.Quorum = q
	l := open(t, c)
	e := enter(t, l, toy.GrantTx(toy.Key(2), 1))
	for n := range uint64(2) {
		enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "x", n))
	}
	for _, enough := range []uint64{0, 3} {
		for _, height := range []uint64{2, 3} {
			msg, err := l.CheckpointAt(height)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.SetCosigned(height, msg); err != nil {
				t.Fatal(err)
			}
			if height == enough {
				q.checkpoint = msg
			}
		}
		r, err := l.Receipt(e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Verify(toy.Genesis(), nil)
		if want := max(enough, 2); err != nil || p.Checkpoint.Height != want {
			t.Errorf("enough at %d: under %d, %v; want %d", enough, p.Checkpoint.Height, err, want)
		}
	}
}

// A receipt is made under the first cosigned checkpoint that covers its
// transaction, and under its own block's as long as there is none.
func TestReceiptUnderALaterCheckpoint(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	var es []engine.Entry
	for n := range uint64(6) {
		es = append(es, enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "x", n)))
	}
	under := func(e engine.Entry) uint64 {
		t.Helper()
		r, err := l.Receipt(e.Hash)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Verify(toy.Genesis(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Link.Hash != e.Hash || p.Link.Height != e.Height || p.Link.Time != e.Time {
			t.Errorf("proven: %+v", p)
		}
		return p.Checkpoint.Height
	}
	for _, e := range es {
		if got := under(e); got != e.Height {
			t.Errorf("not cosigned: block %d under the checkpoint of %d", e.Height, got)
		}
	}
	for _, height := range []uint64{4, 6} {
		msg, err := l.CheckpointAt(height)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.SetCosigned(height, msg); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []uint64{4, 4, 4, 6, 6, 7} {
		if got := under(es[i]); got != want {
			t.Errorf("block %d under the checkpoint of %d, want %d", es[i].Height, got, want)
		}
	}
	early, err := l.CheckpointAt(3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.ReceiptUnder(es[3].Hash, early); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("under a checkpoint before its block: %v", err)
	}
	if _, err := l.ReceiptUnder(es[0].Hash, append(early, 'x')); err == nil {
		t.Error("under a checkpoint that is none")
	}
}
