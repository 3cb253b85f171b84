package web

// appWords are the words of the frame around the participant's pages; those of
// their steps are in app/lib.
type appWords struct {
	Dir           string
	Titles        map[string]string
	Skip          string
	Main          string
	TakePart      string
	MyConsent     string
	Languages     string
	Heading       string
	NoScript      string
	NoScriptRead  string
	NoScriptLeave string
	Footer        string
	Limits        string
	Licence       string
	Warning       string
	Demonstration string
	StudyTime     string
}

var appTexts = map[string]appWords{
	"en": {
		Dir: "ltr", Titles: map[string]string{"take-part": "Take part", "my-consent": "My consent"},
		Skip: "Skip to main content", Main: "Main", TakePart: "Take part", MyConsent: "My consent", Languages: "Language",
		Heading:       "This page needs JavaScript",
		NoScript:      "Your consent is proven on your own device. Making that proof needs JavaScript, which is switched off in this browser.",
		NoScriptRead:  "You can read what a study is about, and the text of its consent form, without it:",
		NoScriptLeave: "To leave a study you need no device at all: tell the study site.",
		Footer:        "This page runs its script on your device, loads nothing from anywhere else and sets no cookie.",
		Limits:        "What is not hidden", Licence: "Style sheets in part from GOV.UK Frontend, MIT",
		Warning:       "Warning",
		Demonstration: "This is a demonstration. Anyone can sign with its keys, and nothing here is about real people.",
		StudyTime:     "The clock of this demonstration jumps: its dates are not today’s.",
	},
	"es": {
		Dir: "ltr", Titles: map[string]string{"take-part": "Participar", "my-consent": "Mi consentimiento"},
		Skip: "Ir al contenido", Main: "Principal", TakePart: "Participar", MyConsent: "Mi consentimiento", Languages: "Idioma",
		Heading:       "Esta página necesita JavaScript",
		NoScript:      "Su consentimiento se demuestra en su propio dispositivo. Para eso hace falta JavaScript, que está apagado en este navegador.",
		NoScriptRead:  "Sin él puede leer de qué trata un estudio y el texto de su consentimiento:",
		NoScriptLeave: "Para dejar un estudio no hace falta ningún dispositivo: dígalo al centro del estudio.",
		Footer:        "Esta página trabaja en su dispositivo, no carga nada de otro sitio y no pone ninguna cookie.",
		Limits:        "Qué no está oculto (en inglés)", Licence: "Hojas de estilo en parte de GOV.UK Frontend, MIT",
		Warning:       "Atención",
		Demonstration: "Esto es una demostración. Cualquiera puede firmar con sus claves, y nada aquí trata de personas reales.",
		StudyTime:     "El reloj de esta demostración salta: sus fechas no son las de hoy.",
	},
	"ar": {
		Dir: "rtl", Titles: map[string]string{"take-part": "شارك", "my-consent": "موافقتي"},
		Skip: "انتقل إلى المحتوى", Main: "الرئيسية", TakePart: "شارك", MyConsent: "موافقتي", Languages: "اللغة",
		Heading:       "هذه الصفحة تحتاج إلى JavaScript",
		NoScript:      "تُثبت موافقتك على جهازك أنت. يحتاج ذلك إلى JavaScript، وهو متوقف في هذا المتصفح.",
		NoScriptRead:  "يمكنك من دونه قراءة موضوع الدراسة ونص نموذج الموافقة:",
		NoScriptLeave: "لترك دراسة لا تحتاج إلى أي جهاز: أخبر مركز الدراسة.",
		Footer:        "تعمل هذه الصفحة على جهازك، ولا تحمّل شيئًا من مكان آخر، ولا تضع أي ملف تعريف.",
		Limits:        "ما ليس مخفيًا (بالإنجليزية)", Licence: "أوراق الأنماط جزئيًا من GOV.UK Frontend، رخصة MIT",
		Warning:       "تنبيه",
		Demonstration: "هذا عرض تجريبي. يستطيع أي أحد التوقيع بمفاتيحه، ولا شيء هنا عن أشخاص حقيقيين.",
		StudyTime:     "ساعة هذا العرض تقفز: تواريخها ليست تواريخ اليوم.",
	},
}
