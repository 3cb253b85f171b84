package store

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// TestUpgrade opens a directory of the old format, in which each node of a map
// had its row, and goes on.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	o := Options{FS: fs}
	open := func() *Store {
		s, err := Open("data", toy.Genesis(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	k := toy.Key(2)
	raws := [][]byte{toy.GrantTx(k, 1)}
	for i := range uint64(200) {
		raws = append(raws, toy.Tx(k, toy.Add, toy.Stream(int(i%3)), string(rune('a'+i)), i+2))
	}
	commit(t, s, raws...)
	before := s.Snapshot()
	ids, err := before.Streams()
	if err != nil {
		t.Fatal(err)
	}
	old := map[string][]byte{string([]byte{tableFormat}): []byte(oldFormat)}
	oldRows(t, before, []byte{tableStreamNode}, []byte{tableStream}, old)
	for _, id := range ids {
		oldRows(t, before, named(tableNode, id), named(tableState, id), old)
	}
	for _, table := range []byte{tableNode, tableStreamNode} {
		if err := s.db.DeleteRange([]byte{table}, []byte{table + 1}, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range old {
		if err := s.db.Set([]byte(key), value, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	head := before.Head()
	before.Release()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	commit(t, s, toy.Tx(k, toy.Add, toy.Stream(1), "after", 1000))
	snap := s.Snapshot()
	if snap.Head().Height != head.Height+1 {
		t.Errorf("head %d", snap.Head().Height)
	}
	for _, id := range ids {
		p, err := snap.StreamProof(id)
		if err != nil || p.Verify(snap.Head()) != nil {
			t.Errorf("stream %v: %v, %v", id, err, p.Verify(snap.Head()))
		}
	}
	snap.Release()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Fsck("data", toy.Genesis(), FsckOptions{FS: fs})
	if err != nil || len(f.Found) > 0 {
		t.Errorf("fsck: %v, %+v", err, f)
	}
}

// commit makes one block of transactions.
func commit(t *testing.T, s *Store, raws ...[]byte) {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Release()
	log, err := snap.Log()
	if err != nil {
		t.Fatal(err)
	}
	var items []engine.Item
	for _, raw := range raws {
		e, err := tx.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, engine.Item{Hash: tx.Hash(raw), Envelope: e, Raw: raw})
	}
	head := snap.Head()
	h := chain.Header{
		Version: chain.HeaderVersion, Ledger: toy.Genesis().ID(), Height: head.Height + 1, Time: head.Time + 1,
		First: head.Size(), Count: uint32(len(items)), Previous: head.Hash(), Rules: head.Rules,
	}
	done, err := engine.Execute(new(toy.Machine), snap, h, items)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(done.Leaves); err != nil {
		t.Fatal(err)
	}
	h.Streams, h.Results = done.Streams, done.Results
	if h.Root, err = log.Root(); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(Block{Header: h, Executed: done, Items: items, Log: log}); err != nil {
		t.Fatal(err)
	}
}

// oldRows makes the rows that a map had: under depth and path of each node its
// two children, of which a leaf is its path and the hash of its value.
func oldRows(t *testing.T, s *Snapshot, nodes, rows []byte, out map[string][]byte) {
	t.Helper()
	var leaves [][2]wire.Hash
	err := s.walk(rows, rows, func(key, value []byte) error {
		leaves = append(leaves, [2]wire.Hash{wire.SumBytes("map key", key[len(rows):]), wire.SumBytes("map value", value)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(leaves, func(a, b [2]wire.Hash) int { return bytes.Compare(a[0][:], b[0][:]) })
	if len(leaves) > 0 {
		record, _ := oldNode(nodes, 0, leaves, out)
		out[string(nodes)] = record
	}
}

func oldNode(prefix []byte, depth int, leaves [][2]wire.Hash, out map[string][]byte) (record []byte, hash wire.Hash) {
	switch len(leaves) {
	case 0:
		return []byte{0}, wire.Hash{}
	case 1:
		l := leaves[0]
		return slices.Concat([]byte{1}, l[0][:], l[1][:]), wire.Sum("map leaf", l[0], l[1])
	}
	cut := slices.IndexFunc(leaves, func(l [2]wire.Hash) bool { return l[0][depth/8]>>(7-depth%8)&1 == 1 })
	if cut < 0 {
		cut = len(leaves)
	}
	l, lh := oldNode(prefix, depth+1, leaves[:cut], out)
	r, rh := oldNode(prefix, depth+1, leaves[cut:], out)
	path := slices.Clone(leaves[0][0][:(depth+7)/8])
	if spare := 8*len(path) - depth; spare > 0 {
		path[len(path)-1] &= 0xff << spare
	}
	out[string(slices.Concat(prefix, []byte{byte(depth)}, path))] = slices.Concat(l, r)
	hash = wire.Sum("map node", lh, rh)
	return slices.Concat([]byte{2}, hash[:]), hash
}
