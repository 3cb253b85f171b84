package evidence

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
)

// Source is a ledger to read from. *solo.Ledger is one. It may grow meanwhile:
// what it has committed it never changes.
type Source interface {
	Genesis() chain.Genesis
	// StreamProof shows what the present head's streams root says of a stream,
	// and names that head's height.
	StreamProof(wire.StreamID) (chain.StreamProof, error)
	// CheckpointAt returns the signed checkpoint of a height.
	CheckpointAt(height uint64) ([]byte, error)
	// Headers returns the headers from one height to another, both included.
	Headers(from, to uint64) ([]chain.Header, error)
	// Entries returns up to limit entries of the log from a place on.
	Entries(from uint64, limit int) ([]engine.Entry, error)
	// StreamEntries returns up to limit entries of a stream from a sequence on.
	StreamEntries(id wire.StreamID, from uint64, limit int) ([]engine.Entry, error)
}

// ErrNoTrial says that the ledger has no such trial.
var ErrNoTrial = errors.New("no such trial in this ledger")

const (
	page = 512
	// patience is how often the two stream proofs are asked for again because
	// a block came between them.
	patience = 1000
)

// Contents is what a file holds besides the ledger's own record.
type Contents struct {
	Key       *verifier.Key // that the genesis pins
	Ceremony  []byte        // the record of how the key was made (package circuits/ceremony/transcript); nil for none
	Witnessed Witnessed     // the checkpoints that witnesses cosigned; nil for none
	// Quorum is whose cosignatures the writer takes for enough, so that the
	// checkpoints it picks have them where they can; nil for anybody's.
	Quorum interface{ Check(checkpoint []byte) error }
	// Patience is how long to wait for a cosigned checkpoint of the file's height
	// or above, if witnesses cosign this ledger at all. 0: not at all.
	Patience time.Duration
	Packages Packages // gives the released package; nil for none
}

// Write writes the evidence file of a trial as of the ledger's present
// checkpoint; blocks that come meanwhile are left out.
func Write(ctx context.Context, w io.Writer, src Source, t trial.ID, c Contents) error {
	g := src.Genesis()
	if c.Key == nil || wire.Hash(c.Key.Hash()) != g.VerifyingKey {
		return fmt.Errorf("evidence: verifying key: not the one that the genesis pins, %v", g.VerifyingKey)
	}
	x, err := extract(ctx, src, t)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	cosigned, err := collect(ctx, src, c, &x)
	if err != nil {
		return fmt.Errorf("evidence: cosigned checkpoints: %w", err)
	}
	if err := x.fillLog(src, cosigned); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	archive, err := released(ctx, x.trial, c.Packages)
	if err != nil {
		return fmt.Errorf("evidence: package: %w", err)
	}
	o := options{ceremony: c.Ceremony != nil, witnessed: len(cosigned) > 0, packaged: archive != nil}
	parts := []member{
		{name: partReadme, data: o.readme()},
		{name: partGenesis, data: g.Encode()},
		{name: partCheckpoint, data: x.checkpoint},
		{name: partHeaders, data: sequence(x.headers)},
		{name: partDirectory, data: sequence(x.directory)},
		{name: partTrial, data: sequence(x.trial)},
		{name: partStreams, data: sequence(x.proofs)},
		{name: partLog, data: sequence(x.gaps)},
		{name: partKey, data: c.Key.Bytes()},
	}
	if o.ceremony {
		parts = append(parts, member{name: partCeremony, data: c.Ceremony})
	}
	if o.witnessed {
		parts = append(parts, member{name: partCosigned, data: sequence(cosigned)})
	}
	if o.packaged {
		parts = append(parts, member{name: partPackage, data: archive})
	}
	if err := fits(parts); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	m := manifestOf(g.ID(), t, x.height, parts, o)
	return encodeArchive(w, slices.Insert(parts, 0, member{name: partManifest, data: wire.Marshal(m)}))
}

// extracted is what a file says of the ledger, all as of one height.
type extracted struct {
	height           uint64
	checkpoint       []byte
	headers          []chain.Header // to that height, or to that of a later checkpoint that was cosigned
	directory, trial []engine.Entry
	proofs           []chain.StreamProof
	gaps             []Gap
}

