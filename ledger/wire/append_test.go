package wire

import (
	"bytes"
	"math"
	"testing"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64, math.MaxUint64} {
		if got, want := AppendUint(nil, n), Marshal(n); !bytes.Equal(got, want) {
			t.Errorf("%d: %x, want %x", n, got, want)
		}
		for _, i := range []int64{int64(n), -int64(n), ^int64(n)} {
			if got, want := AppendInt(nil, i), Marshal(i); !bytes.Equal(got, want) {
				t.Errorf("%d: %x, want %x", i, got, want)
			}
		}
	}
	for _, n := range []int{0, 1, 23, 24, 300, 400, 500, 512, 513, 70000} {
		x := bytes.Repeat([]byte{7}, n)
		if got, want := AppendBytes(nil, x), Marshal(x); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
		list := make([]uint64, n)
		if got, want := AppendArray(nil, n), Marshal(list); !bytes.HasPrefix(want, got) || len(want) != len(got)+n {
			t.Errorf("array of %d: %x", n, got)
		}
		if got, want := SumBytes("tx", x), Sum("tx", x); got != want {
			t.Errorf("sum of %d bytes: %v, want %v", n, got, want)
		}
		if got, want := SumEncoded("tx", Marshal([]any{x, "more"})), Sum("tx", x, "more"); got != want {
			t.Errorf("sum of an array with %d bytes: %v, want %v", n, got, want)
		}
	}
}
