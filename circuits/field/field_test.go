package field

import (
	"bytes"
	"encoding"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// plusOrder returns the 32 bytes of e + r: another encoding of the same residue.
func plusOrder(e Element) []byte {
	n := e.BigInt(new(big.Int))
	n.Add(n, fr.Modulus())
	return n.FillBytes(make([]byte, Size))
}

func TestDecodeIsCanonical(t *testing.T) {
	t.Parallel()
	var five Element
	five.SetUint64(5)
	five32 := Encode(five)
	got, err := Decode(five32[:])
	if err != nil || got != five {
		t.Fatalf("Decode(Encode(5)) = %v, %v", got, err)
	}
	refused := map[string][]byte{
		"nothing":      nil,
		"short":        five32[1:],
		"trailing":     append(five32[:], 0),
		"r":            fr.Modulus().FillBytes(make([]byte, Size)),
		"five plus r":  plusOrder(five),
		"all bits set": bytes.Repeat([]byte{0xff}, Size),
	}
	for name, b := range refused {
		if e, err := Decode(b); err == nil {
			t.Errorf("%s: accepted as %v", name, e)
		}
	}
}

func TestNamesRefuseZeroAndUnreduced(t *testing.T) {
	t.Parallel()
	var five Element
	five.SetUint64(5)
	unreduced := [32]byte(plusOrder(five))
	if _, err := (Leaf{}).Element(); err == nil {
		t.Error("leaf 0 accepted")
	}
	if _, err := (Account{}).Element(); err == nil {
		t.Error("account 0 accepted")
	}
	if e, err := (Root{}).Element(); err != nil || !e.IsZero() {
		t.Errorf("root 0: %v, %v", e, err)
	}
	if _, err := Leaf(unreduced).Element(); err == nil {
		t.Error("leaf + r accepted")
	}
	if _, err := Account(unreduced).Element(); err == nil {
		t.Error("account + r accepted")
	}
	if _, err := Root(unreduced).Element(); err == nil {
		t.Error("root + r accepted")
	}
	for name, element := range map[string]func() (Element, error){
		"leaf": LeafOf(five).Element, "account": AccountOf(five).Element, "root": RootOf(five).Element,
	} {
		if e, err := element(); err != nil || e != five {
			t.Errorf("%s of 5: %v, %v", name, e, err)
		}
	}
}

func TestTextIsStrictLowerCaseHex(t *testing.T) {
	t.Parallel()
	type text interface {
		encoding.TextMarshaler
		encoding.TextUnmarshaler
		String() string
	}
	digits := strings.Repeat("0a", 32)
	for name, fresh := range map[string]func() text{
		"leaf":    func() text { return new(Leaf) },
		"account": func() text { return new(Account) },
		"root":    func() text { return new(Root) },
	} {
		v := fresh()
		if err := v.UnmarshalText([]byte(digits)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if out, err := v.MarshalText(); err != nil || string(out) != digits || v.String() != digits {
			t.Errorf("%s: %s, %v, %s", name, out, err, v)
		}
		for _, bad := range []string{"", digits[1:], digits + "0a", strings.ToUpper(digits), "0x" + digits[2:], " " + digits[1:]} {
			if err := fresh().UnmarshalText([]byte(bad)); err == nil {
				t.Errorf("%s: %q accepted", name, bad)
			}
		}
	}
}

func TestHashPanicsOnAPurposeThatIsNoWord(t *testing.T) {
	t.Parallel()
	for _, purpose := range []string{"", strings.Repeat("x", 65)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("purpose of %d bytes accepted", len(purpose))
				}
			}()
			Hash(purpose, nil)
		}()
	}
}

func TestDeriveSeparates(t *testing.T) {
	t.Parallel()
	seen := make(map[Element]string)
	derive := func(name string, master [32]byte, tag string, ledger, trial [32]byte, n uint32) {
		t.Helper()
		e, err := Derive(master, tag, ledger, trial, n)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[e]; ok {
			t.Errorf("%s and %s give one element", name, other)
		}
		seen[e] = name
	}
	zero, one := [32]byte{}, [32]byte{1}
	derive("base", one, SecretTag, zero, zero, 0)
	derive("master", zero, SecretTag, zero, zero, 0)
	derive("tag", one, TrapdoorTag, zero, zero, 0)
	derive("ledger", one, SecretTag, one, zero, 0)
	derive("trial", one, SecretTag, zero, one, 0)
	derive("enrolment", one, SecretTag, zero, zero, 1)
	if _, err := Derive(one, "", zero, zero, 0); err == nil {
		t.Error("an empty tag was accepted")
	}
}

func BenchmarkNode(b *testing.B) {
	var children [Arity]Element
	for i := range children {
		children[i].SetUint64(uint64(i))
	}
	for b.Loop() {
		children[0] = Node(&children)
	}
}
