package web

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
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

// Whoever comes back after a new version of the pages was put in place gets it,
// and of the old one nothing stays behind.
func TestServiceWorkerUpdates(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{})
	p.open("take-part", "none", "", "en")
	const register = `navigator.serviceWorker.register("/sw.js", {scope: "/"}).then(() => navigator.serviceWorker.ready).then(() => true)`
	frames := `caches.keys().then(names => names.filter(n => n.startsWith("trialith-frame-")))`
	evaluate[bool](t, p.ctx, register)
	first := evaluate[[]string](t, p.ctx, frames)
	if len(first) != 1 {
		t.Fatalf("frames kept: %q", first)
	}
	p.newer.Store(true)
	evaluate[bool](t, p.ctx, `navigator.serviceWorker.getRegistration().then(r => r.update()).then(() => true)`)
	p.wait(`(window.now ??= [], ` + frames + `.then(n => window.now = n), window.now.length === 1 && window.now[0] !== ` + fmt.Sprintf("%q", first[0]) + `)`)
}

// TestServiceWorkerWithoutRoom: where nothing more can be kept the pages still get
// what they ask for.
func TestServiceWorkerWithoutRoom(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{})
	p.open("take-part", "none", "", "en")
	evaluate[bool](t, p.ctx, `navigator.serviceWorker.register("/sw.js", {scope: "/"}).then(() => navigator.serviceWorker.ready).then(() => true)`)
	p.wait(`navigator.serviceWorker.controller`)
	if _, err := chromedp.Call(p.ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: p.base, QuotaSize: new(1.0)}); err != nil {
		t.Fatal(err)
	}
	address := "/v1/trials/" + studyID.String() + "/versions/1"
	if got := evaluate[string](t, p.ctx, fmt.Sprintf(`fetch(%q).then(r => String(r.status), String)`, address)); got != "200" {
		t.Errorf("with no room left: %s", got)
	}
	if kept := evaluate[bool](t, p.ctx, fmt.Sprintf(`caches.match(%q).then(Boolean)`, address)); kept {
		t.Error("there was room; the test shows nothing")
	}
}

// handset is a browser on the participant's pages, whose device is a fake.
type handset struct {
	t    *testing.T
	ctx  context.Context
	base string
	axe  string
	// newer has the server answer a newer script of the worker.
	newer *atomic.Bool
}

func newHandset(t *testing.T) *handset {
	t.Helper()
	axe, ctx := axeCore(t), browser(t)
	f := newFake()
	script, pages := fakeScript(t), serve(t, f, config(f))
	answer := func(w http.ResponseWriter, kind string, body []byte) {
		w.Header().Set("Content-Type", kind)
		w.Write(body) //nolint:errcheck,gosec // the browser has gone
	}
	newer := new(atomic.Bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/sw.js" && newer.Load():
			made := httptest.NewRecorder()
			pages.ServeHTTP(made, r)
			answer(w, "text/javascript", bytes.Replace(made.Body.Bytes(), []byte("[\"/assets/"), []byte("[\"/limits\",\"/assets/"), 1))
		case strings.HasPrefix(r.URL.Path, "/assets/participant."):
			answer(w, "text/javascript", script)
		case strings.HasPrefix(r.URL.Path, "/v1/trials/") && strings.Contains(r.URL.Path, "/versions/"):
			answer(w, "application/json", fakeVersions)
		case strings.HasSuffix(r.URL.Path, "/results"):
			answer(w, "application/json", []byte(`{"label":"AWAITED","due":"2015-01-01T00:00:00Z","stage":0,"package_cid":""}`))
		default:
			pages.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return &handset{t, ctx, server.URL, axe, newer}
}

func (p *handset) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// fresh is a device with what a test wants it to remember; "given" are the
// versions agreed to, "saved" is how far the person has got.
func (p *handset) fresh(kept map[string]any) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.base + "/limits"))
	kept["trial"] = nil
	script := fmt.Sprintf("sessionStorage.clear(); sessionStorage.setItem('trial', %q);", studyID.String())
	for name, value := range kept {
		if value == nil {
			continue
		}
		b, err := json.Marshal(value)
		if err != nil {
			p.t.Fatal(err)
		}
		script += fmt.Sprintf("sessionStorage.setItem(%q, %q);", name, b)
	}
	evaluate[bool](p.t, p.ctx, script+"true")
}

