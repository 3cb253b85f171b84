package board

import (
	"slices"
	"testing"

	"github.com/trialith/trialith/trial/safety"
)

func TestSealed(t *testing.T) {
	t.Parallel()
	k, err := NewKey([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	at := Look{AsOf: 15000}
	for _, crossed := range [][]bool{{}, {true}, {false, true, false}, slices.Repeat([]bool{true}, 8*bytes)} {
		sealed, err := Seal(k.Public(), at, crossed)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != safety.SealedBytes {
			t.Errorf("%d bytes, a look holds %d", len(sealed), safety.SealedBytes)
		}
		got, err := k.Open(sealed, at, len(crossed))
		if err != nil || !slices.Equal(got, crossed) {
			t.Errorf("%v came back as %v: %v", crossed, got, err)
		}
		if len(crossed) > 0 && crossed[len(crossed)-1] {
			if _, err := k.Open(sealed, at, len(crossed)-1); err == nil {
				t.Error("a mark beyond the arms was not seen")
			}
		}
		if _, err := k.Open(sealed, Look{AsOf: 15001}, len(crossed)); err == nil {
			t.Error("it opened for another look")
		}
		sealed[100] ^= 1
		if _, err := k.Open(sealed, at, len(crossed)); err == nil {
			t.Error("altered bytes opened")
		}
	}
	other, err := NewKey([32]byte{2})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(other.Public(), at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(sealed, at, 0); err == nil {
		t.Error("it opened with another key")
	}
	if _, err := Seal(k.Public(), at, make([]bool, 8*bytes+1)); err == nil {
		t.Error("too many were sealed")
	}
	if _, err := Seal([]byte{1}, at, nil); err == nil {
		t.Error("sealed to no key")
	}
	if _, err := k.Open(sealed, at, -1); err == nil {
		t.Error("opened for fewer than none")
	}
}
