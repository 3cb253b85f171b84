package web

import (
	"bytes"
	"net/http"

	"github.com/gin-gonic/gin"
)

// The page on which a site invites, enrols and records. The server sends the same
// empty frame to everyone: keys and tables are in the browser of the site's own
// computer, and what leaves it is signed or sealed.

// deskFrame is what stands around it.
type deskFrame struct {
	appFrame
	Desk deskWords
}

// deskWords are the texts that the server writes itself.
type deskWords struct{ Title, Public, Heading, NoScript, Footer string }

var deskTexts = map[string]deskWords{
	"en": {
		"At the site", "Public pages", "This page needs JavaScript",
		"Keys sign inside the browser, so that this server never has them. Turn JavaScript on in this browser, or use another one.",
		"Keys and tables stay on this computer. The page loads nothing from anywhere else and sets no cookie.",
	},
	"es": {
		"En el centro", "Páginas públicas", "Esta página necesita JavaScript",
		"Las claves firman dentro del navegador, de modo que este servidor nunca las tiene. Active JavaScript en este navegador, o use otro.",
		"Las claves y las tablas se quedan en este ordenador. La página no carga nada de otro sitio y no pone ninguna cookie.",
	},
	"ar": {
		"في المركز", "الصفحات العامة", "تحتاج هذه الصفحة إلى JavaScript",
		"توقّع المفاتيح داخل المتصفح، فلا تصل إلى هذا الخادم أبدًا. شغّل JavaScript في هذا المتصفح، أو استخدم متصفحًا آخر.",
		"تبقى المفاتيح والجداول على هذا الحاسوب. لا تحمّل الصفحة شيئًا من مكان آخر ولا تضع أي ملف تعريف ارتباط.",
	},
}

// DeskPolicy is the content security policy of the site's page: our own script
// and connections to this server, nothing else.
const DeskPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// deskSecured sets the headers of the site's page, which may use the camera to
// read what a participant's phone shows.
func deskSecured(c *gin.Context) {
	secured(c)
	c.Header("Content-Security-Policy", DeskPolicy)
	c.Header("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	c.Header("Vary", "Accept-Language")
}

func (s *site) desk(c *gin.Context) {
	lang := languageOf(c)
	f := deskFrame{Desk: deskTexts[lang], appFrame: appFrame{
		Page: "site", Path: "/site", Language: lang, Title: deskTexts[lang].Title + " – Trialith", Words: appTexts[lang],
		Style: []string{s.assets.address["govuk.css"], s.assets.address["trialith.css"], s.assets.address["app.css"], s.assets.address["desk.css"]},
		Mark:  s.assets.address["mark.svg"], Script: s.assets.address["site.js"], Licence: s.assets.address["LICENSE.govuk-frontend.txt"],
		Demonstration: s.Ledger.Genesis().Demonstration, StudyTime: s.Clock == StudyTime,
	}}
	var b bytes.Buffer
	if err := deskLayout(f).Render(c.Request.Context(), &b); err != nil {
		s.Log.Error("page not rendered", "path", c.FullPath(), "error", err)
		c.String(http.StatusInternalServerError, "the page could not be made")
		return
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}
