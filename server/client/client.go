// Package client speaks to a node over HTTP, in the words of the trial. It is
// what the demo, the command line and tests use; it holds no key.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Limits on what a node may answer, so that a hostile one cannot exhaust the client.
const (
	maxJSON     = 8 << 20
	maxLeaves   = 1 << 28
	maxEvidence = 256 << 20
)

// patience is how long one request asks a node to wait, and tries how often a
// busy node is asked again.
const (
	patience = 20 * time.Second
	tries    = 12
)

// Client calls one node. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client

	mu     sync.Mutex
	trees  map[string]tagged // newest list of each tree, by address
	ledger wire.LedgerID     // of the node; zero until it was asked
}

type tagged struct {
	tag    string
	leaves []field.Leaf
}

// New makes a client of the node at a base URL such as http://127.0.0.1:8080.
func New(base string, c *http.Client) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), http: c, trees: map[string]tagged{}}
}

// Problem is an RFC 9457 problem that a node answered.
type Problem struct {
	Type   string     `json:"type"` // what kind of problem, a name
	Status int        `json:"status"`
	Title  string     `json:"title"`
	Detail string     `json:"detail"`
	Code   trial.Code `json:"code"` // of the refusal; 0: none
	Remedy string     `json:"remedy"`
}

func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("HTTP %d: %s", p.Status, text)
}

// Ledger is what a node says of its ledger.
type Ledger struct {
	Ledger        wire.LedgerID `json:"ledger"`
	Height        uint64        `json:"height"`
	Transactions  uint64        `json:"transactions"`
	GenesisTime   time.Time     `json:"genesis_time"`
	EpochSeconds  uint32        `json:"epoch_seconds"`
	Demonstration bool          `json:"demonstration"`
	Clock         string        `json:"clock"` // "study" or "real"
}

// Ledger asks what ledger the node keeps.
func (c *Client) Ledger(ctx context.Context) (l Ledger, err error) {
	return l, c.get(ctx, "/v1/ledger", &l)
}

// Submit sends a signed transaction and returns its hash.
func (c *Client) Submit(ctx context.Context, e *tx.Envelope) (wire.TxHash, error) {
	return c.post(ctx, "/v1/transactions", e.Encode())
}

// Act sends an act of a participant. It carries no session, cookie or signature.
func (c *Client) Act(ctx context.Context, body any) (wire.TxHash, error) {
	return c.post(ctx, "/v1/acts", wire.Marshal(body))
}

// Outcome is what became of a transaction in its block.
type Outcome struct {
	Hash     wire.TxHash   `json:"hash"`
	Name     string        `json:"name"` // such as trial/57
	Stream   wire.StreamID `json:"stream"`
	Sequence uint64        `json:"sequence"`
	Height   uint64        `json:"height"`
	Time     time.Time     `json:"time"` // of its block
	Code     trial.Code    `json:"code"`
	Refusal  string        `json:"refusal"`
}

// Accepted reports whether the rules accepted the transaction.
func (o Outcome) Accepted() bool { return o.Code == 0 }

// Wait waits until a transaction is in a block. A refusal by order is an
// outcome, not an error.
func (c *Client) Wait(ctx context.Context, hash wire.TxHash) (o Outcome, err error) {
	path := fmt.Sprintf("/v1/transactions/%v?wait=%d", hash, int(patience.Seconds()))
	for range tries {
		err = c.get(ctx, path, &o)
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusNotFound {
			return o, err
		}
	}
	return o, err
}

// Enter sends a signed transaction and waits until it is in a block. A node that
// lost it, because it stopped in between, is sent it again.
func (c *Client) Enter(ctx context.Context, e *tx.Envelope) (Outcome, error) {
	return c.enter(ctx, func() (wire.TxHash, error) { return c.Submit(ctx, e) })
}

// EnterAct does the same with an act.
func (c *Client) EnterAct(ctx context.Context, body any) (Outcome, error) {
	return c.enter(ctx, func() (wire.TxHash, error) { return c.Act(ctx, body) })
}

