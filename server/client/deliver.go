package client

import (
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
	r, err := c.do(ctx, request{
		method: http.MethodPost, path: "/v1/trials/" + id.String() + "/package", kind: "application/vnd.ipld.car", body: car,
	})
	if err != nil {
		return answer.CID, err
	}
	return answer.CID, decode(r, &answer)
}
