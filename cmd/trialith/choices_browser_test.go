package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// latest is the list of the latest acts under all accounts of a study, as everybody sees it.
type latest struct {
	Kind     string `json:"kind"`
	Version  int    `json:"version"`
	Sequence int    `json:"sequence"`
}

func (p *handset) latest(study string) []latest {
	p.t.Helper()
	return seen[[]latest](p, `fetch("/v1/trials/`+study+`/accounts/latest").then(r => r.json())`)
}

// answers are the values of the summary on the page.
func (p *handset) answers() []string {
	p.t.Helper()
	return seen[[]string](p, `[...document.querySelectorAll("dd.govuk-summary-list__value")].map(e => e.innerText.trim())`)
}

// rechoose changes the options of the consent to version 2, which becomes the
// account's act of this sequence.
func (p *handset) rechoose(study string, sequence int, known bool) {
	p.t.Helper()
	p.open("/my-consent?lang=en")
	p.press("Change your choices")
	p.at("Change your choices")
	if known {
		if got := p.answers(); !slices.Equal(got, []string{"No", "Yes"}) {
			p.t.Errorf("choices of before: %q", got)
		}
		p.look("choices")
		p.press("Change my choices")
	} else {
		p.says("This device does not know what you chose before.")
		p.look("choices-unknown")
		p.press("Answer again")
	}
	p.at("Tell me what the study found")
	p.press("Yes")
	p.look(fmt.Sprintf("choices-1-%v", known))
	p.press("Continue")
	p.at("You may ask me about other studies later.")
	p.press("No")
	p.press("Continue")
	p.at("Check your choices")
	p.look("choices-check")
	p.press("I agree to these choices")
	p.at("Your choices are changed")
	p.look("choices-done")
	p.press("Read what you agreed to")
	p.at("What you agreed to")
	p.says("Last changed on")
	if got := p.answers(); !slices.Equal(got, []string{"Yes", "No"}) {
		p.t.Errorf("kept: %q", got)
	}
	if of := p.latest(study); !slices.Contains(of, latest{"options", 2, sequence}) {
		p.t.Errorf("on the ledger: %+v", of)
	}
}

// outdated waits until a device tells no choices any more, which another has changed since.
func (p *handset) outdated() {
	p.t.Helper()
	for range 60 {
		p.open("/my-consent?lang=en#text")
		p.at("What you agreed to")
		if strings.Contains(p.text(), "Not kept on this device") {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	p.t.Errorf("choices of before another device changed them: %s", p.text())
}
