package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/server/client"
)

// handset is a participant's browser.
type handset struct {
	t   *testing.T
	ctx context.Context
	url string
	axe string
	// batched says that acts go through a relay: a first consent is asked whether
	// it can wait.
	batched bool
}

// What a page must never do: throw, complain, or try what its policy forbids.
const watchFaults = `{
	const note = (what) => sessionStorage.setItem("faults", (sessionStorage.getItem("faults") ?? "") + what + "\n");
	addEventListener("error", (e) => note("error: " + e.message));
	addEventListener("unhandledrejection", (e) => note("rejection: " + (e.reason?.stack ?? e.reason)));
	document.addEventListener("securitypolicyviolation", (e) => note("policy: " + e.violatedDirective + " " + e.blockedURI));
	const complain = console.error;
	console.error = (...args) => { note("console: " + args.join(" ")); complain(...args); };
}`

func newHandset(t *testing.T, url string) *handset {
	t.Helper()
	p := &handset{t: t, ctx: browsertest.Context(t), url: url, axe: browsertest.Axe(t)}
	if _, err := chromedp.Call(p.ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watchFaults}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(390, 844))
	return p
}

func (p *handset) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func seen[T any](p *handset, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%.120s: %v", expression, err)
	}
	return v
}

func literal(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(b)
}

func (p *handset) open(address string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+address))
}

func (p *handset) text() string {
	return seen[string](p, `document.querySelector("#app")?.innerText ?? document.body?.innerText ?? ""`)
}

// wait waits until an expression holds.
func (p *handset) wait(what, expression string) {
	p.t.Helper()
	for range 600 {
		if seen[bool](p, "Boolean("+expression+")") {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatalf("%s did not come; the page says:\n%s\nfaults: %s", what, p.text(), seen[string](p, `sessionStorage.getItem("faults") ?? ""`))
}

// at waits until a step is on the screen, by its main heading.
func (p *handset) at(heading string) {
	p.t.Helper()
	p.wait(heading, `!document.querySelector("#app[aria-busy]") && (document.querySelector("#app h1")?.textContent ?? "").includes(`+literal(heading)+`)`)
}

// says waits until the page says something.
func (p *handset) says(text string) {
	p.t.Helper()
	p.wait(text, `document.querySelector("#app")?.innerText.includes(`+literal(text)+`)`)
}

// press presses what has this text, as a person would find it.
func (p *handset) press(text string) {
	p.t.Helper()
	p.wait("something that says "+text, `[...document.querySelectorAll("#app a, #app button, #app label, #app summary")].some(e => e.innerText.trim() === `+literal(text)+`)`)
	seen[bool](p, `([...document.querySelectorAll("#app a, #app button, #app label, #app summary")].find(e => e.innerText.trim() === `+literal(text)+`).click(), true)`)
}

func (p *handset) fill(id, text string) {
	p.t.Helper()
	p.wait("#"+id, `document.getElementById(`+literal(id)+`)`)
	seen[bool](p, `(document.getElementById(`+literal(id)+`).value = `+literal(text)+`, true)`)
}

// look has the step examined: accessibility, width, and what the browser
// complained of. It takes a picture where one is asked for.
func (p *handset) look(name string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](p.axe))
	for _, width := range []int64{1280, 390} {
		p.do(chromedp.EmulateViewport(width, 844))
		p.examine(fmt.Sprintf("%s-%d", name, width))
	}
}

