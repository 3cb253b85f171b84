package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func send(t *testing.T, h http.Handler, field string, file []byte) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, err := m.CreateFormFile(field, "evidence "+hostile+".trialith")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(file)
	m.Close()
	r := httptest.NewRequest(http.MethodPost, "/verify", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestUpload(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := config(f)
	c.MaxUpload = 1 << 20
	h := serve(t, f, c)

	w := send(t, h, "file", []byte("the bytes"))
	body := w.Body.String()
	checkDocument(t, body)
	sentence, verdict := strings.Index(body, "entry trial/57 was changed, the bytes"), strings.Index(body, ">NOT VALID<")
	if w.Code != http.StatusOK || sentence < 0 || verdict < sentence {
		t.Errorf("status %d, sentence at %d, verdict at %d: the sentence comes first", w.Code, sentence, verdict)
	}
	for _, want := range []string{"1 passed, 1 failed, 1 not checked", "2012-11-03T06:00:00Z", "Not checked", "no witness"} {
		if !strings.Contains(body, want) {
			t.Errorf("the report does not say %q", want)
		}
	}

	for name, u := range map[string]struct {
		field  string
		bytes  int
		status int
		says   string
	}{
		"at the limit":     {"file", 1 << 20, 200, "NOT VALID"},
		"over the limit":   {"file", 1<<20 + 1, 413, "larger than 1 MiB"},
		"far over it":      {"file", 3 << 20, 413, "larger than 1 MiB"},
		"empty":            {"file", 0, 400, "Choose an evidence file"},
		"no file":          {"other", 5, 400, "Choose an evidence file"},
		"no file, too big": {"other", 3 << 20, 413, "larger than 1 MiB"},
	} {
		w := send(t, h, u.field, make([]byte, u.bytes))
		if w.Code != u.status || !strings.Contains(w.Body.String(), u.says) {
			t.Errorf("%s: %d, want %d with %q", name, w.Code, u.status, u.says)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader("not a form"))
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("no form: %d", w.Code)
	}
}

func TestOnlyAFewFilesAreHeldAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake()
	c := config(f)
	started, finish := make(chan struct{}, filesAtOnce), make(chan struct{})
	c.Verify = func(context.Context, io.ReaderAt, int64) (Report, error) {
		started <- struct{}{}
		<-finish
		return Report{Verdict: "VERIFIED", Sentence: "It is good."}, nil
	}
	h := serve(t, f, c)
	done := make(chan int, filesAtOnce)
	for range filesAtOnce {
		go func() { done <- send(t, h, "file", []byte("x")).Code }()
	}
	for range filesAtOnce {
		<-started
	}
	if w := send(t, h, "file", []byte("x")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one file too many: %d", w.Code)
	}
	close(finish)
	for range filesAtOnce {
		if code := <-done; code != http.StatusOK {
			t.Errorf("a file in turn: %d", code)
		}
	}
}

// TestRegressionIdleUploadsHoldNoTurn: uploads that stood still shut everybody
// out of the page that checks files.
func TestRegressionIdleUploadsHoldNoTurn(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := serve(t, f, config(f))
	done := make(chan struct{}, filesAtOnce)
	var idle []*io.PipeWriter
	for range filesAtOnce {
		body, in := io.Pipe()
		idle = append(idle, in)
		r := httptest.NewRequest(http.MethodPost, "/verify", body)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		go func() {
			h.ServeHTTP(httptest.NewRecorder(), r)
			done <- struct{}{}
		}()
		// Taken in, so the upload has begun.
		if _, err := io.WriteString(in, "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nP"); err != nil {
			t.Fatal(err)
		}
	}
	if w := send(t, h, "file", []byte("the bytes")); w.Code != http.StatusOK {
		t.Errorf("status %d while others stand still", w.Code)
	}
	for _, in := range idle {
		in.Close()
	}
	for range filesAtOnce {
		<-done
	}
}
