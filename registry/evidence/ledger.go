package evidence

import (
	"bytes"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial/contract"
)

// The checks of the ledger's own structure: headers, checkpoint, streams, log.

var streamNames = [2]string{"directory", "trial"}

// readHeaders decodes the headers and checks that they chain from the genesis
// to the height of the manifest.
func (v *verification) readHeaders() outcome {
	headers, offsets, bad := decodeSequence[chain.Header](v.parts[partHeaders])
	v.decoded = headers
	at := func(i int) string { return fmt.Sprintf("file:%s@%d", partHeaders, offsets[i]) }
	if bad != nil {
		return failed(fmt.Sprintf("file:%s@%d", partHeaders, bad.offset), "header %d: %v", bad.item+1, bad.err)
	}
	if v.genesis == nil {
		return after(checkGenesis)
	}
	if len(headers) == 0 {
		return failed("file:"+partHeaders, "no header; a ledger that holds a trial has a block")
	}
	prev := v.genesis.Header()
	for i, h := range headers {
		if v.ctx.Err() != nil {
			return after(checkUsable) // Verify returns the error
		}
		if err := h.Follows(prev); err != nil {
			return failed(at(i), "%v", err)
		}
		prev = h
	}
	// Those above the file's height lead to a checkpoint that was cosigned later.
	_, cosigned := v.parts[partCosigned]
	if h := v.manifest.Height; h == 0 || prev.Height < h || prev.Height > h && !cosigned {
		return failed(at(len(headers)-1), "the headers end at height %d; the manifest says %d", prev.Height, h)
	}
	v.chained, v.headers = headers, headers[:v.manifest.Height]
	return passed("%d headers, each naming the hash of the one before, from the genesis on", len(headers))
}

// monotone asks for rising block times that are not to come, of headers that may
// not chain too. The rules are made for the time there is, and what they do may
// be longer the more there is of it: a ledger of the future is not replayed.
func (v *verification) monotone() outcome {
	if len(v.decoded) == 0 {
		return after(checkHeaders)
	}
	last := int64(0)
	if v.genesis != nil {
		last = v.genesis.Time
	}
	latest := v.policy.latest()
	for i, h := range v.decoded {
		if h.Time > latest {
			v.withheld = "not replayed: the ledger is of the future"
			return failed(fmt.Sprintf("file:%s@%d", partHeaders, v.offset(i)), "header %d: %s is to come; by this verifier's clock, and a day more, it is %s", h.Height, instant(h.Time), instant(latest))
		}
		if h.Time <= last {
			return failed(fmt.Sprintf("file:%s@%d", partHeaders, v.offset(i)), "header %d: %s is not after %s", h.Height, instant(h.Time), instant(last))
		}
		last = h.Time
	}
	return passed("each block is later than the one before; by the ledger's own clock, from %s to %s", instant(v.decoded[0].Time), instant(last))
}

// offset is where the nth header begins in its part.
func (v *verification) offset(n int) (at int) {
	for range n {
		_, at, _ = itemAt(v.parts[partHeaders], at)
	}
	return at
}

func (v *verification) rules() outcome {
	if len(v.headers) == 0 {
		return after(checkHeaders)
	}
	for i, h := range v.headers {
		if h.Rules != contract.RuleSet {
			return failed(fmt.Sprintf("file:%s@%d", partHeaders, v.offset(i)), "header %d: rule set %d; this verifier knows %d: use a newer one", h.Height, h.Rules, contract.RuleSet)
		}
	}
	return passed("rule set %d throughout", contract.RuleSet)
}

// checkpointLines is how many lines a checkpoint with the node's signature
// alone has; cosignatures have a part of their own.
const checkpointLines = 6

