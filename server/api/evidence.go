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
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/upload"
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
	leave, err := s.sending.Take(ctx, patience)
	if err != nil {
		return err
	}
	defer leave()
	// Written whole before the first byte is sent: half a file answers no error,
	// and whoever reads it slowly keeps nobody from theirs.
	f, err := upload.Scratch()
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nameless
	if err := s.write(ctx, id, f); err != nil {
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
	if err := upload.Send(c.Writer, f); err != nil {
		c.Abort() // the client has gone; there is nobody to tell
	}
	return nil
}

// write makes an evidence file in its turn.
func (s *server) write(ctx context.Context, id trial.ID, f io.Writer) error {
	release, err := s.making.Take(ctx, patience)
	if err != nil {
		return err
	}
	defer release()
	return s.Evidence(ctx, id, f)
}

func (s *server) verify(c *gin.Context) error {
	if s.Verify == nil {
		return errNoSuch
	}
	ctx := c.Request.Context()
	if err := takes(c, zipType, multipartType); err != nil {
		return err
	}
	f, size, leave, err := s.received(c, maxEvidence)
	if err != nil {
		return err
	}
	defer leave()
	release, err := s.checking.Take(ctx, patience)
	if err != nil {
		return err
	}
	defer release()
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

// takes refuses a body of another kind.
func takes(c *gin.Context, kinds ...string) error {
	kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || !slices.Contains(kinds, kind) {
		return problem.New(http.StatusUnsupportedMediaType, "content type: send "+strings.Join(kinds, " or "))
	}
	return nil
}

// received is the file of a request, whole, before anything scarce is taken:
// an upload that stands still holds up no other.
func (s *server) received(c *gin.Context, limit int64) (f *os.File, size int64, leave func(), err error) {
	free, err := s.receiving.Take(c.Request.Context(), patience)
	if err != nil {
		return nil, 0, nil, err
	}
	if f, err = upload.Scratch(); err != nil {
		free()
		return nil, 0, nil, err
	}
	leave = func() {
		f.Close() //nolint:errcheck,gosec // nameless
		free()
	}
	if size, err = receive(c, f, limit); err != nil {
		leave()
		return nil, 0, nil, err
	}
	return f, size, leave, nil
}

// receive copies the file of a request, whose body it is or a part of it.
func receive(c *gin.Context, to io.Writer, limit int64) (int64, error) {
	// A form has a little around its file.
	body := upload.NewBody(c.Writer, c.Request, limit+64<<10)
	defer body.Done()
	c.Request.Body = body
	var from io.Reader = body
	if kind, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type")); kind == multipartType {
		var err error
		if from, err = part(c.Request); err != nil {
			return 0, err
		}
	}
	n, err := io.Copy(to, io.LimitReader(from, limit+1))
	switch large := new(http.MaxBytesError); {
	case err == nil && n > limit:
		return 0, &http.MaxBytesError{Limit: limit}
	case err != nil && !errors.As(err, &large):
		return 0, problem.New(http.StatusBadRequest, "body: it ended before it was whole, or came too slowly")
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
