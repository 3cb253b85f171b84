package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// The pages on which a participant decides. The server sends the same empty frame
// to everyone; what a person reads, answers and agrees to is put on it in their
// browser, and leaves it only as a proof.

// appFrame is what stands around a page that runs a script.
type appFrame struct {
	Page, Path    string
	Language      string
	Title         string
	Words         appWords
	Style         []string
	Mark, Script  string
	Licence       string
	Relays        string // origins, with a space between
	Studies       []link // to be read without a script
	Demonstration bool
	StudyTime     bool
}

// language is one that the participant's pages speak.
type language struct{ Tag, Name string }

var languages = []language{{"en", "English"}, {"es", "Español"}, {"ar", "العربية"}}

// languageOf is the language that an address names, or else the first that the
// browser asks for and the pages speak.
func languageOf(c *gin.Context) string {
	asked := append([]string{c.Query("lang")}, strings.Split(c.GetHeader("Accept-Language"), ",")...)
	for _, tag := range asked {
		tag, _, _ = strings.Cut(tag, ";")
		tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if slices.ContainsFunc(languages, func(l language) bool { return l.Tag == tag }) {
			return tag
		}
	}
	return "en"
}

// appPolicy is the content security policy of a page that runs our script: ours
// alone, WebAssembly for the prover, and connections to this server and to the
// relays that acts may travel through.
func appPolicy(relays []string) string {
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'",
		strings.TrimSpace("connect-src 'self' " + strings.Join(relays, " ")), "style-src 'self'", "img-src 'self' data:",
		"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// appSecured sets the headers of a page that runs a script. It alone may use the
// camera, to read a card or a sheet.
func (s *site) appSecured(c *gin.Context) {
	secured(c)
	c.Header("Content-Security-Policy", appPolicy(s.Relays))
	c.Header("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()")
	c.Header("Vary", "Accept-Language")
}

// app shows a page's frame.
func (s *site) app(page string) gin.HandlerFunc {
	return func(c *gin.Context) {
		f, err := s.appFrame(c, page)
		if err != nil {
			s.show(c, s.explain(c, err))
			return
		}
		var b bytes.Buffer
		if err := appLayout(f).Render(c.Request.Context(), &b); err != nil {
			s.Log.Error("page not rendered", "path", c.FullPath(), "error", err)
			c.String(http.StatusInternalServerError, "the page could not be made")
			return
		}
		c.Data(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
	}
}

func (s *site) appFrame(c *gin.Context, page string) (appFrame, error) {
	trials, err := s.Model.Trials(c.Request.Context())
	if err != nil {
		return appFrame{}, err
	}
	lang := languageOf(c)
	words := appTexts[lang]
	f := appFrame{
		Page: page, Path: "/" + page, Language: lang, Title: words.Titles[page] + " – Trialith", Words: words,
		Style: []string{s.assets.address["govuk.css"], s.assets.address["trialith.css"], s.assets.address["app.css"]},
		Mark:  s.assets.address["mark.svg"], Script: s.assets.address["participant.js"], Licence: s.assets.address["LICENSE.govuk-frontend.txt"],
		Relays: strings.Join(s.Relays, " "), Demonstration: s.Ledger.Genesis().Demonstration, StudyTime: s.Clock == StudyTime,
	}
	for i := range trials {
		f.Studies = append(f.Studies, link{studyName(trials[i]), fmt.Sprintf("/studies/%v/versions/%d", trials[i].ID, max(trials[i].Latest, 1))})
	}
	return f, nil
}

// serviceWorker serves the script that keeps the participant's pages when there
// is no connection. It lies at the root, whose pages it may keep, under one name:
// the browser looks for a newer one there. What it keeps is listed ahead of it, so
// that a change of any file makes it another script.
func (s *site) serviceWorker(c *gin.Context) {
	var files []string
	for _, name := range []string{"govuk.css", "trialith.css", "app.css", "mark.svg", "participant.js"} {
		files = append(files, s.assets.address[name])
	}
	list, err := json.Marshal(files)
	if err != nil {
		c.String(http.StatusInternalServerError, "the script could not be made")
		return
	}
	script := s.assets.file[strings.TrimPrefix(s.assets.address["sw.js"], "/assets/")].body
	c.Header("Content-Security-Policy", "default-src 'none'; connect-src 'self'")
	c.Data(http.StatusOK, kinds[".js"], slices.Concat([]byte("const FILES="), list, []byte(";\n"), script))
}
