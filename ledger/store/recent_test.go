package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRecent compares with what every version of every row was.
func TestRecent(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var c recent
	keys := make([][]byte, 60)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "skey%d", i)
	}
	history := []map[string][]byte{{}} // by height
	hits, older := 0, 0
	for height := uint64(1); height < 400; height++ {
		now := map[string][]byte{}
		for k, v := range history[height-1] {
			now[k] = v
		}
		c.write(height, func(put func(key, value []byte)) {
			for range r.IntN(8) {
				k := keys[r.IntN(len(keys))]
				var v []byte
				switch r.IntN(8) {
				case 0: // deleted
				case 1:
					v = bytes.Repeat([]byte{byte(height)}, recentValue+1)
				default:
					v = fmt.Appendf(nil, "%d", height)
				}
				now[string(k)] = v
				put(k, v)
			}
		})
		history = append(history, now)
		for range 40 {
			k := keys[r.IntN(len(keys))]
			at := height - min(height-1, uint64(r.IntN(6)))
			want := history[at][string(k)]
			got, known := c.get(at, k)
			if known {
				hits++
				if at < height {
					older++
				}
				if !bytes.Equal(got, want) || (got == nil) != (want == nil) {
					t.Fatalf("%s at %d of %d: %.20q, want %.20q", k, at, height, got, want)
				}
				continue
			}
			c.read(at, k, want) // as whoever missed it does
		}
		if height%50 == 0 { // so that generations turn
			c.size = recentBytes
		}
	}
	if hits < 5000 || older < 2000 {
		t.Errorf("%d hits, %d of an older block: it keeps nothing", hits, older)
	}
}

func TestRecentIsBounded(t *testing.T) {
	t.Parallel()
	var c recent
	for i := range 3 * recentRows {
		c.read(0, fmt.Appendf(nil, "s%d", i), make([]byte, 600))
		if len(c.young)+len(c.aged) > 2*recentRows || c.size > recentBytes+recentValue {
			t.Fatalf("%d rows of %d bytes", len(c.young)+len(c.aged), c.size)
		}
	}
}
