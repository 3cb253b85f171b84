package device_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
)

// fake is a node that answers what a test sets.
type fake struct {
	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer(w, r)
}

func (f *fake) says(status int, body string) {
	f.does(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(body)) //nolint:errcheck // the page has gone
	})
}

func (f *fake) does(answer func(http.ResponseWriter, *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// TestNode: what a node answers is taken field by field, and nothing else of it.
func TestNode(t *testing.T) {
	t.Parallel()
	var f fake
	p := browsertest.Open(t, "server/web/app/device/testdata/node.ts", browsertest.Handlers{"/fake/": &f})
	name := strings.Repeat("cd", 32)
	for _, c := range []struct {
		call   string
		status int
		body   string
		want   string
	}{
		{
			"ledger", 200,
			`{"ledger":"` + name + `","genesis_time":"2023-11-14T22:13:20.000Z","epoch_seconds":3600,"time":"2023-11-14T22:13:21.500Z","height":7,"demonstration":true,"notice":"n","verifying_key":"` + name + `","clock":"study","more":1}`,
			`{"ledger":"` + name + `","genesis":1700000000000,"epochSeconds":3600,"time":1700000001500,"height":7,"demonstration":true,"notice":"n","verifyingKey":"` + name + `","clock":"study"}`,
		},
		{"ledger", 200, `{"ledger":"` + strings.ToUpper(name) + `"}`, "answer: /v1/ledger: ledger: not 64 lower-case"},
		{"ledger", 200, `{"ledger":"` + name + `","genesis_time":"yesterday"}`, "answer: /v1/ledger: genesis_time: no time"},
		{"ledger", 200, `{"ledger":"` + name + `","epoch_seconds":1.5}`, "epoch_seconds: no whole number"},
		{"ledger", 200, `{"ledger":"` + name + `","epoch_seconds":-1}`, "epoch_seconds: no whole number"},
		{"ledger", 200, `{"ledger":"` + name + `","demonstration":"yes"}`, "demonstration: neither true nor false"},
		{"ledger", 200, `[]`, "ledger: not in an object"},
		{"ledger", 200, `null`, "ledger: not in an object"},
		{"ledger", 200, `{"__proto__":{"ledger":"` + name + `"}}`, "ledger: not 64"},
		{"ledger", 200, `<html>`, "answer: /v1/ledger: no JSON"},
		{"ledger", 503, `{"detail":"starting"}`, "offline: starting"},
		{"ledger", 500, `oops`, "offline: /v1/ledger: HTTP 500"},
		{"ledger", 500, `null`, "offline: /v1/ledger: HTTP 500"},
		{"members", 200, `{}`, "no array"},
		{"members", 200, `null`, `[]`},
		{"members", 200, `[{"leaf":"` + name + `","site":"` + name + `"},{"leaf":7}]`, "[1]: leaf: no text"},
		{"latest", 200, `[{"account":"` + name + `","kind":"enrol"}]`, `kind: "enrol" is none of consent, options`},
		{"act", 202, `{"hash":"` + name + `"}`, `"` + name + `"`},
		{
			"act", 422, `{"status":422,"title":"t","detail":"account: used before","code":306,"remedy":"do nothing"}`,
			"refused 422 306: account: used before (do nothing)",
		},
		{"act", 413, `oops`, "refused 413 0: /v1/acts: HTTP 413 ()"},
		{"act", 413, `null`, "refused 413 0: /v1/acts: HTTP 413 ()"},
		{"act", 429, `{}`, "offline: /v1/acts: HTTP 429"},
		{"outcome", 404, `{"title":"Not Found"}`, "undefined"},
		{"leaves", 200, strings.Repeat("x", 33), "33 bytes; each name has 32"},
	} {
		f.says(c.status, c.body)
		got, err := browsertest.Try[*string](p, c.call)
		if err != nil {
			t.Fatal(err)
		}
		text := "undefined"
		if got != nil {
			text = *got
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%s of %d %s: %s, want %s", c.call, c.status, c.body, text, c.want)
		}
	}
	t.Run("lists", func(t *testing.T) { nodeLists(t, &f, p) })
	t.Run("faults", func(t *testing.T) { nodeFaults(t, &f, p) })
}

// nodeLists: a list is asked for by the tag of the one that is known, and not sent again.
func nodeLists(t *testing.T, f *fake, p *browsertest.Page) {
	list := strings.Repeat("\x01", 32) + strings.Repeat("\x02", 32)
	var asked []string
	f.does(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match"))
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Trialith-Height", "9")
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write([]byte(list)) //nolint:errcheck // the page has gone
	})
	for range 2 {
		if got := browsertest.Call[string](t, p, "leaves"); got != `{"length":64,"height":9,"place":1}` {
			t.Errorf("leaves %s", got)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(asked) != 2 || asked[0] != "" || asked[1] != `"1"` {
		t.Errorf("asked with the tags %q", asked)
	}
}

func nodeFaults(t *testing.T, f *fake, p *browsertest.Page) {
	f.does(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/fake/elsewhere", http.StatusFound) })
	for _, c := range []struct{ call, want string }{
		{"ledger", "offline: nothing could be reached"}, {"cancelled", "AbortError"}, {"late", "AbortError"},
	} {
		if got := browsertest.Call[string](t, p, c.call); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.call, got, c.want)
		}
	}
	f.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("{")) //nolint:errcheck // the page has gone
		panic(http.ErrAbortHandler)
	})
	if got := browsertest.Call[string](t, p, "ledger"); !strings.Contains(got, "offline: nothing could be reached") {
		t.Errorf("an answer that ends early: %s", got)
	}
	f.does(func(w http.ResponseWriter, _ *http.Request) {
		part := make([]byte, 1<<20)
		for range 66 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	if got := browsertest.Call[string](t, p, "leaves"); !strings.Contains(got, "an answer of more than 67108864 bytes") {
		t.Errorf("an answer without end: %s", got)
	}
}