// open opens a step of a page; flags are what the fake device is like.
func (p *handset) open(page, flags, step, lang string) {
	p.t.Helper()
	p.do(chromedp.Navigate("about:blank"), chromedp.Navigate(fmt.Sprintf("%s/%s?lang=%s&fake=%s#%s", p.base, page, lang, flags, step)))
	p.settled()
}

func (p *handset) settled() {
	p.t.Helper()
	p.wait(`document.querySelector("#app h1") && !document.querySelector("#app[aria-busy]")`)
}

// wait waits until an expression holds.
func (p *handset) wait(expression string) {
	p.t.Helper()
	if !evaluate[bool](p.t, p.ctx, `new Promise((found) => {
		const until = Date.now() + 20000;
		const look = () => `+expression+` ? found(true) : Date.now() > until ? found(false) : setTimeout(look, 20);
		look();
	})`) {
		p.t.Fatalf("never: %s\nthe page says: %s", expression, evaluate[string](p.t, p.ctx, `document.querySelector("#app")?.innerText`))
	}
}

func (p *handset) at(heading string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`!document.querySelector("#app[aria-busy]") && document.querySelector("#app h1")?.textContent.includes(%q)`, heading))
}

func (p *handset) says(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`document.querySelector("#app").innerText.includes(%q)`, text))
}

// beyond are the elements that stand out of the window, tiny those that are hard
// to touch (WCAG 2.5.8; links within text are exempt), and glued the lines of a
// summary whose name and value run into each other.
const (
	beyond = `[...document.querySelectorAll("body *")].filter(e => {
		const r = e.getBoundingClientRect();
		return r.width > 1 && (r.left < -1 || r.right > innerWidth + 1) && !e.closest(".govuk-skip-link, .govuk-visually-hidden");
	}).map(e => e.outerHTML.slice(0, 200))`
	tiny = `[...document.querySelectorAll("#app a, #app button, #app input, #app summary")]
		.filter(e => e.offsetWidth && !e.closest("p, li li, dd, .govuk-inset-text, .govuk-list") && e.getBoundingClientRect().height < 24).map(e => e.outerHTML)`
	glued = `[...document.querySelectorAll("#app .govuk-summary-list__row")].filter(row => {
		const around = (e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
		const a = around(row.children[0]), b = around(row.children[1]);
		return a.top < b.bottom && b.top < a.bottom && a.right + 8 > b.left && b.right + 8 > a.left;
	}).map(row => row.textContent)`
)

// fits checks that nothing stands out of the window or is hard to touch.
func (p *handset) fits(name string) {
	p.t.Helper()
	for what, expression := range map[string]string{"beyond the edge": beyond, "too small to touch": tiny, "run together": glued} {
		if found := evaluate[[]string](p.t, p.ctx, expression); len(found) > 0 {
			p.t.Errorf("%s: %s: %s", name, what, found)
		}
	}
}

// participantSteps are all steps that can be opened by their address.
var participantSteps = []struct{ page, flags, step string }{
	{"take-part", "", "card"},
	{"take-part", "", "invitation"},
	{"take-part", "", "language"},
	{"take-part", "", "read-1"},
	{"take-part", "", "question-1"},
	{"take-part", "", "answer-1"},
	{"take-part", "", "option-1"},
	{"take-part", "", "all"},
	{"take-part", "relayed", "today"},
	{"take-part", "relayed", "check"},
	{"take-part", "", "refuse"},
	{"take-part", "", "hidden"},
	{"take-part", "insecure", "card"},
	{"my-consent", "none", ""},
	{"my-consent", "none", "restore"},
	{"my-consent", "none", "lost"},
	{"my-consent", "amended,unsent", ""},
	{"my-consent", "amended", "news"},
	{"my-consent", "amended", "option-1"},
	{"my-consent", "", "text"},
	{"my-consent", "", "choices"},
	{"my-consent", "restored", "choices"},
	{"my-consent", "changing", "choices"},
	{"my-consent", "changing", "choices-done"},
	{"my-consent", "", "choices-1"},
	{"my-consent", "", "choices-check"},
	{"my-consent", "", "receipt-kept"},
	{"my-consent", "", "sheet"},
	{"my-consent", "", "visit"},
	{"my-consent", "", "results"},
	{"my-consent", "held,relayed", ""},
	{"my-consent", "held,relayed", "directly"},
	{"my-consent", "", "leave"},
	{"my-consent", "", "leave-sure"},
}

