package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// verifyPage is the form, and what came of it.
type verifyPage struct {
	Limit  string
	Wrong  string
	Name   string // of the file, as the visitor's machine calls it
	Report *Report
}

// What a form may hold besides its file.
const formOverhead = 64 << 10

func (s *site) verifyForm(*gin.Context) (view, error) {
	return s.verifyView(verifyPage{}, http.StatusOK), nil
}

func (s *site) verifyView(p verifyPage, status int) view {
	p.Limit = fmt.Sprintf("%d MiB", s.MaxUpload>>20)
	v := view{Status: status, Title: "Check an evidence file", Trail: []link{{"Home", "/"}}, Wrong: p.Wrong != ""}
	if p.Report != nil {
		v.Title = p.Report.Verdict + ": " + v.Title
	}
	v.Body = verifyBody(p)
	return v
}

// verify checks an uploaded file. The file is read into memory, within the
// limit, and is gone when the page is sent.
func (s *site) verify(c *gin.Context) (view, error) {
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	default:
		c.Header("Retry-After", "5")
		return s.verifyView(verifyPage{Wrong: "This server is checking other files just now. Try again in a few seconds, or check the file on your own computer"},
			http.StatusServiceUnavailable), nil
	}
	name, file, err := s.upload(c)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return s.verifyView(verifyPage{Wrong: fmt.Sprintf("The file is larger than %d MiB. Check it on your own computer instead: trialith verify takes larger files", s.MaxUpload>>20)},
			http.StatusRequestEntityTooLarge), nil
	case err != nil || len(file) == 0:
		return s.verifyView(verifyPage{Wrong: "Choose an evidence file. Its name ends in .trialith"}, http.StatusBadRequest), nil
	}
	r, err := s.Verify(c, bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return view{}, err
	}
	return s.verifyView(verifyPage{Name: name, Report: &r}, http.StatusOK), nil
}

// upload reads the form's part named "file".
func (s *site) upload(c *gin.Context) (name string, file []byte, err error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, s.MaxUpload+formOverhead)
	form, err := c.Request.MultipartReader()
	if err != nil {
		return "", nil, err
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", nil, err
		}
		if part.FormName() == "file" {
			file, err := s.read(part)
			return part.FileName(), file, err
		}
	}
}

func (s *site) read(part *multipart.Part) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(part, s.MaxUpload+1))
	if err == nil && int64(len(b)) > s.MaxUpload {
		err = &http.MaxBytesError{Limit: s.MaxUpload}
	}
	return b, err
}

// tally counts the checks of a report by their status.
func tally(r *Report, status string) (n uint64) {
	for _, c := range r.Checks {
		if c.Status == status {
			n++
		}
	}
	return n
}

func verdictTag(verdict string) string {
	switch verdict {
	case "VERIFIED":
		return "govuk-tag--green"
	case "VALID WITH RESERVATIONS":
		return "govuk-tag--yellow"
	default:
		return "govuk-tag--red"
	}
}

func verdictMeaning(verdict string) string {
	switch verdict {
	case "VERIFIED":
		return "Every check passed, and independent witnesses vouch for the ledger’s history."
	case "VALID WITH RESERVATIONS":
		return "Nothing in the file is wrong, but something needed for full trust is missing. The sentence and the checks say what."
	case "NOT VALID":
		return "At least one check failed. Do not rely on this file; the failed check names the entry at fault."
	case "UNUSABLE":
		return "This is no evidence file, or it passes a limit. Nothing about a study follows from it."
	default:
		return ""
	}
}

// statusWord is a check's status as it is shown.
func statusWord(status string) string { return capital(strings.ReplaceAll(status, "_", " ")) }

func statusTag(status string) string {
	switch status {
	case "passed":
		return "govuk-tag--green"
	case "failed":
		return "govuk-tag--red"
	default:
		return "govuk-tag--grey"
	}
}
