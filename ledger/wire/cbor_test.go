package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
)

type point struct {
	_ struct{} `cbor:",toarray"`
	X uint64
	Y []byte
}

func TestUnmarshalIsStrict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, hex string
		into      func() any
		ok        bool
	}{
		{"map", "a10101", func() any { return new(map[uint64]uint64) }, true},
		{"map key not shortest", "a1180101", func() any { return new(map[uint64]uint64) }, false},
		{"map value not shortest", "a1011801", func() any { return new(map[uint64]uint64) }, false},
		{"map keys not sorted", "a202010101", func() any { return new(map[uint64]uint64) }, false},
		{"map key twice", "a201010102", func() any { return new(map[uint64]uint64) }, false},
		{"map of indefinite length", "bf0101ff", func() any { return new(map[uint64]uint64) }, false},
		{"array", "820141ff", func() any { return new(point) }, true},
		{"array of indefinite length", "9f0141ffff", func() any { return new(point) }, false},
		{"array too short", "8101", func() any { return new(point) }, false},
		{"array too long", "830141ff00", func() any { return new(point) }, false},
		{"trailing byte", "820141ff00", func() any { return new(point) }, false},
		{"cut off", "820142ff", func() any { return new(point) }, false},
		{"number not shortest", "82180141ff", func() any { return new(point) }, false},
		{"number as float", "82f93c0041ff", func() any { return new(point) }, false},
		{"negative number", "822041ff", func() any { return new(point) }, false},
		{"bytes of indefinite length", "82015f41ffff", func() any { return new(point) }, false},
		{"bytes as text", "82016161", func() any { return new(point) }, false},
		{"null for bytes", "8201f6", func() any { return new(point) }, false},
		{"tag", "8201c241ff", func() any { return new(point) }, false},
		{"hash", "5820" + string(bytes.Repeat([]byte("11"), 32)), func() any { return new(Hash) }, true},
		{"hash too short", "4111", func() any { return new(Hash) }, false},
		{"hash too long", "5821" + string(bytes.Repeat([]byte("11"), 33)), func() any { return new(Hash) }, false},
		{"hash as array", "9820" + string(bytes.Repeat([]byte("01"), 32)), func() any { return new(Hash) }, false},
		{"text not UTF-8", "61ff", func() any { return new(string) }, false},
		{"nothing", "", func() any { return new(uint64) }, false},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		v := c.into()
		err = Unmarshal(b, v)
		if (err == nil) != c.ok {
			t.Errorf("%s: %s: error %v, want success %v", c.name, c.hex, err, c.ok)
		}
		if err == nil && !bytes.Equal(Marshal(v), b) {
			t.Errorf("%s: encodes to %x", c.name, Marshal(v))
		}
	}
	if err := Unmarshal([]byte{0xa1, 0x18, 1, 1}, new(map[uint64]uint64)); !errors.Is(err, ErrNotCanonical) {
		t.Errorf("map key not shortest: %v; the library takes it, so it must be found by encoding again", err)
	}
	if err := Unmarshal(make([]byte, MaxItem+1), new([]byte)); err == nil {
		t.Error("more than MaxItem bytes were decoded")
	}
}

func TestNilAndEmptyAreOneValue(t *testing.T) {
	t.Parallel()
	if a, b := Marshal(point{}), Marshal(point{Y: []byte{}}); !bytes.Equal(a, b) {
		t.Errorf("nil encodes to %x, empty to %x", a, b)
	}
	if a, b := Sum("x"), Sum("x", []any{}...); a != b {
		t.Error("no argument and an empty list hash differently")
	}
}

func TestSum(t *testing.T) {
	t.Parallel()
	got := Sum("key", uint64(1), "a").String()
	byHand := sha256.Sum256([]byte("trialith/v1/key\x00\x82\x01\x61a"))
	if got != hex.EncodeToString(byHand[:]) {
		t.Errorf("Sum = %s, by hand %x", got, byHand)
	}
	if Sum("key", uint64(1)) == Sum("ledger", uint64(1)) {
		t.Error("two tags, one hash")
	}
	if Sum("key", "a", "b") == Sum("key", "ab") {
		t.Error("two lists, one hash")
	}
}

func TestTextForm(t *testing.T) {
	t.Parallel()
	h := Sum("x")
	text, err := h.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var back Hash
	if err := back.UnmarshalText(text); err != nil || back != h {
		t.Fatalf("%s comes back as %v: %v", text, back, err)
	}
	for _, bad := range [][]byte{text[1:], append([]byte("0"), text...), bytes.ToUpper(text), append([]byte("g"), text[1:]...)} {
		if err := back.UnmarshalText(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte{0xa1, 0x18, 1, 1})
	f.Add(Marshal(point{X: 1 << 40, Y: []byte("y")}))
	f.Add(Marshal(map[string]any{"a": []any{1, "b", nil, true}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []any{new(point), new(any), new([]Hash), new(map[uint64]string)} {
			if Unmarshal(b, v) == nil && !bytes.Equal(Marshal(v), b) {
				t.Fatalf("%x was taken as %T, which encodes to %x", b, v, Marshal(v))
			}
		}
	})
}
