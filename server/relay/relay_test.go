package relay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
)

// watched is a batcher that keeps every request as it came.
type watched struct {
	mu   sync.Mutex
	next http.Handler
	seen []string
}

func (w *watched) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Write(&b) //nolint:errcheck // to memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	w.seen = append(w.seen, b.String())
	w.mu.Unlock()
	w.next.ServeHTTP(rw, r)
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = NewServer(h).ErrorLog
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func relayTo(t *testing.T, id trial.ActorID, url string) string {
	t.Helper()
	r, err := NewRelay(map[trial.ActorID]string{id: url + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, r)
}

// do sends one request and returns the status, the headers and the body.
func do(t *testing.T, method, url, kind string, body []byte, headers ...string) (*http.Response, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, b
}

// TestThroughARelay: a promise and a refusal come back in one size, and nothing
// but the bytes goes on.
func TestThroughARelay(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	behind := &watched{next: l.batcher.Handler()}
	url := relayTo(t, l.keys.Actor(), serve(t, behind)) + "/v1/sealed/" + l.keys.Actor().String()

	answer, b := do(t, http.MethodGet, url+"/key", "", nil)
	s, err := sealed.ParseStatement(b)
	if err != nil || answer.StatusCode != http.StatusOK || s.Verify(l.genesis.ID(), l.keys.Actor(), l.keys.Public(), l.clock.Now()) != nil {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	message := l.sealed(wire.Marshal(l.act(act.Consent, 1)))
	marks := []string{
		"User-Agent", "Netscape-Mark-1", "Cookie", "mark=2", "Referer", "http://mark-3.example/", "X-Forwarded-For", "198.51.100.4",
		"Accept-Language", "mark-5", "Authorization", "mark-6", "Origin", "http://mark-7.example", "X-Request-Id", "mark-8",
	}
	answer, b = do(t, http.MethodPost, url+"?mark-9", octets, message, marks...)
	p, err := sealed.ParseAnswer(b)
	if err != nil || answer.StatusCode != http.StatusOK || p.Verify(l.genesis.ID(), l.keys.Public(), message) != nil {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	headers := answer.Header.Clone()
	l.ledger.latest[accountOf(2)] = latest{Kind: act.Consent}
	l.look()
	answer, b = do(t, http.MethodPost, url, octets, l.sealed(wire.Marshal(l.act(act.Consent, 2))), marks...)
	if _, err := sealed.ParseAnswer(b); err == nil || len(b) != sealed.AnswerBytes || answer.StatusCode != http.StatusOK {
		t.Errorf("refused: %s, %d bytes, %v", answer.Status, len(b), err)
	} else if r, ok := errors.AsType[*sealed.RefusedError](err); !ok || r.Code != sealed.Used {
		t.Errorf("refused: %v", err)
	}
	headers.Del("Date")
	answer.Header.Del("Date")
	if !slices.EqualFunc(sorted(headers), sorted(answer.Header), func(a, b string) bool { return a == b }) {
		t.Errorf("headers tell them apart: %v, %v", headers, answer.Header)
	}
	if len(behind.seen) != 3 {
		t.Fatalf("%d requests", len(behind.seen))
	}
	for _, seen := range behind.seen {
		for _, m := range []string{"mark", "Mark", "198.51", "Cookie", "Referer", "Forwarded", "Accept", "Origin"} {
			if strings.Contains(seen[:min(len(seen), 400)], m) {
				t.Errorf("%q went on:\n%q", m, seen)
			}
		}
		if !strings.Contains(seen, "User-Agent: trialith-relay\r\n") {
			t.Errorf("no fixed user agent:\n%q", seen)
		}
	}
	if len(behind.seen[1]) != len(behind.seen[2]) {
		t.Errorf("%d and %d bytes on the way", len(behind.seen[1]), len(behind.seen[2]))
	}
}

func sorted(h http.Header) (out []string) {
	for name, values := range h {
		out = append(out, name+": "+strings.Join(values, ","))
	}
	slices.Sort(out)
	return out
}

func TestRelayRefuses(t *testing.T) {
	t.Parallel()
	id, other := trial.ActorID{1}, trial.ActorID{2}
	asked := 0
	url := relayTo(t, id, serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ })))
	path := url + "/v1/sealed/" + id.String()
	full := make([]byte, sealed.Bytes)
	for name, c := range map[string]struct {
		method, url, kind string
		body              []byte
		status            int
	}{
		"too short":       {http.MethodPost, path, octets, full[1:], http.StatusBadRequest},
		"too long":        {http.MethodPost, path, octets, append(full, 0), http.StatusBadRequest},
		"another kind":    {http.MethodPost, path, "application/cbor", full, http.StatusUnsupportedMediaType},
		"another batcher": {http.MethodPost, url + "/v1/sealed/" + other.String(), octets, full, http.StatusNotFound},
		"no name":         {http.MethodPost, url + "/v1/sealed/x", octets, full, http.StatusNotFound},
		"its key":         {http.MethodGet, url + "/v1/sealed/" + other.String() + "/key", "", nil, http.StatusNotFound},
		"another address": {http.MethodGet, url + "/v1/acts", "", nil, http.StatusNotFound},
		"another method":  {http.MethodPut, path, octets, full, http.StatusMethodNotAllowed},
	} {
		if answer, _ := do(t, c.method, c.url, c.kind, c.body); answer.StatusCode != c.status {
			t.Errorf("%s: %s", name, answer.Status)
		}
	}
	if asked != 0 {
		t.Errorf("the batcher was asked %d times", asked)
	}
	// A body whose length is not said.
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, io.MultiReader(bytes.NewReader(full), strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", octets)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest || asked != 0 {
		t.Errorf("unsaid length: %s", answer.Status)
	}
}

