package demo

import (
	"crypto/sha256"
	"fmt"

	"github.com/trialith/trialith/cmd/trialith/demo/pilot"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/exchange/usdm"
)

// The attributes of a leaf in the pilot study, by place.
const (
	attributeAge = iota
	attributeMMSE
)

// Texts written for the demo are marked as examples where they are shown.
const (
	exampleRisks = "Known when the trial began: itching, redness or a rash where the patch sits; feeling sick; sweating. " +
		"Your doctor can take the patch off at any time. (Example text.)"
	exampleRisksAmended = "Known when the trial began: itching, redness or a rash where the patch sits; feeling sick; sweating. " +
		"New in version 2: some people had severe skin reactions, dizziness or fainting. Tell the site at once if you feel faint. " +
		"Your doctor can take the patch off at any time. (Example text.)"
	exampleBurden  = "Twelve planned visits in 26 weeks, blood samples, heart recordings, and tests of memory. (Example text.)"
	examplePayment = "You are not paid for taking part. (Example text.)"
	exampleDataUse = "Your data stay at the site, encrypted under a key of your own. Only coded data go to the sponsor. (Example text.)"
	exampleSummary = "The trial compares a skin patch with xanomeline, in two strengths, with a patch without medicine, in people " +
		"with mild to moderate Alzheimer's disease. It asks whether memory and daily life get better, and what side effects there are. (Example text.)"
	exampleReason = "The section on risks says more: severe skin reactions, dizziness and fainting. (Example.)"
)

// register is version 1 as the sponsor registers it: the published definition,
// and what a definition never holds, as examples.
func register() (trial.Protocol, []usdm.Lint, error) {
	study, err := pilot.Study()
	if err != nil {
		return trial.Protocol{}, nil, err
	}
	p, lints, err := study.Protocol()
	if err != nil {
		return p, lints, fmt.Errorf("study definition: %w", err)
	}
	definition := pilot.Definition()
	p.Summary = exampleSummary
	p.Risks, p.Burden, p.Payment, p.DataUse = exampleRisks, exampleBurden, examplePayment, exampleDataUse
	p.Terms = trial.Terms{DeadlineDays: 35, AnswerDays: 30, GraceDays: 14, RecordingHours: 24}
	p.Privacy = "open"
	limit, err := severeBoundary()
	if err != nil {
		return p, lints, err
	}
	p.Boundaries, p.ResultsDueDays = []trial.Boundary{limit}, 365
	p.Attested = append(p.Attested, trial.Attribute{Name: "MMSE total", Unit: "points", Min: 10, Max: 23, Screening: true})
	p.Forms = []trial.Form{form(p.Risks)}
	p.Documents = []trial.Document{{
		Kind: "protocol", Title: "CDISC pilot study, USDM v4.0 definition",
		SHA256: sha256.Sum256(definition), Bytes: uint64(len(definition)),
	}, {
		Kind: "analysis plan", Title: "Statistical analysis plan (example)",
		SHA256: analysisPlanDigest(), Bytes: uint64(len(examplePlan)),
	}}
	return p, lints, nil
}

// amend is version 2: the risks changed, on the form too.
func amend(p trial.Protocol) trial.Protocol {
	p.Risks = exampleRisksAmended
	p.Forms = []trial.Form{form(p.Risks)}
	return p
}

func form(risks string) trial.Form {
	return trial.Form{
		ID: "participant", Language: "en", Title: "Taking part in the LZZT patch trial", Example: true,
		Sections: []trial.Section{
			{Heading: "Why this trial", Text: exampleSummary},
			{Heading: "What you would do", Text: exampleBurden},
			{Heading: "Risks", Text: risks},
			{Heading: "Your data", Text: exampleDataUse},
			{Heading: "Payment", Text: examplePayment},
			{Heading: "Leaving", Text: "You can leave at any time, without a reason, and nothing you are owed is lost. (Example text.)"},
		},
		Options: []trial.Option{
			{ID: "results", Text: "Tell me the results of the trial when they are known."},
			{ID: "biobank", Text: "Keep my left-over blood samples for later research on dementia."},
		},
		Questions: questions(),
	}
}

// questions are at a reading age of about eleven, as the form's reader may have
// a memory that fails: one thing each, and the reason in plain words.
func questions() []trial.Question {
	return []trial.Question{
		{
			ID: "voluntary", Text: "Do you have to take part in this trial?",
			Answers: []string{
				"Yes, because my doctor told me about it.",
				"No. I can say no, and my doctor will still look after me.",
				"Yes, or I will not get my usual medicines.",
			},
			Right: 1, Why: "Taking part is your choice. If you say no, you still get your usual care. (Example text.)",
		},
		{
			ID: "leave", Text: "You have started, and now you want to stop. What can you do?",
			Answers: []string{
				"I can stop on any day, and I do not have to say why.",
				"I have to stay until the end of the 26 weeks.",
				"I can stop only if my doctor agrees.",
			},
			Right: 0, Why: "You can leave at any time, and you do not need a reason. (Example text.)",
		},
		{
			ID: "harm", Text: "What may happen to you because of the patch?",
			Answers: []string{
				"Nothing. The patch is safe for everybody.",
				"My memory will get better for sure.",
				"My skin may itch or turn red, or I may feel sick.",
			},
			Right: 2, Why: "The patch can cause side effects, and nobody knows yet if it helps. You may also get a patch without medicine. (Example text.)",
		},
		{
			ID: "ask", Text: "You feel unwell during the trial, or you have a question. Who do you ask?",
			Answers: []string{
				"Nobody, until my next visit.",
				"The trial doctor or nurse at my site, at once.",
				"The company that makes the patch.",
			},
			Right: 1, Why: "Call your site as soon as something worries you. Its people know you, and the patch can be taken off. (Example text.)",
		},
	}
}
