package enginetest

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// Audit checks everything that a ledger's read side says against itself: the
// header chain, each block's results, every entry's link, receipt and place,
// the log's root, and each stream's head, count and digest. Nobody may submit
// meanwhile.
func Audit(e engine.Engine) error {
	a := auditor{Engine: e, head: e.Head(), log: chain.NewLog(), streams: map[wire.StreamID]chain.Stream{}, seen: map[wire.TxHash]bool{}}
	if err := a.checkpoint(); err != nil {
		return err
	}
	if a.head.Height == 0 {
		return nil
	}
	headers, err := e.Headers(1, a.head.Height)
	if err != nil {
		return err
	}
	if err := chain.CheckHeaders(e.Genesis(), headers); err != nil {
		return err
	}
	for _, h := range headers {
		if err := a.block(h); err != nil {
			return fmt.Errorf("block %d: %w", h.Height, err)
		}
	}
	return a.state()
}

// auditor is what Audit has read so far.
type auditor struct {
	engine.Engine
	head    chain.Header
	log     *chain.Log
	streams map[wire.StreamID]chain.Stream
	seen    map[wire.TxHash]bool
}

func (a *auditor) checkpoint() error {
	c, err := OpenCheckpoint(a.Engine, a.Checkpoint())
	if err != nil {
		return err
	}
	return c.Matches(a.head)
}

// OpenCheckpoint opens a checkpoint of the ledger.
func OpenCheckpoint(e engine.Engine, msg []byte) (chain.Checkpoint, error) {
	keys, err := e.Keys()
	if err != nil {
		return chain.Checkpoint{}, err
	}
	return chain.OpenCheckpoint(keys, msg)
}

// VerifyReceipt verifies a receipt as somebody does who has nothing but genesis.
func VerifyReceipt(g chain.Genesis, r receipt.Receipt) (receipt.Proven, error) {
	return r.Verify(g, nil)
}

// block checks one block, and that the log with it has the header's root.
func (a *auditor) block(h chain.Header) error {
	b, err := a.Block(h.Height)
	if err != nil {
		return err
	}
	if engine.ResultsHash(b.Entries) != h.Results {
		return errors.New("its results are not the header's")
	}
	directory := true
	for i, e := range b.Entries {
		if e.Height != h.Height || e.Time != h.Time || e.Index != uint32(i) {
			return fmt.Errorf("entry %d: height %d, time %d, index %d", i, e.Height, e.Time, e.Index)
		}
		if e.Stream == wire.Directory && !directory {
			return fmt.Errorf("entry %d: of the directory, after one of a trial", i)
		}
		directory = e.Stream == wire.Directory
		if err := a.entry(e); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	root, err := a.log.Root()
	if err != nil {
		return err
	}
	if root != h.Root {
		return fmt.Errorf("root %v, the entries give %v", h.Root, root)
	}
	return nil
}

// entry checks an entry's place in its stream and its receipt.
func (a *auditor) entry(e engine.Entry) error {
	s := a.streams[e.Stream]
	if e.Sequence != s.Count {
		return fmt.Errorf("sequence %d, the stream has %d before it", e.Sequence, s.Count)
	}
	if e.Stream != wire.Directory && e.Directory != a.streams[wire.Directory].Count {
		return fmt.Errorf("directory sequence %d, it has %d", e.Directory, a.streams[wire.Directory].Count)
	}
	if refused := e.Result.Code != engine.Accepted; refused != (len(e.Envelope) == 0) || refused && len(e.Result.Events) > 0 {
		return fmt.Errorf("code %d with %d bytes of envelope and %d events", e.Result.Code, len(e.Envelope), len(e.Result.Events))
	}
	link := e.Link(s.Head)
	a.streams[e.Stream] = chain.Stream{Head: link.Head(), Count: s.Count + 1}
	if err := a.log.Append([][]byte{link.Leaf()}, nil); err != nil {
		return err
	}
	if a.seen[e.Hash] { // a duplicate that a proposer let in: the hash names the first
		return nil
	}
	a.seen[e.Hash] = true
	r, err := a.Receipt(e.Hash)
	if err != nil {
		return err
	}
	p, err := VerifyReceipt(a.Genesis(), r)
	if err != nil {
		return err
	}
	if p.Link != link || p.Index != a.log.Size()-1 {
		return fmt.Errorf("its receipt proves place %d and link %+v", p.Index, p.Link)
	}
	return nil
}

// state checks each stream's proof, and its state against its digest.
func (a *auditor) state() error {
	ids, err := a.Streams()
	if err != nil {
		return err
	}
	if len(ids) != len(a.streams) {
		return fmt.Errorf("%d streams, the entries are of %d", len(ids), len(a.streams))
	}
	for _, id := range ids {
		if err := a.stream(id); err != nil {
			return fmt.Errorf("stream %v: %w", id, err)
		}
	}
	p, err := a.StreamProof(toy.Stream(1 << 40))
	if err != nil {
		return err
	}
	return p.Verify(a.head)
}

func (a *auditor) stream(id wire.StreamID) error {
	p, err := a.StreamProof(id)
	if err != nil {
		return err
	}
	if err := p.Verify(a.head); err != nil {
		return err
	}
	want := a.streams[id]
	if want.Digest, err = digest(a.Engine, id); err != nil {
		return err
	}
	if p.Stream != want {
		return fmt.Errorf("proven %+v, computed %+v", p.Stream, want)
	}
	entries, err := a.StreamEntries(id, 0, 1<<30)
	if err != nil {
		return err
	}
	if uint64(len(entries)) != want.Count {
		return fmt.Errorf("%d entries, its head counts %d", len(entries), want.Count)
	}
	return nil
}

// digest computes a stream's digest from its pairs. A view has no room for an
// error: an engine whose disk fails under one panics.
func digest(e engine.Engine, id wire.StreamID) (d wire.Hash, err error) {
	v, release := e.View(id)
	defer release()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = fmt.Errorf("state: %w", r)
		default:
			err = fmt.Errorf("state: %v", r)
		}
	}()
	return state.Digest(v), nil
}
