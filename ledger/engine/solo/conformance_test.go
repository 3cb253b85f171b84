package solo

import (
	"path/filepath"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
)

// TestConformance holds solo to what every engine owes.
func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t testing.TB, o enginetest.Options) engine.Engine {
		t.Helper()
		return open(t, Config{
			Dir: filepath.Join(o.Dir, "data"), HeadFile: filepath.Join(o.Dir, "head"), Key: o.Key, Genesis: o.Genesis,
			Machine: o.Machine, Clock: o.Clock, Followers: o.Followers, MaxQueue: o.MaxQueue, MemTable: 1 << 20,
		})
	})
}

var _ engine.Engine = (*Ledger)(nil)
