package solo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/internal/toy"
)

// Blocks are synced before their checkpoints are kept, several at once: those
// that were lost are signed again when the ledger is opened, to the same bytes.
func TestMissingCheckpointsAreSignedAgain(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	for i := range 5 {
		enter(t, l, toy.GrantTx(toy.Key(2+i), 1))
	}
	var signed [][]byte
	for height := range l.Head().Height + 1 {
		msg, err := l.CheckpointAt(height)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, msg)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open(c.Dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	for height := uint64(3); height <= 5; height++ {
		err = errors.Join(err, db.Delete(binary.BigEndian.AppendUint64([]byte{'c'}, height), pebble.Sync))
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	l = open(t, c)
	for height, want := range signed {
		if got, err := l.CheckpointAt(uint64(height)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("height %d: %q %v, it was %q", height, got, err, want)
		}
	}
	audit(t, l)
}
