package field

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// Leaf names a person's place in the trees of one trial: [NewLeaf], encoded.
type Leaf [32]byte

// Account is the one account of a leaf for a context: [NewAccount], encoded.
type Account [32]byte

// Root is the root of a tree of leaves, encoded.
type Root [32]byte

// LeafOf returns the name of a leaf.
func LeafOf(e Element) Leaf { return Leaf(Encode(e)) }

// AccountOf returns the name of an account.
func AccountOf(e Element) Account { return Account(Encode(e)) }

// RootOf returns the name of a root.
func RootOf(e Element) Root { return Root(Encode(e)) }

// Element returns the leaf as a field element. It refuses values of r and above
// and zero, which stands for an empty place in every tree.
func (l Leaf) Element() (Element, error) { return nonZero("leaf", l[:]) }

// Element returns the account as a field element. It refuses values of r and
// above and zero, which no account can be.
func (a Account) Element() (Element, error) { return nonZero("account", a[:]) }

// Element returns the root as a field element. It refuses values of r and above.
func (r Root) Element() (Element, error) {
	e, err := Decode(r[:])
	if err != nil {
		return Element{}, fmt.Errorf("root: %w", err)
	}
	return e, nil
}

// String returns the leaf in lower-case hexadecimal.
func (l Leaf) String() string { return hex.EncodeToString(l[:]) }

// String returns the account in lower-case hexadecimal.
func (a Account) String() string { return hex.EncodeToString(a[:]) }

// String returns the root in lower-case hexadecimal.
func (r Root) String() string { return hex.EncodeToString(r[:]) }

// MarshalText returns 64 lower-case hexadecimal digits.
func (l Leaf) MarshalText() ([]byte, error) { return hexText(l[:]), nil }

// MarshalText returns 64 lower-case hexadecimal digits.
func (a Account) MarshalText() ([]byte, error) { return hexText(a[:]), nil }

// MarshalText returns 64 lower-case hexadecimal digits.
func (r Root) MarshalText() ([]byte, error) { return hexText(r[:]), nil }

// UnmarshalText reads exactly 64 lower-case hexadecimal digits. Whether the
// value is one of the field is asked by [Leaf.Element].
func (l *Leaf) UnmarshalText(text []byte) error { return DecodeHex("leaf", l[:], text) }

// UnmarshalText reads exactly 64 lower-case hexadecimal digits. Whether the
// value is one of the field is asked by [Account.Element].
func (a *Account) UnmarshalText(text []byte) error { return DecodeHex("account", a[:], text) }

// UnmarshalText reads exactly 64 lower-case hexadecimal digits. Whether the
// value is one of the field is asked by [Root.Element].
func (r *Root) UnmarshalText(text []byte) error { return DecodeHex("root", r[:], text) }

// DecodeHex fills dst from exactly twice as many lower-case hexadecimal digits;
// name stands in the error. dst is untouched when it refuses.
func DecodeHex(name string, dst, text []byte) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("%s: %d characters, want %d hexadecimal digits", name, len(text), 2*len(dst))
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("%s: %q is no lower-case hexadecimal digit", name, c)
		}
	}
	_, err := hex.Decode(dst, text)
	return err
}

func hexText(b []byte) []byte { return hex.AppendEncode(nil, b) }

func nonZero(name string, b []byte) (Element, error) {
	e, err := Decode(b)
	if err != nil {
		return Element{}, fmt.Errorf("%s: %w", name, err)
	}
	if e.IsZero() {
		return Element{}, fmt.Errorf("%s: %w", name, errZero)
	}
	return e, nil
}

var errZero = errors.New("zero is not allowed; it stands for an empty place")
