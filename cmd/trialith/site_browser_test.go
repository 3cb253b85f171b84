package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/cmd/trialith/demo"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/client"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/consent"
	"github.com/trialith/trialith/trial/contract"
	"github.com/trialith/trialith/trial/device"
)

const (
	firstPass  = "correct horse battery staple"
	secondPass = "another horse, another staple"
)

// desk is the site's page in a browser.
type desk struct {
	t   *testing.T
	ctx context.Context
	axe string
	url string
	dir string // of screenshots; empty: none are made

	clinic string // where its people's keys are
}

func js[T any](d *desk, expression string) T {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		d.t.Fatalf("%.100s: %v", expression, err)
	}
	return v
}

func quote(s string) string {
	b, _ := json.Marshal(s) //nolint:errchkjson // a string
	return string(b)
}

// until waits for a condition on the page.
func (d *desk) until(what, condition string) {
	d.t.Helper()
	for range 600 {
		if js[bool](d, "Boolean("+condition+")") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	d.t.Fatalf("%s: did not come; the page shows:\n%s", what, js[string](d, "document.body.innerText"))
}

// shows waits until the main heading is this one.
func (d *desk) shows(heading string) {
	d.t.Helper()
	d.until(heading, `(document.querySelector("#app h1")?.innerText ?? "").includes(`+quote(heading)+`) && !document.querySelector("#app[aria-busy]")`)
}

func (d *desk) fill(id, text string) {
	d.t.Helper()
	d.until(id, `document.getElementById(`+quote(id)+`)`)
	js[bool](d, fmt.Sprintf(`(() => { const e = document.getElementById(%s); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); return true })()`, quote(id), quote(text)))
}

// choose ticks a box or takes an answer.
func (d *desk) choose(id string) {
	d.t.Helper()
	d.until(id, `document.getElementById(`+quote(id)+`)`)
	js[bool](d, fmt.Sprintf(`(document.getElementById(%s).click(), true)`, quote(id)))
}

// press clicks what has these words.
func (d *desk) press(words string) {
	d.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll("#app button, #app a")].find(e => e.innerText.trim() === %s)`, quote(words))
	d.until("button "+words, find)
	js[bool](d, "("+find+".click(), true)")
}

func (d *desk) open(step string) {
	d.t.Helper()
	js[bool](d, fmt.Sprintf(`(location.hash = %s, true)`, quote(step)))
}

// look examines the page on a phone and on a desktop: nothing that axe-core
// finds, nothing to scroll sideways for, and nothing that the policy refused.
func (d *desk) look(name string) {
	d.t.Helper()
	for _, width := range []int64{390, 1280} {
		if err := chromedp.Do(d.ctx, chromedp.EmulateViewport(width, 900)); err != nil {
			d.t.Fatal(err)
		}
		if wide := js[int64](d, `document.documentElement.scrollWidth`); wide > width {
			d.t.Errorf("%s: %d wide in a window of %d", name, wide, width)
		}
		if d.axe != "" {
			type violation struct {
				ID    string `json:"id"`
				Help  string `json:"help"`
				Nodes []struct {
					HTML string `json:"html"`
				} `json:"nodes"`
			}
			if err := chromedp.Do(d.ctx, chromedp.Evaluate[chromedp.Void](d.axe)); err != nil {
				d.t.Fatal(err)
			}
			for _, v := range js[[]violation](d, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`) {
				d.t.Errorf("%s at %d: %s: %s: %v", name, width, v.ID, v.Help, v.Nodes)
			}
		}
		d.picture(fmt.Sprintf("%s-%d", name, width))
	}
}

// openDesk starts a demonstration's node with the open study, whose clinic is
// played by nobody, and opens the site's page.
func openDesk(t *testing.T) (*desk, *node) {
	t.Helper()
	ctx := browsertest.Context(t)
	clock, dir := demo.NewClock(demo.GenesisDay()), t.TempDir()
	n, err := startDemo(dir, "127.0.0.1:0", clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() }) //nolint:errcheck // the test has ended
	report := &demo.Report{Out: io.Discard, Err: t.Output()}
	if _, err := demo.OpenStudy(t.Context(), demo.Config{URL: n.url, Clock: clock, Dir: dir, Report: report, AmendAfter: time.Hour}); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ctx: ctx, url: n.url, dir: os.Getenv("TRIALITH_SCREENSHOTS"), clinic: filepath.Join(dir, "clinic")}
	if os.Getenv("TRIALITH_AXE") != "" || strings.Contains(os.Getenv("TRIALITH_REQUIRE"), "axe") {
		d.axe = browsertest.Axe(t)
	}
	if _, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watchFaults}); err != nil {
		t.Fatal(err)
	}
	d.reload()
	return d, n
}

