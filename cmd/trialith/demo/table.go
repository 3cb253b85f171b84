package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
)

// table is the clinic's countersign table, in the form in which every site keeps
// and opens it (docs/wire.md).
type table struct {
	Lines  []line
	Posted []posted // commitments to the first Total lines
}

// line says that participant and site both signed a form on a day.
type line struct {
	_       struct{} `cbor:",toarray"`
	Leaf    field.Leaf
	Version trial.Version
	Form    string
	Day     trial.Day
}

// MarshalJSON gives the day as the number that is committed to.
func (l line) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"leaf": l.Leaf, "version": l.Version, "form": l.Form, "day": int32(l.Day)})
}

// posted is a commitment on the ledger and what opens it.
type posted struct {
	Epoch      uint64    `json:"epoch"`
	Total      uint32    `json:"total"`
	Salt       wire.Hash `json:"salt"`
	Commitment wire.Hash `json:"commitment"`
}

// add notes a line; a receipt that is shown again adds nothing.
func (t *table) add(l line) {
	if !slices.ContainsFunc(t.Lines, func(o line) bool { return o.Leaf == l.Leaf && o.Version == l.Version }) {
		t.Lines = append(t.Lines, l)
	}
}

// due reports whether lines are uncommitted that an epoch's commitment can hold.
func (t *table) due(epoch uint64) bool {
	if len(t.Posted) == 0 {
		return len(t.Lines) > 0
	}
	last := t.Posted[len(t.Posted)-1]
	return len(t.Lines) > int(last.Total) && epoch > last.Epoch
}

// postTable commits to the countersign table as it stands, at most once in each
// epoch. What opens the commitment is on the disk before it is sent.
func (h *Clinic) postTable(ctx context.Context) error {
	now := h.config.Clock.Now()
	epoch := h.epochs.EpochAt(now)
	if !h.table.due(epoch) {
		return nil
	}
	p := posted{Epoch: epoch, Total: uint32(len(h.table.Lines))}
	rand.Read(p.Salt[:]) //nolint:errcheck // never fails (crypto/rand)
	p.Commitment = wire.Hash(act.Commit("countersign", p.Salt, wire.Marshal(h.table.Lines)))
	next := table{Lines: h.table.Lines, Posted: append(slices.Clone(h.table.Posted), p)}
	if err := h.keepTable(next); err != nil {
		return err
	}
	body := consent.Countersign{
		Site: h.site.site, Epoch: epoch, Table: trial.Commitment(p.Commitment), Total: p.Total, Day: trial.DayOf(now),
	}
	if _, err := h.site.investigator.must(ctx, contract.ConsentCountersign, wire.StreamID(h.study.trial), body); err != nil {
		return err
	}
	h.table = next
	return nil
}

// keepTable writes the opened table as an audit reads it.
func (h *Clinic) keepTable(t table) error {
	b, err := json.MarshalIndent(map[string]any{
		"format": "trialith-countersign/1", "trial": h.study.trial, "site": h.site.site, "lines": t.Lines, "commitments": t.Posted,
	}, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(h.config.Dir, "clinic", "countersign.json")
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
