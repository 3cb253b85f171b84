package client

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Order is a transaction before it is signed.
type Order struct {
	Kind      tx.Kind
	Stream    wire.StreamID
	Body      any // a body of its kind
	Signer    ed25519.PrivateKey
	Cosigners []ed25519.PrivateKey
	// Unique is the idempotency key; zero: a random one. Give one where an order
	// may be sent again by a process that forgot the first.
	Unique tx.Key
	Expiry int64 // milliseconds since 1970 UTC; 0: a day from the node's time
}

const day = 24 * 60 * 60 * 1000

// Send signs an order here, sends it, and waits for what became of it. The keys
// do not leave this process. A refusal by order is an outcome, not an error.
func (c *Client) Send(ctx context.Context, o Order) (Outcome, error) {
	e, err := c.sign(ctx, o)
	if err != nil {
		return Outcome{}, err
	}
	return c.Enter(ctx, e)
}

func (c *Client) sign(ctx context.Context, o Order) (*tx.Envelope, error) {
	if len(o.Signer) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("signer: %d bytes; an Ed25519 private key has %d", len(o.Signer), ed25519.PrivateKeySize)
	}
	ledger, err := c.name(ctx)
	if err != nil {
		return nil, err
	}
	if o.Expiry == 0 {
		now, err := c.Now(ctx)
		if err != nil {
			return nil, err
		}
		o.Expiry = now.UnixMilli() + day
	}
	if o.Unique == (tx.Key{}) {
		rand.Read(o.Unique[:]) //nolint:errcheck // never fails (crypto/rand)
	}
	e := &tx.Envelope{
		Ledger: ledger, Kind: o.Kind, Stream: o.Stream, Expiry: o.Expiry, Idempotency: o.Unique, Body: wire.Marshal(o.Body),
	}
	e.Sign(o.Signer)
	for _, k := range o.Cosigners {
		e.Cosign(k)
	}
	return e, nil
}

// name is the ledger's, asked once: a node serves one ledger, and refuses what
// is signed for another.
func (c *Client) name(ctx context.Context) (wire.LedgerID, error) {
	c.mu.Lock()
	known := c.ledger
	c.mu.Unlock()
	if known != (wire.LedgerID{}) {
		return known, nil
	}
	l, err := c.Ledger(ctx)
	if err != nil {
		return known, err
	}
	c.mu.Lock()
	c.ledger = l.Ledger
	c.mu.Unlock()
	return l.Ledger, nil
}

// Now asks for the node's time, which on a demonstration is not this machine's.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	var answer struct {
		Now time.Time `json:"now"`
	}
	return answer.Now, c.get(ctx, "/v1/clock", &answer)
}
