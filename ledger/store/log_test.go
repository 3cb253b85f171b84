package store

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
)

// TestLogRows writes blocks of many sizes, and single hashes as an older release
// did, and reads every node in two orders.
func TestLogRows(t *testing.T) {
	t.Parallel()
	s, err := Open("data", toy.Genesis(), Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	log := &Log{Log: chain.NewLog()}
	want := map[chain.Node][]byte{}
	plain := chain.NewLog()
	for i, size := range []int{1, 2, 3, 1, 40, 7, 300, 1, 1, 64} {
		leaves := make([][]byte, size)
		for j := range leaves {
			leaves[j] = fmt.Appendf(nil, "%d of %d", j, i)
		}
		if err := plain.Append(leaves, func(n chain.Node, h []byte) { want[n] = h }); err != nil {
			t.Fatal(err)
		}
		if err := log.Append(leaves); err != nil {
			t.Fatal(err)
		}
		for _, r := range log.take() {
			step := len(r.hashes)
			if i == 5 {
				step = 32 // each for itself
			}
			for at := 0; at < len(r.hashes); at += step {
				n := r.first
				n.Index += uint64(at / 32)
				if err := s.db.Set(logKey(n), r.hashes[at:at+step], pebble.Sync); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	snap := s.Snapshot()
	for _, backward := range []bool{false, true} {
		r := snap.logReader()
		for level := range uint(10) {
			count := plain.Size() >> level
			for i := range count + 2 {
				n := chain.Node{Level: level, Index: i}
				if backward {
					n.Index = count + 1 - i
				}
				h, err := r.get(n)
				if known := want[n]; !bytes.Equal(h, known) || (known == nil) != errors.Is(err, engine.ErrUnknown) {
					t.Errorf("node %+v: %x (%v), want %x", n, h, err, known)
				}
			}
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}
	snap.Release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
