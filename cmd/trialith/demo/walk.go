package demo

import (
	"crypto/sha256"

	"github.com/trialith/trialith/trial"
)

// The open study is made up: it exists so that a visitor can take part. All its
// texts are examples, and say so.
const (
	walkTitle   = "A walk after lunch (example study)"
	walkSummary = "This study asks whether ten minutes of walking after lunch help people sleep. It is an example: nobody looks at your sleep, " +
		"and you can join only to see how it works."
	walkBurden       = "Two short visits, four weeks apart. Between them you walk for ten minutes after lunch. (Example text.)"
	walkRisks        = "You may feel tired, or trip while you walk. (Example text.)"
	walkRisksAmended = "You may feel tired, or trip while you walk. New in version 2: some people had sore feet. Wear good shoes, and stop if it hurts. (Example text.)"
	walkPayment      = "You are not paid. (Example text.)"
	walkDataUse      = "Your name stays with the clinic. The public list shows that somebody agreed, and never who. (Example text.)"
	walkReason       = "Some people had sore feet, so the section on risks says it. (Example.)"
)

// walkTexts is one form of the open study in one language.
type walkTexts struct {
	language, title                                      string
	why, whyText, do, doText, risks, risksText, riskMore string
	data, dataText, leave, leaveText                     string
	results, samples                                     string
	questions                                            []trial.Question
}

var walkForms = []walkTexts{
	{
		language: "en", title: "Taking part in the walking study",
		why: "Why this study", whyText: walkSummary,
		do: "What you would do", doText: walkBurden,
		risks: "What could go wrong", risksText: "You may feel tired, or trip while you walk. (Example text.)",
		riskMore: "New: some people had sore feet. Wear good shoes, and stop if it hurts. (Example text.)",
		data:     "What happens with what you tell us", dataText: walkDataUse,
		leave: "You can stop", leaveText: "You can stop on any day. You do not have to say why, and nobody will be cross. (Example text.)",
		results: "Tell me what the study found, when it is over.",
		samples: "You may ask me about other studies later.",
		questions: []trial.Question{
			{
				ID: "choice", Text: "Do you have to take part?",
				Answers: []string{"Yes.", "No, it is my choice."}, Right: 1, Why: "It is your choice. If you say no, nothing changes for you.",
			},
			{
				ID: "stop", Text: "May you stop later?",
				Answers: []string{"Yes, on any day, without a reason.", "Only if the doctor agrees.", "No."}, Right: 0,
				Why: "You can stop on any day, and you do not have to say why.",
			},
			{
				ID: "public", Text: "What can everybody see?",
				Answers: []string{"My name.", "That somebody agreed, and not who."}, Right: 1, Why: "The public list has no names. Only the clinic knows that it was you.",
			},
		},
	},
	{
		language: "es", title: "Participar en el estudio de caminar",
		why: "Por qué este estudio", whyText: "Este estudio pregunta si caminar diez minutos después de comer ayuda a dormir. Es un ejemplo: nadie mira cómo duerme usted, " +
			"y puede participar solo para ver cómo funciona.",
		do: "Qué haría usted", doText: "Dos visitas cortas, con cuatro semanas entre ellas. Mientras tanto camina diez minutos después de comer. (Texto de ejemplo.)",
		risks: "Qué podría salir mal", risksText: "Puede sentir cansancio, o tropezar al caminar. (Texto de ejemplo.)",
		riskMore: "Nuevo: a algunas personas les dolieron los pies. Use buenos zapatos y pare si le duele. (Texto de ejemplo.)",
		data:     "Qué pasa con lo que nos cuenta", dataText: "Su nombre se queda en la clínica. La lista pública muestra que alguien aceptó, y nunca quién. (Texto de ejemplo.)",
		leave: "Puede dejarlo", leaveText: "Puede dejarlo cualquier día. No tiene que decir por qué, y nadie se enfadará. (Texto de ejemplo.)",
		results: "Díganme qué descubrió el estudio cuando termine.",
		samples: "Pueden preguntarme más adelante por otros estudios.",
		questions: []trial.Question{
			{ID: "choice", Text: "¿Tiene que participar?", Answers: []string{"Sí.", "No, yo decido."}, Right: 1, Why: "Usted decide. Si dice que no, nada cambia para usted."},
			{
				ID: "stop", Text: "¿Puede dejarlo más tarde?", Answers: []string{"Sí, cualquier día y sin dar motivo.", "Solo si el médico está de acuerdo.", "No."}, Right: 0,
				Why: "Puede dejarlo cualquier día, y no tiene que decir por qué.",
			},
			{ID: "public", Text: "¿Qué puede ver todo el mundo?", Answers: []string{"Mi nombre.", "Que alguien aceptó, y no quién."}, Right: 1, Why: "La lista pública no tiene nombres. Solo la clínica sabe que fue usted."},
		},
	},
	{
		language: "ar", title: "المشاركة في دراسة المشي",
		why: "لماذا هذه الدراسة", whyText: "تسأل هذه الدراسة هل يساعد المشي عشر دقائق بعد الغداء على النوم. إنها مثال فقط: لا أحد ينظر إلى نومك، ويمكنك المشاركة لترى كيف تعمل.",
		do: "ماذا ستفعل", doText: "زيارتان قصيرتان بينهما أربعة أسابيع. وبينهما تمشي عشر دقائق بعد الغداء. (نص للمثال.)",
		risks: "ماذا قد يحدث", risksText: "قد تشعر بالتعب، أو تتعثر وأنت تمشي. (نص للمثال.)",
		riskMore: "جديد: شعر بعض الناس بألم في القدمين. البس حذاءً جيدًا، وتوقف إذا شعرت بألم. (نص للمثال.)",
		data:     "ماذا يحدث لما تخبرنا به", dataText: "يبقى اسمك عند العيادة. القائمة العامة تُظهر أن شخصًا ما وافق، ولا تُظهر أبدًا من هو. (نص للمثال.)",
		leave: "يمكنك التوقف", leaveText: "يمكنك التوقف في أي يوم. لا يلزم أن تقول السبب، ولن يغضب أحد. (نص للمثال.)",
		results: "أخبروني بما وجدته الدراسة عندما تنتهي.",
		samples: "يمكنكم أن تسألوني لاحقًا عن دراسات أخرى.",
		questions: []trial.Question{
			{ID: "choice", Text: "هل يجب عليك أن تشارك؟", Answers: []string{"نعم.", "لا، هذا اختياري."}, Right: 1, Why: "هذا اختيارك. إذا قلت لا فلن يتغير شيء بالنسبة إليك."},
			{
				ID: "stop", Text: "هل يمكنك التوقف لاحقًا؟", Answers: []string{"نعم، في أي يوم ومن دون سبب.", "فقط إذا وافق الطبيب.", "لا."}, Right: 0,
				Why: "يمكنك التوقف في أي يوم، ولا يلزم أن تقول السبب.",
			},
			{ID: "public", Text: "ماذا يستطيع الجميع أن يروا؟", Answers: []string{"اسمي.", "أن شخصًا ما وافق، لا من هو."}, Right: 1, Why: "لا توجد أسماء في القائمة العامة. العيادة وحدها تعرف أنه أنت."},
		},
	},
}

