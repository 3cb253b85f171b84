package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/server/upload"
	"github.com/trialith/trialith/trial"
)

// The addresses, the same at a relay and at a batcher.
const (
	pathSealed = "/v1/sealed/{actor}"
	pathKey    = "/v1/sealed/{actor}/key"
	octets     = "application/octet-stream"
)

// takeTime bounds the wait for a turn at a batcher.
const takeTime = 5 * time.Second

// Handler serves POST /v1/sealed/{actor}, the sealed act, answered in one size
// whatever the answer, and GET /v1/sealed/{actor}/key, the key statement.
func (b *Batcher) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathSealed, b.mine(b.serveAct))
	mux.HandleFunc("GET "+pathKey, b.mine(b.serveKey))
	return quiet(mux)
}

// mine refuses what is for another batcher.
func (b *Batcher) mine(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := b.keys.Actor(); r.PathValue("actor") != id.String() {
			http.Error(w, fmt.Sprintf("actor: this batcher is %v", id), http.StatusNotFound)
			return
		}
		h(w, r)
	}
}

func (b *Batcher) serveAct(w http.ResponseWriter, r *http.Request) {
	message, ok := readSealed(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), takeTime)
	defer cancel()
	p, err := b.Take(ctx, message)
	if _, refused := errors.AsType[*sealed.RefusedError](err); err != nil && !refused {
		b.tell("an act was not taken", err)
	}
	write(w, sealed.Answer(p, said(err)))
}

// words are what is said of each refusal. The relay reads them too, so that they
// name nothing of the act.
var words = map[sealed.Code]string{
	sealed.Unreadable: "sealed act: does not open with this batcher's key; get its key anew and seal again",
	sealed.Malformed:  "act: not the bytes of an act that goes by batch",
	sealed.Elsewhere:  "act: made for a ledger or a trial that this batcher does not know; send it to the node itself",
	sealed.Unproven:   "act: the proof does not hold; prove it anew",
	sealed.Used:       "act: account: on the ledger already; there is nothing to send",
	sealed.Busy:       "takes no more now; send elsewhere or later",
}

// said is a refusal as a relay may read it.
func said(err error) error {
	if r, refused := errors.AsType[*sealed.RefusedError](err); refused {
		return &sealed.RefusedError{Code: r.Code, Text: words[r.Code]}
	}
	return err
}

func (b *Batcher) serveKey(w http.ResponseWriter, _ *http.Request) {
	s, err := b.keys.Statement(b.cfg.Clock.Now())
	if err != nil {
		b.tell("the key to seal to", err)
		http.Error(w, "no key to seal to; ask again later, or another batcher", http.StatusServiceUnavailable)
		return
	}
	write(w, s.Encode())
}

// readSealed reads a sealed act and answers where it is none.
func readSealed(w http.ResponseWriter, r *http.Request) (message []byte, ok bool) {
	if r.Header.Get("Content-Type") != octets {
		http.Error(w, "content type: send "+octets, http.StatusUnsupportedMediaType)
		return nil, false
	}
	if r.ContentLength >= 0 && r.ContentLength != sealed.Bytes {
		http.Error(w, fmt.Sprintf("body: %d bytes; a sealed act has %d", r.ContentLength, sealed.Bytes), http.StatusBadRequest)
		return nil, false
	}
	body := upload.NewBody(w, r, sealed.Bytes)
	defer body.Done()
	message, err := io.ReadAll(body)
	if err != nil || len(message) != sealed.Bytes {
		http.Error(w, fmt.Sprintf("body: a sealed act has %d bytes", sealed.Bytes), http.StatusBadRequest)
		return nil, false
	}
	return message, true
}

func write(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", octets)
	w.Write(b) //nolint:errcheck,gosec // who has gone asks again
}

// quiet sets the headers of every answer: nothing here is a page, none is kept.
func quiet(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, r)
	})
}

// NewServer serves a relay or a batcher. The library's own log is off: its lines
// name the address of who sent what failed.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
	}
}

// parseActor reads a batcher's name in an address.
func parseActor(text string) (id trial.ActorID, err error) { return id, id.UnmarshalText([]byte(text)) }
