// Package problem is the one place that says how an error answers over HTTP:
// as an RFC 9457 problem, with the number of the refusal where a rule refused.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// ContentType of a problem.
const ContentType = "application/problem+json"

// Problem is an RFC 9457 problem. Code and Remedy are its extensions.
type Problem struct {
	Type   string     `json:"type" doc:"what kind of problem it is; a name, not an address"`
	Title  string     `json:"title" doc:"the kind in words"`
	Status int        `json:"status" doc:"the HTTP status"`
	Detail string     `json:"detail,omitempty" doc:"what was wrong with this request: the field, the rule, the remedy"`
	Code   trial.Code `json:"code,omitempty" doc:"number of the refusal, where a rule of the ledger refused"`
	Remedy string     `json:"remedy,omitempty" doc:"what to do about it"`

	retry string // seconds, for Retry-After
	cause error  // of a fault, for the operator's log alone
}

func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is a problem's own for JSON.
func (p *Problem) ContentType(string) string { return ContentType }

// GetHeaders are the headers that the answer needs besides.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	return h
}

// Cause is the error behind a fault of the server, which the answer does not tell.
func (p *Problem) Cause() error { return p.cause }

// New makes a problem of a status that needs no name of its own.
func New(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func named(name, title string, status int, detail string) *Problem {
	return &Problem{Type: "urn:trialith:problem:" + name, Title: title, Status: status, Detail: detail}
}

// From says how an error answers. What it does not know is a fault of the
// server: its text stays here.
func From(err error) *Problem {
	var (
		known   *Problem
		refusal *trial.Refusal
		size    *http.MaxBytesError
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refusal):
		return refused(refusal)
	case errors.As(err, &size):
		return named("too-large", "Too large", http.StatusRequestEntityTooLarge, "body: larger than this address takes; see the limits in /v1/docs")
	case errors.Is(err, engine.ErrMalformed):
		return named("malformed", "Malformed transaction", http.StatusBadRequest, err.Error())
	case errors.Is(err, engine.ErrExpired):
		p := named("expired", "Expired transaction", http.StatusUnprocessableEntity, err.Error())
		p.Remedy = "sign it again with a later expiry"
		return p
	case errors.Is(err, engine.ErrDuplicate):
		return named("duplicate", "Idempotency key used before", http.StatusConflict, err.Error())
	case errors.Is(err, engine.ErrRefused):
		return named("refused", "Refused", http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, engine.ErrShare):
		p := later("share", "Too many at once", err.Error())
		p.Status = http.StatusTooManyRequests
		return p
	case errors.Is(err, engine.ErrBusy):
		return later("busy", "Busy", err.Error())
	case errors.Is(err, engine.ErrClosed), errors.Is(err, engine.ErrStopped):
		// It does not come back by itself: there is no time to name.
		p := named("stopped", "The ledger does not run", http.StatusServiceUnavailable, "this node takes and tells nothing until it is started again")
		p.Remedy = "ask another node"
		return p
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return later("not-yet", "Not yet", "the answer was not ready in time; ask again")
	case errors.Is(err, engine.ErrUnknown), errors.Is(err, readmodel.ErrUnknown):
		return named("not-found", "Not found", http.StatusNotFound, strings.TrimPrefix(err.Error(), "readmodel: "))
	default:
		p := New(http.StatusInternalServerError, "the server failed; its operator's log says why")
		p.cause = err
		return p
	}
}

func later(name, title, detail string) *Problem {
	p := named(name, title, http.StatusServiceUnavailable, detail)
	p.retry, p.Remedy = "1", "send the same request again"
	return p
}

// refused answers a rule's no. The remedy is the end of its sentence.
func refused(r *trial.Refusal) *Problem {
	p := named("refused", Meaning(r.Code), status(r.Code), r.Text)
	p.Code = r.Code
	if i := strings.LastIndex(r.Text, "; "); i >= 0 {
		p.Remedy = r.Text[i+2:]
	}
	return p
}

// status groups the refusals: the form is wrong, the signer has no right, what
// is named is not there, or the rules forbid it now.
func status(c trial.Code) int {
	switch c {
	case trial.Malformed, trial.UnknownKind, trial.WrongStream, trial.WrongLedger:
		return http.StatusBadRequest
	case trial.UnknownKey, trial.BadSignature, trial.NotAuthorised, trial.NeedsSecond, trial.ExpiredActor, trial.UnknownDelegate, trial.NoPossession:
		return http.StatusForbidden
	case trial.UnknownTrial, trial.NoSuchActor, trial.NoSuchPerson, trial.NoSuchVersion, trial.NotEnrolled, trial.NotEligibleLeaf,
		trial.UnknownPhase, trial.NoSuchCut, trial.NoSuchStage:
		return http.StatusNotFound
	default:
		return http.StatusUnprocessableEntity
	}
}

// Write answers an error outside of the API's own machinery.
func Write(w http.ResponseWriter, err error) {
	p := From(err)
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) //nolint:errcheck // the client has gone
}