// reload opens the page anew, as after the browser was closed.
func (d *desk) reload() {
	d.t.Helper()
	if err := chromedp.Do(d.ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url+"/site?lang=en")); err != nil {
		d.t.Fatal(err)
	}
}

func seedOf(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// person answers the questions about somebody who signs here.
func (d *desk) person(name, seed, pass string) {
	d.t.Helper()
	d.fill("who", name)
	d.choose("which")
	d.fill("key", seed)
	d.fill("pass", pass)
	d.fill("pass2", pass)
	d.press("Set up")
}

// TestSiteInABrowser runs a site from its page: set-up, a card, an enrolment, a
// receipt countersigned and committed, a visit, a notice of withdrawal, a
// removal by two people, a backup brought back. The participant is played by a
// device in Go; what the ledger says is asked of the ledger.
func TestSiteInABrowser(t *testing.T) {
	d, n := openDesk(t)
	d.shows("Set up this computer")
	d.look("start")
	d.press("Set up with my key")
	d.shows("Your key")
	d.press("Set up")
	d.until("the mistakes", `document.querySelector(".govuk-error-summary")`)
	d.look("mistakes")
	d.person("Dr Example", seedOf(t, d.clinic, "investigator.key"), firstPass)
	d.shows("Where do you work?")
	d.look("place")
	d.fill("contact", "Room 1, telephone 555 0100")
	d.press("Work here")
	d.shows("Today")
	d.look("today-empty")

	p := d.invite(n, "07-0012")
	d.enrol(p)
	p.agree(1)
	d.countersign(p)
	d.visit(p)
	d.withdrawn(p)

	d.open("computer")
	d.press("Add a person")
	d.person("Nurse Example", seedOf(t, d.clinic, "second-person.key"), secondPass)
	d.shows("This computer")
	d.look("computer")
	d.remove(p)
	d.restart()
	d.stranger(n)
	d.languages()
	d.backup()
	if faults := js[string](d, `sessionStorage.getItem("faults") ?? ""`); faults != "" {
		t.Errorf("refused by the policy, or failed:\n%s", faults)
	}
}

// TestSiteNewKey sets a computer up with a key that is made there: it asks to be
// registered, and until it is, the page says so.
func TestSiteNewKey(t *testing.T) {
	d, _ := openDesk(t)
	d.shows("Set up this computer")
	d.press("Set up with my key")
	d.shows("Your key")
	d.fill("who", "Dr New")
	d.choose("which-2")
	d.fill("pass", firstPass)
	d.fill("pass2", firstPass)
	d.press("Set up")
	d.shows("Your new public key")
	d.look("made")
	js[bool](d, `(window.saved = new Promise(yes => { URL.createObjectURL = b => (b.text().then(yes), "#") }), true)`)
	d.press("Save the request")
	var asked struct {
		Ledger     wire.LedgerID
		Name       string
		Key        tx.PublicKey
		Possession string
	}
	if err := json.Unmarshal([]byte(js[string](d, `saved`)), &asked); err != nil {
		t.Fatal(err)
	}
	if ledger := must(client.New(d.url, http.DefaultClient).Ledger(t.Context())).Ledger; asked.Ledger != ledger || asked.Name != "Dr New" || len(asked.Possession) != 128 {
		t.Errorf("asked: %+v", asked)
	}
	d.press("Go on")
	d.shows("Where do you work?")
	d.until("the warning", `document.body.innerText.includes("Your key is not registered")`)
	d.look("unregistered")
	if faults := js[string](d, `sessionStorage.getItem("faults") ?? ""`); faults != "" {
		t.Errorf("refused by the policy, or failed:\n%s", faults)
	}
}

// invite makes a card and gives its code to a device.
func (d *desk) invite(n *node, subject string) *guest {
	d.t.Helper()
	d.open("card")
	d.shows("Invite somebody")
	d.fill("subject", subject)
	d.press("Make the card")
	d.shows("Invitation card")
	d.look("card")
	d.paper("card", ".t-card")
	code := must(client.ParseCode(js[string](d, `document.querySelector(".t-card__code").innerText`)))
	return &guest{t: d.t, api: client.New(n.url, &http.Client{Timeout: 30 * time.Second}), code: code}
}

// paper looks at what a printer gets: the one part, and nothing else of the step.
func (d *desk) paper(name, part string) {
	d.t.Helper()
	media := func(m string) {
		if _, err := chromedp.Call(d.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: m}); err != nil {
			d.t.Fatal(err)
		}
	}
	media("print")
	defer media("")
	if shown := js[string](d, `[...document.querySelectorAll("body *")].filter(e => e.children.length === 0 && e.textContent.trim() && e.checkVisibility() && !e.closest(`+quote(part)+`)).map(e => e.textContent).join("|")`); shown != "" {
		d.t.Errorf("%s: printed besides: %s", name, shown)
	}
	if !js[bool](d, `document.querySelector(`+quote(part)+`).checkVisibility()`) {
		d.t.Errorf("%s: not printed", name)
	}
	d.picture(name + "-print")
}