func (v *verification) readCheckpoint() outcome {
	at := "file:" + partCheckpoint
	if v.genesis == nil {
		return after(checkGenesis)
	}
	keys, err := v.nodeKeys()
	if err != nil {
		return failed("file:"+partDirectory, "%v", err)
	}
	c, err := chain.OpenCheckpoint(keys, v.parts[partCheckpoint])
	if err != nil {
		return failed(at, "%v", err)
	}
	if n := bytes.Count(v.parts[partCheckpoint], []byte("\n")); n != checkpointLines {
		return failed(at, "%d lines; the node's signature is the only one in this part, which makes %d", n, checkpointLines)
	}
	if len(v.headers) == 0 {
		return after(checkHeaders)
	}
	last := v.headers[len(v.headers)-1]
	if err := c.Matches(last); err != nil {
		return failed(at, "the newest header is not the one that was signed: %v", err)
	}
	v.checkpoint = &c
	return passed("the node's signature on the log of %d transactions at height %d", c.Size, c.Height)
}

// nodeKeys are the node's keys by the rotations in the directory's part, whose
// places the check of the streams confirms.
func (v *verification) nodeKeys() (chain.Keys, error) {
	directory, _, _ := decodeSequence[engine.Entry](v.parts[partDirectory])
	return chain.NewKeys(*v.genesis, engine.Rotations(directory)...)
}

// readStream decodes a stream and checks that its entries follow one another,
// stand where the headers have room for them, and hash to what they say.
func (v *verification) readStream(which int) outcome {
	name := streamNames[which]
	list, _, bad := decodeSequence[engine.Entry](v.parts[[2]string{partDirectory, partTrial}[which]])
	if bad != nil {
		return failed(fmt.Sprintf("%s/%d", name, bad.item), "at byte %d of its part: %v", bad.offset, bad.err)
	}
	if len(v.headers) == 0 {
		return after(checkHeaders)
	}
	if len(list) == 0 {
		return failed(name+"/0", "missing; the stream is empty")
	}
	id := wire.Directory
	if which == 1 {
		id = wire.StreamID(v.manifest.Trial)
	}
	s := &stream{entries: list}
	last := placed{}
	for i := range list {
		if v.ctx.Err() != nil {
			return after(checkUsable) // Verify returns the error
		}
		entry := fmt.Sprintf("%s/%d", name, i)
		place, err := v.stands(&list[i], id, uint64(i))
		if err != nil {
			return failed(entry, "%v", err)
		}
		if i > 0 && place <= last.place {
			return failed(entry, "place %d in the log, and the entry before it has %d", place, last.place)
		}
		link := list[i].Link(s.Head)
		s.Head, s.Count = link.Head(), s.Count+1
		last = placed{place, link.Leaf()}
		s.leaves = append(s.leaves, last)
	}
	v.streams[which] = s
	return passed("%d entries, each chained to the one before", len(list))
}

// stands checks one entry against its stream and its block's header.
func (v *verification) stands(e *engine.Entry, id wire.StreamID, sequence uint64) (place uint64, err error) {
	if e.Stream != id {
		return 0, fmt.Errorf("belongs to stream %v", e.Stream)
	}
	if e.Sequence != sequence {
		return 0, fmt.Errorf("missing; entry %d stands in its place", e.Sequence)
	}
	if place, err = placeOf(v.headers, e.Height, e.Index); err != nil {
		return 0, err
	}
	if h := v.headers[e.Height-1]; e.Time != h.Time {
		return 0, fmt.Errorf("time %s; block %d has %s", instant(e.Time), e.Height, instant(h.Time))
	}
	if e.Result.Code != engine.Accepted {
		if len(e.Envelope) > 0 || len(e.Result.Events) > 0 {
			return 0, fmt.Errorf("refused with code %d, yet it has a body or events", e.Result.Code)
		}
		return place, nil
	}
	if tx.Hash(e.Envelope) != e.Hash {
		return 0, fmt.Errorf("the envelope's hash is not the entry's")
	}
	return place, nil
}