// TestRelayDistrustsBatchers: what a batcher answers in another size, with
// another status or with a redirect does not come through.
func TestRelayDistrustsBatchers(t *testing.T) {
	t.Parallel()
	id := trial.ActorID{1}
	for name, h := range map[string]http.HandlerFunc{
		"short": func(w http.ResponseWriter, _ *http.Request) { write(w, make([]byte, sealed.AnswerBytes-1)) },
		"long":  func(w http.ResponseWriter, _ *http.Request) { write(w, make([]byte, sealed.AnswerBytes+1)) },
		"failed": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("x", sealed.AnswerBytes-1), 500)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
	} {
		url := relayTo(t, id, serve(t, h)) + "/v1/sealed/" + id.String()
		answer, b := do(t, http.MethodPost, url, octets, make([]byte, sealed.Bytes))
		if answer.StatusCode != http.StatusBadGateway || !strings.Contains(string(b), "the batcher does not answer") {
			t.Errorf("%s: %s %q", name, answer.Status, b)
		}
	}
	url := relayTo(t, id, "http://127.0.0.1:1") + "/v1/sealed/" + id.String()
	if answer, _ := do(t, http.MethodGet, url+"/key", "", nil); answer.StatusCode != http.StatusBadGateway {
		t.Errorf("away: %s", answer.Status)
	}
}

// TestAnyPageMaySend: scripts of any page may send, and are given no cookies for it.
func TestAnyPageMaySend(t *testing.T) {
	t.Parallel()
	id := trial.ActorID{1}
	url := relayTo(t, id, "http://127.0.0.1:1") + "/v1/sealed/" + id.String()
	answer, _ := do(t, http.MethodOptions, url, "", nil, "Origin", "http://page.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	h := answer.Header
	if answer.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") || h.Get("Access-Control-Allow-Headers") != "Content-Type" || h.Get("Set-Cookie") != "" {
		t.Errorf("%s: %v", answer.Status, h)
	}
}

func TestRelayIsBusy(t *testing.T) {
	t.Parallel()
	r, err := NewRelay(map[trial.ActorID]string{{1}: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce {
		r.turns <- struct{}{}
	}
	answer, _ := do(t, http.MethodPost, serve(t, r)+"/v1/sealed/"+trial.ActorID{1}.String(), octets, make([]byte, sealed.Bytes))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("%s", answer.Status)
	}
}

func TestNewRelay(t *testing.T) {
	t.Parallel()
	for _, to := range []map[trial.ActorID]string{nil, {{1}: "batcher.example"}, {{1}: "ftp://batcher.example"}, {{1}: "http://a:b@batcher.example"}, {{1}: "http://"}} {
		if _, err := NewRelay(to); err == nil {
			t.Errorf("%v was taken", to)
		}
	}
}

// TestAnswersNameNothing: a relay reads answers too, and learns of the act behind
// a refusal no more than its code.
func TestAnswersNameNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	url := relayTo(t, l.keys.Actor(), serve(t, l.batcher.Handler())) + "/v1/sealed/" + l.keys.Actor().String()
	said := func(change func(*consent.Act)) (sealed.Code, string) {
		a := l.act(act.Consent, 1)
		change(&a)
		_, b := do(t, http.MethodPost, url, octets, l.sealed(wire.Marshal(a)))
		_, err := sealed.ParseAnswer(b)
		r, ok := errors.AsType[*sealed.RefusedError](err)
		if !ok {
			t.Fatalf("%v", err)
		}
		return r.Code, r.Text
	}
	for name, pair := range map[string][2]func(*consent.Act){
		"of which trial": {func(a *consent.Act) { a.Proven.Act.Trial[0] = 1 }, func(a *consent.Act) { a.Proven.Act.Trial[0] = 2 }},
		"or ledger":      {func(a *consent.Act) { a.Proven.Act.Ledger[0] = 1 }, func(a *consent.Act) { a.Proven.Act.Trial[0] = 2 }},
		"of which kind":  {func(a *consent.Act) { a.Proven.Act.Kind = act.Enrol }, func(a *consent.Act) { a.Proven.Act.Options = trial.Commitment{} }},
	} {
		code, text := said(pair[0])
		if otherCode, other := said(pair[1]); code != otherCode || text != other || text == "" {
			t.Errorf("%s: %d %q, %d %q", name, code, text, otherCode, other)
		}
	}
}
