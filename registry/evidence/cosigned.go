package evidence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/witness"
)

// Cosigned is a checkpoint that witnesses cosigned or an authority stamped.
type Cosigned struct {
	_      struct{} `cbor:",toarray"`
	Note   []byte   // C2SP signed note: the node's signature, then cosignatures
	Stamps [][]byte // RFC 3161 time stamp tokens of the note's text
}

// Witnessed gives the checkpoints that others vouch for. *solo.Ledger does. Each
// method fails with engine.ErrUnknown where there is none.
type Witnessed interface {
	// Cosigned returns the newest cosigned checkpoint.
	Cosigned() ([]byte, error)
	// CosignedFrom returns the first cosigned checkpoint of a height or above.
	CosignedFrom(height uint64) (at uint64, note []byte, err error)
	// StampFrom returns the first time stamp of a checkpoint of a height or above.
	StampFrom(height uint64) (at uint64, token []byte, err error)
}

// soon is how long after a milestone a cosignature still shows its time
// (milliseconds).
const soon = 7 * 24 * 60 * 60 * 1000

// maxLooks is how many checkpoints in a row are asked for the writer's quorum.
const maxLooks = 256

// cosignedFrom is the first cosigned checkpoint of a height or above that has the
// writer's quorum, else the first one.
func (c Contents) cosignedFrom(height uint64) (at uint64, note []byte, enough bool, err error) {
	for i := range maxLooks {
		next, signed, err := c.Witnessed.CosignedFrom(height)
		switch {
		case errors.Is(err, engine.ErrUnknown) && i > 0:
			return at, note, false, nil
		case err != nil:
			return 0, nil, false, err
		case c.Quorum == nil || c.Quorum.Check(signed) == nil:
			return next, signed, true, nil
		}
		if i == 0 {
			at, note = next, signed
		}
		height = next + 1
	}
	return at, note, false, nil
}

