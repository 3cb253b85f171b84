package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/trial"
)

// maxEvidence is the largest evidence file that is checked here, in bytes.
const maxEvidence = 64 << 20

const (
	zipType       = "application/zip"
	multipartType = "multipart/form-data"
)

func (s *server) evidenceRoutes() {
	e := binary("/v1/trials/{trial}/evidence", "evidence", "The trial's evidence file, which \"trialith verify\" checks without this node", zipType)
	e.Parameters = []*huma.Param{{
		Name: "trial", In: "path", Required: true, Description: "the trial's name, 64 lower-case hex digits",
		Schema: &huma.Schema{Type: "string", Pattern: "^[0-9a-f]{64}$"},
	}}
	s.raw(e, s.evidence)

	v := operation(http.MethodPost, "/v1/verify", "verify", "Check an evidence file, as \"trialith verify --json\" does")
	v.Description = "The file is held while it is checked and stored nowhere. Better check it on a machine of your own."
	v.MaxBodyBytes = maxEvidence + 1
	file := &huma.Schema{Type: "string", Format: "binary"}
	v.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		zipType: {Schema: file},
		multipartType: {Schema: &huma.Schema{
			Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{"file": file},
		}},
	}}
	v.Responses = map[string]*huma.Response{"200": {Description: "The report", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: "object"}},
	}}}
	s.raw(v, s.verify)
}

// raw adds a route that streams, outside of the library's handling of bodies.
func (s *server) raw(o huma.Operation, handler func(*gin.Context) error) {
	problems := map[string]*huma.MediaType{problem.ContentType: {
		Schema: &huma.Schema{Ref: "#/components/schemas/Problem"},
	}}
	o.Responses["default"] = &huma.Response{Description: "Error", Content: problems}
	s.api.OpenAPI().AddOperation(&o)
	s.api.Adapter().Handle(&o, func(hc huma.Context) {
		c := humagin.Unwrap(hc)
		if err := handler(c); err != nil {
			problem.Write(c.Writer, s.fault(err))
		}
	})
}

// turn waits for the right to hold a file.
func (s *server) turn(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// scratch is a file without a name, gone when it is closed.
func scratch() (*os.File, error) {
	f, err := os.CreateTemp("", "trialith-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *server) evidence(c *gin.Context) error {
	if s.Evidence == nil {
		return errNoSuch
	}
	ctx := c.Request.Context()
	id, err := name[trial.ID]("trial", c.Param("trial"))
	if err != nil {
		return err
	}
	if err := s.fresh(ctx); err != nil {
		return err
	}
	if _, err := s.Model.Trial(ctx, id); err != nil {
		return err
	}
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	// Written whole before the first byte is sent: half a file answers no error.
	f, err := scratch()
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nameless
	if err := s.Evidence(ctx, id, f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", zipType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "evidence.trialith"}))
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	_, err = io.Copy(c.Writer, f)
	if err != nil {
		c.Abort() // the client has gone; there is nobody to tell
	}
	return nil
}

func (s *server) verify(c *gin.Context) error {
	if s.Verify == nil {
		return errNoSuch
	}
	ctx := c.Request.Context()
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	f, err := scratch()
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nameless
	size, err := receive(c, f)
	if err != nil {
		return err
	}
	report, err := s.Verify(ctx, f, size)
	if err != nil {
		return err
	}
	b, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	c.Data(http.StatusOK, "application/json", b)
	return nil
}

// receive copies the file of a request, whose body it is or a part of it.
func receive(c *gin.Context, to io.Writer) (int64, error) {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || kind != zipType && kind != multipartType {
		return 0, problem.New(http.StatusUnsupportedMediaType, "content type: send "+zipType+" or "+multipartType)
	}
	// A form has a little around its file.
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxEvidence+64<<10)
	var from io.Reader = c.Request.Body
	if kind == multipartType {
		if from, err = part(c.Request); err != nil {
			return 0, err
		}
	}
	n, err := io.Copy(to, io.LimitReader(from, maxEvidence+1))
	switch large := new(http.MaxBytesError); {
	case err == nil && n > maxEvidence:
		return 0, &http.MaxBytesError{Limit: maxEvidence}
	case err != nil && !errors.As(err, &large):
		return 0, problem.New(http.StatusBadRequest, "body: it ended before it was whole")
	}
	return n, err
}

func part(r *http.Request) (io.Reader, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, "body: no multipart form")
	}
	for range 8 {
		p, err := parts.NextPart()
		if err != nil {
			break
		}
		if p.FormName() == "file" {
			return p, nil
		}
	}
	return nil, problem.New(http.StatusBadRequest, "body: the form has no part named file")
}