// complete checks what the last header's streams root says of the two streams:
// their counts, so that nothing is left out, and their heads.
func (v *verification) complete() outcome {
	at := "file:" + partStreams
	list, _, bad := decodeSequence[chain.StreamProof](v.parts[partStreams])
	if bad != nil || len(list) != 2 {
		return failed(at, "needs the proof of the directory, then that of the trial: %v", bad.reason())
	}
	if len(v.headers) == 0 {
		return after(checkHeaders)
	}
	for i, id := range []wire.StreamID{wire.Directory, wire.StreamID(v.manifest.Trial)} {
		if list[i].ID != id {
			return failed(at, "proof %d is of stream %v", i, list[i].ID)
		}
		if err := list[i].Verify(v.headers[len(v.headers)-1]); err != nil {
			return failed(at, "%v", err)
		}
	}
	for i := range list {
		v.proven[i] = &list[i].Stream
	}
	for i := range list {
		if v.streams[i] == nil {
			return after([2]string{checkDirectory, checkTrial}[i])
		}
		if o := v.ends(i); o.status != Passed {
			return o
		}
	}
	return passed("both streams are whole, as the last header counts them: %d entries of the directory, %d of the trial", v.proven[0].Count, v.proven[1].Count)
}

func (d *damage) reason() error {
	if d == nil {
		return fmt.Errorf("it has another number of them")
	}
	return d.err
}

// ends compares a stream's count and head with the proven ones.
func (v *verification) ends(which int) outcome {
	got, want, name := v.streams[which], v.proven[which], streamNames[which]
	switch {
	case got.Count < want.Count:
		return failed(fmt.Sprintf("%s/%d", name, got.Count), "missing; the last header counts %d entries", want.Count)
	case got.Count > want.Count:
		return failed(fmt.Sprintf("%s/%d", name, want.Count), "one too many; the last header counts %d entries", want.Count)
	case got.Head == want.Head:
		return passed("")
	}
	return failed(v.suspect(got.entries), "the %s up to the end does not chain to the head in the last header: this entry was altered, or one after it", name)
}

// suspect names the entry of a stream that must have been altered, as well as
// can be told: the one at which the replay ends, or, if all accepted entries
// give again what they say, the first of which only a hash is left.
func (v *verification) suspect(entries []engine.Entry) string {
	last := entries[len(entries)-1].Name()
	if _, ran := v.run(); !ran {
		return last
	}
	if v.stopped != nil {
		return v.stopped.Entry
	}
	for i := range entries {
		if entries[i].Result.Code != engine.Accepted {
			return entries[i].Name()
		}
	}
	return last
}

// digest compares the states that the replay led to with the proven digests.
func (v *verification) digest() outcome {
	switch {
	case v.replayed == nil:
		return after(checkReplay)
	case v.proven[0] == nil:
		return after(checkStreams)
	}
	for i, got := range []chain.Stream{v.replayed.Directory, v.replayed.Trial} {
		if got.Digest != v.proven[i].Digest {
			return failed(fmt.Sprintf("%s/%d", streamNames[i], max(got.Count, 1)-1), "the state after it is not the one in the last header")
		}
	}
	return passed("the states after the replay are those in the last header")
}

// logRoot computes the root of the log anew from the entries and the hashes
// that stand in for other trials' entries: as of the file's height, and as of
// each cosigned checkpoint.
func (v *verification) logRoot() outcome {
	switch {
	case v.checkpoint == nil:
		return after(checkCheckpoint)
	case v.streams[0] == nil:
		return after(checkDirectory)
	case v.streams[1] == nil:
		return after(checkTrial)
	}
	at := "file:" + partLog
	gaps, _, bad := decodeSequence[Gap](v.parts[partLog])
	if bad != nil {
		return failed(fmt.Sprintf("%s@%d", at, bad.offset), "%v", bad.err)
	}
	roots := newRoots(v.signedHeaders())
	if err := computeLog(v.chained[len(v.chained)-1].Size(), merge(v.streams[0].leaves, v.streams[1].leaves), gaps, roots.reached); err != nil {
		return failed(at, "%v", err)
	}
	if !roots.compared[v.checkpoint.Height] {
		return failed(at, "a gap goes across the end of the log of %d transactions", v.checkpoint.Size)
	}
	v.rooted = roots.compared
	return passed("the root of the log of %d transactions, %d of them here, is the one that was signed",
		v.checkpoint.Size, v.streams[0].Count+v.streams[1].Count)
}

// merge merges two ascending lists of leaves.
func merge(a, b []placed) []placed {
	out := make([]placed, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].place <= b[0].place {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}
