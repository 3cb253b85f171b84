package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/browser"
	"github.com/trialith/trialith/circuits/ceremony"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// ceremonyKeys are the keys of a set-up that is not the development one: the
// library's, of one party, stands for a ceremony of several.
func ceremonyKeys(t *testing.T) (proving, verifying []byte) {
	t.Helper()
	var pk groth16.ProvingKey
	var vk groth16.VerifyingKey
	if err := groth16.Setup(must(membership.Compile(tree.Depth)), &pk, &vk); err != nil {
		t.Fatal(err)
	}
	var p, v bytes.Buffer
	_, err := pk.WriteTo(&p)
	_, err2 := vk.WriteTo(&v)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return p.Bytes(), v.Bytes()
}

// openCeremonyClinic is [openClinic] over a ledger that names a ceremony's
// verifying key. Without a proving key its node lacks that.
func openCeremonyClinic(t *testing.T, proving, verifying []byte) (*node, *demo.Clinic) {
	t.Helper()
	clock, dir := demo.NewClock(demo.GenesisDay()), t.TempDir()
	if err := writeDemo(dir, clock.Now()); err != nil {
		t.Fatal(err)
	}
	g, key, err := readNode(dir)
	if err != nil {
		t.Fatal(err)
	}
	g.VerifyingKey = wire.Hash(verifier.HashKey(verifying))
	dir = t.TempDir()
	if err := writeNode(dir, g, key); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{ceremony.VerifyingFile: verifying, ceremony.ProvingFile: proving} {
		if b == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, dirKeys, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n, err := openNode(nodeConfig{dir: dir, listen: "127.0.0.1:0", genesis: g, key: key, clock: clock, study: true, follow: []engine.Follower{clock}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() }) //nolint:errcheck // the test has ended
	report := &demo.Report{Out: io.Discard, Err: t.Output()}
	clinic, err := demo.OpenStudy(t.Context(), demo.Config{URL: n.url, Clock: clock, Dir: dir, Report: report, AmendAfter: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { clinic.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	return n, clinic
}

// toAgreement takes a participant as far as the button.
func (p *handset) toAgreement(code string) {
	p.t.Helper()
	p.open("/take-part?lang=en#" + code)
	p.at("You are invited to a study")
	p.press("Start reading")
	p.at("Which language")
	p.press("English: Taking part in the walking study")
	p.press("Continue")
	p.read("")
}

// TestCeremonyBrowser: a browser proves under the key that the ledger names, which
// the ledger's node has from a ceremony, with and without a connection, and the ledger
// accepts it.
func TestCeremonyBrowser(t *testing.T) {
	p := newHandset(t, "")
	proving, verifying := ceremonyKeys(t)
	n, clinic := openCeremonyClinic(t, proving, verifying)
	wire, address := newLine(t, n.url)
	p.url = address
	p.toAgreement(string(must(clinic.Invite(t.Context()))))
	p.press("I agree to take part")
	p.at("You have agreed")
	study := clinic.Trial().String()
	if v := seen[int](p, `fetch("/v1/trials/`+study+`").then(r => r.json()).then(t => t.versions[0].counters.acts)`); v != 1 {
		t.Errorf("%d consents on the ledger", v)
	}
	p.visit(study)
	p.leaveOffline(wire) // the key's list and files are kept like the pages
}

// TestCeremonyBrowserRefused: a node without the proving key says so on its pages.
// Where another ceremony's key stands in its place nothing is proven, and the page
// tells the person not to go on.
func TestCeremonyBrowserRefused(t *testing.T) {
	p := newHandset(t, "")
	_, verifying := ceremonyKeys(t)
	n, clinic := openCeremonyClinic(t, nil, verifying)
	others := must(browser.NewKeySet(ceremonyKeys(t)))
	var hostile atomic.Bool
	to := must(url.Parse(n.url))
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f, ok := others.File(strings.TrimPrefix(r.URL.Path, browser.Base)); ok && hostile.Load() {
			w.Write(f.Body) //nolint:errcheck,gosec // the browser has gone
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	p.open("/take-part?lang=en#" + string(must(clinic.Invite(t.Context()))))
	p.at("You are invited to a study")
	p.press("Start reading")
	p.at("Which language")
	p.press("English: Taking part in the walking study")
	p.press("Continue")
	p.says("this server does not have the study’s proving key") // before all is read
	p.read("")
	p.press("I agree to take part")
	p.says("Try again")
	p.says("this server does not have the study’s proving key")
	p.look("keyless")
	hostile.Store(true)
	p.do(chromedp.Reload())
	p.at("Check your answers")
	p.press("I agree to take part")
	p.says("A file on this server is not the one that it should be")
	study := clinic.Trial().String()
	if v := seen[int](p, `fetch("/v1/trials/`+study+`").then(r => r.json()).then(t => t.versions[0].counters.acts)`); v != 0 {
		t.Errorf("%d consents on the ledger", v)
	}
}

// An operator is told what a node lacks.
func TestProvingKeyOfACeremony(t *testing.T) {
	t.Parallel()
	proving, verifying := ceremonyKeys(t)
	key := must(verifier.ParseKey(verifying))
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, dirKeys), 0o700); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		n := &node{proving: provingKey(dir, key)}
		var said bytes.Buffer
		n.tellProving(t.Context(), dir, newTeller(&said))
		return said.String()
	}
	put := func(b []byte) {
		if err := os.WriteFile(filepath.Join(dir, dirKeys, ceremony.ProvingFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said := told(); !strings.Contains(said, "does not hold proving-key.bin") || !strings.Contains(said, filepath.Join(dir, dirKeys)) {
		t.Errorf("no proving key: %q", said)
	}
	others, _ := ceremonyKeys(t)
	put(others)
	if said := told(); !strings.Contains(said, "one ceremony") {
		t.Errorf("another ceremony's: %q", said)
	}
	put(proving)
	if said := told(); said != "" {
		t.Errorf("the ceremony's: %q", said)
	}
	if provingKey(dir, verifier.Development()) != nil {
		t.Error("the built-in key is laid out anew")
	}
}
