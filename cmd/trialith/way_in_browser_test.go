package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/registry/evidence/demonstration"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/server/relay"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// overheard is what a relay could know of who sends to it.
type overheard struct {
	next http.Handler
	mu   sync.Mutex
	seen []http.Header
	size map[int64]int // of bodies that were posted
}

func (o *overheard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.seen = append(o.seen, r.Header.Clone())
	if r.Method == http.MethodPost {
		o.size[r.ContentLength]++
	}
	o.mu.Unlock()
	o.next.ServeHTTP(w, r)
}

// TestConsentThroughARelay has a browser consent through a relay and a batcher:
// the relay is told nothing that names the person, the consent is on the ledger
// after the epoch, and no file holds anything of the browser.
func TestConsentThroughARelay(t *testing.T) {
	p := newHandset(t, "")
	dir := t.TempDir()
	clock := demo.NewClock(demo.GenesisDay())
	nodeDir := filepath.Join(dir, "node")
	if err := writeDemo(nodeDir, clock.Now()); err != nil {
		t.Fatal(err)
	}
	g, key, err := readNode(nodeDir)
	if err != nil {
		t.Fatal(err)
	}
	keys := must(relay.InitKeys(filepath.Join(dir, "batcher"), g.ID()))
	batcherAt := http.NewServeMux()
	batcherServer := httptest.NewServer(batcherAt)
	t.Cleanup(batcherServer.Close)
	heard := &overheard{next: must(relay.NewRelay(map[trial.ActorID]string{keys.Actor(): batcherServer.URL})), size: map[int64]int{}}
	way := httptest.NewServer(heard)
	t.Cleanup(way.Close)
	ways := `{"k_min": 1, "batchers": [{"actor": "` + keys.Actor().String() + `", "name": "University", "relays": ["` + way.URL + `"]}]}`
	if err := os.WriteFile(filepath.Join(nodeDir, fileWays), []byte(ways), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := openNode(nodeConfig{dir: nodeDir, listen: "127.0.0.1:0", genesis: g, key: key, clock: clock, study: true, follow: []engine.Follower{clock}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() }) //nolint:errcheck // the test has ended
	api := client.New(n.url, &http.Client{Timeout: 30 * time.Second})
	o, err := api.Send(t.Context(), client.Order{
		Kind: contract.DirectoryRegister, Stream: wire.Directory, Body: keys.Register("University", "CH"), Signer: demonstration.Key("regulator"),
	})
	if err != nil || !o.Accepted() {
		t.Fatalf("register the batcher: %+v, %v", o, err)
	}
	clinic := must(demo.OpenStudy(t.Context(), demo.Config{
		URL: n.url, Clock: clock, Dir: dir, Report: &demo.Report{Out: io.Discard, Err: t.Output()}, AmendAfter: time.Hour,
	}))
	batcher := must(relay.OpenBatcher(relay.Config{
		Dir: filepath.Join(dir, "batcher"), Keys: keys, Genesis: g, Verifier: verifier.Development(), Node: batcherNode{api}, Clock: clock, KMin: 1, Jitter: -1, Look: 1,
		Tell: func(s string) { t.Log("batcher:", s) },
	}))
	batcherAt.Handle("/", batcher.Handler())
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { clinic.Run(ctx) })
	running.Go(func() { batcher.Run(ctx, 100*time.Millisecond) })
	t.Cleanup(func() { stop(); running.Wait(); batcher.Close() }) //nolint:errcheck // the test has ended

	code := must(clinic.Invite(t.Context()))
	p.url, p.batched = n.url, true
	p.open("/take-part?lang=en#" + string(code))
	p.at("You are invited to a study")
	p.press("Start reading")
	p.at("Which language")
	p.press("English: Taking part in the walking study")
	p.press("Continue")
	p.read("")
	p.press("I agree to take part")
	p.at("Your consent is on its way")
	p.look("on-its-way")
	acts := `fetch("/v1/trials/` + clinic.Trial().String() + `").then(r => r.json()).then(t => t.versions[0].counters.acts`
	if seen[bool](p, acts+` > 0)`) {
		t.Error("the consent is on the ledger before its epoch has ended")
	}
	clock.Jump(demo.GenesisDay() + 1)
	p.wait("the consent on the ledger", acts+` === 1)`)
	p.open("/my-consent?lang=en")
	p.at("My consent")
	p.says("Version 1")
	p.clean()

	heard.mu.Lock()
	defer heard.mu.Unlock()
	if len(heard.size) != 1 {
		t.Errorf("sizes of what was posted: %v", heard.size)
	}
	for _, h := range heard.seen {
		for _, name := range []string{"Cookie", "Referer", "Authorization", "X-Forwarded-For"} {
			if h.Get(name) != "" {
				t.Errorf("the relay is told %s: %q", name, h.Get(name))
			}
		}
	}
	for _, needle := range []string{"Mozilla/", "HeadlessChrome", "Sec-Fetch"} {
		if files := holding(t, dir, []byte(needle)); len(files) > 0 {
			t.Errorf("%q is in %q", needle, files)
		}
	}
}
