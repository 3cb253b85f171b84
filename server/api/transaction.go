package api

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/problem"
)

// Limits of what is sent, in bytes. An act is small: a proof and what it says.
const (
	maxTransaction = tx.MaxBytes
	maxAct         = 16 << 10
)

const (
	cborType = "application/cbor"
	textType = "text/plain"
)

// Accepted is the hash of a transaction that is in the queue.
type Accepted struct {
	Hash string `json:"hash" doc:"ask /v1/transactions/{hash} what became of it"`
}

type inBody struct {
	RawBody []byte `contentType:"application/cbor"`
}

func (s *server) transactionRoutes() {
	s.post("/v1/transactions", "submit", "Send a signed transaction",
		"Canonical CBOR of the signed envelope. The same idempotency key again answers the hash of the first.", maxTransaction, s.submit)
	s.post("/v1/acts", "act", "Send an act of a participant",
		"Canonical CBOR of the act and its proof, which is its only authority. Nothing about the sender is kept.", maxAct, s.act)
	get(s, "/v1/transactions/{hash}", "transaction", "What became of a transaction; 404 until it is in a block", s.transaction)
	huma.Register(s.api, shaped(binary("/v1/transactions/{hash}/receipt", "receipt",
		"The receipt of a transaction: the text of a C2SP tlog-proof; by Accept, what it says as JSON", textType, "application/json"),
		"application/json", s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Receipt](), true, "")), answering(s, s.receipt))
}

func (s *server) post(path, id, summary, description string, limit int64, handler func(context.Context, []byte) (wire.TxHash, error)) {
	o := operation(http.MethodPost, path, id, summary)
	o.Description, o.DefaultStatus = description, http.StatusAccepted
	o.MaxBodyBytes = limit + 1 // the library refuses what reaches it
	o.BodyReadTimeout = 10 * time.Second
	o.Middlewares = huma.Middlewares{s.only(cborType)}
	o.Errors = []int{
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable,
	}
	huma.Register(s.api, o, answering(s, func(ctx context.Context, in *inBody) (*out[Accepted], error) {
		hash, err := handler(ctx, in.RawBody)
		if err != nil {
			return nil, err
		}
		return answer(Accepted{Hash: hash.String()})
	}))
}

// only refuses a body of another kind than the given ones.
func (s *server) only(kinds ...string) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		got, _, err := mime.ParseMediaType(c.Header("Content-Type"))
		for _, k := range kinds {
			if err == nil && got == k {
				next(c)
				return
			}
		}
		huma.WriteErr(s.api, c, http.StatusUnsupportedMediaType, "content type: send "+strings.Join(kinds, " or ")) //nolint:errcheck // the client has gone
	}
}

func (s *server) submit(ctx context.Context, raw []byte) (wire.TxHash, error) {
	hash, err := s.Ledger.Submit(ctx, raw)
	if twice, ok := errors.AsType[*engine.DuplicateError](err); ok {
		return twice.Earlier, nil
	}
	return hash, err
}

func (s *server) act(ctx context.Context, body []byte) (wire.TxHash, error) {
	raw, err := s.Wrap(body)
	if err != nil {
		return wire.TxHash{}, err
	}
	return s.submit(ctx, raw)
}

type inTransaction struct {
	HashPath
	Wait int `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for its block"`
}

func (s *server) transaction(ctx context.Context, in *inTransaction) (*out[Entry], error) {
	hash, err := name[wire.TxHash]("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	e, err := s.await(ctx, hash, time.Duration(in.Wait)*time.Second)
	if err != nil {
		return nil, err
	}
	return answer(told(&e))
}

// await returns a transaction's entry. One that is in the queue and in no block
// yet is not found, like one that was never sent.
func (s *server) await(ctx context.Context, hash wire.TxHash, patience time.Duration) (engine.Entry, error) {
	if patience == 0 {
		return s.Ledger.Entry(hash)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, err := s.Ledger.Wait(ctx, hash)
	if errors.Is(err, context.DeadlineExceeded) {
		return e, problem.New(http.StatusNotFound, "transaction: in no block yet; ask again")
	}
	return e, err
}

type inReceipt struct {
	HashPath
	Accept string `header:"Accept" doc:"text/plain, or application/json for a description"`
}

// Receipt describes a receipt. Only its text proves anything, to who verifies it.
type Receipt struct {
	Text       string `json:"text" doc:"the receipt itself, to be kept: a C2SP tlog-proof"`
	Index      uint64 `json:"index" doc:"place in the log, from 0"`
	Size       uint64 `json:"size" doc:"of the log that it is proven in"`
	Height     uint64 `json:"height" doc:"of the transaction's block"`
	Time       string `json:"time" format:"date-time" doc:"of that block, by the ledger's own clock"`
	Checkpoint uint64 `json:"checkpoint" doc:"height of the checkpoint that it is proven under"`
	Stream     string `json:"stream"`
	Sequence   uint64 `json:"sequence"`
	Hash       string `json:"hash"`
	Code       uint16 `json:"code" doc:"0: accepted"`
	Notice     string `json:"notice" doc:"to be shown wherever the receipt is"`
}

func (s *server) receipt(_ context.Context, in *inReceipt) (*file, error) {
	hash, err := name[wire.TxHash]("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	r, err := s.Ledger.Receipt(hash)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(in.Accept, "application/json") {
		return &file{ContentType: textType + "; charset=utf-8", Body: r.Text()}, nil
	}
	p, err := r.Verify(s.Ledger.Genesis(), s.Witnesses)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(Receipt{
		Text: string(r.Text()), Index: p.Index, Size: p.Checkpoint.Size, Height: p.Link.Height, Time: instant(p.Link.Time),
		Checkpoint: p.Checkpoint.Height, Stream: p.Link.Stream.String(), Sequence: p.Link.Sequence, Hash: p.Link.Hash.String(),
		Code: p.Link.Code, Notice: strings.TrimSpace(s.Notice + " " + p.Notice),
	})
	return &file{ContentType: "application/json", Body: b}, err
}
