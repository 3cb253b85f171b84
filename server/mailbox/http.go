package mailbox

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/upload"
)

// Boxes is what the routes serve. *Store is one.
type Boxes interface {
	// Put keeps a message before it returns.
	Put(Box, []byte) (uint64, error)
	Get(_ Box, after uint64) ([]Message, error)
	Now() int64
}

// Answer is what a box holds after a sequence.
type Answer struct {
	Now      string `json:"now" doc:"the clock that the times are of"`
	Messages []Sent `json:"messages" doc:"oldest first, at most 100; ask again after the last one's sequence"`
}

// Sent is one sealed message.
type Sent struct {
	Sequence uint64 `json:"sequence"`
	Time     string `json:"time" doc:"of its arrival, RFC 3339"`
	Body     []byte `json:"body" doc:"4096 bytes, base64"`
}

// Taken says that a message is on the disk.
type Taken struct {
	Sequence uint64 `json:"sequence"`
}

// sendersAtOnce bounds who waits for the disk.
const sendersAtOnce = 64

var errBusy = errors.New("mailbox: many messages are coming in; send the same request again")

// door serves the boxes.
type door struct {
	boxes Boxes
	turns upload.Turns
}

// Register mounts the boxes on an engine:
//
//	POST /v1/mail/{box}          4096 bytes, application/octet-stream: 202 and Taken
//	GET  /v1/mail/{box}?after=n  Answer
func Register(engine *gin.Engine, boxes Boxes) {
	d := &door{boxes: boxes, turns: upload.NewTurns(sendersAtOnce)}
	engine.POST("/v1/mail/:box", secured, d.put)
	engine.GET("/v1/mail/:box", secured, d.get)
}

func secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

func boxOf(c *gin.Context) (box Box, err error) {
	if err := wire.ParseHex(box[:], []byte(c.Param("box"))); err != nil {
		return box, problem.New(http.StatusUnprocessableEntity, "box: "+err.Error())
	}
	return box, nil
}

func (d *door) put(c *gin.Context) {
	sequence, err := d.take(c)
	if err != nil {
		problem.Write(c.Writer, explained(err))
		return
	}
	c.JSON(http.StatusAccepted, Taken{Sequence: sequence})
}

func (d *door) take(c *gin.Context) (uint64, error) {
	box, err := boxOf(c)
	if err != nil {
		return 0, err
	}
	if kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || kind != "application/octet-stream" {
		return 0, problem.New(http.StatusUnsupportedMediaType, "content type: send application/octet-stream")
	}
	if n := c.Request.ContentLength; n >= 0 && n != Size {
		return 0, ErrSize
	}
	body, err := readBody(c)
	if err != nil {
		return 0, err
	}
	release, free := d.turns.Try()
	if !free {
		return 0, refusal(http.StatusTooManyRequests, "mail-busy", "Too many at once", errBusy)
	}
	defer release()
	return d.boxes.Put(box, body)
}

// readBody reads one byte more than a message has, to know a longer one.
func readBody(c *gin.Context) ([]byte, error) {
	at := http.NewResponseController(c.Writer)
	at.SetReadDeadline(time.Now().Add(upload.Pause)) //nolint:errcheck // where there is none, the server's holds
	defer at.SetReadDeadline(time.Time{})            //nolint:errcheck // as above
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, Size+1))
	if err != nil {
		return nil, problem.New(http.StatusBadRequest, fmt.Sprintf("body: ended early; a message has %d bytes", Size))
	}
	return body, nil
}

func (d *door) get(c *gin.Context) {
	box, err := boxOf(c)
	if err != nil {
		problem.Write(c.Writer, err)
		return
	}
	after, err := afterOf(c)
	if err != nil {
		problem.Write(c.Writer, err)
		return
	}
	held, err := d.boxes.Get(box, after)
	if err != nil {
		problem.Write(c.Writer, err)
		return
	}
	out := Answer{Now: instant(d.boxes.Now()), Messages: []Sent{}}
	for _, m := range held {
		out.Messages = append(out.Messages, Sent{Sequence: m.Sequence, Time: instant(m.Time), Body: m.Body})
	}
	c.JSON(http.StatusOK, out)
}

func afterOf(c *gin.Context) (uint64, error) {
	text, given := c.GetQuery("after")
	if !given {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, problem.New(http.StatusUnprocessableEntity, "after: a sequence is a whole number, 0 for the beginning")
	}
	return n, nil
}

func instant(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// explained says how what the store refuses answers.
func explained(err error) error {
	switch {
	case errors.Is(err, ErrSize):
		return refusal(http.StatusBadRequest, "mail-size", "Wrong size", err)
	case errors.Is(err, ErrBoxFull):
		return refusal(http.StatusTooManyRequests, "mail-box-full", "The box is full", err)
	case errors.Is(err, ErrFull):
		return refusal(http.StatusInsufficientStorage, "mail-full", "The mailbox is full", err)
	case errors.Is(err, ErrStopped):
		return refusal(http.StatusServiceUnavailable, "mail-stopped", "The mailbox does not run", err)
	}
	return err
}

// refusal is a problem whose remedy is the end of its sentence.
func refusal(status int, name, title string, err error) *problem.Problem {
	p := &problem.Problem{Type: "urn:trialith:problem:" + name, Title: title, Status: status, Detail: err.Error()}
	if _, remedy, found := strings.Cut(p.Detail, "; "); found {
		p.Remedy = remedy
	}
	return p
}