func (p *handset) examine(name string) {
	p.t.Helper()
	for _, v := range seen[[]struct {
		ID    string `json:"id"`
		Help  string `json:"help"`
		Nodes []struct {
			HTML string `json:"html"`
		} `json:"nodes"`
	}](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => ({html: n.html}))})))`) {
		p.t.Errorf("%s: %s: %s: %v", name, v.ID, v.Help, v.Nodes)
	}
	if wide := seen[int64](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		p.t.Errorf("%s: %d pixels too wide", name, wide)
	}
	if dir := os.Getenv("TRIALITH_SCREENSHOTS"); dir != "" {
		png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "real-"+name+".png"), png, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// mayKeep is all that the worker may keep: the frame, scripts, style sheets, the
// prover, and what everybody may read of a study. Letters, lists and acts are not.
var mayKeep = regexp.MustCompile(`^/(take-part|my-consent)\?lang=..$|^/assets/|^/prover/|^/v1/(ledger|ways|trials/[0-9a-f]{64}(/versions/[0-9]+|/sites|/results)?)$`)

// nothingPersonal checks that no cookie is set, nothing lies in the open storage,
// and the worker keeps nothing that belongs to one person.
func (p *handset) nothingPersonal() {
	p.t.Helper()
	kept := seen[[]string](p, `caches.keys().then(names => Promise.all(names.map(n => caches.open(n).then(c => c.keys()))))
		.then(all => all.flat().map(r => { const u = new URL(r.url); return u.pathname + u.search; }))`)
	for _, address := range kept {
		if !mayKeep.MatchString(address) {
			p.t.Errorf("the worker keeps %s", address)
		}
	}
	if len(kept) == 0 {
		p.t.Error("the worker keeps nothing")
	}
	if open := seen[string](p, `document.cookie + Object.keys(localStorage).join()`); open != "" {
		p.t.Errorf("stored in the open: %s", open)
	}
}

// clean fails the test with whatever the browser complained of.
func (p *handset) clean() {
	p.t.Helper()
	if faults := seen[string](p, `sessionStorage.getItem("faults") ?? ""`); faults != "" {
		p.t.Errorf("the browser complains:\n%s", faults)
	}
}

// line is the way between a browser and a node: whole, slow or cut. It stands
// between them, because what a browser emulates does not hold for its workers.
type line struct {
	proxy *httputil.ReverseProxy
	cut   atomic.Bool
	slow  atomic.Int64 // bytes a second; 0: as fast as it goes
}

func newLine(t *testing.T, node string) (*line, string) {
	t.Helper()
	to := must(url.Parse(node))
	l := &line{proxy: httputil.NewSingleHostReverseProxy(to)}
	l.proxy.ErrorLog = log.New(io.Discard, "", 0)
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return l, server.URL
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.cut.Load() {
		panic(http.ErrAbortHandler)
	}
	if rate := l.slow.Load(); rate > 0 {
		time.Sleep(150 * time.Millisecond)
		w = &slowWriter{w, rate}
	}
	l.proxy.ServeHTTP(w, r)
}

// slowWriter lets through so many bytes a second.
type slowWriter struct {
	http.ResponseWriter
	rate int64
}

func (s *slowWriter) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(int64(len(b)) * int64(time.Second) / s.rate))
	return s.ResponseWriter.Write(b)
}

// cut takes the connection away, or gives it back, and lets the page know.
func (p *handset) cut(l *line, away bool) {
	p.t.Helper()
	l.cut.Store(away)
	p.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, target, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: away, DownloadThroughput: -1, UploadThroughput: -1})
		return chromedp.Void{}, err
	})
}

// read goes through the parts of the text, the questions, the first of them
// answered wrong at first, and the options, of which it takes the second.
func (p *handset) read(pictures string) {
	p.t.Helper()
	for part := 1; part <= 5; part++ {
		p.says(fmt.Sprintf("Part %d of 5", part))
		if pictures != "" && part == 1 {
			p.look(pictures + "-read")
		}
		p.press("Continue")
	}
	p.at("Do you have to take part?")
	p.press("Continue")
	p.says("Choose an answer")
	if pictures != "" {
		p.look(pictures + "-mistake")
	}
	if focus := seen[string](p, `document.activeElement?.className ?? ""`); !strings.Contains(focus, "govuk-error-summary") {
		p.t.Errorf("after a mistake the focus is on %q", focus)
	}
	p.press("Yes.")
	p.press("Continue")
	p.at("Not quite")
	p.says("It is your choice. If you say no, nothing changes for you.")
	if pictures != "" {
		p.look(pictures + "-answer")
	}
	p.press("Answer it again")
	p.at("Do you have to take part?")
	p.press("No, it is my choice.")
	p.press("Continue")
	p.at("That is right")
	p.press("Continue")
	p.at("May you stop later?")
	p.press("Yes, on any day, without a reason.")
	p.press("Continue")
	p.at("That is right")
	p.press("Continue")
	p.at("What can everybody see?")
	p.press("That somebody agreed, and not who.")
	p.press("Continue")
	p.at("That is right")
	p.press("Continue")
	p.at("Tell me what the study found")
	if chosen := seen[string](p, `document.querySelector("input:checked")?.value ?? ""`); chosen != "no" {
		p.t.Errorf("an option is %q before anybody chose", chosen)
	}
	if pictures != "" {
		p.look(pictures + "-option")
	}
	p.press("Continue")
	p.at("You may ask me about other studies later.")
	p.press("Yes")
	p.press("Continue")
	if p.batched {
		p.at("Do you get a dose")
		p.press("No, or I am not sure")
		p.press("Continue")
	}
	p.at("Check your answers")
}

var hexName = regexp.MustCompile(`[0-9a-f]{64}`)

// TestParticipantsBrowser takes a participant through the open study on the pages
// as they are served: consent over a slow line, a visit, the new version, the
// recovery sheet on another device, choices changed on both, and leaving without a connection.
func TestParticipantsBrowser(t *testing.T) {
	p := newHandset(t, "")
	n, clinic := openClinic(t)
	wire, address := newLine(t, n.url)
	p.url = address
	code := must(clinic.Invite(t.Context()))
	study := clinic.Trial().String()

	wire.slow.Store(200_000)
	p.open("/take-part?lang=en#" + string(code))
	p.at("You are invited to a study")
	if hash := seen[string](p, "location.hash"); hash != "#invitation" {
		t.Errorf("the card's code stays in the address: %s", hash)
	}
	p.look("invitation")
	p.press("Start reading")
	p.at("Which language")
	p.press("English: Taking part in the walking study")
	p.press("Continue")
	p.read("slow")
	wire.slow.Store(0)
	p.look("check")
	for _, row := range []string{"3 of 3 answered", "You may ask me about other studies later."} {
		p.says(row)
	}
	// A reload comes back to the same question, with the answers kept.
	p.do(chromedp.Reload())
	p.at("Check your answers")
	p.says("3 of 3 answered")
	p.press("I agree to take part")
	p.at("You have agreed")
	p.look("receipt")
	p.receipt(study)
	if v := seen[int](p, `fetch("/v1/trials/`+study+`").then(r => r.json()).then(t => t.versions[0].counters.acts)`); v != 1 {
		t.Errorf("%d consents on the ledger", v)
	}
	groups := p.sheet()
	p.visit(study)
	p.renew(wire)
	p.rechoose(study, 1, true)
	p.recover(code, groups).rechoose(study, 2, false)
	p.outdated()
	p.leaveOffline(wire)
}

// receipt checks that nothing on the page is a name on the ledger but the study's.
func (p *handset) receipt(study string) {
	p.t.Helper()
	for _, name := range hexName.FindAllString(seen[string](p, `document.querySelector("main").outerHTML`), -1) {
		if name != study {
			p.t.Errorf("the receipt shows %s", name)
		}
	}
	p.says("period ")
}

// sheet reads the recovery sheet.
func (p *handset) sheet() string {
	p.t.Helper()
	p.press("Print your recovery sheet")
	p.at("Recovery sheet")
	if p.press("Show the sheet"); len(p.text()) == 0 {
		p.t.Error("no sheet")
	}
	p.says("Your secret, in 11 groups")
	p.look("sheet")
	groups := seen[[]string](p, `[...document.querySelectorAll(".t-groups__item")].map(e => e.innerText.trim())`)
	if len(groups) != 11 {
		p.t.Fatalf("%d groups", len(groups))
	}
	p.press("Back")
	return strings.Join(groups, " ")
}

// visit shows the consent at a visit, which the clinic records.
func (p *handset) visit(study string) {
	p.t.Helper()
	p.open("/my-consent?lang=en#visit")
	p.at("Show your consent at a visit")
	p.look("visit")
	seen[bool](p, `(document.querySelector("input[name=visit]").click(), true)`)
	p.press("Make the code")
	p.at("Show this to the site")
	p.look("visit-code")
	if code := seen[string](p, `document.querySelector(".t-big-code")?.innerText ?? ""`); len(code) != 6 {
		p.t.Errorf("code for the desk: %q", code)
	}
	p.wait("the visit on the ledger", `fetch("/v1/trials/`+study+`").then(r => r.json()).then(t => t.entries === 1)`)
}

// renew answers the new version.
func (p *handset) renew(l *line) {
	p.t.Helper()
	p.open("/my-consent?lang=en")
	for range 60 {
		p.at("My consent")
		if strings.Contains(p.text(), "There is a new version") {
			break
		}
		time.Sleep(500 * time.Millisecond)
		p.open("/my-consent?lang=en")
	}
	p.look("mine")
	p.press("See what is new")
	p.at("What is new")
	p.look("news")
	p.press("Read the new text")
	p.read("")
	// The connection goes just before the decision. It is kept, and goes out by itself.
	p.says("This device is ready.")
	p.cut(l, true)
	p.press("I agree to the new version")
	p.at("Your consent is on its way")
	p.look("unsent")
	p.cut(l, false)
	p.at("You have agreed")
	p.press("Go to my consent")
	p.at("My consent")
	p.says("Version 2")
}

// recover takes the participation up on another device.
func (p *handset) recover(code client.Code, groups string) *handset {
	p.t.Helper()
	other := newHandset(p.t, p.url)
	other.open("/my-consent?lang=en#restore")
	other.at("Bring back your consent")
	other.look("restore")
	other.fill("sheet", strings.Replace(groups, groups[:2], "UU", 1))
	other.fill("code", string(code))
	other.press("Bring it back")
	other.says("There is a typing mistake in group 1")
	other.fill("sheet", strings.ToLower(groups))
	other.press("Bring it back")
	other.at("My consent")
	other.says("You take part")
	other.says("Version 1")
	other.says("Version 2")
	other.clean()
	return other
}

// leaveOffline leaves without a connection; it goes on the record once there is one.
func (p *handset) leaveOffline(l *line) {
	p.t.Helper()
	p.wait("the worker that keeps the pages", `navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)`)
	p.clean()
	p.nothingPersonal()
	p.cut(l, true)
	p.open("/my-consent?lang=en")
	p.at("My consent")
	p.says("You take part")
	p.wait("the word that there is no connection", `document.querySelector("#connection").innerText.includes("You are offline")`)
	p.look("offline")
	p.press("Read what you agreed to")
	p.at("What you agreed to")
	p.says("Why this study")
	p.press("Back")
	p.press("Leave the study")
	p.at("Leave the study")
	p.look("leave")
	p.press("Go on to leave")
	p.at("Do you want to leave now?")
	p.press("Yes, leave now")
	p.at("You have left the study")
	p.says("The site could not be told from here")
	p.says("It is not on the public list yet")
	p.cut(l, false)
	p.says("It is on the public list")
	p.look("left")
	p.says("The site has ")
	p.clean()
}