// Every step of the participant's pages, on a phone and on a desktop, in English, Spanish
// and Arabic, and with text twice as large on the narrowest phone.
func TestParticipantPages(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}, "saved": map[string]any{"version": 1, "form": "", "answers": map[string]int{"q1": 0}, "options": map[string]bool{}, "today": false}})
	for _, lang := range []string{"en", "es", "ar"} {
		for _, s := range participantSteps {
			name := strings.Join([]string{s.page, s.flags, s.step, lang}, "-")
			t.Run(name, func(t *testing.T) {
				p := &handset{t, p.ctx, p.base, p.axe, p.newer}
				p.do(chromedp.EmulateViewport(390, 844))
				p.open(s.page, s.flags, s.step, lang)
				for _, width := range []int64{390, 1280} {
					look(t, p.ctx, p.axe, "", name, width)
					p.fits(fmt.Sprintf("at %d", width))
				}
				p.do(chromedp.EmulateViewport(320, 844))
				p.fits("at 320")
				p.do(chromedp.EmulateViewport(390, 844))
				evaluate[bool](t, p.ctx, `(document.documentElement.style.fontSize = "200%", true)`)
				p.fits("with large text")
			})
		}
	}
}

// key presses keys. The browser keeps the letter of a key from the page where the
// page has acted on the key itself, as it does for a keyboard: the event is a raw one.
func (p *handset) key(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys, func(e *input.DispatchKeyEventParams) {
		if e.Type == input.DispatchKeyEventTypeKeyDown {
			e.Type, e.Text = input.DispatchKeyEventTypeRawKeyDown, ""
		}
	}))
}

// tabTo moves the focus to what has this text, and fails if Tab does not lead there.
func (p *handset) tabTo(text string) {
	p.t.Helper()
	var passed []string
	for range 40 {
		p.key(kb.Tab)
		label := evaluate[string](p.t, p.ctx, `(() => {
			const e = document.activeElement;
			return (e?.labels?.[0] ?? e)?.innerText?.trim() ?? "";
		})()`)
		if label == text {
			if !evaluate[bool](p.t, p.ctx, `(() => {
				const s = getComputedStyle(document.activeElement), l = document.activeElement.labels?.[0];
				const around = l ? getComputedStyle(l, "::before") : s;
				return s.outlineStyle !== "none" || s.boxShadow !== "none" || around.boxShadow !== "none" || around.outlineStyle !== "none";
			})()`) {
				p.t.Errorf("%q has the focus, and nothing shows it", text)
			}
			return
		}
		passed = append(passed, label)
	}
	p.t.Fatalf("Tab does not lead to %q, but to %q", text, passed)
}

// follow tabs to what has this text and presses Enter.
func (p *handset) follow(text string) {
	p.t.Helper()
	p.tabTo(text)
	p.key(kb.Enter)
}

// focused checks that a new step has moved the focus to its heading, and that the
// title of the window is the step's.
func (p *handset) focused(heading string) {
	p.t.Helper()
	p.at(heading)
	if got := evaluate[string](p.t, p.ctx, `document.activeElement.textContent`); !strings.Contains(got, heading) {
		p.t.Errorf("%q: the focus is on %q", heading, got)
	}
	if got := evaluate[string](p.t, p.ctx, `document.title`); !strings.HasPrefix(got, heading) {
		p.t.Errorf("%q: the title is %q", heading, got)
	}
}

