package verifier_test

import (
	"encoding/binary"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

func TestRefuse10ProofEncodings(t *testing.T) {
	t.Parallel()
	good := valid()[0].Proof
	if p, err := verifier.ParseProof(good[:]); err != nil || p != good {
		t.Fatalf("the honest proof: %v", err)
	}
	for _, b := range brokenPoints(good) {
		_, err := verifier.ParseProof(b.proof)
		switch {
		case b.word == "" && err != nil:
			t.Errorf("%s: %v", b.name, err)
		case b.word != "" && (err == nil || !strings.Contains(err.Error(), b.word)):
			t.Errorf("%s: %v, want a refusal that says %q", b.name, err, b.word)
		}
	}
	for _, n := range []int{0, 127, 129, 164, 256} {
		if _, err := verifier.ParseProof(make([]byte, n)); err == nil {
			t.Errorf("%d bytes accepted", n)
		}
	}
}

// A huge count of commitments exhausted the memory of a reader of the library's
// form (164 bytes); the wire form has no counts to believe.
func TestRefuse10HugeCounts(t *testing.T) {
	t.Parallel()
	good := valid()[0].Proof
	huge := append(good[:], make([]byte, 36)...)
	binary.BigEndian.PutUint32(huge[128:], 1<<31)
	if _, err := verifier.ParseProof(huge); err == nil {
		t.Error("accepted")
	}
}

func TestProofText(t *testing.T) {
	t.Parallel()
	good := valid()[0].Proof
	out, err := good.MarshalText()
	if err != nil || string(out) != good.String() || len(out) != 256 {
		t.Fatalf("%s, %v", out, err)
	}
	for _, bad := range []string{"", string(out[2:]), string(out) + "00", strings.ToUpper(string(out)), "0x" + string(out[2:])} {
		var p verifier.Proof
		if p.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%.10s… (%d characters) accepted", bad, len(bad))
		}
	}
}

// Groth16 proofs are malleable: a third party can turn one into another of the
// same statement. Nothing may take a proof's bytes for an identity.
func TestRerandomisedProofVerifies(t *testing.T) {
	t.Parallel()
	item := valid()[0]
	var a, c curve.G1Affine
	var b curve.G2Affine
	for _, err := range []error{second(a.SetBytes(item.Proof[:32])), second(b.SetBytes(item.Proof[32:96])), second(c.SetBytes(item.Proof[96:]))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	seven := big.NewInt(7)
	inverse := new(big.Int).ModInverse(seven, fr.Modulus())
	a.ScalarMultiplication(&a, seven)
	b.ScalarMultiplication(&b, inverse)
	other := verifier.Proof(encode(a, b, c))
	if other == item.Proof {
		t.Fatal("the copy is the same")
	}
	if err := verifier.Development().Verify(other, item.Statement); err != nil {
		t.Errorf("the copy should verify: %v", err)
	}
}

func second(_ int, err error) error { return err }

func TestStatementRefused(t *testing.T) {
	t.Parallel()
	good := valid()[0].Statement
	if _, err := good.PublicInputs(); err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(s *verifier.Statement){
		"root":       func(s *verifier.Statement) { s.Root = unreduced(s.Root) },
		"account":    func(s *verifier.Statement) { s.Account = unreduced(s.Account) },
		"zero":       func(s *verifier.Statement) { s.Account = field.Account{} },
		"no context": func(s *verifier.Statement) { s.Context = field.Element{} },
		"no message": func(s *verifier.Statement) { s.Message = field.Element{} },
		"minimum":    func(s *verifier.Statement) { s.Min[3], s.Max[3] = 8, 7 },
	}
	for word, spoil := range cases {
		s := good
		spoil(&s)
		if _, err := s.PublicInputs(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// The order is part of the protocol: the device and every verifier share it.
func TestOrderOfPublicInputs(t *testing.T) {
	t.Parallel()
	s := verifier.Statement{
		Root: field.RootOf(number(1)), Context: number(2), Account: field.AccountOf(number(3)), Message: number(4),
		Min: field.Attributes{5, 6, 7, 8, 9, 10, 11, 12}, Max: field.Attributes{13, 14, 15, 16, 17, 18, 19, 20},
	}
	in, err := s.PublicInputs()
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range in {
		if e != number(uint64(i+1)) {
			t.Errorf("input %d is %v", i, e.String())
		}
	}
}

// Each of the twenty inputs is bound: a proof for one value is none for another.
func TestRefuse12EveryInputInItsPlace(t *testing.T) {
	t.Parallel()
	key, item := verifier.Development(), valid()[0]
	reject := func(name string, change func(s *verifier.Statement)) {
		s := item.Statement
		change(&s)
		if key.Verify(item.Proof, s) == nil {
			t.Errorf("%s changed, and the proof still verifies", name)
		}
	}
	one := fr.One()
	reject("root", func(s *verifier.Statement) { s.Root[31] ^= 1 })
	reject("context", func(s *verifier.Statement) { s.Context.Add(&s.Context, &one) })
	reject("account", func(s *verifier.Statement) { s.Account[31] ^= 1 })
	reject("message", func(s *verifier.Statement) { s.Message.Add(&s.Message, &one) })
	for i := range item.Statement.Min {
		reject("a minimum", func(s *verifier.Statement) { s.Min[i]++ })
		reject("a maximum", func(s *verifier.Statement) { s.Max[i]-- })
	}
}

func TestVerifyIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	key, err := verifier.ParseKey(verifier.Development().Bytes()) // nothing prepared yet
	if err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for _, item := range valid() {
				errs[i] = errors.Join(errs[i], key.Verify(item.Proof, item.Statement))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
