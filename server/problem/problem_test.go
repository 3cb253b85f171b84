package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		code   trial.Code
		remedy string
	}{
		{&engine.RefusedError{Err: trial.Refuse(trial.BadSignature, "signature: not the signer's")}, 403, trial.BadSignature, ""},
		{&engine.RefusedError{Err: trial.Refuse(trial.Malformed, "name: 0 bytes; 1 to 200")}, 400, trial.Malformed, "1 to 200"},
		{trial.Refuse(trial.ProofInvalid, "proof: bad"), 422, trial.ProofInvalid, ""},
		{trial.Refuse(trial.UnknownTrial, "no"), 404, trial.UnknownTrial, ""},
		{&engine.RefusedError{Err: errors.New("no")}, 422, 0, ""},
		{fmt.Errorf("%w: %w", engine.ErrMalformed, errors.New("x")), 400, 0, ""},
		{fmt.Errorf("expiry: %w", engine.ErrExpired), 422, 0, "sign it again with a later expiry"},
		{&engine.DuplicateError{}, 409, 0, ""},
		{engine.ErrBusy, 503, 0, "send the same request again"},
		{fmt.Errorf("queue: %w", engine.ErrShare), 429, 0, "send the same request again"},
		{fmt.Errorf("%w: no space left", engine.ErrStopped), 503, 0, "ask another node"},
		{engine.ErrClosed, 503, 0, "ask another node"},
		{context.DeadlineExceeded, 503, 0, "send the same request again"},
		{fmt.Errorf("trial x: %w", readmodel.ErrUnknown), 404, 0, ""},
		{engine.ErrUnknown, 404, 0, ""},
		{&http.MaxBytesError{Limit: 1}, 413, 0, ""},
		{errors.New("the disk is on fire at /dev/sda"), 500, 0, ""},
	} {
		p := problem.From(c.err)
		if p.Status != c.status || p.Code != c.code || p.Remedy != c.remedy {
			t.Errorf("%v: %+v", c.err, p)
		}
		w := httptest.NewRecorder()
		problem.Write(w, c.err)
		var back problem.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &back); err != nil || back.Status != c.status || w.Code != c.status {
			t.Errorf("%v: written as %d %s", c.err, w.Code, w.Body)
		}
		again := c.remedy == "send the same request again"
		if (w.Header().Get("Retry-After") != "") != again || w.Header().Get("Content-Type") != problem.ContentType {
			t.Errorf("%v: headers %v", c.err, w.Header())
		}
		if strings.Contains(w.Body.String(), "/dev/sda") {
			t.Error("a fault's text was told")
		}
	}
}

// TestEveryRefusalHasItsMeaning reads the table of codes from its source, so
// that a new code without words fails here.
func TestEveryRefusalHasItsMeaning(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "../../trial/refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		code, err := strconv.Atoi(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		m := problem.Meaning(trial.Code(code))
		if seen[m] || strings.HasPrefix(m, "refused with code") {
			t.Errorf("%s: %q", v.Names[0].Name, m)
		}
		seen[m] = true
		return true
	})
	if len(seen) < 50 {
		t.Fatalf("%d codes were read", len(seen))
	}
	if problem.Meaning(0) != "" || problem.Meaning(9999) == "" {
		t.Error("accepted has no meaning, an unknown code some")
	}
}