// Taking part by keyboard alone: a mistyped code, the text, a mistake, choices,
// stopping the proof, and agreeing after all.
func TestTakePartByKeyboard(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{})
	p.open("take-part", "slow,none", "", "en")
	p.at("Your invitation")
	p.follow("Continue")
	p.says("Type the code that is on your card")
	p.follow("Type the code that is on your card")
	p.key("aaaa-aaaa-aaaa" + kb.Enter)
	p.says("This code has a typing mistake")
	if title := evaluate[string](t, p.ctx, `document.title`); !strings.HasPrefix(title, "Error: ") {
		t.Errorf("title of a page with a mistake: %q", title)
	}
	p.follow("This code has a typing mistake. Compare it with your card")
	for range 14 {
		p.key(kb.Backspace)
	}
	p.key("k7qm 2rtx 9pwd" + kb.Enter)
	p.says("Compare it with your card, or ask")
	p.follow("There is no invitation with this code. Compare it with your card, or ask the study site for a new one")
	for range 14 {
		p.key(kb.Backspace)
	}
	p.key("k7qm-2rtx-9pwd" + kb.Enter)
	p.focused("You are invited to a study")
	p.tabTo("Start reading")
	p.key(" ")
	p.focused("Which language do you want to read in?")
	p.tabTo("English: Information for participants")
	p.key(kb.Enter)
	for _, heading := range []string{"Why are we doing this study?", "What will you do?", "What are the risks?"} {
		p.focused(heading)
		p.follow("Continue")
	}
	p.focused("Can you leave the study?")
	p.tabTo("Only with a good reason")
	p.key(" " + kb.ArrowDown) // the second answer
	p.key(kb.Enter)
	p.focused("That is right")
	p.follow("Continue")
	p.focused("Does every patch have a medicine in it?")
	p.tabTo("Yes")
	p.key(" " + kb.Enter)
	p.focused("Not quite")
	p.says("Some patches have a medicine and some have none.")
	p.follow("Continue")
	p.focused("Do you want us to tell you the results of the study when they are known?")
	p.tabTo("No")
	p.key(kb.ArrowDown + kb.Enter)
	p.focused("May we keep your left-over blood samples for later research?")
	p.tabTo("No")
	p.key(kb.Enter)
	p.focused("Check your answers")
	answers := evaluate[[]string](t, p.ctx, `[...document.querySelectorAll("dd.govuk-summary-list__value")].map(e => e.innerText.trim())`)
	if !slices.Equal(answers[len(answers)-3:], []string{"2 of 2 answered", "Yes", "No"}) {
		t.Errorf("answers: %q", answers)
	}
	p.follow("I agree to take part")
	p.focused("Making your proof")
	p.follow("Cancel")
	p.says("You stopped it. Nothing has been agreed.")
	if given := evaluate[*string](t, p.ctx, `sessionStorage.getItem("given") ?? ""`); *given != "" {
		t.Errorf("agreed to %s after stopping", *given)
	}
	p.follow("Continue")
	p.focused("Check your answers")
	p.follow("I agree to take part")
	p.focused("You have agreed")
}

// Only a button agrees or leaves: neither the back button, nor a reload, nor an
// address that somebody kept.
func TestOnlyAButtonDecides(t *testing.T) {
	p := newHandset(t)
	given := func() string {
		return evaluate[string](t, p.ctx, `(sessionStorage.getItem("given") ?? "") + (sessionStorage.getItem("left") ?? "")`)
	}
	p.fresh(map[string]any{})
	p.open("take-part", "slow", "proof", "en")
	p.at("Check your answers")
	p.press("I agree to take part")
	p.at("Making your proof")
	p.do(chromedp.Reload())
	p.at("Check your answers")
	p.press("I agree to take part")
	p.press("Cancel")
	p.press("Continue")
	p.at("Check your answers")
	evaluate[bool](t, p.ctx, `(history.back(), true)`)
	p.at("Check your answers")
	p.open("take-part", "", "telling", "en")
	p.at("You do not want to take part")
	p.open("my-consent", "", "leaving", "en")
	p.at("Do you want to leave now?")
	if got := given(); got != "" {
		t.Errorf("decided without a button: %s", got)
	}
	p.press("Yes, leave now")
	p.at("You have left the study")
}

// What gets through no messenger goes directly only where its person chose that,
// after reading what it gives up; nothing else is offered it.
func TestOnlyAButtonSendsDirectly(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "unsent", "directly", "en")
	p.at("My consent")
	p.says("A decision of yours is not on the public list yet.")
	if evaluate[bool](t, p.ctx, `document.querySelector("a[href='#directly']") !== null`) {
		t.Error("offered for what is on its way")
	}
	p.open("my-consent", "held", "directing", "en")
	p.at("Send it directly")
	p.press("Go on waiting")
	p.at("My consent")
	p.follow("What if I send it directly?")
	p.focused("Send it directly")
	p.says("The server of this page sees your internet address and the time.")
	p.says("It shows on the public list at once.")
	if evaluate[bool](t, p.ctx, `sessionStorage.getItem("direct") !== null`) {
		t.Error("sent directly without a button")
	}
	p.follow("Send it directly now")
	p.focused("My consent")
	p.wait(`sessionStorage.getItem("direct") === "true"`)
	if evaluate[bool](t, p.ctx, `document.querySelector("a[href='#directly']") !== null`) {
		t.Error("still offered")
	}
}

