package client_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
)

func TestReceipt(t *testing.T) {
	t.Parallel()
	const origin = "trialith.example/client"
	c := chain.Checkpoint{Origin: origin, Size: 1, Height: 1, Time: 5}
	link := chain.Link{Height: 1, Time: 5, Hash: hash}
	log := chain.NewLog()
	err := log.Append([][]byte{link.Leaf()}, nil)
	if err == nil {
		c.Root, err = log.Root()
	}
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Sign(chain.NewSigner(origin, key()))
	if err != nil {
		t.Fatal(err)
	}
	good := receipt.New(0, link, nil, msg, nil)
	link.Hash[0]++
	other := receipt.New(0, link, nil, msg, nil)
	api, n := open(t, busy, answer{200, "", string(good.Text())}, answer{200, "", string(other.Text())},
		answer{200, "", "<html>"}, answer{200, "", strings.Repeat("x", receipt.MaxBytes+1)}, answer{404, "", `{"status":404}`})
	r, err := api.Receipt(t.Context(), hash)
	if err != nil || n.asked[1].URL.Path != "/v1/transactions/"+hash.String()+"/receipt" {
		t.Fatal(err)
	}
	g := chain.Genesis{Origin: origin, Node: tx.PublicKey(key().Public().(ed25519.PublicKey))}
	if p, err := r.Verify(g, nil); err != nil || p.Link.Hash != hash {
		t.Errorf("%+v, %v", p, err)
	}
	for _, what := range []string{"of another transaction", "of another form", "too long", "unknown"} {
		if _, err := api.Receipt(t.Context(), hash); err == nil {
			t.Errorf("a receipt %s was taken", what)
		}
	}
}
