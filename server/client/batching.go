package client

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Trials lists the names of all trials.
func (c *Client) Trials(ctx context.Context) ([]trial.ID, error) {
	var all []struct {
		Trial trial.ID `json:"trial"`
	}
	if err := c.get(ctx, "/v1/trials", &all); err != nil {
		return nil, err
	}
	ids := make([]trial.ID, len(all))
	for i, t := range all {
		ids[i] = t.Trial
	}
	return ids, nil
}

// Due says until when a version is to be answered.
type Due struct {
	Version   trial.Version
	Existing  bool // those enrolled before it opened owe it too
	Deadlines []time.Time
}

// Deadlines lists the versions of a trial with the deadlines of their sites.
func (c *Client) Deadlines(ctx context.Context, id trial.ID) ([]Due, error) {
	var t struct {
		Versions []struct {
			Version  trial.Version `json:"version"`
			Existing bool          `json:"existing"`
		} `json:"versions"`
	}
	if err := c.get(ctx, "/v1/trials/"+id.String(), &t); err != nil {
		return nil, err
	}
	var sites []struct {
		Openings []struct {
			Version  trial.Version `json:"version"`
			Deadline time.Time     `json:"deadline"`
		} `json:"openings"`
	}
	if err := c.get(ctx, fmt.Sprintf("/v1/trials/%v/sites", id), &sites); err != nil {
		return nil, err
	}
	out := make([]Due, 0, len(t.Versions))
	for _, v := range t.Versions {
		d := Due{Version: v.Version, Existing: v.Existing}
		for _, s := range sites {
			for _, o := range s.Openings {
				if o.Version == v.Version {
					d.Deadlines = append(d.Deadlines, o.Deadline)
				}
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// Offer sends a signed transaction once: an error may mean that it arrived.
func (c *Client) Offer(ctx context.Context, e *tx.Envelope) (wire.TxHash, error) {
	var answer struct {
		Hash wire.TxHash `json:"hash"`
	}
	r, err := c.once(ctx, request{method: http.MethodPost, path: "/v1/transactions", kind: "application/cbor", body: e.Encode()})
	if err != nil {
		return answer.Hash, err
	}
	if r.StatusCode >= http.StatusBadRequest {
		return answer.Hash, problem(r)
	}
	return answer.Hash, decode(r, &answer)
}

// Ask asks once what became of a transaction, and waits a few seconds for its
// block. One that is in none yet is a *Problem of the status 404.
func (c *Client) Ask(ctx context.Context, hash wire.TxHash) (o Outcome, err error) {
	r, err := c.once(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/transactions/%v?wait=5", hash)})
	if err != nil {
		return o, err
	}
	if r.StatusCode >= http.StatusBadRequest {
		return o, problem(r)
	}
	return o, decode(r, &o)
}
