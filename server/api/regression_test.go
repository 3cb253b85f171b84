package api_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/trialith/trialith/server/api"
	"github.com/trialith/trialith/trial"
)

// TestRegressionIdleUploadsHoldNoTurn: two connections that stood still in the
// middle of an upload shut everybody out of evidence files, checks and packages.
func TestRegressionIdleUploadsHoldNoTurn(t *testing.T) {
	t.Parallel()
	l := run(t, func(c *api.Config) {
		c.Package = func(context.Context, trial.ID, []byte) (trial.CID, error) { return packageCID, nil }
	})
	study := "/v1/trials/" + l.trial.String()
	for _, path := range []string{"/v1/verify", "/v1/verify", "/v1/verify", study + "/package", study + "/package", study + "/package"} {
		kind := "application/zip"
		if strings.HasSuffix(path, "package") {
			kind = "application/vnd.ipld.car"
		}
		c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
		l.check(err)
		t.Cleanup(func() { c.Close() })
		// The server answers that it reads on, so it is inside of the upload.
		_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n", path, kind)
		l.check(err)
		line := make([]byte, len("HTTP/1.1 100"))
		if _, err := io.ReadFull(c, line); err != nil || string(line) != "HTTP/1.1 100" {
			t.Fatalf("%s: %q, %v", path, line, err)
		}
		_, err = c.Write([]byte("P"))
		l.check(err)
	}
	if r, b := l.do(http.MethodGet, study+"/evidence", nil, nil); r.StatusCode != http.StatusOK {
		t.Errorf("evidence: %d %s", r.StatusCode, b)
	}
	if r, b := l.do(http.MethodPost, "/v1/verify", map[string]string{"Content-Type": "application/zip"}, []byte("zip")); r.StatusCode != http.StatusOK {
		t.Errorf("verify: %d %s", r.StatusCode, b)
	}
	if r, b := l.do(http.MethodPost, study+"/package", map[string]string{"Content-Type": "application/vnd.ipld.car"}, []byte("car")); r.StatusCode != http.StatusOK {
		t.Errorf("package: %d %s", r.StatusCode, b)
	}
}

// TestRegressionChecksKeepNobodyFromEvidence: making and checking took turns
// of one kind.
func TestRegressionChecksKeepNobodyFromEvidence(t *testing.T) {
	t.Parallel()
	started, finish := make(chan struct{}), make(chan struct{})
	l := run(t, func(c *api.Config) {
		c.Verify = func(context.Context, io.ReaderAt, int64) (any, error) {
			started <- struct{}{}
			<-finish
			return "checked", nil
		}
	})
	done := make(chan int)
	for range 2 {
		go func() {
			r, err := l.http.Post(l.url+"/v1/verify", "application/zip", strings.NewReader("zip"))
			if err != nil {
				done <- 0
				return
			}
			r.Body.Close()
			done <- r.StatusCode
		}()
		<-started
	}
	if r, b := l.do(http.MethodGet, "/v1/trials/"+l.trial.String()+"/evidence", nil, nil); r.StatusCode != http.StatusOK {
		t.Errorf("evidence: %d %s", r.StatusCode, b)
	}
	close(finish)
	for range 2 {
		if code := <-done; code != http.StatusOK {
			t.Errorf("a check: %d", code)
		}
	}
}
