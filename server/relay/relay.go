package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
)

// userAgent is what every request of a relay says of itself, whoever asked for it.
const userAgent = "trialith-relay"

// Limits of a relay.
const (
	forwardTime = 40 * time.Second // of one request to a batcher
	atOnce      = 256              // requests under way
)

// Relay passes sealed acts on: the bytes alone. It knows who sends and not
// what; it keeps neither. It is an http.Handler, safe for concurrent use.
type Relay struct {
	mux   http.Handler
	to    map[trial.ActorID]string
	http  *http.Client
	turns chan struct{}
}

// NewRelay makes a relay to batchers: their names and base URLs.
func NewRelay(to map[trial.ActorID]string) (*Relay, error) {
	if len(to) == 0 {
		return nil, errors.New("relay: no batcher to pass acts on to; name at least one")
	}
	r := &Relay{to: map[trial.ActorID]string{}, turns: make(chan struct{}, atOnce), http: forwarder()}
	for id, base := range to {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("relay: batcher %v: %q is no http or https URL", id, base)
		}
		r.to[id] = strings.TrimSuffix(base, "/")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathSealed, r.serveAct)
	mux.HandleFunc("GET "+pathKey, r.serveKey)
	mux.HandleFunc("OPTIONS "+pathSealed, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	r.mux = quiet(mux)
	return r, nil
}

// forwarder is a relay's own client: it has no cookies, follows nowhere and
// lets no proxy in between, and its connections are the relay's, not a sender's.
func forwarder() *http.Client {
	return &http.Client{
		Timeout:       forwardTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
			DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
		},
	}
}

// ServeHTTP answers any page's script, and asks for none of its cookies.
func (r *Relay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	r.mux.ServeHTTP(w, q)
}

func (r *Relay) serveAct(w http.ResponseWriter, q *http.Request) {
	base, ok := r.batcher(w, q)
	if !ok {
		return
	}
	message, ok := readSealed(w, q)
	if !ok {
		return
	}
	r.forward(w, http.MethodPost, base, message, sealed.AnswerBytes)
}

func (r *Relay) serveKey(w http.ResponseWriter, q *http.Request) {
	base, ok := r.batcher(w, q)
	if !ok {
		return
	}
	r.forward(w, http.MethodGet, base+"/key", nil, sealed.StatementBytes)
}

// batcher finds the address of the batcher that is asked for.
func (r *Relay) batcher(w http.ResponseWriter, q *http.Request) (address string, ok bool) {
	id, err := parseActor(q.PathValue("actor"))
	base, known := r.to[id]
	if err != nil || !known {
		http.Error(w, "actor: this relay does not pass acts on to it", http.StatusNotFound)
		return "", false
	}
	return base + "/v1/sealed/" + id.String(), true
}

// forward passes bytes on and answers with as many bytes as it should have.
// Nothing of the request but the bytes goes into it: not even its end, for who
// goes away after an act was sent must not be told from who stays.
func (r *Relay) forward(w http.ResponseWriter, method, address string, body []byte, want int) {
	select {
	case r.turns <- struct{}{}:
		defer func() { <-r.turns }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "busy; send again, or through another relay", http.StatusServiceUnavailable)
		return
	}
	answer, err := r.ask(method, address, body, want)
	if err != nil {
		http.Error(w, "the batcher does not answer; send again, or to another", http.StatusBadGateway)
		return
	}
	write(w, answer)
}

func (r *Relay) ask(method, address string, body []byte, want int) ([]byte, error) {
	q, err := http.NewRequestWithContext(context.Background(), method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("User-Agent", userAgent)
	if body != nil {
		q.Header.Set("Content-Type", octets)
	}
	answer, err := r.http.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(io.LimitReader(answer.Body, int64(want)+1))
	if err == nil && (answer.StatusCode != http.StatusOK || len(b) != want) {
		err = fmt.Errorf("%s, %d bytes", answer.Status, len(b))
	}
	return b, err
}