func (d *desk) picture(name string) {
	d.t.Helper()
	if d.dir == "" {
		return
	}
	png, err := chromedp.Run(d.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "site-"+name+".png"), png, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) enrol(p *guest) {
	d.t.Helper()
	p.ask()
	d.open("today")
	d.shows("Today")
	d.look("today-request")
	d.press("Check and sign")
	d.shows("Enrol this participant?")
	d.look("request")
	d.press("Sign and enrol")
	d.until("the mistake", `document.querySelector("#identity-error")`)
	d.choose("identity")
	d.press("Sign and enrol")
	d.shows("Enrolled")
	d.look("enrolled")
	p.hear("enrolled")
	leaf, _ := p.phone.Leaf()
	if m := must(p.api.Leaf(d.t.Context(), p.trial, leaf)); !m.Active {
		d.t.Error("the leaf is not on the ledger")
	}
}

func (d *desk) countersign(p *guest) {
	d.t.Helper()
	p.tell(client.Letter{Type: "receipt", Subject: p.card.Code, Version: 1})
	d.open("today")
	d.press("Countersign")
	d.shows("Countersign the form")
	d.choose("form")
	d.choose("both")
	d.look("countersign")
	d.press("Countersign")
	d.shows("Countersigned forms")
	p.hear("countersigned")
	d.press("Commit the table on the ledger")
	d.until("the commitment", `document.body.innerText.includes("All countersigned forms are committed.")`)
	d.look("table")
	entries := d.kinds(p)
	if entries["consent.countersign"] != 1 {
		d.t.Errorf("on the ledger: %v", entries)
	}
}

// kinds counts the accepted transactions of the study by kind.
func (d *desk) kinds(p *guest) map[string]int {
	d.t.Helper()
	var entries []struct {
		Kind   string        `json:"kind"`
		Stream wire.StreamID `json:"stream"`
		Code   int           `json:"code"`
	}
	r := must(http.Get(d.url + "/v1/ledger/entries?limit=1000")) //nolint:noctx // the server ends with the test
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&entries); err != nil {
		d.t.Fatal(err)
	}
	out := map[string]int{}
	for _, e := range entries {
		if e.Code == 0 && e.Stream == wire.StreamID(p.trial) {
			out[e.Kind]++
		}
	}
	return out
}

