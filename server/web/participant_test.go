package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The frames of the participant's pages: each language, its direction, a policy
// that lets only our own script run, and what is said without one.
func TestParticipantFrames(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := config(f)
	c.Relays = []string{"https://relay.example"}
	h := serve(t, f, c)
	for _, x := range []struct{ address, accept, lang, dir, says string }{
		{"/take-part", "", "en", "ltr", "This page needs JavaScript"},
		{"/take-part", "fr, es-MX;q=0.8, en;q=0.5", "es", "ltr", "Esta página necesita JavaScript"},
		{"/my-consent?lang=ar", "en", "ar", "rtl", "هذه الصفحة تحتاج إلى JavaScript"},
		{"/my-consent?lang=%22%3E%3Cscript%3E", "", "en", "ltr", "This page needs JavaScript"},
	} {
		r := httptest.NewRequest(http.MethodGet, x.address, nil)
		r.Header.Set("Accept-Language", x.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, `<html lang="`+x.lang+`" dir="`+x.dir+`"`) || !strings.Contains(body, x.says) {
			t.Errorf("%s (%s): %d, %.200s", x.address, x.accept, w.Code, body)
		}
		if strings.Count(body, "<script") != 1 || strings.Contains(body, "<style") || strings.Contains(body, " style=") || strings.Contains(body, "onload=") {
			t.Errorf("%s: more than our one script", x.address)
		}
		if !strings.Contains(body, "/studies/"+studyID.String()+"/versions/2") {
			t.Errorf("%s: does not lead to a study's text", x.address)
		}
		const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' https://relay.example; " +
			"style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Language",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-cache", "Set-Cookie": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", x.address, name, got, want)
			}
		}
	}
}

// The worker's script lists the files that it keeps, by their addresses of today.
func TestServiceWorker(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sw.js", nil))
	first, _, _ := strings.Cut(w.Body.String(), "\n")
	if w.Code != http.StatusOK || !strings.HasPrefix(first, `const FILES=["/assets/`) || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Fatalf("%d, %s: %s", w.Code, w.Header().Get("Content-Type"), first)
	}
	for address := range strings.SplitSeq(strings.Trim(strings.TrimPrefix(first, "const FILES="), `[];"`), `","`) {
		a := httptest.NewRecorder()
		h.ServeHTTP(a, httptest.NewRequest(http.MethodGet, address, nil))
		if a.Code != http.StatusOK {
			t.Errorf("%s: %d", address, a.Code)
		}
	}
}

func TestRelaysAreOrigins(t *testing.T) {
	t.Parallel()
	f := newFake()
	for _, relay := range []string{"relay.example", "https://relay.example/", "https://relay.example; script-src *", "https://relay.example https://other.example", ""} {
		c := config(f)
		c.Relays = []string{relay}
		if err := c.validate(); err == nil {
			t.Errorf("%q is taken for an origin", relay)
		}
	}
}