func (w *walkTexts) form(amended bool) trial.Form {
	risks := w.risksText
	if amended {
		risks += " " + w.riskMore
	}
	return trial.Form{
		ID: "participant-" + w.language, Language: w.language, Title: w.title, Example: true,
		Sections: []trial.Section{
			{Heading: w.why, Text: w.whyText},
			{Heading: w.do, Text: w.doText},
			{Heading: w.risks, Text: risks},
			{Heading: w.data, Text: w.dataText},
			{Heading: w.leave, Text: w.leaveText},
		},
		Options:   []trial.Option{{ID: "results", Text: w.results}, {ID: "contact", Text: w.samples}},
		Questions: w.questions,
	}
}

// walk is a version of the open study's protocol.
func walk(amended bool) trial.Protocol {
	const plan = "Compare the hours of sleep before and after, by a paired test. (Example.)"
	p := trial.Protocol{
		Identifiers: []trial.Identifier{{Number: "EXAMPLE-WALK", Organisation: "Trialith demonstration"}},
		Funding:     []string{"nobody (example)"}, Sponsor: "Sponsor of the walking study (example)",
		PublicContact: "the clinic on your card", ScientificQuery: "the clinic on your card",
		PublicTitle: walkTitle, Title: walkTitle, Acronym: "WALK", Countries: []string{country},
		Conditions: []string{"healthy volunteers"}, StudyType: "interventional", Phase: "not applicable",
		Design: "one group, before and after", Blinding: "none (open label)", FirstEnrolment: "2015-04", SampleSize: 30, Status: "recruiting",
		Interventions: []trial.Intervention{{Name: "walking", Type: "behavioural", Description: "ten minutes after lunch"}},
		Criteria:      []trial.Criterion{{ID: "adult", Text: "18 years or older"}},
		Outcomes:      []trial.Outcome{{ID: "sleep", Level: trial.Primary, Name: "hours of sleep a night", Timepoint: "week 4", Text: "mean over seven nights"}},
		Ethics:        "approved by the demonstration's ethics committee (example)", DataSharing: "no individual data are shared",
		Summary: walkSummary, Arms: []trial.Arm{{ID: "walk", Name: "Walking", Type: "experimental"}},
		Phases: []trial.Phase{{ID: "walking", Name: "Walking"}},
		Visits: []trial.Visit{
			{ID: "start", Name: "First visit", Timing: "day 1", Window: "7 days"},
			{ID: "week-4", Name: "Second visit", Timing: "week 4", Window: "7 days"},
		},
		Risks: walkRisks, Burden: walkBurden, Payment: walkPayment, DataUse: walkDataUse,
		Terms:     trial.Terms{DeadlineDays: 30, AnswerDays: 30, GraceDays: 14, RecordingHours: 24},
		Privacy:   "open",
		Documents: []trial.Document{{Kind: "analysis plan", Title: "Analysis plan (example)", SHA256: sha256.Sum256([]byte(plan)), Bytes: uint64(len(plan))}},
	}
	if amended {
		p.Risks = walkRisksAmended
	}
	for i := range walkForms {
		p.Forms = append(p.Forms, walkForms[i].form(amended))
	}
	return p
}

// OpenForms are the forms of a version of the open study.
func OpenForms(v trial.Version) []trial.Form {
	p := walk(v > 1)
	return p.Forms
}
