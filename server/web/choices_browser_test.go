package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// choice is what the fake device was told to change the options to.
func (p *handset) choice() []string {
	p.t.Helper()
	var c struct{ Taken []string }
	if err := json.Unmarshal([]byte(evaluate[string](p.t, p.ctx, `sessionStorage.getItem("choice") ?? "{}"`)), &c); err != nil {
		p.t.Fatal(err)
	}
	return c.Taken
}

// answers are the values of the summary on the page.
func (p *handset) answers() []string {
	p.t.Helper()
	return evaluate[[]string](p.t, p.ctx, `[...document.querySelectorAll("dd.govuk-summary-list__value")].map(e => e.innerText.trim())`)
}

// Who has consented changes their choices: those of before are shown and stand in
// each question; what is the same is not sent; stopping changes nothing; what was
// changed is kept with what was agreed to.
func TestChangeChoices(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "slow", "", "en")
	p.press("Change your choices")
	p.focused("Change your choices")
	if got := p.answers(); !slices.Equal(got, []string{"Yes", "No"}) {
		t.Errorf("choices of before: %q", got)
	}
	p.press("Change my choices")
	p.focused("Do you want us to tell you the results")
	p.says("Last time you answered: Yes.")
	p.press("Continue")
	p.at("May we keep your left-over blood samples")
	p.press("Continue")
	p.focused("Check your choices")
	p.says("There is nothing to send.")
	if evaluate[bool](t, p.ctx, `document.querySelector("#app form") !== null`) {
		t.Error("what is the same can be sent")
	}
	p.press("Back")
	p.at("May we keep your left-over blood samples")
	p.press("Yes")
	p.press("Continue")
	p.at("Check your choices")
	if got := p.answers(); !slices.Equal(got, []string{"Yes", "Yes"}) {
		t.Errorf("to be agreed to: %q", got)
	}
	p.press("I agree to these choices")
	p.focused("Making your proof")
	p.press("Cancel")
	p.says("You stopped it. Your choices are as they were.")
	if got := p.choice(); got != nil {
		t.Errorf("changed to %q after stopping", got)
	}
	p.press("Continue")
	p.at("Check your choices")
	p.press("I agree to these choices")
	p.focused("Your choices are changed")
	if got := p.choice(); !slices.Equal(got, []string{"results", "biobank"}) {
		t.Errorf("changed to %q", got)
	}
	p.press("Read what you agreed to")
	p.at("What you agreed to")
	p.says("Last changed on 1 October 2012.")
	if got := p.answers(); !slices.Equal(got, []string{"Yes", "Yes"}) {
		t.Errorf("kept: %q", got)
	}
}

// After a restore a device knows nothing of the choices: it says so, asks for each
// anew with "no" as the answer, and skips none.
func TestChangeUnknownChoices(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "restored", "text", "en")
	p.says("Not kept on this device")
	p.open("my-consent", "restored", "choices-check", "en")
	p.at("Change your choices")
	p.says("This device does not know what you chose before.")
	if got := p.answers(); len(got) != 0 {
		t.Errorf("known: %q", got)
	}
	p.press("Answer again")
	for _, heading := range []string{"Do you want us to tell you the results", "May we keep your left-over blood samples"} {
		p.at(heading)
		if got := evaluate[string](t, p.ctx, `document.querySelector("input:checked").value`); got != "no" {
			t.Errorf("%s: %q before anybody chose", heading, got)
		}
		if strings.Contains(evaluate[string](t, p.ctx, `document.querySelector("#app").innerText`), "Last time") {
			t.Error("it tells of an answer that it does not know")
		}
		p.press("Continue")
	}
	p.at("Check your choices")
	p.press("I agree to these choices") // as they may have been: nobody knows
	p.at("Your choices are changed")
	if got := p.choice(); got == nil || len(got) != 0 {
		t.Errorf("changed to %q", got)
	}
}

// Choices change by a button alone, one change after the other, and not for who has left.
func TestChoicesOnTheirWay(t *testing.T) {
	p := newHandset(t)
	p.fresh(map[string]any{"given": []int{1}})
	p.open("my-consent", "", "choices-proof", "en")
	p.at("Check your choices")
	for _, step := range []string{"choices-1", "choices-check", "choices-proof"} {
		p.open("my-consent", "changing,relayed", step, "en")
		p.at("Your new choices are on their way")
		p.says("waits to be mixed with others")
	}
	p.open("my-consent", "changing", "text", "en")
	p.says("Your new choices are on their way.")
	p.open("my-consent", "unsent", "choices-1", "en")
	p.at("Change your choices")
	if got := p.choice(); got != nil {
		t.Errorf("changed to %q without a button", got)
	}
	p.fresh(map[string]any{"given": []int{1}, "left": "left"})
	p.open("my-consent", "", "choices-1", "en")
	p.at("My consent")
	p.open("my-consent", "", "visit", "en")
	p.at("You have left the study")
}