func (d *desk) visit(p *guest) {
	d.t.Helper()
	visit := device.Visit{Kind: act.Visit, Site: p.site, Slot: "start", Day: trial.Day(p.card.Day)}
	body := wire.Marshal(must(p.phone.Entry(d.t.Context(), visit, 1)))
	// Who has not the card keeps nobody from a dose.
	p.post(client.Letter{Type: "withdrawn", Subject: p.card.Code, From: client.NewCode().From()})
	p.tell(client.Letter{Type: "visit", Subject: p.card.Code, Code: "K7QM2R", Body: body})
	d.open("visit")
	d.shows("Record a visit or dose")
	d.look("visit")
	d.fill("code", "K7QM2X")
	d.press("Look it up")
	d.until("the mistake", `document.querySelector("#code-error")`)
	d.fill("code", "k7qm 2r")
	d.press("Look it up")
	d.shows("Is this the visit?")
	d.look("visit-confirm")
	d.press("Record it")
	d.shows("OK")
	d.look("visit-ok")
	p.hear("visited")
	// The same visit again, from the square.
	d.open("today")
	d.open("visit")
	d.fill("code", "TRIALITH1:"+base64.RawURLEncoding.EncodeToString(body))
	d.press("Look it up")
	d.shows("STOP")
	d.look("visit-stop")
	// One that another computer of the site has recorded: the ledger itself says no.
	visit.Slot = "week-4"
	body = wire.Marshal(must(p.phone.Entry(d.t.Context(), visit, 1)))
	d.elsewhere(p, body)
	p.tell(client.Letter{Type: "visit", Subject: p.card.Code, Code: "22GGTT", Body: body})
	d.open("today")
	d.open("visit")
	d.fill("code", "22GGTT")
	d.press("Look it up")
	d.shows("Is this the visit?")
	d.press("Record it")
	d.shows("STOP")
	d.until("the ledger's reason", `document.body.innerText.includes("recorded")`)
	if got := d.kinds(p)["consent.entry"]; got != 2 {
		d.t.Errorf("%d visits on the ledger", got)
	}
}

// elsewhere records a visit from another computer.
func (d *desk) elsewhere(p *guest, body []byte) {
	d.t.Helper()
	seed := must(hex.DecodeString(strings.TrimSpace(seedOf(d.t, d.clinic, "investigator.key"))))
	var entry consent.Entry
	if err := wire.Unmarshal(body, &entry); err != nil {
		d.t.Fatal(err)
	}
	o, err := p.api.Send(d.t.Context(), client.Order{
		Kind: contract.ConsentEntry, Stream: wire.StreamID(p.trial), Body: entry, Signer: ed25519.NewKeyFromSeed(seed),
	})
	if err != nil || !o.Accepted() {
		d.t.Fatalf("%+v, %v", o, err)
	}
}

func (d *desk) withdrawn(p *guest) {
	d.t.Helper()
	p.tell(client.Letter{Type: "withdrawn", Subject: p.card.Code})
	p.tell(client.Letter{Type: "withdrawn", Subject: "somebody else"})
	if err := p.api.Post(d.t.Context(), client.InboxBox(p.card.Inbox), make([]byte, client.LetterSize)); err != nil {
		d.t.Fatal(err)
	}
	d.open("today")
	d.until("the notice", `document.querySelectorAll(".t-red").length === 1`)
	d.look("today-withdrawn")
	// A day later nobody has looked.
	js[bool](d, `(window.real = fetch, window.fetch = async (...a) => { const r = await real(...a); if (!String(a[0]).startsWith("/v1/mail/")) return r;
		const b = await r.json(); b.now = new Date(Date.parse(b.now) + 25 * 3600e3).toISOString(); return new Response(JSON.stringify(b), {status: r.status}) }, true)`)
	d.open("cards")
	d.open("today")
	d.until("the alarm", `document.querySelector(".t-red .govuk-warning-text")`)
	d.look("today-late")
	js[bool](d, `(window.fetch = real, true)`)
	d.press("I have seen it, and dosing has stopped")
	p.hear("acknowledged")
	d.until("no notice", `!document.querySelector(".t-red")`)
	d.open("visit")
	d.fill("code", "22GGTT")
	d.press("Look it up")
	d.shows("STOP")
	d.until("the reason", `document.body.innerText.includes("has withdrawn")`)
}

