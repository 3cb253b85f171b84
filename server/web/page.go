package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/server/readmodel"
)

// view is what a handler answers: a page's title, its place and its content.
type view struct {
	Status int    // 0: 200
	Title  string // before " – Trialith"
	Trail  []link // from the home page down, without this page
	Wrong  bool   // the page tells of a mistake in a form
	Body   templ.Component
}

// link is an address with its words.
type link struct{ Text, Address string }

type handler func(*gin.Context) (view, error)

// failure is an error that is told to the visitor as it stands.
type failure struct {
	status int
	title  string
	text   string
}

// errSent says that a handler has answered already.
var errSent = errors.New("answered")

func (f *failure) Error() string { return f.title + ": " + f.text }

// page makes a handler of gin's. Whatever goes wrong ends in a page as well,
// that names no inside of the server.
func (s *site) page(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			if p := recover(); p != nil {
				s.Log.Error("page panicked", "path", c.FullPath(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				s.show(c, fault())
			}
		}()
		v, err := h(c)
		if errors.Is(err, errSent) {
			return
		}
		if err != nil {
			v = s.explain(c, err)
		}
		s.show(c, v)
	}
}

// explain turns an error into the page that tells of it.
func (s *site) explain(c *gin.Context, err error) view {
	var f *failure
	switch {
	case errors.As(err, &f):
		return view{Status: f.status, Title: f.title, Body: problemPage(f.title, f.text)}
	case errors.Is(err, readmodel.ErrUnknown), errors.Is(err, engine.ErrUnknown):
		return missing("Not on this ledger", "Nothing on this ledger has the name in this address.")
	}
	s.Log.Error("page failed", "path", c.FullPath(), "error", err)
	return fault()
}

func missing(title, text string) view {
	return view{Status: http.StatusNotFound, Title: title, Body: problemPage(title, text)}
}

func fault() view {
	const title, text = "Something went wrong on this server",
		"The page could not be made. The ledger is not touched by this. Try again in a minute."
	return view{Status: http.StatusInternalServerError, Title: title, Body: problemPage(title, text)}
}

// show makes the whole page before it sends a byte of it.
func (s *site) show(c *gin.Context, v view) {
	var b bytes.Buffer
	if err := layout(s.frame(v), v.Body).Render(c.Request.Context(), &b); err != nil {
		s.Log.Error("page not rendered", "path", c.FullPath(), "error", err)
		c.String(http.StatusInternalServerError, "the page could not be made")
		return
	}
	status := v.Status
	if status == 0 {
		status = http.StatusOK
	}
	c.Data(status, "text/html; charset=utf-8", b.Bytes())
	c.Abort()
}

// frame is what stands around every page.
type frame struct {
	Title         string
	Trail         []link
	Style         []string
	Mark          string
	Ledger        string
	Notice        string
	Demonstration bool
	StudyTime     bool
	Now           int64
	Source        string
	Licence       string // of the style sheets that are not ours
}

func (s *site) frame(v view) frame {
	g := s.Ledger.Genesis()
	title := v.Title + " – Trialith"
	if v.Wrong {
		title = "Error: " + title
	}
	return frame{
		Title: title, Trail: v.Trail,
		Style: []string{s.assets.address["govuk.css"], s.assets.address["trialith.css"]},
		Mark:  s.assets.address["mark.svg"], Ledger: g.Name, Notice: s.Notice,
		Demonstration: g.Demonstration, StudyTime: s.Clock == StudyTime, Now: s.Now(), Source: s.Source,
		Licence: s.assets.address["LICENSE.govuk-frontend.txt"],
	}
}
