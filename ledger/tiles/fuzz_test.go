package tiles

import (
	"bytes"
	"testing"
)

// A bundle has one encoding, and what is cut from the full file is the file
// that is not full.
func FuzzBundle(f *testing.F) {
	m := ledgerOf(3)
	for _, k := range []Kind{Headers, Transactions} {
		var b bytes.Buffer
		if err := write(&b, m, Path{Kind: k, Width: 3}); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(k), uint8(3), b.Bytes())
	}
	f.Fuzz(func(t *testing.T, kind, width uint8, b []byte) {
		p := Path{Kind: Headers, Width: int(width%8) + 1}
		if Kind(kind) == Transactions {
			p.Kind = Transactions
		}
		var again []byte
		if p.Kind == Headers {
			hs, err := DecodeHeaders(p, b)
			if err != nil {
				return
			}
			again = EncodeHeaders(hs)
		} else {
			ts, err := DecodeTransactions(p, b)
			if err != nil {
				return
			}
			again = EncodeTransactions(ts)
		}
		if !bytes.Equal(again, b) {
			t.Fatal("a second encoding was taken")
		}
		if p.Width--; p.Width > 0 {
			part, err := p.cut(b)
			if err != nil || !bytes.HasPrefix(b, part) {
				t.Fatalf("cut: %v", err)
			}
		}
	})
}
