package client

import (
	"bytes"
	"context"
	"net/http"

	"github.com/trialith/trialith/trial"
)

// Deliver gives the registry the archive (CAR version 1) of a trial's released
// results and returns its root. Anybody may: the ledger names what is taken.
func (c *Client) Deliver(ctx context.Context, id trial.ID, car []byte) (trial.CID, error) {
	var answer struct {
		CID trial.CID `json:"cid"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v1/trials/"+id.String()+"/package", bytes.NewReader(car))
	if err != nil {
		return answer.CID, err
	}
	req.Header.Set("Content-Type", "application/vnd.ipld.car")
	r, err := c.http.Do(req)
	if err != nil {
		return answer.CID, err
	}
	if r.StatusCode != http.StatusOK {
		return answer.CID, problem(r)
	}
	return answer.CID, decode(r, &answer)
}
