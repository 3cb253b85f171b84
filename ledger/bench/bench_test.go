package main

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// TestSystems enters a few entries into every system.
func TestSystems(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(systems)) {
		t.Run(name, func(t *testing.T) {
			c := options{system: name, clients: 8, entries: 64, size: 300, dir: t.TempDir(), limit: time.Minute}
			r, err := measure(t.Context(), c, systems[name])
			if err != nil {
				t.Fatal(err)
			}
			if r.System != name || r.Clients != 8 || r.Entries != 64 {
				t.Errorf("%+v", r)
			}
			for i, x := range []float64{r.PerS, r.P50, r.P99, r.BytesPerEntry, r.Memory} {
				if x <= 0 {
					t.Errorf("figure %d was not measured: %+v", i, r)
				}
			}
			proves := name == "immudb" || name == "tessera" || name == "tessera-published"
			if proves != (r.ProofBytes > 0 && r.Proof > 0) {
				t.Errorf("proof of %d bytes in %g µs", r.ProofBytes, r.Proof)
			}
		})
	}
}