func (d *desk) remove(p *guest) {
	d.t.Helper()
	d.open("leave")
	d.shows("Who leaves?")
	d.press("Continue")
	d.shows("Somebody leaves")
	d.choose("why")
	d.fill("reason", "Told the site by telephone.")
	d.fill("pass", "a wrong passphrase")
	d.look("leave")
	d.press("Both sign")
	d.until("the mistake", `document.querySelector("#pass-error")`)
	d.fill("pass", secondPass)
	d.press("Both sign")
	d.shows("Recorded")
	d.look("left")
	leaf, _ := p.phone.Leaf()
	if m := must(p.api.Leaf(d.t.Context(), p.trial, leaf)); m.Active || len(m.Unsettled) > 0 {
		d.t.Errorf("after the removal: %+v", m)
	}
	if c := must(p.api.Trial(d.t.Context(), p.trial)).Versions[0].Counters; c.LeftWord1 != 1 || c.LeftWord0 != 0 {
		d.t.Errorf("counters %+v: the site had seen the receipt", c)
	}
}

// restart closes and opens the page: it is locked, opens with either passphrase,
// and has its tables.
func (d *desk) restart() {
	d.t.Helper()
	d.reload()
	d.shows("Unlock")
	d.fill("pass", "not the passphrase")
	d.press("Unlock")
	d.until("the mistake", `document.querySelector("#pass-error")`)
	d.look("unlock")
	js[bool](d, `(document.getElementById("person").selectedIndex = 1, true)`)
	d.fill("pass", secondPass)
	d.press("Unlock")
	d.shows("Today")
	d.open("cards")
	d.shows("Cards and participants")
	d.until("the card", `document.body.innerText.includes("07-0012")`)
	d.look("cards")
	stored := js[string](d, `new Promise((yes, no) => { const r = indexedDB.open("trialith-site"); r.onerror = no;
		r.onsuccess = () => { const g = r.result.transaction("file").objectStore("file").get("site"); g.onsuccess = () => { r.result.close(); yes(JSON.stringify(g.result)) } } })`)
	for _, secret := range []string{"07-0012", "telephone", "leaf"} {
		if strings.Contains(stored, secret) {
			d.t.Errorf("%q is readable in the browser's store", secret)
		}
	}
}

// stranger sends a request that is not what the card was for: it cannot be signed.
func (d *desk) stranger(n *node) {
	d.t.Helper()
	d.open("today")
	d.press("Lock")
	d.shows("Unlock")
	d.fill("pass", firstPass)
	d.press("Unlock")
	d.shows("Today")
	p := d.invite(n, "07-0013")
	p.ask()
	d.open("today")
	d.press("Check and sign")
	d.shows("Enrol this participant?")
	p.card.Version = 9
	p.forge()
	d.open("today")
	d.shows("Today")
	d.press("Check and sign")
	d.until("the warning", `document.querySelector(".govuk-warning-text") && ![...document.querySelectorAll("button")].some(b => b.innerText === "Sign and enrol")`)
	d.look("forged")
}

// languages shows the page in the others that it speaks, the right way round, and
// with text twice as large.
func (d *desk) languages() {
	d.t.Helper()
	for _, page := range [][2]string{{"es", "Hoy"}, {"ar", "اليوم"}} {
		lang, heading := page[0], page[1]
		if err := chromedp.Do(d.ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(d.url+"/site?lang="+lang)); err != nil {
			d.t.Fatal(err)
		}
		d.until("unlock", `document.getElementById("pass")`)
		d.fill("pass", firstPass)
		js[bool](d, `(document.querySelector("#app form button").click(), true)`)
		d.shows(heading)
		d.look("today-" + lang)
		if dir := js[string](d, `getComputedStyle(document.querySelector("#app")).direction`); (dir == "rtl") != (lang == "ar") {
			d.t.Errorf("%s is written %s", lang, dir)
		}
	}
	if first, last := js[float64](d, leftOf("Dr Example")), js[float64](d, leftOf("Site walk")); first <= last {
		d.t.Error("the sentence above the heading is not read from right to left")
	}
	d.open("card/0")
	d.until("the card", `document.querySelector(".t-card__code")`)
	d.forwards("07-0012")
	d.open("card")
	d.until("the question", `document.getElementById("subject")`)
	d.forwards("07-0012")
	d.open("today")
	d.shows("اليوم")
	js[bool](d, `(document.documentElement.style.fontSize = "200%", true)`)
	d.look("today-large")
}

