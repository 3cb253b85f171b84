package node

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ipfs/boxo/ipns"

	"github.com/trialith/trialith/registry"
	"github.com/trialith/trialith/trial"
)

// answer asks a gateway, following no redirect.
func answer(t *testing.T, h http.Handler, method, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), b
}

func TestGateway(t *testing.T) {
	t.Parallel()
	n, files := fresh(t), results(t, "Found.")
	root, err := n.Import(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	g := n.Gateway()
	base := "/ipfs/" + root.String()
	if r, _ := answer(t, g, "GET", base+"?format=raw"); r.StatusCode != http.StatusNotFound {
		t.Fatalf("held and not published, but served: %s", r.Status)
	}
	if _, err := n.Publish(t.Context(), trial.ID{1}, root); err != nil {
		t.Fatal(err)
	}
	name, err := n.Name(trial.ID{1})
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := registry.CAR(files)
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := registry.CIDOf(results(t, "Other."))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, accept string
		status               int
		kind, disposition    string
		body                 string // part of it
	}{
		{"GET", base, "", 301, "", "", ""},
		{"GET", base + "/", "", 200, "text/html; charset=utf-8", "", "Results: A trial"},
		{"HEAD", base + "/", "", 200, "text/html; charset=utf-8", "", ""},
		{"GET", base + "/lay-summary.md", "", 200, "text/plain; charset=utf-8", "", "Found."},
		{"GET", base + "/tables/outcomes.csv", "", 200, "text/csv; charset=utf-8", "", "ROW,OUTID"},
		{"GET", base + "/protocol/protocol.cbor", "", 200, "application/octet-stream", `attachment; filename="protocol.cbor"`, ""},
		{"GET", base + "/nothing", "", 404, "", "", ""},
		{"GET", base + "/../../etc/passwd", "", 404, "", "", ""},
		{"GET", "/ipns/" + name + "/lay-summary.md", "", 200, "text/plain; charset=utf-8", "", "Found."},
		{"GET", base + "?format=car", "", 200, "application/vnd.ipld.car", "attachment", ""},
		{"GET", base, "application/vnd.ipld.raw", 200, "application/vnd.ipld.raw", "attachment", ""},
		{"GET", "/ipns/" + name + "?format=ipns-record", "", 200, "application/vnd.ipfs.ipns-record", "attachment", ""},
		{"GET", base + "?format=tar", "", 301, "", "", ""},
		{"GET", "/ipfs/" + unknown.String() + "?format=raw", "", 404, "", "", ""},
		{"GET", "/ipfs/bafkqaaa?format=raw", "", 404, "", "", ""}, // an identity hash
		{"GET", "/ipfs/x", "", 404, "", "", ""},
		{"GET", "/ipns/example.org?format=ipns-record", "", 404, "", "", ""}, // no name system of others is asked
		{"GET", "/other/" + root.String(), "", 404, "", "", ""},
		{"POST", base + "/", "", 405, "", "", ""},
		{"OPTIONS", base + "/", "", 405, "", "", ""},
	} {
		r, b := answer(t, g, c.method, c.path, "Accept", c.accept)
		h := r.Header
		if r.StatusCode != c.status || !strings.HasPrefix(h.Get("Content-Type"), c.kind) || !strings.HasPrefix(h.Get("Content-Disposition"), c.disposition) ||
			!strings.Contains(string(b), c.body) {
			t.Errorf("%s %s: %s %v\n%.200s", c.method, c.path, r.Status, h, b)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
		if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
	}
	_, b := answer(t, g, "GET", base+"?format=car")
	a, err := registry.DecodeCAR(b)
	if err != nil || a.Root() != root || !bytes.Equal(b, made) {
		t.Errorf("the archive that the gateway gives: %v", err)
	}
	_, b = answer(t, g, "GET", "/ipns/"+name+"?format=ipns-record")
	if _, err := ipns.UnmarshalRecord(b); err != nil {
		t.Errorf("record: %v", err)
	}
	if r, b := answer(t, g, "GET", base+"/lay-summary.md", "Range", "bytes=1-2"); r.StatusCode != 206 || string(b) != "ou" {
		t.Errorf("range: %s %q", r.Status, b)
	}
	if r, _ := answer(t, g, "GET", base+"/lay-summary.md", "If-None-Match", `"`+registryCID(t, "Found.").String()+`"`); r.StatusCode != 304 {
		t.Errorf("etag: %s", r.Status)
	}
	if r, _ := answer(t, n.Trustless(), "GET", base+"/"); r.StatusCode != http.StatusNotAcceptable {
		t.Errorf("a trustless gateway shows files: %s", r.Status)
	}
}

// registryCID is the CID of a file: that of the one block of a directory's one file.
func registryCID(t *testing.T, content string) trial.CID {
	t.Helper()
	_, list, err := registry.Root([]registry.File{{Path: "a", Data: []byte(content)}})
	if err != nil {
		t.Fatal(err)
	}
	return list[1].CID
}

// TestCorrected: what was published stays to be seen, after a restart too.
func TestCorrected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := open(t, dir)
	var roots []trial.CID
	for _, summary := range []string{"First.", "Corrected."} {
		root, err := n.Import(t.Context(), results(t, summary))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Publish(t.Context(), trial.ID{1}, root); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	shut(t, n)
	n = open(t, dir)
	defer shut(t, n)
	for i, want := range []string{"First.", "Corrected."} {
		if _, b := answer(t, n.Gateway(), "GET", "/ipfs/"+roots[i].String()+"/lay-summary.md"); string(b) != want {
			t.Errorf("%s; want %s", b, want)
		}
	}
	name, err := n.Name(trial.ID{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, b := answer(t, n.Gateway(), "GET", "/ipns/"+name+"/lay-summary.md"); string(b) != "Corrected." {
		t.Errorf("the name gives %s", b)
	}
}
