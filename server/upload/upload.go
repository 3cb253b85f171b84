// Package upload takes files from strangers and gives files to them, so that
// who is slow on purpose holds up nobody else: bytes come and go between the
// network and a nameless file, within deadlines, before a scarce turn is taken
// and after it is given back.
package upload

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// How long a peer may take for the next bytes, and for all of them.
const (
	Pause = 10 * time.Second
	Whole = 2 * time.Minute
)

// Scratch is a file without a name, gone when it is closed.
func Scratch() (*os.File, error) {
	f, err := os.CreateTemp("", "trialith-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Turns bounds how many of one thing go on at once.
type Turns chan struct{}

// NewTurns makes n turns.
func NewTurns(n int) Turns { return make(Turns, n) }

// Take waits for a turn, as long as patience and the context allow. The caller
// calls release once, or more often without harm.
func (t Turns) Take(ctx context.Context, patience time.Duration) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case t <- struct{}{}:
		return t.once(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Try takes a turn if one is free now.
func (t Turns) Try() (release func(), ok bool) {
	select {
	case t <- struct{}{}:
		return t.once(), true
	default:
		return nil, false
	}
}

func (t Turns) once() func() {
	released := false
	return func() {
		if !released {
			released = true
			<-t
		}
	}
}

// Deadlines sets those of one connection. *http.ResponseController is one.
type Deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Body reads a request's body, of at most limit bytes, from a peer that may be
// slow on purpose. Done must be called before anything else is waited for: a
// deadline that passes later would end the request.
type Body struct {
	from io.ReadCloser
	at   Deadlines
	end  time.Time
}

// NewBody reads the body of r.
func NewBody(w http.ResponseWriter, r *http.Request, limit int64) *Body {
	return &Body{from: http.MaxBytesReader(w, r.Body, limit), at: http.NewResponseController(w), end: time.Now().Add(Whole)}
}

func (b *Body) Read(p []byte) (int, error) {
	b.at.SetReadDeadline(next(b.end)) //nolint:errcheck // who cannot set one has no slow peer: a test
	return b.from.Read(p)
}

// Close closes the body.
func (b *Body) Close() error { return b.from.Close() }

// Done lifts the deadline.
func (b *Body) Done() { b.at.SetReadDeadline(time.Time{}) } //nolint:errcheck // as in Read

func next(end time.Time) time.Time {
	if soon := time.Now().Add(Pause); soon.Before(end) {
		return soon
	}
	return end
}

// piece is how many bytes a peer takes within one pause.
const piece = 64 << 10

// Send copies a file to a peer that may be slow on purpose.
func Send(w http.ResponseWriter, f io.Reader) error {
	return send(w, http.NewResponseController(w), f, time.Now().Add(Whole))
}

func send(w io.Writer, at Deadlines, f io.Reader, end time.Time) error {
	defer at.SetWriteDeadline(time.Time{}) //nolint:errcheck // as in Read
	for {
		at.SetWriteDeadline(next(end)) //nolint:errcheck // as in Read
		switch _, err := io.CopyN(w, f, piece); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}