// newestCosigned is the first cosigned checkpoint of a height or above, which is
// waited for; else the newest below it; nil if there is none at all.
func newestCosigned(ctx context.Context, c Contents, height uint64) ([]byte, error) {
	const pause = 100 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		_, note, enough, err := c.cosignedFrom(height)
		if err == nil && !enough && waited < c.Patience {
			err = engine.ErrUnknown
		}
		if err == nil || !errors.Is(err, engine.ErrUnknown) {
			return note, err
		}
		note, err = c.Witnessed.Cosigned()
		switch {
		case errors.Is(err, engine.ErrUnknown):
			return nil, nil
		case err != nil || waited >= c.Patience:
			return note, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// reach adds the headers up to a cosigned checkpoint above the file's height. It
// is false for one of a key that the file does not know: the node's key was
// rotated in between.
func (x *extracted) reach(src Source, note []byte, height uint64) (bool, error) {
	if height <= x.height {
		return true, nil
	}
	keys, err := chain.NewKeys(src.Genesis(), engine.Rotations(x.directory)...)
	if err != nil {
		return false, err
	}
	if _, err := chain.OpenCheckpoint(keys, note); err != nil {
		return false, nil //nolint:nilerr // its reader could not open it either
	}
	more, err := src.Headers(x.height+1, height)
	x.headers = append(x.headers, more...)
	return err == nil, err
}

// collect picks what a file carries of them, by ascending height: the newest,
// which covers the most, and the first after each milestone, which shows its
// time best. The newest may be above the file's height; then its headers are
// added.
func collect(ctx context.Context, src Source, c Contents, x *extracted) ([]Cosigned, error) {
	w := c.Witnessed
	if w == nil {
		return nil, nil
	}
	h, err := readHistory(x.directory, x.trial)
	if err != nil {
		return nil, err
	}
	newest, err := newestCosigned(ctx, c, x.height)
	if err != nil {
		return nil, err
	}
	picked := map[uint64]*Cosigned{}
	if newest != nil {
		at, err := heightOf(newest)
		if err != nil {
			return nil, err
		}
		reached, err := x.reach(src, newest, at)
		if err != nil {
			return nil, err
		}
		if reached {
			picked[at] = &Cosigned{Note: newest}
		}
	}
	for _, m := range h.milestones {
		at, note, _, err := c.cosignedFrom(m.height)
		if err == nil && at <= x.height {
			picked[at] = &Cosigned{Note: note}
		} else if err != nil && !errors.Is(err, engine.ErrUnknown) {
			return nil, err
		}
	}
	for _, m := range h.milestones {
		at, token, err := w.StampFrom(m.height)
		if err == nil && at <= x.height {
			err = stamped(src, picked, at, token)
		}
		if err != nil && !errors.Is(err, engine.ErrUnknown) {
			return nil, err
		}
	}
	out := make([]Cosigned, 0, len(picked))
	for _, height := range slices.Sorted(maps.Keys(picked)) {
		out = append(out, *picked[height])
	}
	return out, nil
}

// stamped adds a time stamp to the checkpoint of a height, once.
func stamped(src Source, picked map[uint64]*Cosigned, height uint64, token []byte) error {
	c := picked[height]
	if c == nil {
		note, err := src.CheckpointAt(height)
		if err != nil {
			return err
		}
		c = &Cosigned{Note: note}
		picked[height] = c
	}
	c.Stamps = [][]byte{token}
	return nil
}

// heightOf is the height that a signed checkpoint names, whoever signed it.
func heightOf(note []byte) (uint64, error) {
	text, err := witness.TextOf(note)
	if err != nil {
		return 0, err
	}
	c, err := chain.ParseCheckpoint(text)
	return c.Height, err
}

// vouched is a checkpoint of the file that is one of its chain's, and who vouches for it.
type vouched struct {
	height uint64
	note   []byte
	found  witness.Cosigned
	stamps [][]byte
	dated  time.Time // of the earliest stamp that is believed; zero for none
	at     string    // where in the file
}

// readCosigned opens the cosigned checkpoints and holds each to the headers: one
// that the node signed for another header is a second history.
func (v *verification) readCosigned() outcome {
	list, offsets, bad := decodeSequence[Cosigned](v.parts[partCosigned])
	if bad != nil {
		return failed(fmt.Sprintf("file:%s@%d", partCosigned, bad.offset), "%v", bad.err)
	}
	keys, err := v.nodeKeys()
	if err != nil {
		return failed("file:"+partDirectory, "%v", err)
	}
	for i, c := range list {
		at := fmt.Sprintf("file:%s@%d", partCosigned, offsets[i])
		opened, err := chain.OpenCheckpoint(keys, c.Note)
		if err != nil {
			return failed(at, "%v", err)
		}
		if opened.Height == 0 || opened.Height > uint64(len(v.chained)) {
			return failed(at, "of height %d; the headers end at %d", opened.Height, len(v.chained))
		}
		if err := opened.Matches(v.chained[opened.Height-1]); err != nil {
			return failed(at, "the node signed a second history: %v", err)
		}
		if n := len(v.vouched); n > 0 && v.vouched[n-1].height >= opened.Height {
			return failed(at, "height %d after %d; they ascend", opened.Height, v.vouched[n-1].height)
		}
		seen := vouched{height: opened.Height, note: c.Note, stamps: c.Stamps, at: at}
		if !v.rooted[opened.Height] {
			return failed(at, "that its log and the file's are one is not shown")
		}
		if p := v.policy.witnesses; p != nil {
			if seen.found, err = p.Open(c.Note); err != nil {
				return failed(at, "%v", err)
			}
		}
		v.vouched = append(v.vouched, seen)
	}
	if n := len(v.chained); n > len(v.headers) && (len(v.vouched) == 0 || v.vouched[len(v.vouched)-1].height != uint64(n)) {
		return failed("file:"+partHeaders, "they go on to height %d, and no checkpoint of it is in the file", n)
	}
	return outcome{status: Passed}
}

// signedHeaders are the headers that the file's checkpoint and, by what their
// texts say, its cosigned ones name, by ascending height.
func (v *verification) signedHeaders() []chain.Header {
	named := map[uint64]bool{v.checkpoint.Height: true}
	list, _, _ := decodeSequence[Cosigned](v.parts[partCosigned])
	for _, c := range list {
		if height, err := heightOf(c.Note); err == nil && height > 0 && height <= uint64(len(v.chained)) {
			named[height] = true
		}
	}
	var out []chain.Header
	for _, height := range slices.Sorted(maps.Keys(named)) {
		out = append(out, v.chained[height-1])
	}
	return out
}

// witnessed judges whether independent witnesses vouch for the whole file.
func (v *verification) witnessed() outcome {
	const alone = "nobody but the ledger's own node vouches that this is its only history"
	if _, found := v.parts[partCosigned]; !found {
		return skipped("no cosigned checkpoint in the file: %s", alone)
	}
	if v.rooted == nil {
		return after(checkLogRoot)
	}
	if o := v.readCosigned(); o.status != Passed {
		v.vouched = nil
		return o
	}
	p := v.policy.witnesses
	if p == nil || p.AsksNone() {
		return skipped("%d cosigned checkpoints in the file, and this policy (%s) names no witness to believe: %s", len(v.vouched), v.policy.Name, alone)
	}
	newest, ok := v.newestWitnessed()
	if !ok {
		return skipped("%d checkpoints in the file, none cosigned by the quorum of this policy (%s): %s", len(v.vouched), v.policy.Name, alone)
	}
	// That both streams are whole is what the file's last header says: a node could
	// show it to one reader alone, after all that witnesses have seen.
	if last := uint64(len(v.headers)); newest.height < last {
		return skipped("the newest cosigned checkpoint is of height %d, and this file goes on to height %d: write it again once witnesses have seen that", newest.height, last)
	}
	return passed("cosigned by %s at height %d, %s by their clocks: both streams, whole as of height %d, are in the one history that they have seen",
		names(newest.found), newest.height, newest.found.Last.Format(time.RFC3339), len(v.headers))
}

func names(c witness.Cosigned) string {
	out := make([]string, len(c.Cosignatures))
	for i, s := range c.Cosignatures {
		out[i] = s.Name
	}
	return strings.Join(out, ", ")
}

func (v *verification) newestWitnessed() (vouched, bool) {
	for _, c := range slices.Backward(v.vouched) {
		if c.found.Quorum {
			return c, true
		}
	}
	return vouched{}, false
}

// milestones judges whose clock the times of the milestones are by.
func (v *verification) milestones() outcome {
	h, o := v.told()
	if h == nil {
		return o
	}
	v.report.Milestones = h.milestones
	var alone []string
	for i := range h.milestones {
		m := &h.milestones[i]
		v.stamped(m)
		if at, ok := v.shown(m); ok {
			m.Witnessed = instant(at)
		} else {
			alone = append(alone, m.Name)
		}
	}
	if len(alone) > 0 {
		return skipped("no checkpoint cosigned within seven days for %d of %d milestones, whose times are by the ledger's own clock: %s", len(alone), len(h.milestones), strings.Join(alone, "; "))
	}
	return passed("each of %d milestones is in a checkpoint that witnesses cosigned within seven days of it, by their clocks", len(h.milestones))
}

// near says that a checkpoint with a milestone was seen soon after it. One seen
// before it is of a ledger whose clock is ahead.
func near(at int64, m *Milestone) bool { return m.time-ahead <= at && at <= m.time+soon }

// shown is when witnesses had seen a milestone, in milliseconds, if that was soon.
func (v *verification) shown(m *Milestone) (int64, bool) {
	for _, c := range v.vouched {
		if c.found.Quorum && c.height >= m.height {
			at := c.found.Last.UnixMilli()
			return at, near(at, m)
		}
	}
	return 0, false
}

// stamps judges the time stamps in the file. A file without any is not asked.
func (v *verification) stamps() (o outcome, asked bool) {
	n, believed := 0, map[string]bool{}
	for i := range v.vouched {
		c := &v.vouched[i]
		n += len(c.stamps)
		for _, token := range c.stamps {
			if v.policy.roots == nil {
				break
			}
			at, who, err := witness.VerifyStamp(token, c.note, v.policy.roots)
			if err != nil {
				return failed(c.at, "%v", err), true
			}
			believed[who] = true
			if c.dated.IsZero() || at.Before(c.dated) {
				c.dated = at
			}
		}
	}
	switch {
	case n == 0:
		return outcome{}, false
	case v.policy.roots == nil:
		return skipped("%d time stamps in the file, and this policy (%s) names no authority to believe", n, v.policy.Name), true
	}
	return passed("%d time stamps of checkpoints by %s", n, strings.Join(slices.Sorted(maps.Keys(believed)), ", ")), true
}

// stamped notes when an authority had stamped a milestone, if that was soon.
func (v *verification) stamped(m *Milestone) {
	for _, c := range v.vouched {
		if at := c.dated.UnixMilli(); !c.dated.IsZero() && c.height >= m.height && near(at, m) {
			m.Stamped = instant(at)
			return
		}
	}
}
