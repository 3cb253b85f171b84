package relay

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial/act"
)

// TestFromAPage: a page of another origin sends an act through a relay in a real
// browser, and is told why one is not taken.
func TestFromAPage(t *testing.T) {
	page := browsertest.Open(t, "server/relay/testdata/post.ts", nil)
	l := newLab(t)
	behind := &watched{next: l.batcher.Handler()}
	relay := relayTo(t, l.keys.Actor(), serve(t, behind))
	ledger := l.genesis.ID()
	send := func(n int) (string, error) {
		return browsertest.Try[string](page, "post", relay, ledger.String(), l.keys.Actor().String(), l.keys.PublicText(), l.clock.Now(),
			hex.EncodeToString(wire.Marshal(l.act(act.Consent, n))))
	}
	if epoch, err := send(1); err != nil || epoch != "0" || l.batcher.Held() != 1 {
		t.Fatalf("epoch %q, %v, %d held", epoch, err, l.batcher.Held())
	}
	l.ledger.latest[accountOf(2)] = latest{Kind: act.Consent}
	l.look()
	if _, err := send(2); err == nil || !strings.Contains(err.Error(), "used: act: account: on the ledger already") {
		t.Errorf("%v", err)
	}
	for _, seen := range behind.seen {
		if head, _, _ := strings.Cut(seen, "\r\n\r\n"); strings.Contains(head, "marked") || strings.Contains(head, "Mozilla") || strings.Contains(head, "Origin") {
			t.Errorf("of the browser went on:\n%s", head)
		}
	}
}
