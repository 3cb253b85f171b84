package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
)

// Ways are the ways in for acts that nobody on them can follow.
type Ways struct {
	EpochSeconds uint32 `json:"epoch_seconds"`
	KMin         int    `json:"k_min"`
	Batchers     []Way  `json:"batchers"`
}

// Way is a batcher and the relays to it.
type Way struct {
	Actor  trial.ActorID `json:"actor"`
	Name   string        `json:"name"`
	Relays []string      `json:"relays"`
}

// Ways asks for the ways in.
func (c *Client) Ways(ctx context.Context) (w Ways, err error) {
	return w, c.get(ctx, "/v1/ways", &w)
}

// Promised is an act on its way: what was sealed, to whom, and the batcher's
// word that it has this: keep both, for the case that the act is dropped.
type Promised struct {
	Batcher trial.ActorID
	Sealed  []byte
	Promise sealed.Promise
}

// SendSealed seals an act to a batcher and posts it through a relay, both
// chosen by chance. Its answer is the batcher's promise, verified, or a
// *sealed.RefusedError. Look for the act's account in [Client.Accounts], and
// send again after two epochs if it is not there.
func (c *Client) SendSealed(ctx context.Context, body any) (p Promised, err error) {
	w, err := c.Ways(ctx)
	if err != nil {
		return p, err
	}
	if len(w.Batchers) == 0 {
		return p, errors.New("ways: the node names no batcher; send the act itself")
	}
	way := w.Batchers[rand.IntN(len(w.Batchers))] //nolint:gosec // which one is no secret
	if len(way.Relays) == 0 {
		return p, fmt.Errorf("ways: batcher %v: the node names no relay to it", way.Actor)
	}
	relay := way.Relays[rand.IntN(len(way.Relays))] //nolint:gosec // likewise
	return c.SendThrough(ctx, relay, way.Actor, body)
}

// SendThrough is [Client.SendSealed] by a given relay to a given batcher.
func (c *Client) SendThrough(ctx context.Context, relay string, batcher trial.ActorID, body any) (p Promised, err error) {
	ledger, err := c.name(ctx)
	if err != nil {
		return p, err
	}
	key, err := c.keyOf(ctx, batcher)
	if err != nil {
		return p, err
	}
	now, err := c.Now(ctx)
	if err != nil {
		return p, err
	}
	address := relay + "/v1/sealed/" + batcher.String()
	b, err := c.fixed(ctx, http.MethodGet, address+"/key", nil, sealed.StatementBytes)
	if err != nil {
		return p, err
	}
	s, err := sealed.ParseStatement(b)
	if err != nil {
		return p, err
	}
	if err := s.Verify(ledger, batcher, key, now.UnixMilli()); err != nil {
		return p, err
	}
	p.Batcher = batcher
	if p.Sealed, err = sealed.Seal(s.Key, ledger, batcher, wire.Marshal(body)); err != nil {
		return p, err
	}
	if b, err = c.fixed(ctx, http.MethodPost, address, p.Sealed, sealed.AnswerBytes); err != nil {
		return p, err
	}
	if p.Promise, err = sealed.ParseAnswer(b); err != nil {
		return p, err
	}
	return p, p.Promise.Verify(ledger, key, p.Sealed)
}

// keyOf is a batcher's present key, from the list of all actors.
func (c *Client) keyOf(ctx context.Context, batcher trial.ActorID) (tx.PublicKey, error) {
	var actors []struct {
		Actor   trial.ActorID `json:"actor"`
		Role    string        `json:"role"`
		Key     tx.PublicKey  `json:"key"`
		Revoked string        `json:"revoked"`
	}
	if err := c.get(ctx, "/v1/actors", &actors); err != nil {
		return tx.PublicKey{}, err
	}
	for _, a := range actors {
		if a.Actor == batcher && a.Role == trial.Batcher.String() && a.Revoked == "" {
			return a.Key, nil
		}
	}
	return tx.PublicKey{}, fmt.Errorf("batcher %v: the directory has none of this name; ask the node's operator", batcher)
}

// fixed speaks to a relay, which is not the node: one request, one answer of one size.
func (c *Client) fixed(ctx context.Context, method, address string, body []byte, size int) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/octet-stream")
	}
	r, err := c.http.Do(q)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, problem(r)
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(r.Body, int64(size)+1))
	if err == nil && len(b) != size {
		err = fmt.Errorf("relay: an answer of %d bytes; it has %d", len(b), size)
	}
	return b, err
}
