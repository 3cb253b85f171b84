package main

import (
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestSiteAfterSleep: a computer that slept through the idle time is locked by the
// first touch, before any timer has run.
func TestSiteAfterSleep(t *testing.T) {
	d, _ := openDesk(t)
	d.shows("Set up this computer")
	d.press("Set up with my key")
	d.shows("Your key")
	d.person("Dr Example", seedOf(t, d.clinic, "investigator.key"), firstPass)
	d.shows("Where do you work?")
	d.fill("contact", "Room 1, telephone 555 0100")
	d.press("Work here")
	d.shows("Today")
	js[bool](d, `(dispatchEvent(new PointerEvent("pointerdown")), true)`)
	d.shows("Today")
	js[bool](d, `{ const now = Date.now; Date.now = () => now() + 16 * 60_000; } document.querySelector("#app a[href='#card']").dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, cancelable: true}))
		|| document.querySelector("#app a[href='#card']")?.click() || true`)
	d.until("the lock", `document.querySelector("input[type=password]") && location.hash === "#open"`)
}

// TestSiteWithoutMemory: a browser that keeps nothing is told of, with what to do.
func TestSiteWithoutMemory(t *testing.T) {
	d, _ := openDesk(t)
	if _, err := chromedp.Call(d.ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); }`,
	}); err != nil {
		t.Fatal(err)
	}
	d.reload()
	d.until("what to do", `document.body.innerText.includes("Leave private browsing")`)
}
