package ceremony

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"

	"github.com/trialith/trialith/circuits/ceremony/transcript"
	"github.com/trialith/trialith/circuits/verifier"
)

// small is a circuit with as many public inputs as the consent proof, so that
// its keys have the same form, and hardly any constraint.
type small struct {
	Secret frontend.Variable
	Public [verifier.Inputs]frontend.Variable `gnark:",public"`
}

func (c *small) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.Secret, c.Secret), c.Public[0])
	for _, p := range c.Public {
		api.Mul(p, p)
	}
	return nil
}

func compileSmall(int) (*cs_bn254.R1CS, error) {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, new(small))
	if err != nil {
		return nil, err
	}
	return system.(*cs_bn254.R1CS), nil
}

// lab is a ceremony over the small circuit with a clock of its own.
type lab struct {
	t   testing.TB
	dir string
	now int64

	compile Compile
}

func newLab(t testing.TB) *lab {
	return &lab{t: t, dir: filepath.Join(t.TempDir(), "ceremony"), now: 1_000_000, compile: compileSmall}
}

func (l *lab) config() Config { return Config{Dir: l.dir, Compile: l.compile} }

func (l *lab) signer(name string) Signer {
	l.now += 1000
	seed := sha256.Sum256([]byte(name))
	return Signer{Name: name, Key: ed25519.NewKeyFromSeed(seed[:]), Now: l.now}
}

func (l *lab) init() *lab {
	l.t.Helper()
	if _, err := Init(l.config(), Plan{Name: "Test", Depth: 1, Minimum: 2}, l.signer("coordinator")); err != nil {
		l.t.Fatal(err)
	}
	return l
}

func (l *lab) open() *Ceremony {
	l.t.Helper()
	x, err := Open(l.config())
	if err != nil {
		l.t.Fatal(err)
	}
	return x
}

func (l *lab) contribute(names ...string) {
	l.t.Helper()
	for _, name := range names {
		if err := l.open().Contribute(l.signer(name)); err != nil {
			l.t.Fatal(err)
		}
	}
}

// announce names a beacon a day from now.
func (l *lab) announce() {
	l.t.Helper()
	if err := l.open().Announce(l.signer("coordinator"), "a public value", l.now+day, 32); err != nil {
		l.t.Fatal(err)
	}
}

const day = 86400_000

func beacon(phase uint8) []byte {
	b := sha256.Sum256(fmt.Appendf(nil, "beacon %d", phase))
	return b[:]
}

func (l *lab) seal() {
	l.t.Helper()
	l.now += 2 * day
	x := l.open()
	if err := x.Seal(l.t.Context(), l.signer("coordinator"), beacon(x.State().Phase())); err != nil {
		l.t.Fatal(err)
	}
}

// phase lets three people contribute, and announces before the last.
func (l *lab) phase() {
	l.t.Helper()
	l.contribute("Ada", "Ben")
	l.announce()
	l.contribute("Cleo")
	l.seal()
}

// finished is a sealed ceremony.
func finished(t testing.TB) *lab {
	l := newLab(t).init()
	l.phase()
	l.phase()
	return l
}

func names(p transcript.Phase) (out []string) {
	for _, c := range p.Contributors {
		out = append(out, c.Name)
	}
	return out
}
