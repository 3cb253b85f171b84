package solo

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/chain"
)

// rewriteHeader overwrites a header in a closed directory, in the store's layout.
func rewriteHeader(t *testing.T, dir string, h chain.Header) {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set(binary.BigEndian.AppendUint64([]byte{'H'}, h.Height), h.Encode(), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}
