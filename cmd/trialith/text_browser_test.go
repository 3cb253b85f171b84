package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// TestAnotherText: a server that shows another text than the study registered gets
// no consent to the registered one: the digest is that of what stood on the page.
func TestAnotherText(t *testing.T) {
	p := newHandset(t, "")
	n, clinic := openClinic(t)
	proxy := httputil.NewSingleHostReverseProxy(must(url.Parse(n.url)))
	var changed atomic.Int64
	proxy.ModifyResponse = func(r *http.Response) error {
		// What the page reads asks for JSON by name; what the device proves does not.
		if !strings.Contains(r.Request.URL.Path, "/versions/") || r.Request.Header.Get("Accept") != "application/json" {
			return nil
		}
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		changed.Add(int64(bytes.Count(b, []byte("You can stop"))))
		b = bytes.ReplaceAll(b, []byte("You can stop"), []byte("You can rest"))
		r.Body = io.NopCloser(bytes.NewReader(b))
		r.Header.Set("Content-Length", strconv.Itoa(len(b)))
		return nil
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	p.open("/take-part?lang=en#" + string(must(clinic.Invite(t.Context()))))
	p.at("You are invited to a study")
	seen[bool](p, `(location.hash = "#check", true)`)
	p.at("Check your answers")
	p.press("I agree to take part")
	p.says("A file on this server is not the one that it should be")
	if changed.Load() == 0 {
		t.Error("the text was not changed; the test shows nothing")
	}
	study := clinic.Trial().String()
	if v := seen[int](p, `fetch("/v1/trials/`+study+`").then(r => r.json()).then(t => t.versions[0].counters.acts)`); v != 0 {
		t.Errorf("%d consents on the ledger", v)
	}
}