func (c *Client) enter(ctx context.Context, send func() (wire.TxHash, error)) (o Outcome, err error) {
	for range tries {
		var hash wire.TxHash
		if hash, err = send(); err != nil {
			return o, err
		}
		o, err = c.Wait(ctx, hash)
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusNotFound {
			return o, err
		}
	}
	return o, err
}

// Leaves downloads a whole tree as of a block, in order, emptied places as zero.
// A tree that has not changed since is not sent again; do not write to the result.
func (c *Client) Leaves(ctx context.Context, id trial.ID, tree string, height uint64) ([]field.Leaf, error) {
	address := fmt.Sprintf("/v1/trials/%v/trees/%s/leaves", id, url.PathEscape(tree))
	c.mu.Lock()
	known := c.trees[address]
	c.mu.Unlock()
	r, err := c.do(ctx, request{method: http.MethodGet, path: address + "?height=" + strconv.FormatUint(height, 10), tag: known.tag})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	if r.StatusCode == http.StatusNotModified {
		return known.leaves, nil
	}
	leaves, err := names[field.Leaf](r.Body)
	if err != nil {
		return nil, fmt.Errorf("leaves of %s: %w", tree, err)
	}
	c.mu.Lock()
	c.trees[address] = tagged{tag: r.Header.Get("ETag"), leaves: leaves}
	c.mu.Unlock()
	return leaves, nil
}

// names reads a list of names of 32 bytes each.
func names[T ~[32]byte](r io.Reader) ([]T, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxLeaves+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxLeaves:
		return nil, fmt.Errorf("more than %d bytes", maxLeaves)
	case len(b)%wire.Size != 0:
		return nil, fmt.Errorf("%d bytes; each has %d", len(b), wire.Size)
	}
	out := make([]T, 0, len(b)/wire.Size)
	for ; len(b) > 0; b = b[wire.Size:] {
		out = append(out, T(b))
	}
	return out, nil
}

// Latest is the latest act under a consent account.
type Latest struct {
	Account  field.Account `json:"account"`
	Kind     string        `json:"kind"`
	Sequence uint32        `json:"sequence"`
}

// maxLatest is for as many accounts as a tree has places.
const maxLatest = 512 << 20

// Latest lists the latest act under each consent account of a trial.
func (c *Client) Latest(ctx context.Context, id trial.ID) (out []Latest, err error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/trials/%v/accounts/latest", id)})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	if err := json.NewDecoder(io.LimitReader(r.Body, maxLatest)).Decode(&out); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	return out, nil
}

// Accounts downloads the consent accounts used, in the order of their first
// acts: the same list for everyone, in which a device looks for its own.
func (c *Client) Accounts(ctx context.Context, id trial.ID) ([]field.Account, error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/trials/%v/accounts", id)})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	out, err := names[field.Account](r.Body)
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	return out, nil
}

// Member is what the ledger knows of an enrolled leaf.
type Member struct {
	Leaf      field.Leaf      `json:"leaf"`
	Version   trial.Version   `json:"version"`
	Active    bool            `json:"active"`
	Unsettled []trial.Version `json:"unsettled"` // those a removal must state
}

// Leaf asks for an enrolled leaf.
func (c *Client) Leaf(ctx context.Context, id trial.ID, leaf field.Leaf) (m Member, err error) {
	return m, c.get(ctx, fmt.Sprintf("/v1/trials/%v/leaves/%v", id, leaf), &m)
}

// Trial is a trial at a glance.
type Trial struct {
	Trial      trial.ID  `json:"trial"`
	Title      string    `json:"title"`
	Enrolled   int       `json:"enrolled"`
	Randomised int       `json:"randomised"` // by proof
	Deviations int       `json:"deviations"`
	Doses      int       `json:"doses"`
	Versions   []Version `json:"versions"`
}

// Version is a consent version with its counters.
type Version struct {
	Version  trial.Version `json:"version"`
	Verdict  string        `json:"verdict"`
	Counters Counters      `json:"counters"`
}

