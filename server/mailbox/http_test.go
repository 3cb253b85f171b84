package mailbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/problem"
)

func init() { gin.SetMode(gin.TestMode) }

func doorOf(t testing.TB, b Boxes) http.Handler {
	t.Helper()
	e := gin.New()
	Register(e, b)
	return e
}

func send(h http.Handler, method, address, kind string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, body)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	octets  = "application/octet-stream"
	address = "/v1/mail/000102030405060708090a0b0c0d0e0f"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	s, k := opened(t, Config{})
	h := doorOf(t, s)
	w := send(h, http.MethodPost, address, octets, bytes.NewReader(message(7)))
	var taken Taken
	if err := json.Unmarshal(w.Body.Bytes(), &taken); err != nil || w.Code != http.StatusAccepted || taken.Sequence == 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	k.pass(time.Hour)
	w = send(h, http.MethodGet, address+"?after=0", "", nil)
	var got Answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if len(got.Messages) != 1 || got.Messages[0].Sequence != taken.Sequence || !bytes.Equal(got.Messages[0].Body, message(7)) {
		t.Fatalf("%+v", got)
	}
	if got.Messages[0].Time != "2027-01-15T08:00:00.000Z" || got.Now != "2027-01-15T09:00:00.000Z" {
		t.Errorf("arrived %s, now %s", got.Messages[0].Time, got.Now)
	}
	w = send(h, http.MethodGet, "/v1/mail/ffffffffffffffffffffffffffffffff", "", nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"messages":[]`) {
		t.Errorf("a box that never was: %d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Set-Cookie": ""} {
		if v := w.Header().Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, _ := opened(t, Config{})
	h := doorOf(t, s)
	whole := func() io.Reader { return bytes.NewReader(message(1)) }
	for _, c := range []struct {
		name, method, address, kind string
		body                        io.Reader
		status                      int
	}{
		{"short", "POST", address, octets, bytes.NewReader(message(1)[1:]), 400},
		{"long", "POST", address, octets, bytes.NewReader(append(message(1), 1)), 400},
		{"long, of unknown length", "POST", address, octets, io.MultiReader(whole(), whole()), 400},
		{"empty", "POST", address, octets, nil, 400},
		{"another kind", "POST", address, "application/json", whole(), 415},
		{"no kind", "POST", address, "", whole(), 415},
		{"capital letters", "POST", "/v1/mail/000102030405060708090A0B0C0D0E0F", octets, whole(), 422},
		{"short name", "POST", "/v1/mail/00", octets, whole(), 422},
		{"long name", "GET", address + "00", "", nil, 422},
		{"negative", "GET", address + "?after=-1", "", nil, 422},
		{"too large", "GET", address + "?after=9007199254740993", "", nil, 422},
		{"no number", "GET", address + "?after=", "", nil, 422},
		{"another method", "DELETE", address, "", nil, 404},
	} {
		w := send(h, c.method, c.address, c.kind, c.body)
		if w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.status)
		}
		if c.status != http.StatusNotFound && w.Header().Get("Content-Type") != problem.ContentType {
			t.Errorf("%s: answered as %q", c.name, w.Header().Get("Content-Type"))
		}
	}
	if held, _ := s.Get(Box{}, 0); len(held) != 0 || len(s.boxes) != 0 {
		t.Error("something refused was kept")
	}
}

// failing refuses every message.
type failing struct{ err error }

func (f failing) Put(Box, []byte) (uint64, error)    { return 0, f.err }
func (f failing) Get(Box, uint64) ([]Message, error) { return nil, f.err }
func (f failing) Now() int64                         { return start }

func TestEachRefusalNamesItsRemedy(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]struct {
		status int
		remedy string
	}{
		ErrBoxFull:           {429, "its oldest messages expire, so send this one later"},
		ErrFull:              {507, "send the message later, or hand over what it says in person"},
		ErrStopped:           {503, ""},
		errors.New("a disk"): {500, ""},
	} {
		w := send(doorOf(t, failing{err}), http.MethodPost, address, octets, bytes.NewReader(message(1)))
		var p problem.Problem
		if e := json.Unmarshal(w.Body.Bytes(), &p); e != nil || w.Code != want.status || p.Remedy != want.remedy {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "a disk") {
			t.Error("the answer tells of the server's inside")
		}
	}
}

// slow never ends.
type slow struct{ release chan struct{} }

func (s slow) Put(Box, []byte) (uint64, error)    { <-s.release; return 1, nil }
func (s slow) Get(Box, uint64) ([]Message, error) { return nil, nil }
func (s slow) Now() int64                         { return start }

func TestTooManyAtOnce(t *testing.T) {
	t.Parallel()
	s := slow{make(chan struct{})}
	h := doorOf(t, s)
	done := make(chan int)
	for range sendersAtOnce + 1 {
		go func() {
			done <- send(h, http.MethodPost, address, octets, bytes.NewReader(message(1))).Code
		}()
	}
	if code := <-done; code != http.StatusTooManyRequests {
		t.Errorf("one more than may wait: %d", code)
	}
	close(s.release)
	for range sendersAtOnce {
		if code := <-done; code != http.StatusAccepted {
			t.Errorf("one that waited: %d", code)
		}
	}
}

// FuzzRequest sends requests of any form: none panics, and what is kept has the
// one size.
func FuzzRequest(f *testing.F) {
	f.Add("000102030405060708090a0b0c0d0e0f", "0", octets, message(1))
	f.Add("..%2f", "x", "a/b; c=", []byte{})
	f.Fuzz(func(t *testing.T, box, after, kind string, body []byte) {
		s, _ := opened(t, Config{})
		h := doorOf(t, s)
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			r := httptest.NewRequest(method, "/v1/mail/x", bytes.NewReader(body))
			r.URL.Path, r.URL.RawQuery = "/v1/mail/"+box, "after="+after
			r.Header.Set("Content-Type", kind)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code >= 500 || w.Code == http.StatusAccepted && len(body) != Size {
				t.Fatalf("%s: %d %s", method, w.Code, w.Body)
			}
		}
	})
}