func extract(ctx context.Context, src Source, t trial.ID) (x extracted, err error) {
	if x.proofs, err = proofs(ctx, src, wire.StreamID(t)); err != nil {
		return x, err
	}
	x.height = x.proofs[0].Height
	if x.checkpoint, err = src.CheckpointAt(x.height); err != nil {
		return x, err
	}
	if x.headers, err = src.Headers(1, x.height); err != nil {
		return x, err
	}
	for i, list := range []*[]engine.Entry{&x.directory, &x.trial} {
		if *list, err = entries(ctx, src, x.proofs[i].ID, x.proofs[i].Stream.Count); err != nil {
			return x, err
		}
	}
	return x, nil
}

// fillLog finds the hashes that stand in for other trials' entries.
func (x *extracted) fillLog(src Source, cosigned []Cosigned) error {
	places, err := placesOf(x.headers, x.directory, x.trial)
	if err != nil {
		return err
	}
	sizes := []uint64{x.headers[x.height-1].Size()}
	for _, c := range cosigned {
		height, err := heightOf(c.Note)
		if err != nil {
			return err
		}
		if height > 0 && height <= uint64(len(x.headers)) {
			sizes = append(sizes, x.headers[height-1].Size())
		}
	}
	slices.Sort(sizes)
	x.gaps = splitAt(gapsBetween(slices.Max(sizes), places), sizes)
	return fillGaps(src, x.gaps)
}

// proofs asks for the directory's and the trial's stream proof of one head.
func proofs(ctx context.Context, src Source, t wire.StreamID) ([]chain.StreamProof, error) {
	if t == wire.Directory {
		return nil, ErrNoTrial
	}
	for range patience {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		directory, err := src.StreamProof(wire.Directory)
		if err != nil {
			return nil, err
		}
		of, err := src.StreamProof(t)
		if err != nil {
			return nil, err
		}
		if of.Stream.Count == 0 {
			return nil, fmt.Errorf("trial %v: %w", t, ErrNoTrial)
		}
		if directory.Height == of.Height {
			return []chain.StreamProof{directory, of}, nil
		}
	}
	return nil, errors.New("the ledger grew each time it was looked at; try again when it is less busy")
}

func entries(ctx context.Context, src Source, id wire.StreamID, count uint64) ([]engine.Entry, error) {
	var out []engine.Entry
	for uint64(len(out)) < count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some, err := src.StreamEntries(id, uint64(len(out)), int(min(page, count-uint64(len(out)))))
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return nil, fmt.Errorf("stream %v ends at %d; the header counts %d", id, len(out), count)
		}
		out = append(out, some...)
	}
	return out, nil
}

// placesOf lists the places of entries in the log, ascending.
func placesOf(headers []chain.Header, lists ...[]engine.Entry) ([]uint64, error) {
	var places []uint64
	for _, list := range lists {
		for i := range list {
			p, err := placeOf(headers, list[i].Height, list[i].Index)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", list[i].Name(), err)
			}
			places = append(places, p)
		}
	}
	slices.Sort(places)
	return places, nil
}

func sequence[T any](xs []T) (b []byte) {
	for i := range xs {
		b = appendItem(b, xs[i])
	}
	return b
}

// fits refuses to write what a verifier would refuse to read.
func fits(parts []member) error {
	total := 0
	for _, p := range parts {
		total += len(p.data)
		limit, items := limitsOf(p.name)
		if len(p.data) > limit || items > 0 && countItems(p.data) > items {
			return fmt.Errorf("%s: %d bytes; at most %d, and %d items", p.name, len(p.data), limit, items)
		}
	}
	if total > MaxBytes-1<<20 {
		return fmt.Errorf("%d bytes; an evidence file has at most %d", total, MaxBytes)
	}
	return nil
}

func limitsOf(name string) (bytes, items int) {
	for _, l := range layout {
		if l.name == name {
			return l.bytes, l.items
		}
	}
	switch name {
	case partCeremony:
		return transcript.MaxBytes, 0
	case partCosigned:
		return MaxBytes, maxCosigned
	case partPackage:
		return registry.MaxCAR, 0
	}
	return 0, 0
}

func manifestOf(ledger wire.LedgerID, t trial.ID, height uint64, parts []member, o options) Manifest {
	m := Manifest{Format: Format, Version: Version, Ledger: ledger, Trial: t, Height: height, Absent: o.absent()}
	for _, p := range parts {
		m.Parts = append(m.Parts, Part{Name: p.name, Size: uint64(len(p.data)), SHA256: sha256.Sum256(p.data)})
	}
	return m
}