// leftOf is where a name stands in the caption of the page.
func leftOf(name string) string {
	return `(() => {
		const n = document.querySelector("#app .govuk-caption-l").firstChild, at = n.data.indexOf(` + quote(name) + `), r = document.createRange();
		r.setStart(n, at), r.setEnd(n, at + 1);
		return r.getBoundingClientRect().left;
	})()`
}

// forwards checks that a code is read from left to right wherever it stands among
// Arabic words.
func (d *desk) forwards(code string) {
	d.t.Helper()
	type place struct {
		Text        string
		First, Last float64
	}
	places := js[[]place](d, `(() => {
		const found = [], walk = document.createTreeWalker(document.querySelector("#app"), NodeFilter.SHOW_TEXT), code = `+quote(code)+`;
		for (let n; (n = walk.nextNode());) {
			const at = n.data.indexOf(code);
			const left = (i) => { const r = document.createRange(); r.setStart(n, i); r.setEnd(n, i + 1); return r.getBoundingClientRect().left; };
			if (at >= 0) found.push({Text: n.parentElement.textContent, First: left(at), Last: left(at + code.length - 1)});
		}
		return found;
	})()`)
	if len(places) == 0 {
		d.t.Errorf("%s is nowhere on the page", code)
	}
	for _, p := range places {
		if p.First >= p.Last {
			d.t.Errorf("%q: %s is read backwards", p.Text, code)
		}
	}
}

// backup saves the site's file, and brings it back into a browser that has lost
// its own; all by keyboard, but for the choosing of the file.
func (d *desk) backup() {
	d.t.Helper()
	d.reload()
	d.shows("Unlock")
	d.until("the field", `document.getElementById("pass")`)
	js[bool](d, `(document.getElementById("person").focus(), true)`)
	d.keys(kb.Tab, firstPass, kb.Enter)
	d.shows("Today")
	js[bool](d, `(document.querySelector('a[href="#computer"]').focus(), true)`)
	d.keys(kb.Enter)
	d.shows("This computer")
	d.until("the heading has the focus", `document.activeElement.tagName === "H1"`)
	js[bool](d, `(window.saved = new Promise(yes => { URL.createObjectURL = b => (b.text().then(yes), "#") }), true)`)
	js[bool](d, `([...document.querySelectorAll("button")].find(b => b.innerText === "Save a backup").focus(), true)`)
	d.keys(kb.Enter)
	file := filepath.Join(d.t.TempDir(), "backup.json")
	if err := os.WriteFile(file, []byte(js[string](d, `saved`)), 0o600); err != nil {
		d.t.Fatal(err)
	}
	js[bool](d, `new Promise(yes => { indexedDB.deleteDatabase("trialith-site").onsuccess = () => yes(true) })`)
	d.reload()
	d.shows("Set up this computer")
	js[bool](d, `(document.querySelector('a[href="#restore"]').focus(), true)`)
	d.keys(kb.Enter)
	d.shows("Bring back a backup")
	d.look("restore")
	if err := chromedp.Do(d.ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file})); err != nil {
		d.t.Fatal(err)
	}
	js[bool](d, `(document.querySelector("#app form button").focus(), true)`)
	d.keys(kb.Enter)
	d.shows("Unlock")
	js[bool](d, `(document.getElementById("person").focus(), true)`)
	d.keys(kb.Tab, firstPass, kb.Enter)
	d.shows("Today")
	d.open("cards")
	d.until("the card", `document.body.innerText.includes("07-0013")`)
}

func (d *desk) keys(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		if err := chromedp.Do(d.ctx, chromedp.KeyEvent(k)); err != nil {
			d.t.Fatal(err)
		}
	}
}

// forge sends a request for a version that the card does not name.
func (p *guest) forge() {
	p.t.Helper()
	body := must(p.phone.Enrol(p.site, unhex[trial.ActorID](p.t, p.card.Investigator), trial.Version(p.card.Version), trial.Day(p.card.Day), [8]uint32{}))
	p.tell(client.Letter{Type: "enrol", Box: p.code.Box().String(), Subject: p.card.Code, Body: wire.Marshal(body)})
}
