package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	turns := NewTurns(1)
	release, err := turns.Take(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := turns.Try(); ok {
		t.Fatal("two at once")
	}
	if _, err := turns.Take(t.Context(), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a second turn: %v", err)
	}
	release()
	again, ok := turns.Try()
	if !ok {
		t.Fatal("a released turn is not free")
	}
	release() // twice does no harm
	if _, ok := turns.Try(); ok {
		t.Fatal("released twice, and another's turn was given away")
	}
	again()
}

func TestScratchHasNoName(t *testing.T) {
	t.Parallel()
	f, err := Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 1 {
		t.Errorf("%v, %v", info, err)
	}
}

// peer notes the deadlines that are set.
type peer struct{ reads, writes []time.Time }

func (p *peer) SetReadDeadline(t time.Time) error  { p.reads = append(p.reads, t); return nil }
func (p *peer) SetWriteDeadline(t time.Time) error { p.writes = append(p.writes, t); return nil }

// TestDeadlines: each part has its own, none is after the end, and none is left.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	p := new(peer)
	end := time.Now().Add(Pause / 2)
	b := &Body{from: io.NopCloser(strings.NewReader("bytes")), at: p, end: end}
	if got, err := io.ReadAll(b); err != nil || string(got) != "bytes" {
		t.Fatalf("%q, %v", got, err)
	}
	b.Done()
	var out bytes.Buffer
	if err := send(&out, p, bytes.NewReader(make([]byte, 3*piece)), end); err != nil || out.Len() != 3*piece {
		t.Fatalf("%d bytes, %v", out.Len(), err)
	}
	for _, deadlines := range [][]time.Time{p.reads, p.writes} {
		n := len(deadlines) - 1
		if n < 2 || !deadlines[n].IsZero() || slices.ContainsFunc(deadlines[:n], func(d time.Time) bool { return d.IsZero() || d.After(end) }) {
			t.Errorf("%v; the end is %v", deadlines, end)
		}
	}
	if soon := next(time.Now().Add(Whole)); time.Until(soon) > Pause {
		t.Errorf("%v for one part", time.Until(soon))
	}
}

// TestBodyIsLimited on a writer that knows no deadlines.
func TestBodyIsLimited(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("123456"))
	b := NewBody(httptest.NewRecorder(), r, 5)
	defer b.Done()
	var large *http.MaxBytesError
	if _, err := io.ReadAll(b); !errors.As(err, &large) {
		t.Errorf("%v", err)
	}
	w := httptest.NewRecorder()
	if err := Send(w, strings.NewReader("all of it")); err != nil || w.Body.String() != "all of it" {
		t.Errorf("%q, %v", w.Body, err)
	}
}
