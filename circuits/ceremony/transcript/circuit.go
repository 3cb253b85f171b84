package transcript

import (
	"time"

	"github.com/trialith/trialith/ledger/wire"
)

// circuits are the names of the shipped circuits by the depth of their trees.
// A test of package ceremony computes them again from the source.
var circuits = map[uint8]string{
	7:  "53aaf11cc99ba7bf060962b42e86afd502268500ea6288eda51ac88355a14212",
	11: "d4a48d615f144fce6437f89c6dc2bd102b560a9c981d5a03a82669402b1132c2",
}

// Circuit returns the name of the shipped circuit over trees of a depth, and
// whether there is one.
func Circuit(depth uint8) (h wire.Hash, ok bool) {
	text, ok := circuits[depth]
	if !ok {
		return h, false
	}
	return h, h.UnmarshalText([]byte(text)) == nil
}

// Instant writes a time in milliseconds as RFC 3339 in UTC.
func Instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