// The browser's back button goes back one step, and the page's own link does the same.
func TestParticipantBack(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{})
	p.open("take-part", "", "read-1", "en")
	p.press("Continue")
	p.at("What will you do?")
	p.press("Continue")
	p.at("What are the risks?")
	p.press("Back")
	p.at("What will you do?")
	evaluate[bool](t, p.ctx, `(history.back(), true)`)
	p.at("Why are we doing this study?")
	evaluate[bool](t, p.ctx, `(history.forward(), true)`)
	p.at("What will you do?")
	p.do(chromedp.Reload())
	p.at("What will you do?")
	p.press("Back")
	p.at("Why are we doing this study?")
}

// press clicks what has this text.
func (p *handset) press(text string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`[...document.querySelectorAll("#app a, #app button, #app label, #app summary")].some(e => e.innerText.trim() === %q)`, text))
	evaluate[bool](p.t, p.ctx, fmt.Sprintf(`([...document.querySelectorAll("#app a, #app button, #app label, #app summary")].find(e => e.innerText.trim() === %q).click(), true)`, text))
}

// Where the prover cannot run one leaves by word, and the page says how.
func TestLeaveWithoutAProver(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "fail-ready", "leave", "en")
	p.press("Go on to leave")
	p.at("Do you want to leave now?")
	p.press("Yes, leave now")
	p.says("This browser cannot make the proof.")
	p.says("You can leave by simply saying so, in person, by phone or in writing.")
	p.says("North Clinic, Dr Ada Moore, telephone 555 0100, room 12")
	look(t, p.ctx, p.axe, "", "leave-without-a-prover", 390)
}

// Without a protected connection the browser gives no cryptography: the real
// script says so plainly, and what can be done.
func TestUnprotectedConnection(t *testing.T) {
	axe := axeCore(t)
	ctx := browser(t, chromedp.Flag("host-resolver-rules", "MAP clinic.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	f := newFake()
	server := httptest.NewServer(serve(t, f, config(f)))
	t.Cleanup(server.Close)
	p := &handset{t, ctx, strings.Replace(server.URL, "127.0.0.1", "clinic.example", 1), axe, nil}
	for _, page := range []string{"take-part", "my-consent"} {
		p.do(chromedp.Navigate(p.base + "/" + page + "?lang=en"))
		p.at("This address is not safe enough")
		p.says(strings.Replace(p.base, "http:", "https:", 1) + "/" + page)
		p.says("localhost")
		look(t, ctx, axe, "", "unprotected-"+page, 390)
	}
}

// The sheet and the receipt are printed without what belongs to the screen alone.
func TestParticipantPrints(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	for step, wanted := range map[string]string{"sheet": ".t-groups", "receipt-kept": ".t-qr"} {
		p.open("my-consent", "", step, "en")
		if step == "sheet" {
			evaluate[bool](t, p.ctx, `(document.querySelector("#app button").click(), true)`)
		}
		p.wait(fmt.Sprintf("document.querySelector(%q)?.offsetHeight > 0", wanted))
		if shown := evaluate[[]string](t, p.ctx, `[...document.querySelectorAll("header, footer, .t-languages, .govuk-back-link, button")].filter(e => e.offsetHeight).map(e => e.outerHTML.slice(0, 80))`); len(shown) > 0 {
			t.Errorf("%s: printed too: %s", step, shown)
		}
	}
}

// TestOneAnswer: what is on its way is not agreed to again, and a study that was
// opened stays the one that is read after a reload.
func TestOneAnswer(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{})
	p.open("take-part", "sent", "check", "en")
	p.at("Your consent is on its way")
	p.open("take-part", "sent", "proof", "en")
	p.at("Your consent is on its way")
	p.open("take-part", "", "K7QM2RTX9PWD", "en")
	p.at("You are invited")
	if at := evaluate[string](t, p.ctx, `location.search + location.hash`); !strings.Contains(at, "study="+studyID.String()) || strings.Contains(at, "K7QM") {
		t.Errorf("the address is %s", at)
	}
	p.open("take-part", "refused", "invitation", "en")
	p.says("Come by first.")
	p.open("my-consent", "", "%", "en") // an address that somebody cut
	p.at("My consent")
}

// TestSheetIsPutAway: whoever comes back to the page does not find the secret on it.
func TestSheetIsPutAway(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "", "sheet", "en")
	p.press("Show the sheet")
	p.says("7KQ2M")
	evaluate[bool](t, p.ctx, `(dispatchEvent(new PageTransitionEvent("pagehide", {persisted: true})), true)`)
	p.wait(`!document.querySelector("#app").innerText.includes("7KQ2M") && !document.querySelector("#app svg")`)
	p.press("Show the sheet")
	p.says("7KQ2M")
}
