package main

import (
	"strings"
	"testing"

	"github.com/trialith/trialith/server/client"
)

// TestBothPages runs the open study with the two real pages alone: the site's in
// one browser, the participant's in another, and nothing between them but the
// node's mailbox and ledger.
func TestBothPages(t *testing.T) {
	d, n := openDesk(t)
	d.shows("Set up this computer")
	d.press("Set up with my key")
	d.shows("Your key")
	d.person("Dr Example", seedOf(t, d.clinic, "investigator.key"), firstPass)
	d.shows("Where do you work?")
	d.fill("contact", "Room 1, telephone 555 0100")
	d.press("Work here")
	d.shows("Today")

	p := newHandset(t, n.url)
	study := p.invited(d)
	d.signs()
	p.consents(d, study)
	p.visits(d)
	later := p.code(1) // shown, and not recorded before they leave
	p.leaves(d, study)
	d.refuses(later)
	p.clean()
	if faults := js[string](d, `sessionStorage.getItem("faults") ?? ""`); faults != "" {
		t.Errorf("refused by the policy, or failed on the site's page:\n%s", faults)
	}
}

// invited opens the card that the site's page has made, by its link, and reads on
// to the decision. It answers the study's name.
func (p *handset) invited(d *desk) string {
	p.t.Helper()
	d.open("card")
	d.shows("Invite somebody")
	d.fill("subject", "07-0012")
	d.press("Make the card")
	d.shows("Invitation card")
	code := must(client.ParseCode(js[string](d, `document.querySelector(".t-card__code").innerText`)))
	p.open("/take-part?lang=en#" + string(code))
	p.at("You are invited to a study")
	p.press("Start reading")
	p.at("Which language")
	p.press("English: Taking part in the walking study")
	p.press("Continue")
	p.read("")
	return seen[string](p, `new URLSearchParams(location.search).get("study")`)
}

// signs puts the participant on the list: the request came while they read.
func (d *desk) signs() {
	d.t.Helper()
	d.open("today")
	d.until("the request", `document.body.innerText.includes("07-0012")`)
	d.press("Check and sign")
	d.shows("Enrol this participant?")
	d.choose("identity")
	d.press("Sign and enrol")
	d.shows("Enrolled")
}

// consents agrees, and the site countersigns the receipt.
func (p *handset) consents(d *desk, study string) {
	p.t.Helper()
	p.press("I agree to take part")
	p.at("You have agreed")
	if of := p.latest(study); len(of) != 1 || of[0] != (latest{"consent", 1, 0}) {
		p.t.Errorf("on the ledger: %+v", of)
	}
	d.today("Countersign")
	d.press("Countersign")
	d.shows("Countersign the form")
	d.choose("form")
	d.choose("both")
	d.press("Countersign")
	d.shows("Countersigned forms")
	d.press("Commit the table on the ledger")
	d.until("the commitment", `document.body.innerText.includes("All countersigned forms are committed.")`)
	p.open("/my-consent?lang=en#receipt-kept")
	p.says("The site has signed too")
	p.look("both-receipt")
}

// today shows what has come until a button is there.
func (d *desk) today(button string) {
	d.t.Helper()
	d.open("today")
	d.shows("Today")
	d.until(button, `[...document.querySelectorAll("#app button, #app a")].some(e => e.innerText.trim() === `+quote(button)+`)`)
}

// code makes the code for a visit, by its place on the list.
func (p *handset) code(visit int) string {
	p.t.Helper()
	p.open("/my-consent?lang=en#visit")
	p.at("Show your consent at a visit")
	p.wait("the visits", `document.querySelectorAll("input[name=visit]").length > 1`)
	names := seen[[]string](p, `[...document.querySelectorAll("input[name=visit]")].map(e => e.id)`)
	seen[bool](p, `(document.getElementById(`+literal(names[visit])+`).click(), true)`)
	p.press("Make the code")
	p.at("Show this to the site")
	return strings.TrimSpace(seen[string](p, `document.querySelector(".t-big-code").innerText`))
}

// look up a code as it is read from a phone.
func (d *desk) find(code string) {
	d.t.Helper()
	d.open("today")
	d.shows("Today")
	d.open("visit")
	d.shows("Record a visit or dose")
	d.fill("code", code)
	d.press("Look it up")
}

// visits shows a code, which the site finds and records; the same again is a STOP.
func (p *handset) visits(d *desk) {
	p.t.Helper()
	code := p.code(0)
	d.find(strings.ToLower(code))
	d.shows("Is this the visit?")
	d.press("Record it")
	d.shows("OK")
	d.find(code)
	d.shows("STOP")
	d.until("the reason", `document.body.innerText.includes("recorded")`)
}

// leaves leaves; the notice stands red on the site's page, until somebody has
// seen it, and the participant is told so.
func (p *handset) leaves(d *desk, study string) {
	p.t.Helper()
	p.open("/my-consent?lang=en")
	p.press("Leave the study")
	p.at("Leave the study")
	p.press("Go on to leave")
	p.at("Do you want to leave now?")
	p.press("Yes, leave now")
	p.at("You have left the study")
	p.says("It is on the public list")
	if of := p.latest(study); len(of) != 1 || of[0].Kind != "withdraw" {
		p.t.Errorf("on the ledger: %+v", of)
	}
	d.open("today")
	d.until("the notice", `document.querySelectorAll(".t-red").length === 1`)
	d.until("whose it is", `document.querySelector(".t-red").innerText.includes("07-0012")`)
	d.look("both-notice")
	d.press("I have seen it, and dosing has stopped")
	d.until("no notice", `!document.querySelector(".t-red")`)
	p.open("/my-consent?lang=en#left")
	p.says("The site has answered that it knows.")
	p.open("/my-consent?lang=en#visit")
	p.at("You have left the study") // and no code is made any more
}

// refuses says STOP to a code that was made before its participant left.
func (d *desk) refuses(code string) {
	d.t.Helper()
	d.find(code)
	d.shows("STOP")
	d.until("the reason", `document.body.innerText.includes("has withdrawn")`)
	d.look("both-stop")
}
