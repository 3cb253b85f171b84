package verifier_test

import (
	"bytes"
	"fmt"
	"testing"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/trialith/trialith/circuits/verifier"
)

func BenchmarkVerify(b *testing.B) {
	key, item := verifier.Development(), valid()[0]
	for b.Loop() {
		if err := key.Verify(item.Proof, item.Statement); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyLibrary is the library's verifier, with points already read.
func BenchmarkVerifyLibrary(b *testing.B) {
	item := valid()[0]
	var vk groth16.VerifyingKey
	if _, err := vk.ReadFrom(bytes.NewReader(verifier.Development().Bytes())); err != nil {
		b.Fatal(err)
	}
	var proof groth16.Proof
	if _, err := proof.ReadFrom(bytes.NewReader(append(item.Proof[:], append(make([]byte, 4), infinity32()...)...))); err != nil {
		b.Fatal(err)
	}
	in, err := item.Statement.PublicInputs()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := groth16.Verify(&proof, &vk, in[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyBatch(b *testing.B) {
	key := verifier.Development()
	for _, n := range []int{4, 16, 128, 1024} {
		items := repeat(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if bad := key.VerifyBatch(items); bad != nil {
					b.Fatal(bad)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/proof")
		})
	}
}

func BenchmarkParseKey(b *testing.B) {
	raw := verifier.Development().Bytes()
	for b.Loop() {
		if _, err := verifier.ParseKey(raw); err != nil {
			b.Fatal(err)
		}
	}
}
