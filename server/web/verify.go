package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/upload"
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

// busy answers where too many others are being served.
func (s *site) busy(c *gin.Context) view {
	c.Header("Retry-After", "5")
	return s.verifyView(verifyPage{Wrong: "This server is checking other files just now. Try again in a few seconds, or check the file on your own computer"},
		http.StatusServiceUnavailable)
}

// verify checks an uploaded file. It is received whole, into a file without a
// name, before a turn is taken: an upload that stands still holds up no other.
// It is gone when the page is sent.
func (s *site) verify(c *gin.Context) (view, error) {
	leave, ok := s.receiving.Try()
	if !ok {
		return s.busy(c), nil
	}
	defer leave()
	f, err := upload.Scratch()
	if err != nil {
		return view{}, err
	}
	defer f.Close() //nolint:errcheck // nameless
	name, size, err := s.receive(c, f)
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return s.verifyView(verifyPage{Wrong: fmt.Sprintf("The file is larger than %d MiB. Check it on your own computer instead: trialith verify takes larger files", s.MaxUpload>>20)},
			http.StatusRequestEntityTooLarge), nil
	case err != nil || size == 0:
		return s.verifyView(verifyPage{Wrong: "Choose an evidence file. Its name ends in .trialith"}, http.StatusBadRequest), nil
	}
	release, ok := s.checking.Try()
	if !ok {
		return s.busy(c), nil
	}
	defer release()
	r, err := s.Verify(c.Request.Context(), f, size)
	if err != nil {
		return view{}, err
	}
	return s.verifyView(verifyPage{Name: name, Report: &r}, http.StatusOK), nil
}

// receive copies the form's part named "file".
func (s *site) receive(c *gin.Context, to io.Writer) (name string, size int64, err error) {
	body := upload.NewBody(c.Writer, c.Request, s.MaxUpload+formOverhead)
	defer body.Done()
	c.Request.Body = body
	form, err := c.Request.MultipartReader()
	if err != nil {
		return "", 0, err
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", 0, err
		}
		if part.FormName() == "file" {
			size, err := s.copy(to, part)
			return part.FileName(), size, err
		}
	}
}

func (s *site) copy(to io.Writer, part *multipart.Part) (int64, error) {
	n, err := io.Copy(to, io.LimitReader(part, s.MaxUpload+1))
	if err == nil && n > s.MaxUpload {
		err = &http.MaxBytesError{Limit: s.MaxUpload}
	}
	return n, err
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
