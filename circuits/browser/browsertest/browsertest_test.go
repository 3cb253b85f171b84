package browsertest_test

import (
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
)

func TestCall(t *testing.T) {
	page := browsertest.Open(t, "circuits/browser/browsertest/testdata/sum.ts", nil)
	if got := browsertest.Call[string](t, page, "sum", "1152921504606846976", "1"); got != "1152921504606846977" {
		t.Errorf("sum: %s", got)
	}
	if _, err := browsertest.Try[string](page, "sum", "x", "1"); err == nil || !strings.Contains(err.Error(), "SyntaxError") && !strings.Contains(err.Error(), "BigInt") {
		t.Errorf("a thrown error is lost: %v", err)
	}
}
