package client

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/wire"
)

// Receipt asks for the receipt of a transaction that is in a block. It is
// parsed and not verified: that takes the genesis, which no node can vouch for.
func (c *Client) Receipt(ctx context.Context, hash wire.TxHash) (receipt.Receipt, error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/transactions/%v/receipt", hash)})
	if err != nil {
		return receipt.Receipt{}, err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(r.Body, receipt.MaxBytes+1))
	if err != nil {
		return receipt.Receipt{}, err
	}
	out, err := receipt.Parse(b)
	if err == nil && out.Link.Hash != hash {
		err = fmt.Errorf("receipt: of transaction %v; asked for %v", out.Link.Hash, hash)
	}
	return out, err
}