// Counters of a version, summed over its sets.
type Counters struct {
	Owed        uint64 `json:"owed"`
	Acts        uint64 `json:"acts"`
	Superseded  uint64 `json:"superseded"`
	LeftProved0 uint64 `json:"left_proved0"`
	LeftProved1 uint64 `json:"left_proved1"`
	LeftWord0   uint64 `json:"left_word0"`
	LeftWord1   uint64 `json:"left_word1"`
	Ended       uint64 `json:"ended"`
}

// Trial asks for a trial at a glance.
func (c *Client) Trial(ctx context.Context, id trial.ID) (t Trial, err error) {
	return t, c.get(ctx, "/v1/trials/"+id.String(), &t)
}

// Evidence downloads a trial's evidence file.
func (c *Client) Evidence(ctx context.Context, id trial.ID, to io.Writer) error {
	r, err := c.retry(ctx, func() (*http.Response, error) {
		return c.once(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/trials/%v/evidence", id)})
	})
	if err != nil {
		return err
	}
	defer r.Body.Close() //nolint:errcheck // read to its end
	n, err := io.Copy(to, io.LimitReader(r.Body, maxEvidence+1))
	if err == nil && n > maxEvidence {
		err = fmt.Errorf("evidence: more than %d bytes", maxEvidence)
	}
	return err
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	r, err := c.do(ctx, request{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	return decode(r, into)
}

func (c *Client) post(ctx context.Context, path string, body []byte) (wire.TxHash, error) {
	var answer struct {
		Hash wire.TxHash `json:"hash"`
	}
	r, err := c.do(ctx, request{method: http.MethodPost, path: path, kind: "application/cbor", body: body})
	if err != nil {
		return answer.Hash, err
	}
	return answer.Hash, decode(r, &answer)
}

func decode(r *http.Response, into any) error {
	defer r.Body.Close() //nolint:errcheck // read to its end
	if err := json.NewDecoder(io.LimitReader(r.Body, maxJSON)).Decode(into); err != nil {
		return fmt.Errorf("%s: answer: %w", r.Request.URL.Path, err)
	}
	_, err := io.Copy(io.Discard, io.LimitReader(r.Body, 1024)) // keeps the connection
	return err
}

// request is one call of the node.
type request struct {
	method, path string
	kind         string // content type of body
	body         []byte
	tag          string // of what is known already
}

// do sends a request and takes in the whole answer: one that ends early is
// asked for again.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	return c.retry(ctx, func() (*http.Response, error) {
		r, err := c.once(ctx, q)
		if err != nil {
			return nil, err
		}
		defer r.Body.Close() //nolint:errcheck // read to its end, or given up
		b, err := io.ReadAll(io.LimitReader(r.Body, maxLeaves+1))
		r.Body = io.NopCloser(bytes.NewReader(b))
		return r, err
	})
}

// retry sends again while the node is busy or not there: it may be starting
// anew. Sending the same bytes again is the same transaction.
func (c *Client) retry(ctx context.Context, send func() (*http.Response, error)) (*http.Response, error) {
	for try := 1; ; try++ {
		r, err := send()
		if err == nil && r.StatusCode < http.StatusBadRequest {
			return r, nil
		}
		if err == nil {
			p := problem(r)
			if p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests {
				return nil, p
			}
			err = p
		}
		if try == tries || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-time.After(time.Duration(try) * 50 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Client) once(ctx context.Context, q request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, c.base+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	if q.kind != "" {
		req.Header.Set("Content-Type", q.kind)
	}
	if q.tag != "" {
		req.Header.Set("If-None-Match", q.tag)
	}
	return c.http.Do(req)
}

// problem reads an error answer, whatever its form.
func problem(r *http.Response) *Problem {
	defer r.Body.Close() //nolint:errcheck // read to its end
	p := &Problem{}
	b, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if json.Unmarshal(b, p) != nil || p.Status == 0 {
		p.Title, p.Detail = http.StatusText(r.StatusCode), ""
	}
	p.Status = r.StatusCode
	return p
}
