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

func upload(t *testing.T, h http.Handler, field string, file []byte) *httptest.ResponseRecorder {
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

	w := upload(t, h, "file", []byte("the bytes"))
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
		w := upload(t, h, u.field, make([]byte, u.bytes))
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
		go func() { done <- upload(t, h, "file", []byte("x")).Code }()
	}
	for range filesAtOnce {
		<-started
	}
	if w := upload(t, h, "file", []byte("x")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one file too many: %d", w.Code)
	}
	close(finish)
	for range filesAtOnce {
		if code := <-done; code != http.StatusOK {
			t.Errorf("a file in turn: %d", code)
		}
	}
}
