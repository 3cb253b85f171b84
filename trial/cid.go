package trial

import (
	"encoding/base32"
	"errors"
	"fmt"
)

// CID names content by its hash: CIDv1 with SHA-256, of a DAG-PB node (a
// directory or a large file) or of raw bytes. Its text form is the multibase
// base32 that gateways speak.
type CID [36]byte

var cidText = base32.StdEncoding.WithPadding(base32.NoPadding)

var errCID = errors.New("want a CIDv1 with SHA-256 of a DAG-PB or raw block, in base32: b…")

// Check refuses bytes that are no CID of these kinds.
func (c CID) Check() error {
	if c[0] != 1 || c[1] != 0x70 && c[1] != 0x55 || c[2] != 0x12 || c[3] != 32 {
		return fmt.Errorf("%x…: %w", c[:4], errCID)
	}
	return nil
}

func (c CID) String() string {
	b := []byte("b" + cidText.EncodeToString(c[:]))
	for i, x := range b {
		if x >= 'A' && x <= 'Z' {
			b[i] = x + 'a' - 'A'
		}
	}
	return string(b)
}

// MarshalText gives the text form.
func (c CID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts the text form alone.
func (c *CID) UnmarshalText(b []byte) error {
	parsed, err := ParseCID(string(b))
	if err == nil {
		*c = parsed
	}
	return err
}

// ParseCID reads the text form.
func ParseCID(s string) (c CID, err error) {
	if len(s) != 59 || s[0] != 'b' {
		return c, fmt.Errorf("%.80q: %w", s, errCID)
	}
	upper := make([]byte, 0, 58)
	for _, x := range []byte(s[1:]) {
		if x >= 'a' && x <= 'z' {
			x -= 'a' - 'A'
		} else if x >= 'A' && x <= 'Z' {
			return c, fmt.Errorf("%q: %w", s, errCID)
		}
		upper = append(upper, x)
	}
	raw, err := cidText.DecodeString(string(upper))
	if err != nil || len(raw) != len(c) {
		return c, fmt.Errorf("%q: %w", s, errCID)
	}
	c = CID(raw)
	if c.String() != s {
		return CID{}, fmt.Errorf("%q: %w", s, errCID)
	}
	return c, c.Check()
}
